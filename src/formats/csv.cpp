// CSV matrix: 256 rows of 256 products.
#include "axmul/io/csv.hpp"

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

bool sniff(std::string_view content, std::string_view extension) {
  if (!looks_like_text(content)) return false;
  const std::size_t fields = first_numeric_line(content).size();
  // "//" starts remarks of listings, not of CSV.
  const bool column = content.size() >= 2 * kLutSize && !content.starts_with("//") &&
                      (extension == ".csv" || extension == ".tsv");
  // 257: rows with labels of their own, as pandas writes an index.
  return fields == 256 || fields == 257 || (fields == 1 && column);
}

/// The text with a first line that starts with an empty field or a word, as an index's header does,
/// starting with 0 instead: so that it is a matrix of numbers with labels.
std::string with_numeric_corner(std::string_view content) {
  std::string text(content);
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < text.size() && (text[at] == '#' || text[at] == '\n' || text[at] == '\r'))
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  const std::size_t end = std::min(text.find('\n', at), text.size());
  std::size_t stop = at;
  while (stop < end && text[stop] != ',' && text[stop] != ';' && text[stop] != '\t') ++stop;
  if (stop == end) return text;
  const std::string_view corner = std::string_view(text).substr(at, stop - at);
  const bool is_number = corner.find_first_of("0123456789") != std::string_view::npos &&
                         corner.find_first_not_of("+-.0123456789eE\" ") == std::string_view::npos;
  if (is_number) return text;
  // Its other fields must be numbers, else it is a header of words, which has no labels.
  std::string_view rest = std::string_view(text).substr(stop, end - stop);
  const std::string_view second = next_field(rest);
  const bool labels =
      !second.empty() && second.find_first_not_of("+-.0123456789\"") == std::string_view::npos;
  if (labels) text.replace(at, stop - at, "0");
  return text;
}

/// Operand values that stand before or above the products: where each belongs; nothing where they
/// are no 256 consecutive values from 0 or -128.
std::optional<bool> labels_signed(const std::vector<double>& labels) {
  for (const int least : {0, -128}) {
    std::vector<char> seen(256, 0);
    bool fits = labels.size() == 256;
    for (const double label : labels) {
      const double index = label - least;
      fits = fits && index >= 0 && index < 256 && index == std::trunc(index) &&
             seen[static_cast<std::size_t>(index)]++ == 0;
      if (!fits) break;
    }
    if (fits) return least != 0;
  }
  return std::nullopt;
}

struct Labels {
  std::vector<double> rows, columns;  // empty without
};

/// Takes labels off a matrix of 257 rows or columns.
Labels take_labels(CsvMatrix& matrix, const std::string& path) {
  const std::size_t rows = matrix.values.rows(), cols = matrix.values.cols();
  const bool above = rows == 257 && (cols == 256 || cols == 257);
  const bool before = cols == 257 && (rows == 256 || rows == 257);
  Labels labels;
  if (!above && !before) return labels;
  for (std::size_t col = before ? 1 : 0; above && col < cols; ++col)
    labels.columns.push_back(matrix.values(0, col));
  for (std::size_t row = above ? 1 : 0; before && row < rows; ++row)
    labels.rows.push_back(matrix.values(row, 0));
  const auto check = [&](const std::vector<double>& list, std::size_t line, const char* what) {
    if (!list.empty() && !labels_signed(list))
      throw InputError(320, Place{path, line},
                       std::to_string(rows) + " rows of " + std::to_string(cols) +
                           " columns: " + what +
                           " is to hold the operand's values, each of 0 … 255 or of -128 … 127 "
                           "once");
  };
  check(labels.columns, matrix.lines.front(), "the first row");
  check(labels.rows, matrix.lines[above ? 1 : 0], "the first column");
  Array2<double> products(256, 256);
  for (std::size_t row = 0; row < 256; ++row)
    for (std::size_t col = 0; col < 256; ++col)
      products(row, col) = matrix.values(row + (above ? 1 : 0), col + (before ? 1 : 0));
  matrix.values = std::move(products);
  if (above) matrix.lines.erase(matrix.lines.begin());
  return labels;
}

