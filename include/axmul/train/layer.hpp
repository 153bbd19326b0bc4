// A multiplication layer (Conv2d or Linear) in float, quantised, noisy or approximate arithmetic.
//
// Quantised arithmetic is integer arithmetic (src/README.md#networks):
//   y = a_scale · b_scale[m] · sum over k of (a − a_zero_point)(b − b_zero_point) + bias[m],
// and only sum of a·b goes through the multiplier's table. The backward pass is that of the exact
// layer (straight-through estimator) in every mode.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/lut.hpp"
#include "axmul/train/grid.hpp"
#include "axmul/train/measure.hpp"

namespace axmul {

enum class LayerMode : std::uint8_t { float32, quantized, noise, approximate };
std::string_view to_string(LayerMode mode);

struct MultiplyLayer {
  std::string name;  ///< as in the state dict, without ".weight"
  LayerGeometry geometry;
  at::Tensor weight;  ///< [out, in/groups, kh, kw] or [out, in]
  at::Tensor bias;    ///< [out] or undefined

  LayerMode mode = LayerMode::float32;
  TableEncoding encoding = TableEncoding::sign_magnitude;
  bool per_channel = false;  ///< weight scales per output channel
  RangeObserver observer;
  bool observe = false;  ///< update the observer in this forward pass

  std::shared_ptr<const Multiplier> multiplier;  ///< of approximate mode, as the library has it
  std::optional<Lut> table;                      ///< what is looked up: its effective table
  /// E of the accumulated error per output channel, accumulator units; empty = nothing folded.
  std::vector<double> mean_acc;
  std::string mean_acc_of;  ///< SHA-256 of the effective table it was measured with; empty: unknown

  at::Tensor sigma_l;  ///< noise mode: scalar, relative to the standard deviation of y
  std::uint64_t noise_seed = 0, noise_stream = 0;

  std::int64_t ops = 0;  ///< multiplications per image, set by forward()

  ErrorTally* error_tally = nullptr;  ///< set by Measuring; null: nobody asks
  OperandCapture* capture = nullptr;  ///< the same

  /// Operand type of the table that this encoding needs; needs a seen observer for sign-magnitude.
  OperandType operand_type() const;
  int b_zero_point() const { return encoding == TableEncoding::affine ? 128 : 0; }
};

/// Sets sigma_l, in place where there is one (an optimiser may hold it).
void set_noise_level(MultiplyLayer& layer, double sigma_l);

/// What a network does with a layer's output in evaluation, in one pass with turning sums into
/// outputs: y ← clamp((y − mean)·scale + shift + add, low, high).
struct Epilogue {
  std::vector<double> mean, scale, shift;  ///< one per output channel; all empty: 0, 1, 0
  at::Tensor add;                          ///< of y's shape, or undefined
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// y [N, out, OH, OW] for x [N, in, H, W], or [N, out] for [N, in] where linear. Throws InputError
/// AX912 for a wrong number of channels.
at::Tensor forward(MultiplyLayer& layer, const at::Tensor& x);
/// The same and what follows it, for a convolution in any mode but float. Without gradients, so
/// also without noise.
at::Tensor forward(MultiplyLayer& layer, const at::Tensor& x, const Epilogue& epilogue);

/// Standard normal numbers that depend on (seed, stream, position) only.
void fill_normal(std::span<float> out, std::uint64_t seed, std::uint64_t stream);

}  // namespace axmul
