// Multiplication layers: from sums to outputs in every mode, straight-through backward.
#include <torch/csrc/autograd/custom_function.h>

#include "axmul/core/errors.hpp"
#include "axmul/train/layer.hpp"
#include "train/layer/elementwise.hpp"
#include "train/layer/noise.hpp"
#include "train/layer/pass.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

using detail::channels_last;
using detail::count;
using detail::Pass;
using detail::Sums;

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
                seen.options().memory_format(detail::kChannelsLast))
          .zero_();
  every_stride(g, padded).copy_(seen);
  return padded.narrow(2, g.padding[0], sizes[2]).narrow(3, g.padding[1], sizes[3]);
}

// Factor and addend of each output channel that turn sums into outputs.
struct ChannelLines {
  std::vector<float> scale, shift;
};

// y = sums · a_scale·b_scale[m] + bias[m] − a_scale·b_scale[m]·mean_error[m], then the epilogue's.
ChannelLines channel_lines(const Pass& pass, const std::vector<double>& mean_error,
                           const train::TorchOptional<at::Tensor>& bias) {
  const auto m_count = static_cast<std::size_t>(pass.layer->geometry.out_channels);
  ChannelLines lines{std::vector<float>(m_count), std::vector<float>(m_count)};
  const at::Tensor offset = bias && pass.with_bias ? bias->to(at::kCPU).contiguous() : at::Tensor();
  for (std::size_t m = 0; m < m_count; ++m) {
    double factor = pass.grid.scale * pass.weight.scale(static_cast<std::int64_t>(m));
    double add = offset.defined() ? static_cast<double>(offset.data_ptr<float>()[m]) : 0.0;
    if (!mean_error.empty()) add -= factor * mean_error[m];
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

at::Tensor outputs(const Pass& pass, const Sums& of, const train::TorchOptional<at::Tensor>& bias) {
  const at::Tensor& sums = of.values;
  const ChannelLines lines = channel_lines(pass, of.mean_error, bias);
  if (!sums.device().is_cpu()) return outputs_elsewhere(pass, sums, lines);
  at::Tensor y = detail::empty_channels_last(sums.sizes(), at::kFloat);
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
                                    ? detail::quantized_integers(*pass, x)
                                    : at::Tensor();
    at::Tensor y = outputs(*pass, detail::layer_sums(*pass, x, integers), bias);
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
  at::Tensor y = outputs(*pass, detail::layer_sums(*pass, dense, at::Tensor()), bias_of(layer));
  count_ops(layer, y);
  return y;
}

}  // namespace axmul
