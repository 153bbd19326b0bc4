// Where a command's result goes: standard output or an atomically written file, as table, JSON or
// CSV.
#pragma once

#include <chrono>
#include <optional>
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

/// What a table shows in one place, and the number behind it where there is one.
struct Cell {
  std::string text;
  std::optional<double> number{};
  Cell(std::string shown) : text(std::move(shown)) {}  // NOLINT: a text is a cell
  Cell(const char* shown) : text(shown) {}             // NOLINT
  /// Shown as short_number().
  static Cell of(double value);
  static Cell of(double value, std::string shown) {
    Cell cell(std::move(shown));
    cell.number = value;
    return cell;
  }
};

/// A table for people: left- or right-aligned columns, one header line, UTF-8 aware.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header,
                     std::string alignment);  ///< "lrr": one per column
  /// Names of the columns for --sort, --columns and CSV, where they are not those of the header.
  void keys(std::vector<std::string> names) { keys_ = std::move(names); }
  void row(std::vector<std::string> cells);
  void add(std::vector<Cell> cells);
  /// width: of the terminal; columns that it has no room for follow below, the first one repeated.
  /// 0: all in one line.
  std::string render(bool color, std::size_t width = 0) const;
  /// Numbers whole, "NaN" where there is none; header first.
  std::string csv() const;
  /// As --sort, --columns and --top ask. UsageError AX1029 for a column that there is not.
  void arrange(const Session& session);

 private:
  std::size_t column(const std::string& option, const std::string& name) const;
  std::string lines(const std::vector<std::size_t>& columns, const std::vector<std::size_t>& width,
                    bool color) const;
  std::vector<std::vector<Cell>> rows_;  ///< first the header
  std::vector<std::string> keys_;
  std::string alignment_;
};

/// --sort, --columns, --top.
std::vector<OptionSpec> table_option_specs();
/// The table arranged, as text for the target (fitted to a terminal) or as CSV.
std::string table_text(const Session& session, const OutputTarget& target, TextTable table);
/// "1 design", "2 designs".
std::string counted(std::size_t count, const std::string& noun);

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
