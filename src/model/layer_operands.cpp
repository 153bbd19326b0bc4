// Checks, recodes and subsets the operands of a layer.
#include "axmul/model/layer_operands.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "axmul/core/errors.hpp"

namespace axmul {

namespace {

[[noreturn]] void refuse(const LayerOperands& layer, const std::string& path,
                         const std::string& what) {
  throw InputError(700, Place{path, 0}, "layer \"" + layer.name + "\": " + what);
}

void require_size(const LayerOperands& layer, const std::string& path, const std::string& dataset,
                  std::size_t found, std::size_t wanted, const std::string& shape) {
  if (found == wanted) return;
  refuse(layer, path,
         "dataset \"" + dataset + "\" has " + std::to_string(found) + " entries, " + shape +
             " needs " + std::to_string(wanted));
}

void check_attributes(const LayerOperands& layer, const std::string& path) {
  if (layer.fan_in == 0) refuse(layer, path, "attribute \"fan_in\" is 0, it must be at least 1");
  if (layer.out_channels == 0)
    refuse(layer, path, "attribute \"out_channels\" is 0, it must be at least 1");
  if (layer.groups == 0 || layer.out_channels % layer.groups != 0)
    refuse(layer, path,
           "attribute \"groups\" is " + std::to_string(layer.groups) + ", it must divide the " +
               std::to_string(layer.out_channels) + " output channels");
  if (layer.b_scale.size() != 1 && layer.b_scale.size() != layer.out_channels)
    refuse(layer, path,
           "attribute \"b_scale\" has " + std::to_string(layer.b_scale.size()) +
               " values, it must have 1 or one per output channel (" +
               std::to_string(layer.out_channels) + ")");
  if (layer.b_zero_point.size() != 1 && layer.b_zero_point.size() != layer.out_channels)
    refuse(layer, path,
           "attribute \"b_zero_point\" has " + std::to_string(layer.b_zero_point.size()) +
               " values, it must have 1 or one per output channel (" +
               std::to_string(layer.out_channels) + ")");
  for (const double scale : layer.b_scale)
    if (!(scale > 0) || !std::isfinite(scale))
      refuse(layer, path,
             "attribute \"b_scale\" contains " + std::to_string(scale) +
                 ", it must be positive and finite");
  if (!(layer.a_scale > 0) || !std::isfinite(layer.a_scale))
    refuse(layer, path,
           "attribute \"a_scale\" is " + std::to_string(layer.a_scale) +
               ", it must be positive and finite");
  if (std::isinf(layer.output_std) || layer.output_std < 0)
    refuse(layer, path, "attribute \"output_std\" must be a finite number of at least 0");
  if (!(layer.ops >= 0) || !std::isfinite(layer.ops))
    refuse(layer, path, "attribute \"ops\" must be a finite number of at least 0");
}

void check_rows(const LayerOperands& layer, const std::string& path, const std::string& dataset,
                const std::vector<std::uint32_t>& counts) {
  for (std::size_t row = 0; row * kOperandCount < counts.size(); ++row) {
    std::uint64_t sum = 0;
    for (std::size_t v = 0; v < kOperandCount; ++v) sum += counts[row * kOperandCount + v];
    if (sum != layer.fan_in)
      refuse(layer, path,
             "dataset \"" + dataset + "\" row " + std::to_string(row) + " sums to " +
                 std::to_string(sum) + ", it must sum to fan_in = " + std::to_string(layer.fan_in));
  }
}

void check_activations(const LayerOperands& layer, const std::string& path) {
  const std::size_t s = layer.patch_count, g = layer.groups;
  if (layer.patches.empty() && layer.hist_a.empty())
    refuse(layer, path, "has neither dataset \"patches\" nor \"hist_a\" with any row");
  if (s == 0) refuse(layer, path, "dataset \"patches\" has zero receptive fields");
  if (!layer.patches.empty())
    require_size(layer, path, "patches", layer.patches.size(), g * s * layer.fan_in,
                 "[groups, S, fan_in] with S = " + std::to_string(s));
  if (!layer.hist_a.empty()) {
    require_size(layer, path, "hist_a", layer.hist_a.size(), g * s * kOperandCount,
                 "[groups, S, 256] with S = " + std::to_string(s));
    check_rows(layer, path, "hist_a", layer.hist_a);
  }
  if (!layer.image.empty())
    require_size(layer, path, "image", layer.image.size(), s, "one entry per receptive field");
}

}  // namespace

void check_layer(const LayerOperands& layer, const std::string& path) {
  check_attributes(layer, path);
  check_activations(layer, path);
  if (layer.weights.empty() && layer.hist_b.empty())
    refuse(layer, path, "has neither dataset \"weights\" nor \"hist_b\"");
  if (!layer.weights.empty())
    require_size(layer, path, "weights", layer.weights.size(), layer.fan_in * layer.out_channels,
                 "[groups, fan_in, out_channels / groups]");
  if (!layer.hist_b.empty()) {
    require_size(layer, path, "hist_b", layer.hist_b.size(), layer.out_channels * kOperandCount,
                 "[out_channels, 256]");
    check_rows(layer, path, "hist_b", layer.hist_b);
  }
}

namespace {

double rms_scale(const LayerOperands& layer) {
  if (!has_unequal_scales(layer)) return layer.b_scale.front();
  double square = 0;
  for (const double scale : layer.b_scale) square += scale * scale;
  return std::sqrt(square / static_cast<double>(layer.b_scale.size()));
}

}  // namespace

bool has_unequal_scales(const LayerOperands& layer) {
  return std::any_of(layer.b_scale.begin(), layer.b_scale.end(),
                     [&](double scale) { return scale != layer.b_scale.front(); });
}

std::vector<double> relative_scales(const LayerOperands& layer) {
  if (!has_unequal_scales(layer)) return std::vector<double>(layer.out_channels, 1.0);
  const double rms = rms_scale(layer);
  std::vector<double> scales = layer.b_scale;
  for (double& scale : scales) scale /= rms;
  return scales;
}

double acc_scale(const LayerOperands& layer) { return layer.a_scale * rms_scale(layer); }

namespace {

void require_zero_points(const LayerOperands& layer, std::int32_t wanted) {
  for (const std::int32_t z : layer.b_zero_point)
    if (z != wanted)
      throw InputError(701, "layer \"" + layer.name + "\": b_zero_point is " + std::to_string(z) +
                                "; only weights with zero point " + std::to_string(wanted) +
                                " can be recoded exactly");
}

// Moving every value by 128 between u8 and s8 flips the top bit of its byte. Histograms are ordered
// by value, so they stay as they are.
void flip_top_bit(std::vector<std::uint8_t>& bytes) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte ^ 0x80u);
}

}  // namespace

