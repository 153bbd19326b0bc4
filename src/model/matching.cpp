// Assigns multipliers to layers: the cheapest that each tolerates, or the cheapest together.
#include "axmul/model/matching.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "axmul/core/array2.hpp"
#include "axmul/core/errors.hpp"
#include "model/knapsack.hpp"

namespace axmul {

namespace {

struct Tolerance {
  double sigma, curvature;
};

// By layer name; every layer has exactly one.
std::map<std::string, Tolerance> tolerances(std::span<const LayerOperands> layers,
                                            std::span<const LayerSigma> sigmas) {
  std::map<std::string, Tolerance> of_layer;
  std::set<std::string> known;
  for (const LayerSigma& s : sigmas) {
    if (!std::isfinite(s.sigma_l))
      throw InputError(707, "sigma of layer \"" + s.layer + "\" is not a finite number");
    if (!of_layer.emplace(s.layer, Tolerance{std::fabs(s.sigma_l), s.loss_curvature}).second)
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
  for (const auto& [name, tolerance] : of_layer)
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

// σ over output_std [layer, candidate].
Array2<double> relative_sigmas(std::span<const LayerOperands> layers,
                               const std::vector<Candidate>& list,
                               const PredictionMatrix& predictions, bool folding) {
  Array2<double> sigma(layers.size(), list.size());
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t c = 0; c < list.size(); ++c) {
      const Prediction& p = predictions(l, list[c].index);
      const double value = folding ? p.sigma_corrected : p.sigma_acc;
      if (std::isnan(value))
        throw UsageError(709, "model " + std::string(to_string(predictions.model)) +
                                  " has no sigma_corrected, which bias folding compares; use "
                                  "permutation, stratified or sampled, or match without folding");
      sigma(l, c) = value / layers[l].output_std;
    }
  return sigma;
}

// By rising power, then σ in that layer, then hash.
std::vector<std::size_t> preference(const std::vector<Candidate>& list,
                                    std::span<const Multiplier> library,
                                    std::span<const double> sigma) {
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t c) {
    return std::tie(library[list[c].index].cost.power_rel, sigma[c], list[c].sha256);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return key(x) < key(y); });
  return order;
}

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Everything the two rules choose from, layer by layer.
struct Problem {
  std::span<const LayerOperands> layers;
  std::span<const Multiplier> library;
  std::vector<Candidate> list;
  Array2<double> sigma;  // relative, [layer, candidate]
  std::vector<Tolerance> tolerance;

  double power(std::size_t candidate) const {
    return candidate == kNone ? 1.0 : library[list[candidate].index].cost.power_rel;
  }
  double loss(std::size_t l, std::size_t candidate) const {
    return candidate == kNone ? 0.0
                              : tolerance[l].curvature * sigma(l, candidate) * sigma(l, candidate);
  }
  double budget() const {
    double sum = 0;
    for (const Tolerance& t : tolerance) sum += t.curvature * t.sigma * t.sigma;
    return sum;
  }
  double energy(const std::vector<std::size_t>& chosen) const {
    double sum = 0;
    for (std::size_t l = 0; l < layers.size(); ++l) sum += layers[l].ops * power(chosen[l]);
    return sum;
  }
};

std::vector<std::size_t> match_each(const Problem& p) {
  std::vector<std::size_t> chosen(p.layers.size(), kNone);
  for (std::size_t l = 0; l < p.layers.size(); ++l)
    for (const std::size_t c : preference(p.list, p.library, p.sigma.row(l)))
      if (p.power(c) <= 1 && p.sigma(l, c) <= p.tolerance[l].sigma) {
        chosen[l] = c;
        break;
      }
  return chosen;
}

// Empty where the budget does not suffice for any assignment.
std::vector<std::size_t> match_together(const Problem& p, const MatchOptions& options) {
  std::vector<std::vector<std::size_t>> of_layer;
  std::vector<std::vector<KnapsackOption>> items;
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    of_layer.push_back(preference(p.list, p.library, p.sigma.row(l)));
    const double most = std::max(options.sigma_limit, p.tolerance[l].sigma);
    std::erase_if(of_layer.back(),
                  [&](std::size_t c) { return p.power(c) > 1 || p.sigma(l, c) > most; });
    if (options.may_stay_exact) of_layer.back().push_back(kNone);
    items.emplace_back();
    for (const std::size_t c : of_layer.back())
      items.back().push_back({p.layers[l].ops * p.power(c), p.loss(l, c)});
  }
  std::vector<std::size_t> chosen = cheapest_within(items, p.budget());
  for (std::size_t l = 0; l < chosen.size(); ++l) chosen[l] = of_layer[l][chosen[l]];
  return chosen;
}

