// One layer by nested loops over integers: the definition of src/README.md#networks, written apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "axmul/train/layer.hpp"

namespace axmul::test {

/// y, in the order [n][m][y][x]. Reads the operands of the layer's own grids.
inline std::vector<double> brute_force(const MultiplyLayer& layer, const Lut& lut,
                                       const at::Tensor& x) {
  const LayerGeometry& g = layer.geometry;
  const bool flat = g.linear;
  const std::int64_t n = x.size(0), h = flat ? 1 : x.size(2), w = flat ? 1 : x.size(3);
  const ActivationGrid grid = activation_grid(layer);
  const at::Tensor dense = x.contiguous(), weights = layer.weight.detach().contiguous();
  const std::int64_t in_g = g.in_channels / g.groups, out_g = g.out_channels / g.groups;
  const std::int64_t oh =
      (h + 2 * g.padding[0] - g.dilation[0] * (g.kernel[0] - 1) - 1) / g.stride[0] + 1;
  const std::int64_t ow =
      (w + 2 * g.padding[1] - g.dilation[1] * (g.kernel[1] - 1) - 1) / g.stride[1] + 1;
  const int zb = layer.encoding == TableEncoding::affine ? 128 : 0;
  const QuantizedWeight q = quantize_weight(layer);
  const auto a_of = [&](std::int64_t i, std::int64_t c, std::int64_t y, std::int64_t xx) {
    if (y < 0 || y >= h || xx < 0 || xx >= w) return grid.zero_point;
    const float v = dense.data_ptr<float>()[((i * g.in_channels + c) * h + y) * w + xx];
    const float t = std::nearbyint(v * static_cast<float>(1 / grid.scale));
    return std::clamp(static_cast<int>(t) + grid.zero_point, grid.lowest, grid.highest);
  };
  std::vector<double> result;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t m = 0; m < g.out_channels; ++m)
      for (std::int64_t y = 0; y < oh; ++y)
        for (std::int64_t xx = 0; xx < ow; ++xx) {
          std::int64_t products = 0, sum_a = 0, sum_b = 0;
          for (std::int64_t c = 0; c < in_g; ++c)
            for (std::int64_t kh = 0; kh < g.kernel[0]; ++kh)
              for (std::int64_t kw = 0; kw < g.kernel[1]; ++kw) {
                const std::int64_t k = (c * g.kernel[0] + kh) * g.kernel[1] + kw;
                const float wv = weights.data_ptr<float>()[m * g.fan_in() + k];
                const int b =
                    static_cast<int>(std::nearbyint(wv * static_cast<float>(1 / q.scale(m)))) + zb;
                const int a = a_of(i, m / out_g * in_g + c,
                                   y * g.stride[0] - g.padding[0] + kh * g.dilation[0],
                                   xx * g.stride[1] - g.padding[1] + kw * g.dilation[1]);
                products += lut(a, b);
                sum_a += a;
                sum_b += b;
              }
          const std::int64_t sum =
              products - zb * sum_a - grid.zero_point * sum_b + g.fan_in() * grid.zero_point * zb;
          float bias = 0;
          if (layer.bias.defined()) bias = layer.bias.detach().data_ptr<float>()[m];
          const float scale = static_cast<float>(grid.scale * q.scale(m));
          volatile float product = static_cast<float>(sum) * scale;  // no fused multiply-add
          result.push_back(static_cast<double>(product + bias));
        }
  return result;
}

}  // namespace axmul::test
