// Medians and outer tenths over rounds, and what they say about the run.
#include "kernels/bench/bench_rounds.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace axmul {

double BenchSpread::difference() const { return (high - low) / median; }

namespace detail {

namespace {

/// Linear between the two nearest ranks; values are sorted and not empty.
double quantile(const std::vector<double>& values, double level) {
  const double at = level * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

BenchSpread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9)};
}

BenchSpread speed_of(const Turns& turns) {
  std::vector<double> speeds;
  for (const double seconds : turns.seconds) speeds.push_back(turns.work / seconds);
  return spread_of(std::move(speeds));
}

BenchSpread ratio_of(const Turns& ours, const Turns& other) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < std::min(ours.seconds.size(), other.seconds.size()); ++round)
    ratios.push_back(ours.work / ours.seconds[round] / (other.work / other.seconds[round]));
  return spread_of(std::move(ratios));
}

void judge_rounds(BenchResult& result) {
  result.largest_difference = 0;
  result.differs_most = "";
  const auto look = [&](const char* name, const BenchSpread& figure) {
    const double difference = figure.difference();
    if (!(difference > result.largest_difference)) return;  // also NaN
    result.largest_difference = difference;
    result.differs_most = name;
  };
  look("GMAC/s", result.mac_per_second);
  look("MAC/cycle", result.mac_per_cycle);
  for (const BenchYardstick& yardstick : bench_yardsticks())
    look(yardstick.label, result.ratio_to.*yardstick.field);
  result.disturbed = result.largest_difference > kBenchDisturbed;
}

}  // namespace detail

std::span<const BenchYardstick> bench_yardsticks() {
  static constexpr BenchYardstick kYardsticks[] = {
      {"triple_loop", "× triple loop", &BenchRatios::triple_loop},
      {"adapt_loop", "× 8-sum loop", &BenchRatios::adapt_loop},
      {"gather", "× gather", &BenchRatios::gather},
      {"sgemm", "× sgemm", &BenchRatios::sgemm},
      {"int8", "× int8", &BenchRatios::int8}};
  return kYardsticks;
}

}  // namespace axmul
