// Multiplication layers: quantisation grids, integer-exact forward, straight-through backward.
#include "axmul/train/layer.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "train/layer/elementwise.hpp"
#include "train/layer/noise.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;
constexpr double kFloatExact = 16777216.0;  // 2^24: integers below are exact in float32

// Channels of one row per output position in channels-last memory.
at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(kChannelsLast); }

at::Tensor empty_channels_last(at::IntArrayRef sizes, at::ScalarType type) {
  return at::empty(sizes, at::TensorOptions().dtype(type).memory_format(kChannelsLast));
}

std::size_t count(const at::Tensor& x) { return static_cast<std::size_t>(x.numel()); }

// What one pass through a layer needs, all constants of autograd.
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

at::Tensor convolve(const LayerGeometry& g, const at::Tensor& x, const at::Tensor& w) {
  return at::conv2d(x, w, {}, g.stride, g.padding, g.dilation, g.groups);
}

// oneDNN 2.6 (libtorch 1.13) takes the gradient of a 1×1 kernel of unequal strides wrong and writes
// beyond its buffers. Such layers are trained on the pixels that the kernel sees, with stride 1.
bool strides_differ(const LayerGeometry& g) {
  return g.kernel == std::array<std::int64_t, 2>{1, 1} && g.stride[0] != g.stride[1];
}

LayerGeometry on_seen_pixels(LayerGeometry g) {
  g.stride = {1, 1};
  g.padding = {0, 0};
  return g;
}

// A view of every stride-th pixel of x, whose borders are padded already.
at::Tensor every_stride(const LayerGeometry& g, const at::Tensor& x) {
  return x.slice(2, 0, x.size(2), g.stride[0]).slice(3, 0, x.size(3), g.stride[1]);
}

at::Tensor seen_pixels(const LayerGeometry& g, const at::Tensor& x) {
  const at::Tensor padded =
      at::constant_pad_nd(x, {g.padding[1], g.padding[1], g.padding[0], g.padding[0]});
  return channels_last(every_stride(g, padded));
}

// The gradient of seen_pixels().
at::Tensor back_to_all_pixels(const LayerGeometry& g, const at::Tensor& seen,
                              at::IntArrayRef sizes) {
  const at::Tensor padded =
      at::empty({sizes[0], sizes[1], sizes[2] + 2 * g.padding[0], sizes[3] + 2 * g.padding[1]},
                seen.options().memory_format(kChannelsLast))
          .zero_();
  every_stride(g, padded).copy_(seen);
  return padded.narrow(2, g.padding[0], sizes[2]).narrow(3, g.padding[1], sizes[3]);
}

// Largest |sum| that any partial sum of (a − z_a)(b − z_b) can reach with these weights.
double sum_bound(const Pass& pass) {
  const double reach = std::max(std::abs(static_cast<double>(pass.low())),
                                std::abs(static_cast<double>(pass.high())));
  return pass.weight.integers.abs().sum({1, 2, 3}, false, at::kDouble).max().item<double>() * reach;
}

// Exact sums as float32 (rounded once where they pass 2^24, as int32 → float32 would be).
at::Tensor exact_sums(const Pass& pass, const at::Tensor& integers) {
  const LayerGeometry& g = pass.layer->geometry;
  if (integers.device().is_cpu() && sum_bound(pass) < kFloatExact)
    return channels_last(convolve(g, integers, channels_last(pass.weight.integers)));
  return channels_last(
      convolve(g, integers.to(at::kDouble), pass.weight.integers.to(at::kDouble)).to(at::kFloat));
}

Conv2dShape conv_shape(const Pass& pass, const at::Tensor& codes) {
  const LayerGeometry& g = pass.layer->geometry;
  const auto size = [](std::int64_t v) { return static_cast<std::size_t>(v); };
  Conv2dShape shape;
  shape.batch = size(codes.size(0));
  shape.in_channels = size(g.in_channels);
  shape.in_height = size(codes.size(2));
  shape.in_width = size(codes.size(3));
  shape.out_channels = size(g.out_channels);
  shape.kernel_height = size(g.kernel[0]);
  shape.kernel_width = size(g.kernel[1]);
  shape.stride_height = size(g.stride[0]);
  shape.stride_width = size(g.stride[1]);
  shape.pad_top = shape.pad_bottom = size(g.padding[0]);
  shape.pad_left = shape.pad_right = size(g.padding[1]);
  shape.dilation_height = size(g.dilation[0]);
  shape.dilation_width = size(g.dilation[1]);
  shape.groups = size(g.groups);
  shape.layout = TensorLayout::nhwc;
  shape.padding_value = static_cast<std::uint8_t>(pass.grid.zero_point);
  return shape;
}

