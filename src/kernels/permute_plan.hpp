// What the byte-permute kernels prepare of tables and weights.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "axmul/core/array2.hpp"
#include "axmul/kernels/decomposition.hpp"
#include "kernels/engine.hpp"
#include "kernels/micro.hpp"
#include "kernels/permute.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

/// Taps of a slice, at most: a tile of them stays in the second-level cache.
inline constexpr std::size_t kPermuteSliceTaps = 2048;

/// LUT - slope * x per column, over all activations and over the bit patterns 0 … 127.
struct ColumnRanges {
  std::array<std::int32_t, 256> slope{};
  std::array<std::int32_t, 256> floor_small{}, floor_large{};
  /// Range above the floor, in units of a factor that all have in common.
  std::array<std::uint32_t, 256> small{}, large{};
  std::int32_t small_factor = 1, large_factor = 1;
  std::shared_ptr<const DigitProducts> lines;  // null: the slopes are one, of sums over rows
};

/// Which entries: those above the floor of the bit patterns 0 … 127 or 0 … 255, or, for large
/// activations that have been taken for what they are without their highest bit, the difference.
enum class Entries { small, large, mend };

/// Added to differences.
inline constexpr std::uint32_t kMendOffset = 32768;

/// Entries as one byte, or two: low_bits and the rest.
struct PermuteTables {
  Entries entries = Entries::small;
  const ColumnRanges* ranges = nullptr;
  unsigned low_bits = 8, planes = 2;
  Bytes bytes;  // [257 columns][planes][128 or 256]
};

/// What is prepared of a table, whatever the weights.
struct PermuteFacts {
  std::vector<ColumnRanges> ranges;  // without a slope, with the table's own
  std::vector<ColumnRanges> rests;   // with each column's own, best for few activations and for all
  std::vector<std::shared_ptr<const PermuteTables>> tables;
  std::mutex mutex;
};

/// A number of taps, each channel's in the order of their high bytes.
struct PermuteSlice {
  std::size_t begin = 0, end = 0;
  std::size_t padded = 0;                        // a channel's taps, at most, in multiples of four
  std::vector<PermuteStep> steps;                // [m, padded]
  std::vector<std::array<std::size_t, 3>> ends;  // [m], in taps: high bytes below 64, 128, 256
  std::vector<std::int32_t> small_constant;      // [m] sum of small floors, modulo 2^32
  std::vector<std::int32_t> large_constant;      // [m] the same of large ones
};

/// What is prepared of the weights: how entries are cut, and, when first needed, the steps.
struct PermutePlan {
  bool fits = false;
  double work = 0;  // of a look-up: Cut::work
  PermuteKind small_kind = kPermuteSmall8, large_kind = kPermuteLarge8;
  bool sorted = false;  // each channel's taps by their high bytes; else all in one order
  const ColumnRanges* ranges = nullptr;
  std::shared_ptr<PermuteFacts> facts;
  std::shared_ptr<const PermuteTables> small, large, mend;
  mutable std::once_flag once;
  mutable Array2<std::uint8_t> column;       // [m, k], where entries are mended
  mutable std::vector<PermuteSlice> slices;  // over all taps
};

/// The plan of the weights, made when first asked for; its steps are not there before
/// complete_permute_plan_of.
std::shared_ptr<const PermutePlan> permute_plan_of(const Weights& weights, PermuteTerms terms);
std::shared_ptr<const PermutePlan> complete_permute_plan_of(const Weights& weights,
                                                            PermuteTerms terms);

/// Steps of the taps begin … end − 1 in slices.
std::vector<PermuteSlice> make_permute_slices(const PermutePlan& plan, const Weights& weights,
                                              std::size_t begin, std::size_t end);

}  // namespace axmul::detail
