// Pareto fronts of two figures: which designs are beaten in both, and by which.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "axmul/core/api.hpp"

namespace axmul {

/// One design as a point; `lower is better` holds for both coordinates (negate what should be
/// high).
struct AXMUL_API ParetoPoint {
  double x = 0;
  double y = 0;
};

/// Where a point stands. A point dominates another when it is nowhere worse and somewhere better;
/// equal points do not dominate each other.
struct AXMUL_API ParetoPlace {
  bool comparable = true;      ///< false where x or y is NaN: such a point takes no part
  std::size_t rank = 0;        ///< 1 = on the front; r = on the front once r − 1 fronts are gone
  std::size_t dominators = 0;  ///< how many points dominate it
  std::size_t dominated_by = npos;  ///< the dominator on the front with the largest x, or npos
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

/// Places of all points, in their order. O(n²) comparisons; no allocation beyond the result.
AXMUL_API std::vector<ParetoPlace> pareto(std::span<const ParetoPoint> points);

}  // namespace axmul
