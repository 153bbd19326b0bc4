// Resolves what readers collected: aliases, topological order, undriven nets, loops.
#include "netlist/assembler.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {
constexpr std::uint32_t kNoType = ~std::uint32_t{0};
}  // namespace

Assembler::Assembler(std::string path, std::size_t limit)
    : path_(std::move(path)), limit_(std::min<std::size_t>(limit, 0x7FFFFFFF)) {
  gate_index_.fill(kNoType);
  nets_.reserve(1024);
  nets_.resize(2);
  nets_[0].driver = nets_[1].driver = Driver::constant;
  cells_.reserve(512);
  pins_.reserve(2048);
}

NetId Assembler::new_nets(std::size_t count, std::size_t line) {
  if (count > limit_ || nets_.size() + count > limit_)
    fail(210, path_, line, "more than " + std::to_string(limit_) + " nets");
  const auto first = static_cast<NetId>(nets_.size());
  nets_.resize(nets_.size() + count);
  return first;
}

void Assembler::drive(NetId net, Driver driver, std::uint32_t ref, std::size_t line) {
  Source& source = nets_[net];
  if (source.driver != Driver::none) {
    if (doubly_driven_ == kNoNet) {
      doubly_driven_ = net;
      source.other_line = static_cast<std::uint32_t>(line);
    }
    return;
  }
  source.driver = driver;
  source.ref = ref;
  source.line = static_cast<std::uint32_t>(line);
}

void Assembler::alias(NetId target, NetId source, std::size_t line) {
  drive(target, Driver::alias, source, line);
}

void Assembler::drive_input(NetId net, std::size_t line) { drive(net, Driver::input, 0, line); }

void Assembler::cell(std::uint32_t type, std::span<const NetId> inputs,
                     std::span<const NetId> outputs, std::size_t line) {
  if (cells_.size() >= limit_)
    fail(210, path_, line, "more than " + std::to_string(limit_) + " cells");
  const auto number = static_cast<std::uint32_t>(cells_.size());
  cells_.push_back(
      {type, static_cast<std::uint32_t>(pins_.size()), static_cast<std::uint32_t>(line)});
  pins_.insert(pins_.end(), inputs.begin(), inputs.end());
  for (const NetId net : outputs) {
    if (net == kNoNet) {
      const NetId open = new_nets(1, line);
      pins_.push_back(open);
      drive(open, Driver::cell, number, line);
    } else {
      pins_.push_back(net);
      drive(net, Driver::cell, number, line);
    }
  }
}

void Assembler::reg(NetId d, NetId q, std::size_t line) {
  static const CellType type = [] {
    CellType t = gate_type(Gate::buf);
    t.name = "DFF";
    t.is_register = true;
    return t;
  }();
  cell(type_index(type), {&d, 1}, {&q, 1}, line);
}

std::uint32_t Assembler::type_index(Gate gate) {
  std::uint32_t& index = gate_index_[static_cast<std::size_t>(gate)];
  if (index == kNoType) {
    index = static_cast<std::uint32_t>(netlist_.types.size());
    netlist_.types.push_back(gate_type(gate));
  }
  return index;
}

std::uint32_t Assembler::type_index(const CellType& type) {
  for (const auto& [known, index] : type_cache_)
    if (known == &type) return index;
  for (std::uint32_t i = 0; i < netlist_.types.size(); ++i)
    if (netlist_.types[i].name == type.name && netlist_.types[i].inputs == type.inputs &&
        netlist_.types[i].functions == type.functions) {
      if (type_cache_.size() < 64) type_cache_.emplace_back(&type, i);
      return i;
    }
  const auto index = static_cast<std::uint32_t>(netlist_.types.size());
  netlist_.types.push_back(type);
  if (type_cache_.size() < 64) type_cache_.emplace_back(&type, index);
  return index;
}

NetId Assembler::gate(Gate kind, std::span<const NetId> inputs, std::size_t line) {
  const NetId net = new_nets(1, line);
  cell(type_index(kind), inputs, {&net, 1}, line);
  return net;
}

std::pair<NetId, NetId> Assembler::adder(Gate kind, std::initializer_list<NetId> inputs,
                                         std::size_t line) {
  const NetId sum = new_nets(2, line);
  const NetId outputs[2] = {sum, sum + 1};
  cell(type_index(kind), {inputs.begin(), inputs.size()}, outputs, line);
  return {sum, sum + 1};
}

