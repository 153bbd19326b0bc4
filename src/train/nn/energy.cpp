// What the multiplications of a network cost in its present state.
#include <cmath>

#include "axmul/train/network.hpp"

namespace axmul {

Coverage coverage_of(const Network& network) {
  Coverage coverage;
  std::size_t not_counted = 0;
  for (const auto& layer : network.layers) coverage.ops_covered += static_cast<double>(layer->ops);
  for (const UncoveredCall& call : network.uncovered)
    if (std::isnan(call.ops))
      ++not_counted;
    else
      coverage.ops_not_covered += call.ops;
  coverage.calls_not_counted = not_counted;
  return coverage;
}

double relative_energy(const Network& network) {
  const Coverage coverage = coverage_of(network);
  double energy = coverage.ops_not_covered;
  for (const auto& layer : network.layers) {
    const bool approximate = layer->mode == LayerMode::approximate && layer->multiplier;
    energy +=
        static_cast<double>(layer->ops) * (approximate ? layer->multiplier->cost.power_rel : 1.0);
  }
  return energy / (coverage.ops_covered + coverage.ops_not_covered);
}

}  // namespace axmul
