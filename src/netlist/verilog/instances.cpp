// What a module contains: assignments, gate primitives, instances of cells and modules.
#include "netlist/verilog/instances.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "axmul/core/errors.hpp"
#include "netlist/cells.hpp"
#include "netlist/fpga.hpp"
#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"
#include "netlist/verilog/expressions.hpp"

namespace axmul::detail {

namespace {

class Elaborator {
 public:
  Elaborator(const VerilogFile& file, const NetlistOptions& options, const VerilogFiles& others)
      : main_(file),
        others_(others),
        options_(options),
        out_(file.path, options.max_cells),
        scopes_(options, out_),
        expressions_(file, scopes_, out_),
        stack_(expressions_.stack()) {}

  Netlist run(const Module& top) {
    const std::uint32_t scope = scopes_.open(main_, top, 0, {});
    for (const std::uint32_t index : top.ports) {
      const Signal& signal = top.signals[index];
      if (signal.is_inout && is_supply_name(signal.name)) continue;
      check_direction(main_, top, signal);
      std::vector<NetId> nets;
      for (std::uint32_t i = 0; i < scopes_.range(scope, index).width; ++i)
        nets.push_back(scopes_.base(scope, index) + i);
      if (signal.is_input)
        for (const NetId net : nets) out_.drive_input(net, signal.line);
      out_.port(std::string(signal.name), signal.is_output, std::move(nets), signal.line,
                signal.is_signed);
    }
    body(scope, 0);
    Netlist netlist =
        out_.finish(std::string(top.name), [this](NetId net) { return scopes_.net_name(net); });
    if (options_.library) use_library(netlist, *options_.library);
    return netlist;
  }

 private:
  // --- a module's contents
  void body(std::uint32_t scope, int depth) {
    const Module& module = *scopes_[scope].module;
    const VerilogFile& file = *scopes_[scope].file;
    if (depth > kMaxHierarchy)
      fail(210, file.path, module.line,
           "module " + in_quotes(module.name) + " is nested deeper than " +
               std::to_string(kMaxHierarchy) + " levels; does it instantiate itself?");
    for (const Assign& assign : module.assigns) {
      expressions_.targets(scope, assign.target);
      connect_value(scope, 0, assign.value, assign.line);
    }
    for (const Primitive& primitive : module.primitives) gate(scope, primitive);
    for (const Instance& instance : module.instances) place(scope, instance, depth);
  }

  // Drives the nets above mark from an expression and pops them.
  void connect_value(std::uint32_t scope, std::size_t mark, std::uint32_t value,
                     std::uint32_t line) {
    const auto count = static_cast<std::uint32_t>(stack_.size() - mark);
    const Shape s = expressions_.shape(scope, value);
    expressions_.eval_lower(scope, value, std::max(count, s.width), s.is_signed, count);
    for (std::uint32_t i = 0; i < count; ++i)
      out_.alias(stack_[mark + i], stack_[mark + count + i], line);
    stack_.resize(mark);
  }

