// Triplets: one line "first second product" per operand pair, in any order.
#include <algorithm>
#include <array>
#include <bit>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

/// 00000001: a byte or product in binary, which the format listing reads.
bool is_binary_word(std::string_view field) {
  return field.size() >= 8 && field.find_first_not_of("01") == std::string_view::npos;
}

/// Do lines of three words near the start hold digits a … f? Then all are hexadecimal, also for
/// listing.
bool has_hex_digits(std::string_view content) {
  for (int i = 0; i < 600 && !content.empty(); ++i) {
    std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (is_remark(line)) continue;
    bool all_hex = true, any_letter = false;
    std::size_t count = 0;
    for (std::string_view field = next_field(line); !field.empty(); field = next_field(line)) {
      ++count;
      all_hex =
          all_hex && field.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
      any_letter = any_letter || field.find_first_of("abcdefABCDEF") != std::string_view::npos;
    }
    if (count == 3 && all_hex && any_letter && i > 0) return true;
  }
  return false;
}

bool sniff(std::string_view content, std::string_view) {
  // A whole table takes at least six bytes a line; shorter texts of three columns are something
  // else.
  if (content.size() < 6 * kLutSize || !looks_like_text(content)) return false;
  const std::vector<std::string_view> fields = first_numeric_line(content);
  return fields.size() == 3 &&
         std::ranges::all_of(fields,
                             [](std::string_view field) {
                               return parse_whole(field).has_value() && !is_binary_word(field);
                             }) &&
         !has_hex_digits(content);
}

struct Line {
  std::int32_t first, second, product;
  std::size_t number;
};

class Reader {
 public:
  explicit Reader(const Input& input) : input_(input) {}

  RawTable read() {
    std::string_view text = input_.content;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    lines_.reserve(kLutSize);
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n'));
      if (lines_.size() == kLutSize && is_title(line)) {
        note_ = "the table ends in line " + std::to_string(lines_.back().number) +
                "; what follows from line " + std::to_string(number) + " on is not read";
        break;
      }
      take(line, number);
      text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    RawTable raw;
    raw.note = note_;
    raw.statement = parse_statement(input_);
    if (is_named_ba_ && !raw.statement.order) raw.statement.order = OperandOrder::ba;
    raw.first_signed = column_signed(&Line::first, "first");
    raw.second_signed = column_signed(&Line::second, "second");
    raw.bits = bits_of_lines(raw);
    fill(raw);
    return raw;
  }

 private:
  [[noreturn]] void fail(int id, std::size_t line, const std::string& what) const {
    throw InputError(id, Place{input_.path, line}, what);
  }

  /// Words that start with no number: after a whole table another one begins.
  static bool is_title(std::string_view line) {
    if (is_remark(line)) return false;
    const std::string_view field = next_field(line);
    return !field.empty() && !is_digit(field);
  }

  void take(std::string_view text, std::size_t number) {
    if (is_remark(text)) return;
    text = text.substr(0, text.find('#'));
    const auto [fields, count] = split(text);
    if (count == 0) return;
    std::array<std::int64_t, 3> values{};
    for (std::size_t i = 0; i < std::min<std::size_t>(count, 3); ++i) {
      const std::optional<std::int64_t> value = parse_whole(fields[i]);
      if (!value) {
        // Words before the first pair are a simulator's chatter or a header; later they are errors.
        if (lines_.empty() && i == 0 && !is_digit(fields[0])) {
          is_named_ba_ = count == 3 && is_letter(fields[0], 'b') && is_letter(fields[1], 'a');
          return;
        }
        fail(322, number,
             "column " + std::to_string(i + 1) + ": " + quoted(fields[i]) +
                 " is not a whole number");
      }
      values[i] = *value;
    }
    if (count != 3)
      fail(320, number,
           "a triplet is \"first second product\", this line has " +
               std::string(count > 3 ? "more" : "fewer") + " fields");
    for (std::size_t i = 0; i < 2; ++i)
      if (values[i] < -128 || values[i] > 255)
        fail(324, number,
             "column " + std::to_string(i + 1) + ": operand " + std::to_string(values[i]) +
                 " is not an 8-bit value");
    if (lines_.size() == kLutSize)
      fail(323, number, "more than 65536 pairs; each pair is given once");
    if (!is_product(values[2])) refuse_product(values[2], {input_.path, number}, "column 3");
    lines_.push_back({static_cast<std::int32_t>(values[0]), static_cast<std::int32_t>(values[1]),
                      static_cast<std::int32_t>(values[2]), number});
  }

  struct Fields {
    std::array<std::string_view, 3> fields;
    std::size_t count = 0;  // of the whole line
  };

  static Fields split(std::string_view line) {
    Fields result;
    for (std::string_view field = next_field(line); !field.empty(); field = next_field(line))
      if (++result.count <= 3) result.fields[result.count - 1] = field;
    return result;
  }

  static bool is_letter(std::string_view field, char letter) {
    return field.size() == 1 && (field[0] | 0x20) == letter;
  }

