// Yosys JSON ("write_json"): modules of ports and cells over numbered bits.
#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "axmul/netlist/readers.hpp"
#include "io/json.hpp"
#include "netlist/assembler.hpp"
#include "netlist/cells.hpp"
#include "netlist/fpga.hpp"
#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"
#include "netlist/yosys_registers.hpp"

namespace axmul {

namespace detail {

namespace {

constexpr int kMaxHierarchy = 64;
constexpr int kMaxJsonDepth = 64;

// Refuses deep nesting before the parser recurses; counts brackets outside strings.
void check_depth(std::string_view text, const std::string& path) {
  int depth = 0;
  bool in_string = false;
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) fail(240, path, line, "JSON nests deeper than any Yosys file");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

std::size_t line_of(std::string_view text, std::size_t byte) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(),
                 text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size())), '\n'));
}

struct SimpleCell {
  const char* type;
  Gate gate;
  const char* pins;  // inputs in the gate's order; output Y
  bool invert_last;  // ANDNOT and ORNOT: the second input is inverted
  bool invert_out;
};

constexpr SimpleCell kSimple[] = {
    {"$_BUF_", Gate::buf, "A", false, false},       {"$_NOT_", Gate::inv, "A", false, false},
    {"$_AND_", Gate::and2, "AB", false, false},     {"$_NAND_", Gate::nand2, "AB", false, false},
    {"$_OR_", Gate::or2, "AB", false, false},       {"$_NOR_", Gate::nor2, "AB", false, false},
    {"$_XOR_", Gate::xor2, "AB", false, false},     {"$_XNOR_", Gate::xnor2, "AB", false, false},
    {"$_ANDNOT_", Gate::and2, "AB", true, false},   {"$_ORNOT_", Gate::or2, "AB", true, false},
    {"$_MUX_", Gate::mux2, "ABS", false, false},    {"$_NMUX_", Gate::mux2, "ABS", false, true},
    {"$_AOI3_", Gate::aoi21, "ABC", false, false},  {"$_OAI3_", Gate::oai21, "ABC", false, false},
    {"$_AOI4_", Gate::aoi22, "ABCD", false, false}, {"$_OAI4_", Gate::oai22, "ABCD", false, false},
};

class JsonElaborator {
 public:
  JsonElaborator(const Json& root, const std::string& path, const NetlistOptions& options)
      : root_(root), path_(path), options_(options), out_(path, options.max_cells) {}

  Netlist run() {
    const auto modules = root_.find("modules");
    if (modules == root_.end() || !modules->is_object() || modules->empty())
      fail(240, path_, 0, "no \"modules\"; is this written by yosys's write_json?");
    modules_ = &*modules;
    const std::string name = find_top();
    const Json& module = modules_->at(name);
    Scope scope;
    scope_name(scope, module);
    for (const auto& [port, value] : object(module, "ports").items()) {
      if (is_supply_port(value, port)) continue;
      const bool output = direction(value, port) == "output";
      std::vector<NetId> nets = bits(scope, field(value, "bits", port), port);
      if (!output)
        for (const NetId net : nets) out_.drive_input(net, 0);
      const bool is_signed = value.contains("signed") && value["signed"] != 0;
      out_.port(port, output, std::move(nets), 0, is_signed);
    }
    body(module, scope, 0);
    for (const auto& [control, net] : controls_) out_.port(control, true, {net}, 0);
    Netlist netlist = out_.finish(strip(name), [this](NetId net) { return name_of(net); });
    group_scalar_ports(netlist);
    settle_registers(netlist, path_);
    if (options_.library) use_library(netlist, *options_.library);
    return netlist;
  }

 private:
  using Scope = std::unordered_map<std::int64_t, NetId>;

  [[noreturn]] void malformed(const std::string& what) const { fail(240, path_, 0, what); }

  static std::string strip(const std::string& name) {
    return name.starts_with("\\") ? name.substr(1) : name;
  }

  const Json& object(const Json& parent, const char* key) const {
    static const Json kEmpty = Json::object();
    const auto found = parent.find(key);
    if (!parent.is_object() || found == parent.end()) return kEmpty;
    if (!found->is_object()) malformed(std::string("\"") + key + "\" is not an object");
    return *found;
  }

  const Json& field(const Json& parent, const char* key, const std::string& owner) const {
    if (!parent.is_object() || !parent.contains(key))
      malformed(in_quotes(owner) + " has no \"" + key + "\"");
    return parent.at(key);
  }

  static bool is_supply_port(const Json& port, const std::string& name) {
    return port.is_object() && port.contains("direction") && port["direction"] == "inout" &&
           is_supply_name(name);
  }

