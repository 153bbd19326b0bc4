// Collects receptive fields, weights and output statistics of every layer of a quantised network.
#include "axmul/train/trace.hpp"

#include <cmath>

#include "axmul/core/philox.hpp"
#include "axmul/train/training.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

// Running statistics and rows of one layer while batches pass.
struct Collector {
  LayerOperands operands;
  OperandCapture capture;
  std::size_t next = 0;                         // rows of patches taken
  std::size_t total = 0;                        // receptive fields of all images
  std::vector<std::vector<std::uint8_t>> rows;  // by row: all groups, then all taps
  at::Tensor scales;  // [1, out, 1, 1] relative_scales(), where they differ
  double sum = 0, sum_squares = 0, outputs = 0;
};

// Copies the receptive field at output (oy, ox) of one image, [H, W, C] bytes, taps (g, c, kh, kw).
std::vector<std::uint8_t> receptive_field(const LayerGeometry& g, const std::uint8_t* image,
                                          std::int64_t height, std::int64_t width, std::int64_t oy,
                                          std::int64_t ox, std::uint8_t padding) {
  std::vector<std::uint8_t> field;
  field.reserve(static_cast<std::size_t>(g.in_channels * g.kernel[0] * g.kernel[1]));
  for (std::int64_t c = 0; c < g.in_channels; ++c)
    for (std::int64_t kh = 0; kh < g.kernel[0]; ++kh)
      for (std::int64_t kw = 0; kw < g.kernel[1]; ++kw) {
        const std::int64_t y = oy * g.stride[0] - g.padding[0] + kh * g.dilation[0];
        const std::int64_t x = ox * g.stride[1] - g.padding[1] + kw * g.dilation[1];
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        field.push_back(inside ? image[(y * width + x) * g.in_channels + c] : padding);
      }
  return field;
}

// A random row of the i-th of `wanted` equal parts. Evenly spaced rows would meet the image width:
// 64 rows apart on images 32 wide, every receptive field would lie at the left edge.
std::size_t chosen_row(std::size_t i, std::size_t wanted, std::size_t total, std::uint64_t seed,
                       std::int64_t layer) {
  const std::size_t begin = i * total / wanted, end = (i + 1) * total / wanted;
  Philox random(seed, static_cast<std::uint64_t>(layer));
  random.seek(8 * i);
  return begin + random.next_below(end - begin);
}

// calls: how often an image went through the layer, so that codes and outputs hold n · calls
// images.
void take_patches(const LayerGeometry& geometry, std::size_t first_image, std::size_t calls,
                  std::uint64_t seed, Collector& to) {
  const at::Tensor& codes = to.capture.codes;
  const std::int64_t n = codes.size(0), height = codes.size(1), width = codes.size(2);
  const std::int64_t out_h = to.capture.accumulator.size(2);
  const std::int64_t out_w = to.capture.accumulator.size(3);
  const auto per_input = static_cast<std::size_t>(out_h * out_w);
  const std::size_t wanted = to.operands.patch_count;
  const auto padding = static_cast<std::uint8_t>(to.operands.a_zero_point);
  const std::size_t first = first_image * calls;
  const std::size_t end = (first + static_cast<std::size_t>(n)) * per_input;
  for (; to.next < wanted; ++to.next) {
    const std::size_t row = chosen_row(to.next, wanted, to.total, seed, to.operands.layer_index);
    if (row >= end) break;
    const std::size_t input = row / per_input;
    if (input < first) continue;  // of a batch that did not come through this layer
    const auto at = static_cast<std::int64_t>(row % per_input);
    const std::uint8_t* from =
        codes.data_ptr<std::uint8_t>() +
        static_cast<std::int64_t>(input - first) * height * width * codes.size(3);
    to.rows.push_back(
        receptive_field(geometry, from, height, width, at / out_w, at % out_w, padding));
    to.operands.image.push_back(static_cast<std::int32_t>(input / calls));
  }
}

