// Parses numeric text tables line by line; writes numbers with std::to_chars.
#include "axmul/io/csv.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"

namespace axmul {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

char separator_of(std::string_view row) {
  if (row.find(';') != std::string_view::npos) return ';';
  if (row.find(',') != std::string_view::npos) return ',';
  return ' ';
}

/// The next field of a row, which is shortened by it; nothing at the end.
std::optional<std::string_view> next_field(std::string_view& row, char separator) {
  row = separator == ' ' ? trim(row) : row;
  if (row.data() == nullptr || row.empty()) return std::nullopt;
  const std::size_t end = separator == ' ' ? row.find_first_of(" \t\r") : row.find(separator);
  std::string_view field = trim(row.substr(0, end));
  row = end == std::string_view::npos ? std::string_view() : row.substr(end + 1);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"')
    field = trim(field.substr(1, field.size() - 2));
  return field;
}

std::optional<double> to_number(std::string_view field) {
  if (field.size() > 1 && field.front() == '+' && field[1] != '-') field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  // Out of range is reported by from_chars: 1e999 is refused, as a number nobody meant.
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return value;
}

/// A field as it may stand in a message: short, and without control characters.
std::string shown(std::string_view field) {
  std::string text;
  for (const char c : field.substr(0, 40))
    text += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return '"' + text + (field.size() > 40 ? "…\"" : "\"");
}

class Parser {
 public:
  Parser(const std::string& name, const CsvOptions& options) : name_(name), options_(options) {}

  CsvMatrix parse(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    while (!text.empty()) {
      ++line_;
      const std::size_t end = text.find('\n');
      take_line(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    if (matrix_.lines.empty())
      throw InputError(113, Place{name_, line_}, "there is no row of numbers");
    matrix_.values = Array2<double>(matrix_.lines.size(), cols_);
    std::copy(values_.begin(), values_.end(), matrix_.values.flat().begin());
    return std::move(matrix_);
  }

 private:
  [[noreturn]] void fail(int id, const std::string& what) const {
    throw InputError(id, Place{name_, line_}, what);
  }

  void take_line(std::string_view line) {
    const std::size_t comment = line.find('#');
    if (comment != std::string_view::npos) {
      matrix_.comments.emplace_back(trim(line.substr(comment + 1)));
      line = line.substr(0, comment);
    }
    line = trim(line);
    if (line.empty()) return;
    if (separator_ == '\0') separator_ = separator_of(line);
    if (matrix_.lines.empty() && options_.allow_header && matrix_.header.empty() && is_words(line))
      take_header(line);
    else
      take_row(line);
  }

  /// A header is a line without a single number: one bad field among numbers is an error, not
  /// words.
  bool is_words(std::string_view line) const {
    const char separator = separator_;
    while (const auto field = next_field(line, separator))
      if (to_number(*field)) return false;
    return true;
  }

  void take_header(std::string_view line) {
    while (const auto field = next_field(line, separator_)) matrix_.header.emplace_back(*field);
    separator_ = '\0';  // the first row of numbers decides
  }

  void take_row(std::string_view line) {
    std::size_t cols = 0;
    while (const auto field = next_field(line, separator_)) {
      ++cols;
      const std::optional<double> value = to_number(*field);
      if (!value)
        fail(110, "column " + std::to_string(cols) + ": " +
                      (field->empty() ? "the field is empty" : shown(*field) + " is not a number"));
      if (!options_.allow_non_finite && !std::isfinite(*value))
        fail(112, "column " + std::to_string(cols) + ": " + shown(*field) +
                      " where a finite number is needed");
      if (values_.size() >= options_.max_values)
        fail(114, "more than " + std::to_string(options_.max_values) + " numbers");
      values_.push_back(*value);
    }
    if (matrix_.lines.empty()) cols_ = cols;
    if (cols != cols_)
      fail(111, "the row has " + std::to_string(cols) + " columns, the first one (line " +
                    std::to_string(matrix_.lines.front()) + ") has " + std::to_string(cols_));
    matrix_.lines.push_back(line_);
  }

  const std::string& name_;
  const CsvOptions& options_;
  CsvMatrix matrix_;
  std::vector<double> values_;
  std::size_t line_ = 0, cols_ = 0;
  char separator_ = '\0';
};

}  // namespace

CsvMatrix parse_csv(std::string_view text, const std::string& name, const CsvOptions& options) {
  return Parser(name, options).parse(text);
}

CsvMatrix read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv(read_file(path), path, options);
}

void append_number(std::string& text, double value) {
  if (std::isnan(value)) {
    text += "nan";  // to_chars may write "-nan"
    return;
  }
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  text.append(buffer, result.ptr);
}

void append_number(std::string& text, std::int64_t value) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  text.append(buffer, result.ptr);
}

void append_field(std::string& text, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    text += field;
    return;
  }
  text += '"';
  for (const char c : field) {
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
}

}  // namespace axmul
