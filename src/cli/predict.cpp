// axmul predict: mean and standard deviation of the accumulated error, layers by multipliers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/predictions.hpp"
#include "cli/model_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

constexpr std::size_t kBatch = 64;  // multipliers held at a time
constexpr std::size_t kMostWithChannels = 1000;

/// The upper bound where σ rests on few receptive fields, or everywhere where permutation was
/// asked for too.
class Bounds {
 public:
  Bounds(std::span<const LayerOperands> layers, const PredictOptions& options)
      : layers_(layers), options_(options) {
    options_.model = ErrorModel::permutation;
    options_.channels = options_.intervals = false;
  }
  void add(std::span<const Lut> luts, std::span<PredictionMatrix> matrices) {
    const auto of = [&](ErrorModel model) {
      return std::ranges::find(matrices, model, &PredictionMatrix::model);
    };
    const auto sampled = of(ErrorModel::sampled), permutation = of(ErrorModel::permutation);
    if (sampled == matrices.end()) return;
    if (permutation != matrices.end()) return add_bounds(*sampled, *permutation);
    for (std::size_t j = 0; j < luts.size(); ++j) {
      std::vector<std::size_t> rare;
      for (std::size_t l = 0; l < layers_.size(); ++l)
        if ((*sampled)(l, j).has_rare_events()) rare.push_back(l);
      if (rare.empty()) continue;
      if (!predictor_) predictor_.emplace(layers_, options_);
      const PredictionMatrix other = predictor_->predict(luts.subspan(j, 1));
      for (const std::size_t l : rare)
        set_bounds(sampled->cells[l * sampled->multipliers + j], other(l, 0));
    }
  }

 private:
  std::span<const LayerOperands> layers_;
  PredictOptions options_;
  std::optional<ErrorPredictor> predictor_;
};

struct Predictions {
  NetworkPredictions figures;
  std::vector<Evidence> evidence;  // of each layer
};

/// Predicts batch after batch, so a library of any size passes through bounded memory.
Predictions predict_library(Session& session, const std::vector<LayerOperands>& layers,
                            const std::vector<ErrorModel>& models, const DesignList& list,
                            bool channels) {
  Predictions result{NetworkPredictions(layers, models), {}};
  PredictOptions options = predict_options(session);
  options.channels = channels;
  options.intervals = session.args.has("intervals");
  Bounds bounds(layers, options);
  std::vector<ErrorPredictor> predictors;
  for (ErrorModel model : models) {
    options.model = model;
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
    if (!luts.empty()) {
      bounds.add(luts, matrices);
      result.evidence = matrices.front().evidence;
      result.figures.append(names, std::move(matrices));
    }
    if (progress) progress(start + count, list.designs.size());
  }
  say_left_out(session, left_out, result.figures.multipliers.empty());
  return result;
}

/// Rare events as sampled sees them, else as the last of the models does.
void warn_of(Session& session, std::span<const LayerOperands> layers, const Predictions& p) {
  warn_of_layers(session, layers, p.evidence);
  const auto sampled = std::ranges::find(p.figures.models, ErrorModel::sampled);
  const std::size_t model = sampled != p.figures.models.end()
                                ? static_cast<std::size_t>(sampled - p.figures.models.begin())
                                : p.figures.models.size() - 1;
  std::vector<RareEvents> events;
  for (std::size_t l = 0; l < p.figures.layers.size(); ++l)
    for (std::size_t j = 0; j < p.figures.multipliers.size(); ++j)
      add_rare_events(p.figures.layers[l].name, p.evidence[l].receptive_fields,
                      p.figures.multipliers[j].name, p.figures.cell(model, l, j), events);
  warn_of_rare_events(session, std::move(events));
}

/// Figures that outputs list: those left out where no cell has them.
std::vector<PredictionFigure> listed_figures(const NetworkPredictions& p) {
  std::vector<PredictionFigure> figures;
  for (const PredictionFigure& figure : prediction_figures()) {
    bool known = figure.always;
    for (std::size_t k = 0; !known && k < p.models.size(); ++k)
      for (std::size_t l = 0; !known && l < p.layers.size(); ++l)
        for (std::size_t j = 0; !known && j < p.multipliers.size(); ++j)
          known = !std::isnan(figure.get(p.cell(k, l, j)));
    if (known) figures.push_back(figure);
  }
  return figures;
}

