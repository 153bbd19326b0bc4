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
#include <string_view>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "io/left_over.hpp"

namespace axmul::detail {

namespace {

using Clock = std::chrono::steady_clock;

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

constexpr std::string_view kUnconfined = "axmul: not confined";

/// What the child executes; its strings stay in the vectors they came from.
struct Image {
  std::string program;
  std::vector<char*> arguments, environment;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void execute(const Image& image, const ProcessOptions& options, bool is_confined) {
  const char* program = image.program.c_str();
  if (options.compute_only && is_confined) {
    program = enter_compute_only(program);
    is_confined = program != nullptr;
  }
  if (is_confined)
    ::execve(program, image.arguments.data(),
             options.environment ? image.environment.data() : environ);
  else if (::write(options.output_fd, kUnconfined.data(), kUnconfined.size()) < 0)
    ::_exit(127);
  ::_exit(127);
}

// Only async-signal-safe calls: the parent may have other threads.
[[noreturn]] void run_child(const Image& image, int pipe_end, const ProcessOptions& options,
                            pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  // Before descriptors move: the rules have one too.
  const bool is_confined = options.files == nullptr || options.files->enter();
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
  execute(image, options, is_confined);
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

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
  std::vector<std::string> result = variables;
  for (char** own = environ; *own != nullptr; ++own) {
    const std::string_view text = *own;
    const auto is_same_name = [&](const std::string& variable) {
      return text.starts_with(variable.substr(0, variable.find('=') + 1));
    };
    if (std::ranges::none_of(variables, is_same_name)) result.emplace_back(text);
  }
  return result;
}

bool program_exists(const std::string& name) { return !find_program(name).empty(); }

ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  ProcessResult result;
  const Image image{find_program(argv.at(0)), pointers(argv),
                    options.environment ? pointers(*options.environment) : std::vector<char*>()};
  if (image.program.empty()) return result;
  Pipe pipe;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    throw UnavailableError(262, std::string("cannot start a process: ") + std::strerror(errno));
  if (pid == 0) run_child(image, pipe.write_end, options, parent);
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
  result.unconfined = result.exit_code == 127 && result.output == kUnconfined;
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::error_code failed;
  std::string name = std::filesystem::temp_directory_path(failed).string();
  if (failed) name = "/tmp";
  constexpr std::string_view kMark = "axmul-";
  remove_left_overs(name, kMark);
  name += "/" + std::string(kMark) + process_tag() + "-XXXXXX";
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
