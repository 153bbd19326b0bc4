// axmul match: the cheapest multipliers that the layers tolerate.
#include <fmt/format.h>

#include <cmath>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/model/matching.hpp"
#include "axmul/tables/assignment_file.hpp"
#include "axmul/tables/sigma_file.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

std::string as_table(const Session& session, const OutputTarget& target,
                     const MatchReport& report) {
  TextTable table({"layer", "multiplier", "σ/output σ", "tolerated", "power_rel", "share of ops"},
                  "llrrrr");
  table.keys({"layer", "multiplier", "sigma_compared", "threshold", "power_rel", "ops_share"});
  const double ops_not_covered = report.coverage.ops_not_covered;
  const double ops = report.coverage.ops_covered + ops_not_covered;
  for (const LayerMatch& m : report.layers)
    table.add({m.layer, m.none_fits ? "exact (none fits)" : m.multiplier,
               Cell::of(m.sigma_compared), Cell::of(m.threshold), Cell::of(m.power_rel),
               Cell::of(m.ops / ops, percent(m.ops / ops))});
  if (ops_not_covered > 0)
    table.add({"(in no layer)", "exact", Cell::of(std::nan("")), Cell::of(std::nan("")),
               Cell::of(1), Cell::of(ops_not_covered / ops, percent(ops_not_covered / ops))});
  std::string text = table_text(session, target, std::move(table));
  if (target.format == "csv") return text;
  text += "multiplications: " + energy_sentence(report.relative_energy, report.coverage) + "\n";
  if (!std::isnan(report.loss_rise))
    text += fmt::format("predicted rise of the loss {:.4f}, tolerated {:.4f}\n", report.loss_rise,
                        report.loss_budget);
  return text;
}

// Of the multipliers that layers got, those that err rarely there.
void warn_of_chosen(Session& session, const MatchReport& report,
                    std::span<const Multiplier> library, const PredictionMatrix& predictions) {
  std::vector<RareEvents> events;
  for (std::size_t l = 0; l < report.layers.size(); ++l)
    if (const std::size_t j = report.layers[l].index; j != kExact)
      add_rare_events(report.layers[l].layer, predictions.evidence[l].receptive_fields,
                      library[j].name, predictions(l, j), events);
  warn_of_rare_events(session, std::move(events));
}

