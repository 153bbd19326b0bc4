// Characters that axmul writes, and how ASCII spells them.
#include "command/ascii.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace axmul::cli {

namespace {

constexpr std::pair<std::string_view, std::string_view> kSpellings[] = {
    {"σ", "sigma"}, {"Σ", "sum"}, {"µ", "u"},   {"ε", "eps"}, {"λ", "lambda"}, {"–", "-"},
    {"−", "-"},     {"—", "-"},   {"…", "..."}, {"·", "*"},   {"×", "x"},      {"±", "+-"},
    {"≥", ">="},    {"≤", "<="},  {"≠", "!="},  {"→", "->"},  {"²", "^2"},     {"³", "^3"},
    {"√", "sqrt"},  {"█", "#"},   {"░", "."},   {"“", "\""},  {"”", "\""},     {"’", "'"},
    {"é", "e"},     {"ü", "u"},   {"ö", "o"},   {"ä", "a"},   {"ß", "ss"}};

std::size_t length_of(unsigned char first) {
  return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

std::string_view spelled(std::string_view character) {
  for (const auto& [utf8, ascii] : kSpellings)
    if (utf8 == character) return ascii;
  return "?";
}

}  // namespace

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos ||
           locale.find("UTF8") != std::string_view::npos ||
           locale.find("utf-8") != std::string_view::npos;
  }
  return false;
}

AsciiBuffer::int_type AsciiBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  const auto code = static_cast<unsigned char>(byte);
  if (rest_.empty() && code < 0x80) {
    to_.put(byte);
    return c;
  }
  if ((code & 0xC0) != 0x80) flush_rest();
  if (code < 0x80) {
    to_.put(byte);
    return c;
  }
  rest_ += byte;
  if (rest_.size() >= length_of(static_cast<unsigned char>(rest_.front()))) {
    to_ << spelled(rest_);
    rest_.clear();
  }
  return c;
}

int AsciiBuffer::sync() {
  to_.flush();
  return to_ ? 0 : -1;
}

void AsciiBuffer::flush_rest() {
  if (!rest_.empty()) to_ << '?';
  rest_.clear();
}

}  // namespace axmul::cli
