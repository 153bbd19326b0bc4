// axmul predict: mean and standard deviation of the accumulated error, layers by multipliers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/predictions.hpp"
#include "cli/json.hpp"
#include "cli/model_options.hpp"
#include "cli/output.hpp"
#include "cli/program.hpp"

namespace axmul::cli {

namespace {

constexpr std::size_t kBatch = 64;  // multipliers held at a time
constexpr std::size_t kMostWithChannels = 1000;

struct Figure {
  const char* name;
  double (*get)(const Prediction&);
};
constexpr Figure kFigures[] = {
    {"sigma_rel", [](const Prediction& p) { return p.sigma_rel; }},
    {"sigma_corrected_rel", [](const Prediction& p) { return p.sigma_corrected_rel; }},
    {"sigma_acc", [](const Prediction& p) { return p.sigma_acc; }},
    {"sigma_corrected", [](const Prediction& p) { return p.sigma_corrected; }},
    {"mean_acc", [](const Prediction& p) { return p.mean_acc; }},
    {"rmse_acc", [](const Prediction& p) { return p.rmse_acc; }}};

/// Predicts batch after batch, so a library of any size passes through bounded memory.
NetworkPredictions predict_library(Session& session, const std::vector<LayerOperands>& layers,
                                   const std::vector<ErrorModel>& models, const DesignList& list,
                                   bool channels) {
  NetworkPredictions result(layers, models);
  std::vector<ErrorPredictor> predictors;
  for (ErrorModel model : models) {
    PredictOptions options = predict_options(session);
    options.model = model;
    options.channels = channels;
    options.intervals = false;
    predictors.emplace_back(layers, options);
  }
  std::size_t left_out = 0;
  ProgressBar bar(session, "predicting");
  const Progress progress = bar.callback();
  for (std::size_t start = 0; start < list.designs.size(); start += kBatch) {
    const std::size_t count = std::min(kBatch, list.designs.size() - start);
    const auto batch =
        usable(layers, load(std::span(list.designs).subspan(start, count)), left_out);
    std::vector<Lut> luts;
    std::vector<NetworkPredictions::Name> names;
    for (const Multiplier& m : batch) {
      luts.push_back(m.lut);
      names.push_back({m.name, m.lut.sha256()});
    }
    std::vector<PredictionMatrix> matrices;
    for (const ErrorPredictor& predictor : predictors) {
      poll_interrupt();
      if (!luts.empty()) matrices.push_back(predictor.predict(luts));
    }
    if (!luts.empty()) result.append(names, std::move(matrices));
    if (progress) progress(start + count, list.designs.size());
  }
  say_left_out(session, left_out, result.multipliers.empty());
  return result;
}

std::string as_json(const NetworkPredictions& p) {
  Json json{{"schema", "axmul.prediction/1"},
            {"layers", Json::array()},
            {"multipliers", Json::array()},
            {"models", Json::array()}};
  for (const LayerSummary& layer : p.layers)
    json["layers"].push_back(Json{{"layer", layer.name},
                                  {"type", to_string(layer.type)},
                                  {"fan_in", layer.fan_in},
                                  {"ops", number(layer.ops)},
                                  {"output_std", number(layer.output_std)}});
  for (const auto& m : p.multipliers)
    json["multipliers"].push_back(Json{{"name", m.name}, {"sha256", m.sha256}});
  for (std::size_t k = 0; k < p.models.size(); ++k) {
    Json model{{"model", to_string(p.models[k])},
               {"ns_per_prediction", number(p.ns_per_prediction[k])}};
    for (const Figure& figure : kFigures) {
      Json rows = Json::array();
      for (std::size_t l = 0; l < p.layers.size(); ++l) {
        Json row = Json::array();
        for (std::size_t j = 0; j < p.multipliers.size(); ++j)
          row.push_back(number(figure.get(p.cell(k, l, j))));
        rows.push_back(std::move(row));
      }
      model[figure.name] = std::move(rows);
    }
    json["models"].push_back(std::move(model));
  }
  return json.dump(1) + "\n";
}

std::string as_csv(const NetworkPredictions& p) {
  std::string out = "model,layer,multiplier,sha256";
  for (const Figure& figure : kFigures) out += std::string(",") + figure.name;
  out += "\n";
  for (std::size_t k = 0; k < p.models.size(); ++k)
    for (std::size_t l = 0; l < p.layers.size(); ++l)
      for (std::size_t j = 0; j < p.multipliers.size(); ++j) {
        out += fmt::format("{},{},\"{}\",{}", to_string(p.models[k]), p.layers[l].name,
                           p.multipliers[j].name, p.multipliers[j].sha256);
        for (const Figure& figure : kFigures) {
          const double value = figure.get(p.cell(k, l, j));
          out += std::isnan(value) ? ",NaN" : fmt::format(",{}", value);
        }
        out += "\n";
      }
  return out;
}

std::string as_table(const NetworkPredictions& p, const Figure& figure, bool color) {
  TextTable legend({"", "layer", "type", "K", "output σ"}, "rllrr");
  for (std::size_t l = 0; l < p.layers.size(); ++l)
    legend.row({std::to_string(l), p.layers[l].name, std::string(to_string(p.layers[l].type)),
                std::to_string(p.layers[l].fan_in), short_number(p.layers[l].output_std)});
  std::string out = legend.render(color);
  std::vector<std::string> header{"multiplier"};
  std::string alignment = "l";
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    header.push_back(std::to_string(l));
    alignment += 'r';
  }
  for (std::size_t k = 0; k < p.models.size(); ++k) {
    out += fmt::format("\n{} by {} ({:.3g} µs per prediction), columns = layers\n", figure.name,
                       to_string(p.models[k]), p.ns_per_prediction[k] / 1000);
    TextTable table(header, alignment);
    for (std::size_t j = 0; j < p.multipliers.size(); ++j) {
      std::vector<std::string> cells{p.multipliers[j].name};
      for (std::size_t l = 0; l < p.layers.size(); ++l) {
        const double value = figure.get(p.cell(k, l, j));
        cells.push_back(std::isnan(value) ? "–" : fmt::format("{:.3g}", value));
      }
      table.row(std::move(cells));
    }
    out += table.render(color);
  }
  return out;
}

int run(Session& session) {
  const OutputTarget target = output_target(session);
  const std::string wanted = session.args.text_or("figure", "sigma_rel");
  const auto figure =
      std::ranges::find_if(kFigures, [&](const Figure& f) { return wanted == f.name; });
  const std::vector<LayerOperands> layers = session_layers(session);
  const auto models = session_models(session, layers, "best");
  const DesignList list = session_library(session);
  const bool channels = target.format == "h5" && list.designs.size() <= kMostWithChannels;
  const NetworkPredictions predictions = predict_library(session, layers, models, list, channels);
  if (target.format == "h5") {
    PredictionFileOptions options;
    options.origin.title = "axmul predictions";
    options.origin.command = session.command_line;
    options.origin.reproducible_command = reproducible_command(session);
    options.force = session.args.has("force");
    options.network = session.args.text_or("network", "network");
    options.channels = channels;
    write_predictions(target.path, predictions, options);
    if (!session.quiet) session.io.err << "wrote " << target.path << '\n';
    return 0;
  }
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  write_output(session, target,
               target.format == "json"  ? as_json(predictions)
               : target.format == "csv" ? as_csv(predictions)
                                        : as_table(predictions, *figure, color));
  return 0;
}

}  // namespace