std::string as_json(const NetworkPredictions& p) {
  const std::vector<PredictionFigure> figures = listed_figures(p);
  Json json{{"schema", "axmul.prediction/1"},
            {"layers", Json::array()},
            {"multipliers", Json::array()},
            {"models", Json::array()}};
  for (const LayerSummary& layer : p.layers)
    json["layers"].push_back(Json{{"layer", layer.name},
                                  {"type", to_string(layer.type)},
                                  {"fan_in", layer.fan_in},
                                  {"ops", number(layer.ops)},
                                  {"output_std", number(layer.output_std)},
                                  {"acc_scale", number(layer.acc_scale)}});
  for (const auto& m : p.multipliers)
    json["multipliers"].push_back(Json{{"name", m.name}, {"sha256", m.sha256}});
  for (std::size_t k = 0; k < p.models.size(); ++k) {
    Json model{{"model", to_string(p.models[k])},
               {"ns_per_prediction", number(p.ns_per_prediction[k])}};
    for (const PredictionFigure& figure : figures) {
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
  const std::vector<PredictionFigure> figures = listed_figures(p);
  std::string out = "model,layer,multiplier,sha256";
  for (const PredictionFigure& figure : figures) out += std::string(",") + figure.name;
  out += "\n";
  for (std::size_t k = 0; k < p.models.size(); ++k)
    for (std::size_t l = 0; l < p.layers.size(); ++l)
      for (std::size_t j = 0; j < p.multipliers.size(); ++j) {
        out += fmt::format("{},{},\"{}\",{}", to_string(p.models[k]), p.layers[l].name,
                           p.multipliers[j].name, p.multipliers[j].sha256);
        for (const PredictionFigure& figure : figures) {
          const double value = figure.get(p.cell(k, l, j));
          out += std::isnan(value) ? ",NaN" : fmt::format(",{}", value);
        }
        out += "\n";
      }
  return out;
}

/// A cell, with its interval where the figure has one that was asked for, "!" where events are
/// rare.
std::string table_cell(const Prediction& p, const LayerSummary& layer, std::string_view figure,
                       double value) {
  if (std::isnan(value)) return "–";
  std::string text = fmt::format("{:.3g}", value);
  const bool relative = figure == "sigma_rel";
  const Interval& interval = figure == "mean_acc" ? p.mean_interval : p.sigma_interval;
  if ((relative || figure == "sigma_acc" || figure == "mean_acc") && !std::isnan(interval.lower)) {
    const double unit = relative ? layer.output_std : 1;
    text += fmt::format(" ({:.3g} … {:.3g})", interval.lower / unit, interval.upper / unit);
  }
  return p.has_rare_events() ? text + " !" : text;
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const NetworkPredictions& p, const PredictionFigure& figure) {
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
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
      std::vector<Cell> cells{p.multipliers[j].name};
      for (std::size_t l = 0; l < p.layers.size(); ++l) {
        const Prediction& cell = p.cell(k, l, j);
        cells.push_back(Cell::of(figure.get(cell),
                                 table_cell(cell, p.layers[l], figure.name, figure.get(cell))));
      }
      table.add(std::move(cells));
    }
    out += table_text(session, target, std::move(table));
  }
  return out;
}

int run(Session& session) {
  const OutputTarget target = output_target(session);
  const std::string wanted = session.args.text_or("figure", "sigma_rel");
  const auto figure =
      std::ranges::find_if(prediction_figures(), [&](const auto& f) { return wanted == f.name; });
  const std::vector<LayerOperands> layers = session_layers(session);
  const auto models = session_models(session, layers, "best");
  const DesignList list = session_library(session);
  const bool channels = target.format == "h5" && list.designs.size() <= kMostWithChannels;
  const Predictions predicted = predict_library(session, layers, models, list, channels);
  const NetworkPredictions& predictions = predicted.figures;
  warn_of(session, layers, predicted);
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
  write_output(session, target,
               target.format == "json"  ? as_json(predictions)
               : target.format == "csv" ? as_csv(predictions)
                                        : as_table(session, target, predictions, *figure));
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
       "one multiplier"},
      {"axmul predict --traces T.h5 --library circuits/ --intervals -o predictions.csv",
       "with 95 % intervals"}};
  spec.options = model_option_specs();
  std::vector<std::string> figures;
  for (const PredictionFigure& figure : prediction_figures()) figures.emplace_back(figure.name);
  spec.options.push_back({"figure", "NAME", "Figure of the table.", "sigma_rel", false, figures});
  spec.options.push_back(
      {"intervals", "",
       "95 % intervals of mean and σ: for the choice of receptive fields (or the draws of "
       "monte-carlo), not for the error of the model."});
  for (OptionSpec& option : output_options({"table", "json", "csv", "h5"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "Models, from coarse to exact: global, monte-carlo, multi-population (arXiv 2208.07265),\n"
      "permutation, stratified, sampled; src/model/README.md says how good each is. The default "
      "is\n"
      "sampled where the traces hold patches, else permutation.\n"
      "Where σ rests on fewer than 25 receptive fields in effect (a standard error of over 10 %),\n"
      "the multiplier errs rarely: a warning, \"!\" in the table, rare_events in other formats.\n"
      "sigma_bound there is the larger of what sampled and permutation predict.\n"
      "HDF5 output holds figures per output channel for libraries of up to 1000 designs.";
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
