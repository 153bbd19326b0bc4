// Tables: for terminals of any width, and as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"
#include "axmul/io/csv.hpp"
#include "command/output.hpp"
#include "command/terminal.hpp"

namespace axmul::cli {

namespace {

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::string> split_names(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (const std::string& text : texts)
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) names.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  return names;
}

/// The start of a text, whole characters, with "…" where it is longer than `width`.
std::string shortened(const std::string& text, std::size_t width) {
  if (display_width(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t columns = 0; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++columns == width) break;
  return text.substr(0, end) + "…";
}

/// Numbers before texts, rising; NaN last. Texts as people sort them.
bool cell_less(const Cell& x, const Cell& y) {
  if (x.number && y.number) {
    if (std::isnan(*x.number) || std::isnan(*y.number)) return !std::isnan(*x.number);
    return *x.number < *y.number;
  }
  if (x.number.has_value() != y.number.has_value()) return x.number.has_value();
  return natural_less(x.text, y.text);
}

bool is_undefined(const Cell& cell) { return cell.number && std::isnan(*cell.number); }

}  // namespace

Cell Cell::of(double value) { return of(value, short_number(value)); }

TextTable::TextTable(std::vector<std::string> header, std::string alignment)
    : keys_(header), alignment_(std::move(alignment)) {
  if (header.size() != alignment_.size()) throw InternalError("a table's alignment is off");
  rows_.emplace_back(header.begin(), header.end());
}

void TextTable::add(std::vector<Cell> cells) {
  if (cells.size() != alignment_.size()) throw InternalError("a table row's width is off");
  for (Cell& cell : cells) {
    cell.text = printable(cell.text);
    std::ranges::replace(cell.text, '\n', ' ');
  }
  rows_.push_back(std::move(cells));
}

void TextTable::row(std::vector<std::string> cells) { add({cells.begin(), cells.end()}); }

std::string TextTable::lines(const std::vector<std::size_t>& columns,
                             const std::vector<std::size_t>& width, bool color) const {
  std::string out;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (const std::size_t c : columns) {
      const std::string text = shortened(rows_[r][c].text, width[c]);
      const std::string padding(width[c] - display_width(text), ' ');
      if (!line.empty() || c != columns.front()) line += "  ";
      line += alignment_[c] == 'l' ? text + padding : padding + text;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += r == 0 && color ? "\033[1m" + line + "\033[0m\n" : line + "\n";
  }
  return out;
}

std::string TextTable::render(bool color, std::size_t terminal) const {
  std::vector<std::size_t> width(alignment_.size(), 0);
  for (const auto& row : rows_)
    for (std::size_t c = 0; c < row.size(); ++c)
      width[c] = std::max(width[c], display_width(row[c].text));
  // A column that is wider than the terminal is cut, as it would break every line.
  constexpr std::size_t kLeast = 10;
  for (std::size_t c = 1; terminal > 0 && c < width.size(); ++c)
    if (width[0] + 2 + width[c] > terminal)
      width[c] =
          std::min(width[c], terminal > width[0] + 2 + kLeast ? terminal - width[0] - 2 : kLeast);
  std::string out;
  for (std::size_t next = 0; next < width.size();) {
    std::vector<std::size_t> columns{std::size_t{0}, next};
    if (next == 0) columns.pop_back();
    std::size_t used = width[0];
    if (next > 0) used += 2 + width[next];
    ++next;
    while (next < width.size() && (terminal == 0 || used + 2 + width[next] <= terminal)) {
      used += 2 + width[next];
      columns.push_back(next++);
    }
    out += (out.empty() ? "" : "\n") + lines(columns, width, color);
  }
  return out;
}

std::string TextTable::csv() const {
  std::string out;
  for (const std::string& key : keys_) {
    if (&key != &keys_.front()) out += ',';
    append_field(out, key);
  }
  out += '\n';
  for (std::size_t r = 1; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      const Cell& cell = rows_[r][c];
      if (c > 0) out += ',';
      if (is_undefined(cell))
        out += "NaN";
      else if (cell.number)
        append_number(out, *cell.number);
      else
        append_field(out, cell.text);
    }
    out += '\n';
  }
  return out;
}

std::size_t TextTable::column(const std::string& option, const std::string& name) const {
  std::string names, best;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (std::size_t c = 0; c < keys_.size(); ++c) {
    if (keys_[c] == name || rows_.front()[c].text == name) return c;
    names += (names.empty() ? "" : ", ") + keys_[c];
    if (const std::size_t d = edit_distance(name, keys_[c]); d < distance) {
      distance = d;
      best = keys_[c];
    }
  }
  throw UsageError(1029, "--" + option + " \"" + name + "\" is no column of this table" +
                             (best.empty() ? "" : "; did you mean " + best + "?") + "; it has " +
                             names);
}

void TextTable::arrange(const Session& session) {
  if (const auto sort = session.args.text("sort")) {
    const bool falls = sort->starts_with('-');
    const std::size_t c = column("sort", falls ? sort->substr(1) : *sort);
    std::stable_sort(rows_.begin() + 1, rows_.end(), [&](const auto& x, const auto& y) {
      const bool is_last = is_undefined(x[c]) || is_undefined(y[c]);
      return falls && !is_last ? cell_less(y[c], x[c]) : cell_less(x[c], y[c]);
    });
  }
  // Where circuits are read --top may also name a module, which no number does.
  const std::string top = session.args.text_or("top", "");
  if (!top.empty() && top.find_first_not_of("0123456789") == std::string::npos) {
    const auto kept = static_cast<std::size_t>(*session.args.integer("top", 1, 1'000'000'000));
    if (rows_.size() > kept + 1)
      rows_.erase(rows_.begin() + 1 + static_cast<std::ptrdiff_t>(kept), rows_.end());
  }
  const std::vector<std::string> wanted = split_names(session.args.values("columns"));
  if (wanted.empty()) return;
  std::vector<std::size_t> chosen;
  for (const std::string& name : wanted) {
    const std::size_t c = column("columns", name);
    if (std::ranges::find(chosen, c) == chosen.end()) chosen.push_back(c);
  }
  // What heads the rows stays, wherever it is named.
  if (std::ranges::find(chosen, std::size_t{0}) == chosen.end()) chosen.insert(chosen.begin(), 0);
  std::string alignment;
  std::vector<std::string> names;
  for (const std::size_t c : chosen) {
    alignment += alignment_[c];
    names.push_back(keys_[c]);
  }
  for (auto& row : rows_) {
    std::vector<Cell> kept;
    for (const std::size_t c : chosen) kept.push_back(std::move(row[c]));
    row = std::move(kept);
  }
  alignment_ = std::move(alignment);
  keys_ = std::move(names);
}

std::vector<OptionSpec> table_option_specs() {
  return {{"sort", "COLUMN", "Sort the rows by that column; -COLUMN sorts them falling."},
          {"columns", "NAMES", "Show only these columns, comma-separated.", "", true},
          {"top", "N", "Show only the first N rows."}};
}

std::string table_text(const Session& session, const OutputTarget& target, TextTable table) {
  table.arrange(session);
  if (target.format == "csv") return table.csv();
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  return table.render(color, target.is_stdout() ? terminal_columns() : 0);
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace axmul::cli
