// Gaussian noise of the AGN search (src/README.md#networks): counter-based, so that threads change
// nothing.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>

namespace axmul::detail {

/// y + N(0,1)·std(y)·sigma_l with gradients to y (through std(y) too) and sigma_l. y is float32,
/// std is over all elements (divided by their number); the noise depends on (seed, stream, position
/// in memory) only. sigma_l: a scalar tensor.
at::Tensor add_noise(const at::Tensor& y, const at::Tensor& sigma_l, std::uint64_t seed,
                     std::uint64_t stream);

/// Normal draws are made in pieces of this many; a piece is piece number p of (seed, stream).
inline constexpr std::size_t kNormalPiece = 256;

/// Draws first … first + n − 1 of (seed, stream); first is a multiple of kNormalPiece.
void normal_draws(float* out, std::size_t n, std::size_t first, std::uint64_t seed,
                  std::uint64_t stream);

/// to[i] = from[i] + scale·normal[i]
void add_scaled(const float* from, const float* normal, std::size_t n, float scale, float* to);
/// to[i] = gradient[i] + slope·(y[i] − mean)
void add_centred(const float* gradient, const float* y, std::size_t n, float slope, float mean,
                 float* to);

struct Moments {
  double sum = 0, sum_squares = 0;
};
/// In float64, fixed lanes.
Moments moments(const float* x, std::size_t n);
/// Σ x[i]·y[i] in float64, fixed lanes.
double dot(const float* x, const float* y, std::size_t n);

}  // namespace axmul::detail
