// A product table in exact integer parts that units for 8-bit products compute: few products of
// 8-bit factors, or one product of a with a small rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"

namespace axmul {

/// scale · u(a) · v(b) + row · u(a): one product of 8-bit factors. Arrays are by bit pattern of the
/// operand. `row` is what the sum over u alone counts: it moves factors v into signed bytes, by 128
/// (row = 128 · scale) where they are unsigned bytes.
struct AXMUL_API DigitProduct {
  std::int32_t scale = 1;
  std::int32_t row = 0;
  std::array<std::uint8_t, 256> u{};
  std::array<std::int8_t, 256> v{};
};

/// lut(a, b) = column(b) + Σ over products of (scale·u(a)·v(b) + row·u(a)), for all operands.
struct AXMUL_API DigitProducts {
  std::vector<DigitProduct> products;
  std::array<std::int32_t, 256> column{};  ///< by bit pattern of b
  /// Rank over the rationals of the table less its first row, lut(a, b) − lut(a_min, b): the number
  /// of integer factor pairs that products are the digits of.
  std::size_t rank = 0;
};

/// The table as products of 8-bit factors. Integer factors come from a reduced basis of the lattice
/// that the differences of rows generate, digits from base 256; the result is compared with all
/// 65,536 products before it is given. Nothing where the rank is above `most_rank` (at most 8) or
/// more than `most_products` would be needed.
AXMUL_API std::optional<DigitProducts> digit_products(const Lut& lut, std::size_t most_products = 4,
                                                      std::size_t most_rank = 3);

/// lut(a, b) = floor(b) + factor · (slope(b)·(a − a_min) + rest(a, b)), rest(a, b) = 0 … range(b),
/// for the activations `first` … `first` + `count` − 1 above a_min. All arrays are by ascending
/// value.
struct AXMUL_API ProductRest {
  std::size_t first = 0, count = 256;
  std::int32_t factor = 1;  ///< the common factor of the differences of rows
  std::array<std::int32_t, 256> slope{};
  std::array<std::int32_t, 256> floor{};
  std::array<std::uint32_t, 256> range{};
  std::uint32_t largest_range() const;
};

/// The slopes that leave the smallest rests, at most 255 apart so that they are 8-bit factors.
/// Throws UsageError AX603 unless 0 < count and first + count ≤ 256.
AXMUL_API ProductRest product_and_rest(const Lut& lut, std::size_t first = 0,
                                       std::size_t count = 256);

}  // namespace axmul
