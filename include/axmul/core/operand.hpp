// Operand types: which integers the two inputs of a multiplier take.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "axmul/core/api.hpp"

namespace axmul {

inline constexpr int kOperandCount = 256;  // values per operand

/// Kinds of the operands a (activation, LUT row) and b (weight, LUT column).
enum class OperandType : std::uint8_t { u8u8, s8s8, u8s8 };
inline constexpr OperandType kOperandTypes[] = {OperandType::u8u8, OperandType::s8s8,
                                                OperandType::u8s8};

constexpr bool a_is_signed(OperandType type) { return type == OperandType::s8s8; }
constexpr bool b_is_signed(OperandType type) { return type != OperandType::u8u8; }

/// Smallest operand value: 0 or -128. The values are min … min + 255, ascending.
constexpr int a_min(OperandType type) { return a_is_signed(type) ? -128 : 0; }
constexpr int b_min(OperandType type) { return b_is_signed(type) ? -128 : 0; }
constexpr int a_max(OperandType type) { return a_min(type) + 255; }
constexpr int b_max(OperandType type) { return b_min(type) + 255; }

/// Largest |a·b|: 65025 (u8u8), 16384 (s8s8), 32640 (u8s8).
constexpr int max_abs_product(OperandType type) {
  return type == OperandType::u8u8 ? 65025 : type == OperandType::s8s8 ? 16384 : 32640;
}

/// "u8u8", "s8s8" or "u8s8".
AXMUL_API std::string_view to_string(OperandType type);
/// The type of that name; nothing for any other text.
AXMUL_API std::optional<OperandType> parse_operand_type(std::string_view text);

/// Bits of the operands a and b.
struct OperandWidths {
  int a = 8, b = 8;
  friend bool operator==(const OperandWidths&, const OperandWidths&) = default;
};
inline constexpr int kMostOperandBits = 16;

/// The type of a multiplier of any widths, 1 … 16 bits an operand: "u8u3", "s12s12". An OperandType
/// is that of 8x8 bits, and converts to it.
struct SizedType {
  OperandType kind = OperandType::u8u8;  ///< which operands are signed
  OperandWidths bits{};

  constexpr SizedType() = default;
  constexpr SizedType(OperandType type, OperandWidths widths = {}) : kind(type), bits(widths) {}
  constexpr bool is_8x8() const { return bits.a == 8 && bits.b == 8; }
  /// Both operands have at most 8 bits: products fit a table (Lut).
  constexpr bool has_table() const { return bits.a <= 8 && bits.b <= 8; }
  /// Operand pairs, 2^(a+b); also the full scale that percentages refer to.
  constexpr std::int64_t pairs() const { return std::int64_t{1} << (bits.a + bits.b); }
  friend constexpr bool operator==(const SizedType& x, const SizedType& y) {
    return x.kind == y.kind && x.bits.a == y.bits.a && x.bits.b == y.bits.b;
  }
  friend constexpr std::strong_ordering operator<=>(const SizedType& x, const SizedType& y) {
    if (x.kind != y.kind) return x.kind <=> y.kind;
    if (x.bits.a != y.bits.a) return x.bits.a <=> y.bits.a;
    return x.bits.b <=> y.bits.b;
  }
};

constexpr bool a_is_signed(const SizedType& type) { return a_is_signed(type.kind); }
constexpr bool b_is_signed(const SizedType& type) { return b_is_signed(type.kind); }
constexpr int a_min(const SizedType& type) {
  return a_is_signed(type.kind) ? -(1 << (type.bits.a - 1)) : 0;
}
constexpr int b_min(const SizedType& type) {
  return b_is_signed(type.kind) ? -(1 << (type.bits.b - 1)) : 0;
}
constexpr int a_max(const SizedType& type) { return a_min(type) + (1 << type.bits.a) - 1; }
constexpr int b_max(const SizedType& type) { return b_min(type) + (1 << type.bits.b) - 1; }

/// Largest |a·b|.
constexpr std::int64_t max_abs_product(const SizedType& type) {
  const std::int64_t a = a_is_signed(type) ? -std::int64_t{a_min(type)} : a_max(type);
  const std::int64_t b = b_is_signed(type) ? -std::int64_t{b_min(type)} : b_max(type);
  return a * b;
}

/// "u8u3", "s12s12" …; at 8x8 bits the name of the OperandType.
AXMUL_API std::string to_string(const SizedType& type);
/// The type of that name, 1 … 16 bits an operand; nothing for any other text, nor for a signed a
/// beside an unsigned b, which is no type.
AXMUL_API std::optional<SizedType> parse_sized_type(std::string_view text);
/// "8x3" → 8 and 3 bits, "7" → 7 and 7; nothing for any other text or more than 16 bits.
AXMUL_API std::optional<OperandWidths> parse_widths(std::string_view text);

}  // namespace axmul
