// Products by definition, and the tables and operands that kernels are tried on.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "support/support.hpp"

namespace axmul::test {

inline int operand_value(std::uint8_t bits, bool is_signed) {
  return is_signed ? static_cast<std::int8_t>(bits) : bits;
}

/// How operand bytes are drawn: all alike, mostly 0, small, only the extremes, or below 128 but for
/// some rare ones.
enum class Draw { any, sparse, small, extreme, rare };

inline std::vector<std::uint8_t> draw_bytes(std::size_t n, std::uint64_t seed, Draw draw) {
  Philox random(seed);
  std::vector<std::uint8_t> out(n);
  for (auto& byte : out) {
    const auto x = static_cast<std::uint8_t>(random.next_below(256));
    if (draw == Draw::any) byte = x;
    if (draw == Draw::sparse) byte = random.next_below(5) == 0 ? x : std::uint8_t{0};
    if (draw == Draw::small) byte = static_cast<std::uint8_t>(x % 21 + 118);
    if (draw == Draw::rare)
      byte = static_cast<std::uint8_t>(x % 128 + (random.next_below(150) == 0 ? 128 : 0));
    if (draw == Draw::extreme) byte = x % 4 == 0 ? 0 : x % 4 == 1 ? 255 : x % 4 == 2 ? 127 : 128;
  }
  return out;
}

/// y by definition, in 64 bits, operands by value; the gaps of a strided y hold `gap`.
inline std::vector<std::int64_t> product_by_definition(const Lut& lut, const GemmShape& s,
                                                       const std::vector<std::uint8_t>& a,
                                                       const std::vector<std::uint8_t>& b,
                                                       const LutGemmOptions& o,
                                                       std::int64_t gap = -77) {
  const std::size_t a_stride = o.a_stride ? o.a_stride : s.k;
  const std::size_t b_stride = o.b_stride ? o.b_stride : s.m;
  const std::size_t y_stride = o.y_stride ? o.y_stride : s.m;
  std::vector<std::int64_t> y(s.n * y_stride, gap);
  for (std::size_t n = 0; n < s.n; ++n)
    for (std::size_t m = 0; m < s.m; ++m) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < s.k; ++k)
        sum += lut(operand_value(a[n * a_stride + k], a_is_signed(lut.type())),
                   operand_value(b[k * b_stride + m], b_is_signed(lut.type())));
      y[n * y_stride + m] = sum;
    }
  return y;
}

/// Products of any size up to the limit of a table: no structure, and the largest sums.
inline Lut wild_lut(OperandType type, std::uint64_t seed, std::int32_t limit = kProductLimit) {
  Philox random(seed);
  return Lut::from_function(type, [&](int, int) {
    return static_cast<int>(random.next_below(static_cast<std::uint64_t>(2 * limit - 1))) - limit +
           1;
  });
}

/// An outer product whose factors are no simple functions.
inline Lut outer_lut(OperandType type) {
  return Lut::from_function(type, [](int a, int b) { return (a / 3 * 5 - 7) * ((b & ~3) + 9); });
}

inline std::vector<std::pair<std::string, Lut>> kernel_luts(OperandType type) {
  return {{"exact", Lut::exact(type)},
          {"asymmetric", asymmetric_lut(type)},
          {"random", random_lut(type, 5)},
          {"outer", outer_lut(type)},
          {"wild", wild_lut(type, 6)},
          {"constant", Lut::from_function(type, [](int, int) { return 16777215; })},
          {"zero", Lut::from_function(type, [](int, int) { return 0; })}};
}

/// Names of the kernels that this CPU runs.
inline std::vector<std::string> runnable_kernels() {
  std::vector<std::string> names;
  for (const KernelInfo& info : lut_gemm_kernels())
    if (info.supported) names.push_back(info.name);
  return names;
}

}  // namespace axmul::test
