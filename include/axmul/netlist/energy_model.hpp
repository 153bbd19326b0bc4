// The switching energy of a circuit under given operand pairs, such as those of a network's layer;
// many of them a second, so that whole libraries can be priced for every layer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/stats/operand_pairs.hpp"

namespace axmul {

/// Of the transitions that do not stay when an AND takes one step and an XOR two, the part that
/// counts: the one number of the estimate that is fitted, on the judge (bench/README.md#energy).
AXMUL_API double glitch_part();

/// Energy per operation in units of a gate input's capacitance · V²/2, as CostReport has it.
struct AXMUL_API SwitchingEnergy {
  double all = 0;
  double glitches = 0;  ///< the estimated part of it
};

/// How often a net is 1 and changes, per operand pair.
struct AXMUL_API NetActivity {
  double ones = 0, toggles = 0;
};

/// As OperandPairs, of words: what an adder sees.
struct AXMUL_API WordPairs {
  std::vector<std::uint32_t> a, b, next_a, next_b;
};

/// Operand pairs as bit planes, made once for many circuits.
class AXMUL_API PairPlanes {
 public:
  /// Operands of that many bits, 1 … 8, the lowest of each byte. Throws UsageError AX720 where a, b
  /// and what follows differ in length or there is none.
  PairPlanes(const OperandPairs& pairs, int a_bits, int b_bits);
  /// The same of words: 1 … 32 bits, for adders.
  PairPlanes(const WordPairs& pairs, int a_bits, int b_bits);
  int a_bits() const { return a_bits_; }
  int b_bits() const { return b_bits_; }
  std::size_t pairs() const { return pairs_; }
  bool are_ordered() const { return !next_.empty(); }
  /// Planes of all bits of a, then of b, `words` each.
  const std::vector<std::uint64_t>& now() const { return now_; }
  const std::vector<std::uint64_t>& next() const { return next_; }
  std::size_t words() const { return words_; }

 private:
  template <class Pairs>
  void fill(const Pairs& pairs);
  int a_bits_, b_bits_;
  std::size_t pairs_ = 0, words_ = 0;
  std::vector<std::uint64_t> now_, next_;
};

/// A circuit in the form in which it is costed (src/netlist/README.md#cost). Immutable and shared
/// between threads.
class AXMUL_API EnergyModel {
 public:
  /// Operands of at most 32 bits each; products of any width. Throws as simulate() on ports that
  /// do not fit.
  explicit EnergyModel(const Netlist& netlist, const PortMap& ports = {});
  ~EnergyModel();
  EnergyModel(EnergyModel&&) noexcept;
  EnergyModel& operator=(EnergyModel&&) noexcept;

  int a_bits() const;
  int b_bits() const;

  /// Energy per pair. Toggles are counted where the pairs are ordered, else 2p(1 − p), what
  /// independent successive pairs give. Glitches come on top: transitions that do not stay, counted
  /// over the first 4096 pairs with the delays of glitch_part(); where pairs are not ordered each
  /// is followed by the next in the list, which therefore is to be in random order. Throws
  /// UsageError AX720 where the operands have other widths.
  SwitchingEnergy energy(const PairPlanes& pairs) const;

  /// The circuit that energy() is of, inputs A and B, and what each of its nets charges when it
  /// changes (0: not counted); activity() is by the same NetId. For checks against other
  /// simulators.
  Netlist circuit() const;
  std::vector<double> net_loads() const;
  std::vector<NetActivity> activity(const PairPlanes& pairs) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axmul