NetId Assembler::tree(Gate kind, std::vector<NetId> inputs, bool invert, std::size_t line) {
  const Gate inverse = kind == Gate::and2  ? Gate::nand2
                       : kind == Gate::or2 ? Gate::nor2
                                           : Gate::xnor2;
  if (inputs.empty()) {
    const bool one = (kind == Gate::and2) != invert;
    return one ? kNetOne : kNetZero;
  }
  if (inputs.size() == 1) return gate(invert ? Gate::inv : Gate::buf, {inputs[0]}, line);
  // Pairs neighbours level by level, so the depth is logarithmic.
  while (inputs.size() > 2) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i + 1 < inputs.size(); i += 2)
      inputs[kept++] = gate(kind, {inputs[i], inputs[i + 1]}, line);
    if (inputs.size() % 2 != 0) inputs[kept++] = inputs.back();
    inputs.resize(kept);
  }
  return gate(invert ? inverse : kind, {inputs[0], inputs[1]}, line);
}

NetId Assembler::resolve(NetId net, const NameOf& name_of) {
  NetId root = net;
  std::size_t steps = 0;
  while (nets_[root].driver == Driver::alias) {
    root = nets_[root].ref;
    if (++steps > nets_.size())
      fail(208, path_, nets_[net].line,
           "combinational loop through net " + in_quotes(name_of(net)));
  }
  while (nets_[net].driver == Driver::alias && nets_[net].ref != root) {
    const NetId next = nets_[net].ref;
    nets_[net].ref = root;
    net = next;
  }
  return root;
}

void Assembler::resolve_all(const NameOf& name_of) {
  for (NetId net = 0; net < nets_.size(); ++net)
    if (nets_[net].driver == Driver::alias) resolve(net, name_of);
  for (const RawCell& raw : cells_) {
    const auto nets = pins(raw);
    for (std::size_t i = 0; i < input_count(raw); ++i) nets[i] = resolve(nets[i], name_of);
  }
  for (std::size_t k = 0; k < netlist_.ports.size(); ++k) {
    if (!netlist_.ports[k].is_output) continue;
    auto& nets = netlist_.ports[k].nets;
    for (std::size_t i = 0; i < nets.size(); ++i) {
      if (nets_[nets[i]].driver == Driver::alias) port_lines_[k][i] = nets_[nets[i]].line;
      nets[i] = resolve(nets[i], name_of);
    }
  }
}

// Nets that an output depends on; an undriven net elsewhere can change nothing.
void Assembler::mark_needed() {
  needed_.assign(nets_.size(), 0);
  std::vector<NetId> work;
  const auto need = [&](NetId net) {
    if (needed_[net] == 0) {
      needed_[net] = 1;
      work.push_back(net);
    }
  };
  for (const Port& port : netlist_.ports)
    if (port.is_output)
      for (const NetId net : port.nets) need(net);
  while (!work.empty()) {
    const NetId net = work.back();
    work.pop_back();
    if (nets_[net].driver != Driver::cell) continue;
    const RawCell& raw = cells_[nets_[net].ref];
    const auto nets = pins(raw);
    for (std::size_t i = 0; i < input_count(raw); ++i) need(nets[i]);
  }
}

void Assembler::check_driven(const NameOf& name_of) const {
  for (std::size_t k = 0; k < netlist_.ports.size(); ++k)
    if (const Port& port = netlist_.ports[k]; port.is_output)
      for (std::size_t i = 0; i < port.nets.size(); ++i)
        if (nets_[port.nets[i]].driver == Driver::none)
          fail(206, path_, port_lines_[k][i],
               "output " +
                   in_quotes(port.name +
                             (port.nets.size() > 1 ? "[" + std::to_string(i) + "]" : "")) +
                   " is not driven (net " + in_quotes(name_of(port.nets[i])) + ")");
  for (const RawCell& raw : cells_) {
    const CellType& type = netlist_.types[raw.type];
    bool needed = false;
    for (std::size_t k = 0; k < type.functions.size(); ++k)
      needed |= needed_[pins_[raw.first_pin + input_count(raw) + k]] != 0;
    if (!needed) continue;
    for (std::size_t i = 0; i < input_count(raw); ++i)
      if (const NetId net = pins_[raw.first_pin + i]; nets_[net].driver == Driver::none)
        fail(206, path_, raw.line,
             "net " + in_quotes(name_of(net)) + " is read but nothing drives it");
  }
}

