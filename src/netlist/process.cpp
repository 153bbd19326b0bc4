// Child processes with limits: fork, exec, a pipe with a deadline.
#include "netlist/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"

namespace axmul::detail {

namespace {

using Clock = std::chrono::steady_clock;

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::string list = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(':', start), list.size());
    const std::string candidate = list.substr(start, end - start) + "/" + name;
    if (end > start && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    start = end + 1;
  }
  return "";
}

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0)
      throw UnavailableError(262, std::string("cannot make a pipe: ") + std::strerror(errno));
    read_end = fds[0];
    write_end = fds[1];
  }
  ~Pipe() {
    close_write();
    ::close(read_end);
  }
  void close_write() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

void limit(int what, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &both);
}

// Only async-signal-safe calls: the parent may have other threads.
[[noreturn]] void run_child(const char* program, char* const* argv, int pipe_end,
                            const ProcessOptions& options, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  if (options.output_fd != 1) ::dup2(null, 1);
  if (!options.join_stderr) ::dup2(null, 2);
  // The collected descriptor last: it may be any of those, or the pipe's own number.
  const int safe = ::fcntl(pipe_end, F_DUPFD, 10);
  ::dup2(safe, options.output_fd);
  if (options.join_stderr) ::dup2(safe, 2);
  ::close_range(static_cast<unsigned>(std::max(3, options.output_fd + 1)), ~0u, 0);
  const auto seconds = static_cast<rlim_t>(options.timeout_s) + 1;
  limit(RLIMIT_CPU, seconds);
  limit(RLIMIT_AS, options.max_memory);
  limit(RLIMIT_FSIZE, options.max_file);
  limit(RLIMIT_CORE, 0);
  if (!options.may_fork) limit(RLIMIT_NPROC, 0);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(127);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
  ::execv(program, argv);
  ::_exit(127);
}

// Kills and reaps the child when the scope is left early.
struct Child {
  pid_t pid;
  bool reaped = false;
  int status = 0;
  ~Child() {
    if (reaped) return;
    kill_group();
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  void kill_group() const {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
  }
  bool try_reap() {
    const pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) reaped = true;
    return reaped;
  }
};

}  // namespace

bool program_exists(const std::string& name) { return !find_program(name).empty(); }

ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  ProcessResult result;
  const std::string program = find_program(argv.at(0));
  if (program.empty()) return result;
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  Pipe pipe;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    throw UnavailableError(262, std::string("cannot start a process: ") + std::strerror(errno));
  if (pid == 0) run_child(program.c_str(), arguments.data(), pipe.write_end, options, parent);
  Child child{pid};
  pipe.close_write();
  result.started = true;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(options.timeout_s));
  bool open = true;
  std::string buffer(1 << 16, '\0');
  while (open || !child.try_reap()) {
    poll_interrupt();
    if (Clock::now() >= deadline) {
      result.timed_out = true;
      return result;
    }
    pollfd events{pipe.read_end, POLLIN, 0};
    if (!open) {
      ::usleep(500);
      continue;
    }
    if (::poll(&events, 1, 20) <= 0) continue;
    const ssize_t count = ::read(pipe.read_end, buffer.data(), buffer.size());
    if (count > 0) {
      result.output.append(buffer, 0, static_cast<std::size_t>(count));
      if (result.output.size() > options.max_output) {
        result.overflowed = true;
        return result;
      }
    } else if (count == 0 || errno != EINTR) {
      open = false;
    }
  }
  child.kill_group();  // what it may have left behind
  if (WIFEXITED(child.status)) result.exit_code = WEXITSTATUS(child.status);
  if (WIFSIGNALED(child.status)) result.signal = WTERMSIG(child.status);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::error_code failed;
  std::string name = std::filesystem::temp_directory_path(failed).string();
  if (failed) name = "/tmp";
  name += "/axmul-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    throw UnavailableError(262,
                           "cannot make a temporary folder " + name + ": " + std::strerror(errno));
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace axmul::detail
