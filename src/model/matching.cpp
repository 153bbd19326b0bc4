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

[[noreturn]] void refuse(const LayerOperands& layer, const std::string& what) {
  throw InputError(707, "layer \"" + layer.name + "\": " + what);
}

// What a layer must tell of itself for any multiplier to be matched.
void check_layer_facts(const LayerOperands& layer, bool exact, const Evidence& evidence) {
  if (!(layer.ops > 0))
    refuse(layer,
           "attribute \"ops\" (multiplications per image) is unknown or 0; matching needs it");
  if (exact) return;
  if (std::isnan(layer.output_std) && has_unequal_scales(layer))
    refuse(layer,
           "b_scale differs between channels, so attribute \"output_std_real\" (standard deviation "
           "of the real outputs) is needed, output_std of the integer sums does not do; trace the "
           "network again");
  if (!(layer.output_std > 0))
    refuse(layer, "attribute \"output_std\" is unknown or 0; matching needs it");
  if (evidence.receptive_fields == 1)
    refuse(layer, "one receptive field tells no σ; trace or use (--patches) more of them");
  if (!evidence.outputs_vary)
    refuse(layer,
           "no exact sum differs between its receptive fields, so they tell no σ; trace inputs "
           "that differ");
}

// Which layers stay exact whatever comes.
std::vector<bool> exact_ones(std::span<const LayerOperands> layers, const MatchOptions& options) {
  std::vector<bool> exact(layers.size(), false);
  for (const std::string& name : options.exact_layers) {
    const auto at = std::find_if(layers.begin(), layers.end(),
                                 [&](const LayerOperands& layer) { return layer.name == name; });
    if (at == layers.end())
      throw InputError(707, "there is no layer \"" + name + "\" that could stay exact");
    exact[static_cast<std::size_t>(at - layers.begin())] = true;
  }
  return exact;
}

// Of every layer, exactly one each; an exact layer may have one, which costs nothing.
std::vector<Tolerance> tolerances(std::span<const LayerOperands> layers,
                                  std::span<const LayerSigma> sigmas,
                                  const std::vector<bool>& exact) {
  std::map<std::string, Tolerance> of_layer;
  std::set<std::string> known;
  for (const LayerSigma& s : sigmas) {
    if (!std::isfinite(s.sigma_l))
      throw InputError(707, "sigma of layer \"" + s.layer + "\" is not a finite number");
    if (!of_layer.emplace(s.layer, Tolerance{std::fabs(s.sigma_l), s.loss_curvature}).second)
      throw InputError(707, "layer \"" + s.layer + "\" has two sigmas; give one");
  }
  std::vector<Tolerance> list;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerOperands& layer = layers[l];
    if (!known.insert(layer.name).second)
      throw InputError(707, "two layers are named \"" + layer.name + "\"");
    const auto found = of_layer.find(layer.name);
    list.push_back(found == of_layer.end() ? Tolerance{0, 0} : found->second);
    if (exact[l])
      list.back().curvature = 0;
    else if (found == of_layer.end())
      throw InputError(
          707, "layer \"" + layer.name + "\" of the traces has no sigma; add it to the sigma file");
  }
  for (const auto& [name, tolerance] : of_layer)
    if (!known.contains(name))
      throw InputError(707, "the sigma file names layer \"" + name +
                                "\", which the traces do not have; remove it or trace it");
  return list;
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
  bool error_free;
};

// Whether a figure makes a multiplier one that may be chosen.
bool is_cost(double power_rel) { return power_rel > 0 && std::isfinite(power_rel); }

bool has_energy(const LayerEnergies& energies, std::size_t multiplier) {
  for (std::size_t l = 0; l < energies.power_rel.rows(); ++l)
    if (is_cost(energies.power_rel(l, multiplier))) return true;
  return false;
}

std::vector<Candidate> candidates(std::span<const Multiplier> library,
                                  const LayerEnergies& energies, MatchReport& report) {
  std::vector<Candidate> list;
  std::map<OperandType, std::string> exact_sha256;
  for (std::size_t j = 0; j < library.size(); ++j) {
    const Cost& cost = library[j].cost;
    if (energies.empty() ? !is_cost(cost.power_rel) : !has_energy(energies, j)) {
      ++report.without_cost;
      continue;
    }
    if (!list.empty() && energies.empty()) {
      const Multiplier& first = library[list.front().index];
      if (first.cost.source != cost.source || first.cost.technology != cost.technology)
        throw InputError(708, "costs of different origin cannot be compared: " + describe(first) +
                                  " and " + describe(library[j]) +
                                  "; leave one of them out or give both the same kind of cost");
    }
    std::string sha256 = library[j].lut.sha256();
    std::string& exact = exact_sha256[library[j].lut.type()];
    if (exact.empty()) exact = Lut::exact(library[j].lut.type()).sha256();
    const bool error_free = sha256 == exact;
    list.push_back({j, std::move(sha256), error_free});
  }
  if (!energies.empty()) {
    report.source = energies.source;
    report.technology = "unit-gate";
  } else if (!list.empty()) {
    report.source = library[list.front().index].cost.source;
    report.technology = library[list.front().index].cost.technology;
  }
  return list;
}