  NetId single(std::uint32_t scope, std::uint32_t n, bool is_target) {
    const VerilogFile& file = *scopes_[scope].file;
    if (is_target)
      expressions_.targets(scope, n);
    else
      expressions_.self_eval(scope, n);
    if (stack_.size() != 1)
      fail(205, file.path, file.nodes[n].line,
           "a gate terminal has one bit, this has " + std::to_string(stack_.size()));
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  void gate(std::uint32_t scope, const Primitive& primitive) {
    const VerilogFile& file = *scopes_[scope].file;
    const std::uint32_t* terminals = file.lists.data() + primitive.first;
    if (primitive.gate == Gate::buf || primitive.gate == Gate::inv) {
      const NetId input = single(scope, terminals[primitive.count - 1], false);
      for (std::uint32_t i = 0; i + 1 < primitive.count; ++i) {
        const NetId target = single(scope, terminals[i], true);
        out_.cell(out_.type_index(primitive.gate), {&input, 1}, {&target, 1}, primitive.line);
      }
      return;
    }
    const NetId target = single(scope, terminals[0], true);
    std::vector<NetId> inputs;
    for (std::uint32_t i = 1; i < primitive.count; ++i)
      inputs.push_back(single(scope, terminals[i], false));
    const Gate gate = widened(primitive.gate, inputs.size());
    if (gate_type(gate).inputs == static_cast<int>(inputs.size())) {
      out_.cell(out_.type_index(gate), inputs, {&target, 1}, primitive.line);
      return;
    }
    const bool invert = primitive.gate == Gate::nand2 || primitive.gate == Gate::nor2 ||
                        primitive.gate == Gate::xnor2;
    const Gate plain = primitive.gate == Gate::nand2   ? Gate::and2
                       : primitive.gate == Gate::nor2  ? Gate::or2
                       : primitive.gate == Gate::xnor2 ? Gate::xor2
                                                       : primitive.gate;
    out_.alias(target, out_.tree(plain, std::move(inputs), invert, primitive.line), primitive.line);
  }

  static Gate widened(Gate gate, std::size_t inputs) {
    if (inputs == 3) {
      if (gate == Gate::and2) return Gate::and3;
      if (gate == Gate::or2) return Gate::or3;
      if (gate == Gate::nand2) return Gate::nand3;
      if (gate == Gate::nor2) return Gate::nor3;
      if (gate == Gate::xor2) return Gate::xor3;
    }
    if (inputs == 4) {
      if (gate == Gate::and2) return Gate::and4;
      if (gate == Gate::or2) return Gate::or4;
      if (gate == Gate::nand2) return Gate::nand4;
      if (gate == Gate::nor2) return Gate::nor4;
    }
    return gate;
  }

  // --- instances
  struct Found {
    const VerilogFile* file = nullptr;
    const Module* module = nullptr;
    const LibraryCell* cell = nullptr;
  };

  const Module* find_module(const VerilogFile& file, std::string_view name) {
    auto& index = indices_[&file];
    if (index.empty())
      for (const Module& module : file.modules) index.emplace(module.name, &module);
    const auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
  }

  Found find(const VerilogFile& here, std::string_view name) {
    // Instances of one cell come in runs: the last few answers are remembered.
    const auto known = found_.find({&here, name});
    if (known != found_.end()) return known->second;
    Found result = look_up(here, name);
    if (result.module != nullptr && result.cell == nullptr)
      result.cell = recognise(*result.file, *result.module);
    found_.emplace(std::pair{&here, name}, result);
    return result;
  }

  Found look_up(const VerilogFile& here, std::string_view name) {
    if (const Module* module = find_module(here, name)) return {&here, module, nullptr};
    if (&here != &main_)
      if (const Module* module = find_module(main_, name)) return {&main_, module, nullptr};
    for (const auto& file : others_)
      if (const Module* module = find_module(*file, name)) return {file.get(), module, nullptr};
    if (options_.library) {
      const CellLibrary::Impl& library = options_.library->impl();
      for (const auto& file : library.verilog)
        if (const Module* module = find_module(*file, name)) return {file.get(), module, nullptr};
      if (const LibraryCell* cell = library.find(name)) return {nullptr, nullptr, cell};
    }
    if (const LibraryCell* cell = builtin_cell(name)) return {nullptr, nullptr, cell};
    return {};
  }

  // A module that defines a cell of a known name with the known function is that cell, so that a
  // circuit costs the same whether its file defines FAX1 or not.
  const LibraryCell* recognise(const VerilogFile& file, const Module& module) {
    const LibraryCell* cell = builtin_cell(module.name);
    if (cell == nullptr || module.udp || !module.unsupported.empty() ||
        module.ports.size() != cell->positional.size() || module.instances.size() > 16)
      return nullptr;
    try {
      NetlistOptions plain;
      plain.max_cells = 10000;
      plain.library = options_.library;
      const Netlist netlist = flatten(file, module, plain);
      std::vector<NetId> inputs, outputs;
      for (const std::string& pin : cell->positional) {
        const Port* port = netlist.find_port(pin);
        const bool is_output =
            std::find(cell->outputs.begin(), cell->outputs.end(), pin) != cell->outputs.end();
        if (port == nullptr || port->nets.size() != 1 || port->is_output != is_output)
          return nullptr;
        (is_output ? outputs : inputs).push_back(port->nets[0]);
      }
      const TruthPlanes planes = simulate_planes(netlist, inputs, outputs);
      for (std::size_t k = 0; k < outputs.size(); ++k)
        for (std::size_t i = 0; i < std::size_t{1} << inputs.size(); ++i)
          if (planes(k, i) != ((cell->type.functions[k] >> i & 1) != 0)) return nullptr;
      return cell;
    } catch (const InputError&) {
      return nullptr;  // flattening it will say what is wrong
    }
  }

  void place(std::uint32_t scope, const Instance& instance, int depth) {
    const VerilogFile& file = *scopes_[scope].file;
    Found found = find(file, instance.cell);
    if (found.module == nullptr || instance.has_parameters)
      if (const FpgaPrimitive* primitive = fpga_primitive(instance.cell);
          primitive != nullptr && found.cell == nullptr)
        return place_fpga(scope, instance, *primitive);
    if (is_unpowered(file, instance, found)) return;
    if (found.cell == nullptr && found.module == nullptr)
      fail(203, file.path, instance.line,
           "unknown cell " + in_quotes(instance.cell) +
               "; give its function with --liberty FILE.lib or --cells FILE.v");
    if (instance.has_parameters && found.module != nullptr && !found.module->udp)
      found = specialised(scope, instance, found);
    if (found.cell != nullptr) return place_cell(scope, instance, *found.cell);
    if (found.module->udp) return place_udp(scope, instance, *found.file, *found.module);
    place_module(scope, instance, found, depth);
  }

  [[noreturn]] void bad_port(std::uint32_t scope, const Instance& instance,
                             const std::string& text) {
    fail(205, scopes_[scope].file->path, instance.line,
         "instance " + in_quotes(instance.name) + " of " + in_quotes(instance.cell) + ": " + text);
  }

  // Tap, fill and decoupling cells: whatever they are, they connect to power alone.
  bool is_unpowered(const VerilogFile& file, const Instance& instance, const Found& found) const {
    if (found.module != nullptr || (found.cell != nullptr && found.cell->unusable.empty()))
      return false;
    if (instance.count > 0 && !instance.by_name) return false;
    const Connection* list = file.connections.data() + instance.first;
    return std::all_of(list, list + instance.count, [&](const Connection& connection) {
      return is_supply(connection.port, found.cell);
    });
  }

  static bool is_supply(std::string_view pin, const LibraryCell* cell) {
    return is_supply_name(pin) ||
           (cell != nullptr && std::ranges::find(cell->supplies, pin) != cell->supplies.end());
  }

  // The module with the values that an instance gives its parameters.
  Found specialised(std::uint32_t scope, const Instance& instance, const Found& found) {
    const VerilogFile& file = *scopes_[scope].file;
    std::vector<ParameterValue> values;
    std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(found.module));
    const Connection* list = file.connections.data() + instance.first_parameter;
    for (std::uint32_t i = 0; i < instance.parameter_count; ++i) {
      if (list[i].value == kNothing)
        fail(202, file.path, instance.line,
             "a parameter of instance " + in_quotes(instance.name) + " that is no number is not " +
                 "structural Verilog" + kSynthesizeHint);
      values.push_back(parameter_value(scope, list[i]));
      key += "," + values.back().name + "=" + std::to_string(values.back().value.width) +
             (values.back().value.is_signed ? "s" : "u");
      for (const std::uint64_t word : values.back().words) key += "." + std::to_string(word);
    }
    if (values.empty())
      fail(202, file.path, instance.line,
           "parameters on instance " + in_quotes(instance.name) + " are not understood" +
               kSynthesizeHint);
    std::shared_ptr<const VerilogFile>& known = specialised_[key];
    if (specialised_.size() > kMaxSpecialised)
      fail(210, file.path, instance.line, "too many modules with different parameters");
    if (!known)
      known = with_parameters(*found.file, *found.module, values, file.path, instance.line);
    return {known.get(), &known->modules[0], nullptr};
  }

