// .hex / .mem: the text that Verilog's $readmemh reads (IEEE 1364-2005, 17.2.9).
#include <algorithm>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct Token {
  std::string_view text;
  std::size_t line = 0;
};

/// Words and addresses of the text, comments left out.
class Scanner {
 public:
  explicit Scanner(const Input& input) : input_(input) {}

  std::optional<Token> next() {
    skip();
    if (at_ >= text().size()) return std::nullopt;
    const std::size_t start = at_;
    while (at_ < text().size() && !is_space(text()[at_]) && text()[at_] != '/') ++at_;
    if (at_ == start) ++at_;  // a lone '/'
    return Token{text().substr(start, at_ - start), line_};
  }

 private:
  std::string_view text() const { return input_.content; }

  void skip() {
    while (at_ < text().size()) {
      const std::string_view rest = text().substr(at_, 2);
      if (is_space(rest[0])) {
        line_ += rest[0] == '\n' ? 1 : 0;
        ++at_;
      } else if (rest == "//" || rest[0] == '#') {
        at_ = std::min(text().find('\n', at_), text().size());
      } else if (rest == "/*") {
        const std::size_t end = text().find("*/", at_ + 2);
        if (end == std::string_view::npos)
          throw InputError(322, Place{input_.path, line_}, "a comment does not end");
        line_ += static_cast<std::size_t>(std::ranges::count(text().substr(at_, end - at_), '\n'));
        at_ = end + 2;
      } else {
        return;
      }
    }
  }

  const Input input_;
  std::size_t at_ = 0, line_ = 1;
};

bool is_hex_word(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return digit(c) >= 0 || c == '_'; });
}

bool sniff(std::string_view content, std::string_view extension) {
  if (content.size() < kLutSize || !looks_like_text(content)) return false;
  const bool hex_extension =
      extension == ".hex" || extension == ".mem" || extension == ".memh" || extension == ".vmem";
  static const std::string kNoPath;
  Scanner scanner({content.substr(0, 65536), kNoPath});
  std::size_t words = 0, width = 0;
  bool telling = hex_extension, same_width = true;
  try {
    while (words < (telling ? 64 : 4096)) {  // a decimal listing may start with words of one width
      const std::optional<Token> token = scanner.next();
      if (!token) break;
      if (token->text.front() == '@' && is_hex_word(token->text.substr(1))) {
        telling = true;
        continue;
      }
      if (!is_hex_word(token->text)) return false;
      width = words == 0 ? token->text.size() : width;
      same_width = same_width && token->text.size() == width;
      ++words;
    }
  } catch (const InputError&) {
    return false;
  }
  // Without a telling extension or an address: words of one width, as no decimal listing has them.
  return words > 0 && (telling || (same_width && width >= 4 && width <= 8));
}

class Reader {
 public:
  explicit Reader(const Input& input)
      : input_(input), scanner_(input), may_be_decimal_(!input.format_given) {}

  RawTable read() {
    words_.assign(count_, 0);
    lines_.assign(count_, 0);
    while (const std::optional<Token> token = scanner_.next())
      token->text.front() == '@' ? take_address(*token) : take_word(*token);
    const auto missing = std::ranges::find(lines_, std::size_t{0});
    if (missing != lines_.end())
      throw InputError(325, Place{input_.path},
                       "address " + std::to_string(missing - lines_.begin()) +
                           " has no word; a table needs all " + std::to_string(count_) +
                           (count_ == kLutSize ? ", at first*256 + second" : ""));
    RawTable raw = finish();
    if (may_be_decimal_) {
      Words hexadecimal{.words = std::move(raw.words), .wrap_bits = raw.wrap_bits};
      hexadecimal.bits = raw.bits;
      raw.decodings = {[words = std::move(hexadecimal)]() mutable { return std::move(words); },
                       [patterns = std::move(words_), path = input_.path, bits = raw.bits] {
                         Words result = decimal(patterns, path);
                         result.bits = bits;
                         return result;
                       }};
    }
    return raw;
  }

 private:
  [[noreturn]] void fail(int id, const Token& token, const std::string& what) const {
    throw InputError(id, Place{input_.path, token.line}, what);
  }

  void take_address(const Token& token) {
    may_be_decimal_ = false;
    const std::string_view digits = token.text.substr(1);
    if (!is_hex_word(digits)) fail(322, token, quoted(token.text) + " is not an address");
    std::size_t value = 0;
    for (const char c : digits)
      if (c != '_')
        value = std::min<std::size_t>(value * 16 + static_cast<std::size_t>(digit(c)), kLutSize);
    if (value >= count_)
      fail(324, token,
           "address " + quoted(token.text) + " is beyond " +
               (count_ == kLutSize ? std::string("@ffff") : std::to_string(count_ - 1)) +
               ", the last of a table");
    address_ = value;
  }

