// Inside of the kernels layer: what a prepared product is and what a kernel gets to work on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "axmul/core/array2.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/kernels/decomposition.hpp"
#include "axmul/kernels/lut_gemm.hpp"

namespace axmul::detail {

/// Consecutive taps whose activation bytes lie side by side: tap k + i of row r is at
/// base + offset_of(r) + offset + i. A GEMM has one segment, a convolution one per kernel row.
struct Segment {
  std::size_t k = 0;
  std::size_t length = 0;
  std::ptrdiff_t offset = 0;
};

/// The activations of a product, read in place: nothing is packed.
struct Activations {
  const std::uint8_t* base = nullptr;
  std::size_t rows = 0;
  std::ptrdiff_t row_stride = 0;               ///< used where row_offset is empty
  std::span<const std::ptrdiff_t> row_offset;  ///< one per row
  std::span<const Segment> segments;           ///< cover the taps in order

  std::ptrdiff_t offset_of(std::size_t row) const {
    return row_offset.empty() ? static_cast<std::ptrdiff_t>(row) * row_stride : row_offset[row];
  }

  /// Rows first … first + count − 1.
  Activations part(std::size_t first, std::size_t count) const {
    Activations some = *this;
    some.rows = count;
    if (row_offset.empty())
      some.base = base + offset_of(first);
    else
      some.row_offset = row_offset.subspan(first, count);
    return some;
  }
};

/// What a table is, whatever the weights.
struct LutFacts {
  explicit LutFacts(const Lut& table);

  Lut lut;
  std::array<std::int32_t, 256> bound{};  ///< largest |product| per column, by ascending value
  /// Where the table is u(a)·v(b) in integers that fit 16 bits: u by bit pattern, v by ascending
  /// value; else empty.
  std::vector<std::int16_t> u, v;

  /// The table as digit products, found when first asked for; null where it is not one of few.
  std::shared_ptr<const DigitProducts> digits() const;

  /// What permute.cpp derives from the table, for all products with it.
  mutable std::mutex permute_mutex;
  mutable std::shared_ptr<void> permute;

  /// What column.cpp derives from the table for slopes and ranges that occurred last.
  mutable std::mutex column_mutex;
  mutable std::vector<std::shared_ptr<const void>> columns;

 private:
  mutable std::once_flag digits_once_;
  mutable std::shared_ptr<const DigitProducts> digits_;
};

/// The facts of a table: found once and remembered by this thread for some tables.
std::shared_ptr<const LutFacts> facts_of(const Lut& lut);

/// Several groups of a convolution side by side: runs of `taps` taps and `channels` output channels
/// belong to groups 0, 1, … count − 1, 0, …, and only taps of its own group add to a channel.
struct Groups {
  std::size_t count = 1;
  std::size_t taps = 1;
  std::size_t channels = 1;
  /// Every output channel has input channels of its own, whose bytes are found otherwise.
  bool apart = false;
  /// Output channels first … last − 1, of m, to which a tap adds.
  std::pair<std::size_t, std::size_t> channels_of(std::size_t tap, std::size_t m) const {
    if (count == 1) return {0, m};
    const std::size_t first = tap / taps % count * channels;
    return {first, first + channels};
  }
};

/// Fixed weights and table.
struct Weights {
  Weights(std::shared_ptr<const LutFacts> table, std::size_t fan_in, std::size_t channels,
          std::span<const std::uint8_t> bits, std::size_t stride, const Groups& together = {});

  std::shared_ptr<const LutFacts> shared_facts;
  const LutFacts& facts;
  const Lut& lut;
  std::size_t k = 0, m = 0;
  Groups groups;                ///< with several, only the byte-permute kernels can be used
  Array2<std::uint8_t> column;  ///< [k, m] column of the table, by ascending value
  std::uint8_t a_flip = 0;      ///< bit pattern ^ a_flip = row of the table, by ascending value
  /// Taps cut where the bound of a slice's sums would reach 2^31: 0, …, k. With two entries int32
  /// is enough for all.
  std::vector<std::size_t> int32_cuts;
  std::size_t worst_channel = 0;  ///< where the bound over all taps is largest
  std::uint64_t worst_bound = 0;

  /// What the last run derived from table and weights (column.cpp), for the next one.
  mutable std::mutex derived_mutex;
  mutable std::shared_ptr<const void> derived;
  mutable std::shared_ptr<const void> permuted;        ///< the same of permute.cpp
  mutable std::shared_ptr<const void> permuted_rests;  ///< and beside lines
  mutable std::shared_ptr<const void> digits;          ///< the same of digits.cpp

  Accumulator accumulator() const {
    return int32_cuts.size() <= 2 ? Accumulator::int32 : Accumulator::int64;
  }
};

/// Throws InputError AX601 unless int32 is enough.
void require_int32(const Weights& weights);

/// One product with 32-bit sums over the taps k_begin … k_end − 1 (y is overwritten).
struct Problem {
  const Weights* weights = nullptr;
  const Activations* a = nullptr;
  std::size_t k_begin = 0, k_end = 0;
  std::int32_t* y = nullptr;
  std::size_t y_stride = 0;
  int threads = 1;
  std::uint8_t skip = 0;  ///< the commonest activation byte, which sparse kernels skip
};

/// y = product, int32 (the caller has checked the bound) or int64, on the kernel of that name or,
/// for an empty one, the selector's.
void run_product(const Weights& weights, const Activations& a, std::int32_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel);
void run_product(const Weights& weights, const Activations& a, std::int64_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel);
std::string kernel_for(const Weights& weights, const Activations& a, const std::string& kernel);

/// Records which kernel is running (see last_lut_gemm_kernel).
void set_last_kernel(const char* name);

}  // namespace axmul::detail
