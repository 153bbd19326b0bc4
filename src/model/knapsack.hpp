// The multiple-choice knapsack: one option for each item, least cost within a limit.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace axmul {

struct KnapsackOption {
  double cost = 0;    ///< ≥ 0
  double weight = 0;  ///< ≥ 0
};

/// One option of each item, so that the weights add up to at most `limit` at the least cost, found
/// by dynamic programming over weights that are rounded up to 1/16384 of the limit (H. Kellerer, U.
/// Pferschy, D. Pisinger, Knapsack Problems, Springer 2004, ch. 11): never above the limit (but for
/// the last bits of the sum), and as cheap as any choice that stays below limit·(1 − items/16384).
/// Of equal costs the one of fewer 16384ths wins, within an item the lighter, then the first
/// option. Empty when no choice keeps the limit. O(items·options·16384).
std::vector<std::size_t> cheapest_within(std::span<const std::vector<KnapsackOption>> items,
                                         double limit);

}  // namespace axmul
