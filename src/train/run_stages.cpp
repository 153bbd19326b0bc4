// Stages of a run: every one resets the network to what it starts from, so that skipping finished
// stages changes nothing.
#include "train/run_stages.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/report/pareto.hpp"
#include "axmul/tables/predictions.hpp"
#include "axmul/tables/traces.hpp"
#include "axmul/train/assignment.hpp"
#include "axmul/train/trace.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/sigma_file.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;
using cli::Json;

void say(Run& run, const std::string& text) {
  if (!run.session.quiet) run.session.io.err << text << '\n' << std::flush;
}

std::string make_folder(const Run& run, const std::string& name) {
  const std::string path = run.plan.folder + "/" + name;
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw OutputError(961, path + ": cannot be made a folder: " + error.message());
  return path;
}

// As the network was when `state` was taken, in 8-bit arithmetic; counters of noise and dropout
// start anew, so a stage does not depend on how many ran before it.
void reset_network(Run& run, const StateDict& state) {
  Network& net = run.job.network;
  for (const auto& layer : net.layers) {
    layer->mean_acc.clear();
    layer->mean_acc_of.clear();
    layer->multiplier = nullptr;
    layer->table.reset();
    layer->mode = LayerMode::quantized;
  }
  for (std::size_t i = 0; i < net.layers.size(); ++i)
    net.layers[i]->noise_stream = static_cast<std::uint64_t>(i) << 40;
  net.step = 0;
  load_state(net, state, "state of the run");
}

// --- training stages -----------------------------------------------------------------------------

// Trains in the present mode and writes weights.h5 and epochs.json into the stage's folder; a
// finished stage is read back instead.
std::vector<EpochRecord> train_stage(Run& run, const std::string& name, const Schedule& schedule,
                                     const std::function<at::Tensor(const Network&)>& extra = {}) {
  const std::string folder = make_folder(run, name);
  const std::string weights = folder + "/weights.h5", history = folder + "/epochs.json";
  Network& net = run.job.network;
  if (run.plan.resume && fs::exists(weights) && fs::exists(history)) {
    say(run, name + ": done already");
    load_state(net, read_state_dict(weights), weights);
    return epochs_from_json(read_file(history), history);
  }
  say(run, name + ":");
  EpochPrinter printer(run.session, schedule.epochs);
  TrainOptions options;
  options.schedule = schedule;
  options.batch = run.job.batch;
  options.augmentation = chosen_augmentation(run.session, run.job);
  options.seed = run.job.seed;
  options.checkpoint = folder + "/checkpoint.safetensors";
  options.checkpoint_minutes = run.plan.checkpoint_minutes;
  options.resume = run.plan.resume;
  options.settings = run.plan.settings + " " + name;
  options.extra_loss = extra;
  options.on_epoch = [&](const EpochRecord& r) { printer.epoch(r); };
  options.on_step = [&](const StepRecord& r) { printer.step(r); };
  const TrainReport report = train_network(net, train_images(run.session, run.job), nullptr,
                                           run.job.normalisation, options);
  StateDict state = state_of(net);
  describe_weights(run.session, run.job, state);
  write_state_dict(state, weights);
  write_file(history, epochs_to_json(report.epochs), true);
  std::error_code ignored;
  fs::remove(options.checkpoint, ignored);
  return report.epochs;
}

// --- evaluation ----------------------------------------------------------------------------------

// All test images, or what an earlier call of the same run stored.
EvaluationReport evaluate_all(Run& run, const std::string& name) {
  const std::string path = make_folder(run, name) + "/evaluation.json";
  const ImageSet& images = test_images(run.session, run.job);
  if (run.plan.resume && fs::exists(path)) {
    const Json j = Json::parse(read_file(path));
    EvaluationReport report;
    report.labels = j.at("labels").get<std::vector<std::int32_t>>();
    report.predicted = j.at("evaluations").at(0).at("predicted").get<std::vector<std::int32_t>>();
    report.images = report.labels.size();
    if (report.labels == images.labels) {
      // A forward pass sets what depends on the data's size.
      for_each_batch(images, 1, 1, run.job.normalisation, [&](const at::Tensor& x, std::size_t) {
        const at::NoGradGuard guard;
        run.job.network.training = false;
        forward(run.job.network, x);
      });
      return report;
    }
  }
  cli::ProgressBar bar(run.session, name + ": test");
  const EvaluationReport report =
      evaluate(run.job.network, images, run.job.normalisation, run.job.batch, bar.callback());
  Json j{{"schema", "axmul.evaluation/1"}, {"labels", report.labels}};
  j["evaluations"].push_back(
      Json{{"name", name}, {"top1", report.top1}, {"predicted", report.predicted}});
  write_file(path, j.dump() + "\n", true);
  return report;
}

