// What a circuit costs, estimated from its gates: counts, unit-gate area, depth, switching energy
// under the operand distributions, and library figures where a Liberty library gave them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/stats/distribution.hpp"

namespace axmul {

/// P(net = 1) for every net (by NetId) when operand a takes bit pattern i with probability p_a[i],
/// independently b with p_b. a and b are the operands' nets, least significant first, together at
/// most 20 bits; p_a has 2^a.size() entries. Exact, by exhaustive simulation, in a fixed order.
/// Input bits listed in neither are 0. Throws UsageError AX270 on sizes that do not fit.
AXMUL_API std::vector<double> signal_probabilities(const Netlist& netlist, std::span<const NetId> a,
                                                   std::span<const NetId> b,
                                                   std::span<const double> p_a,
                                                   std::span<const double> p_b);

/// Probability that a net of signal probability p changes between two operand pairs that are drawn
/// independently and gates have no delay (so no glitches): 2·p·(1 − p).
constexpr double toggle_rate(double p) { return 2 * p * (1 - p); }

struct AXMUL_API CostOptions {
  std::optional<OperandDistribution> a, b;  ///< uniform when absent
};

struct AXMUL_API CostReport {
  std::map<std::string, std::size_t> gates;  ///< cells that reach an output, by type
  std::size_t cells = 0;                     ///< their number
  std::size_t unused_cells = 0;              ///< cells that reach none; they count nowhere
  double unit_gate_area =
      0;          ///< AND OR NAND NOR = 1, XOR XNOR MUX = 2, INV BUF = 0, per two inputs
  int depth = 0;  ///< cells on the longest path from an input to an output
  double switching_energy = 0;  ///< per operation, in units of a gate input's capacitance · V²/2
  double glitch_energy = 0;     ///< the part of it that glitches take
  double exact_energy = 0;      ///< the same of the exact array multiplier under the same operands
  double power_rel = 0;         ///< switching_energy / exact_energy
  // From a Liberty library; NaN when a cell has no figure there.
  std::string technology;
  double area = CellType::kUnknown;     ///< sum of cell areas, library units
  double leakage = CellType::kUnknown;  ///< sum of cell leakages, library units
  double switched_capacitance_ff =
      CellType::kUnknown;  ///< Σ toggle rate · pin capacitances, fF per operation
};

/// Costs of a multiplier netlist whose operand ports have type.bits; above 20 of them in all from
/// 2^18 random pairs of uniform operands.
/// The energy is taken after what any synthesis does: constants
/// are propagated, equal gates shared, unused logic dropped; cells count as the AND and XOR gates
/// they consist of, so that FAX1 and the same adder written as gates cost the same. A node's
/// transitions are its toggle rate, exact for independent successive operand pairs, and glitches,
/// estimated by transition densities (Najm 1993) attenuated at every gate. Throws as simulate() on
/// ports that do not fit, UsageError AX271 on distributions of the wrong signedness.
AXMUL_API CostReport estimate_cost(const Netlist& netlist, const SizedType& type,
                                   const PortMap& ports = {}, const CostOptions& options = {});

/// The report as a Cost: power_rel, source "estimated", technology "unit-gate" (power_mw unknown)
/// or that of the library with its area.
AXMUL_API Cost estimated_cost(const CostReport& report);

/// The exact multiplier that power_rel refers to: a carry-save array of partial products
/// (Baugh-Wooley where signed), rows in ascending order of b's bits, a ripple-carry adder at the
/// end. Ports A, B, O.
AXMUL_API Netlist exact_array_netlist(const SizedType& type);
/// The same for unsigned operands (1 … 16 bits).
AXMUL_API Netlist exact_array_netlist(int a_bits, int b_bits);

}  // namespace axmul
