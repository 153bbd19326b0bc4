// Assigns to each layer the cheapest multiplier whose error it tolerates.
#include "axmul/model/matching.hpp"

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "axmul/core/errors.hpp"

namespace axmul {

namespace {

// |sigma_l| by layer name; every layer has exactly one.
std::map<std::string, double> thresholds(std::span<const LayerOperands> layers,
                                         std::span<const LayerSigma> sigmas) {
  std::map<std::string, double> of_layer;
  std::set<std::string> known;
  for (const LayerSigma& s : sigmas) {
    if (!std::isfinite(s.sigma_l))
      throw InputError(707, "sigma of layer \"" + s.layer + "\" is not a finite number");
    if (!of_layer.emplace(s.layer, std::fabs(s.sigma_l)).second)
      throw InputError(707, "layer \"" + s.layer + "\" has two sigmas; give one");
  }
  for (const LayerOperands& layer : layers) {
    if (!known.insert(layer.name).second)
      throw InputError(707, "two layers are named \"" + layer.name + "\"");
    if (!of_layer.contains(layer.name))
      throw InputError(
          707, "layer \"" + layer.name + "\" of the traces has no sigma; add it to the sigma file");
    if (!(layer.output_std > 0))
      throw InputError(707, "layer \"" + layer.name +
                                "\": attribute \"output_std\" is unknown or 0; matching needs it");
  }
  for (const auto& [name, sigma] : of_layer)
    if (!known.contains(name))
      throw InputError(707, "the sigma file names layer \"" + name +
                                "\", which the traces do not have; remove it or trace it");
  return of_layer;
}

std::string describe(const Multiplier& multiplier) {
  const auto text = [](const std::string& s) { return s.empty() ? std::string("unknown") : s; };
  return multiplier.name + " (source " + text(multiplier.cost.source) + ", technology " +
         text(multiplier.cost.technology) + ")";
}

// Multipliers that may be chosen, with their hashes. All costs come from one source and technology.
struct Candidate {
  std::size_t index;
  std::string sha256;
};

std::vector<Candidate> candidates(std::span<const Multiplier> library, MatchReport& report) {
  std::vector<Candidate> list;
  for (std::size_t j = 0; j < library.size(); ++j) {
    const Cost& cost = library[j].cost;
    if (!(cost.power_rel > 0) || !std::isfinite(cost.power_rel)) {
      ++report.without_cost;
      continue;
    }
    if (!list.empty()) {
      const Multiplier& first = library[list.front().index];
      if (first.cost.source != cost.source || first.cost.technology != cost.technology)
        throw InputError(708, "costs of different origin cannot be compared: " + describe(first) +
                                  " and " + describe(library[j]) +
                                  "; leave one of them out or give both the same kind of cost");
    }
    list.push_back({j, library[j].lut.sha256()});
  }
  if (!list.empty()) {
    report.source = library[list.front().index].cost.source;
    report.technology = library[list.front().index].cost.technology;
  }
  return list;
}

}  // namespace

MatchReport match(std::span<const LayerOperands> layers, std::span<const Multiplier> library,
                  const PredictionMatrix& predictions, std::span<const LayerSigma> sigmas,
                  const MatchOptions& options) {
  if (predictions.layers != layers.size() || predictions.multipliers != library.size())
    throw UsageError(709, "predictions are for " + std::to_string(predictions.layers) +
                              " layers and " + std::to_string(predictions.multipliers) +
                              " multipliers, not for " + std::to_string(layers.size()) + " and " +
                              std::to_string(library.size()));
  const std::map<std::string, double> threshold = thresholds(layers, sigmas);
  MatchReport report;
  const std::vector<Candidate> list = candidates(library, report);
  double energy = 0, ops = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    LayerMatch match;
    match.layer = layers[l].name;
    match.threshold = threshold.at(match.layer);
    match.ops = layers[l].ops;
    match.multiplier = "exact";
    match.none_fits = true;
    auto best =
        std::make_tuple(1.0, HUGE_VAL, std::string());  // the exact one: cost 1, last choice
    for (const Candidate& candidate : list) {
      const Prediction& p = predictions(l, candidate.index);
      const double sigma = options.bias_folding ? p.sigma_corrected : p.sigma_acc;
      if (std::isnan(sigma))
        throw UsageError(709, "model " + std::string(to_string(predictions.model)) +
                                  " has no sigma_corrected, which bias folding compares; use "
                                  "permutation, stratified or sampled, or match without folding");
      if (sigma > match.threshold * layers[l].output_std) continue;
      auto key = std::make_tuple(library[candidate.index].cost.power_rel, sigma, candidate.sha256);
      if (!(key < best)) continue;
      best = std::move(key);
      match.none_fits = false;
      match.multiplier = library[candidate.index].name;
      match.sha256 = candidate.sha256;
      match.sigma_rel = sigma / layers[l].output_std;
      match.power_rel = library[candidate.index].cost.power_rel;
    }
    energy += match.ops * match.power_rel;
    ops += match.ops;
    report.layers.push_back(std::move(match));
  }
  energy += options.ops_not_covered;
  ops += options.ops_not_covered;
  report.relative_energy = ops > 0 ? energy / ops : 1.0;
  return report;
}

}  // namespace axmul