// Whether test image i is for choosing: `count` of `size`, evenly spaced, so that data ordered by
// class gives all classes.
bool is_selection(std::size_t i, std::size_t size, std::size_t count) {
  return (i + 1) * count / size != i * count / size;
}

EvaluationReport part_of(const EvaluationReport& all, std::size_t count, bool selection) {
  EvaluationReport part;
  for (std::size_t i = 0; i < all.labels.size(); ++i)
    if (is_selection(i, all.labels.size(), count) == selection) {
      part.labels.push_back(all.labels[i]);
      part.predicted.push_back(all.predicted[i]);
    }
  return part;
}

double share_right(const EvaluationReport& r) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < r.labels.size(); ++i) right += r.labels[i] == r.predicted[i];
  return static_cast<double>(right) / std::max(1.0, static_cast<double>(r.labels.size()));
}

// Without `reference` the figures of a difference stay unknown.
Accuracy accuracy_of(const EvaluationReport& part, const EvaluationReport* reference) {
  Accuracy a;
  a.images = part.labels.size();
  a.top1 = share_right(part);
  if (reference == nullptr) return a;
  const PairedComparison compared = compare_predictions(part, *reference);
  a.difference = compared.difference;
  a.standard_error = compared.standard_error;
  a.p_value = compared.p_value;
  return a;
}

Accuracy accuracy_on(const Run& run, const EvaluationReport& all, bool selection,
                     bool compared = true) {
  const std::size_t count = run.plan.selection_images;
  const EvaluationReport reference = part_of(run.reference, count, selection);
  return accuracy_of(part_of(all, count, selection), compared ? &reference : nullptr);
}

Accuracy selection_accuracy(Run& run) {
  const ImageSet& all = test_images(run.session, run.job);
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (is_selection(i, all.size(), run.plan.selection_images))
      indices.push_back(static_cast<std::uint32_t>(i));
  const EvaluationReport report =
      evaluate(run.job.network, select_images(all, indices), run.job.normalisation, run.job.batch);
  const EvaluationReport reference = part_of(run.reference, run.plan.selection_images, true);
  return accuracy_of(report, &reference);
}

// --- trace, predict, match -----------------------------------------------------------------------

bool can_use(OperandType layer, OperandType multiplier, TableEncoding encoding) {
  if (multiplier == OperandType::u8u8 && layer != OperandType::u8u8)
    return encoding == TableEncoding::sign_magnitude;
  return layer == multiplier;
}

struct Predicted {
  std::vector<LayerOperands> layers;
  std::vector<Multiplier> library;         ///< those that every layer can use
  std::vector<PredictionMatrix> matrices;  ///< one per model
};

std::vector<Multiplier> usable_library(Run& run, const std::vector<LayerOperands>& layers) {
  const TableEncoding encoding = run.job.network.layers.front()->encoding;
  std::vector<Multiplier> usable;
  for (const Multiplier& m : run.library)
    if (std::all_of(layers.begin(), layers.end(), [&](const LayerOperands& layer) {
          return can_use(layer.type, m.lut.type(), encoding);
        }))
      usable.push_back(m);
  if (usable.empty())
    throw InputError(974,
                     "no multiplier of the library has an operand type that every layer can "
                     "use in encoding " +
                         std::string(to_string(encoding)) + " (see --encoding)");
  return usable;
}

