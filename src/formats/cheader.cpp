// C header: "const int16_t lut[256][256] = {{…}, …};", rows and columns by two's-complement byte.
#include <algorithm>
#include <charconv>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

enum class Kind { end, word, number, mark };

struct Token {
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t line = 1;
  bool is(char c) const { return kind == Kind::mark && text.front() == c; }
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// C tokens as far as a table needs them: comments and preprocessor lines are left out.
class Scanner {
 public:
  explicit Scanner(const Input& input) : input_(input), text_(input.content) {}

  Token next() {
    skip();
    if (at_ >= text_.size()) return {Kind::end, {}, line_};
    const std::size_t start = at_++;
    Kind kind = Kind::mark;
    if (is_word(text_[start])) {
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      kind = text_[start] >= '0' && text_[start] <= '9' ? Kind::number : Kind::word;
    }
    if (kind == Kind::number) fraction();
    line_start_ = false;
    return {kind, text_.substr(start, at_ - start), line_};
  }

  /// What is not scanned yet.
  std::string_view rest() const { return text_.substr(at_); }
  /// Does a brace follow, after blanks and comments?
  bool opens_brace() const {
    Scanner copy = *this;
    return copy.next().is('{');
  }
  /// "#define NAME text" so far.
  const std::map<std::string, std::string, std::less<>>& macros() const { return macros_; }

 private:
  /// The rest of "12.0f" and "1.5e+3": a number with a point is one token.
  void fraction() {
    const auto is = [&](std::string_view characters) {
      return at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos;
    };
    if (!is(".")) return;
    ++at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if ((text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && is("+-"))
      for (++at_; at_ < text_.size() && is_word(text_[at_]);) ++at_;
  }

  void advance_to(std::size_t end) {
    line_ += static_cast<std::size_t>(std::ranges::count(text_.substr(at_, end - at_), '\n'));
    at_ = end;
  }

  void skip() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_, 2);
      const char c = rest[0];
      if (c == '\n') {
        ++line_, ++at_;
        line_start_ = true;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++at_;
      } else if (rest == "//") {
        advance_to(std::min(text_.find('\n', at_), text_.size()));
      } else if (rest == "/*") {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos)
          throw InputError(322, Place{input_.path, line_}, "a comment does not end");
        advance_to(end + 2);
      } else if (c == '#' && line_start_) {
        skip_directive();
      } else {
        return;
      }
    }
  }

  void skip_directive() {
    std::string_view define = text_.substr(at_, text_.find('\n', at_) - at_);
    if (const std::size_t word = define.find("define"); word < 8) {
      define.remove_prefix(word + 6);
      define = define.substr(0, std::min(define.find("//"), define.find("/*")));
      const std::string_view name = next_field(define);
      if (!name.empty() && name.find('(') == std::string_view::npos && macros_.size() < 10000)
        macros_.insert_or_assign(std::string(name), std::string(define));
    }
    for (bool continued = true; continued && at_ < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      std::string_view line = text_.substr(at_, end - at_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      continued = line.ends_with('\\');
      advance_to(std::min(end + 1, text_.size()));
    }
  }

  const Input input_;
  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
  bool line_start_ = true;
  std::map<std::string, std::string, std::less<>> macros_;
};

/// "256", "0x100", "256 * 256", "1 << 8", "(N)", "N * N" with macros of the file; 0 where it cannot
/// be told. Products and shifts from the left: extents have no more.
std::uint64_t extent_of(std::string_view text, const Scanner& scanner, int depth = 0) {
  if (depth > 10) return 0;
  std::uint64_t value = 1;
  char operation = '*';
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t\r\n()");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    std::size_t end = 0;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == 0) {
      operation = text.front();
      text.remove_prefix(text.starts_with("<<") ? 2 : 1);
      if (operation != '*' && operation != '<') return 0;
      continue;
    }
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    std::uint64_t factor = 0;
    if (word.front() >= '0' && word.front() <= '9') {
      const int base = word.starts_with("0x") || word.starts_with("0X") ? 16 : 10;
      if (base == 16) word.remove_prefix(2);
      std::from_chars(word.data(), word.data() + word.size(), factor, base);
    } else if (const auto macro = scanner.macros().find(word); macro != scanner.macros().end()) {
      factor = extent_of(macro->second, scanner, depth + 1);
    }
    if (factor > 65536 || (operation == '<' && factor > 16)) return 0;
    value = operation == '<' ? value << factor : value * factor;
    if (value > 65536) return 0;
  }
  return value == 1 ? 0 : value;
}

struct ElementType {
  unsigned bits = 64;
  bool is_unsigned = false;
  bool is_float = false;
  std::string text;
};

