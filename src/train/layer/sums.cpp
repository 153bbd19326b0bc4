// The integer sums of a layer: exact products by libtorch, a table's products by LUT GEMM.
#include <algorithm>
#include <cmath>

#include "axmul/core/parallel.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "train/layer/elementwise.hpp"
#include "train/layer/pass.hpp"

namespace axmul::detail {
namespace {

constexpr double kFloatExact = 16777216.0;  // 2^24: integers below are exact in float32

at::Tensor convolve(const LayerGeometry& g, const at::Tensor& x, const at::Tensor& w) {
  return at::conv2d(x, w, {}, g.stride, g.padding, g.dilation, g.groups);
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
  quantize(x.data_ptr<float>(), count(x), pass.inverse(), pass.low(), pass.high(),
           pass.grid.zero_point, codes.data_ptr<std::uint8_t>(), nullptr);
  return codes;
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
  sum_codes(codes.data_ptr<std::uint8_t>(), pixels.size(),
            static_cast<std::size_t>(g.in_channels / groups), pass.grid.zero_point, pixels.data());
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
std::vector<std::int64_t> weight_constants(const Pass& pass) {
  const LayerGeometry& g = pass.layer->geometry;
  const at::Tensor sums = pass.weight.integers.sum({1, 2, 3}, false, at::kDouble).contiguous();
  std::vector<std::int64_t> constants;
  for (std::int64_t m = 0; m < g.out_channels; ++m)
    constants.push_back(pass.grid.zero_point *
                        (static_cast<std::int64_t>(sums.data_ptr<double>()[m]) +
                         g.fan_in() * pass.layer->b_zero_point()));
  return constants;
}

// What Σ(a−z_a)(b−z_b) has beside the table's Σab: z_b·Σ(a−z_a) and z_a·Σb. Nothing without a zero
// point of b, since the activations have none then either (s8s8, sign-magnitude).
struct Offsets {
  std::vector<std::int32_t> field;      // field_sums()
  std::vector<std::int64_t> constants;  // weight_constants()
  std::int64_t per_tap = 0;             // the largest |z_b·(a − z_a) + z_a·b|
};

Offsets offsets_of(const Pass& pass, const at::Tensor& codes) {
  if (pass.layer->b_zero_point() == 0) return {};
  // a reaches 255, b 1 … 255 about 128: 128·(255 − z_a) + 255·z_a is the farthest from 0.
  return {field_sums(pass, codes), weight_constants(pass), 128 * 255 + 127 * pass.grid.zero_point};
}

std::vector<std::int64_t> output_sizes(const Conv2dShape& shape) {
  return {static_cast<std::int64_t>(shape.batch), static_cast<std::int64_t>(shape.out_channels),
          static_cast<std::int64_t>(shape.out_height()),
          static_cast<std::int64_t>(shape.out_width())};
}

at::Tensor narrow_sums(const Pass& pass, const Conv2dShape& shape, const at::Tensor& codes,
                       std::span<const std::uint8_t> b, const Offsets& offsets) {
  at::Tensor sums = empty_channels_last(output_sizes(shape), at::kInt);
  std::int32_t* to = sums.data_ptr<std::int32_t>();
  lut_conv2d(*pass.layer->table, shape, {codes.data_ptr<std::uint8_t>(), count(codes)}, b,
             std::span<std::int32_t>(to, count(sums)));
  if (offsets.per_tap == 0) return sums;
  // Modulo 2^32 on the way; what comes out fits.
  std::vector<std::int32_t> constants;
  for (const std::int64_t c : offsets.constants) constants.push_back(static_cast<std::int32_t>(c));
  const std::size_t m_count = shape.out_channels;
  remove_zero_points(to, count(sums) / std::max<std::size_t>(1, m_count), m_count, shape.groups,
                     pass.layer->b_zero_point(), offsets.field.data(), constants.data());
  return sums;
}

at::Tensor wide_sums(const Pass& pass, const Conv2dShape& shape, const at::Tensor& codes,
                     std::span<const std::uint8_t> b, const Offsets& offsets) {
  std::vector<std::int64_t> wide(shape.output_size());
  lut_conv2d(*pass.layer->table, shape, {codes.data_ptr<std::uint8_t>(), count(codes)}, b,
             std::span<std::int64_t>(wide));
  at::Tensor sums = empty_channels_last(output_sizes(shape), at::kDouble);
  double* to = sums.data_ptr<double>();
  const std::size_t m_count = shape.out_channels, per_group = m_count / shape.groups;
  for (std::size_t i = 0, row = 0; i < wide.size(); ++row)
    for (std::size_t m = 0; m < m_count; ++m, ++i) {
      std::int64_t v = wide[i];
      if (offsets.per_tap != 0)
        v -= offsets.constants[m] + static_cast<std::int64_t>(pass.layer->b_zero_point()) *
                                        offsets.field[row * shape.groups + m / per_group];
      to[i] = static_cast<double>(v);
    }
  return sums;
}

// sum of (a − z_a)(b − z_b) with a·b from the table, int32 where that is safe, else float64.
at::Tensor table_sums(const Pass& pass, const at::Tensor& codes) {
  const Conv2dShape shape = conv_shape(pass, codes);
  const std::vector<std::uint8_t> b = weight_operands(*pass.layer, pass.weight);
  const Offsets offsets = offsets_of(pass, codes);
  const Accumulator fits =
      required_accumulator(*pass.layer->table, shape.fan_in(), offsets.per_tap);
  return (fits == Accumulator::int32 ? narrow_sums : wide_sums)(pass, shape, codes, b, offsets);
}

}  // namespace

at::Tensor quantized_integers(const Pass& pass, const at::Tensor& x) {
  if (!x.device().is_cpu()) return at::clamp(x * pass.inverse(), pass.low(), pass.high()).round_();
  at::Tensor integers = empty_channels_last(x.sizes(), at::kFloat);
  quantize(x.data_ptr<float>(), count(x), pass.inverse(), pass.low(), pass.high(),
           pass.grid.zero_point, nullptr, integers.data_ptr<float>());
  return integers;
}

Sums layer_sums(const Pass& pass, const at::Tensor& x, const at::Tensor& integers) {
  const MultiplyLayer& layer = *pass.layer;
  const auto exact = [&] {
    return exact_sums(pass, integers.defined() ? integers : quantized_integers(pass, x));
  };
  if (layer.mode != LayerMode::approximate) {
    at::Tensor sums = exact();
    if (layer.capture != nullptr)
      *layer.capture = {quantized_codes(pass, x).permute({0, 2, 3, 1}), sums};
    return {sums, {}};
  }
  at::Tensor sums = table_sums(pass, quantized_codes(pass, x));
  if (layer.error_tally == nullptr) return {sums, layer.mean_acc};
  at::Tensor without_error = exact();
  layer.error_tally->add(sums, without_error);
  if (layer.error_tally->hands_on_corrected) return {sums, layer.error_tally->mean()};
  return {without_error, {}};
}

}  // namespace axmul::detail