at::Tensor quantized_codes(const Pass& pass, const at::Tensor& x) {
  at::Tensor codes = empty_channels_last(x.sizes(), at::kByte);
  detail::quantize(x.data_ptr<float>(), count(x), pass.inverse(), pass.low(), pass.high(),
                   pass.grid.zero_point, codes.data_ptr<std::uint8_t>(), nullptr);
  return codes;
}

at::Tensor quantized_integers(const Pass& pass, const at::Tensor& x) {
  if (!x.device().is_cpu()) return at::clamp(x * pass.inverse(), pass.low(), pass.high()).round_();
  at::Tensor integers = empty_channels_last(x.sizes(), at::kFloat);
  detail::quantize(x.data_ptr<float>(), count(x), pass.inverse(), pass.low(), pass.high(),
                   pass.grid.zero_point, nullptr, integers.data_ptr<float>());
  return integers;
}

// First and last+1 kernel position whose tap lies inside 0 … size − 1.
std::pair<std::int64_t, std::int64_t> taps_inside(std::int64_t start, std::int64_t dilation,
                                                  std::int64_t kernel, std::int64_t size) {
  std::int64_t first = 0, last = kernel;
  while (first < last && start + first * dilation < 0) ++first;
  while (last > first && start + (last - 1) * dilation >= size) --last;
  return {first, last};
}

// sum over the taps of (a − z_a) per group and output position, [N, OH, OW, groups]; padded taps
// add 0.
std::vector<std::int32_t> field_sums(const Pass& pass, const at::Tensor& codes) {
  const LayerGeometry& g = pass.layer->geometry;
  const Conv2dShape shape = conv_shape(pass, codes);
  const std::int64_t h = codes.size(2), w = codes.size(3), groups = g.groups;
  const auto oh = static_cast<std::int64_t>(shape.out_height()),
             ow = static_cast<std::int64_t>(shape.out_width());
  std::vector<std::int32_t> pixels(static_cast<std::size_t>(codes.size(0) * h * w * groups));
  detail::sum_codes(codes.data_ptr<std::uint8_t>(), pixels.size(),
                    static_cast<std::size_t>(g.in_channels / groups), pass.grid.zero_point,
                    pixels.data());
  std::vector<std::int32_t> field(static_cast<std::size_t>(codes.size(0) * oh * ow * groups), 0);
  parallel_for(static_cast<std::size_t>(codes.size(0) * oh), 0, [&](std::size_t row) {
    const auto n = static_cast<std::int64_t>(row) / oh, y = static_cast<std::int64_t>(row) % oh;
    const std::int64_t top = y * g.stride[0] - g.padding[0];
    const auto [ky_first, ky_last] = taps_inside(top, g.dilation[0], g.kernel[0], h);
    std::int32_t* to = field.data() + static_cast<std::int64_t>(row) * ow * groups;
    for (std::int64_t x = 0; x < ow; ++x, to += groups) {
      const std::int64_t left = x * g.stride[1] - g.padding[1];
      const auto [kx_first, kx_last] = taps_inside(left, g.dilation[1], g.kernel[1], w);
      for (std::int64_t ky = ky_first; ky < ky_last; ++ky)
        for (std::int64_t kx = kx_first; kx < kx_last; ++kx) {
          const std::int32_t* from =
              pixels.data() +
              ((n * h + top + ky * g.dilation[0]) * w + left + kx * g.dilation[1]) * groups;
          for (std::int64_t j = 0; j < groups; ++j) to[j] += from[j];
        }
    }
  });
  return field;
}

// z_a · sum over k of b, per output channel.
std::vector<std::int32_t> weight_constants(const Pass& pass) {
  const LayerGeometry& g = pass.layer->geometry;
  const at::Tensor sums = pass.weight.integers.sum({1, 2, 3}, false, at::kDouble).contiguous();
  std::vector<std::int32_t> constants;
  for (std::int64_t m = 0; m < g.out_channels; ++m)
    constants.push_back(static_cast<std::int32_t>(
        pass.grid.zero_point * (static_cast<std::int64_t>(sums.data_ptr<double>()[m]) +
                                g.fan_in() * pass.layer->b_zero_point())));
  return constants;
}

