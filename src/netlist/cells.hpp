// Cells that netlists instantiate by name: built-in ones, Liberty ones, Verilog modules of --cells.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "axmul/netlist/readers.hpp"

namespace axmul::detail {

struct VerilogFile;

struct LibraryCell {
  CellType type;
  std::vector<std::string> inputs, outputs;  ///< pin names, in the type's order
  std::vector<std::string> positional;       ///< all pins in port order
  std::vector<std::string> supplies{};       ///< power pins, which connections may name
  std::string unusable;                      ///< why it cannot be simulated, empty when it can
  int unusable_id = 211;
};

/// The built-in meaning of a name (FreePDK45/OSU names, with EvoApproxLib's PDKGEN prefixes), or
/// nullptr. MUX2X1 is S ? B : A, as EvoApproxLib's own models of it say; OSU's libraries invert it.
const LibraryCell* builtin_cell(std::string_view name);

/// The name with every "PDKGEN" taken out, also where EvoApproxLib's generator nested it
/// ("NPDKGEPDKGENNAND2X1" is NAND2X1).
std::string without_pdkgen(std::string_view name);

}  // namespace axmul::detail

namespace axmul {

struct CellLibrary::Impl {
  std::deque<detail::LibraryCell> cells;
  std::unordered_map<std::string, const detail::LibraryCell*> by_name;
  std::vector<std::shared_ptr<const detail::VerilogFile>> verilog;
  std::string technology;  // names of the Liberty libraries
  std::vector<std::string> verilog_paths, liberty_paths;

  const detail::LibraryCell* find(std::string_view name) const {
    const auto found = by_name.find(std::string(name));
    return found == by_name.end() ? nullptr : found->second;
  }
};

namespace detail {

/// Names the library's technology in the netlist and prices its generic gates (area, leakage, pin
/// capacitances) with the cheapest Liberty cell of the same function, or of the inverse and an
/// inverter. A gate with neither keeps unknown figures.
void use_library(Netlist& netlist, const CellLibrary& library);

}  // namespace detail

}  // namespace axmul
