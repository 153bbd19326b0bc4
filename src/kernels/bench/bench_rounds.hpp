// What the rounds of a benchmark say: every contestant has its turn in every round, so that figures
// of one round were taken under the same load, and ratios are formed round by round.
#pragma once

#include <vector>

#include "axmul/kernels/bench.hpp"

namespace axmul::detail {

/// One contestant's turns: what it does in a turn, and the seconds of each turn. All contestants of
/// a benchmark have equally many.
struct Turns {
  double work = 0;  ///< multiply-accumulates, or clock cycles
  std::vector<double> seconds;
};

/// Median and outer tenths of values that are one per round; all NaN for none.
BenchSpread spread_of(std::vector<double> values);

/// Work per second over the rounds.
BenchSpread speed_of(const Turns& turns);

/// Speed over that of another in the same round.
BenchSpread ratio_of(const Turns& ours, const Turns& other);

/// Speed, ratios and MAC/cycle of a result, with the worst of their differences; disturbed where
/// that is more than a quarter.
void judge_rounds(BenchResult& result);

}  // namespace axmul::detail
