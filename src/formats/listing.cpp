// Listings, as test benches and scripts print them: one product a line, or columns, with or without
// names, in decimal, hexadecimal or binary.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kMostColumns = 64;

/// A word of a line, and whether "=" or ":" stands behind it: then it is a name.
struct Word {
  std::string_view text;
  bool is_name = false;
};

constexpr std::string_view kGaps = " \t\r\f\v,;()[]{}*|>\"";

/// The words of a line: split at blanks and punctuation, "=" and ":" make names of what is before.
void split_words(std::string_view line, std::vector<Word>& words) {
  words.clear();
  for (std::size_t at = 0; at < line.size() && words.size() < 4 * kMostColumns;) {
    const char c = line[at];
    if (c == '=' || c == ':') {
      if (!words.empty() && !(words.back().text[0] >= '0' && words.back().text[0] <= '9'))
        words.back().is_name = true;
      ++at;
    } else if (kGaps.find(c) != std::string_view::npos) {
      ++at;
    } else {
      std::size_t end = at;
      while (end < line.size() && line[end] != '=' && line[end] != ':' &&
             kGaps.find(line[end]) == std::string_view::npos)
        ++end;
      words.push_back({line.substr(at, end - at), false});
      at = end;
    }
  }
}

/// A number as it may stand in a listing; radix 0 where decimal and hexadecimal are both possible.
struct Digits {
  std::string_view text;  // without prefix
  bool negative = false;
  int radix = 0;  // 2, 8, 10, 16 by its prefix
};

/// 12, -3, 0x1f, 8'h1f, 16'd12, 'b101, 0b11, 1f; nothing where it is no number in any radix.
std::optional<Digits> digits_of(std::string_view text) {
  Digits digits;
  if (text.size() > 1 && (text.front() == '-' || text.front() == '+')) {
    digits.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::size_t quote = text.find('\'');
  if (quote != std::string_view::npos && quote + 2 < text.size()) {
    std::size_t base = quote + 1;
    if (text[base] == 's' || text[base] == 'S') ++base;
    const char c = static_cast<char>(text[base] | 0x20);
    digits.radix = c == 'h' ? 16 : c == 'd' ? 10 : c == 'b' ? 2 : c == 'o' ? 8 : 0;
    if (digits.radix == 0) return std::nullopt;
    text.remove_prefix(base + 1);
  } else if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    digits.radix = 16;
    text.remove_prefix(2);
  }
  digits.text = text;
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdefABCDEF_") == std::string_view::npos) return digits;
  if (digits.radix == 0 && parse_whole(text)) {  // 12.0, 1e3
    digits.radix = 10;
    return digits;
  }
  return std::nullopt;
}

bool is_unknown(std::string_view text) {
  return text.size() >= 2 && text.find_first_not_of("xXzZ01") == std::string_view::npos &&
         text.find_first_of("xXzZ") != std::string_view::npos;
}

/// 0b101, which is hexadecimal in a column where not all are so.
bool is_marked_binary(std::string_view text) {
  return text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B') &&
         text.find_first_not_of("01_", 2) == std::string_view::npos;
}

