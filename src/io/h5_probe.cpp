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
#include <array>
#include <cerrno>
#include <csignal>
#include <new>

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

// The child: silent, limited, and without any handler or exit code of the program around it.
[[noreturn]] void rehearse(const std::string& path) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU, SIGINT})
    std::signal(signal, SIG_DFL);
  const int null = open("/dev/null", O_WRONLY);
  if (null >= 0) {
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
  const rlimit cpu{kCpuSeconds, kCpuSeconds}, no_core{0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(kWallSeconds);
  // The lock belongs to a thread id of the parent; here there is no other thread.
  new (&hdf5_lock()) std::recursive_mutex;
  int result = 0;
  try {
    Limits limits;
    limits.probe = false;
    ignoring_errors([&] { visit_group(File::open(path, limits), "/", kDepth); });
  } catch (...) {
    result = 1;  // e.g. memory
  }
  _exit(result);
}

struct Passed {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec time{};
  bool is(const struct stat& s) const {
    return device == s.st_dev && inode == s.st_ino && size == s.st_size &&
           time.tv_sec == s.st_mtim.tv_sec && time.tv_nsec == s.st_mtim.tv_nsec;
  }
};

}  // namespace

void probe_file(const std::string& path) {
  static std::array<Passed, 64> passed;  // under the HDF5 lock, as everything here
  static std::size_t next = 0;
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return;  // File::open says what is wrong
  if (std::ranges::any_of(passed, [&](const Passed& p) { return p.is(status); })) return;
  const pid_t child = fork();
  if (child < 0) return;  // no process to spare: read it as it is
  if (child == 0) rehearse(path);
  int result = 0;
  while (waitpid(child, &result, 0) < 0) {
    if (errno == EINTR) continue;
    return;  // somebody else reaped it
  }
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0)
    throw InputError(150, Place{path},
                     "is damaged: the HDF5 library fails on it (tried in a separate process)");
  passed[next++ % passed.size()] = {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

}  // namespace axmul::h5::detail
