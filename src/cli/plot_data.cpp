// Fronts and predictions as pictures take them.
#include "cli/plot_data.hpp"

#include <algorithm>
#include <set>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/pareto.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/model_options.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

std::vector<CharacterizationRow> characterized(Session& session,
                                               const std::vector<std::string>& texts,
                                               CharacterizationOptions options) {
  UnreadDesigns unread;
  const DesignList list = session_designs(session, texts);
  if (list.designs.size() > 1)
    options.failed = [&](const DesignRef& design, const Error& why) { unread.add(design, why); };
  const DistributionSet distributions(options);
  std::vector<CharacterizationRow> rows;
  ProgressBar bar(session, "characterizing");
  characterize_designs(
      list.designs, options, distributions,
      [&](const Characterization& c) { rows.push_back(characterization_row(c, distributions)); },
      bar.callback());
  unread.say(session, rows.size());
  return rows;
}

/// Receptive fields [from, to) of each layer.
std::vector<LayerOperands> part(std::span<const LayerOperands> layers, bool second) {
  std::vector<LayerOperands> parts;
  for (const LayerOperands& layer : layers) {
    const std::size_t half = layer.patch_count / 2;
    std::vector<std::size_t> rows;
    for (std::size_t i = second ? half : 0; i < (second ? layer.patch_count : half); ++i)
      rows.push_back(i);
    parts.push_back(select_patches(layer, rows));
  }
  return parts;
}

std::vector<Multiplier> usable_only(Session& session, std::span<const LayerOperands> layers,
                                    std::vector<Multiplier> multipliers) {
  std::size_t left_out = 0;
  std::vector<Multiplier> library = usable(layers, std::move(multipliers), left_out);
  say_left_out(session, left_out, library.empty());
  return library;
}

}  // namespace

std::string axis_title(const std::string& figure) {
  if (figure == "power_rel") return "power_rel (power over exact)";
  if (figure == "power_mw") return "power, mW";
  if (figure == "area_um2") return "area, µm²";
  if (figure == "delay_ns") return "delay, ns";
  for (const MetricField& field : metric_fields())
    if (field.name == figure)
      return std::string(field.name) + " (" + std::string(field.long_name) +
             (field.units == "1" ? "" : ", " + std::string(field.units)) + ")";
  return figure;
}

std::vector<plot::FrontPoint> front_points(Session& session, const Axis& x, const Axis& y,
                                           const std::vector<std::string>& texts) {
  CharacterizationOptions options = characterization_options(session);
  check_axes(session, options);
  options.metrics.distribution = true;
  auto rows = characterized(session, texts, options);
  const std::size_t own = rows.size();
  if (const auto behind = session.args.text("against"))
    for (CharacterizationRow& row : characterized(session, {*behind}, options)) {
      const auto same = [&](const CharacterizationRow& other) {
        return other.sha256 == row.sha256;
      };
      const auto end = rows.begin() + static_cast<std::ptrdiff_t>(own);
      if (std::none_of(rows.begin(), end, same)) rows.push_back(std::move(row));
    }
  std::vector<plot::FrontPoint> points;
  for (std::size_t i = 0; i < rows.size(); ++i)
    points.push_back({rows[i].name, x.get(rows[i]), y.get(rows[i]), false, i < own, rows[i].type});
  std::size_t on_front = 0;
  std::set<SizedType> types;
  for (const CharacterizationRow& row : rows) types.insert(row.type);
  for (const SizedType& type : types) {  // errors of different types have different scales
    std::vector<ParetoPoint> places;
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i].type == type) {
        members.push_back(i);
        places.push_back({x.sign * points[i].x, y.sign * points[i].y});
      }
    const std::vector<ParetoPlace> result = pareto(places);
    for (std::size_t k = 0; k < members.size(); ++k)
      on_front += points[members[k]].on_front = result[k].comparable && result[k].rank == 1;
  }
  if (on_front == 0)
    throw InputError(1031,
                     "no design has both " + x.name + " and " + y.name +
                         "; costs come with circuits, libraries or axmul library build --costs");
  return points;
}

std::vector<Multiplier> library_of(Session& session, std::span<const LayerOperands> layers) {
  return usable_only(session, layers, load(session_library(session).designs));
}

plot::LayerMatrix predicted_matrix(Session& session, std::span<const LayerOperands> layers,
                                   std::vector<Multiplier> multipliers) {
  const auto models = session_models(session, layers, "best");
  if (models.size() != 1) throw UsageError(1028, "a picture shows one --model");
  const std::vector<Multiplier> library = usable_only(session, layers, std::move(multipliers));
  PredictOptions options = predict_options(session);
  options.model = models.front();
  options.intervals = options.channels = false;
  std::vector<Lut> luts;
  plot::LayerMatrix matrix{{}, {}, {}, "sigma_rel", std::string(to_string(options.model))};
  for (const Multiplier& m : library) {
    luts.push_back(m.lut);
    matrix.multipliers.push_back(m.name);
  }
  const PredictionMatrix predicted = predict(layers, luts, options);
  for (const LayerOperands& layer : layers) matrix.layers.push_back(layer.name);
  for (const Prediction& cell : predicted.cells) matrix.values.push_back(cell.sigma_rel);
  return matrix;
}

std::vector<plot::SigmaPair> sigma_pairs(Session& session, std::span<const LayerOperands> layers,
                                         ErrorModel model) {
  for (const LayerOperands& layer : layers)
    if (!layer.has_patches() || layer.patch_count < 2)
      throw InputError(703, "layer " + layer.name +
                                " has too few receptive fields: two halves are compared, and the "
                                "second one is simulated");
  const std::vector<Multiplier> library = library_of(session, layers);
  std::vector<Lut> luts;
  for (const Multiplier& m : library) luts.push_back(m.lut);
  PredictOptions options = predict_options(session);
  options.model = model;
  options.intervals = options.channels = false;
  PredictOptions truth = options;
  truth.model = ErrorModel::sampled;
  truth.patches = 0;
  const PredictionMatrix predicted = predict(part(layers, false), luts, options);
  const PredictionMatrix measured = predict(part(layers, true), luts, truth);
  std::vector<plot::SigmaPair> pairs;
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t j = 0; j < library.size(); ++j)
      pairs.push_back(
          {layers[l].name, library[j].name, predicted(l, j).sigma_acc, measured(l, j).sigma_acc});
  return pairs;
}

}  // namespace axmul::cli