std::vector<std::int64_t> output_sizes(const Conv2dShape& shape) {
  return {static_cast<std::int64_t>(shape.batch), static_cast<std::int64_t>(shape.out_channels),
          static_cast<std::int64_t>(shape.out_height()),
          static_cast<std::int64_t>(shape.out_width())};
}

// sum of (a − z_a)(b − z_b) with a·b from the table, int32 where that is safe, else float64.
at::Tensor table_sums(const Pass& pass, const at::Tensor& codes) {
  const MultiplyLayer& layer = *pass.layer;
  const Conv2dShape shape = conv_shape(pass, codes);
  const std::vector<std::uint8_t> b = weight_operands(layer, pass.weight);
  const std::span<const std::uint8_t> a(codes.data_ptr<std::uint8_t>(), count(codes));
  const auto sizes = output_sizes(shape);
  const auto constants = weight_constants(pass);
  const auto m_count = shape.out_channels;
  const std::size_t rows = shape.output_size() / std::max<std::size_t>(1, m_count);
  // Without a zero point of b the activations have none either (s8s8, sign-magnitude).
  const bool offsets = layer.b_zero_point() != 0;
  const auto field = offsets ? field_sums(pass, codes) : std::vector<std::int32_t>();

  std::int32_t largest = 0;
  for (const std::int32_t product : layer.table->products())
    largest = std::max(largest, std::abs(product));
  // The sums and their corrections, at most 128 · 255 a tap, together stay inside int32.
  const double bound = static_cast<double>(shape.fan_in()) * (largest + 128.0 * 255.0);
  if (bound < 2147483647.0) {
    at::Tensor sums = empty_channels_last(sizes, at::kInt);
    lut_conv2d(*layer.table, shape, a, b,
               std::span<std::int32_t>(sums.data_ptr<std::int32_t>(), count(sums)));
    if (offsets)
      detail::remove_zero_points(sums.data_ptr<std::int32_t>(), rows, m_count, shape.groups,
                                 layer.b_zero_point(), field.data(), constants.data());
    return sums;
  }
  std::vector<std::int64_t> wide(shape.output_size());
  lut_conv2d(*layer.table, shape, a, b, std::span<std::int64_t>(wide));
  at::Tensor sums = empty_channels_last(sizes, at::kDouble);
  const std::size_t per_group = m_count / shape.groups;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t m = 0; m < m_count; ++m) {
      std::int64_t v = wide[i * m_count + m] - constants[m];
      if (offsets)
        v -= static_cast<std::int64_t>(layer.b_zero_point()) *
             std::int64_t{field[i * shape.groups + m / per_group]};
      sums.data_ptr<double>()[i * m_count + m] = static_cast<double>(v);
    }
  return sums;
}

// Factor and addend of each output channel that turn sums into outputs.
struct ChannelLines {
  std::vector<float> scale, shift;
};

// y = sums · a_scale·b_scale[m] + bias[m] − a_scale·b_scale[m]·mean_acc[m], then the epilogue's.
ChannelLines channel_lines(const Pass& pass, const train::TorchOptional<at::Tensor>& bias) {
  const MultiplyLayer& layer = *pass.layer;
  const auto m_count = static_cast<std::size_t>(layer.geometry.out_channels);
  ChannelLines lines{std::vector<float>(m_count), std::vector<float>(m_count)};
  const at::Tensor offset = bias && pass.with_bias ? bias->to(at::kCPU).contiguous() : at::Tensor();
  for (std::size_t m = 0; m < m_count; ++m) {
    double factor = pass.grid.scale * pass.weight.scale(static_cast<std::int64_t>(m));
    double add = offset.defined() ? static_cast<double>(offset.data_ptr<float>()[m]) : 0.0;
    if (layer.mode == LayerMode::approximate && !layer.mean_acc.empty())
      add -= factor * layer.mean_acc[m];
    if (pass.epilogue != nullptr && !pass.epilogue->scale.empty()) {
      factor *= pass.epilogue->scale[m];
      add = (add - pass.epilogue->mean[m]) * pass.epilogue->scale[m] + pass.epilogue->shift[m];
    }
    lines.scale[m] = static_cast<float>(factor);
    lines.shift[m] = static_cast<float>(add);
  }
  return lines;
}

