// Ports as files have them: supplies, bits as ports of their own, inputs tied to a number,
// registers as wires.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axmul/netlist/netlist.hpp"

namespace axmul::detail {

/// VDD, VSS, VPWR, VGND, VPB, VNB, vccd1 …: ports and pins that carry power (case ignored).
bool is_supply_name(std::string_view name);

/// "a[3]", "a<3>", "a(3)", "a_3_" and "a3": base a and index 3.
bool split_bit_name(std::string_view name, std::string& base, std::size_t& index);

/// Ports of one bit that are bits 0 … n-1 of a vector become that vector, in the place of the
/// first.
void group_scalar_ports(Netlist& netlist);

/// Ties inputs to numbers; the ports go. Throws InputError AX234 for what is no input of the
/// circuit or does not fit it.
void tie_inputs(Netlist& netlist, const std::vector<std::pair<std::string, std::uint64_t>>& ties);

/// How a register's reset or enable is idle, as the name of an output that readers add for its net.
std::string control_port(bool is_reset, bool active_high, const std::string& register_name);

/// Resets and enables that readers added as outputs: those that come from an input of one bit tie
/// it to where the reset is idle and the register enabled. Counts the stages. Throws InputError
/// AX211 for an enable that is logic of the operands, and for inputs that would have to be both.
void settle_registers(Netlist& netlist, const std::string& path);

}  // namespace axmul::detail
