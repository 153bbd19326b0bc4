// From a parsed module to a netlist.
#pragma once

#include "axmul/netlist/readers.hpp"
#include "netlist/verilog/design.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

/// The netlist of a module with all that it instantiates; cells come from its file, the design's
/// other files, the library, the built-in names. Throws AX201-AX211, AX218.
Netlist flatten(const VerilogFile& file, const Module& top, const NetlistOptions& options,
                const VerilogFiles& others = {});

}  // namespace axmul::detail