Predicted trace_and_predict(Run& run, const std::string& name) {
  const std::string folder = make_folder(run, name);
  Predicted predicted;
  NetworkTraceOptions trace;
  trace.patches = run.plan.patches;
  trace.seed = run.job.seed;
  predicted.layers =
      trace_network(run.job.network, sample_images(run.session, run.job, run.plan.trace_images),
                    run.job.normalisation, trace);
  TraceOptions file;
  file.origin.title = "Operands of the layers of " + run.job.network.architecture;
  file.origin.command = run.session.command_line;
  file.origin.reproducible_command = "axmul train run " + run.job.network.architecture;
  file.origin.seed = static_cast<std::int64_t>(run.job.seed);
  file.force = true;
  file.ops_not_covered = ops_not_covered(run.job.network);
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

void write_assignment(const Run& run, const RunPoint& point) {
  Json j{{"schema", "axmul.match/1"},
         {"model", point.model},
         {"rule", point.rule},
         {"bias_folding", run.plan.fold},
         {"cost_source", run.record.cost_source},
         {"technology", run.record.technology},
         {"layers", Json::array()}};
  for (const PointLayer& l : point.layers)
    j["layers"].push_back(
        Json{{"layer", l.layer},
             {"multiplier", l.multiplier},
             {"sha256", l.sha256},
             {"none_fits", l.is_exact() && point.rule == to_string(MatchRule::tolerance)},
             {"sigma_rel", cli::number(l.sigma_rel)},
             {"threshold", cli::number(l.sigma_l)},
             {"power_rel", cli::number(l.power_rel)},
             {"ops", cli::number(l.ops)}});
  j["relative_energy"] = cli::number(point.energy);
  write_file(run.plan.folder + "/" + point.name + "/assignment.json", j.dump(1) + "\n", true);
}

// --- points --------------------------------------------------------------------------------------

bool stays_exact(const Run& run, const std::string& layer) {
  const auto& exact = run.plan.exact_layers;
  return std::find(exact.begin(), exact.end(), layer) != exact.end();
}

// The layers of a point from the chosen multipliers (kExact: none).
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
      layer.sigma_rel = (corrected ? p.sigma_corrected : p.sigma_acc) / operands.output_std;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

double energy_of(const std::vector<PointLayer>& layers, const Network& network) {
  double energy = ops_not_covered(network), ops = energy;
  for (const PointLayer& l : layers) {
    energy += l.ops * l.power_rel;
    ops += l.ops;
  }
  return energy / ops;
}

void take_measured(const MultiplyLayer& layer, PointLayer& to) {
  if (layer.error_count <= 0 || layer.error_sum.empty()) return;
  const QuantizedWeight weight = quantize_weight(layer);
  const auto channels = layer.error_sum.size();
  double mean = 0, rms = 0, weighted = 0, total = 0, within = 0;
  for (std::size_t m = 0; m < channels; ++m) {
    const double s = weight.scale(static_cast<std::int64_t>(m));
    rms += s * s / static_cast<double>(channels);
  }
  for (std::size_t m = 0; m < channels; ++m) mean += layer.error_sum[m] / layer.error_count;
  mean /= static_cast<double>(channels);
  for (std::size_t m = 0; m < channels; ++m) {  // as the models weigh channels of unequal scale
    const double s = weight.scale(static_cast<std::int64_t>(m));
    const double w = s * s / rms;
    const double channel_mean = layer.error_sum[m] / layer.error_count;
    const double square = layer.error_square_sum[m] / layer.error_count;
    within += w * std::max(0.0, square - channel_mean * channel_mean);
    total +=
        w * (square - channel_mean * channel_mean + (channel_mean - mean) * (channel_mean - mean));
    weighted += w;
  }
  to.measured_mean = mean;
  to.measured_sigma = std::sqrt(std::max(0.0, total / weighted));
  to.measured_corrected = std::sqrt(within / weighted);
}

// From the state given: apply, fold (which measures), re-estimate norms, retrain, evaluate.
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
  point.energy = energy_of(point.layers, net);
  write_assignment(run, point);
  const std::size_t count = run.plan.fold_images;
  fold_bias(net, sample_images(run.session, run.job, count), run.job.normalisation,
            {count, run.job.batch});
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    take_measured(*net.layers[l], point.layers[l]);
    if (!run.plan.fold) net.layers[l]->mean_acc.clear();
  }
  if (run.plan.norm_images > 0 && !net.norms.empty())
    reestimate_norms(net, sample_images(run.session, run.job, run.plan.norm_images),
                     run.job.normalisation,
                     {run.plan.norm_images, run.job.batch,
                      chosen_augmentation(run.session, run.job), run.job.seed});
  point.selection_untrained = selection_accuracy(run);
  point.retrain_epochs = train_stage(run, point.name + "/retrain", run.plan.retrain);
  write_modules(run.session, run.job, run.plan.folder + "/" + point.name);
  const EvaluationReport all = evaluate_all(run, point.name);
  point.selection = accuracy_on(run, all, true);
  point.report = accuracy_on(run, all, false);
  char text[160];
  std::snprintf(
      text, sizeof text,
      "%s: energy %.3f, top-1 against 8 bit %+.2f pp (selection), %+.2f ± %.2f pp (others)",
      point.name.c_str(), point.energy, 100 * point.selection.difference,
      100 * point.report.difference, 100 * point.report.standard_error);
  say(run, text);
  run.record.points.push_back(std::move(point));
  choose_point(run.record);
  write_record(run);
}

