// Multipliers whose partial products are reduced by approximate 4:2 compressors.
#include <algorithm>
#include <memory>

#include "designs/circuit.hpp"

namespace axmul::detail::designs {

namespace {

struct CompressorBits {
  unsigned sum, carry, carry_out;
};

// An approximate compressor: x is x1 … x4 as bits 0 … 3.
using Compressor = CompressorBits (*)(unsigned x, unsigned carry_in);

constexpr CompressorBits two_bits(unsigned value) { return {value & 1, value >> 1, 0}; }
unsigned ones(unsigned x) { return static_cast<unsigned>(__builtin_popcount(x)); }

// Design 2: no ones count as 1, two ones of one pair (x1 x2 or x3 x4) as 1, four as 3.
CompressorBits momeni_2(unsigned x, unsigned) {
  if (x == 0 || x == 0b0011 || x == 0b1100) return two_bits(1);
  return two_bits(x == 0b1111 ? 3 : ones(x));
}

// Design 1: the carry is the carry-in, which also silences the sum; the carry-out is design 2's
// carry.
CompressorBits momeni_1(unsigned x, unsigned carry_in) {
  const CompressorBits d2 = momeni_2(x, 0);
  return {carry_in != 0 ? 0 : d2.sum, carry_in, d2.carry};
}

// DQ4:2C1: sum is x1, carry is x4.
CompressorBits akbari_1(unsigned x, unsigned) { return {x & 1, x >> 3, 0}; }

// DQ4:2C4: a one in each pair counts as 1, four ones as 2.
CompressorBits akbari_4(unsigned x, unsigned) {
  const bool one_each = ones(x & 0b0011) == 1 && ones(x & 0b1100) == 1;
  return two_bits(one_each ? 1 : x == 0b1111 ? 2 : ones(x));
}

// ACCI1: four ones count as 3.
CompressorBits yang(unsigned x, unsigned) { return two_bits(x == 0b1111 ? 3 : ones(x)); }
// Inaccurate 4:2 counter: four ones count as 2.
CompressorBits lin(unsigned x, unsigned) { return two_bits(x == 0b1111 ? 2 : ones(x)); }
// x3 and x4 count as one.
CompressorBits ha(unsigned x, unsigned) { return two_bits(ones(x & 0b0011) + (x >> 2 != 0)); }

struct TreeMultiplier {
  CompressorTree tree;
  std::vector<Compressor> by_column;  // the approximate compressor of each column
};

CompressorBits cell_outputs(const TreeMultiplier& m, const TreeCell& cell,
                            const std::vector<std::uint8_t>& bits) {
  unsigned x = 0, count = 0;
  std::array<unsigned, 5> in{};
  for (std::size_t k = 0; k < 5; ++k) {
    in[k] = cell.inputs[k] == kNoBit ? 0 : bits[static_cast<std::size_t>(cell.inputs[k])];
    count += in[k];
    if (k < 4) x |= in[k] << k;
  }
  if (cell.kind == TreeCell::Kind::approximate_compressor)
    return m.by_column[static_cast<std::size_t>(cell.column)](x, in[4]);
  if (cell.kind != TreeCell::Kind::exact_compressor) return two_bits(count);
  // The carry-out depends on x1 … x3 only; what is left of the count is sum and carry.
  const unsigned carry_out = in[0] + in[1] + in[2] >= 2;
  const CompressorBits rest = two_bits(count - 2 * carry_out);
  return {rest.sum, rest.carry, carry_out};
}

std::int64_t tree_product(const TreeMultiplier& m, std::int64_t a, std::int64_t b) {
  const int width = m.tree.width;
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(m.tree.bits));
  for (int j = 0; j < width; ++j)
    for (int i = 0; i < width; ++i)
      bits[static_cast<std::size_t>(j * width + i)] =
          static_cast<std::uint8_t>(bit(a, i) & bit(b, j));
  for (const TreeCell& cell : m.tree.cells) {
    const CompressorBits out = cell_outputs(m, cell, bits);
    bits[static_cast<std::size_t>(cell.sum)] = static_cast<std::uint8_t>(out.sum);
    bits[static_cast<std::size_t>(cell.carry)] = static_cast<std::uint8_t>(out.carry);
    if (cell.carry_out != kNoBit)
      bits[static_cast<std::size_t>(cell.carry_out)] = static_cast<std::uint8_t>(out.carry_out);
  }
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < m.tree.final_columns.size(); ++c)
    for (int id : m.tree.final_columns[c])
      sum += std::int64_t{bits[static_cast<std::size_t>(id)]} << c;
  return sum & ((std::int64_t{1} << (2 * width)) - 1);
}

Evaluator tree_evaluator(const DesignConfig& c, int columns, bool has_carry_out,
                         std::vector<Compressor> by_column) {
  auto m = std::make_shared<const TreeMultiplier>(
      TreeMultiplier{compressor_tree(c.width, columns, has_carry_out), std::move(by_column)});
  return [m](std::int64_t a, std::int64_t b) { return tree_product(*m, a, b); };
}