  ParameterValue parameter_value(std::uint32_t scope, const Connection& parameter) {
    const VerilogFile& file = *scopes_[scope].file;
    ParameterValue value{std::string(parameter.port), {}, {}};
    const Node& node = file.nodes[parameter.value];
    if (node.kind == NodeKind::constant) {
      value.value = file.constants[node.a];
      for (std::uint32_t w = 0; w < std::max(1U, (value.value.width + 63) / 64); ++w)
        value.words.push_back(file.words[value.value.first_word + w]);
      return value;
    }
    value.value = {32, false, true, 0};
    value.words = {static_cast<std::uint64_t>(scopes_.constant(scope, parameter.value)) &
                   0xFFFFFFFFU};
    return value;
  }

  std::uint64_t init_of(std::uint32_t scope, const Instance& instance,
                        const FpgaPrimitive& primitive) {
    const VerilogFile& file = *scopes_[scope].file;
    const Connection* list = file.connections.data() + instance.first_parameter;
    for (std::uint32_t i = 0; i < instance.parameter_count; ++i)
      if (list[i].value != kNothing && !primitive.init.empty() &&
          (list[i].port == primitive.init || list[i].port.empty())) {
        const std::vector<std::uint64_t> words = parameter_value(scope, list[i]).words;
        return words[0];
      }
    return 0;
  }