std::string lambda_name(double lambda) {
  char text[40];
  std::snprintf(text, sizeof text, "lambda-%g", lambda);
  return text;
}

std::vector<std::size_t> indices_of(const MatchReport& report, const Predicted& predicted) {
  std::vector<std::size_t> chosen;
  for (const LayerMatch& m : report.layers) {
    std::size_t index = kExact;
    for (std::size_t j = 0; j < predicted.library.size(); ++j)
      if (predicted.library[j].lut.sha256() == m.sha256 &&
          predicted.library[j].name == m.multiplier)
        index = j;
    chosen.push_back(index);
  }
  return chosen;
}

// --- baselines -----------------------------------------------------------------------------------

double mean_sigma(const Predicted& predicted, std::size_t j) {
  double sum = 0, ops = 0;
  for (std::size_t l = 0; l < predicted.layers.size(); ++l) {
    const Prediction& p = predicted.matrices.front()(l, j);
    const double sigma = std::isnan(p.sigma_corrected) ? p.sigma_acc : p.sigma_corrected;
    sum += predicted.layers[l].ops * sigma / predicted.layers[l].output_std;
    ops += predicted.layers[l].ops;
  }
  return sum / ops;
}

// Multipliers that no other beats in both power and σ, by rising power.
std::vector<std::size_t> front_of(const Predicted& predicted,
                                  const std::function<double(std::size_t)>& sigma) {
  std::vector<ParetoPoint> points;
  for (std::size_t j = 0; j < predicted.library.size(); ++j) {
    const double power = predicted.library[j].cost.power_rel;
    points.push_back({power > 0 && power < 1 ? power : kUnknown, sigma(j)});
  }
  const auto places = pareto(points);
  std::vector<std::size_t> front;
  for (std::size_t j = 0; j < places.size(); ++j)
    if (places[j].comparable && places[j].rank == 1) front.push_back(j);
  std::sort(front.begin(), front.end(),
            [&](std::size_t x, std::size_t y) { return points[x].x < points[y].x; });
  return front;
}

// Those asked for, else those of the search points of the first model.
std::vector<double> wanted_energies(const Run& run) {
  std::vector<double> energies = run.plan.energies;
  if (!energies.empty()) return energies;
  for (const RunPoint& p : run.record.points)
    if (p.method == "search" && p.model == to_string(run.plan.models.front()) &&
        p.rule == to_string(run.plan.rules.front()))
      energies.push_back(p.energy);
  return energies;
}

// Those asked for, else of the front the ones nearest to the search's energies, as many as those
// are.
std::vector<std::size_t> uniform_choice(const Run& run, const Predicted& predicted) {
  std::vector<std::size_t> chosen;
  for (const std::string& name : run.plan.uniform_names) {
    const auto found = std::find_if(predicted.library.begin(), predicted.library.end(),
                                    [&](const Multiplier& m) { return m.name == name; });
    if (found == predicted.library.end())
      throw InputError(953,
                       "--uniform: no usable multiplier of the library is named \"" + name + "\"");
    chosen.push_back(static_cast<std::size_t>(found - predicted.library.begin()));
  }
  if (!chosen.empty()) return chosen;
  std::vector<std::size_t> front =
      front_of(predicted, [&](std::size_t j) { return mean_sigma(predicted, j); });
  for (const double energy : wanted_energies(run)) {
    if (front.empty()) break;
    const auto nearest =
        std::min_element(front.begin(), front.end(), [&](std::size_t x, std::size_t y) {
          return std::fabs(predicted.library[x].cost.power_rel - energy) <
                 std::fabs(predicted.library[y].cost.power_rel - energy);
        });
    chosen.push_back(*nearest);
    front.erase(nearest);
  }
  return chosen;
}

