// What the nodes of an AND-XOR graph charge when they change, and how glitches add to that: the
// model behind every estimated energy (src/netlist/README.md#cost).
#pragma once

#include <vector>

#include "netlist/xag.hpp"

namespace axmul::detail {

/// Of the transitions that a gate would add when its inputs never changed together, the part that
/// its output shows: the others meet, or are too short to pass. The one fitted number of the
/// estimates (src/netlist/README.md#cost).
inline constexpr double kGlitchPart = 0.6;

inline bool is_gate(const Xag::Node& node) {
  return node.kind == Xag::Kind::land || node.kind == Xag::Kind::lxor;
}

/// What each live node's transitions charge: its own capacitance and the inputs it drives.
std::vector<double> loads(const Xag& graph, const std::vector<char>& live);

/// What the inverters of operands charge, by input node: those that an AND of one inverted operand
/// needs. (Gates' outputs come in either sense; two inverted inputs make a NOR.)
std::vector<double> inverter_loads(const Xag& graph, const std::vector<char>& live);

/// Transitions per operation of every node: `toggles` without delays (2p(1 − p), or counted), and
/// glitches by Najm's transition density, D(y) = sum of P(y depends on x)·D(x) over the inputs x
/// (IEEE TCAD 12(2), 1993), attenuated at every gate. p: how often a node is 1.
std::vector<double> transition_rates(const Xag& graph, const std::vector<double>& p,
                                     const std::vector<double>& toggles);

/// Sum of rising terms, so that the same gates in another order give the same bits.
double ordered_sum(std::vector<double> terms);

}  // namespace axmul::detail
