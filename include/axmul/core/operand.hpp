// Operand types: which integers the two inputs of an 8x8-bit multiplier take.
#pragma once

#include <cstdint>
#include <optional>
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

}  // namespace axmul
