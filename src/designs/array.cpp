// Array multipliers that leave partial-product bits or operand bits out, or add them carelessly:
// exact, truncated (with and without constant), broken array and Booth, perforated, lower-part OR.
//
// A partial-product bit a_i·b_j has weight 2^(i+j), negative where exactly one of its bits is a
// sign bit (two's complement). A bit that is left out counts as zero, in the signed circuits too:
// there it is the complemented Baugh-Wooley bit that becomes constant one.
#include <algorithm>

#include "designs/circuit.hpp"

namespace axmul::detail::designs {

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

// What the left-out bits are worth on average (each is 1 with probability 1/4), rounded to a
// multiple of 2^k, halves up.
std::int64_t truncation_constant(const DesignConfig& c) {
  std::int64_t four_times_mean = 0;
  for (int j = 0; j < c.width; ++j)
    for (int i = 0; i < c.width && i + j < c[0]; ++i) {
      const bool negative = (c.a_signed && i == c.width - 1) != (c.b_signed && j == c.width - 1);
      four_times_mean += (negative ? -1 : 1) * (std::int64_t{1} << (i + j));
    }
  const int k = c[0];
  return ((four_times_mean + (std::int64_t{2} << k)) >> (k + 2)) << k;
}

std::int64_t truncated_constant_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return truncated_product(c, a, b) + truncation_constant(c);
}

std::int64_t perforated_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return kept_sum(c, a, b, [&](int, int j) { return j < c[0] || j >= c[0] + c[1]; });
}

std::string perforated_conflict(const DesignConfig& c) {
  if (c[0] + c[1] > c.width)
    return "p + m must not exceed the " + std::to_string(c.width) + " partial products";
  if (c.b_signed && c[1] > 0 && c[0] + c[1] == c.width)
    return "the last partial product of a signed b is not left out; p + m must be below " +
           std::to_string(c.width);
  return {};
}

// Radix-4 digit i of b (two's complement), −2 … 2.
int booth_digit(std::int64_t b, int i) {
  const std::int64_t below = i == 0 ? 0 : bit(b, 2 * i - 1);
  return static_cast<int>(bit(b, 2 * i) + below - 2 * bit(b, 2 * i + 1));
}

std::int64_t broken_booth_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  for (int i = 0; 2 * i < c.width; ++i) {
    const std::int64_t row = booth_digit(b, i) * a * (std::int64_t{1} << (2 * i));
    sum += (row >> c[0]) * (std::int64_t{1} << c[0]);
  }
  const std::int64_t top = std::int64_t{1} << (2 * c.width - 1);  // the adders wrap around
  return ((sum + top) & (2 * top - 1)) - top;
}

std::int64_t operand_truncation_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return ((a >> c[0]) * (b >> c[1])) * (std::int64_t{1} << (c[0] + c[1]));
}

// One row after the other through a lower-part-OR adder whose low part is the k lowest columns.
std::int64_t lower_or_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  const int k = c[0];
  const std::int64_t low = (std::int64_t{1} << k) - 1;
  std::int64_t sum = bit(b, 0) != 0 ? a : 0;
  for (int j = 1; j < c.width; ++j) {
    const std::int64_t row = bit(b, j) != 0 ? a << j : 0;
    const std::int64_t carry = k > 0 ? bit(sum, k - 1) & bit(row, k - 1) : 0;
    sum = (((sum >> k) + (row >> k) + carry) << k) | ((sum | row) & low);
  }
  return sum;
}

// The array of the partial-product bits that keep(i, j) leaves. A bit of negative weight enters
// complemented, −x = ~x − 1, and the −1s are gathered in the constant (Baugh-Wooley).
template <class Keep>
Word kept_array(Circuit& c, const DesignConfig& config, const Word& a, const Word& b,
                std::int64_t constant, Keep keep) {
  const auto n = static_cast<std::size_t>(config.width);
  std::vector<Word> rows;
  for (std::size_t j = 0; j < n; ++j) {
    Word row(2 * n, Circuit::kZero);
    for (std::size_t i = 0; i < n; ++i) {
      if (!keep(static_cast<int>(i), static_cast<int>(j))) continue;
      const bool negative = (config.a_signed && i == n - 1) != (config.b_signed && j == n - 1);
      const Bit product = c.and2(a[i], b[j]);
      row[i + j] = negative ? c.inv(product) : product;
      if (negative) constant -= std::int64_t{1} << (i + j);
    }
    rows.push_back(row);
  }
  return array_sum(c, rows, constant, 2 * n);
}

}  // namespace