  std::string direction(const Json& port, const std::string& name) const {
    const Json& value = field(port, "direction", name);
    if (value == "inout")
      fail(202, path_, 0, "inout port " + in_quotes(name) + " is not supported");
    if (value != "input" && value != "output")
      malformed("port " + in_quotes(name) + " has no direction");
    return value.get<std::string>();
  }

  std::string find_top() const {
    if (!options_.top.empty()) {
      if (modules_->contains(options_.top)) return options_.top;
      fail(204, path_, 0, "there is no module " + in_quotes(options_.top) + " (--top)");
    }
    std::vector<std::string> marked, roots;
    std::unordered_set<std::string> used;
    for (const auto& [name, module] : modules_->items()) {
      if (!module.is_object()) malformed("module " + in_quotes(name) + " is not an object");
      const Json& attributes = object(module, "attributes");
      if (attributes.contains("top") && attributes["top"] != 0 &&
          attributes["top"] != "00000000000000000000000000000000")
        marked.push_back(name);
      for (const auto& [cell, value] : object(module, "cells").items())
        if (value.is_object() && value.contains("type") && value["type"].is_string())
          used.insert(value["type"].get<std::string>());
    }
    if (marked.size() == 1) return marked[0];
    const std::string stem = std::filesystem::path(path_).stem().string();
    if (modules_->contains(stem)) return stem;
    for (const auto& [name, module] : modules_->items())
      if (!used.contains(name)) roots.push_back(name);
    if (roots.size() == 1) return roots[0];
    fail(204, path_, 0, "which of the modules is the circuit? Choose one with --top");
  }

