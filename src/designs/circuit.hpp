// Building blocks of the generators' circuits: gates with constants folded away, adders, shifters.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "axmul/netlist/netlist.hpp"
#include "designs/compressor_tree.hpp"
#include "designs/family.hpp"

namespace axmul::detail::designs {

using Bit = std::uint32_t;      ///< a signal; 0 and 1 are the constants
using Word = std::vector<Bit>;  ///< least significant bit first

/// A growing circuit. Equal gates are shared, constants propagate, and what no output needs is left
/// out of the netlist, so that a broken cell costs nothing.
class Circuit {
 public:
  static constexpr Bit kZero = 0, kOne = 1;
  struct Sum {
    Bit sum, carry;
  };

  explicit Circuit(int width);
  int width() const { return width_; }
  const Word& a() const { return a_; }
  const Word& b() const { return b_; }

  Bit inv(Bit x);
  Bit and2(Bit x, Bit y);
  Bit or2(Bit x, Bit y);
  Bit xor2(Bit x, Bit y);
  Bit mux(Bit when_zero, Bit when_one, Bit select);
  Sum half_adder(Bit x, Bit y);
  Sum full_adder(Bit x, Bit y, Bit z);

  /// Netlist with ports A, B (the operands) and O (the product).
  Netlist netlist(const std::string& name, const Word& product) const;

 private:
  struct Node {
    Gate gate = Gate::buf;
    std::array<Bit, 3> in{};
    int inputs = 0;
    Bit out = 0;  // the first output; adders have the carry next to it
  };
  Bit add_node(Gate gate, std::array<Bit, 3> in, int inputs);
  Bit inverted(Bit x);
  std::vector<bool> needed(const Word& product) const;

  int width_;
  Word a_, b_;
  Bit next_ = 2;
  std::vector<Node> nodes_;
  std::map<std::pair<Gate, std::array<Bit, 3>>, Bit> known_;
  std::map<Bit, Bit> inverse_;
  std::map<Bit, std::size_t> driver_;  // AND, OR, XOR nodes by output
};

Bit or_all(Circuit& c, const Word& bits);
Word and_each(Circuit& c, const Word& bits, Bit enable);
Word mux_each(Circuit& c, const Word& when_zero, const Word& when_one, Bit select);
/// Zero-extended or cut to `size` bits.
Word resized(Word word, std::size_t size);
/// word·2^shift in `size` bits.
Word shifted(const Word& word, std::size_t shift, std::size_t size);

/// x + y + carry_in in `size` bits, carries rippling.
Word ripple_add(Circuit& c, const Word& x, const Word& y, Bit carry_in, std::size_t size);
/// −x where `negative`, in x's width; `increment` false inverts only.
Word negate_if(Circuit& c, const Word& x, Bit negative, bool increment = true);
/// Σ of bits by column plus a constant, modulo 2^size, by full and half adders, then a ripple
/// adder.
Word sum_columns(Circuit& c, std::vector<std::vector<Bit>> columns, std::int64_t constant,
                 std::size_t size);
/// Carry-save array: row after row of bits by column (0 where absent), from a constant on, and a
/// ripple adder at the end; modulo 2^size.
Word array_sum(Circuit& c, const std::vector<Word>& rows, std::int64_t constant, std::size_t size);
/// x·y by a carry-save array of the partial products, two's complement where config says signed.
Word exact_array(Circuit& c, const DesignConfig& config, const Word& a, const Word& b);
/// x·y, unsigned, by a carry-save array.
Word array_product(Circuit& c, const Word& x, const Word& y);

/// One-hot leading one of x (all 0 for x = 0).
Word leading_one_hot(Circuit& c, const Word& x);
/// Index of a one-hot word, binary, `size` bits.
Word encode(Circuit& c, const Word& one_hot, std::size_t size);
/// x·(one-hot word): an AND-OR shifter, `size` bits.
Word shift_by_one_hot(Circuit& c, const Word& x, const Word& one_hot, std::size_t size);
/// x·2^amount (binary), cut to `size` bits: a barrel shifter.
Word shift_left(Circuit& c, Word x, const Word& amount, std::size_t size);
/// The `count` bits below the leading one, most significant bit at index count − 1.
Word fraction_bits(Circuit& c, const Word& x, const Word& one_hot, std::size_t count);

/// Bits enough for the values 0 … n − 1.
std::size_t bits_for(std::size_t n);

}  // namespace axmul::detail::designs
