// Which reader a circuit file goes to.
#include "netlist/read_circuit.hpp"

#include <filesystem>

#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"
#include "netlist/tools.hpp"

namespace axmul {

namespace detail {

namespace {

std::string lower_extension(const std::string& path) {
  std::string type = std::filesystem::path(path).extension().string();
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return type;
}

Netlist read_as(const std::string& format, const std::string& path, const std::string& text,
                const NetlistOptions& options) {
  if (format == "vhdl" || (format == "verilog" && has_vhdl(options)))
    return synthesize_vhdl(path, options);
  if (format == "verilog")
    return options.synthesize ? synthesize_verilog(path, options)
                              : read_verilog_text(text, path, options);
  if (format == "blif") return read_blif_text(text, path, options);
  if (format == "yosys-json") return read_yosys_json_text(text, path, options);
  if (format == "aiger") return read_aiger_text(text, path, options);
  return read_cgp_text(text, path, options);
}

}  // namespace

std::string circuit_format(const std::string& path) {
  const std::string type = lower_extension(path);
  if (type == ".v" || type == ".vl" || type == ".sv") return "verilog";
  if (type == ".vhd" || type == ".vhdl") return "vhdl";
  if (type == ".blif") return "blif";
  if (type == ".json") return "yosys-json";
  if (type == ".aag" || type == ".aig") return "aiger";
  if (type == ".cgp" || type == ".chr") return "cgp";
  throw UsageError(290,
                   path + ": not a netlist file (.v .sv .vhd .blif .json .aag .aig .cgp .chr)");
}

Netlist read_circuit(const std::string& path, const std::string& text,
                     const NetlistOptions& options) {
  Netlist netlist = read_as(circuit_format(path), path, text, options);
  tie_inputs(netlist, options.ports.ties);
  return netlist;
}

}  // namespace detail

Netlist read_netlist(const std::string& path, const NetlistOptions& options) {
  detail::circuit_format(path);
  if (detail::is_simulated(path, options))
    throw UsageError(290, "--simulate gives a table and no gates; --synthesize gives both");
  return detail::read_circuit(path, detail::read_source(path, options.max_file_bytes), options);
}

}  // namespace axmul
