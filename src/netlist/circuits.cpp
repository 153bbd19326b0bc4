// Circuit files of any kind as multipliers.
#include "axmul/netlist/circuits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/core/resemblance.hpp"
#include "axmul/netlist/cost.hpp"
#include "core/reading.hpp"
#include "netlist/c_model.hpp"
#include "netlist/design_kind.hpp"
#include "netlist/fpga.hpp"
#include "netlist/read_circuit.hpp"
#include "netlist/source.hpp"
#include "netlist/tools.hpp"

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

constexpr std::string_view kOptions = "--type, --order and --ports",
                           kModelOptions = "--type and --order";

/// Table and provenance from the decision, figures from the header comments.
Multiplier finish(std::string name, const detail::Decision& decision, std::string_view options,
                  const std::string& path, const std::string& text) {
  if (decision.instead && decision.type_from == "name")
    throw InputError(252, Place{path},
                     "the name of " + detail::in_quotes(name) + " or of the file says " +
                         std::string(to_string(decision.reading.type)) +
                         ", but the products are those of a multiplier " +
                         std::string(to_string(decision.instead->type)) +
                         "; give --type to say which");
  Multiplier multiplier{std::move(name), detail::lut_of(decision)};
  const PublishedFigures figures = read_published_figures(text);
  multiplier.published = figures.values;
  multiplier.published_text = figures.text;
  multiplier.cost = published_cost(figures, multiplier.lut.sized_type());
  detail::record(decision, options, multiplier.provenance);
  multiplier.provenance.index = OperandIndex::value;  // circuits have none
  multiplier.provenance.index_from.clear();
  multiplier.provenance.source_file = path;
  multiplier.provenance.reference = figures.library;
  return multiplier;
}

/// How far the outputs of a circuit are to be shifted to be products.
int output_shift(const Lut& outputs, int bits, const std::string& path) {
  const OperandWidths operands = outputs.sized_type().bits;
  const int product_bits = operands.a + operands.b;
  if (bits == product_bits) return 0;
  if (const auto shift = detail::product_shift(outputs, bits)) return *shift;
  throw NotMultiplierError(detail::kind_of_outputs(bits), Place{path},
                           "has " + std::to_string(bits) +
                               " output bits, and neither they nor they as the upper bits "
                               "of " +
                               std::to_string(product_bits) + " resemble products of " +
                               std::to_string(operands.a) + "x" + std::to_string(operands.b) +
                               " bits; to have them taken as they are, give it " +
                               std::to_string(product_bits) + " output bits");
}

/// C models that return 8 bits are judged as circuits are. Where the type of the result does not
/// say its width, only values that are nearly the product's upper bits are taken as such.
int c_output_shift(const detail::CFunction& function, const Lut& outputs, const std::string& path) {
  if (function.return_type == "uint8_t" || function.return_type == "int8_t")
    return output_shift(outputs, 8, path);
  if (!outputs.is_8x8()) return 0;
  constexpr double kNearly = 0.01;
  const int bits = detail::value_bits(outputs);
  if (bits < 6 || bits >= 16) return 0;
  const auto error = [&](int shift) {
    return resemblance(detail::shifted(outputs, shift)).squared_error;
  };
  const bool is_truncated = error(16 - bits) <= kNearly && error(0) > kNearly;
  return is_truncated ? 16 - bits : 0;
}

/// Makes products of outputs that are their upper bits; whether they resemble any is asked anew.
void shift_outputs(Multiplier& multiplier, int shift) {
  if (shift == 0) return;
  multiplier.lut = detail::shifted(multiplier.lut, shift);
  multiplier.provenance.output_shift = shift;
  const Resemblance now = resemblance(multiplier.lut);
  multiplier.provenance.resemblance = now.score();
  if (now.is_product()) multiplier.provenance.warning.clear();
}

Multiplier read_c_model(const std::string& path, const NetlistOptions& options) {
  const std::string text = detail::read_source(path, options.max_file_bytes);
  const detail::CFunction function = detail::find_c_model(text, path, options);
  const OperandWidths bits =
      options.width ? *options.width : detail::check_c_model(text, path, function);
  Multiplier multiplier =
      finish(function.name, detail::decide_c_model(path, function, options, bits), kModelOptions,
             path, text);
  shift_outputs(multiplier, c_output_shift(function, multiplier.lut, path));
  multiplier.provenance.format = extension(path) == ".c" ? "c" : "c++";
  if (!options.call.empty()) multiplier.provenance.decoding = options.call;
  return multiplier;
}

/// What ports declare: signed ones are two's complement; others may be all the same.
detail::Known declared(const Netlist& netlist, const PortMap& ports, const std::string& path,
                       const NetlistOptions& options) {
  detail::Known known{.names = {netlist.name, std::filesystem::path(path).stem().string()},
                      .type = options.type,
                      .type_from = options.type ? "option" : "",
                      .order = options.order,
                      .order_from = options.order ? "option" : ""};
  const bool a = netlist.find_port(ports.a)->is_signed, b = netlist.find_port(ports.b)->is_signed;
  if (known.type || (!a && !b)) return known;
  const OperandOrder order = a && !b ? OperandOrder::ba : OperandOrder::ab;
  if (a != b && known.order.value_or(order) != order) return known;  // there is no type s8u8
  known.type = a && b ? OperandType::s8s8 : OperandType::u8s8;
  known.type_from = "ports";
  if (a != b && !known.order) {
    known.order = order;
    known.order_from = "ports";
  }
  return known;
}

