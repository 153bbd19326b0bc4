// The generators' designs as gates: netlists and structural Verilog.
#pragma once

#include <string>
#include <string_view>

#include "axmul/designs/designs.hpp"
#include "axmul/netlist/netlist.hpp"

namespace axmul {

/// Gate-level circuit of a design at its width: input ports A, B, output port O, all two's
/// complement where signed. O has 2·width bits, one or two more where products pass the exact range
/// (power_of_two; drum and tosam as u8s8). Its function is the design's product table, bit for bit;
/// adders, arrays and shifters are the plain ones of src/designs/circuit.hpp, so that costs compare
/// like with like. Throws UsageError AX507 when the family has no circuit.
AXMUL_API Netlist design_netlist(const DesignInstance& design);

/// Netlist of the 8-bit design of that text. Throws as parse_design() and design_netlist().
AXMUL_API Netlist generate_netlist(std::string_view text);

/// The same as structural Verilog-2001, with the text and the source in a header comment; the top
/// module is named after type and text, "mul8u_drum_k_6"; readers take the type from the name.
AXMUL_API std::string generate_verilog(std::string_view text);

}  // namespace axmul
