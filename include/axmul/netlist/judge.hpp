// An independent judge of the energy estimate, from tools that others wrote: yosys and abc map the
// circuit onto a Liberty library, OpenSTA tells delays and power, Icarus Verilog simulates the
// mapped gates with those delays, glitches included. Seconds a circuit: for validation, never in a
// hot path.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "axmul/core/api.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/stats/operand_pairs.hpp"

namespace axmul {

struct AXMUL_API JudgeOptions {
  /// A Liberty library with delays and power; empty: the first that default_liberty() finds.
  std::string liberty;
  /// Changes of the operands that are simulated, evenly spaced among the pairs given.
  std::size_t changes = 2000;
  double timeout_s = 600;  ///< for each of the tools
};

/// osu018, osu035 or osu050 of the Debian packages qflow-tech-…; empty without them.
AXMUL_API std::string default_liberty();

/// Energy per change of the operands as the judge has it, in fJ.
struct AXMUL_API JudgedEnergy {
  double internal_fj = 0;   ///< inside the cells
  double switching_fj = 0;  ///< nets that cells drive; those of the operands do not count
  double all() const { return internal_fj + switching_fj; }
  double toggles = 0;          ///< transitions of all cell outputs
  double settled_toggles = 0;  ///< those that stay; the rest are glitches
};

/// A circuit that was synthesised for the judge.
class AXMUL_API Judge {
 public:
  /// Synthesises. Throws UnavailableError AX723 (a tool is not installed, no library), InputError
  /// AX724 (a tool failed, with what it said), those of CellLibrary::add_liberty().
  explicit Judge(const Netlist& netlist, const PortMap& ports = {},
                 const JudgeOptions& options = {});
  ~Judge();
  Judge(Judge&&) noexcept;
  Judge& operator=(Judge&&) noexcept;

  double area() const;      ///< of all cells, in the library's unit
  double delay_ns() const;  ///< of the longest path
  std::size_t cells() const;

  /// Where the pairs are not ordered, each is followed by the next one in the list.
  JudgedEnergy energy(const OperandPairs& pairs) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axmul