std::vector<Compressor> same(const DesignConfig& c, Compressor compressor) {
  return std::vector<Compressor>(static_cast<std::size_t>(2 * c.width), compressor);
}

Evaluator momeni_evaluator(const DesignConfig& c) {
  return tree_evaluator(c, c[1], c[0] == 1, same(c, c[0] == 1 ? momeni_1 : momeni_2));
}

// The mixed tree has the crude compressor in the lower half of the product, the better above.
Evaluator akbari_evaluator(const DesignConfig& c) {
  std::vector<Compressor> by_column = same(c, c[0] == 1 ? akbari_4 : akbari_1);
  if (c[0] == 2) std::fill(by_column.begin() + c.width, by_column.end(), akbari_4);
  return tree_evaluator(c, c[1], false, by_column);
}

Evaluator yang_evaluator(const DesignConfig& c) {
  return tree_evaluator(c, c[0], false, same(c, yang));
}
Evaluator lin_evaluator(const DesignConfig& c) {
  return tree_evaluator(c, c[0], false, same(c, lin));
}
Evaluator ha_evaluator(const DesignConfig& c) {
  return tree_evaluator(c, c[0], false, same(c, ha));
}

// The compressors as the papers' gates. x[0] … x[3] are x1 … x4, x[4] the carry-in.
struct CompressorNets {
  Bit sum, carry, carry_out;
};
using CompressorCircuit = CompressorNets (*)(Circuit& c, const std::array<Bit, 5>& x);

Bit majority(Circuit& c, Bit x, Bit y, Bit z) {
  return c.or2(c.and2(x, y), c.and2(z, c.or2(x, y)));
}

CompressorNets momeni_2_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  const Bit sum = c.or2(c.inv(c.xor2(x[0], x[1])), c.inv(c.xor2(x[2], x[3])));
  return {sum, c.and2(c.or2(x[0], x[1]), c.or2(x[2], x[3])), Circuit::kZero};
}

CompressorNets momeni_1_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  const CompressorNets d2 = momeni_2_circuit(c, x);
  return {c.and2(c.inv(x[4]), d2.sum), x[4], d2.carry};
}

CompressorNets akbari_1_circuit(Circuit&, const std::array<Bit, 5>& x) {
  return {x[0], x[3], Circuit::kZero};
}

CompressorNets akbari_4_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  return {c.or2(c.xor2(x[0], x[1]), c.xor2(x[2], x[3])),
          c.or2(c.and2(x[0], x[1]), c.and2(x[2], x[3])), Circuit::kZero};
}

// Carry of two or more ones, shared by Yang's and Lin's cells.
Bit two_or_more(Circuit& c, const std::array<Bit, 5>& x) {
  return c.or2(c.or2(c.and2(x[0], x[1]), c.and2(x[2], x[3])),
               c.and2(c.or2(x[0], x[1]), c.or2(x[2], x[3])));
}

CompressorNets lin_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  return {c.xor2(c.xor2(x[0], x[1]), c.xor2(x[2], x[3])), two_or_more(c, x), Circuit::kZero};
}

CompressorNets yang_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  const CompressorNets exact = lin_circuit(c, x);
  const Bit all = c.and2(c.and2(x[0], x[1]), c.and2(x[2], x[3]));
  return {c.or2(exact.sum, all), exact.carry, Circuit::kZero};
}

CompressorNets ha_circuit(Circuit& c, const std::array<Bit, 5>& x) {
  const Bit either = c.or2(x[2], x[3]);
  return {c.xor2(c.xor2(x[0], x[1]), either), majority(c, x[0], x[1], either), Circuit::kZero};
}

CompressorNets cell_circuit(Circuit& c, const TreeCell& cell, const std::array<Bit, 5>& x,
                            CompressorCircuit approximate) {
  if (cell.kind == TreeCell::Kind::approximate_compressor) return approximate(c, x);
  const Circuit::Sum first = c.full_adder(x[0], x[1], x[2]);
  if (cell.kind != TreeCell::Kind::exact_compressor)
    return {first.sum, first.carry, Circuit::kZero};
  const Circuit::Sum second = c.full_adder(first.sum, x[3], x[4]);
  return {second.sum, second.carry, first.carry};
}

Word tree_circuit(Circuit& c, const CompressorTree& tree, const Word& a, const Word& b,
                  const std::vector<CompressorCircuit>& by_column) {
  Word nets(static_cast<std::size_t>(tree.bits), Circuit::kZero);
  for (std::size_t j = 0; j < b.size(); ++j)
    for (std::size_t i = 0; i < a.size(); ++i) nets[j * a.size() + i] = c.and2(a[i], b[j]);
  for (const TreeCell& cell : tree.cells) {
    std::array<Bit, 5> x{};
    for (std::size_t k = 0; k < 5; ++k)
      x[k] = cell.inputs[k] == kNoBit ? Circuit::kZero
                                      : nets[static_cast<std::size_t>(cell.inputs[k])];
    const CompressorNets out =
        cell_circuit(c, cell, x, by_column[static_cast<std::size_t>(cell.column)]);
    nets[static_cast<std::size_t>(cell.sum)] = out.sum;
    nets[static_cast<std::size_t>(cell.carry)] = out.carry;
    if (cell.carry_out != kNoBit) nets[static_cast<std::size_t>(cell.carry_out)] = out.carry_out;
  }
  Word rows[2];
  for (const auto& column : tree.final_columns)
    for (std::size_t k = 0; k < 2; ++k)
      rows[k].push_back(k < column.size() ? nets[static_cast<std::size_t>(column[k])]
                                          : Circuit::kZero);
  return ripple_add(c, rows[0], rows[1], Circuit::kZero, 2 * a.size());
}

