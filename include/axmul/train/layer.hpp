// A multiplication layer (Conv2d or Linear) in float, quantised, noisy or approximate arithmetic.
//
// Quantised arithmetic is integer arithmetic (src/README.md#networks):
//   y = a_scale · b_scale[m] · sum over k of (a − a_zero_point)(b − b_zero_point) + bias[m],
// and only sum of a·b goes through the multiplier's table. The backward pass is that of the exact
// layer (straight-through estimator) in every mode.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/lut.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/core/operand.hpp"

namespace axmul {

enum class LayerMode : std::uint8_t { float32, quantized, noise, approximate };
std::string_view to_string(LayerMode mode);

/// How real numbers become operands of the table (src/README.md#networks).
enum class TableEncoding : std::uint8_t {
  s8s8,           ///< a and b symmetric int8, −127 … 127, zero point 0
  affine,         ///< u8u8: a with any zero point, b symmetric about zero point 128
  sign_magnitude  ///< ±f(|a|,|b|): type u8s8 for non-negative activations, s8s8 otherwise
};
std::string_view to_string(TableEncoding encoding);
std::optional<TableEncoding> parse_table_encoding(std::string_view text);

/// The range of a layer's input: minimum and maximum of the first batch, then a moving average.
struct RangeObserver {
  double min = 0, max = 0;
  bool seen = false;
  double momentum = 0.01;  ///< weight of a new batch
  void update(double batch_min, double batch_max);
};

/// Integer grid of a layer's input: a = clamp(round(x / scale) + zero_point, lowest, highest).
struct ActivationGrid {
  double scale = 1;
  int zero_point = 0, lowest = 0, highest = 255;
};

struct LayerGeometry {
  bool linear = false;  ///< then kernel, stride and the like are 1 and padding 0
  std::int64_t in_channels = 0, out_channels = 0;
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0}, dilation{1, 1};
  std::int64_t groups = 1;
  std::int64_t fan_in() const { return in_channels / groups * kernel[0] * kernel[1]; }
};

/// Quantised weights: integers b − b_zero_point in the weight's shape, and one scale or one each
/// output channel.
struct QuantizedWeight {
  at::Tensor integers;         ///< float32 [out, in/groups, kh, kw]
  std::vector<double> scales;  ///< [1] or [out]
  double scale(std::int64_t m) const {
    return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(m)];
  }
};

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

  // What measuring passes leave behind.
  bool measure_errors = false;  ///< approximate mode: forward with exact sums, add up the errors
  bool correct_errors =
      false;  ///< with measure_errors: forward with table sums less their mean error
  std::vector<double> error_sum, error_square_sum;  ///< per output channel
  double error_count = 0;
  bool capture = false;       ///< quantised mode: keep the operands and outputs of the next forward
  at::Tensor captured_codes;  ///< uint8 bit patterns of a, [N, H, W, C]
  at::Tensor captured_accumulator;  ///< float32 sum of (a − z_a)(b − z_b), [N, out, OH, OW]

  /// Operand type of the table that this encoding needs; needs a seen observer for sign-magnitude.
  OperandType operand_type() const;
  int b_zero_point() const { return encoding == TableEncoding::affine ? 128 : 0; }
};

/// The grid of the layer's input under its encoding. Throws InputError AX910 when nothing was
/// observed yet (the network must be quantised first).
ActivationGrid activation_grid(const MultiplyLayer& layer);

/// Symmetric weights, −127 … 127. Throws InputError AX913 where a weight is not finite.
QuantizedWeight quantize_weight(const MultiplyLayer& layer);
/// Bit patterns of the operands b, [groups, fan_in, out/groups], fan-in ordered (c, kh, kw).
std::vector<std::uint8_t> weight_operands(const MultiplyLayer& layer,
                                          const QuantizedWeight& weight);

/// Makes the layer approximate with that multiplier: chooses the encoding (s8s8 tables: s8s8;
/// unsigned ones: affine or sign-magnitude, as asked; u8s8: sign-magnitude) and the effective
/// table. Throws InputError AX911 when a u8s8 table meets activations below 0.
void set_multiplier(MultiplyLayer& layer, std::shared_ptr<const Multiplier> multiplier,
                    TableEncoding unsigned_encoding);

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