/// Puts rows or columns in the order of their labels.
void sort_by_labels(const Labels& labels, RawTable& raw) {
  const auto place = [](const std::vector<double>& list, std::size_t i) {
    if (list.empty()) return i;
    return static_cast<std::size_t>(list[i] + (*labels_signed(list) ? 128 : 0));
  };
  std::vector<std::int32_t> sorted(kLutSize);
  for (std::size_t row = 0; row < 256; ++row)
    for (std::size_t col = 0; col < 256; ++col)
      sorted[place(labels.rows, row) * 256 + place(labels.columns, col)] =
          raw.words[row * 256 + col];
  raw.words = std::move(sorted);
  if (!labels.rows.empty()) raw.first_signed = labels_signed(labels.rows);
  if (!labels.columns.empty()) raw.second_signed = labels_signed(labels.columns);
  // Labels of one operand say as much of the other: such tables are square.
  if (!raw.first_signed) raw.first_signed = raw.second_signed;
  if (!raw.second_signed) raw.second_signed = raw.first_signed;
}

/// The field as the file has it, for messages; "" where it stands in quotes or the like.
std::string_view field_text(std::string_view content, std::size_t line, std::size_t col) {
  for (std::size_t i = 1; i < line; ++i) content.remove_prefix(content.find('\n') + 1);
  content = content.substr(0, content.find_first_of("\r\n"));
  if (content.find('"') != std::string_view::npos) return {};
  const char separator = content.find(';') != std::string_view::npos   ? ';'
                         : content.find(',') != std::string_view::npos ? ','
                                                                       : '\0';
  const std::string_view stops = separator == ';' ? ";" : separator == ',' ? "," : " \t";
  for (;; --col) {
    if (separator == '\0')
      content.remove_prefix(std::min(content.find_first_not_of(stops), content.size()));
    const std::size_t end = std::min(content.find_first_of(stops), content.size());
    if (col == 0) {
      std::string_view field = content.substr(0, end);
      field.remove_prefix(std::min(field.find_first_not_of(" \t"), field.size()));
      return field.substr(0, field.find_last_not_of(" \t") + 1);
    }
    if (end == content.size()) return {};
    content.remove_prefix(end + 1);
  }
}

RawTable decode(const Input& input) {
  CsvMatrix matrix = parse_csv(with_numeric_corner(input.content), input.path,
                               {.allow_header = true, .max_values = 16 * kLutSize});
  const Labels labels = take_labels(matrix, input.path);
  const std::size_t rows = matrix.values.rows(), cols = matrix.values.cols();
  std::optional<OperandWidths> bits = bits_of_shape(rows, cols);
  if (cols == 1 && rows == input.words()) bits = input.bits_or_8x8();
  if (!bits)
    throw InputError(
        320, Place{input.path, matrix.lines.back()},
        "the file ends with " + std::to_string(rows) + " rows of " + std::to_string(cols) +
            " columns, a product matrix has 256 of 256, or 2^a of 2^b" +
            (cols == 3 ? " (three columns are triplets, which need all 65536 pairs)" : ""));
  RawTable raw;
  raw.statement = parse_statement(input);
  raw.bits = *bits;
  raw.words.reserve(rows * cols);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t col = 0; col < cols; ++col) {
      const double value = matrix.values(row, col);
      const bool good = std::abs(value) < kProductLimit && value == std::trunc(value);
      if (!good) {
        const Place place{input.path, matrix.lines[row]};
        std::string text = "column " + std::to_string(col + 1);
        if (value == std::trunc(value) && std::abs(value) < 0x1p53)
          refuse_product(static_cast<std::int64_t>(value), place, text);
        text += ": ";
        const std::string_view written = field_text(input.content, matrix.lines[row], col);
        if (written.empty())
          append_number(text, value);
        else
          text += written;
        throw InputError(321, place, text + " is not a whole number below 2^24, as products are");
      }
      raw.words.push_back(static_cast<std::int32_t>(value));
    }
  if (!labels.rows.empty() || !labels.columns.empty()) sort_by_labels(labels, raw);
  return raw;
}

std::string encode(const Output& output) {
  std::string text;
  for (const std::string& line : comment_lines(output)) text += "# " + line + '\n';
  const auto cols = static_cast<std::size_t>(output.cols());
  for (std::size_t i = 0; i < output.products.size(); ++i) {
    append_number(text, std::int64_t{output.products[i]});
    text += i % cols == cols - 1 ? '\n' : ',';
  }
  return text;
}

}  // namespace

FormatEntry csv_format() {
  return {
      .info = {.name = "csv",
               .extensions = {".csv", ".tsv"},
               .description = "text matrix of products",
               .layout = "256 rows (first operand) of 256 columns (second), separated by comma, "
                         "semicolon or white space",
               .order = OperandOrder::ab,
               .index = OperandIndex::value,
               .type = OperandType::u8u8,
               .text = true,
               .dtypes = {"int32"}},
      .sniff = sniff,
      .decode = decode,
      .encode = encode};
}

}  // namespace axmul::detail
