// What one design family gives to the registry: its public description and how to compute it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "axmul/designs/designs.hpp"

namespace axmul::detail::designs {

/// One configuration: operand width, signedness and parameter values in the family's order.
struct DesignConfig {
  int width = 8;
  bool a_signed = false, b_signed = false;
  std::array<int, 4> value{};
  int operator[](std::size_t i) const { return value[i]; }
};

/// How operands of a signed type reach the family's function.
enum class SignedForm : std::uint8_t {
  native,         ///< the function takes the values as they are (two's-complement circuits)
  sign_magnitude  ///< the function sees |a|, |b|; the result takes the sign of a·b, sgn(0) = +1
};

/// Approximate product of one configuration; operands as for Family::product.
using Evaluator = std::function<std::int64_t(std::int64_t a, std::int64_t b)>;

class Circuit;

struct Family {
  Design design;
  /// Approximate product; operands are values, or magnitudes under SignedForm::sign_magnitude.
  std::int64_t (*product)(const DesignConfig&, std::int64_t a, std::int64_t b) = nullptr;
  /// Instead of product, for families that prepare something once per configuration.
  Evaluator (*evaluator)(const DesignConfig&) = nullptr;
  SignedForm signed_form = SignedForm::native;
  /// The circuit: product bits from c.a() and c.b(), or from magnitudes under
  /// SignedForm::sign_magnitude; nullptr: none.
  std::vector<std::uint32_t> (*circuit)(Circuit& c, const DesignConfig& config,
                                        const std::vector<std::uint32_t>& a,
                                        const std::vector<std::uint32_t>& b) = nullptr;
  /// Why these parameter values exclude each other, or an empty text; nullptr: every mix is good.
  std::string (*conflict)(const DesignConfig&) = nullptr;
};

inline std::vector<OperandType> unsigned_only() { return {OperandType::u8u8}; }
inline std::vector<OperandType> all_types() {
  return {OperandType::u8u8, OperandType::s8s8, OperandType::u8s8};
}

/// Bit i of a value, two's complement.
inline std::int64_t bit(std::int64_t x, int i) { return (x >> i) & 1; }
/// Position of the leading one; x > 0.
inline int leading_one(std::int64_t x) {
  return 63 - __builtin_clzll(static_cast<unsigned long long>(x));
}

}  // namespace axmul::detail::designs
