// A rehearsal of reading in a child process, because the HDF5 library may crash on a damaged file.
//
// Version 1.10 copies heap objects by sizes that the file states (H5HG_read), so a damaged file can
// end the process or loop for ever. The child visits every object, attribute and text, and the ends
// of every array; the parent learns only whether it came back.
#include "io/h5_probe.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/io/h5.hpp"
#include "io/h5_call.hpp"

namespace axmul::h5::detail {

namespace {

constexpr int kDepth = 8;               // of groups within groups
constexpr std::size_t kMembers = 4096;  // looked at per group
constexpr rlim_t kCpuSeconds = 5;
constexpr unsigned kWallSeconds = 60;

// Any axmul error is fine here: the parent will meet it again and report it.
template <class F>
void ignoring_errors(F&& f) {
  try {
    f();
  } catch (const Error&) {
  }
}

void visit_attributes(const File& file, const std::string& object) {
  ignoring_errors([&] {
    for (const std::string& name : file.attributes(object)) {
      ignoring_errors([&] { file.attribute_text(object, name); });
      ignoring_errors([&] { file.attribute_doubles(object, name); });
    }
  });
}

void visit_dataset(const File& file, const std::string& path) {
  const Dataset dataset = file.dataset(path);
  if (dataset.type() == Type::text) {
    dataset.read_text();
    return;
  }
  if (dataset.size() == 0) return;
  const Shape& shape = dataset.shape();
  const Shape one(shape.size(), 1), first(shape.size(), 0);
  Shape last = shape;
  for (std::uint64_t& extent : last) --extent;
  double value = 0;
  std::int64_t integer = 0;
  for (const Shape& at : {first, last}) {
    ignoring_errors([&] { dataset.read<double>(at, one, std::span(&value, 1)); });
    ignoring_errors([&] { dataset.read<std::int64_t>(at, one, std::span(&integer, 1)); });
  }
}

void visit_group(const File& file, const std::string& group, int depth) {
  visit_attributes(file, group);
  const std::vector<Entry> entries = file.list(group);
  for (std::size_t i = 0; i < std::min(entries.size(), kMembers); ++i) {
    const std::string path = (group == "/" ? "" : group) + "/" + entries[i].name;
    if (entries[i].kind == Kind::group && depth > 0)
      ignoring_errors([&] { visit_group(file, path, depth - 1); });
    if (entries[i].kind != Kind::dataset) continue;
    visit_attributes(file, path);
    ignoring_errors([&] { visit_dataset(file, path); });
  }
}

std::size_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

// Memory that reading the structure of a file of that size may take.
std::size_t fair_memory(std::size_t file_bytes) {
  return (std::size_t{256} << 20) + 16 * file_bytes;
}

enum Outcome { kFine = 0, kFails = 1, kGreedy = 2 };

Outcome visit_file(const std::string& path) {
  const std::size_t before = peak_bytes();
  const bool others_open = H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE) > 0;
  Limits limits;
  limits.probe = false;
  try {
    File file = File::open(path, limits);
    visit_group(file, "/", kDepth);
    file.close();
  } catch (const Error&) {
    // The parent will meet it again and report it.
  } catch (...) {
    return kFails;  // memory
  }
  // Says so on the error stream when what the file left behind cannot be closed. The parent's own
  // files must not be: they are half written.
  if (!others_open) {
    H5Eset_auto2(H5E_DEFAULT, reinterpret_cast<H5E_auto2_t>(H5Eprint2), nullptr);
    H5close();
  }
  struct stat status {};
  stat(path.c_str(), &status);
  const bool fair = peak_bytes() - before <= fair_memory(static_cast<std::size_t>(status.st_size));
  return fair ? kFine : kGreedy;
}

// The child: limited, without any handler or exit code of the program around it, and silent but for
// `words`, where the HDF5 library's complaints go.
[[noreturn]] void rehearse(const std::string& path, int words) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU, SIGINT})
    std::signal(signal, SIG_DFL);
  dup2(words, STDOUT_FILENO);
  dup2(words, STDERR_FILENO);
  const rlimit cpu{kCpuSeconds, kCpuSeconds}, no_core{0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(kWallSeconds);
  // The lock belongs to a thread id of the parent; here there is no other thread.
  new (&hdf5_lock()) std::recursive_mutex;
  _exit(visit_file(path));
}

// Whether the child said anything; returns when its end of the pipe is closed.
bool says_something(int pipe_end) {
  char bytes[256];
  bool any = false;
  for (;;) {
    const ssize_t got = read(pipe_end, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return any;
    any = true;
  }
}

std::mutex unrehearsed_lock;
std::vector<std::string> unrehearsed;

/// What a file was when it passed.
struct Passed {
  off_t size = 0;
  timespec time{};
  bool is(const struct stat& s) const {
    return size == s.st_size && time.tv_sec == s.st_mtim.tv_sec &&
           time.tv_nsec == s.st_mtim.tv_nsec;
  }
};

}  // namespace

void note_unrehearsed(const std::string& path) {
  constexpr std::size_t kMost = 1000;
  const std::lock_guard lock(unrehearsed_lock);
  if (unrehearsed.size() < kMost && std::ranges::count(unrehearsed, path) == 0)
    unrehearsed.push_back(path);
}

std::vector<std::string> take_unrehearsed() {
  const std::lock_guard lock(unrehearsed_lock);
  return std::exchange(unrehearsed, {});
}

void probe_file(const std::string& path) {
  constexpr std::size_t kMost = 100'000;
  static std::map<std::pair<dev_t, ino_t>, Passed> passed;  // under the HDF5 lock, as all here
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return;  // File::open says what is wrong
  const std::pair file(status.st_dev, status.st_ino);
  if (const auto at = passed.find(file); at != passed.end() && at->second.is(status)) return;
  int words[2];
  if (pipe2(words, O_CLOEXEC) != 0) return note_unrehearsed(path);
  const pid_t child = fork();
  if (child == 0) rehearse(path, words[1]);
  close(words[1]);
  const bool complained = child > 0 && says_something(words[0]);
  close(words[0]);
  if (child < 0) return note_unrehearsed(path);  // no process to spare: read it as it is
  int result = 0;
  while (waitpid(child, &result, 0) < 0) {
    if (errno == EINTR) continue;
    return;  // somebody else reaped it
  }
  if (WIFEXITED(result) && WEXITSTATUS(result) == kGreedy)
    throw InputError(150, Place{path},
                     "is damaged: it claims far more memory than it has contents");
  if (complained || !WIFEXITED(result) || WEXITSTATUS(result) != kFine)
    throw InputError(150, Place{path},
                     "is damaged: the HDF5 library fails on it (tried in a separate process)");
  if (passed.size() >= kMost) passed.clear();
  passed[file] = {status.st_size, status.st_mtim};
}

}  // namespace axmul::h5::detail
