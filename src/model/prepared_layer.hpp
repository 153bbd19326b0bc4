// A layer prepared for many multipliers: histograms, occurring operand values, co-occurrence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/lut.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul::detail {

/// Activation histograms of the used receptive fields as sparse rows: the probabilities of patch s
/// are weight[offset[s] … offset[s+1]) at rows index[…] of the group's a_values.
struct SparsePatches {
  std::vector<std::uint32_t> offset;
  std::vector<std::uint16_t> index;
  std::vector<double> weight;
};

/// One group of taps (stratum) of a group: which taps, which weight values occur there.
struct Stratum {
  std::vector<std::uint32_t> taps;
  std::vector<std::uint16_t> a_values, b_values;  ///< operand indices that occur, ascending
  std::vector<std::uint16_t> a_index;             ///< [S, taps] into a_values
  std::vector<std::uint16_t> b_index;             ///< [taps, M/G] into b_values
  std::vector<double> p_bar, q_bar;               ///< their probabilities
};

/// The permutation model takes its interval from about 128 receptive fields: their scatter is known
/// well enough from so many, and more would cost as much as the prediction itself.
constexpr std::size_t interval_step(std::size_t patches) { return (patches + 127) / 128; }

/// One of the layer's G independent products.
struct PreparedGroup {
  std::vector<std::uint16_t> a_values, b_values;  ///< operand indices that occur, ascending
  std::vector<double> p_bar;                      ///< [A] mean activation histogram
  std::vector<double> q_bar;     ///< [B] weight histogram, channels weighed by squared scale
  std::vector<double> q_pooled;  ///< [256] weight histogram, all channels alike
  std::vector<double> q;         ///< [B, panels·8] histogram per channel, in panels
  SparsePatches sparse;
  SparsePatches interval_sparse;  ///< every interval_step()-th of them
  std::size_t padded = 0;         ///< A rounded up to a multiple of 4
  std::vector<double> upper;  ///< [padded, padded] C = PᵀP/S: diagonal, and twice what is above it
  std::vector<Stratum> strata;
  std::vector<std::uint8_t> patches;  ///< [S, K] bytes (models that need them)
  std::vector<std::uint8_t> weights;  ///< [K, M/G] bytes (models that need them)
};

struct PreparedLayer {
  std::string name;
  OperandType type = OperandType::u8u8;
  std::size_t fan_in = 0, patches = 0, channels = 0, group_channels = 0;
  double output_std = 0;
  std::vector<std::size_t> rows;      ///< receptive fields used, ascending
  std::vector<double> channel_scale;  ///< [M], relative_scales()
  Evidence evidence;
  std::vector<PreparedGroup> groups;
  // Pooled over groups, for the models of a single distribution:
  std::vector<double> p_pooled, q_pooled;  ///< [256] by operand index
};

/// Throws as ErrorPredictor's constructor.
PreparedLayer prepare_layer(const LayerOperands& layer, const PredictOptions& options);

/// Of the scales of a layer's or group's channels.
struct ScaleMoments {
  double mean = 1, variance = 0;
  double square() const { return mean * mean + variance; }
};
ScaleMoments scale_moments(std::span<const double> scales);

/// A multiplier as a layer type sees it.
struct EncodedMultiplier {
  Lut lut;
  ErrorMap errors;
  std::span<const std::int32_t, kLutSize> values() const { return errors.values(); }
};

/// Figures of the channels, combined into the layer's.
struct ChannelFigures {
  std::vector<double> mean, variance;  ///< [M]
};
Prediction combine_channels(const PreparedLayer& layer, ChannelFigures figures, bool keep_channels);

/// sigma_acc² and mean_acc where a group of channels, all channels here, share one distribution of
/// the integer sum: s_m·sum has mean s_m·mean and variance s_m²·variance.
void set_shared_figures(const ScaleMoments& scales, double mean, double variance,
                        Prediction& prediction);

/// Completes what follows from mean_acc and sigma_acc.
void finish_prediction(const PreparedLayer& layer, Prediction& prediction);

/// 95 % intervals from what each receptive field contributes to the mean and to the variance: the
/// receptive fields are the independent draws, all filters share them. total: receptive fields that
/// the prediction used (contributions may be of a part of them).
void patch_intervals(std::span<const double> mean_of_patch, std::span<const double> square_of_patch,
                     std::size_t total, Prediction& prediction);
/// effective_fields and fields_90 from what some or all of `total` receptive fields contribute to
/// the variance.
void count_fields(std::vector<double> square_of_patch, std::size_t total, Prediction& prediction);
/// 95 % intervals for `draws` independent, nearly normal draws of the integer sum, of this mean and
/// standard deviation: Student t and chi-squared.
void draw_intervals(std::size_t draws, double mean, double sigma, const ScaleMoments& scales,
                    Prediction& prediction);

// The models. cells: one prediction per multiplier.
void predict_global(const PreparedLayer& layer, std::span<const EncodedMultiplier* const> batch,
                    std::span<Prediction> cells);
void predict_monte_carlo(const PreparedLayer& layer, std::size_t layer_number,
                         const PredictOptions& options,
                         std::span<const EncodedMultiplier* const> batch,
                         std::span<Prediction> cells);
void predict_multi_population(const PreparedLayer& layer, const PredictOptions& options,
                              std::span<const EncodedMultiplier* const> batch,
                              std::span<Prediction> cells);
void predict_permutation(const PreparedLayer& layer, const PredictOptions& options,
                         const EncodedMultiplier& multiplier, Prediction& cell);
void predict_stratified(const PreparedLayer& layer, const PredictOptions& options,
                        const EncodedMultiplier& multiplier, Prediction& cell);
void predict_sampled(const PreparedLayer& layer, const PredictOptions& options,
                     const EncodedMultiplier& multiplier, Prediction& cell);

/// Layer figures from exact or expected sums y[g] = [S, M/G] of every group plus the variance that
/// each channel has beside them. Shared by stratified and sampled, so that equal sums give equal
/// bits.
Prediction predict_from_sums(const PreparedLayer& layer, const PredictOptions& options,
                             const std::vector<std::vector<double>>& y,
                             const std::vector<double>& extra_variance);

}  // namespace axmul::detail
