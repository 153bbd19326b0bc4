// Matching: the cheapest multiplier whose error a layer tolerates (DESIGN 5).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul {

/// Noise level that a layer was found to tolerate, relative to its output_std.
struct AXMUL_API LayerSigma {
  std::string layer;
  double sigma_l = 0;  ///< the sign does not matter
};

struct AXMUL_API MatchOptions {
  /// Compare sigma_corrected: the mean of each channel is folded into the bias. Needs a model with
  /// channels. false: compare sigma_acc.
  bool bias_folding = true;
  /// Multiplications per image that no layer holds: they are exact and count 1 in the energy.
  double ops_not_covered = 0;
};

struct AXMUL_API LayerMatch {
  std::string layer;
  std::string multiplier;  ///< name, or "exact" when none fits
  std::string sha256;      ///< of the multiplier's own table; empty for "exact"
  bool none_fits = false;  ///< the exact multiplier was put in because nothing else fitted
  double sigma_rel = 0;    ///< the compared σ over output_std
  double threshold = 0;    ///< |sigma_l|
  double power_rel = 1;
  double ops = 0;
};

struct AXMUL_API MatchReport {
  std::vector<LayerMatch> layers;
  /// Σ ops·power_rel / Σ ops, those not covered included; only multiplications are counted.
  double relative_energy = 1;
  std::size_t without_cost = 0;    ///< multipliers that were no candidates: no positive power_rel
  std::string source, technology;  ///< of the compared costs; empty without candidates
};

/// predictions: [layers, library], as predict() returns them for the same layers and library.
/// A multiplier fits when its σ ≤ |sigma_l|·output_std; the smallest power_rel wins, ties by
/// smaller σ, then by smaller SHA-256. Fitting multipliers that cost more than the exact one
/// (power_rel > 1) lose to it. Throws InputError AX707 (a layer without sigma or a sigma without
/// layer, one given twice, unknown output_std, sigma_l not finite), AX708 (costs of different
/// sources or technologies, both named), UsageError AX709 (sizes differ; bias folding with a model
/// without channels).
AXMUL_API MatchReport match(std::span<const LayerOperands> layers,
                            std::span<const Multiplier> library,
                            const PredictionMatrix& predictions, std::span<const LayerSigma> sigmas,
                            const MatchOptions& options = {});

}  // namespace axmul
