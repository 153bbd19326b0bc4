// Cost estimation: exact signal probabilities, and the energy of switched capacitances.
#include "axmul/netlist/cost.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "netlist/fpga.hpp"
#include "netlist/graph_netlist.hpp"
#include "netlist/sampled.hpp"
#include "netlist/switching.hpp"
#include "netlist/xag.hpp"

namespace axmul {

namespace {

using detail::is_gate;
using detail::loads;
using detail::ordered_sum;
using detail::transition_rates;
using detail::Xag;

// Sum of p[i] over the set bits i of a row of bits, byte by byte in a fixed order.
class RowSum {
 public:
  explicit RowSum(std::span<const double> p) : tables_((p.size() + 7) / 8) {
    for (std::size_t t = 0; t < tables_.size(); ++t)
      for (std::size_t byte = 1; byte < 256; ++byte) {
        const std::size_t low = byte & (byte - 1);
        const std::size_t i = 8 * t + static_cast<std::size_t>(std::countr_zero(byte));
        tables_[t][byte] = tables_[t][low] + (i < p.size() ? p[i] : 0);
      }
  }
  // bit(i) of the row is bit first + i of the plane; rows of less than 8 bits end within a byte.
  double operator()(const std::uint64_t* plane, std::size_t first, std::size_t bits) const {
    double sum = 0;
    for (std::size_t i = 0; i < bits; i += 8) {
      const std::size_t at = first + i;
      std::uint64_t byte = plane[at / 64] >> (at % 64) & 0xFF;
      if (bits < 8) byte &= (1u << bits) - 1;
      sum += tables_[i / 8][byte];
    }
    return sum;
  }