std::vector<CompressorCircuit> same_circuit(const DesignConfig& c, CompressorCircuit compressor) {
  return std::vector<CompressorCircuit>(static_cast<std::size_t>(2 * c.width), compressor);
}

Word momeni_tree(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const bool first = config[0] == 1;
  return tree_circuit(c, compressor_tree(config.width, config[1], first), a, b,
                      same_circuit(config, first ? momeni_1_circuit : momeni_2_circuit));
}

Word akbari_tree(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  auto by_column = same_circuit(config, config[0] == 1 ? akbari_4_circuit : akbari_1_circuit);
  if (config[0] == 2)
    std::fill(by_column.begin() + config.width, by_column.end(), akbari_4_circuit);
  return tree_circuit(c, compressor_tree(config.width, config[1], false), a, b, by_column);
}

template <CompressorCircuit compressor>
Word plain_tree(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  return tree_circuit(c, compressor_tree(config.width, config[0], false), a, b,
                      same_circuit(config, compressor));
}

DesignParameter columns_parameter(int default_value) {
  return {"columns", 0, 16, default_value, "low columns with approximate compressors (16: all)", 2};
}

}  // namespace

Family momeni_family() {
  Family f;
  f.design = {
      "momeni",
      "4:2-compressor tree, approximate compressors of Momeni's design 1 or 2 in the low "
      "columns",
      "A. Momeni, J. Han, P. Montuschi, F. Lombardi, Design and analysis of approximate "
      "compressors for multiplication, IEEE TC 64(4), 2015",
      Topology::paper,
      "columns=16 is the paper's Multiplier 1 or 2, columns=7 its 3 or 4; the paper does not "
      "say which bits meet in a compressor: the arrangement is the one that gives all its figures",
      {{"design", 1, 2, 2, "the paper's compressor design"}, columns_parameter(7)},
      unsigned_only()};
  f.evaluator = momeni_evaluator;
  f.circuit = momeni_tree;
  return f;
}

Family akbari_family() {
  Family f;
  f.design = {
      "akbari",
      "4:2-compressor tree, dual-quality compressors in approximate mode in the low columns",
      "O. Akbari, M. Kamal, A. Afzali-Kusha, M. Pedram, Dual-quality 4:2 compressors for "
      "utilizing in dynamic accuracy configurable multipliers, IEEE TVLSI 25(4), 2017",
      Topology::ours,
      "compressors as published, placed in the tree of Momeni et al.; mixed splits at the "
      "middle of the product; DQ4:2C2 and C3 are not offered",
      {{"cell", 0, 2, 1, "DQ4:2C1, DQ4:2C4, or C1 low and C4 high", 0, {"c1", "c4", "mixed"}},
       columns_parameter(16)},
      unsigned_only()};
  f.evaluator = akbari_evaluator;
  f.circuit = akbari_tree;
  return f;
}

Family yang_family() {
  Family f;
  f.design = {
      "yang",
      "4:2-compressor tree, compressors that count four ones as three in the low columns",
      "Z. Yang, J. Han, F. Lombardi, Approximate compressors for error-resilient multiplier "
      "design, DFTS 2015 (ACCI1)",
      Topology::ours,
      "compressor as published, placed in the tree of Momeni et al.",
      {columns_parameter(16)},
      unsigned_only()};
  f.evaluator = yang_evaluator;
  f.circuit = plain_tree<yang_circuit>;
  return f;
}

Family lin_family() {
  Family f;
  f.design = {
      "lin",
      "4:2-compressor tree, counters that count four ones as two in the low columns",
      "C.-H. Lin, I.-C. Lin, High accuracy approximate multiplier with error correction, ICCD "
      "2013",
      Topology::ours,
      "counter as published, placed in the tree of Momeni et al., no error correction",
      {columns_parameter(16)},
      unsigned_only()};
  f.evaluator = lin_evaluator;
  f.circuit = plain_tree<lin_circuit>;
  return f;
}

Family ha_family() {
  Family f;
  f.design = {"ha",
              "4:2-compressor tree, compressors that count x3 and x4 as one in the low columns",
              "M. Ha, S. Lee, Multipliers with approximate 4-2 compressors and error recovery "
              "modules, IEEE Embedded Systems Letters 10(1), 2018",
              Topology::ours,
              "the full adder behind an OR gate that its published mean error implies, placed in "
              "the tree of "
              "Momeni et al., without the truncation and error recovery of the paper",
              {columns_parameter(8)},
              unsigned_only()};
  f.evaluator = ha_evaluator;
  f.circuit = plain_tree<ha_circuit>;
  return f;
}

}  // namespace axmul::detail::designs