// Of the real outputs over acc_scale(): channels of unequal scale weigh as their scales do.
void add_statistics(const at::Tensor& sums, Collector& to) {
  at::Tensor exact = sums.to(at::kDouble);
  if (to.scales.defined()) exact = exact * to.scales;
  to.sum += exact.sum().item<double>();
  to.sum_squares += exact.square().sum().item<double>();
  to.outputs += static_cast<double>(exact.numel());
}

LayerOperands describe(const MultiplyLayer& layer, std::size_t index) {
  const LayerGeometry& g = layer.geometry;
  const QuantizedWeight weight = quantize_weight(layer);
  const ActivationGrid grid = activation_grid(layer);
  LayerOperands o;
  o.name = layer.name;
  o.layer_index = static_cast<std::int64_t>(index);
  o.type = layer.operand_type();
  o.fan_in = static_cast<std::size_t>(g.fan_in());
  o.in_channels = static_cast<std::size_t>(g.in_channels);
  o.out_channels = static_cast<std::size_t>(g.out_channels);
  o.groups = static_cast<std::size_t>(g.groups);
  o.kernel_h = static_cast<std::size_t>(g.kernel[0]);
  o.kernel_w = static_cast<std::size_t>(g.kernel[1]);
  o.a_zero_point = grid.zero_point;
  o.b_zero_point = {layer.b_zero_point()};
  o.a_scale = grid.scale;
  o.b_scale = weight.scales;
  o.weights = weight_operands(layer, weight);
  return o;
}

// Rows hold all groups one after the other; the trace wants [G, S, K].
void finish(Collector& collector) {
  LayerOperands& o = collector.operands;
  const std::size_t rows = collector.rows.size(), k = o.fan_in;
  o.patch_count = rows;
  o.patches.reserve(o.groups * rows * k);
  for (std::size_t g = 0; g < o.groups; ++g)
    for (const auto& row : collector.rows)
      o.patches.insert(o.patches.end(), row.begin() + static_cast<std::ptrdiff_t>(g * k),
                       row.begin() + static_cast<std::ptrdiff_t>((g + 1) * k));
  const double mean = collector.sum / collector.outputs;
  o.output_std = std::sqrt(std::max(0.0, collector.sum_squares / collector.outputs - mean * mean));
}

}  // namespace

std::vector<LayerOperands> trace_network(Network& network, const ImageSet& images,
                                         const Normalisation& normalisation,
                                         const NetworkTraceOptions& options) {
  const at::NoGradGuard guard;
  network.training = false;
  std::vector<LayerMode> modes;
  std::vector<Collector> collectors(network.layers.size());
  Measuring measuring;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    MultiplyLayer& layer = *network.layers[i];
    modes.push_back(layer.mode);
    layer.mode = LayerMode::quantized;
    Collector& to = collectors[i];
    measuring.operands(layer, to.capture);
    to.operands = describe(layer, i);
    if (has_unequal_scales(to.operands))
      to.scales = at::tensor(relative_scales(to.operands), at::kDouble).view({1, -1, 1, 1});
  }
  for_each_batch(images, images.size(), options.batch, normalisation,
                 [&](const at::Tensor& x, std::size_t first) {
                   forward(network, x);
                   for (std::size_t i = 0; i < collectors.size(); ++i) {
                     MultiplyLayer& layer = *network.layers[i];
                     Collector& to = collectors[i];
                     const at::Tensor& sums = to.capture.accumulator;
                     if (!sums.defined()) continue;  // in a branch that was not taken
                     const auto calls = static_cast<std::size_t>(sums.size(0) / x.size(0));
                     const auto fields = static_cast<std::size_t>(sums.size(2) * sums.size(3));
                     to.total = images.size() * calls * fields;
                     to.operands.patch_count = std::min(options.patches, to.total);
                     to.operands.ops = static_cast<double>(layer.ops);
                     take_patches(layer.geometry, first, calls, options.seed, to);
                     add_statistics(sums, to);
                   }
                 });
  std::vector<LayerOperands> traces;
  for (std::size_t i = 0; i < collectors.size(); ++i) {
    network.layers[i]->mode = modes[i];
    if (collectors[i].rows.empty()) continue;
    finish(collectors[i]);
    traces.push_back(std::move(collectors[i].operands));
  }
  return traces;
}

}  // namespace axmul
