// The netlist, its generic gates and the builder.
#include "axmul/netlist/netlist.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "axmul/core/errors.hpp"

namespace axmul {

namespace {

// Truth table of f over n inputs: bit i is f(i), input j is bit j of i.
template <class F>
std::uint64_t table(int inputs, F&& f) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 1u << inputs; ++i)
    if (f(i)) bits |= std::uint64_t{1} << i;
  return bits;
}

bool bit(unsigned pattern, int j) { return (pattern >> j & 1) != 0; }

CellType gate(const char* name, int inputs, bool (*f)(unsigned)) {
  return {name, inputs, {table(inputs, f)}, CellType::kUnknown, CellType::kUnknown, {}};
}

CellType two(const char* name, int inputs, bool (*f)(unsigned), bool (*g)(unsigned)) {
  return {
      name, inputs, {table(inputs, f), table(inputs, g)}, CellType::kUnknown, CellType::kUnknown,
      {}};
}

std::array<CellType, kGateCount> make_gates() {
  using U = unsigned;
  return {
      gate("BUF", 1, [](U i) { return i == 1; }),
      gate("INV", 1, [](U i) { return i == 0; }),
      gate("AND2", 2, [](U i) { return i == 3; }),
      gate("OR2", 2, [](U i) { return i != 0; }),
      gate("XOR2", 2, [](U i) { return i == 1 || i == 2; }),
      gate("NAND2", 2, [](U i) { return i != 3; }),
      gate("NOR2", 2, [](U i) { return i == 0; }),
      gate("XNOR2", 2, [](U i) { return i == 0 || i == 3; }),
      gate("AND3", 3, [](U i) { return i == 7; }),
      gate("OR3", 3, [](U i) { return i != 0; }),
      gate("NAND3", 3, [](U i) { return i != 7; }),
      gate("NOR3", 3, [](U i) { return i == 0; }),
      gate("XOR3", 3, [](U i) { return (bit(i, 0) != bit(i, 1)) != bit(i, 2); }),
      gate("AND4", 4, [](U i) { return i == 15; }),
      gate("OR4", 4, [](U i) { return i != 0; }),
      gate("NAND4", 4, [](U i) { return i != 15; }),
      gate("NOR4", 4, [](U i) { return i == 0; }),
      gate("MUX2", 3, [](U i) { return bit(i, 2) ? bit(i, 1) : bit(i, 0); }),
      gate("AOI21", 3, [](U i) { return !((bit(i, 0) && bit(i, 1)) || bit(i, 2)); }),
      gate("AOI22", 4, [](U i) { return !((bit(i, 0) && bit(i, 1)) || (bit(i, 2) && bit(i, 3))); }),
      gate("OAI21", 3, [](U i) { return !((bit(i, 0) || bit(i, 1)) && bit(i, 2)); }),
      gate("OAI22", 4, [](U i) { return !((bit(i, 0) || bit(i, 1)) && (bit(i, 2) || bit(i, 3))); }),
      two(
          "HA", 2, [](U i) { return i == 1 || i == 2; }, [](U i) { return i == 3; }),
      two(
          "FA", 3, [](U i) { return (bit(i, 0) != bit(i, 1)) != bit(i, 2); },
          [](U i) { return bit(i, 0) + bit(i, 1) + bit(i, 2) >= 2; }),
  };
}

constexpr std::uint32_t kNoType = ~std::uint32_t{0};

}  // namespace

const CellType& gate_type(Gate gate) {
  static const std::array<CellType, kGateCount> gates = make_gates();
  return gates[static_cast<std::size_t>(gate)];
}

const Port* Netlist::find_port(std::string_view port_name) const {
  for (const Port& port : ports)
    if (port.name == port_name) return &port;
  return nullptr;
}

NetlistBuilder::NetlistBuilder(std::string name) : gate_index_(kGateCount, kNoType) {
  netlist_.name = std::move(name);
}

std::vector<NetId> NetlistBuilder::input(std::string name, int width) {
  Port port{std::move(name), false, {}};
  for (int i = 0; i < width; ++i) port.nets.push_back(netlist_.net_count++);
  netlist_.ports.push_back(port);
  return port.nets;
}

void NetlistBuilder::output(std::string name, std::span<const NetId> nets) {
  for (const NetId net : nets)
    if (net >= netlist_.net_count) throw InternalError("output of an unknown net");
  netlist_.ports.push_back({std::move(name), true, {nets.begin(), nets.end()}});
}

std::uint32_t NetlistBuilder::type_index(const CellType& type) {
  for (std::uint32_t i = 0; i < netlist_.types.size(); ++i)
    if (netlist_.types[i].name == type.name && netlist_.types[i].inputs == type.inputs &&
        netlist_.types[i].functions == type.functions)
      return i;
  if (type.inputs < 0 || type.inputs > kMaxCellInputs || type.functions.empty())
    throw InternalError("cell type " + type.name + " has no truth table of up to 6 inputs");
  netlist_.types.push_back(type);
  return static_cast<std::uint32_t>(netlist_.types.size() - 1);
}

NetId NetlistBuilder::add_pins(std::uint32_t type, std::span<const NetId> inputs) {
  const CellType& cell_type = netlist_.types[type];
  if (inputs.size() != static_cast<std::size_t>(cell_type.inputs))
    throw InternalError("gate " + cell_type.name + " given " + std::to_string(inputs.size()) +
                        " inputs");
  netlist_.cells.push_back({type, static_cast<std::uint32_t>(netlist_.pins.size())});
  for (const NetId net : inputs) {
    if (net >= netlist_.net_count) throw InternalError("gate input is an unknown net");
    netlist_.pins.push_back(net);
  }
  const NetId first = netlist_.net_count;
  for (std::size_t i = 0; i < cell_type.functions.size(); ++i)
    netlist_.pins.push_back(netlist_.net_count++);
  return first;
}

NetId NetlistBuilder::add(Gate gate, std::initializer_list<NetId> inputs) {
  std::uint32_t& index = gate_index_[static_cast<std::size_t>(gate)];
  if (index == kNoType) index = type_index(gate_type(gate));
  return add_pins(index, {inputs.begin(), inputs.size()});
}

std::vector<NetId> NetlistBuilder::add_cell(const CellType& type, std::span<const NetId> inputs) {
  const NetId first = add_pins(type_index(type), inputs);
  std::vector<NetId> outputs;
  for (std::size_t i = 0; i < type.functions.size(); ++i)
    outputs.push_back(first + static_cast<NetId>(i));
  return outputs;
}

NetlistBuilder::Sum NetlistBuilder::half_adder(NetId a, NetId b) {
  const NetId sum = add(Gate::half_adder, {a, b});
  return {sum, sum + 1};
}

NetlistBuilder::Sum NetlistBuilder::full_adder(NetId a, NetId b, NetId c) {
  const NetId sum = add(Gate::full_adder, {a, b, c});
  return {sum, sum + 1};
}

Netlist NetlistBuilder::take() {
  gate_index_.assign(kGateCount, kNoType);
  return std::exchange(netlist_, Netlist{});
}

}  // namespace axmul
