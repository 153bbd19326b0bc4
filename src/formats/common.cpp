// What the text formats share: remarks, fields, numbers, the statement line.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::string_view kStatement = "axmul-table:";
constexpr std::string_view kSeparators = " \t\r\f\v,;";

std::string_view skip_separators(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kSeparators);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::string_view field = next_field(line); !field.empty(); field = next_field(line))
    fields.push_back(field);
  return fields;
}

bool starts_number(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

void take_statement(Statement& statement, std::string_view key, std::string_view value,
                    const Place& place) {
  bool known = true;
  if (key == "type") {
    const auto type = parse_sized_type(value);
    known = type && type->has_table();
    if (known) {
      statement.type = type->kind;
      if (!type->is_8x8()) statement.bits = type->bits;
    }
  } else if (key == "order") {
    known = value == "ab" || value == "ba";
    statement.order = value == "ba" ? OperandOrder::ba : OperandOrder::ab;
  } else if (key == "index") {
    known = value == "value" || value == "bits";
    statement.index = value == "bits" ? OperandIndex::bits : OperandIndex::value;
  }
  if (!known)
    throw InputError(314, place,
                     "the file's own statement has " + std::string(key) + " = " + quoted(value) +
                         ", which is not known (type: u8u8, s8s8, "
                         "u8s8; order: ab, ba; index: value, bits)");
}

}  // namespace

std::string lower_extension(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const std::size_t dot = path.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string extension(path.substr(dot));
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension;
}

bool looks_like_text(std::string_view content) {
  return std::ranges::none_of(content.substr(0, 4096), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v') || u == 127;
  });
}

Statement parse_statement(const Input& input) {
  Statement statement;
  const std::string_view head = input.content.substr(0, 4096);
  const std::size_t at = head.find(kStatement);
  if (at == std::string_view::npos) return statement;
  const Place place{input.path,
                    1 + static_cast<std::size_t>(std::ranges::count(head.substr(0, at), '\n'))};
  std::string_view line = head.substr(at + kStatement.size());
  line = line.substr(0, line.find('\n'));
  for (std::string_view field = next_field(line); !field.empty(); field = next_field(line)) {
    const std::size_t equals = field.find('=');
    if (equals != std::string_view::npos)
      take_statement(statement, field.substr(0, equals), field.substr(equals + 1), place);
  }
  return statement;
}

std::string_view first_operand(OperandOrder order) { return order == OperandOrder::ab ? "a" : "b"; }
std::string_view second_operand(OperandOrder order) {
  return order == OperandOrder::ab ? "b" : "a";
}

std::vector<std::string> comment_lines(const Output& output) {
  const bool bits = output.index == OperandIndex::bits;
  const bool ab = output.order == OperandOrder::ab;
  const SizedType type(output.type, ab ? output.bits : OperandWidths{output.bits.b, output.bits.a});
  return {std::string(kStatement) + " type=" + to_string(type) + " order=" + (ab ? "ab" : "ba") +
              " index=" + (bits ? "bits" : "value"),
          "name: " + output.name, "sha256: " + output.sha256,
          "first index: " + std::string(first_operand(output.order)) +
              ", second index: " + std::string(second_operand(output.order)) +
              ", both in order of " + (bits ? "two's-complement byte" : "ascending value")};
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, 40)) {
    const auto u = static_cast<unsigned char>(c);
    result += u < 32 || u >= 127 ? '?' : c;
  }
  return result + (text.size() > 40 ? "...\"" : "\"");
}

void refuse_product(std::int64_t value, const Place& place, const std::string& where) {
  throw InputError(321, place,
                   where + ": product " + std::to_string(value) +
                       " reaches 2^24; an 8x8-bit product is far smaller: check the element type "
                       "and byte order");
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, whole);
      error == std::errc() && at == end)
    return whole;
  double real = 0;
  const auto [at, error] = std::from_chars(text.data(), end, real);
  if (error != std::errc() || at != end || !(std::abs(real) < 0x1p53) || real != std::trunc(real))
    return std::nullopt;
  return static_cast<std::int64_t>(real);
}

bool is_remark(std::string_view line) {
  line = skip_separators(line);
  return line.starts_with('#') || line.starts_with("//") || line.starts_with('%') ||
         line.starts_with("INFO");
}

std::string_view next_field(std::string_view& line) {
  line = skip_separators(line);
  const std::string_view field = line.substr(0, line.find_first_of(kSeparators));
  line.remove_prefix(field.size());
  return field;
}

std::vector<std::string_view> first_numeric_line(std::string_view content) {
  for (int i = 0; i < 1000 && !content.empty(); ++i) {
    const std::string_view line = content.substr(0, content.find('\n'));
    if (starts_number(skip_separators(line))) return split_fields(line.substr(0, line.find('#')));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
  }
  return {};
}

int operand_value(int index, bool is_signed, OperandIndex convention, int bits) {
  if (!is_signed) return index;
  const int half = 1 << (bits - 1);
  return convention == OperandIndex::value ? index - half : index < half ? index : index - 2 * half;
}

std::optional<OperandWidths> bits_of_shape(std::size_t rows, std::size_t cols) {
  for (const std::size_t count : {rows, cols})
    if (count < 2 || count > 256 || !std::has_single_bit(count)) return std::nullopt;
  return OperandWidths{std::countr_zero(rows), std::countr_zero(cols)};
}

}  // namespace axmul::detail
