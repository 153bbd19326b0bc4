// Error models: mean and standard deviation of the accumulated error of a layer, for a whole
// library of multipliers at once. src/README.md#error-models has the mathematics, which one to use
// is in src/model/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul {

enum class ErrorModel : std::uint8_t {
  global,            ///< one operand distribution each: K·Var(e)
  monte_carlo,       ///< drawn sums of K independent errors (method of arXiv 1912.00700)
  multi_population,  ///< one activation histogram per receptive field, Eq. 15–16, arXiv 2208.07265
  permutation,       ///< a random pairing of exactly these activations with exactly these weights
  stratified,        ///< the same inside groups of taps
  sampled            ///< the exact error on the traced receptive fields, all filters
};
inline constexpr ErrorModel kErrorModels[] = {ErrorModel::global,           ErrorModel::monte_carlo,
                                              ErrorModel::multi_population, ErrorModel::permutation,
                                              ErrorModel::stratified,       ErrorModel::sampled};

/// "global", "monte-carlo", "multi-population", "permutation", "stratified", "sampled".
AXMUL_API std::string_view to_string(ErrorModel model);
AXMUL_API std::optional<ErrorModel> parse_error_model(std::string_view text);
/// Whether the model needs patches and weights (stratified, sampled), not only histograms.
AXMUL_API bool needs_patches(ErrorModel model);

/// How `stratified` divides the K taps.
enum class Strata : std::uint8_t { input_channel, kernel_position, given };

struct AXMUL_API PredictOptions {
  ErrorModel model = ErrorModel::permutation;
  /// Receptive fields to use; 0 = all. Row ⌊i·S_file/S⌋ for i = 0 … S−1 unless random_patches.
  std::size_t patches = 512;
  bool random_patches = false;  ///< drawn without replacement from `seed`, ascending
  std::uint64_t seed = 0;       ///< for random_patches and monte_carlo
  Strata strata = Strata::input_channel;
  std::vector<std::uint32_t> tap_group;  ///< Strata::given: group of each tap, [K] for every layer
  std::size_t monte_carlo_draws = 10000;
  bool intervals = true;  ///< 95 % intervals where something is sampled
  bool channels = true;   ///< figures per output channel where the model has them
  int threads = 0;        ///< 0 = default_threads(); results are the same for any count
};

/// Bounds of a 95 % confidence interval; NaN where nothing is sampled or one draw is too few. It
/// covers the sampling of receptive fields (or draws), not the error of the model itself.
struct AXMUL_API Interval {
  double lower = std::numeric_limits<double>::quiet_NaN();
  double upper = std::numeric_limits<double>::quiet_NaN();
};

/// A σ that rests on fewer receptive fields in effect has a standard error of over 10 %: ½/√25.
inline constexpr double kFewFields = 25;

/// Accumulated error of one layer with one multiplier. Figures per channel are in integer
/// accumulator units. Figures of the layer are in real units over acc_scale(): of s_m·ε[n,m] with
/// s_m of relative_scales(), which is the integer sum itself where all channels have one scale.
struct AXMUL_API Prediction {
  double mean_acc = 0;
  double sigma_acc = 0;        ///< over all receptive fields and channels, about mean_acc
  double sigma_corrected = 0;  ///< NaN for models without channels (global, monte-carlo, multi-p.)
  double rmse_acc = 0;         ///< √(mean_acc² + sigma_acc²)
  double sigma_rel = 0;        ///< sigma_acc / output_std; NaN when output_std is unknown or 0
  double sigma_corrected_rel = 0;
  Interval mean_interval, sigma_interval;
  std::vector<double> channel_mean, channel_sigma;  ///< [M], or empty
  /// On how many receptive fields σ rests in effect: (Σ c_n)²/Σ c_n² with c_n what receptive field
  /// n contributes to sigma_corrected² (sigma_acc² in multi-population). All S where each
  /// contributes the same, 1 where one does it all. The standard error of σ, relative, is
  /// ½·√(1/this − 1/S). NaN at σ = 0, for models without receptive fields, and but for stratified
  /// and sampled where no intervals are asked for.
  double effective_fields = std::numeric_limits<double>::quiet_NaN();
  /// The fewest receptive fields that carry 90 % of Σ c_n.
  double fields_90 = std::numeric_limits<double>::quiet_NaN();
  /// The larger of sampled's σ and permutation's, once add_bounds() has set them.
  double sigma_bound = std::numeric_limits<double>::quiet_NaN(),
         sigma_corrected_bound = std::numeric_limits<double>::quiet_NaN();