  void take_word(const Token& token) {
    if (token.text.starts_with("0x") || token.text.starts_with("0X"))
      fail(322, token,
           quoted(token.text) + " starts with 0x; words of a memory image have no 0x prefix");
    std::uint64_t value = 0;
    unsigned digits = 0;
    for (const char c : token.text) {
      if (c == '_') continue;
      if (c == 'x' || c == 'X' || c == 'z' || c == 'Z' || c == '?')
        fail(327, token,
             quoted(token.text) + " has unknown bits (x or z); a table needs every bit");
      may_be_decimal_ = may_be_decimal_ && digit(c) < 10;
      if (digit(c) < 0 || ++digits > 8)
        fail(322, token, quoted(token.text) + " is not a hexadecimal word of at most 8 digits");
      value = value << 4 | static_cast<unsigned>(digit(c));
    }
    if (digits == 0) fail(322, token, quoted(token.text) + " has no digit");
    if (address_ >= count_) fail(323, token, "more than " + std::to_string(count_) + " words");
    if (lines_[address_] != 0)
      fail(323, token,
           "address " + std::to_string(address_) + " was given in line " +
               std::to_string(lines_[address_]) + " already");
    words_[address_] = static_cast<std::uint32_t>(value);
    lines_[address_++] = token.line;
    digits_ = std::max(digits_, digits);
  }

  /// Words without a digit above 9, as the decimal numbers that a script may have meant.
  static Words decimal(const std::vector<std::uint32_t>& words, const std::string& path) {
    Words result{.decoding = "decimal"};
    result.words.reserve(kLutSize);
    for (const std::uint32_t word : words) {
      std::int64_t value = 0;
      for (int shift = 28; shift >= 0; shift -= 4) value = 10 * value + (word >> shift & 15);
      if (!is_product(value)) refuse_product(value, {path}, "word");
      result.words.push_back(static_cast<std::int32_t>(value));
    }
    return result;
  }

  /// The widest word gives the width of all. Up to 24 bits the type says whether words are signed;
  /// wider ones are two's complement.
  RawTable finish() const {
    RawTable raw;
    raw.statement = parse_statement(input_);
    raw.bits = input_.bits_or_8x8();
    raw.words.reserve(count_);
    const unsigned bits = 4 * digits_;
    raw.wrap_bits = bits <= 24 ? bits : 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (raw.wrap_bits != 0) {
        raw.words.push_back(static_cast<std::int32_t>(words_[i]));
        continue;
      }
      const std::int32_t value =
          static_cast<std::int32_t>(words_[i] << (32 - bits)) >> static_cast<int>(32 - bits);
      if (!is_product(value)) refuse_product(value, {input_.path, lines_[i]}, "word");
      raw.words.push_back(value);
    }
    return raw;
  }

  const Input& input_;
  Scanner scanner_;
  std::vector<std::uint32_t> words_;
  std::vector<std::size_t> lines_;
  const std::size_t count_ = input_.words();
  std::size_t address_ = 0;
  unsigned digits_ = 0;
  bool may_be_decimal_;
};

RawTable decode(const Input& input) { return Reader(input).read(); }

std::string encode(const Output& output) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const int digits = output.dtype == "int32" ? 8 : 4;
  std::string text;
  for (const std::string& line : comment_lines(output)) text += "// " + line + '\n';
  text += "// " + output.dtype + " words for $readmemh, address = first*" +
          std::to_string(output.cols()) + " + second, 16 a line\n";
  for (std::size_t i = 0; i < output.products.size(); ++i) {
    const auto word = static_cast<std::uint32_t>(output.products[i]);
    for (int d = digits - 1; d >= 0; --d) text += kDigits[word >> (4 * d) & 15];
    text += i % 16 == 15 || i + 1 == output.products.size() ? '\n' : ' ';
  }
  return text;
}

}  // namespace

FormatEntry hex_format() {
  return {.info = {.name = "hex",
                   .extensions = {".hex", ".mem", ".memh", ".vmem"},
                   .description = "memory image for Verilog's $readmemh",
                   .layout = "65536 hexadecimal words, address first*256 + second, @address and "
                             "comments allowed",
                   .order = OperandOrder::ab,
                   .index = OperandIndex::bits,
                   .type = OperandType::u8u8,
                   .text = true,
                   .dtypes = {"uint16", "int16", "int32"}},
          .sign_from_type = true,
          .sniff = sniff,
          .decode = decode,
          .encode = encode};
}

}  // namespace axmul::detail
