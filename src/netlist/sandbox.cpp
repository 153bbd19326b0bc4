// Landlock rulesets by raw system calls, since C libraries have no wrappers; a seccomp filter as a
// list of calls.
#include "netlist/sandbox.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace axmul::detail {

namespace {

// Of linux/landlock.h, which older headers lack or know in part. One number on every CPU.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr std::uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadDir = 8;
constexpr std::uint64_t kMakeFilesAndFolders =
    (1u << 4) | (1u << 5) | (1u << 7) | (1u << 8) | (1u << 12);  // remove, make; no devices
constexpr std::uint64_t kFilesOfVersion1 = (1u << 13) - 1;
constexpr std::uint64_t kTruncate = 1u << 14;

struct RulesetAttributes {
  std::uint64_t files = 0, network = 0, scope = 0;
};

struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t folder;
};

long landlock_version() { return ::syscall(kCreateRuleset, nullptr, 0, 1); }

std::uint64_t handled_files(long version) {
  std::uint64_t files = kFilesOfVersion1;
  if (version >= 2) files |= 1u << 13;  // moving between folders
  if (version >= 3) files |= kTruncate;
  if (version >= 5) files |= 1u << 15;  // ioctl on devices
  return files;
}

void allow_path(int rules, const std::string& path, std::uint64_t allowed) {
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status {};
  ::fstat(fd, &status);
  if (!S_ISDIR(status.st_mode)) allowed &= kExecute | kWriteFile | kReadFile | kTruncate;
  const PathRule rule{allowed, fd};
  ::syscall(kAddRule, rules, 1, &rule, 0);  // refused: then the path stays forbidden
  ::close(fd);
}

}  // namespace

std::vector<std::string> system_paths() {
  return {"/usr",
          "/bin",
          "/sbin",
          "/lib",
          "/lib32",
          "/lib64",
          "/libx32",
          "/nix/store",
          "/gnu/store",
          "/etc/ld.so.cache",
          "/etc/alternatives",
          "/dev/urandom",
          "/home/linuxbrew/.linuxbrew"};
}

bool landlock_available() { return landlock_version() >= 1; }

FileRules::FileRules(const FileAccess& access) {
  const long version = landlock_version();
  if (version < 1) return;
  RulesetAttributes attributes;
  attributes.files = handled_files(version);
  if (version >= 4) attributes.network = 3;  // TCP: bind, connect
  if (version >= 6) attributes.scope = 3;    // abstract Unix sockets, signals
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  rules_ = static_cast<int>(::syscall(kCreateRuleset, &attributes, size, 0));
  if (rules_ < 0) return;
  for (const std::string& path : access.readable)
    allow_path(rules_, path, kExecute | kReadFile | kReadDir);
  for (const std::string& path : access.writable)
    allow_path(rules_, path,
               (kWriteFile | kReadFile | kReadDir | kExecute | kMakeFilesAndFolders | kTruncate) &
                   attributes.files);
  allow_path(rules_, "/dev/null", (kReadFile | kWriteFile | kTruncate) & attributes.files);
}

FileRules::~FileRules() {
  if (rules_ >= 0) ::close(rules_);
}

bool FileRules::enter() const {
  if (rules_ < 0) return !landlock_available();
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(kRestrictSelf, rules_, 0) == 0;
}

#if (defined(__x86_64__) && !defined(__ILP32__)) || \
    (defined(__aarch64__) && !defined(__AARCH64EB__))

