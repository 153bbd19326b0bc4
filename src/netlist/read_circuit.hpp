// A circuit file of any kind as a netlist.
#pragma once

#include <string>

#include "axmul/netlist/readers.hpp"

namespace axmul::detail {

/// "verilog", "vhdl", "blif", "yosys-json", "aiger", "cgp", by extension. Throws UsageError AX290.
std::string circuit_format(const std::string& path);

/// By extension, through the tools that the options name; inputs are tied as options.ports says.
Netlist read_circuit(const std::string& path, const std::string& text,
                     const NetlistOptions& options);

}  // namespace axmul::detail
