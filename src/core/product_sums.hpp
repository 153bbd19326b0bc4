// Sums over 65536 words that compare them with the exact products of any reading.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "axmul/core/multiplier.hpp"
#include "axmul/core/resemblance.hpp"

namespace axmul::detail {

/// The operand values along one index of a table: 0 … 255, -128 … 127, or 0 … 127, -128 … -1.
enum class IndexKind : std::uint8_t { plain, value, bits };

constexpr IndexKind index_kind(bool is_signed, OperandIndex index) {
  if (!is_signed) return IndexKind::plain;
  return index == OperandIndex::value ? IndexKind::value : IndexKind::bits;
}

/// One pass over the words; each reading of them then costs a few multiplications, as every
/// operand value is a weighted sum of 1, the index and the index's top bit.
class ProductSums {
 public:
  /// words: first index slow; |word| < 2^25.
  explicit ProductSums(std::span<const std::int32_t, kLutSize> words);
  Resemblance with(IndexKind first, IndexKind second) const;

 private:
  template <class Sum>
  void add(std::span<const std::int32_t, kLutSize> words);

  /// Σ word·f·g with f of the first and g of the second index: 1, the index, its top bit.
  std::array<std::array<double, 3>, 3> sums_{};
  double squares_ = 0;              ///< Σ word²
  double interaction_squares_ = 0;  ///< the same of their interaction
};

}  // namespace axmul::detail
