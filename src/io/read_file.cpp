// Reads whole files through the system calls, so that the system's reason reaches the message.
#include "axmul/io/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "axmul/core/errors.hpp"
#include "axmul/io/near_file.hpp"

namespace axmul {

namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  if (error == EISDIR) throw InputError(102, Place{path}, "is a folder, a file is needed");
  const std::string hint = error == ENOENT ? near_file_hint(path) : "";
  throw InputError(100, Place{path},
                   "cannot be read: " + std::generic_category().message(error) + hint);
}

/// Reads until the end; never allocates much more than what arrived (the size a file claims may
/// lie).
std::string read_all(int fd, const std::string& path, std::size_t limit) {
  std::string bytes;
  std::size_t used = 0;
  struct stat info {};
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
    bytes.resize(std::min(static_cast<std::size_t>(info.st_size), limit) + 1);
  for (;;) {
    if (used == bytes.size()) bytes.resize(std::max<std::size_t>(65536, 2 * bytes.size()));
    const ssize_t got = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > limit)
      throw InputError(101, Place{path},
                       "is larger than " + std::to_string(limit) +
                           " bytes, the limit for this "
                           "kind of input");
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path, errno);
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  return read_all(fd, path, limit);
}

std::string read_standard_input(std::size_t limit) {
  return read_all(STDIN_FILENO, "<stdin>", limit);
}

}  // namespace axmul
