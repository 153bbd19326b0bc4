// What the model tests share: small random layers and brute-force evaluation.
#pragma once

#include <cmath>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/model/error_model.hpp"
#include "support/support.hpp"

namespace axmul::test {

struct LayerShape {
  std::size_t s = 40, k = 12, m = 5, groups = 1, kernel_h = 1, kernel_w = 1;
  OperandType type = OperandType::u8u8;
};

/// Random operands, skewed differently for a and b and from patch to patch, so that no swap or mix
/// of receptive fields stays unseen.
inline LayerOperands random_layer(const LayerShape& shape, std::uint64_t seed) {
  Philox random(seed);
  LayerOperands layer;
  layer.name = "layer" + std::to_string(seed);
  layer.type = shape.type;
  layer.fan_in = shape.k;
  layer.groups = shape.groups;
  layer.kernel_h = shape.kernel_h;
  layer.kernel_w = shape.kernel_w;
  layer.in_channels = shape.groups * shape.k / (shape.kernel_h * shape.kernel_w);
  layer.out_channels = shape.m * shape.groups;
  layer.ops = 1000;
  layer.output_std = 1000;
  layer.patch_count = shape.s;
  for (std::size_t i = 0; i < shape.groups * shape.s; ++i) {
    const std::uint64_t top = 40 + random.next_below(215);
    for (std::size_t k = 0; k < shape.k; ++k)
      layer.patches.push_back(random.next_below(4) == 0
                                  ? std::uint8_t{0}
                                  : static_cast<std::uint8_t>(random.next_below(top)));
    layer.image.push_back(static_cast<std::int32_t>(i));
  }
  layer.image.resize(shape.s);
  for (std::size_t i = 0; i < shape.groups * shape.k * shape.m; ++i)
    layer.weights.push_back(static_cast<std::uint8_t>(100 + random.next_below(30) +
                                                      random.next_below(30) + i % shape.m));
  return layer;
}

/// The same layer with histograms in place of patches and weights.
inline LayerOperands histograms_only(const LayerOperands& layer) {
  LayerOperands result = layer;
  const std::size_t k = layer.fan_in, width = layer.channels_per_group();
  result.patches.clear();
  result.weights.clear();
  result.hist_a.assign(layer.groups * layer.patch_count * 256, 0);
  result.hist_b.assign(layer.out_channels * 256, 0);
  for (std::size_t i = 0; i < layer.patches.size(); ++i)
    ++result.hist_a[i / k * 256 + operand_index(layer.patches[i], a_is_signed(layer.type))];
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const std::size_t g = i / (k * width), m = i % width;
    ++result
          .hist_b[(g * width + m) * 256 + operand_index(layer.weights[i], b_is_signed(layer.type))];
  }
  return result;
}

inline int value_of(std::uint8_t byte, bool is_signed) {
  return is_signed ? static_cast<std::int8_t>(byte) : byte;
}

/// Error of tap i of patch s with tap j of channel m (of its group).
inline long double pair_error(const LayerOperands& layer, const Lut& lut, std::size_t m,
                              std::size_t s, std::size_t i, std::size_t j) {
  const std::size_t width = layer.channels_per_group(), g = m / width;
  const std::uint8_t a = layer.patches[(g * layer.patch_count + s) * layer.fan_in + i];
  const std::uint8_t b = layer.weights[(g * layer.fan_in + j) * width + m % width];
  return lut.error(value_of(a, a_is_signed(layer.type)), value_of(b, b_is_signed(layer.type)));
}

struct Brute {
  long double mean = 0, sigma = 0, corrected = 0;
  std::vector<long double> channel_mean, channel_sigma;
};

/// Scale of channel m over the root mean square of all.
inline long double relative_scale(const LayerOperands& layer, std::size_t m) {
  if (layer.b_scale.size() == 1) return 1;
  long double square = 0;
  for (const double b : layer.b_scale) square += static_cast<long double>(b) * b;
  return layer.b_scale[m] / std::sqrt(square / static_cast<long double>(layer.b_scale.size()));
}

/// Layer figures from E[ε] and Var[ε] of every (patch, channel), by definition: in real units over
/// a_scale·rms(b_scale), over all patches and channels; per channel in accumulator units.
template <class MeanOf, class VarianceOf>
Brute layer_figures(const LayerOperands& layer, MeanOf mean_of, VarianceOf variance_of) {
  Brute brute;
  const std::size_t channels = layer.out_channels, patches = layer.patch_count;
  const long double count = static_cast<long double>(channels * patches);
  for (std::size_t m = 0; m < channels; ++m) {
    long double mean = 0, square = 0;
    for (std::size_t s = 0; s < patches; ++s) mean += mean_of(s, m);
    mean /= static_cast<long double>(patches);
    for (std::size_t s = 0; s < patches; ++s) {
      const long double d = mean_of(s, m) - mean;
      square += d * d + variance_of(s, m);
    }
    brute.channel_mean.push_back(mean);
    brute.channel_sigma.push_back(std::sqrt(square / static_cast<long double>(patches)));
  }
  for (std::size_t m = 0; m < channels; ++m)
    for (std::size_t s = 0; s < patches; ++s)
      brute.mean += relative_scale(layer, m) * mean_of(s, m) / count;
  for (std::size_t m = 0; m < channels; ++m)
    for (std::size_t s = 0; s < patches; ++s) {
      const long double scale = relative_scale(layer, m), real = scale * mean_of(s, m);
      const long double corrected = real - scale * brute.channel_mean[m];
      const long double pairing = scale * scale * variance_of(s, m);
      brute.sigma += ((real - brute.mean) * (real - brute.mean) + pairing) / count;
      brute.corrected += (corrected * corrected + pairing) / count;
    }
  brute.corrected = std::sqrt(brute.corrected);
  brute.sigma = std::sqrt(brute.sigma);
  return brute;
}

/// The simulated truth: no pairing is random.
inline Brute brute_force(const LayerOperands& layer, const Lut& lut) {
  return layer_figures(
      layer,
      [&](std::size_t s, std::size_t m) {
        long double sum = 0;
        for (std::size_t k = 0; k < layer.fan_in; ++k) sum += pair_error(layer, lut, m, s, k, k);
        return sum;
      },
      [](std::size_t, std::size_t) { return 0.0L; });
}

/// |x − y| within `relative` of y, or of `scale` where y is smaller.
inline bool near(double x, long double y, long double relative, long double scale = 0) {
  return std::fabs(static_cast<long double>(x) - y) <= relative * std::max(std::fabs(y), scale);
}

inline Prediction predict_one(const LayerOperands& layer, const Lut& lut, ErrorModel model,
                              PredictOptions options = {}) {
  options.model = model;
  options.patches = 0;
  return predict({&layer, 1}, {&lut, 1}, options).cells.front();
}

}  // namespace axmul::test