[[noreturn]] void refuse_sigma(const PredictionMatrix& predictions, const Prediction& p,
                               const std::string& pair, const MatchOptions& options) {
  if (options.pessimistic && std::isnan(p.sigma_bound))
    throw UsageError(709,
                     "pessimistic matching compares the larger σ of the models sampled and "
                     "permutation, which these predictions do not have");
  if (options.bias_folding && std::isnan(p.sigma_corrected))
    throw UsageError(709, "model " + std::string(to_string(predictions.model)) +
                              " has no sigma_corrected for " + pair +
                              ", which bias folding compares; use permutation, stratified or "
                              "sampled, or match without folding");
  throw UsageError(709, "the predicted σ of " + pair + " is no number from 0 up");
}

// The compared σ over output_std [layer, candidate]; 0 for exact layers.
Array2<double> relative_sigmas(std::span<const LayerOperands> layers,
                               std::span<const Multiplier> library,
                               const std::vector<Candidate>& list, const std::vector<bool>& exact,
                               const PredictionMatrix& predictions, const MatchOptions& options) {
  Array2<double> sigma(layers.size(), list.size());
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t c = 0; c < list.size() && !exact[l]; ++c) {
      const Prediction& p = predictions(l, list[c].index);
      const double value = compared_sigma(p, options);
      if (!(value >= 0))
        refuse_sigma(predictions, p, layers[l].name + " × " + library[list[c].index].name, options);
      sigma(l, c) = value / layers[l].output_std;
    }
  return sigma;
}

// Everything the two rules choose from, layer by layer.
struct Problem {
  std::span<const LayerOperands> layers;
  std::span<const Multiplier> library;
  std::vector<Candidate> list;
  std::vector<bool> exact;  // layers that stay so
  std::vector<Tolerance> tolerance;
  const LayerEnergies& energies;
  Array2<double> sigma;  // relative, [layer, candidate]

  double power(std::size_t l, std::size_t candidate) const {
    if (candidate == kExact) return 1;
    const std::size_t j = list[candidate].index;
    return energies.empty() ? library[j].cost.power_rel : energies.power_rel(l, j);
  }
  // Of a layer's exact multiplier for all its multiplications.
  double exact_energy(std::size_t l) const {
    return layers[l].ops * (energies.empty() ? 1.0 : energies.exact[l]);
  }
  bool fits(std::size_t l, std::size_t candidate, double most) const {
    return power(l, candidate) > 0 && power(l, candidate) <= 1 && sigma(l, candidate) <= most;
  }
  double loss(std::size_t l, std::size_t candidate) const {
    return candidate == kExact ? 0.0
                               : tolerance[l].curvature * sigma(l, candidate) * sigma(l, candidate);
  }
  double budget() const {
    double sum = 0;
    for (const Tolerance& t : tolerance) sum += t.curvature * t.sigma * t.sigma;
    return sum;
  }
  double energy(const std::vector<std::size_t>& chosen) const {
    double sum = 0;
    for (std::size_t l = 0; l < layers.size(); ++l) sum += exact_energy(l) * power(l, chosen[l]);
    return sum;
  }
};

// By rising power, then σ in that layer, then hash.
std::vector<std::size_t> preference(const Problem& p, std::size_t l) {
  std::vector<std::size_t> order;
  // NaN, where a multiplier has no energy in that layer, has no place in an order.
  for (std::size_t c = 0; c < p.list.size(); ++c)
    if (is_cost(p.power(l, c))) order.push_back(c);
  const auto key = [&](std::size_t c) {
    return std::tuple<double, double, const std::string&>(p.power(l, c), p.sigma(l, c),
                                                          p.list[c].sha256);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return key(x) < key(y); });
  return order;
}

std::vector<std::size_t> match_each(const Problem& p) {
  std::vector<std::size_t> chosen(p.layers.size(), kExact);
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    if (p.exact[l]) continue;
    for (const std::size_t c : preference(p, l))
      if (p.fits(l, c, p.tolerance[l].sigma) &&
          (p.tolerance[l].sigma > 0 || p.list[c].error_free)) {
        chosen[l] = c;
        break;
      }
  }
  return chosen;
}