bool has_decimal_digit(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

/// One row: its numbers as texts, and the names before them.
struct Row {
  std::vector<std::string_view> numbers, names;
};

/// The numbers of a line, empty where it is chatter. Words that are neither names nor numbers may
/// stand between ("x", "->", units), but at the start they make chatter of the line.
void take_row(std::string_view line, std::vector<Word>& words, Row& row) {
  row.numbers.clear();
  row.names.clear();
  split_words(line, words);
  const bool named = std::ranges::any_of(words, &Word::is_name);
  std::string_view name;
  for (const Word& word : words) {
    if (word.is_name) {
      name = word.text;
      continue;
    }
    if (is_unknown(word.text) || digits_of(word.text)) {
      row.numbers.push_back(word.text);
      row.names.push_back(name);
      name = {};
    } else if (row.numbers.empty() && !named) {
      row.numbers.clear();
      return;
    }
  }
  if (row.numbers.size() > kMostColumns) row.numbers.clear();
}

struct Column {
  std::string name;
  std::vector<std::string_view> texts;
  std::vector<std::int64_t> values;
  int radix = 10;
  unsigned bits = 0;  // of patterns in radix 2 and 16; 0: numbers
};

class Reader {
 public:
  explicit Reader(const Input& input) : input_(input) {}

  RawTable read() {
    collect();
    if (lines_.size() != input_.words())
      fail(325, lines_.empty() ? 0 : lines_.back(),
           "the file ends with " + std::to_string(lines_.size()) + " of " +
               std::to_string(input_.words()) +
               " lines of products; a listing has one line a pair of operands" +
               (input_.bits ? "" : ", and --width tells of other widths than 8x8"));
    for (Column& column : columns_) column.radix = radix_of(column);
    if (columns_.size() == 1) return products_alone();
    for (Column& column : columns_) decode(column);
    return table();
  }

 private:
  [[noreturn]] void fail(int id, std::size_t line, const std::string& what) const {
    throw InputError(id, Place{input_.path, line}, what);
  }

  /// ModelSim puts "# " before all that a test bench prints.
  static bool has_marks(std::string_view text) {
    std::size_t marked = 0, lines = 0;
    while (!text.empty() && lines < 1000) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      ++lines;
      marked += line.starts_with('#') ? 1 : 0;
    }
    return lines > 0 && 10 * marked > 9 * lines;
  }

  void collect() {
    std::string_view text = input_.content;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const bool marked = has_marks(text);
    std::vector<Word> words;
    Row row;
    std::string_view header;
    for (std::size_t number = 1; !text.empty(); ++number) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      if (marked && line.starts_with('#')) line.remove_prefix(1);
      if (is_remark(line)) continue;
      take_row(line, words, row);
      if (row.numbers.empty()) {
        if (columns_.empty() && !words.empty()) header = line;
        continue;
      }
      if (lines_.size() == input_.words()) {
        note_ = "the table ends in line " + std::to_string(lines_.back()) +
                "; what follows from line " + std::to_string(number) + " on is not read";
        return;
      }
      if (columns_.empty() && !start(row, line, header)) continue;
      add(row, number);
    }
  }

  /// The first row tells the columns. A line of words such as "a b" may look like hexadecimal.
  bool start(const Row& row, std::string_view line, std::string_view& header) {
    if (!std::ranges::all_of(row.numbers, has_decimal_digit)) {
      header = line;
      return false;
    }
    columns_.resize(row.numbers.size());
    std::vector<std::string_view> titles;
    std::vector<Word> words;
    split_words(header, words);
    for (const Word& word : words) titles.push_back(word.text);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].texts.reserve(input_.words());
      if (!row.names[i].empty())
        columns_[i].name = row.names[i];
      else if (titles.size() == columns_.size())
        columns_[i].name = titles[i];
    }
    return true;
  }

  void add(const Row& row, std::size_t number) {
    if (row.numbers.size() != columns_.size()) {
      fail(320, number,
           "this line has " + std::to_string(row.numbers.size()) + " numbers, the lines before " +
               std::to_string(columns_.size()));
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (is_unknown(row.numbers[i]) && !digits_of(row.numbers[i]))
        fail(327, number,
             quoted(row.numbers[i]) + " has unknown bits (x or z); a table needs every bit");
      columns_[i].texts.push_back(row.numbers[i]);
    }
    lines_.push_back(number);
  }

  /// By prefixes; else binary where all are 0 and 1 of one width of 8 or more, decimal where none
  /// has a letter, hexadecimal.
  static int radix_of(const Column& column) {
    bool binary = true, decimal = true, marked = true;
    for (const std::string_view text : column.texts) {
      const std::optional<Digits> digits = digits_of(text);
      if (!digits) return 10;
      if (digits->radix != 0 && digits->radix != 10) return digits->radix;
      marked = marked && is_marked_binary(text);
      binary = binary && text.size() == column.texts[0].size() && text.size() >= 8 &&
               text.find_first_not_of("01_") == std::string_view::npos;
      decimal = decimal && (digits->radix == 10 || parse_whole(digits->text));
    }
    return binary || marked ? 2 : decimal ? 10 : 16;
  }

  void decode(Column& column) const {
    const bool patterns = column.radix != 10;
    unsigned width = 0;
    column.values.reserve(input_.words());
    for (std::size_t i = 0; i < column.texts.size(); ++i) {
      const Digits digits = *digits_of(column.texts[i]);
      std::string_view text = digits.text;
      if (column.radix == 2 && is_marked_binary(text)) text.remove_prefix(2);
      std::string plain;
      for (const char c : text)
        if (c != '_') plain += c;
      std::int64_t value = 0;
      if (!patterns) {
        const std::optional<std::int64_t> whole = parse_whole(plain);
        if (!whole) fail(322, lines_[i], quoted(column.texts[i]) + " is not a whole number");
        value = *whole;
      } else {
        const auto [end, bad] =
            std::from_chars(plain.data(), plain.data() + plain.size(), value, column.radix);
        if (bad != std::errc() || end != plain.data() + plain.size())
          fail(322, lines_[i],
               quoted(column.texts[i]) + " is no number of radix " + std::to_string(column.radix));
        width = std::max(width, static_cast<unsigned>(plain.size()) * (column.radix == 2   ? 1U
                                                                       : column.radix == 8 ? 3U
                                                                                           : 4U));
      }
      column.values.push_back(digits.negative ? -value : value);
    }
    column.bits = patterns ? width : 0;
  }

  // --- products alone, in order of the operands
  RawTable products_alone() {
    RawTable raw;
    raw.bits = input_.bits_or_8x8();
    raw.note = note_;
    raw.statement = parse_statement(input_);
    const bool unsure = columns_[0].radix == 10;
    Column hexadecimal = columns_[0];
    decode(columns_[0]);
    fill_words(columns_[0], raw.words, raw.wrap_bits);
    if (!unsure || !all_hex(hexadecimal)) return raw;
    // Digits without a letter may be hexadecimal all the same: whichever makes a product.
    hexadecimal.radix = 16;
    Words decimal_words{.words = std::move(raw.words)}, hex_words{.decoding = "hexadecimal"};
    raw.words.clear();
    decode(hexadecimal);
    fill_words(hexadecimal, hex_words.words, hex_words.wrap_bits);
    raw.decodings = {[words = std::move(decimal_words)]() mutable { return std::move(words); },
                     [words = std::move(hex_words)]() mutable { return std::move(words); }};
    return raw;
  }

  static bool all_hex(const Column& column) {
    return std::ranges::all_of(column.texts, [](std::string_view text) {
      return text.size() == 4 &&
             text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    });
  }

  void fill_words(const Column& column, std::vector<std::int32_t>& words, unsigned& wrap) const {
    wrap = column.bits <= 24 ? column.bits : 0;
    words.reserve(input_.words());
    for (std::size_t i = 0; i < input_.words(); ++i) {
      std::int64_t value = column.values[i];
      if (column.bits > 24 && column.bits <= 64 && (value >> (column.bits - 1) & 1) != 0 &&
          column.bits < 64)
        value -= std::int64_t{1} << column.bits;
      if (!is_product(value)) refuse_product(value, {input_.path, lines_[i]}, "the line");
      words.push_back(static_cast<std::int32_t>(value));
    }
  }

  // --- columns with operands
  /// The values of an operand: 2^n different ones, each as often, from 0 or from -2^(n-1) on.
  std::size_t values_of_operand(const Column& column) const {
    std::array<std::uint32_t, 384> counts{};
    for (const std::int64_t value : column.values) {
      if (value < -128 || value > 255) return 0;
      ++counts[static_cast<std::size_t>(value + 128)];
    }
    const OperandWidths bits = input_.bits_or_8x8();
    for (const int n : {bits.a, bits.b}) {
      const std::size_t size = std::size_t{1} << n;
      for (const std::size_t from : {std::size_t{128}, 128 - size / 2})
        if (std::ranges::all_of(std::span(counts).subspan(from, size), [&](std::uint32_t count) {
              return count == input_.words() / size;
            }))
          return size;
    }
    return 0;
  }
  bool is_operand(const Column& column) const { return values_of_operand(column) != 0; }

  static bool is_counter(const Column& column) {
    for (std::size_t i = 1; i < column.values.size(); ++i)
      if (column.values[i] <= column.values[i - 1]) return false;
    return true;
  }

  static bool same_name(std::string_view x, std::string_view y) {
    return std::ranges::equal(x, y, [](char p, char q) {
      const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      };
      return lower(p) == lower(q);
    });
  }

  std::string shown(std::size_t i) const {
    return columns_[i].name.empty() ? std::to_string(i + 1) : columns_[i].name;
  }

  std::string list(const std::vector<std::size_t>& which) const {
    std::string text;
    for (const std::size_t i : which) text += (text.empty() ? "" : ", ") + shown(i);
    return text;
  }

  /// The first that is not called exact, error or the like.
  std::string suggested(const std::vector<std::size_t>& products) const {
    for (const std::size_t i : products) {
      std::string name = shown(i);
      for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
      const bool is_other = std::ranges::any_of(
          std::array{"exact", "accurate", "err", "diff", "ref", "gold", "expect"},
          [&](const char* w) { return name.find(w) != std::string::npos; });
      if (!is_other) return shown(i);
    }
    return shown(products.back());
  }

  /// The column that --column names, by its title or its number.
  std::size_t chosen(const std::vector<std::size_t>& products) const {
    const std::string& wanted = *input_.column;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (same_name(columns_[i].name, wanted)) return i;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (std::to_string(i + 1) == wanted) return i;
    fail(329, lines_.front(),
         "there is no column " + quoted(wanted) +
             " (--column); of products there are: " + list(products));
  }

  RawTable table() {
    std::vector<std::size_t> operands, products;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (operands.size() < 2 && is_operand(columns_[i]))
        operands.push_back(i);
      else
        products.push_back(i);
    if (products.size() > 1)
      std::erase_if(products, [&](std::size_t i) { return is_counter(columns_[i]); });
    if (products.empty()) fail(329, lines_.front(), "no column holds products beside the operands");
    if (operands.size() == 1) products.insert(products.begin(), operands[0]), operands.clear();
    const std::size_t product = input_.column ? chosen(products) : products.front();
    if (products.size() > 1 && !input_.column)
      fail(329, lines_.front(),
           "several columns may hold the products: " + list(products) +
               "; choose one with --column " + suggested(products));
    RawTable raw;
    raw.bits = input_.bits_or_8x8();
    raw.note = note_;
    raw.statement = parse_statement(input_);
    fill_words(columns_[product], raw.words, raw.wrap_bits);
    if (operands.size() == 2) sort(columns_[operands[0]], columns_[operands[1]], raw);
    return raw;
  }

  /// Named b and a, the columns stand the other way round.
  void sort(const Column& first, const Column& second, RawTable& raw) const {
    const bool swapped = same_name(first.name, "b") && same_name(second.name, "a");
    const Column &slow = swapped ? second : first, &fast = swapped ? first : second;
    const auto cols = static_cast<std::int64_t>(values_of_operand(fast));
    const std::int64_t rows = std::ssize(slow.values) / cols;
    const auto least = [](const Column& column, std::int64_t size) {
      return *std::ranges::min_element(column.values) < 0 ? -size / 2 : std::int64_t{0};
    };
    const std::int64_t slow_least = least(slow, rows), fast_least = least(fast, cols);
    std::vector<std::int32_t> sorted(input_.words());
    std::vector<std::size_t> seen(input_.words(), 0);
    for (std::size_t i = 0; i < input_.words(); ++i) {
      const std::int64_t row = slow.values[i] - slow_least, col = fast.values[i] - fast_least;
      if (row < 0 || row >= rows) fail(329, lines_[i], "the operands' columns have other widths");
      const auto at = static_cast<std::size_t>(row * cols + col);
      if (seen[at] != 0)
        fail(323, lines_[i],
             "the pair " + std::to_string(slow.values[i]) + ", " + std::to_string(fast.values[i]) +
                 " was given in line " + std::to_string(seen[at]) + " already");
      seen[at] = lines_[i];
      sorted[at] = raw.words[i];
    }
    raw.words = std::move(sorted);
    raw.bits = {std::countr_zero(static_cast<std::uint64_t>(rows)),
                std::countr_zero(static_cast<std::uint64_t>(cols))};
    raw.first_signed = slow_least < 0;
    raw.second_signed = fast_least < 0;
  }

  const Input& input_;
  std::vector<Column> columns_;
  std::vector<std::size_t> lines_;
  std::string note_;
};