void uniform_points(Run& run, const StateDict& state, const Predicted& predicted) {
  for (const std::size_t j : uniform_choice(run, predicted)) {
    RunPoint point;
    point.method = "uniform";
    point.name = "uniform-" + predicted.library[j].name;
    std::replace(point.name.begin(), point.name.end(), '/', '_');
    const std::vector<std::size_t> chosen(predicted.layers.size(), j);
    point.layers = point_layers(run, predicted, predicted.matrices.front(), chosen);
    realise(run, state, predicted, chosen, point);
  }
}

double loss_on(Run& run, const ImageSet& images) {
  return evaluate(run.job.network, images, run.job.normalisation, run.job.batch).loss;
}

// Rise of the loss on training images for each layer and each multiplier of the layer's own front,
// from the most accurate on; a layer's list ends where the network is ruined.
std::vector<std::vector<LayerOption>> sensitivities(Run& run, const StateDict& state,
                                                    const Predicted& predicted) {
  constexpr double kRuined = 2.0;  // of the loss; chance in ten classes is 2.3
  const ImageSet images = sample_images(run.session, run.job, run.plan.greedy_images);
  reset_network(run, state);
  const double exact = loss_on(run, images);
  std::vector<std::vector<LayerOption>> options(predicted.layers.size());
  for (std::size_t l = 0; l < options.size(); ++l) {
    const PredictionMatrix& matrix = predicted.matrices.front();
    auto front = front_of(predicted, [&](std::size_t j) {
      const Prediction& p = matrix(l, j);
      return std::isnan(p.sigma_corrected) ? p.sigma_acc : p.sigma_corrected;
    });
    std::reverse(front.begin(), front.end());
    MultiplyLayer& layer = *run.job.network.layers[l];
    const TableEncoding encoding = layer.encoding;
    for (const std::size_t j : front) {
      poll_interrupt();
      set_multiplier(layer, std::make_shared<const Multiplier>(predicted.library[j]), encoding);
      if (run.plan.fold) layer.mean_acc = matrix(l, j).channel_mean;
      const double damage = std::max(0.0, loss_on(run, images) - exact);
      options[l].push_back({j, predicted.library[j].cost.power_rel, damage});
      if (damage > kRuined) break;
    }
    layer.mode = LayerMode::quantized;
    layer.encoding = encoding;
    layer.multiplier = nullptr;
    layer.table.reset();
    layer.mean_acc.clear();
  }
  return options;
}

void greedy_points(Run& run, const StateDict& state, const Predicted& predicted) {
  say(run, "greedy: sensitivity of every layer");
  const auto options = sensitivities(run, state, predicted);
  std::vector<double> ops;
  for (const LayerOperands& layer : predicted.layers) ops.push_back(layer.ops);
  for (const double energy : wanted_energies(run)) {
    RunPoint point;
    point.method = "greedy";
    point.model = to_string(run.plan.models.front());
    char text[40];
    std::snprintf(text, sizeof text, "greedy-%.4f", energy);
    point.name = text;
    const auto& points = run.record.points;
    if (std::any_of(points.begin(), points.end(),
                    [&](const RunPoint& p) { return p.name == point.name; }))
      continue;  // two search points of one energy
    // That energy counts what no layer holds, greedy_assignment() the layers alone.
    const double all = std::accumulate(ops.begin(), ops.end(), 0.0);
    const double left = ops_not_covered(run.job.network);
    const auto chosen = greedy_assignment(ops, options, (energy * (all + left) - left) / all);
    point.layers = point_layers(run, predicted, predicted.matrices.front(), chosen);
    realise(run, state, predicted, chosen, point);
  }
}

}  // namespace

void prepare_network(Run& run) {
  Network& net = run.job.network;
  if (!has_weights(run.job)) {
    set_mode(net, LayerMode::float32);
    run.record.baseline_epochs = train_stage(run, "baseline", run.plan.baseline);
  } else {
    set_mode(net, LayerMode::float32);
  }
  const EvaluationReport in_float = evaluate_all(run, "baseline");
  run.reference = in_float;
  run.record.float_report = accuracy_on(run, in_float, false, false);
  quantize_network(run.session, run.job);
  for (const auto& layer : net.layers) layer->observe = true;
  run.record.quantize_epochs = train_stage(run, "quantized", run.plan.quantize);
  for (const auto& layer : net.layers) layer->observe = false;
  run.reference = evaluate_all(run, "quantized");
  run.record.quantized_selection = accuracy_on(run, run.reference, true, false);
  run.record.quantized_report = accuracy_on(run, run.reference, false, false);
  run.record.encoding = to_string(net.layers.front()->encoding);
  run.start = state_of(net);
  for (const auto& layer : net.layers) run.record.layer_names.push_back(layer->name);
}

