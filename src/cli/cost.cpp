// axmul cost: what a circuit costs, estimated from its gates under operand distributions.
#include "axmul/netlist/cost.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/circuit_options.hpp"
#include "cli/cost_layers.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

struct Costed {
  std::string name;
  SizedType type;
  CostReport report;
};

/// As the readers choose it: --type, else the prefix mul8s of module or file, else unsigned.
SizedType circuit_type(const std::string& path, const Netlist& netlist,
                       const NetlistOptions& options) {
  const OperandWidths bits = operand_widths(netlist, options.ports);
  if (options.type) return {*options.type, bits};
  const std::string stem = std::filesystem::path(path).stem().string();
  if (netlist.name.starts_with("mul8s") || stem.starts_with("mul8s"))
    return {OperandType::s8s8, bits};
  const std::string signed_name = "mul" + std::to_string(bits.a) + "s";  // mul7s_…, mul12s_…
  const bool is_signed = netlist.name.starts_with(signed_name) || stem.starts_with(signed_name);
  return {is_signed ? OperandType::s8s8 : OperandType::u8u8, bits};
}

Costed cost_of(const std::string& text, const NetlistOptions& circuits, const Session& session) {
  const bool generated = looks_like_design(text) && !is_circuit_file(text);
  SizedType type;
  Netlist netlist;
  std::string name = text;
  if (generated) {
    const DesignInstance design = parse_design(text);
    type = design.sized_type();
    name = design.text();
    netlist = generate_netlist(text);
  } else {
    netlist = read_netlist(text, circuits);
    type = circuit_type(text, netlist, circuits);
    name = netlist.name;
  }
  CostOptions options;
  if (const auto a = session.args.text("a"))
    options.a = parse_distribution(*a, a_is_signed(type), trace_context(), type.bits.a);
  if (const auto b = session.args.text("b"))
    options.b = parse_distribution(*b, b_is_signed(type), trace_context(), type.bits.b);
  return {name, type,
          estimate_cost(netlist, type, generated ? PortMap{} : circuits.ports, options)};
}

Costed cost_of_sources(const std::vector<std::string>& texts, const NetlistOptions& circuits,
                       const Session& session) {
  const DesignSources sources = design_sources(texts);
  return cost_of(sources.files.front(), as_one_design(circuits, sources), session);
}

std::string as_json(const std::vector<Costed>& all, const Session& session) {
  Json json{{"schema", "axmul.cost/1"},
            {"a", session.args.text_or("a", "uniform")},
            {"b", session.args.text_or("b", "uniform")},
            {"designs", Json::array()}};
  for (const Costed& c : all)
    json["designs"].push_back(
        Json{{"name", c.name},
             {"type", to_string(c.type)},
             {"power_rel", number(c.report.power_rel)},
             {"switching_energy", number(c.report.switching_energy)},
             {"glitch_energy", number(c.report.glitch_energy)},
             {"exact_energy", number(c.report.exact_energy)},
             {"unit_gate_area", number(c.report.unit_gate_area)},
             {"depth", c.report.depth},
             {"cells", c.report.cells},
             {"unused_cells", c.report.unused_cells},
             {"gates", c.report.gates},
             {"technology", c.report.technology},
             {"area", number(c.report.area)},
             {"leakage", number(c.report.leakage)},
             {"switched_capacitance_ff", number(c.report.switched_capacitance_ff)}});
  return json.dump(2) + "\n";
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const std::vector<Costed>& all) {
  TextTable table(
      {"design", "type", "power_rel", "energy", "unit gates", "depth", "cells", "area", "leakage"},
      "llrrrrrrr");
  table.keys({"design", "type", "power_rel", "switching_energy", "unit_gate_area", "depth", "cells",
              "area", "leakage"});
  for (const Costed& c : all)
    table.add({c.name, std::string(to_string(c.type)), Cell::of(c.report.power_rel),
               Cell::of(c.report.switching_energy), Cell::of(c.report.unit_gate_area),
               Cell::of(c.report.depth), Cell::of(static_cast<double>(c.report.cells)),
               Cell::of(c.report.area), Cell::of(c.report.leakage)});
  std::string out = table_text(session, target, std::move(table));
  if (all.size() != 1 || target.format == "csv") return out;
  out += "gates:";
  for (const auto& [type, count] : all.front().report.gates)
    out += fmt::format(" {} {}", count, type);
  return out + "\n";
}

