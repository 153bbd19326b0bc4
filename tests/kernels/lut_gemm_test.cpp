// Products equal the definition for every kernel, type, stride and thread count.
#include "axmul/kernels/lut_gemm.hpp"

#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

int value(std::uint8_t bits, bool is_signed) {
  return is_signed ? static_cast<std::int8_t>(bits) : bits;
}

std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint64_t seed) {
  Philox random(seed);
  std::vector<std::uint8_t> out(n);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random.next_below(256));
  return out;
}

}  // namespace

TEST_CASE("a product is the sum of table entries by operand value") {
  for (OperandType type : kOperandTypes) {
    const Lut lut = test::asymmetric_lut(type);
    const GemmShape s{5, 7, 3};
    const auto a = random_bytes(s.n * s.k, 1), b = random_bytes(s.k * s.m, 2);
    std::vector<std::int32_t> y(s.n * s.m, -1);
    lut_gemm(lut, s, a, b, y);
    for (std::size_t n = 0; n < s.n; ++n)
      for (std::size_t m = 0; m < s.m; ++m) {
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < s.k; ++k)
          sum += lut(value(a[n * s.k + k], a_is_signed(type)),
                     value(b[k * s.m + m], b_is_signed(type)));
        CHECK(y[n * s.m + m] == sum);
      }
  }
}
