// axmul validate: the error models against full behavioural simulation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/model/validation.hpp"
#include "cli/model_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

std::string as_json(const ValidationReport& report) {
  Json json{{"schema", "axmul.validation/1"},
            {"split", report.split == ValidationSplit::half ? "half" : "none"},
            {"pairs", report.pairs},
            {"excluded", report.excluded},
            {"models", Json::array()}};
  for (const ModelValidation& m : report.models) {
    Json rare = Json::array();
    for (const RarePair& pair : m.rare)
      rare.push_back(Json{{"layer", pair.layer},
                          {"multiplier", pair.multiplier},
                          {"effective_fields", number(pair.effective_fields)},
                          {"fields_90", number(pair.fields_90)},
                          {"rel_error", number(pair.rel_error)}});
    json["models"].push_back(Json{{"model", to_string(m.model)},
                                  {"pearson", number(m.pearson)},
                                  {"spearman", number(m.spearman)},
                                  {"median_rel_error", number(m.rel_error.median)},
                                  {"p90_rel_error", number(m.rel_error.p90)},
                                  {"max_rel_error", number(m.rel_error.max)},
                                  {"max_layer", m.max_layer},
                                  {"max_multiplier", m.max_multiplier},
                                  {"median_mean_error", number(m.mean_error.median)},
                                  {"p90_mean_error", number(m.mean_error.p90)},
                                  {"median_channel_rel_error", number(m.channel_rel_error.median)},
                                  {"p90_channel_rel_error", number(m.channel_rel_error.p90)},
                                  {"ns_per_prediction", number(m.ns_per_prediction)},
                                  {"rare_events", std::move(rare)}});
  }
  return json.dump(2) + "\n";
}

// What the model warns of, by multiplier, and how far off it was there.
std::string rare_events_text(const ModelValidation& m) {
  std::map<std::string, std::vector<double>> of_multiplier;
  for (const RarePair& pair : m.rare) of_multiplier[pair.multiplier].push_back(pair.rel_error);
  std::string text;
  for (const auto& [multiplier, errors] : of_multiplier) {
    const auto [least, most] = std::ranges::minmax(errors);
    text += fmt::format("{} warns of rare events: {} in {} {}, off by {} to {}\n",
                        to_string(m.model), multiplier, errors.size(),
                        errors.size() == 1 ? "layer" : "layers", percent(least), percent(most));
  }
  return text;
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const ValidationReport& report) {
  TextTable table({"model", "Pearson", "Spearman", "median", "p90", "max", "of", "mean: median",
                   "p90", "channel: median", "p90", "µs"},
                  "lrrrrrlrrrrr");
  table.keys({"model", "pearson", "spearman", "median_rel_error", "p90_rel_error", "max_rel_error",
              "max_of", "median_mean_error", "p90_mean_error", "median_channel_rel_error",
              "p90_channel_rel_error", "us_per_prediction"});
  const auto share = [](double x) { return Cell::of(x, percent(x)); };
  const auto number = [](double x) {
    return Cell::of(x, std::isnan(x) ? "–" : fmt::format("{:.4f}", x));
  };
  for (const ModelValidation& m : report.models)
    table.add(
        {std::string(to_string(m.model)), number(m.pearson), number(m.spearman),
         share(m.rel_error.median), share(m.rel_error.p90), share(m.rel_error.max),
         m.max_layer + " × " + m.max_multiplier, number(m.mean_error.median),
         number(m.mean_error.p90), share(m.channel_rel_error.median),
         share(m.channel_rel_error.p90),
         Cell::of(m.ns_per_prediction / 1000, fmt::format("{:.3g}", m.ns_per_prediction / 1000))});
  if (target.format == "csv") return table_text(session, target, std::move(table));
  std::string rare;
  for (const ModelValidation& m : report.models) rare += rare_events_text(m);
  return fmt::format(
             "{} pairs of layer and multiplier ({} with a true σ of 0 left out), split {}: "
             "relative "
             "error of σ;\nerror of the mean over the true σ; relative error of σ per channel; "
             "time "
             "per prediction\n",
             report.pairs, report.excluded,
             report.split == ValidationSplit::half ? "half" : "none") +
         table_text(session, target, std::move(table)) + rare;
}

int run(Session& session) {
  const OutputTarget target = output_target(session);
  const std::vector<LayerOperands> layers = session_layers(session);
  ValidationOptions options;
  options.models = session_models(session, layers, "all");
  options.predict = predict_options(session);
  options.split = session.args.text_or("split", "half") == "half" ? ValidationSplit::half
                                                                  : ValidationSplit::none;
  const DesignList list = session_library(session);
  std::size_t left_out = 0;
  const std::vector<Multiplier> library = usable(layers, load(list.designs), left_out);
  say_left_out(session, left_out, library.empty());
  std::vector<Lut> luts;
  std::vector<std::string> names;
  for (const Multiplier& m : library) {
    luts.push_back(m.lut);
    names.push_back(m.name);
  }
  ProgressBar bar(session, "simulating");
  options.progress = bar.callback();
  const ValidationReport report = validate(layers, luts, names, options);
  write_output(session, target,
               target.format == "json" ? as_json(report) : as_table(session, target, report));
  return 0;
}

}  // namespace

CommandSpec validate_command() {
  CommandSpec spec;
  spec.name = "validate";
  spec.purpose = "Compare the error models with a full simulation of the traced layers.";
  spec.examples = {
      {"axmul validate --traces resnet20.h5 --library circuits/",
       "predict from one half of the "
       "images, simulate the other"},
      {"axmul validate --traces T.h5 --library L.h5 --split none --model permutation --patches 0",
       "one model with all receptive fields"}};
  spec.options = model_option_specs();
  spec.options.push_back(
      {"split",
       "NAME",
       "half: predict from the first half of the receptive fields, truth = all of "
       "the second; none: truth = all.",
       "half",
       false,
       {"half", "none"}});
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
