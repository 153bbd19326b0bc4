// Fused passes over whole tensors: quantise, turn sums into outputs, mask gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace axmul::detail {

/// a − zero_point = clamp(round half to even(x · inverse), low, high); low and high already without
/// the zero point. codes (bit patterns of a) and integers may each be null.
void quantize(const float* x, std::size_t n, float inverse, float low, float high, int zero_point,
              std::uint8_t* codes, float* integers);

/// y[i,m] = clamp(float(acc[i,m]) · scale[m] + shift[m] + add[i,m], low, high) over rows of m_count
/// channels; add may be null. A NaN stays.
struct Finish {
  const float *scale, *shift;  // [m_count]
  const float* add = nullptr;  // [rows, m_count]
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};
void finish_sums(const float* acc, std::size_t rows, std::size_t m_count, const Finish& finish,
                 float* y);
void finish_sums(const std::int32_t* acc, std::size_t rows, std::size_t m_count,
                 const Finish& finish, float* y);

/// acc[i,m] −= zero_point · field[i, m / (m_count/groups)] + constant[m], modulo 2^32.
void remove_zero_points(std::int32_t* acc, std::size_t rows, std::size_t m_count,
                        std::size_t groups, std::int32_t zero_point, const std::int32_t* field,
                        const std::int32_t* constant);

/// sums[i] = sum over codes[i · width … (i+1) · width) of (code − zero_point).
void sum_codes(const std::uint8_t* codes, std::size_t n, std::size_t width, int zero_point,
               std::int32_t* sums);

/// gradient = 0 where x · inverse lies outside [low − ½, high + ½].
void mask_gradient(float* gradient, const float* x, std::size_t n, float inverse, float low,
                   float high);

struct Range {
  float min, max;
};
/// Minimum and maximum; {0, 0} for none. A NaN anywhere gives NaN.
Range range_of(const float* x, std::size_t n);

}  // namespace axmul::detail
