// Asks the environment, then the terminal.
#include "command/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace axmul::cli {

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t shown_width(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += !is_continuation(c);
  return count;
}

/// Where the last run of two spaces or more within the line ends: the start of its text column.
std::size_t hanging_indent(const std::string& line) {
  const std::size_t start = line.find_first_not_of(' ');
  if (start == std::string::npos) return 0;
  const std::size_t gap = line.find("  ", start);
  if (gap == std::string::npos) return start;
  const std::size_t after = line.find_first_not_of(' ', gap);
  return after == std::string::npos ? start : shown_width(line.substr(0, after));
}

std::string fitted_line(const std::string& line, std::size_t width) {
  if (shown_width(line) <= width) return line;
  std::size_t indent = hanging_indent(line);
  if (indent > width * 6 / 10) indent = 4;
  std::string out;
  std::string rest = line;
  for (bool first = true; shown_width(rest) > (first ? width : width - indent); first = false) {
    const std::size_t room = first ? width : width - indent;
    std::size_t at = 0, columns = 0, space = std::string::npos;
    const std::size_t lead = first ? rest.find_first_not_of(' ') : 0;
    for (; at < rest.size() && columns <= room; ++at) {
      if (rest[at] == ' ' && at > lead) space = at;
      if (!is_continuation(rest[at])) ++columns;
    }
    if (space == std::string::npos) {
      space = rest.find(' ', at);
      if (space == std::string::npos) break;
    }
    std::string part = rest.substr(0, space);
    part.erase(part.find_last_not_of(' ') + 1);
    out += (first ? "" : std::string(indent, ' ')) + part + "\n";
    rest.erase(0, rest.find_first_not_of(' ', space));
  }
  const bool is_first = out.empty();
  return out + (is_first ? "" : std::string(indent, ' ')) + rest;
}

}  // namespace

std::size_t terminal_columns() {
  if (const char* text = std::getenv("COLUMNS")) {
    const std::string_view columns(text);
    std::size_t number = 0;
    const auto result = std::from_chars(columns.data(), columns.data() + columns.size(), number);
    if (result.ec == std::errc() && result.ptr == columns.data() + columns.size() && number >= 20)
      return number;
  }
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col >= 20)
    return size.ws_col;
  return 0;
}

std::string fitted_lines(const std::string& text, std::size_t width) {
  if (width == 0) return text;
  std::istringstream lines(text);
  std::string out, line;
  while (std::getline(lines, line)) out += fitted_line(line, width) + "\n";
  return out;
}

}  // namespace axmul::cli
