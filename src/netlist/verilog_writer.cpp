// Netlists as structural Verilog that names its cells and defines what they compute.
#include <cctype>

#include "axmul/netlist/netlist.hpp"

namespace axmul {

namespace {

std::string net_text(NetId net, const std::vector<std::string>& names) {
  if (net == kNetZero) return "1'b0";
  if (net == kNetOne) return "1'b1";
  return names[net].empty() ? "n" + std::to_string(net) : names[net];
}

std::string pin_name(const CellType& type, std::size_t pin) {
  const auto inputs = static_cast<std::size_t>(type.inputs);
  if (pin < inputs) return std::string(1, "ABCDEF"[pin]);
  if (type.functions.size() == 1) return "Y";
  if (type.functions.size() == 2) return pin == inputs ? "YS" : "YC";
  return "Y" + std::to_string(pin - inputs);
}

// A plain identifier as it is, anything else escaped.
std::string identifier(const std::string& name) {
  bool plain =
      !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_');
  for (const char c : name)
    plain &= std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
  return plain ? name : "\\" + name + " ";
}

// Sum of products of a truth table over the pins A, B, …; gates of the common names read naturally.
std::string function_text(std::uint64_t table, int inputs) {
  std::string text;
  const unsigned patterns = 1u << inputs;
  for (unsigned i = 0; i < patterns; ++i) {
    if ((table >> i & 1) == 0) continue;
    std::string product;
    for (int j = 0; j < inputs; ++j)
      product +=
          std::string(product.empty() ? "" : " & ") + ((i >> j & 1) != 0 ? "" : "~") + "ABCDEF"[j];
    text += (text.empty() ? "(" : " | (") + (product.empty() ? "1'b1" : product) + ")";
  }
  return text.empty() ? "1'b0" : text;
}

std::string module_text(const CellType& type, const std::string& name) {
  std::string text = "module " + name + "(";
  const std::size_t pins = static_cast<std::size_t>(type.inputs) + type.functions.size();
  for (std::size_t i = 0; i < pins; ++i)
    text += std::string(i == 0 ? "" : ", ") +
            (i < static_cast<std::size_t>(type.inputs) ? "input " : "output ") + pin_name(type, i);
  text += ");\n";
  for (std::size_t k = 0; k < type.functions.size(); ++k)
    text += "  assign " + pin_name(type, static_cast<std::size_t>(type.inputs) + k) + " = " +
            function_text(type.functions[k], type.inputs) + ";\n";
  return text + "endmodule\n";
}

}  // namespace

std::string to_verilog(const Netlist& netlist) {
  std::vector<std::string> names(netlist.net_count);
  std::string header, declarations;
  for (const Port& port : netlist.ports) {
    header += (header.empty() ? "" : ", ") + identifier(port.name);
    const bool vector = port.nets.size() != 1;
    declarations += std::string(port.is_output ? "  output " : "  input ") +
                    (vector ? "[" + std::to_string(port.nets.size() - 1) + ":0] " : "") +
                    identifier(port.name) + ";\n";
    if (port.is_output) continue;
    for (std::size_t i = 0; i < port.nets.size(); ++i)
      names[port.nets[i]] = identifier(port.name) + (vector ? "[" + std::to_string(i) + "]" : "");
  }
  std::vector<std::string> modules;
  std::string definitions;
  for (std::size_t t = 0; t < netlist.types.size(); ++t) {
    std::string name = netlist.types[t].name;
    for (const std::string& other : modules)
      if (other == identifier(name) || name == netlist.name) name += "_" + std::to_string(t);
    modules.push_back(identifier(name));
    definitions += "\n" + module_text(netlist.types[t], modules.back());
  }
  std::string wires, body;
  for (std::size_t i = 0; i < netlist.cells.size(); ++i) {
    const Cell& cell = netlist.cells[i];
    const CellType& type = netlist.types[cell.type];
    body += "  " + modules[cell.type] + " g" + std::to_string(i) + " (";
    std::size_t pin = 0;
    const auto connect = [&](NetId net) {
      body += (pin == 0 ? "." : ", .") + pin_name(type, pin) + "(" + net_text(net, names) + ")";
      ++pin;
    };
    for (const NetId net : netlist.inputs(cell)) connect(net);
    for (const NetId net : netlist.outputs(cell)) {
      wires += "  wire " + net_text(net, names) + ";\n";
      connect(net);
    }
    body += ");\n";
  }
  for (const Port& port : netlist.ports) {
    if (!port.is_output) continue;
    for (std::size_t i = 0; i < port.nets.size(); ++i)
      body += "  assign " + identifier(port.name) +
              (port.nets.size() != 1 ? "[" + std::to_string(i) + "]" : "") + " = " +
              net_text(port.nets[i], names) + ";\n";
  }
  return "module " + identifier(netlist.name) + " (" + header + ");\n" + declarations + wires +
         body + "endmodule\n" + definitions;
}

}  // namespace axmul
