// Matching: the cheapest multipliers whose errors the layers tolerate, each for itself or all
// together (src/README.md#networks).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/array2.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/model/coverage.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul {

/// Noise level that a layer was found to tolerate, relative to its output_std.
struct AXMUL_API LayerSigma {
  std::string layer;
  double sigma_l = 0;  ///< the sign does not matter
  /// The loss rises by loss_curvature·s² when the layer's output gets noise of s·output_std; NaN =
  /// not known.
  double loss_curvature = std::numeric_limits<double>::quiet_NaN();
};

enum class MatchRule : std::uint8_t {
  /// A multiplier fits when its σ ≤ |sigma_l|·output_std; each layer gets the cheapest that fits
  /// (Trommer, Waschneck, Kumar, ICCAD 2022).
  tolerance,
  /// The cheapest assignment of all whose predicted rise of the loss,
  /// Σ loss_curvature·(σ/output_std)², is at most what noise of sigma_l costs,
  /// Σ loss_curvature·sigma_l². What one layer leaves unused another may spend, so match() never
  /// gives more energy than by `tolerance`.
  budget
};
AXMUL_API std::string_view to_string(MatchRule rule);
AXMUL_API std::optional<MatchRule> parse_match_rule(std::string_view name);

/// What multipliers take in each layer, where that is not one figure for all layers.
struct AXMUL_API LayerEnergies {
  Array2<double> power_rel;  ///< [layers, library], the exact multiplier in that layer = 1; NaN:
                             ///< unknown, no candidate there
  /// Energy of the exact multiplier in each layer over its mean over all multiplications: [layers].
  std::vector<double> exact;
  std::string source;  ///< what they are, as Cost::source: "estimated under traced operands …"
  bool empty() const { return power_rel.empty(); }
};

struct AXMUL_API MatchOptions {
  /// Compare sigma_corrected: the mean of each channel is folded into the bias. Needs a model with
  /// channels. false: compare sigma_acc.
  bool bias_folding = true;
  /// Multiplications per image that no layer holds: they are exact and count 1 in the energy.
  double ops_not_covered = 0;
  MatchRule rule = MatchRule::tolerance;
  /// With MatchRule::budget no layer gets a multiplier of more σ/output_std than this, unless it
  /// tolerates that by itself: the quadratic rise of the loss is a fair model of small errors only.
  double sigma_limit = 0.5;
  /// false: no layer may stay exact; where one must, relative_energy is infinite.
  bool may_stay_exact = true;
  /// Compare the upper bounds that add_bounds() set instead of the predictions themselves.
  bool pessimistic = false;
  /// Calls that multiply nobody knows how often, which makes the energy a bound; absent: unknown
  /// whether there are any.
  std::optional<std::size_t> calls_not_counted = 0;
  /// Layers that stay exact whatever they tolerate. They need no sigma, no output_std and no
  /// prediction, take no part in the budget, and cost 1.
  std::vector<std::string> exact_layers{};
  /// Energies that differ between layers (axmul/tables/energy.hpp); empty: the multipliers' own
  /// cost.power_rel in every layer.
  LayerEnergies energies{};
};

/// What matching compares with sigma_l·output_std of a prediction: sigma_corrected with bias
/// folding, sigma_acc without, their bounds where pessimistic.
AXMUL_API double compared_sigma(const Prediction& prediction, const MatchOptions& options);

/// The index of no multiplier.
inline constexpr std::size_t kExact = static_cast<std::size_t>(-1);

struct AXMUL_API LayerMatch {
  std::string layer;
  std::size_t index = kExact;        ///< into the library
  std::string multiplier = "exact";  ///< its name, or "exact"
  std::string sha256;                ///< of the multiplier's own table; empty for "exact"
  bool none_fits = false;            ///< by the tolerance rule, so that it stays exact
  double sigma_rel = 0;              ///< sigma_acc / output_std, as Prediction has it
  double sigma_corrected_rel = 0;    ///< sigma_corrected / output_std; NaN for models without
  double sigma_compared = 0;         ///< compared_sigma() / output_std, held against the threshold
  double threshold = 0;              ///< |sigma_l|
  double power_rel = 1;
  /// LayerEnergies::exact of the layer; 1 where energies are the same in all.
  double exact_energy = 1;
  double ops = 0;
  /// As Prediction has them; NaN for "exact" and where the model does not tell.
  double effective_fields = std::numeric_limits<double>::quiet_NaN(),
         fields_90 = std::numeric_limits<double>::quiet_NaN();
  bool has_rare_events() const { return effective_fields < kFewFields; }
};

struct AXMUL_API MatchReport {
  std::vector<LayerMatch> layers;
  /// Σ ops·exact_energy·power_rel / Σ ops·exact_energy, those not covered included (1 each); only
  /// multiplications are counted unless the energies' source says more.
  double relative_energy = 1;
  Coverage coverage;  ///< whose multiplications these are
  /// Predicted rise of the loss, and of noise of sigma_l in all layers; NaN without curvatures.
  double loss_rise = std::numeric_limits<double>::quiet_NaN(),
         loss_budget = std::numeric_limits<double>::quiet_NaN();
  std::size_t without_cost = 0;    ///< multipliers that were no candidates: no positive power_rel
  std::string source, technology;  ///< of the compared costs; empty without candidates
};

/// predictions: [layers, library], as predict() returns them for the same layers and library.
/// Among multipliers that fit, the smallest power_rel wins, ties by smaller σ, then by smaller
/// SHA-256. Multipliers that cost more than the exact one (power_rel > 1) lose to it. Where nothing
/// is tolerated (sigma_l = 0; with MatchRule::budget, of all layers) only tables without any error
/// fit. Throws InputError AX707 (a layer without sigma or a sigma without layer, one given twice,
/// sigma_l not finite; unknown output_std or ops; receptive fields that tell no σ, since there is
/// one only or none of the layer's sums differs between them; with MatchRule::budget a
/// loss_curvature that is unknown or not positive; an exact layer that there is not), AX708 (costs
/// of different sources or technologies, both named), UsageError AX709 (sizes differ; a σ to
/// compare is NaN: bias folding with a model without channels, pessimistic without bounds;
/// energies of other layers or another library).
AXMUL_API MatchReport match(std::span<const LayerOperands> layers,
                            std::span<const Multiplier> library,
                            const PredictionMatrix& predictions, std::span<const LayerSigma> sigmas,
                            const MatchOptions& options = {});

}  // namespace axmul
