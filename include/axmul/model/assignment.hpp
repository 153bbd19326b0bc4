// Assignments of multipliers to layers beyond plain matching: at most n distinct ones, and the
// baselines (one for all layers, greedy by measured sensitivity).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/array2.hpp"
#include "axmul/model/matching.hpp"

namespace axmul {

/// As match(), with at most `most` distinct multipliers (the exact one counts where a layer needs
/// it). After QoS-Nets (arXiv 2410.07762): layers are grouped by k-means over their rows of
/// normalised predictions σ/(|sigma_l|·output_std); each group gets the cheapest multiplier that
/// all its layers tolerate, or the exact one. From there single exchanges are made as long as they
/// save energy under the rule of `options`, by which the layers are then matched with the chosen
/// ones. Throws as
/// match(), and UsageError AX971 for most = 0.
AXMUL_API MatchReport match_at_most(std::span<const LayerOperands> layers,
                                    std::span<const Multiplier> library,
                                    const PredictionMatrix& predictions,
                                    std::span<const LayerSigma> sigmas, const MatchOptions& options,
                                    std::size_t most, std::uint64_t seed = 1);

/// Lloyd's iterations from k-means++ seeding; the group of every row. Deterministic for a seed; at
/// most k groups, fewer where rows coincide.
AXMUL_API std::vector<std::size_t> k_means(const Array2<double>& rows, std::size_t k,
                                           std::uint64_t seed);

/// What a layer may be given in the greedy baseline.
struct AXMUL_API LayerOption {
  std::size_t multiplier = 0;  ///< index into the library
  double power_rel = 1;
  double damage = 0;  ///< rise of the loss when this layer alone uses it
};

/// Greedy layer sensitivity: from exact layers, always the change that saves most energy for each
/// unit of damage (damages add up), until Σ ops·power_rel/Σ ops ≤ energy or nothing cheaper is
/// left. options[l]: what layer l may use. Returns index into the library, or kExact, per layer.
AXMUL_API std::vector<std::size_t> greedy_assignment(
    std::span<const double> ops, std::span<const std::vector<LayerOption>> options, double energy);

}  // namespace axmul