// What the search learned, or what an earlier call of the same run stored.
std::vector<LayerSigma> search_sigmas(Run& run, const std::string& name,
                                      const SearchOptions& noise) {
  const std::string path = run.plan.folder + "/" + name + "/sigma.json";
  if (run.plan.resume && fs::exists(path)) return cli::read_sigmas(path);
  const auto sigmas = measured_sigmas(run.session, run.job, noise);
  cli::write_sigmas(path, sigmas);
  return sigmas;
}

// Layers that stay exact take no part: their operations only count in the energy.
MatchReport match_layers(const Run& run, const Predicted& predicted, const PredictionMatrix& matrix,
                         const std::vector<LayerSigma>& sigmas, MatchRule rule) {
  MatchOptions options;
  options.rule = rule;
  options.sigma_limit = run.plan.noise.sigma_max;
  // A model without channels compares the whole σ; folding is the same for all.
  options.bias_folding = run.plan.fold && !std::isnan(matrix.cells.front().sigma_corrected);
  options.ops_not_covered = ops_not_covered(run.job.network);
  std::vector<LayerOperands> layers;
  std::vector<LayerSigma> tolerated;
  PredictionMatrix rows;
  rows.model = matrix.model;
  rows.multipliers = matrix.multipliers;
  std::vector<LayerMatch> all;
  for (std::size_t l = 0; l < predicted.layers.size(); ++l) {
    LayerMatch exact;
    exact.layer = predicted.layers[l].name;
    exact.ops = predicted.layers[l].ops;
    exact.multiplier = "exact";
    all.push_back(exact);
    if (stays_exact(run, exact.layer)) {
      options.ops_not_covered += exact.ops;
      continue;
    }
    layers.push_back(predicted.layers[l]);
    tolerated.push_back(sigmas[l]);
    for (std::size_t j = 0; j < matrix.multipliers; ++j) rows.cells.push_back(matrix(l, j));
  }
  rows.layers = layers.size();
  MatchReport report = run.plan.most > 0
                           ? match_at_most(layers, predicted.library, rows, tolerated, options,
                                           run.plan.most, run.job.seed)
                           : match(layers, predicted.library, rows, tolerated, options);
  for (LayerMatch& m : all)
    for (LayerMatch& matched : report.layers)
      if (matched.layer == m.layer) m = std::move(matched);
  report.layers = std::move(all);
  return report;
}

void search_points(Run& run, double lambda) {
  const std::string name = lambda_name(lambda);
  SearchOptions noise = run.plan.noise;
  noise.lambda = lambda;
  reset_network(run, run.start);
  start_search(run.job.network, noise);
  const auto epochs = train_stage(run, name + "/search", run.plan.search,
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
      const auto chosen = indices_of(report, predicted);
      point.layers = point_layers(run, predicted, matrix, chosen);
      for (std::size_t l = 0; l < sigmas.size(); ++l) {
        point.layers[l].sigma_l = sigmas[l].sigma_l;
        point.layers[l].loss_curvature = sigmas[l].loss_curvature;
        if (report.layers[l].none_fits)
          cli::warn(run.session, point.name + ": no multiplier fits " + report.layers[l].layer +
                                     "; it stays exact");
      }
      realise(run, state, predicted, chosen, point);
    }
}

void baseline_points(Run& run) {
  if (!run.plan.uniform && !run.plan.greedy) return;
  reset_network(run, run.start);
  run.record.control_epochs = train_stage(run, "control", run.plan.search);
  const StateDict state = state_of(run.job.network);
  const Predicted predicted = trace_and_predict(run, "control");
  if (run.plan.uniform) uniform_points(run, state, predicted);
  if (run.plan.greedy) greedy_points(run, state, predicted);
}

void write_record(const Run& run) {
  write_file(run.plan.folder + "/run.json", to_json(run.record), true);
  write_run_h5(run.plan.folder + "/run.h5", run.record);
}

}  // namespace axmul::train