  static bool is_digit(std::string_view field) {
    const char c = field.front();
    return (c >= '0' && c <= '9') || c == '-' || c == '+';
  }

  /// An operand column is signed when it holds a negative value; then nothing above 127 may occur.
  bool column_signed(std::int32_t Line::*column, const char* name) const {
    const auto negative =
        std::ranges::find_if(lines_, [&](const Line& line) { return line.*column < 0; });
    if (negative == lines_.end()) return false;
    for (const Line& line : lines_)
      if (line.*column > 127)
        fail(324, line.number,
             std::string("the ") + name + " operand is " + std::to_string(line.*column) +
                 " here and " + std::to_string((*negative).*column) + " in line " +
                 std::to_string(negative->number) + "; it is either 0 … 255 or -128 … 127");
    return true;
  }

  /// Bits of the least range that holds a column's operands.
  int bits_of_column(std::int32_t Line::*column, bool is_signed) const {
    int bits = 1;
    for (const Line& line : lines_) {
      const auto value = static_cast<unsigned>(line.*column < 0 ? ~(line.*column) : line.*column);
      bits = std::max(bits, static_cast<int>(std::bit_width(value)) + (is_signed ? 1 : 0));
    }
    return bits;
  }

  /// Fewer than 8x8 bits where the user or the name says so, or the lines are all pairs of such.
  OperandWidths bits_of_lines(const RawTable& raw) const {
    if (input_.bits) return *input_.bits;
    const OperandWidths bits{bits_of_column(&Line::first, *raw.first_signed),
                             bits_of_column(&Line::second, *raw.second_signed)};
    return lines_.size() == std::size_t{1} << (bits.a + bits.b) ? bits : OperandWidths{};
  }

  void fill(RawTable& raw) const {
    const std::int32_t rows = 1 << raw.bits.a, cols = 1 << raw.bits.b;
    const std::int32_t first_min = *raw.first_signed ? -rows / 2 : 0;
    const std::int32_t second_min = *raw.second_signed ? -cols / 2 : 0;
    const auto count = static_cast<std::size_t>(rows * cols);
    std::vector<std::size_t> seen(count, 0);
    raw.words.assign(count, 0);
    for (const Line& line : lines_) {
      if (line.first - first_min >= rows || line.second - second_min >= cols ||
          line.first < first_min || line.second < second_min)
        fail(324, line.number,
             "operands " + std::to_string(line.first) + ", " + std::to_string(line.second) +
                 " are none of " + std::to_string(raw.bits.a) + "x" + std::to_string(raw.bits.b) +
                 " bits");
      const auto at =
          static_cast<std::size_t>((line.first - first_min) * cols + line.second - second_min);
      if (seen[at] != 0)
        fail(323, line.number,
             "the pair " + std::to_string(line.first) + ", " + std::to_string(line.second) +
                 " was given in line " + std::to_string(seen[at]) + " already");
      seen[at] = line.number;
      raw.words[at] = line.product;
    }
    const auto missing = std::ranges::find(seen, std::size_t{0});
    if (missing != seen.end()) {
      const auto at = static_cast<std::int32_t>(missing - seen.begin());
      fail(325, lines_.empty() ? 0 : lines_.back().number,
           "the file ends with " + std::to_string(lines_.size()) + " of " + std::to_string(count) +
               " pairs; the pair " + std::to_string(at / cols + first_min) + ", " +
               std::to_string(at % cols + second_min) + " is missing");
    }
  }

  const Input& input_;
  std::vector<Line> lines_;
  std::string note_;
  bool is_named_ba_ = false;  // a title "b a product" before the first pair
};

RawTable decode(const Input& input) { return Reader(input).read(); }

std::string encode(const Output& output) {
  const bool ab = output.order == OperandOrder::ab;
  const bool first_signed = ab ? a_is_signed(output.type) : b_is_signed(output.type);
  const bool second_signed = ab ? b_is_signed(output.type) : a_is_signed(output.type);
  std::string text;
  for (const std::string& line : comment_lines(output)) text += "# " + line + '\n';
  text += "# columns: " + std::string(first_operand(output.order)) + ' ' +
          std::string(second_operand(output.order)) + " product\n";
  for (int i = 0; i < output.rows(); ++i)
    for (int j = 0; j < output.cols(); ++j) {
      const bool bytes = output.index == OperandIndex::bits;
      append_number(
          text,
          std::int64_t{bytes ? i : operand_value(i, first_signed, output.index, output.bits.a)});
      text += ' ';
      append_number(
          text,
          std::int64_t{bytes ? j : operand_value(j, second_signed, output.index, output.bits.b)});
      text += ' ';
      append_number(text,
                    std::int64_t{output.products[static_cast<std::size_t>(i * output.cols() + j)]});
      text += '\n';
    }
  return text;
}

}  // namespace

FormatEntry triplets_format() {
  return {.info = {.name = "triplets",
                   .extensions = {".txt", ".dat", ".trp"},
                   .description = "text lines \"a b product\"",
                   .layout = "65536 lines of first operand, second operand, product, in any order; "
                             "leading words and INFO lines are skipped",
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
