// LayerOperands: what the operands of one network layer look like, the input of every error model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/operand.hpp"

namespace axmul {

/// Operands of a convolution or linear layer: receptive fields with all weights, or histograms of
/// both. With groups > 1 there are G independent products that share S, K and M/G.
///
/// patches and weights hold two's-complement BYTES, as the LUT kernels take them (operand -1 of an
/// s8 type is 255); files hold operand values, see operand_byte(). Histograms are ordered by
/// ascending operand VALUE (-128 … 127 or 0 … 255), as everywhere in axmul.
struct AXMUL_API LayerOperands {
  std::string name;              ///< e.g. "layer1.0.conv1"; unique in a network
  std::int64_t layer_index = 0;  ///< position in the network, first layer 0
  OperandType type = OperandType::u8u8;
  std::size_t fan_in = 0;  ///< K, multiplications per output
  double ops = 0;          ///< multiplications per input image, padded taps included
  std::size_t in_channels = 0;
  std::size_t out_channels = 0;  ///< M, all groups together
  std::size_t groups = 1;        ///< G; divides in_channels and out_channels
  std::size_t kernel_h = 1;
  std::size_t kernel_w = 1;
  std::string tap_order = "c,kh,kw";  ///< tap k = (c·kernel_h + kh)·kernel_w + kw
  /// Standard deviation over all outputs of s_m·Σ(a−z_a)(b−z_b), s_m of relative_scales(): real
  /// outputs, before the layer's bias, over acc_scale(). NaN = unknown.
  double output_std = std::numeric_limits<double>::quiet_NaN();
  std::int32_t a_zero_point = 0;
  std::vector<std::int32_t> b_zero_point{0};  ///< one, or one per output channel
  double a_scale = 1;
  std::vector<double> b_scale{1.0};  ///< one, or one per output channel; positive

  std::size_t patch_count = 0;        ///< S, receptive fields (rows of patches or of hist_a)
  std::vector<std::uint8_t> patches;  ///< [G, S, K] bytes, or empty
  std::vector<std::uint8_t> weights;  ///< [G, K, M/G] bytes, or empty
  std::vector<std::uint32_t> hist_a;  ///< [G, S, 256] counts that sum to K per row, or empty
  std::vector<std::uint32_t> hist_b;  ///< [M, 256] counts that sum to K per row, or empty
  std::vector<std::int32_t> image;    ///< [S] source image of each receptive field, or empty

  bool has_patches() const { return !patches.empty(); }
  bool has_weights() const { return !weights.empty(); }
  std::size_t channels_per_group() const { return groups == 0 ? 0 : out_channels / groups; }
};

/// Byte of an operand value; value must lie in the type's range.
constexpr std::uint8_t operand_byte(int value) { return static_cast<std::uint8_t>(value & 0xff); }
/// Index of a byte in the ascending order of values: 0 is the smallest operand value.
constexpr std::size_t operand_index(std::uint8_t byte, bool is_signed) {
  return static_cast<std::size_t>(is_signed ? byte ^ 0x80u : byte);
}

/// Scale of each output channel over the root mean square of all: [M], mean square 1, exactly 1
/// where all are equal. Layer figures are of s_m·(integer sum of channel m).
AXMUL_API std::vector<double> relative_scales(const LayerOperands& layer);
/// Whether b_scale differs between channels.
AXMUL_API bool has_unequal_scales(const LayerOperands& layer);
/// Real value of one unit of the layer figures: a_scale·rms(b_scale).
AXMUL_API double acc_scale(const LayerOperands& layer);

/// Throws InputError AX700 (names the layer, the dataset or attribute, the offending figure and
/// what it must be) unless the layer is usable: sizes agree, at least one receptive field, weights
/// or hist_b present, histogram rows sum to fan_in, scales positive and finite. `path` is the file
/// the layer was read from, if any. Call it after reading; every model does.
AXMUL_API void check_layer(const LayerOperands& layer, const std::string& path = "");

/// How weights (and signed activations) are written down as operands (src/README.md#networks).
enum class Encoding : std::uint8_t {
  affine,         ///< u8u8, weights around a zero point of 128
  sign_magnitude  ///< u8s8 or s8s8, weights around 0
};

/// The same layer in the other encoding, exactly: u8u8 with b_zero_point 128 becomes u8s8 with
/// b − 128 and b_zero_point 0; u8s8 and s8s8 with b_zero_point 0 become u8u8 (signed activations
/// move by 128 too). A layer that is in the encoding already is returned as it is. Throws
/// InputError AX701 where the zero points do not allow it (names layer and zero point).
AXMUL_API LayerOperands recode(const LayerOperands& layer, Encoding encoding);

/// Whether a layer whose operands are of one type can use a multiplier of another: the same, or,
/// by sign and magnitude, unsigned tables for signed weights.
AXMUL_API bool can_use(OperandType layer, OperandType multiplier, bool by_sign_magnitude = true);

/// The layer with only these receptive fields, in this order. Throws UsageError AX702 when an index
/// is not below patch_count or none is given.
AXMUL_API LayerOperands select_patches(const LayerOperands& layer,
                                       const std::vector<std::size_t>& rows);

}  // namespace axmul
