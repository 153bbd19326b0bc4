// Values of Verilog's numbers.
#include "netlist/verilog/numbers.hpp"

#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

std::uint64_t decimal(std::string_view digits, const Token& token, const std::string& path) {
  std::uint64_t value = 0;
  bool any = false;
  for (const char c : digits) {
    if (c == '_' || c == ' ' || c == '\t') continue;
    if (c == 'x' || c == 'X' || c == 'z' || c == 'Z' || c == '?')
      fail(212, path, token.line, "x and z have no value in a circuit: " + in_quotes(token.text));
    if (c < '0' || c > '9')
      fail(201, path, token.line, "number " + in_quotes(token.text) + " not understood");
    if (value > (~std::uint64_t{0} - 9) / 10)
      fail(209, path, token.line, "number " + in_quotes(token.text) + " is too large");
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    any = true;
  }
  if (!any) fail(201, path, token.line, "number " + in_quotes(token.text) + " has no digits");
  return value;
}

void digits_to_words(std::string_view digits, unsigned bits, std::uint32_t width,
                     const Token& token, const std::string& path,
                     std::vector<std::uint64_t>& words) {
  std::size_t position = 0;
  bool any = false;
  for (std::size_t i = digits.size(); i-- > 0;) {
    const char c = digits[i];
    if (c == '_' || c == ' ' || c == '\t') continue;
    const char low = static_cast<char>(c | 0x20);
    unsigned value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0');
    } else if (low == 'x' || low == 'z' || c == '?') {
      fail(212, path, token.line, "x and z have no value in a circuit: " + in_quotes(token.text));
    } else if (low >= 'a' && low <= 'f') {
      value = static_cast<unsigned>(low - 'a' + 10);
    } else {
      value = 99;
    }
    if (value >> bits != 0)
      fail(201, path, token.line,
           "digit " + in_quotes(digits.substr(i, 1)) + " in " + in_quotes(token.text));
    any = true;
    for (unsigned b = 0; b < bits; ++b, ++position)
      if ((value >> b & 1) != 0 && position < width)
        words[position / 64] |= std::uint64_t{1} << position % 64;
  }
  if (!any) fail(201, path, token.line, "number " + in_quotes(token.text) + " has no digits");
}

void based(const Token& token, std::size_t quote, const std::string& path, Constant& constant,
           std::vector<std::uint64_t>& file_words) {
  const std::string_view text = token.text;
  const std::string_view size = text.substr(0, quote);
  if (size.find_first_not_of(" \t") != std::string_view::npos) {
    const std::uint64_t width = decimal(size, token, path);
    if (width == 0 || width > 65536)
      fail(209, path, token.line, "width of " + in_quotes(text) + " must be 1 to 65536");
    constant.width = static_cast<std::uint32_t>(width);
    constant.is_sized = true;
  }
  std::size_t base = quote + 1;
  constant.is_signed = text[base] == 's' || text[base] == 'S';
  if (constant.is_signed) ++base;
  const char letter = static_cast<char>(text[base] | 0x20);
  const std::string_view digits = text.substr(base + 1);
  std::vector<std::uint64_t> words((constant.width + 63) / 64, 0);
  if (letter == 'd') {
    words[0] = decimal(digits, token, path);
    for (std::size_t i = 1; i < words.size(); ++i) words[i] = 0;
  } else {
    digits_to_words(digits,
                    letter == 'b'   ? 1
                    : letter == 'o' ? 3
                                    : 4,
                    constant.width, token, path, words);
  }
  if (constant.width % 64 != 0) words.back() &= (std::uint64_t{1} << constant.width % 64) - 1;
  file_words.insert(file_words.end(), words.begin(), words.end());
}

}  // namespace

Constant parse_number(const Token& token, const std::string& path,
                      std::vector<std::uint64_t>& words) {
  const std::size_t quote = token.text.find('\'');
  Constant constant{32, false, true, static_cast<std::uint32_t>(words.size())};
  if (quote != std::string_view::npos) {
    based(token, quote, path, constant, words);
    return constant;
  }
  words.push_back(decimal(token.text, token, path));
  if (words.back() >> 32 != 0)
    fail(209, path, token.line,
         "number " + in_quotes(token.text) + " exceeds 32 bits; give its width");
  return constant;
}

}  // namespace axmul::detail
