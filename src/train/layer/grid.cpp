// Integer grids: scales and zero points of a layer's input and weights, and how tables are used.
#include "axmul/train/grid.hpp"

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "train/layer/elementwise.hpp"
#include "train/layer/pass.hpp"

namespace axmul {

std::string_view to_string(TableEncoding encoding) {
  constexpr std::string_view names[] = {"s8s8", "affine", "sign-magnitude"};
  return names[static_cast<std::size_t>(encoding)];
}

std::optional<TableEncoding> parse_table_encoding(std::string_view text) {
  for (const TableEncoding e :
       {TableEncoding::s8s8, TableEncoding::affine, TableEncoding::sign_magnitude})
    if (text == to_string(e)) return e;
  return std::nullopt;
}

void RangeObserver::update(double batch_min, double batch_max) {
  min = seen ? min + momentum * (batch_min - min) : batch_min;
  max = seen ? max + momentum * (batch_max - max) : batch_max;
  seen = true;
}

OperandType MultiplyLayer::operand_type() const {
  if (encoding == TableEncoding::affine) return OperandType::u8u8;
  const bool non_negative = encoding == TableEncoding::sign_magnitude && observer.min >= 0;
  return non_negative ? OperandType::u8s8 : OperandType::s8s8;
}

ActivationGrid activation_grid(const MultiplyLayer& layer) {
  const RangeObserver& range = layer.observer;
  if (!range.seen)
    throw InputError(
        910, "layer " + layer.name + " has no activation range yet; quantise the network first");
  ActivationGrid grid;
  const double low = std::min(0.0, range.min), high = std::max(0.0, range.max);
  if (layer.operand_type() == OperandType::s8s8) {
    grid = {std::max(-low, high) / 127.0, 0, -127, 127};
  } else if (layer.encoding == TableEncoding::affine) {
    grid.scale = (high - low) / 255.0;
    if (grid.scale > 0) grid.zero_point = static_cast<int>(std::nearbyint(-low / grid.scale));
  } else {
    grid.scale = high / 255.0;
  }
  if (grid.scale == 0) grid.scale = 1.0;  // an input that is always 0; NaN stays and is seen
  return grid;
}

QuantizedWeight quantize_weight(const MultiplyLayer& layer) {
  const LayerGeometry& g = layer.geometry;
  const at::Tensor w = layer.weight.detach().to(at::kCPU).contiguous();
  QuantizedWeight result;
  at::Tensor integers =
      at::empty({g.out_channels, g.in_channels / g.groups, g.kernel[0], g.kernel[1]});
  const auto rows = static_cast<std::size_t>(layer.per_channel ? g.out_channels : 1);
  const std::size_t per_row = detail::count(w) / std::max<std::size_t>(1, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* from = w.data_ptr<float>() + r * per_row;
    float* to = integers.data_ptr<float>() + r * per_row;
    const detail::Range range = detail::range_of(from, per_row);
    double scale = std::max(-static_cast<double>(range.min), static_cast<double>(range.max)) / 127;
    if (scale == 0) scale = 1;
    if (!std::isfinite(scale))  // the next layer's grid would hide it
      throw InputError(913, "layer " + layer.name +
                                " has weights that are not finite: training diverged (lower --lr), "
                                "or the weights file is damaged");
    result.scales.push_back(scale);
    detail::quantize(from, per_row, static_cast<float>(1 / scale), -127, 127, 0, nullptr, to);
  }
  result.integers = integers.to(layer.weight.device());
  return result;
}

std::vector<std::uint8_t> weight_operands(const MultiplyLayer& layer,
                                          const QuantizedWeight& weight) {
  const LayerGeometry& g = layer.geometry;
  const auto per_group = static_cast<std::size_t>(g.out_channels / g.groups);
  const auto fan_in = static_cast<std::size_t>(g.fan_in());
  const at::Tensor integers = weight.integers.to(at::kCPU).contiguous();
  const float* from = integers.data_ptr<float>();
  std::vector<std::uint8_t> b(detail::count(integers));
  for (std::size_t m = 0; m < static_cast<std::size_t>(g.out_channels); ++m)
    for (std::size_t k = 0; k < fan_in; ++k)
      b[(m / per_group * fan_in + k) * per_group + m % per_group] =
          static_cast<std::uint8_t>(static_cast<int>(from[m * fan_in + k]) + layer.b_zero_point());
  return b;
}

void set_multiplier(MultiplyLayer& layer, std::shared_ptr<const Multiplier> multiplier,
                    TableEncoding unsigned_encoding) {
  const Lut& lut = multiplier->lut;
  require_8x8(lut, "networks take");
  if (lut.type() == OperandType::s8s8) {
    layer.encoding = TableEncoding::s8s8;
    layer.table = lut;
  } else if (lut.type() == OperandType::u8s8 || unsigned_encoding != TableEncoding::affine) {
    layer.encoding = TableEncoding::sign_magnitude;
    if (lut.type() == OperandType::u8s8 && layer.operand_type() != OperandType::u8s8)
      throw InputError(911, "layer " + layer.name +
                                " has activations below 0, which the u8s8 table " +
                                multiplier->name + " cannot take; use an s8s8 or unsigned one");
    layer.table = lut.type() == OperandType::u8s8 ? lut : sign_magnitude(lut, layer.operand_type());
  } else {
    layer.encoding = TableEncoding::affine;
    layer.table = lut;
  }
  layer.multiplier = std::move(multiplier);
  layer.mode = LayerMode::approximate;
}

}  // namespace axmul
