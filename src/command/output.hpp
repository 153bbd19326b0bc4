// Where a command's result goes: standard output or an atomically written file, as table, JSON or
// CSV.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/parallel.hpp"
#include "command/command.hpp"

namespace axmul::cli {

struct OutputTarget {
  std::string path = "-";
  std::string format;  ///< one of the command's --format choices
  bool is_stdout() const { return path == "-"; }
};

/// Format by --format, else by the extension of --output where it names one of the command's
/// formats, else the first. UsageError where "h5" would go to standard output.
OutputTarget output_target(const Session& session);

/// Writes text to the target; files appear whole or not at all. OutputError when that fails.
void write_output(Session& session, const OutputTarget& target, const std::string& text);

/// Subcommand and options without paths: the history of reproducible files.
std::string reproducible_command(const Session& session);

/// True when colours are wanted on that stream.
bool use_color(const Session& session, bool stream_is_tty);

/// "warning: …" on the error stream.
void warn(Session& session, const std::string& text);

/// Control characters and bytes that are no UTF-8 become "?", so that a name in a message cannot
/// steer the terminal.
std::string printable(std::string text);

/// A table for people: left- or right-aligned columns, one header line, UTF-8 aware.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header,
                     std::string alignment);  ///< "lrr": one per column
  void row(std::vector<std::string> cells);
  std::string render(bool color) const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::string alignment_;
};

/// Four significant digits, "–" for NaN: for tables only, never for files.
std::string short_number(double value);
/// "12.3 %" from a fraction.
std::string percent(double fraction);
/// So many digits after the point; NaN as `nan` (files write "NaN").
std::string fixed(double value, int digits, std::string_view nan = "–");
/// "a, b, c and 14 more": the first `most` of a list, all of it where that leaves one out only.
std::string first_few(const std::vector<std::string>& names, std::size_t most = 3);

/// A progress bar on the error stream: only on a tty, only after a second, never with --quiet.
class ProgressBar {
 public:
  ProgressBar(Session& session, std::string label);
  ~ProgressBar();
  Progress callback();

 private:
  void draw(std::size_t done, std::size_t total);
  Session& session_;
  std::string label_;
  std::chrono::steady_clock::time_point start_, last_{};
  bool drawn_ = false;
};

}  // namespace axmul::cli