  void place_fpga(std::uint32_t scope, const Instance& instance, const FpgaPrimitive& primitive) {
    match(scope, instance, primitive.pins.size(),
          [&](std::size_t i) { return primitive.pins[i].name; });
    const std::vector<std::uint32_t> values = matched_;
    std::vector<std::vector<NetId>> pins(primitive.pins.size());
    for (std::size_t p = 0; p < pins.size(); ++p) {
      if (values[p] == kNothing) continue;
      stack_.clear();
      if (primitive.pins[p].is_output)
        expressions_.targets(scope, values[p]);
      else
        expressions_.self_eval(scope, values[p]);
      if (stack_.size() > static_cast<std::size_t>(primitive.pins[p].width) &&
          primitive.pins[p].is_output)
        bad_port(scope, instance,
                 "pin " + in_quotes(primitive.pins[p].name) + " has " +
                     std::to_string(primitive.pins[p].width) + " bits, its connection " +
                     std::to_string(stack_.size()));
      stack_.resize(static_cast<std::size_t>(primitive.pins[p].width),
                    primitive.pins[p].is_output ? Assembler::kNoNet : kNetZero);
      pins[p] = stack_;
      stack_.clear();
    }
    fpga_.place(out_, primitive, init_of(scope, instance, primitive), pins, instance.line);
  }

  // Which of `ports` each connection belongs to: result[port] is the expression or kNothing.
  template <class NameOf>
  void match(std::uint32_t scope, const Instance& instance, std::size_t ports, NameOf&& name_of,
             const LibraryCell* cell = nullptr) {
    const Connection* list = scopes_[scope].file->connections.data() + instance.first;
    matched_.assign(ports, kNothing);
    if (!instance.by_name) {
      if (instance.count > ports)
        bad_port(
            scope, instance,
            std::to_string(instance.count) + " connections to " + std::to_string(ports) + " ports");
      for (std::uint32_t i = 0; i < instance.count; ++i) matched_[i] = list[i].value;
      return;
    }
    connected_.assign(ports, 0);
    for (std::uint32_t i = 0; i < instance.count; ++i) {
      std::size_t port = 0;
      while (port < ports && name_of(port) != list[i].port) ++port;
      if (port == ports && is_supply(list[i].port, cell)) continue;
      if (port == ports) bad_port(scope, instance, "there is no port " + in_quotes(list[i].port));
      if (connected_[port] != 0)
        bad_port(scope, instance, "port " + in_quotes(list[i].port) + " is connected twice");
      connected_[port] = 1;
      matched_[port] = list[i].value;
    }
  }

  void place_cell(std::uint32_t scope, const Instance& instance, const LibraryCell& cell) {
    if (!cell.unusable.empty())
      fail(cell.unusable_id, scopes_[scope].file->path, instance.line,
           "cell " + in_quotes(instance.cell) + " " + cell.unusable);
    match(
        scope, instance, cell.positional.size(),
        [&](std::size_t i) { return std::string_view(cell.positional[i]); }, &cell);
    std::array<NetId, kMaxCellInputs> inputs{};
    std::array<NetId, 8> few{};
    std::vector<NetId> many;
    if (cell.outputs.size() > few.size()) many.resize(cell.outputs.size());
    const std::span<NetId> outputs =
        many.empty() ? std::span<NetId>(few.data(), cell.outputs.size()) : std::span<NetId>(many);
    for (std::size_t p = 0; p < cell.positional.size(); ++p) {
      const std::string& pin = cell.positional[p];
      const std::uint32_t value = matched_[p];
      const auto input = std::find(cell.inputs.begin(), cell.inputs.end(), pin);
      if (input != cell.inputs.end()) {
        NetId& net = inputs[static_cast<std::size_t>(input - cell.inputs.begin())];
        net = value == kNothing ? out_.new_nets(1, instance.line)
                                : pin_value(scope, instance, value, pin);
      } else {
        const auto output = std::find(cell.outputs.begin(), cell.outputs.end(), pin);
        outputs[static_cast<std::size_t>(output - cell.outputs.begin())] =
            value == kNothing ? Assembler::kNoNet : pin_target(scope, instance, value, pin);
      }
    }
    out_.cell(out_.type_index(cell.type), {inputs.data(), cell.inputs.size()}, outputs,
              instance.line);
  }