  /// The multiplier errs so seldom that σ rests on few receptive fields; on others it may be a
  /// multiple.
  bool has_rare_events() const { return effective_fields < kFewFields; }
};

/// What the receptive fields that a prediction used tell about the layer itself.
struct AXMUL_API Evidence {
  std::size_t receptive_fields = 0;
  /// Whether any channel's exact sum differs between them; true where the layer has histograms
  /// only.
  bool outputs_vary = true;
  /// As LayerOperands::output_std, from them alone; NaN where the layer has histograms only.
  double output_std = std::numeric_limits<double>::quiet_NaN();
};

/// Predictions of one model, row = layer, column = multiplier.
struct AXMUL_API PredictionMatrix {
  ErrorModel model = ErrorModel::permutation;
  std::size_t layers = 0;
  std::size_t multipliers = 0;
  std::vector<Prediction> cells;   ///< [layers, multipliers]
  std::vector<Evidence> evidence;  ///< [layers]; empty where predictions come from elsewhere
  double ns_per_prediction = 0;    ///< wall clock, preparation of the layers not included

  const Prediction& operator()(std::size_t layer, std::size_t multiplier) const {
    return cells[layer * multipliers + multiplier];
  }
};

/// Layers prepared once for many multipliers. To stream a large library in bounded memory, call
/// predict() once per batch: a batch of 35–100 is as fast per multiplier as any larger one.
class AXMUL_API ErrorPredictor {
 public:
  /// Throws InputError AX700 (layer not usable), AX703 (model needs patches or groups of taps that
  /// the layer does not have); UsageError AX704 (options: no draws, tap_group of the wrong length).
  ErrorPredictor(std::span<const LayerOperands> layers, const PredictOptions& options = {});
  ~ErrorPredictor();
  ErrorPredictor(ErrorPredictor&&) noexcept;
  ErrorPredictor& operator=(ErrorPredictor&&) noexcept;

  /// A multiplier must have the layer's operand type; an unsigned (u8u8) one meets a u8s8 or s8s8
  /// layer in its sign-magnitude form (src/README.md#words). Throws UsageError AX705 for any other
  /// pair.
  PredictionMatrix predict(std::span<const Lut> multipliers) const;

  /// Receptive fields used of a layer, ascending.
  const std::vector<std::size_t>& patch_rows(std::size_t layer) const;
  /// What preparing all layers took, in nanoseconds.
  double preparation_ns() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One cell of add_bounds().
AXMUL_API void set_bounds(Prediction& sampled, const Prediction& permutation);

/// Sets sigma_bound and sigma_corrected_bound of `sampled`'s cells: the larger of the two models'.
/// sampled has no model error but knows nothing of events that its receptive fields missed;
/// permutation averages over all pairings of their operands, so it knows of more.
/// Throws UsageError AX704 unless the models are these two and the shapes agree.
AXMUL_API void add_bounds(PredictionMatrix& sampled, const PredictionMatrix& permutation);

/// One call for a library that fits in memory.
AXMUL_API PredictionMatrix predict(std::span<const LayerOperands> layers,
                                   std::span<const Lut> multipliers,
                                   const PredictOptions& options = {});

/// Rows that options select out of `available` receptive fields.
AXMUL_API std::vector<std::size_t> select_patch_rows(std::size_t available,
                                                     const PredictOptions& options);

/// The table that a layer of this operand type sees: lut itself, or the sign-magnitude form of an
/// unsigned one. Throws UsageError AX705 when there is none.
AXMUL_API Lut encoded_for(const Lut& lut, OperandType layer_type);

}  // namespace axmul
