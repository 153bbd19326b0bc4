// Circuit files of any kind as multipliers.
#include "axmul/netlist/circuits.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/cost.hpp"
#include "netlist/c_model.hpp"
#include "netlist/design_kind.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace {

std::string extension(const std::string& path) {
  std::string text = std::filesystem::path(path).extension().string();
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

bool looks_like_yosys(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  char head[4096];
  const std::size_t count = std::fread(head, 1, sizeof head, file);
  std::fclose(file);
  return std::string_view(head, count).find("\"modules\"") != std::string_view::npos;
}

struct TypeChoice {
  OperandType type = OperandType::u8u8;
  std::string from;
};

TypeChoice choose_type(const NetlistOptions& options, std::initializer_list<std::string> names) {
  if (options.type) return {*options.type, "option"};
  for (const std::string& name : names) {
    if (name.starts_with("mul8u") || name.starts_with("mul8x8u"))
      return {OperandType::u8u8, "name"};
    if (name.starts_with("mul8s") || name.starts_with("mul8x8s"))
      return {OperandType::s8s8, "name"};
  }
  return {OperandType::u8u8, "format"};
}

Multiplier finish(std::string name, Lut lut, const std::string& path, const std::string& text) {
  Multiplier multiplier{std::move(name), std::move(lut)};
  const PublishedFigures figures = read_published_figures(text);
  multiplier.published = figures.values;
  multiplier.published_text = figures.text;
  multiplier.cost = published_cost(figures, multiplier.lut.type());
  multiplier.provenance.source_file = path;
  multiplier.provenance.reference = figures.library;
  return multiplier;
}

/// How far the outputs of a circuit are to be shifted to be products.
int output_shift(const Lut& outputs, int bits, const std::string& path) {
  if (bits == 16) return 0;
  if (const auto shift = detail::product_shift(outputs, bits)) return *shift;
  throw NotMultiplierError(detail::kind_of_outputs(bits), Place{path},
                           "has " + std::to_string(bits) +
                               " output bits, and neither they nor they as the upper bits "
                               "of 16 resemble products of 8x8 bits; to have them taken as they "
                               "are, give it 16 output bits");
}

/// C models that return 8 bits are judged as circuits are. Where the type of the result does not
/// say its width, only values that are nearly the product's upper bits are taken as such.
int c_output_shift(const detail::CFunction& function, const Lut& outputs, const std::string& path) {
  if (function.return_type == "uint8_t" || function.return_type == "int8_t")
    return output_shift(outputs, 8, path);
  constexpr double kNearly = 0.01;
  const int bits = detail::value_bits(outputs);
  const bool is_truncated = bits >= 6 && bits < 16 &&
                            detail::unexplained(outputs, 16 - bits) <= kNearly &&
                            detail::unexplained(outputs, 0) > kNearly;
  return is_truncated ? 16 - bits : 0;
}

Multiplier read_c_model(const std::string& path, const NetlistOptions& options) {
  const std::string text = detail::read_source(path, options.max_file_bytes);
  const detail::CFunction function = detail::find_c_model(text, path);
  detail::check_c_model(text, path, function);
  TypeChoice choice =
      choose_type(options, {function.name, std::filesystem::path(path).stem().string()});
  if (choice.from == "format") {
    const bool is_signed =
        function.parameters[0].type == "int8_t" && function.parameters[1].type == "int8_t";
    choice = {is_signed ? OperandType::s8s8 : OperandType::u8u8, "dtype"};
  }
  const OperandOrder order = detail::c_order(function, options);
  const Lut outputs = detail::run_c_model(path, function, choice.type, order, options);
  const int shift = c_output_shift(function, outputs, path);
  Multiplier multiplier = finish(function.name, detail::shifted(outputs, shift), path, text);
  multiplier.provenance.output_shift = shift;
  multiplier.provenance.format = "c";
  multiplier.provenance.order = order;
  multiplier.provenance.type_from = choice.from;
  return multiplier;
}

}  // namespace

bool is_circuit_file(const std::string& path) {
  const std::string type = extension(path);
  return type == ".v" || type == ".vl" || type == ".blif" || type == ".c" ||
         (type == ".json" && looks_like_yosys(path));
}

Multiplier read_design_circuit(const std::string& path, const NetlistOptions& options) {
  const std::string type = extension(path);
  if (type == ".c") return read_c_model(path, options);
  const std::string text = detail::read_source(path, options.max_file_bytes);
  Netlist netlist;
  std::string format;
  if (options.synthesize && (type == ".v" || type == ".vl" || type == ".sv")) {
    netlist = synthesize_verilog(path, options);
    format = "verilog (yosys)";
  } else if (type == ".v" || type == ".vl") {
    netlist = read_verilog_text(text, path, options);
    format = "verilog";
  } else if (type == ".blif") {
    netlist = read_blif_text(text, path, options);
    format = "blif";
  } else if (type == ".json") {
    netlist = read_yosys_json_text(text, path, options);
    format = "yosys-json";
  } else {
    throw UsageError(290, path + ": not a circuit file (.v .blif .json .c)");
  }
  const TypeChoice choice =
      choose_type(options, {netlist.name, std::filesystem::path(path).stem().string()});
  PortMap ports = find_multiplier_ports(netlist, options.ports);
  const OperandOrder order = options.order.value_or(OperandOrder::ab);
  if (order == OperandOrder::ba) std::swap(ports.a, ports.b);
  detail::check_ports(netlist, ports, path);
  const Lut outputs = simulate(netlist, choice.type, ports);
  const int output_bits = static_cast<int>(netlist.find_port(ports.product)->nets.size());
  const int shift = output_shift(outputs, output_bits, path);
  Multiplier multiplier = finish(netlist.name, detail::shifted(outputs, shift), path, text);
  multiplier.provenance.output_shift = shift;
  if (std::isnan(multiplier.cost.power_mw) && options.estimate_cost)
    multiplier.cost = estimated_cost(estimate_cost(netlist, choice.type, ports));
  multiplier.provenance.format = format;
  multiplier.provenance.order = order;
  multiplier.provenance.type_from = choice.from;
  return multiplier;
}

}  // namespace axmul
