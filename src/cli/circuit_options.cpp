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

std::optional<SizedType> type_option(const Session& session) {
  const auto text = session.args.text("type");
  if (!text) return std::nullopt;
  const auto type = parse_sized_type(*text);
  if (!type)
    throw UsageError(353, "--type \"" + *text +
                              "\" is no operand type; write u8u8, s8s8, u8s8, or with other widths "
                              "u8u3, s7s7, u8s4");
  return type;
}

std::optional<OperandWidths> width_option(const Session& session) {
  const auto type = type_option(session);
  const auto text = session.args.text("width");
  std::optional<OperandWidths> widths;
  if (text && !(widths = parse_widths(*text)))
    throw UsageError(353, "--width \"" + *text + "\" is no pair of operand widths; write 8x3");
  if (type && !type->is_8x8()) {
    if (widths && *widths != type->bits)
      throw UsageError(353, "--type " + to_string(*type) + " and --width " + *text + " differ");
    return type->bits;
  }
  return widths;
}

NetlistOptions circuit_options(Session& session) {
  NetlistOptions options;
  options.top = session.args.text_or("top", "");
  if (const auto map = session.args.text("ports")) options.ports = parse_port_map(*map);
  if (const auto type = type_option(session)) options.type = type->kind;
  options.width = width_option(session);
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
