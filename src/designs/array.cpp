// Array multipliers that leave partial-product bits out: exact, truncated, broken array.
//
// A partial-product bit a_i·b_j has weight 2^(i+j), negative where exactly one of its bits is a
// sign bit (two's complement). A bit that is left out counts as zero, in the signed circuits too:
// there it is the complemented Baugh-Wooley bit that becomes constant one.
#include "designs/family.hpp"

namespace axmul::detail {

namespace {

// Σ of the partial-product bits for which keep(i, j) holds.
template <class Keep>
std::int64_t kept_sum(const DesignConfig& c, std::int64_t a, std::int64_t b, Keep keep) {
  std::int64_t sum = 0;
  for (int j = 0; j < c.width; ++j) {
    if (bit(b, j) == 0) continue;
    for (int i = 0; i < c.width; ++i) {
      if (bit(a, i) == 0 || !keep(i, j)) continue;
      const bool negative = (c.a_signed && i == c.width - 1) != (c.b_signed && j == c.width - 1);
      const std::int64_t weight = std::int64_t{1} << (i + j);
      sum += negative ? -weight : weight;
    }
  }
  return sum;
}

std::int64_t exact_product(const DesignConfig&, std::int64_t a, std::int64_t b) { return a * b; }

std::int64_t truncated_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return kept_sum(c, a, b, [&](int i, int j) { return i + j >= c[0]; });
}

std::int64_t broken_array_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return kept_sum(c, a, b, [&](int i, int j) { return j >= c[0] && i + j >= c[1]; });
}

}  // namespace

Family exact_family() {
  Family f;
  f.design = {
      "exact",    "the exact product, as an array of adders", "arithmetic", Topology::paper, "", {},
      all_types()};
  f.product = exact_product;
  return f;
}

Family truncated_family() {
  Family f;
  f.design = {
      "truncated",
      "partial-product bits of weight below 2^k are left out",
      "M. J. Schulte, E. E. Swartzlander, Truncated multiplication with correction constant, "
      "VLSI Signal Processing VI, 1993 (here without the constant)",
      Topology::ours,
      "the remaining columns are summed exactly",
      {{"k", 0, 15, 4, "columns left out", 2}},
      all_types()};
  f.product = truncated_product;
  return f;
}

Family broken_array_family() {
  Family f;
  f.design = {"broken_array",
              "array multiplier without the cells above row h (bits of b below h) and right of "
              "column v (weights below 2^v)",
              "H. R. Mahdiani, A. Ahmadi, S. M. Fakhraie, C. Lucas, Bio-inspired imprecise "
              "computational blocks, IEEE TCAS-I 57(4), 2010",
              Topology::paper,
              "a cell is one partial-product bit with its adder",
              {{"h", 0, 8, 0, "horizontal break level: rows left out", 1},
               {"v", 0, 15, 5, "vertical break level: columns left out", 2}},
              all_types()};
  f.product = broken_array_product;
  return f;
}

}  // namespace axmul::detail