at::Tensor outputs_elsewhere(const Pass& pass, const at::Tensor& sums, const ChannelLines& lines) {
  const auto on = [&](const std::vector<float>& v) {
    return at::tensor(v).to(sums.device()).view({1, -1, 1, 1});
  };
  at::Tensor y = sums.to(at::kFloat) * on(lines.scale) + on(lines.shift);
  if (pass.epilogue == nullptr) return y;
  if (pass.epilogue->add.defined()) y = y + pass.epilogue->add;
  return at::clamp(y, pass.epilogue->low, pass.epilogue->high);
}

at::Tensor outputs(const Pass& pass, const at::Tensor& sums,
                   const train::TorchOptional<at::Tensor>& bias) {
  const ChannelLines lines = channel_lines(pass, bias);
  if (!sums.device().is_cpu()) return outputs_elsewhere(pass, sums, lines);
  at::Tensor y = empty_channels_last(sums.sizes(), at::kFloat);
  detail::Finish finish{lines.scale.data(), lines.shift.data()};
  at::Tensor add;
  if (pass.epilogue != nullptr) {
    finish.low = pass.epilogue->low;
    finish.high = pass.epilogue->high;
    if (pass.epilogue->add.defined()) {
      add = channels_last(pass.epilogue->add);
      finish.add = add.data_ptr<float>();
    }
  }
  const std::size_t m_count = lines.scale.size(), rows = count(sums) / m_count;
  if (sums.scalar_type() == at::kInt) {
    detail::finish_sums(sums.data_ptr<std::int32_t>(), rows, m_count, finish, y.data_ptr<float>());
  } else {
    const at::Tensor single = channels_last(sums.to(at::kFloat));
    detail::finish_sums(single.data_ptr<float>(), rows, m_count, finish, y.data_ptr<float>());
  }
  return y;
}

// Adds this batch's table − exact sums per output channel to the layer's tally.
void tally_errors(MultiplyLayer& layer, const at::Tensor& approximate, const at::Tensor& exact) {
  const at::Tensor error = approximate.to(at::kDouble) - exact.to(at::kDouble);
  const at::Tensor sums = error.sum({0, 2, 3}).contiguous();
  const at::Tensor squares = error.square().sum({0, 2, 3}).contiguous();
  layer.error_sum.resize(static_cast<std::size_t>(sums.numel()), 0.0);
  layer.error_square_sum.resize(layer.error_sum.size(), 0.0);
  for (std::size_t m = 0; m < layer.error_sum.size(); ++m) {
    layer.error_sum[m] += sums.data_ptr<double>()[m];
    layer.error_square_sum[m] += squares.data_ptr<double>()[m];
  }
  const std::int64_t outputs = error.numel() / sums.numel();  // of one channel
  layer.error_count += static_cast<double>(outputs);
}

at::Tensor layer_sums(const Pass& pass, const at::Tensor& x, const at::Tensor& integers) {
  MultiplyLayer& layer = *pass.layer;
  if (layer.mode != LayerMode::approximate) {
    at::Tensor sums = exact_sums(pass, integers.defined() ? integers : quantized_integers(pass, x));
    if (layer.capture) {
      layer.captured_codes = quantized_codes(pass, x).permute({0, 2, 3, 1});
      layer.captured_accumulator = sums;
    }
    return sums;
  }
  at::Tensor sums = table_sums(pass, quantized_codes(pass, x));
  if (!layer.measure_errors) return sums;
  at::Tensor exact = exact_sums(pass, integers.defined() ? integers : quantized_integers(pass, x));
  tally_errors(layer, sums, exact);
  if (!layer.correct_errors) return exact;
  layer.mean_acc.clear();
  for (const double sum : layer.error_sum) layer.mean_acc.push_back(sum / layer.error_count);
  return sums;
}

// What convolution_backward needs of a geometry, as autograd can keep it.
std::vector<std::int64_t> packed(const LayerGeometry& g) {
  return {g.kernel[0],  g.kernel[1],   g.stride[0],   g.stride[1], g.padding[0],
          g.padding[1], g.dilation[0], g.dilation[1], g.groups};
}