// A net inside an expression has no name of its own; one that it drives does.
std::string Assembler::known_name(NetId net, const NameOf& name_of) const {
  std::string name = name_of(net);
  for (NetId other = 0; other < nets_.size() && name == kUnnamed; ++other)
    if (nets_[other].driver == Driver::alias && nets_[other].ref == net) name = name_of(other);
  return name;
}

void Assembler::fail_loop(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& stack,
                          std::uint32_t cell, const NameOf& name_of) const {
  std::string text;
  std::size_t start = 0;
  for (std::size_t i = 0; i < stack.size(); ++i)
    if (stack[i].first == cell) start = i;
  std::size_t named = 0;
  for (std::size_t i = start; i < stack.size(); ++i) {
    const RawCell& raw = cells_[stack[i].first];
    if (netlist_.types[raw.type].is_register)
      fail(211, path_, raw.line,
           "clocked: register " + in_quotes(known_name(pins_[raw.first_pin + 1], name_of)) +
               " feeds itself; only feed-forward pipelines have a table");
  }
  for (std::size_t i = start; i < stack.size(); ++i) {
    const RawCell& raw = cells_[stack[i].first];
    if (++named > 8) {
      text += " …";
      break;
    }
    // The input that was being followed when the loop closed.
    const NetId net = pins_[raw.first_pin + stack[i].second - 1];
    text += (text.empty() ? "" : ", ") + in_quotes(known_name(net, name_of));
  }
  fail(208, path_, cells_[cell].line, "combinational loop through " + text);
}

// Depth-first, so that every cell comes after those that drive it; otherwise file order.
std::vector<std::uint32_t> Assembler::order(const NameOf& name_of) {
  std::vector<std::uint32_t> result;
  result.reserve(cells_.size());
  std::vector<char> state(cells_.size(), 0);                   // 0 new, 1 open, 2 done
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stack;  // cell, next input
  for (std::uint32_t root = 0; root < cells_.size(); ++root) {
    if (state[root] != 0) continue;
    stack.emplace_back(root, 0);
    state[root] = 1;
    while (!stack.empty()) {
      auto& [number, next] = stack.back();
      const RawCell& raw = cells_[number];
      if (next == input_count(raw)) {
        state[number] = 2;
        result.push_back(number);
        stack.pop_back();
        continue;
      }
      const Source& source = nets_[pins_[raw.first_pin + next++]];
      if (source.driver != Driver::cell || state[source.ref] == 2) continue;
      if (state[source.ref] == 1) fail_loop(stack, source.ref, name_of);
      state[source.ref] = 1;
      stack.emplace_back(source.ref, 0);
    }
  }
  return result;
}

Netlist Assembler::finish(std::string name, const NameOf& name_of) {
  if (doubly_driven_ != kNoNet) {
    const Source& source = nets_[doubly_driven_];
    const std::string where = source.driver == Driver::constant ? "a constant"
                              : source.driver == Driver::input
                                  ? "an input port"
                                  : "line " + std::to_string(source.line);
    fail(207, path_, source.other_line,
         "net " + in_quotes(name_of(doubly_driven_)) + " is driven twice: here and by " + where);
  }
  resolve_all(name_of);
  mark_needed();
  const std::vector<std::uint32_t> sorted = order(name_of);
  check_driven(name_of);

  std::vector<NetId> number(nets_.size(), kNetZero);  // undriven and unneeded nets read as 0
  number[kNetOne] = kNetOne;
  netlist_.name = std::move(name);
  netlist_.cells.reserve(cells_.size());
  netlist_.pins.reserve(pins_.size());
  for (Port& port : netlist_.ports)
    if (!port.is_output)
      for (NetId& net : port.nets) net = number[net] = netlist_.net_count++;
  for (const std::uint32_t index : sorted) {
    const RawCell& raw = cells_[index];
    const auto nets = pins(raw);
    netlist_.cells.push_back({raw.type, static_cast<std::uint32_t>(netlist_.pins.size())});
    for (std::size_t i = 0; i < nets.size(); ++i) {
      if (i >= input_count(raw)) number[nets[i]] = netlist_.net_count++;
      netlist_.pins.push_back(number[nets[i]]);
    }
  }
  for (Port& port : netlist_.ports)
    if (port.is_output)
      for (NetId& net : port.nets) net = number[net];
  return std::move(netlist_);
}

}  // namespace axmul::detail
