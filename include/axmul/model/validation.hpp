// Validation: how well each error model predicts a full behavioural simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul {

/// half: predict from receptive fields of the first half, truth = all of the second half (other
/// images); none: truth = all receptive fields.
enum class ValidationSplit : std::uint8_t { half, none };

struct AXMUL_API ValidationOptions {
  std::vector<ErrorModel> models{std::begin(kErrorModels), std::end(kErrorModels)};
  ValidationSplit split = ValidationSplit::half;
  PredictOptions predict;  ///< patches, seed, strata …; model is set from the list
  Progress progress;       ///< (multipliers simulated, all multipliers)
};

/// Statistics of one error figure over all pairs.
struct AXMUL_API ErrorSummary {
  double median = 0, p90 = 0, max = 0;  ///< quantiles by linear interpolation
};

/// A pair whose prediction rests on few receptive fields (Prediction::has_rare_events()).
struct AXMUL_API RarePair {
  std::string layer, multiplier;
  double effective_fields = 0, fields_90 = 0;
  double rel_error = 0;  ///< |σ_predicted − σ_true| / σ_true
};

struct AXMUL_API ModelValidation {
  ErrorModel model = ErrorModel::global;
  double pearson = 0, spearman = 0;       ///< predicted against true sigma_acc, over pairs
  ErrorSummary rel_error;                 ///< |σ_predicted − σ_true| / σ_true
  std::string max_layer, max_multiplier;  ///< the pair of rel_error.max
  ErrorSummary mean_error;                ///< |mean_predicted − mean_true| / σ_true
  /// |σ_m predicted − true| / true over pairs and channels of true σ_m > 0; NaN without channels.
  ErrorSummary channel_rel_error;
  std::vector<RarePair> rare;    ///< by rising effective_fields
  double ns_per_prediction = 0;  ///< one layer, one multiplier; preparation of layers included
};

struct AXMUL_API ValidationReport {
  ValidationSplit split = ValidationSplit::half;
  std::size_t pairs = 0;     ///< compared
  std::size_t excluded = 0;  ///< true σ = 0, not compared
  std::vector<ModelValidation> models;
  PredictionMatrix truth;  ///< full simulation: all filters, all receptive fields of the split
};

/// Simulates every layer with every multiplier in full (LUT GEMM) and compares the models with it.
/// names: of the multipliers, for max_multiplier. Throws InputError AX703 for a layer without
/// patches or (split half) with fewer than two, UsageError AX706 when names and multipliers differ
/// in number; and as ErrorPredictor.
AXMUL_API ValidationReport validate(std::span<const LayerOperands> layers,
                                    std::span<const Lut> multipliers,
                                    std::span<const std::string> names,
                                    const ValidationOptions& options = {});

}  // namespace axmul
