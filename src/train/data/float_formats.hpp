// The 16-bit floating-point formats of weights files.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace axmul::detail {

/// IEEE 754 binary16.
inline float half_to_float(std::uint16_t half) {
  const int exponent = half >> 10 & 31, mantissa = half & 1023;
  float value = 0;
  if (exponent == 31)
    value = mantissa != 0 ? std::nanf("") : HUGE_VALF;
  else
    value = std::ldexp(static_cast<float>(exponent == 0 ? mantissa : mantissa + 1024),
                       exponent == 0 ? -24 : exponent - 25);
  return (half & 0x8000) != 0 ? -value : value;
}

/// The upper half of a float.
inline float bfloat16_to_float(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

}  // namespace axmul::detail
