// axmul cost --judge: the estimate beside an independent judge's energies.
#include <fmt/format.h>

#include <mutex>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "axmul/netlist/cost.hpp"
#include "axmul/netlist/judge.hpp"
#include "cli/cost_layers.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "cli/priced_designs.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

/// Operands to judge under: uniform, or of a layer.
struct Operands {
  std::string layer, way;  // way: "uniform", "traced" or "held"
  const LayerOperands* of = nullptr;
  Held held = Held::none;
};

struct Judged {
  std::string design, layer, way;
  SwitchingEnergy estimate;
  JudgedEnergy judge;
  double area = 0, delay_ns = 0;
  std::size_t cells = 0;
};

std::vector<Judged> judge_one(const PricedCircuit& circuit, const std::vector<Operands>& all,
                              const JudgeOptions& options) {
  const Judge judge(*circuit.netlist, circuit.ports, options);
  const int a_bits = circuit.model->a_bits(), b_bits = circuit.model->b_bits();
  std::vector<Judged> rows;
  for (const Operands& operands : all) {
    const OperandPairs pairs = operands.of == nullptr
                                   ? uniform_pairs(a_bits, b_bits)
                                   : circuit_pairs(*operands.of, circuit, {operands.held});
    rows.push_back({circuit.name, operands.layer, operands.way,
                    circuit.model->energy(PairPlanes(pairs, a_bits, b_bits)), judge.energy(pairs),
                    judge.area(), judge.delay_ns(), judge.cells()});
  }
  return rows;
}

std::string as_json(const std::vector<Judged>& rows, const std::string& liberty) {
  Json json{{"schema", "axmul.judged_costs/1"}, {"liberty", liberty}, {"rows", Json::array()}};
  for (const Judged& row : rows)
    json["rows"].push_back(Json{{"design", row.design},
                                {"layer", row.layer},
                                {"operands", row.way},
                                {"estimate", number(row.estimate.all)},
                                {"estimate_glitches", number(row.estimate.glitches)},
                                {"judge_fj", number(row.judge.all())},
                                {"judge_internal_fj", number(row.judge.internal_fj)},
                                {"judge_switching_fj", number(row.judge.switching_fj)},
                                {"judge_toggles", number(row.judge.toggles)},
                                {"judge_settled_toggles", number(row.judge.settled_toggles)},
                                {"area", number(row.area)},
                                {"delay_ns", number(row.delay_ns)},
                                {"cells", row.cells}});
  return json.dump(1) + "\n";
}

std::string as_csv(const std::vector<Judged>& rows) {
  std::string text =
      "design,layer,operands,estimate,estimate_glitches,judge_fj,judge_internal_fj,"
      "judge_switching_fj,judge_toggles,judge_settled_toggles,area,delay_ns,cells\n";
  for (const Judged& row : rows) {
    append_field(text, row.design);
    append_field(text += ',', row.layer);
    append_field(text += ',', row.way);
    for (const double value :
         {row.estimate.all, row.estimate.glitches, row.judge.all(), row.judge.internal_fj,
          row.judge.switching_fj, row.judge.toggles, row.judge.settled_toggles, row.area,
          row.delay_ns, static_cast<double>(row.cells)})
      append_number(text += ',', value);
    text += '\n';
  }
  return text;
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const std::vector<Judged>& rows, const std::string& liberty) {
  TextTable table({"design", "layer", "operands", "estimate", "glitches", "judge, fJ", "glitches",
                   "area", "delay, ns", "cells"},
                  "lllrrrrrrr");
  table.keys({"design", "layer", "operands", "estimate", "estimate_glitches", "judge_fj",
              "judge_glitches", "area", "delay_ns", "cells"});
  const auto share = [](double fraction) { return Cell::of(fraction, percent(fraction)); };
  for (const Judged& row : rows)
    table.add({row.design, row.layer, row.way, Cell::of(row.estimate.all),
               share(row.estimate.all > 0 ? row.estimate.glitches / row.estimate.all : 0),
               Cell::of(row.judge.all()),
               share(row.judge.toggles > 0 ? 1 - row.judge.settled_toggles / row.judge.toggles : 0),
               Cell::of(row.area), Cell::of(row.delay_ns),
               Cell::of(static_cast<double>(row.cells))});
  return table_text(session, target, std::move(table)) +
         "judge: yosys, abc, OpenSTA and Icarus Verilog on " + liberty +
         "; its glitches are a share of transitions, the estimate's of energy\n";
}

}  // namespace

std::vector<OptionSpec> judge_option_specs() {
  return {{"judge",
           "TOOLS",
           "Beside the estimate the energy of an independent judge: yosys and abc "
           "map the circuit, Icarus Verilog simulates it with OpenSTA's delays, "
           "OpenSTA tells its power. Seconds a circuit and layer.",
           "",
           false,
           {"yosys"}},
          {"judge-liberty", "FILE", "The judge's Liberty library, with delays and power.",
           "osu018 of Debian's qflow-tech-osu018"},
          {"judge-changes", "N", "Changes of the operands that the judge simulates.", "2000"}};
}

int run_cost_judge(Session& session) {
  const OutputTarget target = output_target(session);
  check_table_options(session, target);
  std::vector<LayerOperands> layers;
  std::vector<Operands> all;
  if (session.args.has("traces")) {
    layers = session_layers(session);
    const Held held = price_options(session).held;
    for (const LayerOperands& layer : layers) {
      all.push_back({layer.name, "traced", &layer, Held::none});
      all.push_back({layer.name, "held", &layer, held});
    }
  }
  all.insert(all.begin(), {"", "uniform", nullptr, Held::none});
  JudgeOptions options;
  options.liberty = session.args.text_or("judge-liberty", default_liberty());
  if (const auto changes = session.args.integer("judge-changes", 10, 500'000))
    options.changes = static_cast<std::size_t>(*changes);
  const auto circuits = circuits_to_price(session);
  std::vector<std::vector<Judged>> judged(circuits.size());
  ProgressBar bar(session, "judging");
  const Progress progress = bar.callback();
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(circuits.size(), 0, [&](std::size_t j) {
    judged[j] = judge_one(*circuits[j], all, options);
    const std::lock_guard lock(mutex);
    if (progress) progress(++done, circuits.size());
  });
  std::vector<Judged> rows;
  for (auto& of : judged) rows.insert(rows.end(), of.begin(), of.end());
  write_output(session, target,
               target.format == "json"  ? as_json(rows, options.liberty)
               : target.format == "csv" ? as_csv(rows)
                                        : as_table(session, target, rows, options.liberty));
  return 0;
}

}  // namespace axmul::cli
