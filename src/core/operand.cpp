// Names of the operand types.
#include "axmul/core/operand.hpp"

#include <charconv>

namespace axmul {

std::string_view to_string(OperandType type) {
  switch (type) {
    case OperandType::u8u8:
      return "u8u8";
    case OperandType::s8s8:
      return "s8s8";
    case OperandType::u8s8:
      return "u8s8";
  }
  return "?";
}

std::optional<OperandType> parse_operand_type(std::string_view text) {
  for (OperandType type : kOperandTypes)
    if (text == to_string(type)) return type;
  return std::nullopt;
}

namespace {

/// Reads 1 … 16 off the front of a text; 0 where none stands there.
int take_bits(std::string_view& text) {
  int bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || bits < 1 || bits > kMostOperandBits || text.front() == '0') return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return bits;
}

}  // namespace

std::string to_string(const SizedType& type) {
  return (a_is_signed(type) ? "s" : "u") + std::to_string(type.bits.a) +
         (b_is_signed(type) ? "s" : "u") + std::to_string(type.bits.b);
}

std::optional<SizedType> parse_sized_type(std::string_view text) {
  bool is_signed[2] = {};
  int bits[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (text.empty() || (text.front() != 'u' && text.front() != 's')) return std::nullopt;
    is_signed[i] = text.front() == 's';
    text.remove_prefix(1);
    bits[i] = text.empty() ? 0 : take_bits(text);
    if (bits[i] == 0) return std::nullopt;
  }
  if (!text.empty() || (is_signed[0] && !is_signed[1])) return std::nullopt;
  const OperandType kind = is_signed[0]   ? OperandType::s8s8
                           : is_signed[1] ? OperandType::u8s8
                                          : OperandType::u8u8;
  return SizedType(kind, {bits[0], bits[1]});
}

std::optional<OperandWidths> parse_widths(std::string_view text) {
  OperandWidths widths;
  widths.a = widths.b = text.empty() ? 0 : take_bits(text);
  if (widths.a > 0 && text.size() > 1 && text.front() == 'x') {
    text.remove_prefix(1);
    widths.b = take_bits(text);
  }
  if (widths.a == 0 || widths.b == 0 || !text.empty()) return std::nullopt;
  return widths;
}

}  // namespace axmul
