// The inner loops of wide statistics: sums over a run of pairs that share operand a.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail::stats {

inline constexpr std::size_t kRunLanes = 8;

/// Lane l sums the pairs l, l + 8, … of a run. Uniform: every sum but `relative` is an exact
/// integer, and Σe² = Σhigh·2^34 + Σcross·2^18 + Σlow. Weighted: sums of q(b)·…, e² in low.
struct RunSums {
  double error[kRunLanes], abs[kRunLanes], nonzero[kRunLanes], largest[kRunLanes];
  double high[kRunLanes], cross[kRunLanes], low[kRunLanes];
};

/// |e|/|ab| over exact ≠ 0 and |e|/max(1, |ab|) over all pairs of a run, sums and maxima.
struct RunRelative {
  double exclude_zero[kRunLanes], max_one[kRunLanes];
  double worst_exclude_zero[kRunLanes], worst_max_one[kRunLanes];
};

/// e = low + 65536·high − a·b of n pairs with b = b0, b0 + 1, …; n is a multiple of 8 or below it,
/// |e| < 2^37, n ≤ 4096. abs gets |e|. q: null, or the probability of each b.
void run_sums(const std::int32_t* low, const std::int32_t* high, std::size_t n, double a, double b0,
              const double* q, double* abs, RunSums& out);

/// Of the |e| that run_sums() left.
void run_relative(const double* abs, std::size_t n, double a, double b0, const double* q,
                  RunRelative& out);

}  // namespace axmul::detail::stats