Word exact_array(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return kept_array(c, config, a, b, 0, [](int, int) { return true; });
}

namespace {

Word exact_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return kept_array(c, config, a, b, 0, [](int, int) { return true; });
}

Word truncated_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return kept_array(c, config, a, b, 0, [&](int i, int j) { return i + j >= config[0]; });
}

Word truncated_constant_circuit(Circuit& c, const DesignConfig& config, const Word& a,
                                const Word& b) {
  return kept_array(c, config, a, b, truncation_constant(config),
                    [&](int i, int j) { return i + j >= config[0]; });
}

Word broken_array_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return kept_array(c, config, a, b, 0,
                    [&](int i, int j) { return j >= config[0] && i + j >= config[1]; });
}

Word perforated_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return kept_array(c, config, a, b, 0,
                    [&](int, int j) { return j < config[0] || j >= config[0] + config[1]; });
}

Word operand_truncation_circuit(Circuit& c, const DesignConfig& config, const Word& a,
                                const Word& b) {
  return kept_array(c, config, a, b, 0,
                    [&](int i, int j) { return i >= config[0] && j >= config[1]; });
}

// One ripple adder a row above column k, OR gates below it.
Word lower_or_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const std::size_t size = 2 * a.size(), k = static_cast<std::size_t>(config[0]);
  Word sum = resized(and_each(c, a, b[0]), size);
  for (std::size_t j = 1; j < b.size(); ++j) {
    const Word row = shifted(and_each(c, a, b[j]), j, size);
    Bit carry = k > 0 ? c.and2(sum[k - 1], row[k - 1]) : Circuit::kZero;
    for (std::size_t i = 0; i < size; ++i) {
      if (i < k) {
        sum[i] = c.or2(sum[i], row[i]);
        continue;
      }
      const Circuit::Sum s = c.full_adder(sum[i], row[i], carry);
      sum[i] = s.sum;
      carry = s.carry;
    }
  }
  return sum;
}

// Row i: 0, ±a or ±2a, two's complement, width + 2 bits.
Word booth_row(Circuit& c, const Word& a, const Word& b, std::size_t i) {
  const Bit below = i == 0 ? Circuit::kZero : b[2 * i - 1];
  const Bit one = c.xor2(b[2 * i], below);
  const Bit two = c.and2(c.inv(one), c.xor2(b[2 * i + 1], b[2 * i]));
  Word row;
  for (std::size_t k = 0; k < a.size() + 2; ++k) {
    const Bit same = a[std::min(k, a.size() - 1)];
    const Bit twice = k == 0 ? Circuit::kZero : a[std::min(k, a.size()) - 1];
    row.push_back(c.or2(c.and2(same, one), c.and2(twice, two)));
  }
  return negate_if(c, row, c.and2(b[2 * i + 1], c.or2(one, two)));
}

Word broken_booth_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const std::size_t n = a.size(), v = static_cast<std::size_t>(config[0]);
  std::vector<Word> rows;
  std::int64_t constant = 0;
  for (std::size_t i = 0; 2 * i < n; ++i) {
    const Word bits = booth_row(c, a, b, i);
    Word row(2 * n, Circuit::kZero);
    for (std::size_t k = 0; k + 1 < bits.size(); ++k)
      if (2 * i + k >= v && 2 * i + k < 2 * n) row[2 * i + k] = bits[k];
    const std::size_t sign = std::max(2 * i + bits.size() - 1, v);  // weighs −2^sign
    if (sign < 2 * n) {
      row[sign] = c.inv(bits.back());
      constant -= std::int64_t{1} << sign;
    }
    rows.push_back(row);
  }
  return array_sum(c, rows, constant, 2 * n);
}

}  // namespace