int run(Session& session) {
  const OutputTarget target = output_target(session);
  const auto sigma_file = session.args.text("sigma");
  if (!sigma_file) throw UsageError(1092, "--sigma is missing: the learned noise levels");
  const std::vector<LayerSigma> sigmas = read_sigmas(*sigma_file);
  const std::vector<LayerOperands> layers = session_layers(session);
  const auto models = session_models(session, layers, "best");
  if (models.size() != 1) throw UsageError(1093, "match takes one --model");
  const DesignList list = session_library(session);
  std::size_t left_out = 0;
  const std::vector<Multiplier> library = usable(layers, load(list.designs), left_out);
  say_left_out(session, left_out, library.empty());
  std::vector<Lut> luts;
  luts.reserve(library.size());
  for (const Multiplier& m : library) luts.push_back(m.lut);
  PredictOptions options = predict_options(session);
  options.model = models.front();
  options.intervals = false;
  MatchOptions match_options;
  const EnergyBasis energy = session_energy(session);
  const PriceOptions prices = price_options(session);
  if (energy != EnergyBasis::published || prices.scope != EnergyScope::multiplier)
    match_options.energies =
        layer_energies(layers, session_circuits(session, library, {}), energy, prices);
  match_options.bias_folding = !session.args.has("no-fold");
  match_options.rule =
      parse_match_rule(session.args.text_or("rule", "tolerance")).value_or(MatchRule::tolerance);
  match_options.sigma_limit =
      session.args.number("sigma-limit", 0, 1e9).value_or(match_options.sigma_limit);
  const TraceFile traces(session.args.text_or("traces", ""));
  const std::string network = session.args.text_or("network", "");
  match_options.ops_not_covered = traces.ops_not_covered(network);
  match_options.calls_not_counted = traces.calls_not_counted(network);
  match_options.pessimistic = session.args.has("pessimistic");
  if (match_options.pessimistic && options.model != ErrorModel::sampled)
    throw UsageError(
        1094,
        "--pessimistic compares the larger σ of the models sampled and permutation: it "
        "needs receptive fields in the traces and --model sampled, not " +
            std::string(to_string(options.model)));
  PredictionMatrix predictions = predict(layers, luts, options);
  if (match_options.pessimistic) {
    options.model = ErrorModel::permutation;
    add_bounds(predictions, predict(layers, luts, options));
  }
  const MatchReport report = match(layers, library, predictions, sigmas, match_options);
  warn_of_layers(session, layers, predictions.evidence);
  warn_of_chosen(session, report, library, predictions);
  if (report.without_cost > 0)
    warn(session, fmt::format("{} designs have no positive power_rel and are no candidates",
                              report.without_cost));
  for (const LayerMatch& m : report.layers)
    if (m.none_fits)
      warn(session, m.threshold > 0
                        ? "no multiplier fits " + m.layer + "; it stays exact"
                        : m.layer + " tolerates no error (sigma_l is 0); it stays exact");
  write_output(
      session, target,
      target.format == "json"
          ? assignment_text({std::string(to_string(models.front())),
                             std::string(to_string(match_options.rule)), match_options.bias_folding,
                             match_options.pessimistic, report, std::string(to_string(energy)),
                             std::string(to_string(prices.scope))})
          : as_table(session, target, report) +
                (target.format == "csv" ? ""
                                        : "energies: " + energy_text(energy, prices) + "\n"));
  return 0;
}

}  // namespace

CommandSpec match_command() {
  CommandSpec spec;
  spec.name = "match";
  spec.purpose = "Give the layers the cheapest multipliers whose predicted σ they tolerate.";
  spec.examples = {
      {"axmul match --traces T.h5 --library L.h5 --sigma sigma.json -o assignment.json",
       "the assignment and its relative energy"},
      {"axmul match --traces T.h5 --library L.h5 --sigma sigma.json --rule budget",
       "what one layer leaves unused another may spend"}};
  spec.options = model_option_specs();
  spec.options.push_back(
      {"sigma", "FILE", "Tolerated noise levels relative to output_std (axmul.sigma/1)."});
  spec.options.push_back({"rule",
                          "RULE",
                          "tolerance: each layer the cheapest that it tolerates; budget: the "
                          "cheapest of all whose predicted rise of the loss is what the tolerated "
                          "noise costs (needs loss_curvature in the sigma file).",
                          "tolerance",
                          false,
                          {"tolerance", "budget"}});
  spec.options.push_back({"sigma-limit", "X",
                          "budget: no layer gets a multiplier of more σ/output σ than this, unless "
                          "it tolerates that by itself.",
                          "0.5"});
  spec.options.push_back(
      {"no-fold", "", "Compare the whole σ, not σ with each channel's mean folded into the bias."});
  spec.options.push_back({"pessimistic", "",
                          "Compare an upper bound: the larger σ of sampled and permutation. For "
                          "multipliers that err rarely."});
  spec.options.push_back(energy_option_spec());
  for (OptionSpec& option : price_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "The model is sampled where the traces hold patches, else permutation. Only multiplications\n"
      "are counted in the energy (--scope mac: all of the MAC); with sign-magnitude the sign logic "
      "is\n"
      "not. Which --energy to compare: src/tables/ENERGY.md. Where the traces do\n"
      "not tell all multiplications of the network, the energy is a bound. In JSON sigma_rel and\n"
      "sigma_corrected_rel are as axmul predict has them, sigma_compared is what was held against\n"
      "the threshold.";
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