ElementType element_type(const std::vector<std::string_view>& words) {
  ElementType type;
  for (const std::string_view word : words) {
    const std::string_view plain = word.starts_with('u') ? word.substr(1) : word;
    type.text += (type.text.empty() ? "" : " ") + std::string(word);
    if (word == "float" || word == "double") type.is_float = true;
    if (word == "unsigned" || (plain != word && plain.starts_with("int"))) type.is_unsigned = true;
    if (plain.starts_with("int8_t") || word == "char") type.bits = 8;
    if (plain.starts_with("int16_t") || word == "short") type.bits = 16;
    if (plain.starts_with("int32_t") || (word == "int" && type.bits == 64)) type.bits = 32;
  }
  return type;
}

std::optional<std::uint64_t> parse_literal(std::string_view text, bool& bit_pattern) {
  while (!text.empty() &&
         (text.back() == 'u' || text.back() == 'U' || text.back() == 'l' || text.back() == 'L'))
    text.remove_suffix(1);
  int base = 10;
  bit_pattern = false;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    bit_pattern = true;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

class Parser {
 public:
  explicit Parser(const Input& input) : input_(input), scanner_(input) { advance(); }

  RawTable parse() {
    RawTable raw;
    raw.statement = parse_statement(input_);
    while (token_.kind != Kind::end) take_declaration(raw);
    if (raw.words.empty())
      throw InputError(326, Place{input_.path},
                       "declares no table such as \"const int16_t lut[256][256] = {…}\"");
    return raw;
  }

 private:
  [[noreturn]] void fail(int id, const std::string& what) const {
    throw InputError(id, Place{input_.path, token_.line}, what);
  }
  void advance() { token_ = scanner_.next(); }

  /// Everything up to an array's '[': the words before it are the element type and the name.
  void take_declaration(RawTable& raw) {
    if (token_.kind == Kind::word) {
      words_.push_back(token_.text);
      if (words_.size() > 64) words_.erase(words_.begin());
      advance();
    } else if (token_.is('[') && !words_.empty()) {
      take_array(raw);
    } else if (token_.is('<') && !words_.empty() && is_container(words_.back())) {
      take_container(raw);
    } else {
      words_.clear();
      advance();
    }
  }

  static constexpr std::uint64_t kUnknownExtent = ~std::uint64_t{0};

  /// The extents of "[256][256]", 0 for "[]".
  std::vector<std::uint64_t> take_extents() {
    std::vector<std::uint64_t> extents;
    while (token_.is('[') && extents.size() < 8) {
      advance();
      std::string text;
      while (!token_.is(']') && token_.kind != Kind::end && text.size() < 200) {
        text += std::string(token_.text) + (token_.is('<') ? "" : " ");
        advance();
      }
      while (!token_.is(']') && token_.kind != Kind::end) advance();
      advance();
      const std::uint64_t extent = extent_of(text, scanner_);
      extents.push_back(extent == 0 && !text.empty() ? kUnknownExtent : extent);
    }
    return extents;
  }

  static bool is_container(std::string_view word) { return word == "array" || word == "vector"; }

  /// std::array<uint16_t, 65536> lut = {…}, std::vector<std::vector<int>> lut = {…}: the words in
  /// angle brackets are the element type.
  void take_container(RawTable& raw) {
    std::vector<std::string_view> words;
    for (int depth = 0; token_.kind != Kind::end && words.size() < 64; advance()) {
      if (token_.is('<')) ++depth;
      if (token_.is('>')) --depth;
      if (token_.kind == Kind::word && !is_container(token_.text) && token_.text != "std")
        words.push_back(token_.text);
      if (depth == 0) break;
    }
    advance();
    if (token_.kind != Kind::word) return words_.clear();
    const std::string name(token_.text);
    words_.clear();
    const std::size_t line = token_.line;
    advance();
    if (token_.is('=')) advance();
    bits_ = input_.bits_or_8x8();
    if (!token_.is('{') || is_too_short()) return;
    take_table(name, element_type(words), line, raw);
  }

  void take_array(RawTable& raw) {
    const std::string name(words_.back());
    words_.pop_back();
    const ElementType type = element_type(words_);
    words_.clear();
    const std::size_t line = token_.line;
    const std::vector<std::uint64_t> extents = take_extents();
    // Attributes may stand between the dimensions and the products: PROGMEM, __attribute__((…)).
    for (int depth = 0; !token_.is('=') && token_.kind != Kind::end; advance()) {
      if (token_.is('(')) ++depth;
      if (token_.is(')')) --depth;
      if (depth == 0 && (token_.is(';') || token_.is(',') || token_.is('{') || token_.is('}')))
        break;
    }
    if (!token_.is('=') && !(type.bits < 64 && token_.is('{'))) return;
    if (token_.is('=')) advance();
    if (!token_.is('{')) return;
    if (!may_be_table(extents)) return skip_braces();
    take_table(name, type, line, raw);
  }

  std::size_t size() const { return std::size_t{1} << (bits_.a + bits_.b); }

  /// 2^a by 2^b or flat, "[]" for the first, beside axes of length 1; where a macro of another
  /// file is an extent, the number of products tells. Sets the widths.
  bool may_be_table(std::vector<std::uint64_t> extents) {
    bits_ = input_.bits_or_8x8();
    if (std::ranges::find(extents, kUnknownExtent) != extents.end()) return !is_too_short();
    if (extents.size() > 1) std::erase(extents, std::uint64_t{1});
    if (extents.size() == 1) return extents[0] == size() || extents[0] == 0;
    if (extents.size() != 2) return false;
    if (extents[0] == 0) return extents[1] == std::uint64_t{1} << bits_.b;
    const auto bits = bits_of_shape(extents[0], extents[1]);
    if (!bits || (has_8x8_ && bits != OperandWidths{} && bits != input_.bits)) return false;
    bits_ = *bits;
    return true;
  }

  /// Fewer commas follow up to the end of the statement than a table has.
  bool is_too_short() const {
    const std::string_view rest = scanner_.rest();
    const std::string_view statement = rest.substr(0, rest.find(';'));
    return std::ranges::count(statement, ',') < static_cast<std::ptrdiff_t>(size()) - 1;
  }

  void take_table(const std::string& name, const ElementType& type, std::size_t line,
                  RawTable& raw) {
    if (!raw.words.empty())
      throw InputError(326, Place{input_.path, line},
                       "\"" + name + "\" is a second table; one file holds one");
    raw.unsigned_dtype = type.is_unsigned;
    raw.bits = bits_;
    int outer = 0;  // {{{…}}}: braces around the whole, as std::array may have them
    while (token_.is('{') && scanner_.opens_brace()) ++outer, advance();
    outer > 0 ? take_rows(type, raw) : take_values(type, raw);
    for (; outer > 1 && token_.is('}'); --outer) advance();
    if (raw.words.size() != size())
      fail(320, "the table \"" + name + "\" ends with " + std::to_string(raw.words.size()) +
                    " products, it needs " + std::to_string(size()));
  }

  void skip_braces() {
    int depth = 0;
    do {
      depth += token_.is('{') ? 1 : token_.is('}') ? -1 : 0;
      advance();
    } while (depth > 0 && token_.kind != Kind::end);
  }

  void take_rows(const ElementType& type, RawTable& raw) {
    while (token_.is('{')) {
      const std::size_t before = raw.words.size();
      take_values(type, raw);
      const std::size_t cols = std::size_t{1} << bits_.b;
      const bool is_all = before == 0 && raw.words.size() == size();  // {{…}} of std::array
      if (raw.words.size() - before != cols && !is_all)
        fail(320, "row " + std::to_string(before / cols) + " has " +
                      std::to_string(raw.words.size() - before) + " products, it needs " +
                      std::to_string(cols));
      if (token_.is(',')) advance();
    }
    if (!token_.is('}')) fail(322, "expected '}' after the last row, found " + found());
    advance();
  }

  void take_values(const ElementType& type, RawTable& raw) {
    advance();
    take_until_brace(type, raw);
  }

  void take_until_brace(const ElementType& type, RawTable& raw) {
    while (!token_.is('}')) {
      if (raw.words.size() == size())
        fail(320, "more than " + std::to_string(raw.words.size()) + " products");
      raw.words.push_back(take_value(type));
      if (token_.is(','))
        advance();
      else if (!token_.is('}'))
        fail(322, "expected ',' or '}' after a product, found " + found());
    }
    advance();
  }

  std::int32_t take_value(const ElementType& type) {
    const Token start = token_;
    const bool negative = token_.is('-');
    if (negative || token_.is('+')) advance();
    bool bit_pattern = false;
    const auto literal = token_.kind != Kind::number ? std::optional<std::uint64_t>()
                         : token_.text.find('.') < token_.text.size()
                             ? whole_of(token_.text)
                             : parse_literal(token_.text, bit_pattern);
    if (!literal || *literal > 0xffffffffU)
      fail(322, "expected a product (an integer), found " + found());
    std::int64_t value = static_cast<std::int64_t>(*literal) * (negative ? -1 : 1);
    // 0xff9c in an int16_t is meant as the pattern of -100.
    if (bit_pattern && !negative && !type.is_unsigned && type.bits < 64 &&
        value >> (type.bits - 1) == 1)
      value -= std::int64_t{1} << type.bits;
    const unsigned range_bits = type.is_unsigned ? type.bits : type.bits - 1;
    const std::int64_t high = range_bits >= 32 ? INT32_MAX : (std::int64_t{1} << range_bits) - 1;
    const std::int64_t low = type.is_unsigned ? 0 : -high - 1;
    if (value < low || value > high)
      throw InputError(
          321, Place{input_.path, start.line},
          "product " + std::to_string(value) + " does not fit the element type " + type.text);
    if (!is_product(value)) refuse_product(value, {input_.path, start.line}, "literal");
    advance();
    return static_cast<std::int32_t>(value);
  }

  /// 12.0f as 12; nothing where it is no whole number.
  static std::optional<std::uint64_t> whole_of(std::string_view text) {
    while (text.ends_with('f') || text.ends_with('F') || text.ends_with('L')) text.remove_suffix(1);
    if (text.ends_with('.')) text.remove_suffix(1);
    const std::optional<std::int64_t> whole = parse_whole(text);
    if (!whole || *whole < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*whole);
  }

  std::string found() const {
    return token_.kind == Kind::end ? "the end of the file" : quoted(token_.text);
  }

  const Input& input_;
  Scanner scanner_;
  Token token_;
  std::vector<std::string_view> words_;
  OperandWidths bits_{};  // of the array that is being read
  // Beside a table of 8x8 bits smaller arrays are something else.
  const bool has_8x8_ = input_.content.find("[256][256]") != std::string_view::npos ||
                        input_.content.find("[65536]") != std::string_view::npos;
};

/// Words that start declarations of tables, so that a file with dimensions by macros is one too.
bool declares_array(std::string_view head) {
  const std::size_t brace = head.find('{');
  const std::string_view before = head.substr(0, brace);
  if (before.find('=') == std::string_view::npos) return false;
  const bool has_type = before.find("int") != std::string_view::npos ||
                        before.find("short") != std::string_view::npos ||
                        before.find("float") != std::string_view::npos ||
                        before.find("double") != std::string_view::npos ||
                        before.find("char") != std::string_view::npos ||
                        before.find("long") != std::string_view::npos;
  return has_type && (before.find('[') != std::string_view::npos ||
                      before.find("array<") != std::string_view::npos ||
                      before.find("vector<") != std::string_view::npos);
}

/// "[256]" or "[65536]" and a brace, as no Verilog and no JSON has them; or any array of the size.
bool sniff(std::string_view content, std::string_view) {
  if (!looks_like_text(content)) return false;
  const std::string_view head = content.substr(0, 65536);
  if (head.find('{') == std::string_view::npos) return false;
  if (content.size() >= 2 * kLutSize && declares_array(head)) return true;
  for (std::size_t at = head.find('['); at != std::string_view::npos; at = head.find('[', at + 1)) {
    const std::size_t end = head.find(']', at);
    if (end == std::string_view::npos) return false;
    std::string inner;
    for (const char c : head.substr(at + 1, std::min<std::size_t>(end - at - 1, 16)))
      if (c != ' ') inner += c;
    if (inner == "256" || inner == "65536" || inner == "0x100" || inner == "0x10000") return true;
  }
  return false;
}

RawTable decode(const Input& input) { return Parser(input).parse(); }

std::string encode(const Output& output) {
  std::string text = "/*\n";
  for (const std::string& line : comment_lines(output)) text += " * " + line + '\n';
  text += " */\n#pragma once\n#include <stdint.h>\n\nconst " + output.dtype + "_t lut[" +
          std::to_string(output.rows()) + "][" + std::to_string(output.cols()) + "] = {\n";
  const auto cols = static_cast<std::size_t>(output.cols());
  for (std::size_t i = 0; i < output.products.size(); ++i) {
    if (i % cols == 0) text += '{';
    append_number(text, std::int64_t{output.products[i]});
    text += i % cols != cols - 1 ? ", " : i + 1 == output.products.size() ? "}\n" : "},\n";
  }
  return text + "};\n";
}

}  // namespace

FormatEntry cheader_format() {
  return {.info = {.name = "cheader",
                   .extensions = {".h", ".hpp", ".inc"},
                   .description = "C array lut[256][256]",
                   .layout = "const int16_t lut[256][256] = {…} (any integer type, also [65536])",
                   .order = OperandOrder::ab,
                   .index = OperandIndex::bits,
                   .type = OperandType::s8s8,
                   .text = true,
                   .dtypes = {"int16", "uint16", "int32"}},
          .sniff = sniff,
          .decode = decode,
          .encode = encode};
}

}  // namespace axmul::detail
