// Reading a text file whole.
#include "netlist/source.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace axmul::detail {

std::string read_source(const std::string& path, std::size_t max_bytes) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) fail(200, path, 0, std::string("cannot read: ") + std::strerror(errno));
  struct stat status {};
  if (fstat(fileno(file.get()), &status) != 0 || S_ISDIR(status.st_mode))
    fail(200, path, 0, "cannot read: not a file");
  std::string text;
  if (status.st_size > 0) text.reserve(static_cast<std::size_t>(status.st_size) + 1);
  char buffer[1 << 14];
  for (;;) {
    const std::size_t count = std::fread(buffer, 1, sizeof buffer, file.get());
    text.append(buffer, count);
    if (text.size() > max_bytes)
      fail(210, path, 0, "larger than " + std::to_string(max_bytes) + " bytes");
    if (count < sizeof buffer) break;
  }
  if (std::ferror(file.get()) != 0) fail(200, path, 0, "cannot read: input error");
  return text;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string result = "\"";
  for (const char c : text.substr(0, kLongest))
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return result + (text.size() > kLongest ? "…\"" : "\"");
}

}  // namespace axmul::detail
