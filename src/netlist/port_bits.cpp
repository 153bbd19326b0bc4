// Ports as files have them.
#include "netlist/port_bits.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "axmul/core/errors.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

constexpr std::string_view kControl = "\x01";  // starts names of outputs that stand for controls

void replace_net(Netlist& netlist, NetId from, NetId to) {
  std::ranges::replace(netlist.pins, from, to);
  for (Port& port : netlist.ports)
    if (port.is_output) std::ranges::replace(port.nets, from, to);
}

std::string list_inputs(const Netlist& netlist) {
  std::string text;
  for (const Port& port : netlist.ports)
    if (!port.is_output)
      text += (text.empty() ? "" : ", ") + port.name + "[" + std::to_string(port.nets.size()) + "]";
  return text;
}

/// The cell that drives each net, by number; cells.size() for inputs and constants.
std::vector<std::size_t> drivers_of(const Netlist& netlist) {
  std::vector<std::size_t> drivers(netlist.net_count, netlist.cells.size());
  for (std::size_t i = 0; i < netlist.cells.size(); ++i)
    for (const NetId net : netlist.outputs(netlist.cells[i])) drivers[net] = i;
  return drivers;
}

struct Root {
  NetId net;
  bool inverted;
};

/// What a net is but for buffers, inverters and registers.
Root root_of(const Netlist& netlist, const std::vector<std::size_t>& drivers, NetId net) {
  Root root{net, false};
  while (drivers[root.net] < netlist.cells.size()) {
    const Cell& cell = netlist.cells[drivers[root.net]];
    const CellType& type = netlist.types[cell.type];
    if (type.inputs != 1 || type.functions.size() != 1) break;
    const std::uint64_t table = type.functions[0] & 3;
    if (table != 1 && table != 2) break;
    root.inverted ^= table == 1;
    root.net = netlist.inputs(cell)[0];
  }
  return root;
}

const Port* scalar_input(const Netlist& netlist, NetId net) {
  for (const Port& port : netlist.ports)
    if (!port.is_output && port.nets.size() == 1 && port.nets[0] == net) return &port;
  return nullptr;
}

void count_stages(Netlist& netlist) {
  std::vector<int> depth(netlist.net_count, 0);
  for (const Cell& cell : netlist.cells) {
    int most = 0;
    for (const NetId net : netlist.inputs(cell)) most = std::max(most, depth[net]);
    most += netlist.types[cell.type].is_register ? 1 : 0;
    for (const NetId net : netlist.outputs(cell)) depth[net] = most;
  }
  netlist.stages = 0;
  for (const Port& port : netlist.ports)
    if (port.is_output)
      for (const NetId net : port.nets) netlist.stages = std::max(netlist.stages, depth[net]);
}

}  // namespace

bool is_supply_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "VDD", "VSS",   "VCC",   "GND",   "VPWR", "VGND",  "VPB",      "VNB",    "VDDA", "VSSA",
      "VNW", "VPW",   "VDDPE", "VDDCE", "VSSE", "KAPWR", "LOWLVPWR", "VPWRIN", "PWR",  "VBP",
      "VBN", "VDDIO", "VSSIO", "VDDX",  "VSSX", "POWER", "GROUND",   "VDD1",   "VDD2", "VNBC"};
  std::string upper(name.starts_with('\\') ? name.substr(1) : name);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  while (!upper.empty() && (upper.back() == '!' || upper.back() == '_')) upper.pop_back();
  if (std::ranges::find(kNames, upper) != std::end(kNames)) return true;
  // vccd1, vssd2, vdda1 of OpenLane's user areas
  return upper.size() == 5 &&
         (upper.starts_with("VCC") || upper.starts_with("VSS") || upper.starts_with("VDD")) &&
         (upper[3] == 'D' || upper[3] == 'A') && upper[4] >= '0' && upper[4] <= '9';
}

bool split_bit_name(std::string_view name, std::string& base, std::size_t& index) {
  std::string_view text = name;
  if (!text.empty() &&
      (text.back() == ']' || text.back() == '>' || text.back() == ')' || text.back() == '_'))
    text.remove_suffix(1);
  std::size_t digits = text.size();
  while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9') --digits;
  if (digits == text.size() || digits == 0 || text.size() - digits > 4) return false;
  index = 0;
  for (std::size_t i = digits; i < text.size(); ++i)
    index = index * 10 + static_cast<std::size_t>(text[i] - '0');
  std::string_view stem = text.substr(0, digits);
  if (stem.size() > 1 &&
      (stem.back() == '[' || stem.back() == '<' || stem.back() == '(' || stem.back() == '_'))
    stem.remove_suffix(1);
  base = stem;
  return true;
}

