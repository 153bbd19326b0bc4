// Energies of networks.
#include "train/nn/energy.hpp"

#include <cmath>

namespace axmul::train {

double relative_energy(const Network& network) {
  double total = 0, energy = 0;
  for (const auto& layer : network.layers) {
    const auto ops = static_cast<double>(layer->ops);
    const bool approximate = layer->mode == LayerMode::approximate && layer->multiplier;
    total += ops;
    energy += ops * (approximate ? layer->multiplier->cost.power_rel : 1.0);
  }
  const double left = ops_not_covered(network);
  return (energy + left) / (total + left);
}

double ops_not_covered(const Network& network) {
  double ops = 0;
  for (const UncoveredCall& call : network.uncovered)
    if (std::isfinite(call.ops)) ops += call.ops;
  return ops;
}

}  // namespace axmul::train
