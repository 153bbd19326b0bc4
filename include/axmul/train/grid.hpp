// From real numbers to operands and back: the integer grids of a layer's input and weights, and how
// a table is used on them (src/README.md#networks).
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/core/operand.hpp"

namespace axmul {

struct MultiplyLayer;

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

}  // namespace axmul
