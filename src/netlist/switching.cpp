// Loads and transitions of AND-XOR graphs.
#include "netlist/switching.hpp"

#include <algorithm>
#include <array>

#include "netlist/graph_netlist.hpp"

namespace axmul::detail {

namespace {

// Capacitances in units of one gate input of static CMOS (an NMOS and a PMOS gate). An AND is a
// NAND and an inverter: each input drives one pair, its output nodes are the inverter's input and
// about half as much in drains. An XOR's inputs reach two pairs each, its inner nodes twice an
// AND's.
constexpr double kAndInput = 1, kAndOwn = 1.5, kXorInput = 2, kXorOwn = 3;
constexpr double kInverterOwn = 0.5;

}  // namespace

std::vector<double> transition_rates(const Xag& graph, const std::vector<double>& p,
                                     const std::vector<double>& toggles) {
  const auto& nodes = graph.nodes();
  std::vector<double> rate = toggles;
  const auto one = [&](Edge edge) { return (edge & 1) != 0 ? 1 - p[edge / 2] : p[edge / 2]; };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!is_gate(nodes[i])) continue;
    const Edge a = nodes[i].a, b = nodes[i].b;
    const bool is_xor = nodes[i].kind == Xag::Kind::lxor;
    const double density =
        is_xor ? rate[a / 2] + rate[b / 2] : one(b) * rate[a / 2] + one(a) * rate[b / 2];
    rate[i] += kGlitchPart * std::max(0.0, density - rate[i]);
  }
  return rate;
}

std::vector<double> loads(const Xag& graph, const std::vector<char>& live) {
  const auto& nodes = graph.nodes();
  std::vector<double> load(nodes.size(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (live[i] == 0 || !is_gate(nodes[i])) continue;
    const bool is_xor = nodes[i].kind == Xag::Kind::lxor;
    load[nodes[i].a / 2] += is_xor ? kXorInput : kAndInput;
    load[nodes[i].b / 2] += is_xor ? kXorInput : kAndInput;
    load[i] += is_xor ? kXorOwn : kAndOwn;
  }
  return load;
}

std::vector<double> inverter_loads(const Xag& graph, const std::vector<char>& live) {
  const auto& nodes = graph.nodes();
  std::vector<double> load(nodes.size(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (live[i] == 0 || nodes[i].kind != Xag::Kind::land) continue;
    const Edge a = nodes[i].a, b = nodes[i].b;
    if ((a & 1) == (b & 1)) continue;  // an AND or a NOR
    const Edge inverted = (a & 1) != 0 ? a : b;
    if (nodes[inverted / 2].kind != Xag::Kind::input) continue;
    double& of = load[inverted / 2];
    of += (of == 0 ? kInverterOwn : 0) + kAndInput;
  }
  for (const Edge edge : graph.outputs())
    if ((edge & 1) != 0 && nodes[edge / 2].kind == Xag::Kind::input && load[edge / 2] == 0)
      load[edge / 2] = kInverterOwn;
  return load;
}

double ordered_sum(std::vector<double> terms) {
  std::sort(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) sum += term;
  return sum;
}

GraphNetlist to_netlist(const Xag& graph, std::size_t a_bits, std::size_t b_bits) {
  NetlistBuilder builder("graph");
  GraphNetlist result;
  result.a = builder.input("A", static_cast<int>(a_bits));
  result.b = builder.input("B", static_cast<int>(b_bits));
  std::vector<NetId> inputs = result.a;
  inputs.insert(inputs.end(), result.b.begin(), result.b.end());
  static const std::array<CellType, 5> kTypes = {
      CellType{"AND", 2, {0x8}}, CellType{"ANDA", 2, {0x4}}, CellType{"ANDB", 2, {0x2}},
      CellType{"ANDAB", 2, {0x1}}, CellType{"XOR", 2, {0x6}}};
  std::size_t next_input = 0;
  for (const Xag::Node& node : graph.nodes()) {
    if (node.kind == Xag::Kind::constant) {
      result.net_of.push_back(kNetZero);
    } else if (node.kind == Xag::Kind::input) {
      result.net_of.push_back(inputs[next_input++]);
    } else {
      const bool is_xor = node.kind == Xag::Kind::lxor;
      const std::size_t type = is_xor ? 4 : (node.a & 1) + 2 * (node.b & 1);
      const NetId in[2] = {result.net_of[node.a / 2], result.net_of[node.b / 2]};
      result.net_of.push_back(builder.add_cell(kTypes[type], in)[0]);
    }
  }
  std::vector<NetId> outputs;
  for (const Edge edge : graph.outputs()) {
    const NetId net = result.net_of[edge / 2];
    outputs.push_back((edge & 1) != 0 ? builder.inv(net) : net);
  }
  builder.output("O", outputs);
  result.netlist = builder.take();
  return result;
}

}  // namespace axmul::detail