// The budget pays for what each layer tolerates by itself, but the knapsack rounds.
std::vector<std::size_t> choose(const Problem& p, const MatchOptions& options) {
  std::vector<std::size_t> each = match_each(p);
  if (options.rule == MatchRule::tolerance) return each;
  std::vector<std::size_t> together = match_together(p, options);
  const bool each_allowed =
      options.may_stay_exact || std::find(each.begin(), each.end(), kNone) == each.end();
  const bool rounded_away = together.empty() || p.energy(each) < p.energy(together);
  return each_allowed && rounded_away ? each : together.empty() ? each : together;
}

void check_budget_inputs(std::span<const LayerOperands> layers, const std::vector<Tolerance>& of) {
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (!(layers[l].ops > 0))
      throw InputError(707, "layer \"" + layers[l].name +
                                "\": attribute \"ops\" is unknown or 0; the budget rule needs it");
    else if (!(of[l].curvature > 0) || !std::isfinite(of[l].curvature))
      throw InputError(707, "layer \"" + layers[l].name + "\" has " +
                                (std::isnan(of[l].curvature)
                                     ? std::string("no loss_curvature")
                                     : "loss_curvature " + std::to_string(of[l].curvature)) +
                                "; the budget rule needs positive ones (axmul train search "
                                "writes them), or match with the tolerance rule");
}

}  // namespace

std::string_view to_string(MatchRule rule) {
  return rule == MatchRule::tolerance ? "tolerance" : "budget";
}

std::optional<MatchRule> parse_match_rule(std::string_view name) {
  for (const MatchRule rule : {MatchRule::tolerance, MatchRule::budget})
    if (name == to_string(rule)) return rule;
  return std::nullopt;
}

MatchReport match(std::span<const LayerOperands> layers, std::span<const Multiplier> library,
                  const PredictionMatrix& predictions, std::span<const LayerSigma> sigmas,
                  const MatchOptions& options) {
  if (predictions.layers != layers.size() || predictions.multipliers != library.size())
    throw UsageError(709, "predictions are for " + std::to_string(predictions.layers) +
                              " layers and " + std::to_string(predictions.multipliers) +
                              " multipliers, not for " + std::to_string(layers.size()) + " and " +
                              std::to_string(library.size()));
  const std::map<std::string, Tolerance> of_layer = tolerances(layers, sigmas);
  MatchReport report;
  Problem problem{layers, library, candidates(library, report), {}, {}};
  for (const LayerOperands& layer : layers) problem.tolerance.push_back(of_layer.at(layer.name));
  if (options.rule == MatchRule::budget) check_budget_inputs(layers, problem.tolerance);
  problem.sigma = relative_sigmas(layers, problem.list, predictions, options.bias_folding);
  const std::vector<std::size_t> chosen = choose(problem, options);
  double energy = options.ops_not_covered, ops = options.ops_not_covered;
  report.loss_rise = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::size_t c = chosen[l];
    LayerMatch match;
    match.layer = layers[l].name;
    match.threshold = problem.tolerance[l].sigma;
    match.ops = layers[l].ops;
    match.power_rel = problem.power(c);
    const bool exact = c == kNone;
    match.none_fits = exact && options.rule == MatchRule::tolerance;
    match.multiplier = exact ? "exact" : library[problem.list[c].index].name;
    match.sha256 = exact ? "" : problem.list[c].sha256;
    match.sigma_rel = exact ? 0 : problem.sigma(l, c);
    energy += match.ops * match.power_rel;
    if (exact && !options.may_stay_exact) energy = HUGE_VAL;
    ops += match.ops;
    report.loss_rise += problem.loss(l, c);
    report.layers.push_back(std::move(match));
  }
  report.loss_budget = problem.budget();
  if (std::isnan(report.loss_budget)) report.loss_rise = report.loss_budget;
  report.relative_energy = ops > 0 ? energy / ops : 1.0;
  return report;
}

}  // namespace axmul