/// Three decimal numbers and nothing else.
bool is_triplet(std::string_view line) {
  std::size_t count = 0;
  for (std::string_view field = next_field(line); !field.empty(); field = next_field(line), ++count)
    if (!parse_whole(field) ||
        (field.size() >= 8 && field.find_first_not_of("01") == std::string_view::npos))
      return false;
  return count == 3;
}

/// Several lines in a row of as many numbers, and enough bytes for 65536 of them.
bool sniff(std::string_view content, std::string_view) {
  if (content.size() < 2 * kLutSize || !looks_like_text(content)) return false;
  std::vector<Word> words;
  Row row;
  std::size_t alike = 0, numbers = 0;
  std::size_t rows = 0, triplets = 0;
  for (int i = 0; i < 600 && !content.empty(); ++i) {
    std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (line.starts_with('#')) line.remove_prefix(1);
    take_row(line, words, row);
    if (row.numbers.empty()) continue;
    ++rows;
    triplets += is_triplet(line) ? 1 : 0;
    if (alike == 0 && !std::ranges::all_of(row.numbers, has_decimal_digit)) continue;
    alike = row.numbers.size() == numbers ? alike + 1 : 1;
    numbers = row.numbers.size();
  }
  // Plain triplets are another format's, whatever is wrong with one of them.
  return alike >= 8 && numbers <= 16 && 10 * triplets < 9 * rows;
}

RawTable decode_listing(const Input& input) { return Reader(input).read(); }

std::string encode(const Output& output) {
  std::string text;
  for (const std::string& line : comment_lines(output)) text += "// " + line + '\n';
  for (const std::int32_t product : output.products) {
    append_number(text, std::int64_t{product});
    text += '\n';
  }
  return text;
}

}  // namespace

FormatEntry listing_format() {
  return {
      .info = {.name = "listing",
               .extensions = {".lst", ".log", ".out"},
               .description = "lines that test benches print",
               .layout = "65536 lines: the product alone (second operand fast), or columns with "
                         "names or a header; decimal, hexadecimal or binary",
               .order = OperandOrder::ab,
               .index = OperandIndex::bits,
               .type = OperandType::u8u8,
               .text = true,
               .dtypes = {"int32"}},
      .sniff = sniff,
      .decode = decode_listing,
      .encode = encode};
}

}  // namespace axmul::detail
