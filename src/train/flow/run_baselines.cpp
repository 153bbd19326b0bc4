// What the search is compared with: one multiplier everywhere, and greedy layer sensitivity.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/model/assignment.hpp"
#include "axmul/model/pareto.hpp"
#include "train/flow/run_points.hpp"

namespace axmul::train {
namespace {

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

// Those asked for, else those of the search points of the first model and rule.
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
  return evaluate(run.job.network, images, run.job.normalisation, run.plan.job.batch).loss;
}

// Rise of the loss on training images for each layer and each multiplier of the layer's own front,
// from the most accurate on; a layer's list ends where the network is ruined.
std::vector<std::vector<LayerOption>> sensitivities(Run& run, const StateDict& state,
                                                    const Predicted& predicted) {
  const double ruined = ruined_rise(run.job.network.options.classes);
  const ImageSet images = sample_images(run.job, run.plan.greedy_images);
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
      if (damage > ruined) break;
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
  run.events.status("greedy: sensitivity of every layer");
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
    const double left = coverage_of(run.job.network).ops_not_covered;
    const auto chosen = greedy_assignment(ops, options, (energy * (all + left) - left) / all);
    point.layers = point_layers(run, predicted, predicted.matrices.front(), chosen);
    realise(run, state, predicted, chosen, point);
  }
}

}  // namespace

double ruined_rise(int classes) { return 2.0 * std::log(classes) / std::log(10.0); }

void baseline_points(Run& run) {
  if (!run.plan.uniform && !run.plan.greedy) return;
  reset_network(run, run.start);
  run.record.control_epochs = train_stage(run, "control", *run.plan.search);
  const StateDict state = state_of(run.job.network);
  const Predicted predicted = trace_and_predict(run, "control");
  if (run.plan.uniform) uniform_points(run, state, predicted);
  if (run.plan.greedy) greedy_points(run, state, predicted);
}

}  // namespace axmul::train
