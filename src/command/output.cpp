// Output targets, tables for people, progress.
#include "command/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"

namespace axmul::cli {

namespace {

const OptionSpec* find_option(const CommandSpec& command, std::string_view name) {
  for (const OptionSpec& spec : command.options)
    if (spec.name == name) return &spec;
  return nullptr;
}

}  // namespace

OutputTarget output_target(const Session& session) {
  OutputTarget target;
  target.path = session.args.text_or("output", "-");
  const OptionSpec* format = find_option(session.command, "format");
  if (format == nullptr) throw InternalError("the command has no --format");
  target.format = format->choices.front();
  std::string extension = std::filesystem::path(target.path).extension().string();
  if (!extension.empty()) extension.erase(0, 1);
  if (extension == "hdf5") extension = "h5";
  if (std::ranges::find(format->choices, extension) != format->choices.end())
    target.format = extension;
  const auto chosen = session.args.text("format");
  if (chosen) target.format = *chosen;
  const bool known = std::ranges::find(format->choices, extension) != format->choices.end() ||
                     (extension == "txt" && target.format == "table");
  if (!chosen && !known && !extension.empty() && !target.path.starts_with("/dev/")) {
    std::string list;
    for (const std::string& choice : format->choices) list += (list.empty() ? "" : ", ") + choice;
    throw UsageError(1007, "the extension of " + target.path +
                               " is none of this command's formats (" + list +
                               "); say which with --format");
  }
  if (target.format == "h5" && target.is_stdout())
    throw UsageError(1004, "HDF5 cannot go to standard output; name a file with --output FILE.h5");
  return target;
}

void write_output(Session& session, const OutputTarget& target, const std::string& text) {
  if (target.is_stdout()) {
    session.io.out << text;
    return;
  }
  write_file(target.path, text, session.args.has("force"));
  if (!session.quiet) session.io.err << "wrote " << target.path << '\n';
}

namespace {

/// "file(dir/x.csv)" as "file(x.csv)": arguments of a distribution without their folders.
std::string without_folders(std::string text) {
  for (const char* word : {"file(", "trace(", "joint("})
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      const std::size_t start = at + std::string_view(word).size();
      const std::size_t end = std::min(text.find_first_of(",)", start), text.size());
      const std::size_t slash = text.substr(0, end).rfind('/');
      if (slash != std::string::npos && slash >= start) text.erase(start, slash + 1 - start);
    }
  return text;
}

}  // namespace

std::string reproducible_command(const Session& session) {
  std::string text = session.command.name;
  for (const OptionSpec& spec : session.command.options) {
    const bool is_path = spec.value == "FILE" || spec.value == "LIBRARY" || spec.value == "DIR";
    if (is_path || spec.name == "force") continue;
    for (const std::string& value : session.args.values(spec.name))
      text += " --" + spec.name + (spec.value.empty() ? "" : " " + without_folders(value));
  }
  return text;
}

bool use_color(const Session& session, bool stream_is_tty) {
  const std::string when = session.args.text_or("color", "auto");
  if (when != "auto") return when == "always";
  const char* no_color = std::getenv("NO_COLOR");
  return stream_is_tty && (no_color == nullptr || *no_color == '\0');
}

void warn(Session& session, const std::string& text) {
  const bool color = use_color(session, session.io.err_is_tty);
  session.io.err << (color ? "\033[33mwarning:\033[0m " : "warning: ") << text << '\n';
}

namespace {

// Bytes of the UTF-8 character at `at`, 0 where there is none: no overlong forms, no surrogates.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
    return 0;
  return length;
}

}  // namespace

std::string printable(std::string text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    const bool control =
        length == 1
            ? (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f
            : first == 0xc2 && length == 2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;
    if (length == 0 || control) {
      for (std::size_t i = 0; i < std::max<std::size_t>(1, length); ++i) text[at + i] = '?';
    }
    at += std::max<std::size_t>(1, length);
  }
  return text;
}

std::string short_number(double value) {
  if (std::isnan(value)) return "–";
  if (value == 0) return "0";
  // One form per figure: 14850, not 1.485e+04.
  if (std::abs(value) >= 1e4 && std::abs(value) < 1e9) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string percent(double fraction) {
  if (std::isnan(fraction)) return "–";
  return fmt::format("{:.4g} %", 100 * fraction);
}

std::string fixed(double value, int digits, std::string_view nan) {
  return std::isnan(value) ? std::string(nan) : fmt::format("{:.{}f}", value, digits);
}

std::string first_few(const std::vector<std::string>& names, std::size_t most) {
  const std::size_t shown = names.size() <= most + 1 ? names.size() : most;
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return shown < names.size() ? text + fmt::format(" and {} more", names.size() - shown) : text;
}

ProgressBar::ProgressBar(Session& session, std::string label)
    : session_(session), label_(std::move(label)), start_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (drawn_) session_.io.err << "\r\033[K" << std::flush;
}

Progress ProgressBar::callback() {
  if (!session_.io.err_is_tty || session_.quiet) return {};
  return [this](std::size_t done, std::size_t total) { draw(done, total); };
}

void ProgressBar::draw(std::size_t done, std::size_t total) {
  const auto now = std::chrono::steady_clock::now();
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  if (elapsed < 1 || (drawn_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  drawn_ = true;
  std::string line = fmt::format("\r\033[K{} {}", label_, done);
  if (total > 0) {
    constexpr std::size_t kCells = 24;
    const std::size_t full = kCells * std::min(done, total) / total;
    std::string bar;
    for (std::size_t i = 0; i < kCells; ++i) bar += i < full ? "█" : "░";
    line = fmt::format("\r\033[K{} {} {}/{}", label_, bar, done, total);
    if (done > 0 && done < total)
      line += fmt::format("  {:.0f} s left",
                          elapsed * static_cast<double>(total - done) / static_cast<double>(done));
  }
  session_.io.err << line << std::flush;
}

}  // namespace axmul::cli
