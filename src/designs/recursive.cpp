// Multipliers put together from small inexact ones: Kulkarni's 2x2 block.
#include "designs/family.hpp"

namespace axmul::detail {

namespace {

// 3·3 = 7 needs three output bits instead of four; every other product is exact.
std::int64_t kulkarni_block(std::int64_t a, std::int64_t b) { return a == 3 && b == 3 ? 7 : a * b; }

std::int64_t kulkarni_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  for (int i = 0; i < c.width; i += 2)
    for (int j = 0; j < c.width; j += 2)
      sum += kulkarni_block((a >> i) & 3, (b >> j) & 3) << (i + j);
  return sum;
}

}  // namespace

Family kulkarni_family() {
  Family f;
  f.design = {"kulkarni",
              "underdesigned multiplier: 2x2 blocks with 3·3 = 7, added exactly",
              "P. Kulkarni, P. Gupta, M. D. Ercegovac, Trading accuracy for power with an "
              "underdesigned multiplier architecture, VLSI Design 2011",
              Topology::paper,
              "",
              {},
              unsigned_only()};
  f.product = kulkarni_product;
  return f;
}

}  // namespace axmul::detail
