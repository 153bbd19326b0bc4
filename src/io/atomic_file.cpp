// Atomic output: temporary file beside the target, fsync, rename.
#include "axmul/io/atomic_file.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <random>
#include <system_error>

#include "axmul/core/errors.hpp"
#include "io/left_over.hpp"

namespace axmul {

namespace {

constexpr const char* kMark = ".tmp-";

std::string reason(int error) { return std::generic_category().message(error); }

/// Follows symbolic links of the last component, also dangling ones (the target may not exist yet).
std::string follow_links(const std::string& target) {
  std::filesystem::path path = target;
  for (int i = 0; i < 40; ++i) {
    std::error_code error;
    const std::filesystem::path next = std::filesystem::read_symlink(path, error);
    if (error) return path.string();
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  throw OutputError(131, "cannot write " + target + ": " + reason(ELOOP));
}

/// The descriptor that /dev/stdout, /dev/stderr or /dev/fd/N names; -1 for other paths. Opening
/// such a path anew would start at the beginning of a file that the shell has redirected to.
int descriptor_of(std::string_view target) {
  if (target == "/dev/stdout") return STDOUT_FILENO;
  if (target == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!target.starts_with(prefix)) continue;
    const std::string_view digits = target.substr(prefix.size());
    int fd = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), fd);
    if (error == std::errc() && end == digits.data() + digits.size()) return fd;
  }
  return -1;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string temporary_name(const std::string& path) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string suffix;
  const std::uint32_t word = std::random_device()();
  for (int shift = 0; shift < 32; shift += 4) suffix += kHex[(word >> shift) & 15];
  const std::filesystem::path p = path;
  // A name may be as long as the file system allows; its temporary must still fit.
  const std::string base = p.filename().string().substr(0, 200);
  return (p.parent_path() / (base + kMark + detail::process_tag() + "-" + suffix)).string();
}

[[noreturn]] void refuse_existing(const std::string& target) {
  throw OutputError(130, target + " exists; --force replaces it");
}

/// Renames without replacing; returns 0 or the error. Race-free where the file system can do it.
int rename_new(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return errno;
  if (::link(from, to) == 0) {
    ::unlink(from);
    return 0;
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  // Neither is offered (some network and FUSE file systems): reserve the name, then replace it.
  const int fd = ::open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  ::close(fd);
  if (::rename(from, to) == 0) return 0;
  const int error = errno;
  ::unlink(to);
  return error;
}

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);  // some file systems refuse this; the file itself is already safe
  ::close(fd);
}

}  // namespace

AtomicFile::AtomicFile(std::string target, bool force) : target_(std::move(target)), force_(force) {
  if (target_.empty()) throw OutputError(131, "cannot write: the name of the output is empty");
  final_ = follow_links(target_);
  struct stat info {};
  const bool exists = ::stat(target_.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) fail("cannot write", errno);
  if (exists && S_ISDIR(info.st_mode))
    throw OutputError(132, "cannot write " + target_ + ": it is a folder; name a file in it");
  const int descriptor = descriptor_of(target_);
  if (descriptor >= 0 || (exists && !S_ISREG(info.st_mode))) {
    direct_ = true;
    path_ = target_;
    fd_ = descriptor >= 0 ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                          : ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail("cannot write", errno);
    return;
  }
  if (exists && !force_) refuse_existing(target_);
  if (exists && ::access(final_.c_str(), W_OK) != 0) fail("cannot replace", errno);

  detail::remove_left_overs(folder_of(final_), kMark);
  for (int attempt = 0; attempt < 16 && fd_ < 0; ++attempt) {
    path_ = temporary_name(final_);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) fail("cannot write", errno);
  if (exists) static_cast<void>(::fchmod(fd_, info.st_mode & 07777U));  // best effort
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (fd_ < 0) return;
  ::close(fd_);
  fd_ = -1;
  if (!direct_) ::unlink(path_.c_str());
}

void AtomicFile::fail(const char* what, int error) {
  const std::string folder = folder_of(final_);
  discard();
  std::string message = std::string(what) + ' ' + target_ + ": " + reason(error);
  if (error == ENOENT) message += "; is there a folder " + folder + "?";
  throw OutputError(131, message);
}

void AtomicFile::write(std::string_view bytes) {
  if (fd_ < 0) throw InternalError("AtomicFile is written after commit: " + target_);
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void AtomicFile::finish(const std::string& name, bool replace) {
  if (fd_ < 0) throw InternalError("AtomicFile is committed twice: " + target_);
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
    fail("cannot write", errno);
  if (!direct_) {
    const int error = replace ? (::rename(path_.c_str(), name.c_str()) == 0 ? 0 : errno)
                              : rename_new(path_.c_str(), name.c_str());
    if (error == EEXIST) {
      discard();
      refuse_existing(target_);
    }
    if (error != 0) fail("cannot write", error);
  }
  ::close(fd_);  // after a successful fsync this cannot lose anything
  fd_ = -1;
  if (!direct_) sync_folder(folder_of(name));
}

void AtomicFile::commit() { finish(final_, force_); }

void AtomicFile::commit_as(const std::string& other_target) { finish(other_target, true); }

void write_file(const std::string& target, std::string_view bytes, bool force) {
  AtomicFile file(target, force);
  file.write(bytes);
  file.commit();
}

}  // namespace axmul
