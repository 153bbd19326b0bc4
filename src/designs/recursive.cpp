// Multipliers put together from small inexact ones: Kulkarni's 2x2 block.
#include "designs/circuit.hpp"

namespace axmul::detail::designs {

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

Word kulkarni_circuit(Circuit& c, const DesignConfig&, const Word& a, const Word& b) {
  std::vector<std::vector<Bit>> columns(2 * a.size());
  for (std::size_t j = 0; j < b.size(); j += 2)
    for (std::size_t i = 0; i < a.size(); i += 2) {
      columns[i + j].push_back(c.and2(a[i], b[j]));
      columns[i + j + 1].push_back(c.or2(c.and2(a[i + 1], b[j]), c.and2(a[i], b[j + 1])));
      columns[i + j + 2].push_back(c.and2(a[i + 1], b[j + 1]));
    }
  return sum_columns(c, columns, 0, 2 * a.size());
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
  f.circuit = kulkarni_circuit;
  return f;
}

}  // namespace axmul::detail::designs
