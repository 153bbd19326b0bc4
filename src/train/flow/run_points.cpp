// The points of a run: from learned noise levels, or from an assignment, to an accuracy.
#include "train/flow/run_points.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/model/assignment.hpp"
#include "axmul/tables/assignment_file.hpp"
#include "axmul/tables/predictions.hpp"
#include "axmul/tables/traces.hpp"
#include "axmul/train/trace.hpp"
#include "io/json.hpp"
#include "tables/sigma_json.hpp"

namespace axmul::train {
namespace {

// --- trace and predict ---------------------------------------------------------------------------

std::vector<Multiplier> usable_library(Run& run, const std::vector<LayerOperands>& layers) {
  const TableEncoding encoding = run.job.network.layers.front()->encoding;
  std::vector<Multiplier> usable;
  for (const Multiplier& m : run.library)
    if (std::all_of(layers.begin(), layers.end(), [&](const LayerOperands& layer) {
          return can_use(layer.type, m.lut.type(), encoding == TableEncoding::sign_magnitude);
        }))
      usable.push_back(m);
  if (usable.empty())
    throw InputError(974,
                     "no multiplier of the library has an operand type that every layer can "
                     "use in encoding " +
                         std::string(to_string(encoding)) + " (see --encoding)");
  return usable;
}

// --- points --------------------------------------------------------------------------------------

bool stays_exact(const Run& run, const std::string& layer) {
  const auto& exact = run.plan.exact_layers;
  return std::find(exact.begin(), exact.end(), layer) != exact.end();
}

// Whether σ_corrected was compared: some models have none.
bool compared_corrected(const Run& run, const RunPoint& point) {
  return run.plan.fold && std::none_of(point.layers.begin(), point.layers.end(), [](const auto& l) {
           return !l.is_exact() && std::isnan(l.predicted_corrected);
         });
}

void write_assignment_of(const Run& run, const RunPoint& point) {
  AssignmentFile file;
  file.model = point.model;
  file.rule = point.rule;
  file.bias_folding = compared_corrected(run, point);
  file.pessimistic = run.plan.pessimistic;
  MatchReport& report = file.report;
  report.source = run.record.cost_source;
  report.technology = run.record.technology;
  report.without_cost = run.record.without_cost;
  report.relative_energy = point.energy;
  report.coverage = run.record.coverage;
  report.loss_rise = point.loss_rise;
  report.loss_budget = point.loss_budget;
  for (const PointLayer& l : point.layers) {
    LayerMatch m;
    m.layer = l.layer;
    m.multiplier = l.multiplier;
    m.sha256 = l.sha256;
    m.none_fits = l.none_fits;
    m.sigma_rel = l.sigma_rel;
    m.sigma_corrected_rel = l.sigma_corrected_rel;
    m.sigma_compared = l.sigma_compared;
    m.threshold = l.sigma_l;
    m.effective_fields = l.effective_fields;
    m.fields_90 = l.fields_90;
    m.power_rel = l.power_rel;
    m.ops = l.ops;
    report.layers.push_back(std::move(m));
  }
  write_assignment(run.plan.folder + "/" + point.name + "/assignment.json", file);
}

double energy_of(const std::vector<PointLayer>& layers, double ops_not_covered) {
  double energy = ops_not_covered, ops = ops_not_covered;
  for (const PointLayer& l : layers) {
    energy += l.ops * l.power_rel;
    ops += l.ops;
  }
  return energy / ops;
}

void take_measured(const MultiplyLayer& layer, const ErrorTally& tally, PointLayer& to) {
  if (tally.count <= 0 || tally.sum.empty()) return;
  const QuantizedWeight weight = quantize_weight(layer);
  const auto channels = tally.sum.size();
  LayerOperands operands;  // for the scales only
  operands.out_channels = channels;
  operands.b_scale = weight.scales;
  const std::vector<double> scales = relative_scales(operands);
  const double count = static_cast<double>(channels);
  double mean = 0, within = 0, between = 0;
  for (std::size_t m = 0; m < channels; ++m)
    mean += scales[m] * (tally.sum[m] / tally.count) / count;
  for (std::size_t m = 0; m < channels; ++m) {
    const double channel_mean = tally.sum[m] / tally.count;
    const double square = tally.square_sum[m] / tally.count;
    const double d = scales[m] * channel_mean - mean;
    within += scales[m] * scales[m] * std::max(0.0, square - channel_mean * channel_mean) / count;
    between += d * d / count;
  }
  to.measured_mean = mean;
  to.measured_sigma = std::sqrt(within + between);
  to.measured_corrected = std::sqrt(within);
}

// --- from noise levels to multipliers ------------------------------------------------------------

std::string lambda_name(double lambda) {
  char text[40];
  std::snprintf(text, sizeof text, "lambda-%g", lambda);
  return text;
}

std::vector<LayerSigma> stored_sigmas(const Run& run, const std::string& path,
                                      const std::string& name) {
  const Json json = unseal(path, stage_id(run, name));
  return reading_stage_file(path, [&] {
    auto sigmas = sigmas_from(json, path);
    const auto& layers = run.record.layer_names;
    const bool same =
        std::equal(sigmas.begin(), sigmas.end(), layers.begin(), layers.end(),
                   [](const LayerSigma& s, const std::string& layer) {
                     return s.layer == layer && s.sigma_l >= 0 && s.loss_curvature >= 0;
                   });
    if (!same) refuse_stage_file(path, "it does not say what each layer of the network tolerates");
    return sigmas;
  });
}

// What the search learned, or what an earlier call of the same run stored.
std::vector<LayerSigma> search_sigmas(Run& run, const std::string& name,
                                      const SearchOptions& noise) {
  const std::string path = run.plan.folder + "/" + name + "/sigma.json";
  if (run.plan.resume && std::filesystem::exists(path)) return stored_sigmas(run, path, name);
  auto sigmas = measured_sigmas(run.job, noise, run.events.progress("effect of noise"));
  write_file(path, seal(sigmas_json(sigmas), stage_id(run, name)), true);
  return sigmas;
}

MatchReport match_layers(const Run& run, const Predicted& predicted, const PredictionMatrix& matrix,
                         const std::vector<LayerSigma>& sigmas, MatchRule rule) {
  MatchOptions options;
  options.rule = rule;
  options.sigma_limit = run.plan.noise.sigma_max;
  // A model without channels compares the whole σ; folding is the same for all.
  options.bias_folding = run.plan.fold && !std::isnan(matrix.cells.front().sigma_corrected);
  options.ops_not_covered = coverage_of(run.job.network).ops_not_covered;
  options.pessimistic = run.plan.pessimistic;
  options.exact_layers = run.plan.exact_layers;
  return run.plan.most > 0 ? match_at_most(predicted.layers, predicted.library, matrix, sigmas,
                                           options, run.plan.most, run.plan.job.seed)
                           : match(predicted.layers, predicted.library, matrix, sigmas, options);
}

}  // namespace

Predicted trace_and_predict(Run& run, const std::string& name) {
  const std::string folder = make_folder(run, name);
  Predicted predicted;
  NetworkTraceOptions trace;
  trace.patches = run.plan.patches;
  trace.seed = run.plan.job.seed;
  predicted.layers = trace_network(run.job.network, sample_images(run.job, run.plan.trace_images),
                                   run.job.normalisation, trace);
  TraceOptions file;
  file.origin.title = "Operands of the layers of " + run.job.network.architecture;
  file.origin.command = run.plan.command;
  file.origin.reproducible_command = "axmul train run " + run.job.network.architecture;
  file.origin.seed = static_cast<std::int64_t>(run.plan.job.seed);
  file.force = true;
  const Coverage coverage = coverage_of(run.job.network);
  file.ops_not_covered = coverage.ops_not_covered;
  file.calls_not_counted = coverage.calls_not_counted;
  write_traces(folder + "/traces.h5", run.job.network.architecture, predicted.layers, file);

  predicted.library = usable_library(run, predicted.layers);
  std::vector<Lut> luts;
  std::vector<NetworkPredictions::Name> names;
  for (const Multiplier& m : predicted.library) {
    luts.push_back(m.lut);
    names.push_back({m.name, m.lut.sha256()});
  }
  for (const ErrorModel model : run.plan.models) {
    PredictOptions options;
    options.model = model;
    options.patches = 0;  // all that were traced
    predicted.matrices.push_back(predict(predicted.layers, luts, options));
  }
  if (run.plan.pessimistic) {
    PredictOptions options;
    options.model = ErrorModel::permutation;
    options.patches = 0;
    options.intervals = options.channels = false;
    add_bounds(predicted.matrices.front(), predict(predicted.layers, luts, options));
  }
  NetworkPredictions stored(predicted.layers, run.plan.models);
  stored.append(names, predicted.matrices);
  PredictionFileOptions options;
  options.origin = file.origin;
  options.origin.title = "Predicted errors of the layers of " + run.job.network.architecture;
  options.network = run.job.network.architecture;
  options.channels = false;
  options.force = true;
  write_predictions(folder + "/predictions.h5", stored, options);
  return predicted;
}

std::vector<PointLayer> point_layers(const Run& run, const Predicted& predicted,
                                     const PredictionMatrix& matrix,
                                     const std::vector<std::size_t>& chosen) {
  std::vector<PointLayer> layers;
  for (std::size_t l = 0; l < predicted.layers.size(); ++l) {
    const LayerOperands& operands = predicted.layers[l];
    PointLayer layer;
    layer.layer = operands.name;
    layer.type = to_string(operands.type);
    layer.ops = operands.ops;
    layer.output_std = operands.output_std;
    if (const std::size_t j = chosen[l]; j != kExact && !stays_exact(run, operands.name)) {
      const Multiplier& m = predicted.library[j];
      const Prediction& p = matrix(l, j);
      layer.multiplier = m.name;
      layer.sha256 = m.lut.sha256();
      layer.power_rel = m.cost.power_rel;
      layer.predicted_mean = p.mean_acc;
      layer.predicted_sigma = p.sigma_acc;
      layer.predicted_corrected = p.sigma_corrected;
      layer.interval_lower = p.sigma_interval.lower;
      layer.interval_upper = p.sigma_interval.upper;
      const bool corrected = run.plan.fold && !std::isnan(p.sigma_corrected);
      layer.sigma_rel = p.sigma_acc / operands.output_std;
      layer.sigma_corrected_rel = p.sigma_corrected / operands.output_std;
      MatchOptions options;
      options.bias_folding = corrected;
      options.pessimistic = run.plan.pessimistic;
      layer.sigma_compared = compared_sigma(p, options) / operands.output_std;
      layer.effective_fields = p.effective_fields;
      layer.fields_90 = p.fields_90;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

void realise(Run& run, const StateDict& state, const Predicted& predicted,
             const std::vector<std::size_t>& chosen, RunPoint& point) {
  make_folder(run, point.name);
  reset_network(run, state);
  Network& net = run.job.network;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    if (point.layers[l].is_exact()) continue;
    MultiplyLayer& layer = *net.layers[l];
    set_multiplier(layer, std::make_shared<const Multiplier>(predicted.library[chosen[l]]),
                   layer.encoding);
  }
  run.record.coverage = coverage_of(net);
  point.energy = energy_of(point.layers, run.record.coverage.ops_not_covered);
  write_assignment_of(run, point);
  const std::size_t count = run.plan.fold_images;
  const std::vector<ErrorTally> errors = fold_bias(
      net, sample_images(run.job, count), run.job.normalisation, {count, run.plan.job.batch});
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    take_measured(*net.layers[l], errors[l], point.layers[l]);
    if (!run.plan.fold) net.layers[l]->mean_acc.clear();
  }
  if (run.plan.norm_images > 0 && !net.norms.empty())
    reestimate_norms(net, sample_images(run.job, run.plan.norm_images), run.job.normalisation,
                     {run.plan.norm_images, run.plan.job.batch, chosen_augmentation(run.job),
                      run.plan.job.seed});
  point.selection_untrained = selection_accuracy(run);
  point.retrain_epochs = train_stage(run, point.name + "/retrain", *run.plan.retrain);
  write_modules(run.job, run.plan.folder + "/" + point.name);
  const EvaluationReport all = evaluate_all(run, point.name);
  point.selection = accuracy_on(run, all, true);
  point.report = accuracy_on(run, all, false);
  char text[160];
  std::snprintf(text, sizeof text,
                ", top-1 against 8 bit %+.2f pp (selection), %+.2f ± %.2f pp (others)",
                100 * point.selection.difference, 100 * point.report.difference,
                100 * point.report.standard_error);
  run.events.status(point.name + ": energy " + energy_figure(point.energy, run.record.coverage, 3) +
                    text);
  run.record.points.push_back(std::move(point));
  choose_point(run.record);
  write_record(run);
  run.events.point(run.record.points.back());
}

void search_points(Run& run, double lambda) {
  const std::string name = lambda_name(lambda);
  SearchOptions noise = run.plan.noise;
  noise.lambda = lambda;
  reset_network(run, run.start);
  start_search(run.job.network, noise);
  const auto epochs = train_stage(run, name + "/search", *run.plan.search,
                                  [&](const Network& n) { return noise_reward(n, noise); });
  const auto sigmas = search_sigmas(run, name, noise);
  set_mode(run.job.network, LayerMode::quantized);
  const StateDict state = state_of(run.job.network);
  const Predicted predicted = trace_and_predict(run, name);
  for (const PredictionMatrix& matrix : predicted.matrices)
    for (const MatchRule rule : run.plan.rules) {
      RunPoint point;
      point.method = "search";
      point.model = to_string(matrix.model);
      point.rule = to_string(rule);
      point.name = name;
      if (&matrix != &predicted.matrices.front()) point.name += "-" + point.model;
      if (rule != run.plan.rules.front()) point.name += "-" + point.rule;
      point.lambda = lambda;
      point.search_epochs = epochs;
      const MatchReport report = match_layers(run, predicted, matrix, sigmas, rule);
      run.record.cost_source = report.source;
      run.record.technology = report.technology;
      run.record.without_cost = report.without_cost;
      point.loss_rise = report.loss_rise;
      point.loss_budget = report.loss_budget;
      std::vector<std::size_t> chosen;
      for (const LayerMatch& m : report.layers) chosen.push_back(m.index);
      point.layers = point_layers(run, predicted, matrix, chosen);
      for (std::size_t l = 0; l < sigmas.size(); ++l) {
        point.layers[l].sigma_l = sigmas[l].sigma_l;
        point.layers[l].loss_curvature = sigmas[l].loss_curvature;
        point.layers[l].none_fits = report.layers[l].none_fits;
        if (report.layers[l].none_fits)
          run.events.warning(point.name + ": no multiplier fits " + report.layers[l].layer +
                             "; it stays exact");
      }
      realise(run, state, predicted, chosen, point);
    }
}

}  // namespace axmul::train
