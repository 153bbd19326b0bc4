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
  const bool column =
      content.size() >= 2 * kLutSize && (extension == ".csv" || extension == ".tsv");
  return fields == 256 || (fields == 1 && column);
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
  const CsvMatrix matrix = parse_csv(input.content, input.path, {.max_values = 16 * kLutSize});
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
