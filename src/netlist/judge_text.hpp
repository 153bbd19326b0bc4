// What the judge's tools are given and what they say: Verilog, SDF, stimuli and reports as text.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "axmul/stats/operand_pairs.hpp"

namespace axmul::detail {

/// All parts one behind the other, numbers as streams write them.
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream text;
  text.precision(12);
  (text << ... << parts);
  return text.str();
}

/// The netlist as Verilog, its top module `judged` with ports A, B and O.
std::string judged_verilog(const Netlist& netlist, const PortMap& ports);

struct MappedCell {
  std::string instance, type;
};

/// The cell instances of what yosys wrote. Throws InputError AX724 for a cell that is not in the
/// library, or has not one output.
std::vector<MappedCell> mapped_cells(const std::string& verilog, const CellLibrary& library);

/// What yosys wrote without its assignments, which OpenSTA does not read: they tie output ports to
/// operands, constants and other outputs, and no cell hangs on them.
std::string without_assignments(const std::string& verilog);

/// Rise and fall of each instance's output in ps, means over its inputs.
struct RiseFall {
  double rise = 0, fall = 0;
};
using CellDelays = std::map<std::string, RiseFall, std::less<>>;
CellDelays read_sdf(std::string_view sdf);

/// Verilog models of the cells' types with delays as parameters; each counts its transitions.
std::string cell_models(const std::vector<MappedCell>& cells, const CellLibrary& library);
/// The test bench: reads pairs.hex, and says "TOGGLES instance transitions settled" of each cell.
std::string bench(const std::vector<MappedCell>& cells, const CellDelays& delays,
                  std::size_t a_bits, std::size_t b_bits);

/// Lines for the bench: {count this change, a, b}.
struct Stimulus {
  std::string text;
  std::size_t lines = 0, changes = 0;
};
Stimulus stimulus(const OperandPairs& pairs, std::size_t changes, std::size_t a_bits,
                  std::size_t b_bits);

struct Power {
  double internal_w = 0, switching_w = 0;
};
struct CellEnergy {
  double internal_fj = 0, switching_fj = 0;  ///< for one transition of the output
};
/// OpenSTA's power of each instance. Throws InputError AX724 where one is missing.
std::map<std::string, Power> read_powers(std::string_view report,
                                         const std::vector<MappedCell>& cells);
/// The slack of the first path of report_checks -format end.
double worst_slack(std::string_view report);
/// The number behind that text. Throws InputError AX724 where there is none.
double number_after(std::string_view text, std::string_view before);

}  // namespace axmul::detail