  NetId pin_value(std::uint32_t scope, const Instance& instance, std::uint32_t value,
                  std::string_view pin) {
    stack_.clear();
    const Shape s = expressions_.shape(scope, value);
    const VerilogFile& file = *scopes_[scope].file;
    const bool unsized = file.nodes[value].kind == NodeKind::constant &&
                         !file.constants[file.nodes[value].a].is_sized;
    if (s.width != 1 && !unsized)
      bad_port(scope, instance,
               "pin " + in_quotes(pin) + " has one bit, its connection " + std::to_string(s.width));
    expressions_.eval(scope, value, s.width, s.is_signed);
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  NetId pin_target(std::uint32_t scope, const Instance& instance, std::uint32_t value,
                   std::string_view pin) {
    stack_.clear();
    expressions_.targets(scope, value);
    if (stack_.size() != 1)
      bad_port(scope, instance,
               "pin " + in_quotes(pin) + " has one bit, its connection " +
                   std::to_string(stack_.size()));
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  void place_udp(std::uint32_t scope, const Instance& instance, const VerilogFile& file,
                 const Module& udp) {
    if (!udp.unsupported.empty())
      fail(udp.unsupported_id, scopes_[scope].file->path, instance.line,
           "primitive " + in_quotes(udp.name) + " (" + file.path + ":" + std::to_string(udp.line) +
               ") is " + udp.unsupported);
    match(scope, instance, udp.ports.size(),
          [&](std::size_t i) { return udp.signals[udp.ports[i]].name; });
    if (matched_[0] == kNothing) return;
    CellType& type = udp_types_[&udp];
    if (type.name.empty()) {
      type.name = std::string(udp.name);
      type.inputs = udp.udp->inputs;
      type.functions = {udp.udp->table};
    }
    const std::vector<std::uint32_t> values = matched_;
    const NetId target = pin_target(scope, instance, values[0], udp.signals[udp.ports[0]].name);
    std::vector<NetId> inputs;
    for (std::size_t i = 1; i < values.size(); ++i)
      inputs.push_back(values[i] == kNothing
                           ? out_.new_nets(1, instance.line)
                           : pin_value(scope, instance, values[i], udp.signals[udp.ports[i]].name));
    out_.cell(out_.type_index(type), inputs, {&target, 1}, instance.line);
  }

  void place_module(std::uint32_t scope, const Instance& instance, const Found& found, int depth) {
    const Module& module = *found.module;
    match(scope, instance, module.ports.size(),
          [&](std::size_t i) { return module.signals[module.ports[i]].name; });
    const std::vector<std::uint32_t> values = matched_;
    const std::uint32_t inner = scopes_.open(*found.file, module, scope,
                                             instance.name.empty() ? instance.cell : instance.name);
    for (std::size_t p = 0; p < module.ports.size(); ++p) {
      const Signal& signal = module.signals[module.ports[p]];
      if (signal.is_inout && is_supply_name(signal.name)) continue;
      check_direction(*found.file, module, signal);
      if (values[p] == kNothing) continue;
      const NetId first = scopes_.base(inner, module.ports[p]);
      const std::uint32_t width = scopes_.range(inner, module.ports[p]).width;
      stack_.clear();
      if (signal.is_input) {
        // Self-determined, then cut or extended to the port's width, as Icarus Verilog does.
        const Shape s = expressions_.shape(scope, values[p]);
        expressions_.eval(scope, values[p], s.width, s.is_signed);
        expressions_.fit(0, width, s.is_signed);
        for (std::uint32_t i = 0; i < width; ++i) out_.alias(first + i, stack_[i], instance.line);
      } else {
        expressions_.targets(scope, values[p]);
        const std::size_t count = std::min<std::size_t>(stack_.size(), width);
        for (std::size_t i = 0; i < count; ++i)
          out_.alias(stack_[i], first + static_cast<NetId>(i), instance.line);
      }
      stack_.clear();
    }
    body(inner, depth + 1);
  }

  struct HashPair {
    std::size_t operator()(const std::pair<const VerilogFile*, std::string_view>& key) const {
      return std::hash<std::string_view>()(key.second) ^ std::hash<const void*>()(key.first);
    }
  };

  static constexpr std::size_t kMaxSpecialised = 4096;

  const VerilogFile& main_;
  const VerilogFiles& others_;
  const NetlistOptions& options_;
  Assembler out_;
  VerilogScopes scopes_;
  VerilogExpressions expressions_;
  std::vector<NetId>& stack_;  // of the expressions
  std::unordered_map<const VerilogFile*, std::unordered_map<std::string_view, const Module*>>
      indices_;
  std::unordered_map<std::pair<const VerilogFile*, std::string_view>, Found, HashPair> found_;
  std::map<const Module*, CellType> udp_types_;
  std::map<std::string, std::shared_ptr<const VerilogFile>> specialised_;
  FpgaCells fpga_;
  std::vector<std::uint32_t> matched_;
  std::vector<char> connected_;
};

}  // namespace

Netlist flatten(const VerilogFile& file, const Module& top, const NetlistOptions& options,
                const VerilogFiles& others) {
  return Elaborator(file, options, others).run(top);
}

}  // namespace axmul::detail