/// What was assumed beyond type, order and index: registers as wires, tied inputs.
void say_reading(Provenance& provenance, const Netlist& netlist, const NetlistOptions& options) {
  const auto add = [&](const std::string& text) {
    provenance.decoding += (provenance.decoding.empty() ? "" : ", ") + text;
  };
  if (netlist.stages > 0)
    add(std::to_string(netlist.stages) + " register stage" + (netlist.stages > 1 ? "s" : "") +
        " taken as wires");
  for (const auto& [name, value] : options.ports.ties) add(name + " = " + std::to_string(value));
  for (const auto& [name, value] : options.parameters) add(name + " = " + value);
}

/// An FPGA netlist costs look-up tables and carry bits: figures, and said.
void count_luts(const CostReport& report, Multiplier& multiplier) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, count] : report.gates)
    if (detail::is_fpga_cell(name))
      counts[name.starts_with("LUT") ? "LUTs" : name == "CARRY" ? "carry bits" : "MUXF"] += count;
  std::string text;
  for (const auto& [name, count] : counts) {
    multiplier.published[name] = static_cast<double>(count);
    multiplier.published_text[name] = std::to_string(count);
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  std::string& decoding = multiplier.provenance.decoding;
  decoding += (decoding.empty() ? "FPGA: " : ", FPGA: ") + text;
}

/// Output patterns for every pair of input bytes, port a slow.
detail::Words patterns(const Netlist& netlist, const PortMap& ports) {
  const std::size_t width = netlist.find_port(ports.product)->nets.size();
  const OperandWidths bits = operand_widths(netlist, ports);
  if (bits != OperandWidths{}) {
    detail::Words words{.wrap_bits = static_cast<unsigned>(width),
                        .only_index = OperandIndex::bits};
    words.bits = bits;
    words.words = simulate_narrow(netlist, {OperandType::u8u8, bits}, ports).used_products();
    return words;
  }
  detail::Words words{.only_index = OperandIndex::bits};
  if (width <= 24) {
    const Lut lut = simulate(netlist, OperandType::u8u8, ports);
    words.words.assign(lut.products().begin(), lut.products().end());
    words.wrap_bits = static_cast<unsigned>(width);
    return words;
  }
  // Wider ports may hold negative products, which are no 24-bit patterns.
  const Lut lut = simulate(netlist, OperandType::s8s8, ports);
  for (std::size_t i = 0; i < kLutSize; ++i) words.words.push_back(lut.products()[i ^ 0x8080U]);
  return words;
}

}  // namespace

bool is_circuit_file(const std::string& path) {
  static constexpr std::string_view kTypes[] = {".v",    ".vl",  ".sv",  ".vhd", ".vhdl",
                                                ".blif", ".aag", ".aig", ".cgp", ".chr",
                                                ".c",    ".cc",  ".cpp", ".cxx"};
  const std::string type = extension(path);
  return std::ranges::find(kTypes, type) != std::end(kTypes) ||
         (type == ".json" && looks_like_yosys(path));
}

bool is_c_model_file(const std::string& path) {
  const std::string type = extension(path);
  return type == ".c" || type == ".cc" || type == ".cpp" || type == ".cxx";
}

bool has_c_model(const std::string& path) {
  const auto functions = detail::find_c_functions(detail::read_source(path, std::size_t{64} << 20));
  return std::ranges::any_of(functions, [](const auto& f) { return f.parameters.size() >= 2; });
}

Multiplier read_design_circuit(const std::string& path, const NetlistOptions& options) {
  if (is_c_model_file(path)) return read_c_model(path, options);
  const std::string text = detail::read_source(path, options.max_file_bytes);
  const std::string tools = tools_of(path, options);
  const std::string format =
      detail::circuit_format(path) + (tools.empty() ? "" : " (" + tools + ")");
  const bool simulated = detail::is_simulated(path, options);
  const Netlist netlist = simulated ? detail::outline_for_simulation(path, options)
                                    : detail::read_circuit(path, text, options);
  PortMap ports = find_multiplier_ports(netlist, options.ports);
  detail::check_ports(netlist, ports, path);
  if (simulated && operand_widths(netlist, ports) != OperandWidths{})
    throw InputError(
        251, Place{path},
        "--simulate takes the table of operands of 8x8 bits, these are of other widths");
  const detail::Known known = declared(netlist, ports, path, options);
  const detail::Decision decision =
      simulated
          ? detail::decide(known,
                           {[&] { return detail::simulated_words(path, netlist, ports, options); }})
      : operand_widths(netlist, ports) == OperandWidths{}
          ? detail::decide(known, {[&] { return patterns(netlist, ports); }})
          : detail::decide_narrow(known, patterns(netlist, ports));
  Multiplier multiplier = finish(netlist.name, decision, kOptions, path, text);
  const int output_bits = static_cast<int>(netlist.find_port(ports.product)->nets.size());
  shift_outputs(multiplier, output_shift(multiplier.lut, output_bits, path));
  multiplier.provenance.format = format;
  say_reading(multiplier.provenance, netlist, options);
  if (simulated) return multiplier;
  if (multiplier.provenance.order == OperandOrder::ba) std::swap(ports.a, ports.b);
  if (std::isnan(multiplier.cost.power_mw) && options.estimate_cost) {
    const CostReport report = estimate_cost(netlist, multiplier.lut.sized_type(), ports);
    multiplier.cost = estimated_cost(report);
    if (report.technology == "FPGA") count_luts(report, multiplier);
  }
  return multiplier;
}

}  // namespace axmul