bool can_use(OperandType layer, OperandType multiplier, bool by_sign_magnitude) {
  return layer == multiplier || (by_sign_magnitude && multiplier == OperandType::u8u8);
}

LayerOperands recode(const LayerOperands& layer, Encoding encoding) {
  LayerOperands result = layer;
  const bool is_affine = layer.type == OperandType::u8u8;
  if (is_affine == (encoding == Encoding::affine)) return result;
  require_zero_points(layer, is_affine ? 128 : 0);
  flip_top_bit(result.weights);
  for (std::int32_t& z : result.b_zero_point) z += is_affine ? -128 : 128;
  if (layer.type == OperandType::s8s8) {
    flip_top_bit(result.patches);
    result.a_zero_point += 128;
  }
  result.type = is_affine ? OperandType::u8s8 : OperandType::u8u8;
  return result;
}

LayerOperands select_patches(const LayerOperands& layer, const std::vector<std::size_t>& rows) {
  if (rows.empty()) throw UsageError(702, "layer \"" + layer.name + "\": no patches selected");
  for (const std::size_t row : rows)
    if (row >= layer.patch_count)
      throw UsageError(702, "layer \"" + layer.name + "\": patch " + std::to_string(row) +
                                " does not exist, there are " + std::to_string(layer.patch_count));
  LayerOperands result = layer;
  result.patch_count = rows.size();
  result.patches.clear();
  result.hist_a.clear();
  result.image.clear();
  const auto copy_rows = [&](const auto& from, auto& to, std::size_t width) {
    if (from.empty()) return;
    for (std::size_t g = 0; g < layer.groups; ++g)
      for (const std::size_t row : rows) {
        const auto first =
            from.begin() + static_cast<std::ptrdiff_t>((g * layer.patch_count + row) * width);
        to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(width));
      }
  };
  copy_rows(layer.patches, result.patches, layer.fan_in);
  copy_rows(layer.hist_a, result.hist_a, kOperandCount);
  if (!layer.image.empty())
    for (const std::size_t row : rows) result.image.push_back(layer.image[row]);
  return result;
}

}  // namespace axmul