void group_scalar_ports(Netlist& netlist) {
  struct Vector {
    std::map<std::size_t, std::size_t> bits;  // bit, port
    bool twice = false;
  };
  std::map<std::pair<std::string, bool>, Vector> vectors;
  for (std::size_t i = 0; i < netlist.ports.size(); ++i) {
    std::string base;
    std::size_t index = 0;
    const Port& port = netlist.ports[i];
    if (port.nets.size() != 1 || !split_bit_name(port.name, base, index)) continue;
    Vector& vector = vectors[{base, port.is_output}];
    vector.twice |= !vector.bits.emplace(index, i).second;
  }
  std::vector<char> gone(netlist.ports.size(), 0);
  for (const auto& [key, vector] : vectors) {
    if (vector.twice || vector.bits.size() < 2 ||
        vector.bits.rbegin()->first + 1 != vector.bits.size() ||
        netlist.find_port(key.first) != nullptr)
      continue;
    Port whole{key.first, key.second, {}};
    std::size_t first = netlist.ports.size();
    for (const auto& [bit, port] : vector.bits) {
      whole.nets.push_back(netlist.ports[port].nets[0]);
      first = std::min(first, port);
      gone[port] = 1;
    }
    netlist.ports[first] = std::move(whole);
    gone[first] = 0;
  }
  std::size_t index = 0;
  std::erase_if(netlist.ports, [&](const Port&) { return gone[index++] != 0; });
}

void tie_inputs(Netlist& netlist, const std::vector<std::pair<std::string, std::uint64_t>>& ties) {
  for (const auto& [name, value] : ties) {
    const Port* port = netlist.find_port(name);
    if (port == nullptr || port->is_output)
      throw InputError(234, Place{},
                       "circuit \"" + netlist.name + "\" has no input \"" + name +
                           "\" to be tied (--ports); its inputs: " + list_inputs(netlist));
    const std::size_t bits = port->nets.size();
    if (bits < 64 && value >> bits != 0)
      throw InputError(234, Place{},
                       "circuit \"" + netlist.name + "\": " + std::to_string(value) +
                           " does not fit input \"" + name + "\" of " + std::to_string(bits) +
                           " bits (--ports)");
    const std::vector<NetId> nets = port->nets;
    for (std::size_t i = 0; i < nets.size(); ++i)
      replace_net(netlist, nets[i], i < 64 && (value >> i & 1) != 0 ? kNetOne : kNetZero);
    std::erase_if(netlist.ports, [&](const Port& p) { return p.name == name && !p.is_output; });
  }
}

std::string control_port(bool is_reset, bool active_high, const std::string& register_name) {
  return std::string(kControl) + (is_reset ? 'r' : 'e') + (active_high ? '1' : '0') + register_name;
}

void settle_registers(Netlist& netlist, const std::string& path) {
  const std::vector<std::size_t> drivers = drivers_of(netlist);
  std::map<std::string, std::uint64_t> ties;
  for (const Port& port : netlist.ports) {
    // Files may have short names that begin alike.
    if (!port.name.starts_with(kControl) || port.name.size() < 4) continue;
    const bool is_reset = port.name[1] == 'r', active_high = port.name[2] == '1';
    const std::string name = port.name.substr(3);
    const Root root = root_of(netlist, drivers, port.nets[0]);
    if (root.net <= kNetOne) continue;
    const Port* input = scalar_input(netlist, root.net);
    if (input == nullptr && is_reset) continue;  // logic: the reset is a multiplexer before it
    if (input == nullptr)
      fail(211, path, 0,
           "clocked: register " + in_quotes(name) +
               " keeps its value unless enabled by logic of the operands; only feed-forward "
               "pipelines have a table");
    const bool wanted = (is_reset != active_high) != root.inverted;
    const auto [known, is_new] = ties.emplace(input->name, wanted ? 1 : 0);
    if (!is_new && (known->second != 0) != wanted)
      fail(211, path, 0,
           "clocked: register " + in_quotes(name) + " needs input " + in_quotes(input->name) +
               " at another value than others do; tie it with --ports " + input->name + "=0 or 1");
  }
  std::erase_if(netlist.ports, [](const Port& port) { return port.name.starts_with(kControl); });
  tie_inputs(netlist, {ties.begin(), ties.end()});
  count_stages(netlist);
}

}  // namespace axmul::detail
