// Options of commands that read circuits.
#include "cli/circuit_options.hpp"

#include <memory>

#include "axmul/core/errors.hpp"

namespace axmul::cli {

std::vector<OptionSpec> circuit_option_specs() {
  return {
      {"top", "NAME", "Top module of circuits.", "named as the file, else the uninstantiated"},
      {"ports", "MAP", "Ports of circuits, e.g. a=X,b=Y,p=O.", "by name: A, B and O, Z, P or Y"},
      {"cells", "FILE", "Verilog file with the cells that circuits instantiate.", "", true},
      {"liberty", "FILE", "Liberty library with those cells.", "", true},
      {"allow-native-code", "",
       "Compile and run C models, kept from files, processes and network; without it .c files are "
       "skipped."},
      {"native-timeout", "SECONDS",
       "Wall clock for one C model's 65536 calls together, and for its compiler.", "10"},
      {"synthesize", "", "Run yosys on Verilog first (behavioural RTL)."}};
}

NetlistOptions circuit_options(Session& session) {
  NetlistOptions options;
  options.top = session.args.text_or("top", "");
  // In commands with tables a number is how many rows they show.
  if (options.top.find_first_not_of("0123456789") == std::string::npos) options.top.clear();
  if (const auto map = session.args.text("ports")) options.ports = parse_port_map(*map);
  if (const auto type = session.args.text("type")) options.type = parse_operand_type(*type);
  if (const auto order = session.args.text("order"))
    options.order = *order == "ab" ? OperandOrder::ab : OperandOrder::ba;
  options.allow_native_code = session.args.has("allow-native-code");
  options.synthesize = session.args.has("synthesize");
  if (const auto seconds = session.args.integer("native-timeout", 1, 86400))
    options.native_timeout_s = static_cast<double>(*seconds);
  if (session.args.has("cells") || session.args.has("liberty")) {
    auto library = std::make_shared<CellLibrary>();
    for (const std::string& path : session.args.values("liberty")) library->add_liberty(path);
    for (const std::string& path : session.args.values("cells")) library->add_verilog(path);
    options.library = library;
  }
  return options;
}

}  // namespace axmul::cli
