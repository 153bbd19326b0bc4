// Temporaries of dead processes, told by the number in their names.
#include "io/left_over.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <system_error>

#include "axmul/core/sha256.hpp"

namespace axmul::detail {

namespace {

namespace fs = std::filesystem;

/// Which processes a process number is about: empty where the system does not say.
const std::string& scope() {
  static const std::string kScope = [] {
    std::string boot;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
    struct stat processes {};
    if (boot.empty() || ::stat("/proc/self/ns/pid", &processes) != 0) return std::string();
    const std::string text = boot + " " + std::to_string(processes.st_ino);
    Sha256 hash;
    hash.update(text);
    return hash.hex().substr(0, 8);
  }();
  return kScope;
}

/// Does a name go on, after the mark, with the tag of a process that has ended?
bool is_of_the_dead(std::string_view rest) {
  const std::string start = scope() + "-";
  if (!rest.starts_with(start)) return false;
  rest.remove_prefix(start.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), pid);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != '-' || pid <= 0)
    return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

bool is_own(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
         (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

bool is_first_look(const std::string& folder) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(folder).second;
}

}  // namespace

std::string process_tag() {
  return (scope().empty() ? "00000000" : scope()) + "-" + std::to_string(::getpid());
}

void remove_left_overs(const std::string& folder, std::string_view mark) {
  try {
    if (scope().empty() || !is_first_look(folder)) return;
    std::error_code error, ignored;
    fs::directory_iterator it(folder, error), end;
    for (; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      const std::size_t at = name.rfind(mark);
      if (at == std::string::npos ||
          !is_of_the_dead(std::string_view(name).substr(at + mark.size())))
        continue;
      if (is_own(it->path().string())) fs::remove_all(it->path(), ignored);
    }
  } catch (const std::exception&) {  // names or memory: what is left over stays
  }
}

}  // namespace axmul::detail