 private:
  std::vector<std::array<double, 256>> tables_;
};

// The p's of a distribution by bit pattern; the distribution is by ascending value.
std::vector<double> by_pattern(const std::optional<OperandDistribution>& given, bool is_signed,
                               int bits) {
  const std::size_t count = std::size_t{1} << bits;
  if (bits > 8 && !given) return std::vector<double>(count, 1.0 / static_cast<double>(count));
  const OperandDistribution d = given ? *given : uniform_distribution(is_signed, bits);
  if (d.is_signed != is_signed)
    throw UsageError(271, "distribution \"" + d.text + "\" is " +
                              (d.is_signed ? "signed" : "unsigned") + ", the operand is not");
  if (d.bits != bits)
    throw UsageError(271, "distribution \"" + d.text + "\" is of " + std::to_string(d.bits) +
                              " bits, the operand has " + std::to_string(bits));
  std::vector<double> p(count);
  const std::size_t half = count / 2, first = is_signed ? 128 - half : 0;
  for (std::size_t i = 0; i < count; ++i) p[is_signed ? i ^ half : i] = d.p[first + i];
  return p;
}

constexpr std::size_t kMostExactBits = 20;  // of both operands, for all their pairs

struct Energy {
  double all = 0, glitches = 0;
};

// Sum over the nodes of transitions times driven capacitance. The operands' own nets are charged by
// what drives the circuit and do not count.
Energy switching_energy(const Xag& graph, std::span<const double> p_a, std::span<const double> p_b,
                        std::size_t a_bits, std::size_t b_bits) {
  const detail::GraphNetlist simulated = detail::to_netlist(graph, a_bits, b_bits);
  const std::vector<double> of_net =
      a_bits + b_bits <= kMostExactBits
          ? signal_probabilities(simulated.netlist, simulated.a, simulated.b, p_a, p_b)
          : detail::sampled_probabilities(simulated.netlist, simulated.a, simulated.b);
  std::vector<double> p;
  for (const NetId net : simulated.net_of) p.push_back(of_net[net]);
  std::vector<double> toggles;
  for (const double one : p) toggles.push_back(toggle_rate(one));
  const std::vector<double> rate = transition_rates(graph, p, toggles);
  const std::vector<char> live = graph.live();
  const std::vector<double> load = loads(graph, live);
  std::vector<double> all, glitches;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (live[i] != 0 && is_gate(graph.nodes()[i])) {
      all.push_back(rate[i] * load[i]);
      glitches.push_back((rate[i] - toggle_rate(p[i])) * load[i]);
    }
  return {ordered_sum(all), ordered_sum(glitches)};
}

}  // namespace

std::vector<double> signal_probabilities(const Netlist& netlist, std::span<const NetId> a,
                                         std::span<const NetId> b, std::span<const double> p_a,
                                         std::span<const double> p_b) {
  if (a.size() + b.size() > kMostExactBits || p_a.size() != std::size_t{1} << a.size() ||
      p_b.size() != std::size_t{1} << b.size())
    throw UsageError(270,
                     "signal probabilities need 2^n probabilities for an operand of n bits, "
                     "20 bits in all at most");
  std::vector<NetId> inputs(b.begin(), b.end());  // b fast, as in a table
  inputs.insert(inputs.end(), a.begin(), a.end());
  const RowSum row_sum(p_b);
  std::vector<double> result(netlist.net_count, 0);
  constexpr std::size_t kBatch = 256;  // nets whose planes are held at a time
  std::vector<NetId> nets;
  for (NetId start = 0; start < netlist.net_count; start += kBatch) {
    nets.clear();
    for (NetId net = start; net < std::min<std::size_t>(start + kBatch, netlist.net_count); ++net)
      nets.push_back(net);
    const TruthPlanes planes = simulate_planes(netlist, inputs, nets);
    for (std::size_t k = 0; k < nets.size(); ++k) {
      const std::uint64_t* plane = planes.planes.data() + k * planes.words;
      double sum = 0;
      for (std::size_t i = 0; i < p_a.size(); ++i)
        if (p_a[i] != 0) sum += p_a[i] * row_sum(plane, i * p_b.size(), p_b.size());
      result[nets[k]] = std::clamp(sum, 0.0, 1.0);
    }
  }
  return result;
}

Netlist exact_array_netlist(const SizedType& type) {
  const auto n = static_cast<std::size_t>(type.bits.a),
             rows_of_b = static_cast<std::size_t>(type.bits.b);
  const std::size_t size = n + rows_of_b;
  NetlistBuilder builder("exact");
  const auto a = builder.input("A", type.bits.a), b = builder.input("B", type.bits.b);
  std::int64_t constant = 0;
  std::vector<std::vector<NetId>> rows;
  for (std::size_t j = 0; j < rows_of_b; ++j) {
    std::vector<NetId> row(size, kNetZero);
    for (std::size_t i = 0; i < n; ++i) {
      // A bit of negative weight enters complemented, -x = ~x - 1 (Baugh and Wooley, 1973).
      const bool negative =
          (a_is_signed(type) && i == n - 1) != (b_is_signed(type) && j == rows_of_b - 1);
      row[i + j] = negative ? builder.nand2(a[i], b[j]) : builder.and2(a[i], b[j]);
      if (negative) constant -= std::int64_t{1} << (i + j);
    }
    rows.push_back(row);
  }
  std::vector<NetId> sum(size), carry(size, kNetZero);
  for (std::size_t i = 0; i < size; ++i)
    sum[i] = NetlistBuilder::constant((constant >> i & 1) != 0);
  for (const auto& row : rows) {
    std::vector<NetId> next(size + 1, kNetZero);
    for (std::size_t i = 0; i < size; ++i) {
      const auto s = builder.full_adder(sum[i], carry[i], row[i]);
      sum[i] = s.sum;
      next[i + 1] = s.carry;
    }
    next.resize(size);
    carry = next;
  }
  NetId ripple = kNetZero;
  for (std::size_t i = 0; i < size; ++i) {
    const auto s = builder.full_adder(sum[i], carry[i], ripple);
    sum[i] = s.sum;
    ripple = s.carry;
  }
  builder.output("O", sum);
  return builder.take();
}

Netlist exact_array_netlist(int a_bits, int b_bits) {
  if (a_bits < 1 || a_bits > 16 || b_bits < 1 || b_bits > 16)
    throw UsageError(270, "an exact array has operands of 1 … 16 bits");
  return exact_array_netlist(SizedType{OperandType::u8u8, {a_bits, b_bits}});
}

namespace {

// Unit-gate weight of a cell: the two-input gates it stands for, XORs twice; inverters are free.
double unit_area(const CellType& type) {
  NetlistBuilder builder("cell");
  const auto in = builder.input("X", type.inputs);
  builder.output("Y", builder.add_cell(type, in));
  const Netlist netlist = builder.take();
  const Xag graph(netlist, in, {}, netlist.find_port("Y")->nets);
  const std::vector<char> live = graph.live();
  double area = 0;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    if (live[i] != 0)
      area += graph.nodes()[i].kind == Xag::Kind::land   ? 1
              : graph.nodes()[i].kind == Xag::Kind::lxor ? 2
                                                         : 0;
  return area;
}

void count_cells(const Netlist& netlist, std::span<const NetId> product, CostReport& report) {
  std::vector<char> needed(netlist.net_count, 0), live(netlist.cells.size(), 0);
  for (const NetId net : product) needed[net] = 1;
  for (std::size_t i = netlist.cells.size(); i-- > 0;) {
    for (const NetId net : netlist.outputs(netlist.cells[i])) live[i] |= needed[net];
    if (live[i] != 0)
      for (const NetId net : netlist.inputs(netlist.cells[i])) needed[net] = 1;
  }
  std::vector<double> areas;
  for (const CellType& type : netlist.types) areas.push_back(unit_area(type));
  std::vector<int> depth(netlist.net_count, 0);
  report.area = report.leakage = 0;
  for (std::size_t i = 0; i < netlist.cells.size(); ++i) {
    const Cell& cell = netlist.cells[i];
    if (live[i] == 0) {
      ++report.unused_cells;
      continue;
    }
    const CellType& type = netlist.types[cell.type];
    ++report.cells;
    ++report.gates[type.name];
    report.unit_gate_area += areas[cell.type];
    report.area += type.area;
    report.leakage += type.leakage;
    int level = 0;
    for (const NetId net : netlist.inputs(cell)) level = std::max(level, depth[net]);
    for (const NetId net : netlist.outputs(cell)) depth[net] = level + 1;
  }
  for (const NetId net : product) report.depth = std::max(report.depth, depth[net]);
  if (netlist.technology.empty()) report.area = report.leakage = CellType::kUnknown;
}

double switched_capacitance(const Netlist& netlist, const std::vector<double>& p) {
  double sum = 0;
  for (const Cell& cell : netlist.cells) {
    const CellType& type = netlist.types[cell.type];
    if (type.input_capacitance.size() != static_cast<std::size_t>(type.inputs))
      return CellType::kUnknown;
    const auto inputs = netlist.inputs(cell);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      sum += toggle_rate(p[inputs[i]]) * type.input_capacitance[i];
  }
  return sum;
}

}  // namespace

CostReport estimate_cost(const Netlist& netlist, const SizedType& type, const PortMap& ports,
                         const CostOptions& options) {
  const PortMap map = find_multiplier_ports(netlist, ports);
  const auto& a = netlist.find_port(map.a)->nets;
  const auto& b = netlist.find_port(map.b)->nets;
  const auto& product = netlist.find_port(map.product)->nets;
  for (const auto& [operand, bits] : {std::pair(&a, type.bits.a), std::pair(&b, type.bits.b)})
    if (operand->size() != static_cast<std::size_t>(bits))
      throw InputError(251, Place{},
                       "circuit \"" + netlist.name + "\": an operand has " + std::to_string(bits) +
                           " bits, not " + std::to_string(operand->size()));
  const std::vector<double> p_a = by_pattern(options.a, a_is_signed(type), type.bits.a);
  const std::vector<double> p_b = by_pattern(options.b, b_is_signed(type), type.bits.b);
  CostReport report;
  count_cells(netlist, product, report);
  const Energy energy = switching_energy(Xag(netlist, a, b, product), p_a, p_b, a.size(), b.size());
  report.switching_energy = energy.all;
  report.glitch_energy = energy.glitches;
  const Netlist exact = exact_array_netlist(type);
  const auto& exact_a = exact.find_port("A")->nets;
  const auto& exact_b = exact.find_port("B")->nets;
  report.exact_energy = switching_energy(Xag(exact, exact_a, exact_b, exact.find_port("O")->nets),
                                         p_a, p_b, a.size(), b.size())
                            .all;
  report.power_rel =
      report.exact_energy > 0 ? report.switching_energy / report.exact_energy : CellType::kUnknown;
  report.technology = netlist.technology;
  if (!netlist.technology.empty())
    report.switched_capacitance_ff =
        switched_capacitance(netlist, a.size() + b.size() <= kMostExactBits
                                          ? signal_probabilities(netlist, a, b, p_a, p_b)
                                          : detail::sampled_probabilities(netlist, a, b));
  // An FPGA is paid in look-up tables, which no gate stands for.
  if (std::ranges::any_of(report.gates,
                          [](const auto& gate) { return detail::is_fpga_cell(gate.first); })) {
    report.technology = "FPGA";
    report.unit_gate_area = report.power_rel = CellType::kUnknown;
  }
  return report;
}

Cost estimated_cost(const CostReport& report) {
  Cost cost;
  cost.power_rel = report.power_rel;
  if (report.technology == "FPGA") return cost;  // see CostReport::gates
  cost.source = "estimated";
  cost.technology = report.technology.empty() ? "unit-gate" : report.technology;
  cost.area_um2 = report.area;
  return cost;
}

}  // namespace axmul
