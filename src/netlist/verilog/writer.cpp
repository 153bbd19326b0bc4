// Netlists as structural Verilog that names its cells and defines what they compute.
#include <cctype>

#include "axmul/netlist/netlist.hpp"
#include "netlist/cells.hpp"

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

// Sum of products of a truth table over the pins.
std::string function_text(std::uint64_t table, const std::vector<std::string>& pins,
                          std::size_t inputs) {
  std::string text;
  for (unsigned i = 0; i < 1u << inputs; ++i) {
    if ((table >> i & 1) == 0) continue;
    std::string product;
    for (std::size_t j = 0; j < inputs; ++j)
      product +=
          (product.empty() ? "" : " & ") + std::string((i >> j & 1) != 0 ? "" : "~") + pins[j];
    text += (text.empty() ? "(" : " | (") + (product.empty() ? "1'b1" : product) + ")";
  }
  return text.empty() ? "1'b0" : text;
}

// The cell of the FreePDK45/OSU names that a generic gate is written as: readers know it again, so
// that the circuit costs the same after a round trip.
const detail::LibraryCell* known_cell(const CellType& type) {
  const detail::LibraryCell* cell = detail::builtin_cell(type.name + "X1");
  if (cell == nullptr) cell = detail::builtin_cell(type.name);
  if (cell == nullptr || cell->type.inputs != type.inputs || cell->type.functions != type.functions)
    return nullptr;
  return cell;
}

struct WrittenType {
  std::string module;
  std::vector<std::string> pins;  // inputs, then outputs
};

std::string module_text(const CellType& type, const WrittenType& written) {
  std::string text = "module " + written.module + "(";
  const auto inputs = static_cast<std::size_t>(type.inputs);
  for (std::size_t i = 0; i < written.pins.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::string(i < inputs ? "input " : "output ") + written.pins[i];
  text += ");\n";
  for (std::size_t k = 0; k < type.functions.size(); ++k)
    text += "  assign " + written.pins[inputs + k] + " = " +
            function_text(type.functions[k], written.pins, inputs) + ";\n";
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
                    (port.is_signed ? "signed " : "") +
                    (vector ? "[" + std::to_string(port.nets.size() - 1) + ":0] " : "") +
                    identifier(port.name) + ";\n";
    if (port.is_output) continue;
    for (std::size_t i = 0; i < port.nets.size(); ++i)
      names[port.nets[i]] = identifier(port.name) + (vector ? "[" + std::to_string(i) + "]" : "");
  }
  std::vector<WrittenType> written;
  std::string definitions;
  for (std::size_t t = 0; t < netlist.types.size(); ++t) {
    const CellType& type = netlist.types[t];
    WrittenType one;
    std::string name = type.name;
    if (const detail::LibraryCell* cell = known_cell(type); cell != nullptr) {
      name = detail::builtin_cell(type.name) != nullptr ? type.name : type.name + "X1";
      one.pins = cell->inputs;
      one.pins.insert(one.pins.end(), cell->outputs.begin(), cell->outputs.end());
    } else {
      const std::size_t pins = static_cast<std::size_t>(type.inputs) + type.functions.size();
      for (std::size_t i = 0; i < pins; ++i) one.pins.push_back(pin_name(type, i));
    }
    for (const WrittenType& other : written)
      if (other.module == identifier(name) || name == netlist.name) name += "_" + std::to_string(t);
    one.module = identifier(name);
    definitions += "\n" + module_text(type, one);
    written.push_back(std::move(one));
  }
  std::string wires, body;
  for (std::size_t i = 0; i < netlist.cells.size(); ++i) {
    const Cell& cell = netlist.cells[i];
    body += "  " + written[cell.type].module + " g" + std::to_string(i) + " (";
    std::size_t pin = 0;
    const auto connect = [&](NetId net) {
      body += (pin == 0 ? "." : ", .") + written[cell.type].pins[pin] + "(" + net_text(net, names) +
              ")";
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
