// One pass through a layer, as the parts of its arithmetic see it.
#pragma once

#include "axmul/train/layer.hpp"

namespace axmul::detail {

/// What a pass needs, all constants of autograd.
struct Pass {
  MultiplyLayer* layer;
  ActivationGrid grid;
  QuantizedWeight weight;
  bool with_gradient;
  bool with_bias;  // noise is added before the bias
  const Epilogue* epilogue = nullptr;
  float inverse() const { return static_cast<float>(1.0 / grid.scale); }
  float low() const { return static_cast<float>(grid.lowest - grid.zero_point); }
  float high() const { return static_cast<float>(grid.highest - grid.zero_point); }
};

/// Integers a − a_zero_point of a dense channels-last input, float32.
at::Tensor quantized_integers(const Pass& pass, const at::Tensor& x);

/// Sums of products per output, and what is to be taken off them: a mean error per output channel,
/// or nothing where it is empty.
struct Sums {
  at::Tensor values;  // [N, out, OH, OW] channels-last: float32, int32 or float64
  std::vector<double> mean_error;
};

/// The sums of the layer's mode, and whatever measurements the layer is asked for. integers:
/// quantized_integers(), or undefined where nobody has needed them yet.
Sums layer_sums(const Pass& pass, const at::Tensor& x, const at::Tensor& integers);

inline constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

/// Channels of one row per output position in channels-last memory.
inline at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(kChannelsLast); }

inline at::Tensor empty_channels_last(at::IntArrayRef sizes, at::ScalarType type) {
  return at::empty(sizes, at::TensorOptions().dtype(type).memory_format(kChannelsLast));
}

inline std::size_t count(const at::Tensor& x) { return static_cast<std::size_t>(x.numel()); }

}  // namespace axmul::detail