  // A bit is a number, or "0", "1", "x", "z".
  NetId bit(Scope& scope, const Json& value, const std::string& owner) {
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      if (text == "0") return kNetZero;
      if (text == "1") return kNetOne;
      if (text == "x" || text == "z") {
        const NetId net = out_.new_nets(1, 0);
        names_.emplace(net, owner + " (" + text + ")");
        return net;
      }
    }
    if (!value.is_number_integer())
      malformed("a bit of " + in_quotes(owner) + " is neither a number nor 0, 1, x, z");
    const auto [found, is_new] = scope.try_emplace(value.get<std::int64_t>(), 0);
    if (is_new) found->second = out_.new_nets(1, 0);
    return found->second;
  }

  std::vector<NetId> bits(Scope& scope, const Json& value, const std::string& owner) {
    if (!value.is_array()) malformed("the bits of " + in_quotes(owner) + " are no array");
    std::vector<NetId> nets;
    for (const Json& one : value) nets.push_back(bit(scope, one, owner));
    return nets;
  }

  void scope_name(Scope& scope, const Json& module) {
    for (const auto& [name, value] : object(module, "netnames").items()) {
      if (!value.is_object() || !value.contains("bits") || !value["bits"].is_array()) continue;
      std::size_t k = 0;
      for (const Json& one : value["bits"]) {
        if (one.is_number_integer()) {
          const NetId net = bit(scope, one, name);
          names_.try_emplace(
              net, value["bits"].size() == 1 ? name : name + "[" + std::to_string(k) + "]");
        }
        ++k;
      }
    }
  }

  std::string name_of(NetId net) const {
    const auto found = names_.find(net);
    return found == names_.end() ? Assembler::kUnnamed : found->second;
  }

  using Pins = std::map<std::string, std::vector<NetId>>;

  void body(const Json& module, Scope& scope, int depth) {
    if (depth > kMaxHierarchy)
      fail(210, path_, 0, "modules nest deeper than " + std::to_string(kMaxHierarchy) + " levels");
    for (const auto& [name, value] : object(module, "cells").items()) {
      const Json& type = field(value, "type", name);
      if (!type.is_string()) malformed("the type of cell " + in_quotes(name) + " is no text");
      Pins pins;
      for (const auto& [pin, connection] : object(value, "connections").items())
        pins.emplace(pin, bits(scope, connection, name + "." + pin));
      cell(name, type.get<std::string>(), value, pins, depth);
    }
  }

  const std::vector<NetId>& pin(const Pins& pins, const std::string& cell,
                                const std::string& name) const {
    const auto found = pins.find(name);
    if (found == pins.end())
      fail(205, path_, 0, "cell " + in_quotes(cell) + " has no connection " + in_quotes(name));
    return found->second;
  }

  NetId single(const Pins& pins, const std::string& cell, const std::string& name) const {
    const auto& nets = pin(pins, cell, name);
    if (nets.size() != 1)
      fail(205, path_, 0,
           "pin " + in_quotes(name) + " of cell " + in_quotes(cell) + " has " +
               std::to_string(nets.size()) + " bits");
    return nets[0];
  }

  void cell(const std::string& name, const std::string& type, const Json& value, const Pins& pins,
            int depth) {
    for (const SimpleCell& simple : kSimple)
      if (type == simple.type) return simple_cell(simple, name, pins);
    for (const char* meaningless : {"$specify", "$specrule", "$scopeinfo", "$assert", "$print"})
      if (type.starts_with(meaningless)) return;
    if (type[0] == '$') return word_cell(name, type, value, pins);
    if (modules_->contains(type) && !is_blackbox(modules_->at(type)))
      return submodule(name, modules_->at(type), pins, depth);
    const std::string plain = strip(type);
    const LibraryCell* found = options_.library ? options_.library->impl().find(plain) : nullptr;
    if (found == nullptr) found = builtin_cell(plain);
    if (found == nullptr)
      if (const FpgaPrimitive* primitive = fpga_primitive(plain))
        return fpga_cell(name, *primitive, value, pins);
    const bool only_power =
        std::ranges::all_of(pins, [](const auto& pin) { return is_supply_name(pin.first); });
    if (only_power && (found == nullptr || !found->unusable.empty())) return;
    if (found == nullptr)
      fail(203, path_, 0,
           "unknown cell " + in_quotes(plain) + " (instance " + in_quotes(name) +
               "); give its function with --liberty FILE.lib");
    library_cell(name, *found, pins);
  }

  /// A model of a cell that synthesis tools bring along: its specify blocks are cells in it.
  static bool module_is_model(const Json& module) {
    return std::ranges::all_of(module["cells"], [](const Json& cell) {
      return cell.is_object() && cell.contains("type") && cell["type"].is_string() &&
             cell["type"].get_ref<const std::string&>().starts_with("$spec");
    });
  }

  static bool is_blackbox(const Json& module) {
    return module.is_object() && module.contains("attributes") &&
           module["attributes"].is_object() &&
           (module["attributes"].contains("blackbox") ||
            module["attributes"].contains("whitebox")) &&
           (!module.contains("cells") || module["cells"].empty() || module_is_model(module));
  }

  void simple_cell(const SimpleCell& simple, const std::string& name, const Pins& pins) {
    std::vector<NetId> inputs;
    for (const char* p = simple.pins; *p != 0; ++p)
      inputs.push_back(single(pins, name, std::string(1, *p)));
    if (simple.invert_last) inputs.back() = out_.gate(Gate::inv, {inputs.back()}, 0);
    const NetId target = single(pins, name, "Y");
    if (simple.invert_out) {
      const NetId plain = out_.gate(simple.gate, inputs, 0);
      return out_.cell(out_.type_index(Gate::inv), {&plain, 1}, {&target, 1}, 0);
    }
    out_.cell(out_.type_index(simple.gate), inputs, {&target, 1}, 0);
  }

  void library_cell(const std::string& name, const LibraryCell& cell, const Pins& pins) {
    if (!cell.unusable.empty())
      fail(cell.unusable_id, path_, 0, "cell " + in_quotes(name) + " " + cell.unusable);
    std::vector<NetId> inputs, outputs;
    for (const auto& [pin_name, nets] : pins)
      if (std::find(cell.positional.begin(), cell.positional.end(), pin_name) ==
              cell.positional.end() &&
          !is_supply_name(pin_name) &&
          std::ranges::find(cell.supplies, pin_name) == cell.supplies.end())
        fail(205, path_, 0, "cell " + in_quotes(name) + " has no pin " + in_quotes(pin_name));
    for (const std::string& input : cell.inputs)
      inputs.push_back(pins.contains(input) ? single(pins, name, input) : out_.new_nets(1, 0));
    for (const std::string& output : cell.outputs)
      outputs.push_back(pins.contains(output) && !pins.at(output).empty()
                            ? single(pins, name, output)
                            : Assembler::kNoNet);
    out_.cell(out_.type_index(cell.type), inputs, outputs, 0);
  }

  void submodule(const std::string& name, const Json& module, const Pins& pins, int depth) {
    if (++instances_ > options_.max_cells) fail(210, path_, 0, "too many instances");
    Scope inner;
    const Json& ports = object(module, "ports");
    for (const auto& [pin_name, nets] : pins)
      if (!ports.contains(pin_name))
        fail(205, path_, 0, "cell " + in_quotes(name) + " has no port " + in_quotes(pin_name));
    for (const auto& [port, value] : ports.items()) {
      const auto found = pins.find(port);
      if (found == pins.end() || is_supply_port(value, port)) continue;
      const std::vector<NetId> inside = bits(inner, field(value, "bits", port), port);
      const bool output = direction(value, port) == "output";
      for (std::size_t i = 0; i < std::min(inside.size(), found->second.size()); ++i)
        output ? out_.alias(found->second[i], inside[i], 0)
               : out_.alias(inside[i], found->second[i], 0);
    }
    body(module, inner, depth + 1);
  }

  // --- word-level cells that need no arithmetic mapping
  bool parameter(const Json& cell, const char* name) const {
    const Json& parameters = object(cell, "parameters");
    if (!parameters.contains(name)) return false;
    const Json& value = parameters[name];
    if (value.is_number_integer()) return value.get<std::int64_t>() != 0;
    return value.is_string() && value.get_ref<const std::string&>().find('1') != std::string::npos;
  }

  std::vector<NetId> widened(std::vector<NetId> nets, std::size_t width, bool is_signed) {
    nets.resize(width, is_signed && !nets.empty() ? nets.back() : kNetZero);
    return nets;
  }

  // --- registers, whole or by bits
  // A register is a wire; a reset that is logic of the operands stays a multiplexer before it.
  void register_cell(const std::string& name, const std::string& type, const Json& value,
                     const Pins& pins) {
    const RegisterKind kind = register_kind(type, object(value, "parameters"));
    const std::vector<NetId>& q = pin(pins, name, "Q");
    const std::vector<NetId>& d = pin(pins, name, "D");
    if (q.size() != d.size())
      fail(205, path_, 0, "pins D and Q of cell " + in_quotes(name) + " differ in width");
    if (q.empty()) return;
    const std::string shown = name_of(q[0]);
    if (!kind.enable.empty())
      controls_.emplace_back(control_port(false, kind.enable_high, shown),
                             single(pins, name, kind.enable));
    NetId reset = kNetZero;
    if (!kind.reset.empty()) {
      reset = single(pins, name, kind.reset);
      controls_.emplace_back(control_port(true, kind.reset_high, shown), reset);
    }
    for (std::size_t i = 0; i < q.size(); ++i) {
      NetId data = d[i];
      if (!kind.reset.empty()) {
        const std::size_t bits = kind.reset_value.size();
        const NetId to = i < bits && kind.reset_value[bits - 1 - i] == '1' ? kNetOne : kNetZero;
        data = kind.reset_high ? out_.gate(Gate::mux2, {data, to, reset}, 0)
                               : out_.gate(Gate::mux2, {to, data, reset}, 0);
      }
      out_.reg(data, q[i], 0);
    }
  }

  void fpga_cell(const std::string& name, const FpgaPrimitive& primitive, const Json& value,
                 const Pins& pins) {
    std::vector<std::vector<NetId>> nets(primitive.pins.size());
    for (const auto& [pin_name, connection] : pins) {
      const auto found = std::ranges::find(primitive.pins, pin_name, &FpgaPin::name);
      if (found == primitive.pins.end())
        fail(205, path_, 0, "cell " + in_quotes(name) + " has no pin " + in_quotes(pin_name));
      nets[static_cast<std::size_t>(found - primitive.pins.begin())] = connection;
    }
    std::uint64_t init = 0;
    const Json& parameters = object(value, "parameters");
    const std::string key(primitive.init);
    if (!key.empty() && parameters.contains(key)) {
      const Json& bits = parameters[key];
      if (bits.is_number_integer()) {
        init = static_cast<std::uint64_t>(bits.get<std::int64_t>());
      } else if (bits.is_string()) {
        for (const char c : bits.get_ref<const std::string&>())
          if (c == '0' || c == '1') init = init << 1 | (c == '1' ? 1U : 0U);
      }
    }
    fpga_.place(out_, primitive, init, nets, 0);
  }

  void word_cell(const std::string& name, const std::string& type, const Json& value,
                 const Pins& pins) {
    if (is_register(type)) return register_cell(name, type, value, pins);
    if (type == "$lut") return lut_cell(name, value, pins);
    if (has_state(type)) {
      const NetId q = pins.contains("Q") && !pins.at("Q").empty() ? pins.at("Q")[0] : kNetZero;
      const bool is_latch = type.find("LATCH") != std::string::npos || type == "$dlatch";
      fail(211, path_, 0,
           (is_latch && q > kNetOne ? "latch " + in_quotes(name_of(q))
                                    : "cell " + in_quotes(name) + " of type " + in_quotes(type)) +
               " has state; only combinational circuits and feed-forward pipelines have a table");
    }
    const std::vector<NetId>& y = pin(pins, name, "Y");
    const std::vector<NetId>& a = pin(pins, name, "A");
    const std::vector<NetId> none;
    const std::vector<NetId>& b = pins.contains("B") ? pins.at("B") : none;
    const bool is_signed = parameter(value, "A_SIGNED");
    static const std::map<std::string, Gate> bitwise = {
        {"$and", Gate::and2}, {"$or", Gate::or2}, {"$xor", Gate::xor2}, {"$xnor", Gate::xnor2}};
    static const std::map<std::string, std::pair<Gate, bool>> reduce = {
        {"$reduce_and", {Gate::and2, false}}, {"$reduce_or", {Gate::or2, false}},
        {"$reduce_bool", {Gate::or2, false}}, {"$reduce_xor", {Gate::xor2, false}},
        {"$reduce_xnor", {Gate::xor2, true}}, {"$logic_not", {Gate::or2, true}}};
    std::vector<NetId> result;
    if (const auto found = bitwise.find(type); found != bitwise.end()) {
      const auto x = widened(a, y.size(), is_signed),
                 z = widened(b, y.size(), parameter(value, "B_SIGNED"));
      for (std::size_t i = 0; i < y.size(); ++i)
        result.push_back(out_.gate(found->second, {x[i], z[i]}, 0));
    } else if (type == "$not" || type == "$pos") {
      for (const NetId net : widened(a, y.size(), is_signed))
        result.push_back(type == "$pos" ? net : out_.gate(Gate::inv, {net}, 0));
    } else if (type == "$mux") {
      const NetId select = single(pins, name, "S");
      const auto x = widened(a, y.size(), false), z = widened(b, y.size(), false);
      for (std::size_t i = 0; i < y.size(); ++i)
        result.push_back(out_.gate(Gate::mux2, {x[i], z[i], select}, 0));
    } else if (const auto how = reduce.find(type); how != reduce.end()) {
      result = {out_.tree(how->second.first, a, how->second.second, 0)};
    } else if (type == "$logic_and" || type == "$logic_or") {
      const NetId x = out_.tree(Gate::or2, a, false, 0), z = out_.tree(Gate::or2, b, false, 0);
      result = {out_.gate(type == "$logic_and" ? Gate::and2 : Gate::or2, {x, z}, 0)};
    } else {
      fail(203, path_, 0,
           "cell " + in_quotes(name) + " of type " + in_quotes(type) +
               " is not a gate; run \"techmap; simplemap\" in yosys first");
    }
    result = widened(std::move(result), y.size(), false);
    for (std::size_t i = 0; i < y.size(); ++i) out_.alias(y[i], result[i], 0);
  }

  void lut_cell(const std::string& name, const Json& value, const Pins& pins) {
    const std::vector<NetId>& a = pin(pins, name, "A");
    if (a.size() > kMaxCellInputs)
      fail(203, path_, 0,
           "cell " + in_quotes(name) + " is a table of " + std::to_string(a.size()) +
               " inputs; at most 6 are supported");
    std::uint64_t table = 0;
    const Json& parameters = object(value, "parameters");
    if (parameters.contains("LUT") && parameters["LUT"].is_string())
      for (const char c : parameters["LUT"].get_ref<const std::string&>())
        table = table << 1 | (c == '1' ? 1U : 0U);
    out_.alias(single(pins, name, "Y"), fpga_.lut(out_, table, a, 0), 0);
  }

  const Json& root_;
  const Json* modules_ = nullptr;
  const std::string& path_;
  const NetlistOptions& options_;
  Assembler out_;
  std::unordered_map<NetId, std::string> names_;
  std::vector<std::pair<std::string, NetId>> controls_;  // of registers, to be settled
  FpgaCells fpga_;
  std::size_t instances_ = 0;
};

}  // namespace

}  // namespace detail

Netlist read_yosys_json_text(std::string_view text, const std::string& path,
                             const NetlistOptions& options) {
  detail::check_depth(text, path);
  Json root;
  try {
    root = Json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    detail::fail(240, path, detail::line_of(text, error.byte), "malformed JSON");
  } catch (const nlohmann::json::exception&) {
    detail::fail(240, path, 0, "malformed JSON (a number out of range)");
  }
  if (!root.is_object())
    detail::fail(240, path, 0, "no \"modules\"; is this written by yosys's write_json?");
  try {
    return detail::JsonElaborator(root, path, options).run();
  } catch (const nlohmann::json::exception& error) {
    detail::fail(240, path, 0, std::string("unexpected content: ") + error.what());
  }
}

Netlist read_yosys_json(const std::string& path, const NetlistOptions& options) {
  return read_yosys_json_text(detail::read_source(path, options.max_file_bytes), path, options);
}

}  // namespace axmul