// Empty where the budget does not suffice for any assignment.
std::vector<std::size_t> match_together(const Problem& p, const MatchOptions& options) {
  std::vector<std::vector<std::size_t>> of_layer;
  std::vector<std::vector<KnapsackOption>> items;
  const bool nothing_tolerated = p.budget() == 0;
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    of_layer.push_back(p.exact[l] ? std::vector<std::size_t>() : preference(p, l));
    const double most = std::max(options.sigma_limit, p.tolerance[l].sigma);
    std::erase_if(of_layer.back(), [&](std::size_t c) {
      return !p.fits(l, c, most) || (nothing_tolerated && !p.list[c].error_free);
    });
    if (options.may_stay_exact || p.exact[l]) of_layer.back().push_back(kExact);
    items.emplace_back();
    for (const std::size_t c : of_layer.back())
      items.back().push_back({p.exact_energy(l) * p.power(l, c), p.loss(l, c)});
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
  bool each_allowed = true;
  for (std::size_t l = 0; l < each.size(); ++l)
    each_allowed = each_allowed && (options.may_stay_exact || p.exact[l] || each[l] != kExact);
  const bool rounded_away = together.empty() || p.energy(each) < p.energy(together);
  return each_allowed && rounded_away ? each : together.empty() ? each : together;
}

void check_budget_inputs(std::span<const LayerOperands> layers, const std::vector<Tolerance>& of,
                         const std::vector<bool>& exact) {
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (!exact[l] && (!(of[l].curvature > 0) || !std::isfinite(of[l].curvature)))
      throw InputError(707, "layer \"" + layers[l].name + "\" has " +
                                (std::isnan(of[l].curvature)
                                     ? std::string("no loss_curvature")
                                     : "loss_curvature " + std::to_string(of[l].curvature)) +
                                "; the budget rule needs positive ones (axmul train search "
                                "writes them), or match with the tolerance rule");
}

void check_energies(const LayerEnergies& energies, std::size_t layers, std::size_t library) {
  if (energies.empty() || (energies.power_rel.rows() == layers &&
                           energies.power_rel.cols() == library && energies.exact.size() == layers))
    return;
  throw UsageError(709, "energies are for " + std::to_string(energies.power_rel.rows()) +
                            " layers and " + std::to_string(energies.power_rel.cols()) +
                            " multipliers, not for " + std::to_string(layers) + " and " +
                            std::to_string(library));
}

LayerMatch match_of(const Problem& p, const PredictionMatrix& predictions, std::size_t l,
                    std::size_t c, MatchRule rule) {
  LayerMatch match;
  match.layer = p.layers[l].name;
  match.threshold = p.tolerance[l].sigma;
  match.ops = p.layers[l].ops;
  match.power_rel = p.power(l, c);
  if (!p.energies.empty()) match.exact_energy = p.energies.exact[l];
  if (c == kExact) {
    match.none_fits = rule == MatchRule::tolerance && !p.exact[l];
    return match;
  }
  match.index = p.list[c].index;
  const Prediction& prediction = predictions(l, match.index);
  match.multiplier = p.library[match.index].name;
  match.sha256 = p.list[c].sha256;
  match.sigma_rel = prediction.sigma_acc / p.layers[l].output_std;
  match.sigma_corrected_rel = prediction.sigma_corrected / p.layers[l].output_std;
  match.sigma_compared = p.sigma(l, c);
  match.effective_fields = prediction.effective_fields;
  match.fields_90 = prediction.fields_90;
  return match;
}

}  // namespace

double compared_sigma(const Prediction& p, const MatchOptions& options) {
  if (options.pessimistic) return options.bias_folding ? p.sigma_corrected_bound : p.sigma_bound;
  return options.bias_folding ? p.sigma_corrected : p.sigma_acc;
}

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
  const std::vector<bool> exact = exact_ones(layers, options);
  const std::vector<Tolerance> tolerated = tolerances(layers, sigmas, exact);
  for (std::size_t l = 0; l < layers.size(); ++l)
    check_layer_facts(layers[l], exact[l],
                      predictions.evidence.size() == layers.size()
                          ? predictions.evidence[l]
                          : Evidence{layers[l].patch_count});
  MatchReport report;
  check_energies(options.energies, layers.size(), library.size());
  Problem problem{layers, library,   candidates(library, options.energies, report),
                  exact,  tolerated, options.energies,
                  {}};
  if (options.rule == MatchRule::budget) check_budget_inputs(layers, tolerated, exact);
  problem.sigma = relative_sigmas(layers, library, problem.list, exact, predictions, options);
  const std::vector<std::size_t> chosen = choose(problem, options);
  double energy = options.ops_not_covered, exact_energy = energy, ops = energy;
  report.loss_rise = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::size_t c = chosen[l];
    report.layers.push_back(match_of(problem, predictions, l, c, options.rule));
    energy += problem.exact_energy(l) * problem.power(l, c);
    if (c == kExact && !options.may_stay_exact && !exact[l]) energy = HUGE_VAL;
    exact_energy += problem.exact_energy(l);
    ops += layers[l].ops;
    report.loss_rise += problem.loss(l, c);
  }
  report.loss_budget = problem.budget();
  if (std::isnan(report.loss_budget)) report.loss_rise = report.loss_budget;
  report.relative_energy = exact_energy > 0 ? energy / exact_energy : 1.0;
  report.coverage = {ops - options.ops_not_covered, options.ops_not_covered,
                     options.calls_not_counted};
  return report;
}

}  // namespace axmul