LayerGeometry unpacked(const std::vector<std::int64_t>& v) {
  LayerGeometry g;
  g.kernel = {v[0], v[1]};
  g.stride = {v[2], v[3]};
  g.padding = {v[4], v[5]};
  g.dilation = {v[6], v[7]};
  g.groups = v[8];
  return g;
}

class Multiply : public torch::autograd::Function<Multiply> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const train::TorchOptional<at::Tensor>& bias,
                            const std::shared_ptr<Pass>& pass) {
    const at::Tensor x = channels_last(input);
    const at::Tensor integers = pass->with_gradient || pass->layer->mode != LayerMode::approximate
                                    ? quantized_integers(*pass, x)
                                    : at::Tensor();
    at::Tensor y = outputs(*pass, layer_sums(*pass, x, integers), bias);
    if (pass->with_gradient) {
      const LayerGeometry& g = pass->layer->geometry;
      std::vector<float> scales;
      for (const double scale : pass->weight.scales) scales.push_back(static_cast<float>(scale));
      const at::Tensor real =
          pass->weight.integers * at::tensor(scales).to(weight.device()).view({-1, 1, 1, 1});
      context->save_for_backward({x, integers, real});
      context->saved_data["geometry"] = c10::IValue(packed(g));
      context->saved_data["grid"] = c10::IValue(
          std::vector<double>{pass->grid.scale, pass->low(), pass->high(), pass->inverse()});
      context->saved_data["bias"] = bias.has_value() && pass->with_bias;
    }
    return y;
  }

  // The gradients of the exact layer on quantised operands; inputs outside the grid get none.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &integers = saved[1], &real = saved[2];
    const LayerGeometry g = unpacked(context->saved_data["geometry"].toIntVector());
    const auto grid = context->saved_data["grid"].toDoubleVector();
    const at::Tensor dy = channels_last(gradients[0]);
    const bool wants_x = context->needs_input_grad(0);
    const bool seen_only = strides_differ(g);
    const LayerGeometry of = seen_only ? on_seen_pixels(g) : g;
    auto [dx, dw, unused] = at::convolution_backward(
        dy, seen_only ? seen_pixels(g, integers) : integers, channels_last(real), train::kTorchNone,
        of.stride, of.padding, of.dilation, false, {0, 0}, of.groups, {wants_x, true, false});
    if (wants_x && seen_only) dx = back_to_all_pixels(g, dx, x.sizes());
    if (wants_x) {
      const auto low = static_cast<float>(grid[1]), high = static_cast<float>(grid[2]),
                 inverse = static_cast<float>(grid[3]);
      if (dx.device().is_cpu()) {
        dx = channels_last(dx);
        detail::mask_gradient(dx.data_ptr<float>(), x.data_ptr<float>(), count(x), inverse, low,
                              high);
      } else {
        const at::Tensor t = x * inverse;
        dx = dx * t.ge(low - 0.5f).logical_and_(t.le(high + 0.5f));
      }
    }
    at::Tensor db;
    if (context->saved_data["bias"].toBool()) db = dy.sum({0, 2, 3});
    return {dx, dw.mul_(grid[0]), db, at::Tensor()};
  }
};

at::Tensor float_forward(const MultiplyLayer& layer, const at::Tensor& x) {
  const LayerGeometry& g = layer.geometry;
  if (g.linear) return at::linear(x, layer.weight, layer.bias);
  const bool seen_only = at::GradMode::is_enabled() && strides_differ(g);
  const LayerGeometry of = seen_only ? on_seen_pixels(g) : g;
  return at::conv2d(seen_only ? seen_pixels(g, x) : x, layer.weight, layer.bias, of.stride,
                    of.padding, of.dilation, of.groups);
}

void check_input(const MultiplyLayer& layer, const at::Tensor& x) {
  const LayerGeometry& g = layer.geometry;
  if (x.dim() != (g.linear ? 2 : 4) || x.size(1) != g.in_channels)
    throw InputError(912, "layer " + layer.name + " takes " + std::to_string(g.in_channels) +
                              (g.linear ? " features" : " channels") + ", not " +
                              (x.dim() > 1 ? std::to_string(x.size(1)) : std::string("none")) +
                              "; is this data of another kind than the network's?");
}