int run(Session& session) {
  const bool has_designs = !session.args.positional(0).empty();
  if (session.args.has("run") == has_designs)
    throw UsageError(1016, "name the designs to price, or with --run records of runs");
  if (session.args.has("run")) return run_cost_record(session);
  if (session.args.has("judge")) return run_cost_judge(session);
  if (session.args.has("traces")) return run_cost_layers(session);
  const OutputTarget target = output_target(session);
  const NetlistOptions circuits = circuit_options(session);
  std::vector<Costed> all;
  const std::vector<std::string> one = one_design(session, session.args.positional(0));
  if (!one.empty()) all.push_back(cost_of_sources(one, circuits, session));
  for (const std::string& text :
       one.empty() ? session.args.positional(0) : std::vector<std::string>{}) {
    poll_interrupt();
    all.push_back(is_file_list(text) ? cost_of_sources({text}, circuits, session)
                                     : cost_of(text, circuits, session));
  }
  write_output(session, target,
               target.format == "json" ? as_json(all, session) : as_table(session, target, all));
  return 0;
}

}  // namespace

CommandSpec cost_command() {
  CommandSpec spec;
  spec.name = "cost";
  spec.purpose = "Estimate what circuits cost: gates, area, depth, switching energy.";
  spec.examples = {{"axmul cost mul8u_2AC.v", "under uniform operands"},
                   {"axmul cost mul8u_2AC.v --a 'halfnormal(std=40)' --liberty osu018_stdcells.lib",
                    "under a network's activations, with the cells of a library"},
                   {"axmul cost 'broken_array(h=2,v=5)' exact --format json", "generated designs"},
                   {"axmul cost evoapproxlib/ --traces resnet20.h5 --scope mac -o prices.csv",
                    "each circuit in each layer: published, traced and held energies"},
                   {"axmul cost --run run.json --traces resnet20.h5 --circuits evoapproxlib/",
                    "a recorded run priced anew"}};
  spec.positionals = {
      {"DESIGN",
       "a circuit file, or a generator text with a gate-level definition; with --traces also "
       "folders and libraries",
       0, kMany}};
  spec.options = {{"a", "DIST", "Distribution of operand a.", "uniform"},
                  {"b", "DIST", "Distribution of operand b.", "uniform"},
                  {"type", "TYPE",
                   "Operand type of circuits: u8u8, s8s8, u8s8, or of other widths, such as u8u3.",
                   "by name, else unsigned"}};
  for (OptionSpec& option : layer_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : price_option_specs()) spec.options.push_back(std::move(option));
  spec.options.push_back({"run", "RECORD",
                          "With --traces and --circuits: the points of records of axmul train run "
                          "(run.json) priced anew.",
                          "", true});
  for (OptionSpec& option : judge_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : circuit_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "The switching energy counts how often each net changes between two operand pairs drawn\n"
      "independently of each other, times the capacitance it drives. These toggle rates are exact\n"
      "for gates without delay; glitches are added by an estimate (transition densities, "
      "attenuated\n"
      "at every gate; glitch_energy in JSON). power_rel is relative to the exact array multiplier\n"
      "of the same operand type under the same operands, so it compares designs of one type;\n"
      "switching_energy compares across types. With --liberty also area and leakage in the\n"
      "library's units.\n\n"
      "With --traces each circuit (operands of at most 8 bits; narrower ones get the operands'\n"
      "upper bits, rounded) is priced in each layer in three ways, relative to the exact\n"
      "multiplier under the same operands: published; traced, successive pairs of the layer's\n"
      "operands independent; held, one operand standing still and the other in the trace's order.\n"
      "Which to quote: src/tables/ENERGY.md.";
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