CommandSpec predict_command() {
  CommandSpec spec;
  spec.name = "predict";
  spec.purpose =
      "Predict mean and standard deviation of the accumulated error of each layer for every "
      "multiplier of a library.";
  spec.examples = {
      {"axmul predict --traces resnet20.h5 --library luts/axmul-library.h5",
       "σ/output σ as a table"},
      {"axmul predict --traces T.h5 --library circuits/ --model all -o predictions.h5",
       "all models, with figures per output channel"},
      {"axmul predict --traces T.h5 --library 'drum(k=6)' --encoding affine --format json",
       "one multiplier"}};
  spec.options = model_option_specs();
  std::vector<std::string> figures;
  for (const Figure& figure : kFigures) figures.emplace_back(figure.name);
  spec.options.push_back({"figure", "NAME", "Figure of the table.", "sigma_rel", false, figures});
  for (OptionSpec& option : output_options({"table", "json", "csv", "h5"}))
    spec.options.push_back(std::move(option));
  spec.notes =
      "Models, from coarse to exact: global, monte-carlo, multi-population (arXiv 2208.07265),\n"
      "permutation, stratified, sampled; src/model/README.md says how good each is. The default "
      "is\n"
      "sampled where the traces hold patches, else permutation.\n"
      "HDF5 output holds figures per output channel for libraries of up to 1000 designs.";
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