Family exact_family() {
  Family f;
  f.design = {
      "exact",    "the exact product, as an array of adders", "arithmetic", Topology::paper, "", {},
      all_types()};
  f.product = exact_product;
  f.circuit = exact_circuit;
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
  f.circuit = truncated_circuit;
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
              "a cell is one partial-product bit with its adder; signed: sign cells are left out "
              "like the others, where the paper keeps them",
              {{"h", 0, 8, 0, "horizontal break level: rows left out", 1},
               {"v", 0, 15, 5, "vertical break level: columns left out", 2}},
              all_types()};
  f.product = broken_array_product;
  f.circuit = broken_array_circuit;
  return f;
}

Family truncated_constant_family() {
  Family f;
  f.design = {
      "truncated_constant",
      "truncated, plus the mean of the bits left out, rounded to a multiple of 2^k",
      "M. J. Schulte, E. E. Swartzlander, Truncated multiplication with correction constant, "
      "VLSI Signal Processing VI, 1993",
      Topology::ours,
      "the product keeps its full width; the paper also rounds it to n bits",
      {{"k", 0, 15, 6, "columns left out", 2}},
      all_types()};
  f.product = truncated_constant_product;
  f.circuit = truncated_constant_circuit;
  return f;
}

Family perforated_family() {
  Family f;
  f.design = {"perforated",
              "m successive partial products (bits of b) are left out, from the p-th on",
              "G. Zervakis, K. Tsoumanis, S. Xydis, D. Soudris, K. Pekmestzi, Design-efficient "
              "approximate multiplication circuits through partial product perforation, IEEE TVLSI "
              "24(10), 2016",
              Topology::paper,
              "simple partial products, no correction by operand swap",
              {{"p", 0, 7, 0, "first partial product left out", 1},
               {"m", 0, 8, 2, "partial products left out", 1}},
              all_types()};
  f.product = perforated_product;
  f.circuit = perforated_circuit;
  f.conflict = perforated_conflict;
  return f;
}

Family lower_or_family() {
  Family f;
  f.design = {"lower_or",
              "array multiplier whose row adders OR the k lowest columns and carry only out of the "
              "highest of them (a AND b)",
              "lower-part-OR adder of H. R. Mahdiani et al., IEEE TCAS-I 57(4), 2010",
              Topology::ours,
              "the paper uses the adder outside the multiplier; accumulating with it is ours",
              {{"k", 0, 15, 6, "columns added by OR", 2}},
              unsigned_only()};
  f.product = lower_or_product;
  f.circuit = lower_or_circuit;
  return f;
}

Family operand_truncation_family() {
  Family f;
  f.design = {
      "operand_truncation",
      "the low bits of both operands are cleared before an exact multiplication",
      "customary baseline; among the circuits of V. Mrazek et al., EvoApprox8b, DATE 2017",
      Topology::paper,
      "",
      {{"ka", 0, 7, 2, "low bits of a cleared", 1}, {"kb", 0, 7, 2, "low bits of b cleared", 1}},
      all_types()};
  f.product = operand_truncation_product;
  f.circuit = operand_truncation_circuit;
  return f;
}

Family broken_booth_family() {
  Family f;
  f.design = {
      "broken_booth",
      "radix-4 Booth multiplier without the partial-product bits right of column v",
      "F. Farshchi, M. S. Abrishami, S. M. Fakhraie, New approximate multiplier for low power "
      "digital signal processing, CADS 2013 (arXiv 2003.06727)",
      Topology::paper,
      "rows are broken after exact negation (the paper's Type0)",
      {{"v", 0, 15, 6, "vertical break level: columns left out", 2}},
      {OperandType::s8s8}};
  f.product = broken_booth_product;
  f.circuit = broken_booth_circuit;
  return f;
}

}  // namespace axmul::detail::designs