namespace {

#ifdef __x86_64__
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

/// An argument that a call must have; `whole`: all 64 bits, as of a pointer.
struct Argument {
  unsigned position;
  std::uint64_t value;
  bool whole = false;
};

/// A filter for SECCOMP_MODE_FILTER; no allocation, since a forked child makes it.
class CallFilter {
 public:
  CallFilter() {
    load(offsetof(seccomp_data, arch));
    jump_if(kArchitecture, 1, 0);
    end(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
  }

  void allow(long call) { answer(call, SECCOMP_RET_ALLOW); }

  /// The call does nothing and fails with that errno.
  void fail(long call, int error) {
    answer(call, SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
  }

  /// The call with these arguments; with others it kills.
  void allow_with(long call, std::initializer_list<Argument> arguments) {
    std::size_t length = 2;
    for (const Argument& argument : arguments) length += argument.whole ? 4 : 2;
    jump_if(static_cast<std::uint32_t>(call), 0, static_cast<std::uint8_t>(length));
    std::size_t left = length;
    for (const Argument& argument : arguments) {
      const auto offset =
          static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * argument.position);
      for (unsigned half = 0; half < (argument.whole ? 2u : 1u); ++half) {
        load(offset + 4 * half);
        left -= 2;
        jump_if(static_cast<std::uint32_t>(argument.value >> (32 * half)), 0,
                static_cast<std::uint8_t>(left - 1));
      }
    }
    end(SECCOMP_RET_ALLOW);
    end(SECCOMP_RET_KILL_PROCESS);
  }

  /// Everything else kills from here on.
  bool enter() {
    end(SECCOMP_RET_KILL_PROCESS);
    if (is_full_) return false;
    sock_fprog program{static_cast<unsigned short>(size_), code_.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  void add(sock_filter statement) {
    if (size_ == code_.size())
      is_full_ = true;
    else
      code_[size_++] = statement;
  }
  void load(std::size_t offset) {
    add({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)});
  }
  void jump_if(std::uint32_t value, std::uint8_t equal, std::uint8_t other) {
    add({BPF_JMP | BPF_JEQ | BPF_K, equal, other, value});
  }
  void end(std::uint32_t action) { add({BPF_RET | BPF_K, 0, 0, action}); }
  void answer(long call, std::uint32_t action) {
    jump_if(static_cast<std::uint32_t>(call), 0, 1);
    end(action);
  }

  std::array<sock_filter, 160> code_{};
  std::size_t size_ = 0;
  bool is_full_ = false;
};

/// The program's path at an address nobody can guess: whoever knows it may execute.
const char* at_secret_address(const char* program) {
  std::uint64_t random = 0;
  if (::syscall(SYS_getrandom, &random, sizeof random, 0) != sizeof random) return nullptr;
  const std::size_t size = std::strlen(program) + 1;
  const auto hint = static_cast<std::uintptr_t>((random >> 18) & ~std::uint64_t{0xFFF});
  void* const page = ::mmap(reinterpret_cast<void*>(hint), size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  return static_cast<const char*>(std::memcpy(page, program, size));
}

/// What a statically linked program needs from its start to its end.
void allow_computing(CallFilter& filter) {
  for (const long call :
       {SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_write, SYS_writev,
        SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getpid, SYS_gettid,
        SYS_getrandom, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_uname})
    filter.allow(call);
#ifdef SYS_arch_prctl
  filter.allow(SYS_arch_prctl);
#endif
}

/// What C libraries ask for and can do without: terminals, the program's own path, kinds of files.
void refuse_questions(CallFilter& filter) {
  filter.fail(SYS_ioctl, ENOTTY);
  for (const long call : {SYS_readlinkat, SYS_fstat, SYS_newfstatat, SYS_sysinfo})
    filter.fail(call, ENOSYS);
#ifdef SYS_readlink
  filter.fail(SYS_readlink, ENOSYS);
#endif
#ifdef SYS_statx
  filter.fail(SYS_statx, ENOSYS);
#endif
}

}  // namespace

bool seccomp_available() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

const char* enter_compute_only(const char* program) {
  const char* const path = at_secret_address(program);
  if (path == nullptr) return nullptr;
  const auto self = static_cast<std::uint64_t>(::getpid());
  CallFilter filter;
  allow_computing(filter);
  refuse_questions(filter);
  filter.allow_with(SYS_execve, {{0, reinterpret_cast<std::uintptr_t>(path), true}});
  // What C++'s iostreams do before main: wake waiters of its own, of which there are none.
  filter.allow_with(SYS_futex, {{1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG}});
  // Its own limits may be read, none set; abort() of itself.
  filter.allow_with(SYS_prlimit64, {{0, 0}, {2, 0, true}});
  filter.allow_with(SYS_tgkill, {{0, self}, {1, self}, {2, SIGABRT}});
  filter.allow_with(SYS_tkill, {{0, self}, {1, SIGABRT}});
  return filter.enter() ? path : nullptr;
}

#else

bool seccomp_available() { return false; }

const char* enter_compute_only(const char*) { return nullptr; }

#endif

}  // namespace axmul::detail