void observe_input(MultiplyLayer& layer, const at::Tensor& x) {
  const at::Tensor dense = x.dim() == 4 ? channels_last(x) : x.contiguous();
  const detail::Range range =
      dense.device().is_cpu() ? detail::range_of(dense.data_ptr<float>(), count(dense))
                              : detail::Range{dense.min().item<float>(), dense.max().item<float>()};
  layer.observer.update(range.min, range.max);
}

std::shared_ptr<Pass> make_pass(MultiplyLayer& layer) {
  auto pass = std::make_shared<Pass>();
  pass->layer = &layer;
  pass->grid = activation_grid(layer);
  pass->weight = quantize_weight(layer);
  pass->with_gradient = false;
  pass->with_bias = true;
  return pass;
}

train::TorchOptional<at::Tensor> bias_of(const MultiplyLayer& layer) {
  return layer.bias.defined() ? train::TorchOptional<at::Tensor>(layer.bias) : train::kTorchNone;
}

void count_ops(MultiplyLayer& layer, const at::Tensor& y) {
  if (y.numel() > 0) layer.ops = y.numel() / y.size(0) * layer.geometry.fan_in();
}

}  // namespace

std::string_view to_string(LayerMode mode) {
  constexpr std::string_view names[] = {"float", "quantized", "noise", "approximate"};
  return names[static_cast<std::size_t>(mode)];
}

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
  const std::size_t per_row = count(w) / std::max<std::size_t>(1, rows);
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
  std::vector<std::uint8_t> b(count(integers));
  for (std::size_t m = 0; m < static_cast<std::size_t>(g.out_channels); ++m)
    for (std::size_t k = 0; k < fan_in; ++k)
      b[(m / per_group * fan_in + k) * per_group + m % per_group] =
          static_cast<std::uint8_t>(static_cast<int>(from[m * fan_in + k]) + layer.b_zero_point());
  return b;
}

void set_multiplier(MultiplyLayer& layer, std::shared_ptr<const Multiplier> multiplier,
                    TableEncoding unsigned_encoding) {
  const Lut& lut = multiplier->lut;
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

void set_noise_level(MultiplyLayer& layer, double sigma_l) {
  const at::NoGradGuard guard;
  if (layer.sigma_l.defined())
    layer.sigma_l.fill_(sigma_l);
  else
    layer.sigma_l = at::scalar_tensor(sigma_l).set_requires_grad(true);
}

at::Tensor forward(MultiplyLayer& layer, const at::Tensor& x) {
  check_input(layer, x);
  if (layer.observe) observe_input(layer, x);
  if (layer.mode == LayerMode::float32) {
    at::Tensor y = float_forward(layer, x);
    count_ops(layer, y);
    return y;
  }
  const LayerGeometry& g = layer.geometry;
  const auto pass = make_pass(layer);
  pass->with_gradient =
      at::GradMode::is_enabled() && (layer.weight.requires_grad() || x.requires_grad());
  // A layer of frozen weights learns how much noise it tolerates all the same.
  const bool noisy = layer.mode == LayerMode::noise && at::GradMode::is_enabled();
  pass->with_bias = !noisy;
  const at::Tensor image = g.linear ? x.view({x.size(0), g.in_channels, 1, 1}) : x;
  const at::Tensor weight =
      g.linear ? layer.weight.view({g.out_channels, g.in_channels, 1, 1}) : layer.weight;
  at::Tensor y = Multiply::apply(image, weight, bias_of(layer), pass);
  if (noisy) {
    y = detail::add_noise(y, layer.sigma_l, layer.noise_seed, layer.noise_stream++);
    if (layer.bias.defined()) y = y + layer.bias.view({1, -1, 1, 1});
  }
  count_ops(layer, y);
  return g.linear ? y.view({y.size(0), g.out_channels}) : y;
}

at::Tensor forward(MultiplyLayer& layer, const at::Tensor& x, const Epilogue& epilogue) {
  const at::NoGradGuard guard;
  check_input(layer, x);
  if (layer.observe) observe_input(layer, x);
  const auto pass = make_pass(layer);
  pass->epilogue = &epilogue;
  const at::Tensor dense = channels_last(x);
  at::Tensor y = outputs(*pass, layer_sums(*pass, dense, at::Tensor()), bias_of(layer));
  count_ops(layer, y);
  return y;
}

}  // namespace axmul
