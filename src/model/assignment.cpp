// Few distinct multipliers by k-means, and the greedy baseline.
#include "axmul/model/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"

namespace axmul {
namespace {

double squared_distance(std::span<const double> x, std::span<const double> y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

std::size_t nearest(std::span<const double> row, const std::vector<std::vector<double>>& centres) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < centres.size(); ++c)
    if (const double d = squared_distance(row, centres[c]); d < least) {
      least = d;
      best = c;
    }
  return best;
}

// k-means++: each further centre is a row drawn with probability proportional to its squared
// distance from the centres so far.
std::vector<std::vector<double>> first_centres(const Array2<double>& rows, std::size_t k,
                                               std::uint64_t seed) {
  Philox random(seed);
  std::vector<std::vector<double>> centres;
  std::size_t next = static_cast<std::size_t>(random.next_below(rows.rows()));
  for (;;) {
    const auto row = rows.row(next);
    centres.emplace_back(row.begin(), row.end());
    if (centres.size() == k) return centres;
    std::vector<double> upto;
    double total = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r)
      upto.push_back(total +=
                     squared_distance(rows.row(r), centres[nearest(rows.row(r), centres)]));
    if (total == 0) return centres;  // all rows are centres already
    const double drawn = random.next_double() * total;
    next =
        static_cast<std::size_t>(std::upper_bound(upto.begin(), upto.end(), drawn) - upto.begin());
    next = std::min(next, rows.rows() - 1);
  }
}

// σ over what the layer tolerates, [layer, candidate]; compared on a logarithmic scale and cut off
// far from 1, where it matters no more how well or how badly a multiplier fits. Rows of the layers
// named by `free`.
Array2<double> preferences(std::span<const LayerOperands> layers, std::span<const std::size_t> free,
                           const PredictionMatrix& predictions, std::span<const double> tolerated,
                           std::span<const std::size_t> candidates, const MatchOptions& options) {
  Array2<double> rows(free.size(), candidates.size());
  for (std::size_t r = 0; r < free.size(); ++r)
    for (std::size_t j = 0; j < candidates.size(); ++j) {
      const std::size_t l = free[r];
      const Prediction& p = predictions(l, candidates[j]);
      const double ratio =
          compared_sigma(p, options) / std::max(tolerated[l] * layers[l].output_std, 1e-300);
      rows(r, j) = std::log2(std::clamp(ratio, 1.0 / 16, 16.0));
    }
  return rows;
}

// The problem, to be solved with few of the multipliers.
struct Problem {
  std::span<const LayerOperands> layers;
  std::span<const Multiplier> library;
  const PredictionMatrix& predictions;
  std::span<const LayerSigma> sigmas;
  const MatchOptions& options;

  // match() with these of the library only; the exact one counts as one of them.
  MatchReport solve(std::span<const std::size_t> allowed) const {
    MatchOptions with = options;
    with.may_stay_exact = false;
    PredictionMatrix part;
    part.model = predictions.model;
    part.layers = layers.size();
    part.evidence = predictions.evidence;
    std::vector<Multiplier> chosen;
    for (const std::size_t j : allowed)
      if (j == kExact)
        with.may_stay_exact = true;
      else
        chosen.push_back(library[j]);
    part.multipliers = chosen.size();
    if (!options.energies.empty()) {
      with.energies.power_rel = Array2<double>(layers.size(), chosen.size());
      for (std::size_t l = 0; l < layers.size(); ++l) {
        std::size_t c = 0;
        for (const std::size_t j : allowed)
          if (j != kExact) with.energies.power_rel(l, c++) = options.energies.power_rel(l, j);
      }
    }
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (const std::size_t j : allowed)
        if (j != kExact) part.cells.push_back(predictions(l, j));
    MatchReport report = match(layers, chosen, part, sigmas, with);
    std::vector<std::size_t> index(allowed.begin(), allowed.end());
    std::erase(index, kExact);
    for (LayerMatch& m : report.layers)
      if (m.index != kExact) m.index = index[m.index];
    return report;
  }
  double energy(std::span<const std::size_t> allowed) const {
    return solve(allowed).relative_energy;
  }
  // Power of a multiplier over the exact one's in all these layers.
  double power_rel(std::size_t j, std::span<const std::size_t> members) const {
    if (options.energies.empty()) return library[j].cost.power_rel;
    double energy = 0, exact = 0;
    for (const std::size_t l : members) {
      const double one = layers[l].ops * options.energies.exact[l];
      energy += one * options.energies.power_rel(l, j);
      exact += one;
    }
    return energy / exact;
  }
  // The cheapest of the candidates whose σ all these layers tolerate, or the exact one.
  std::size_t common(std::span<const std::size_t> members, std::span<const std::size_t> candidates,
                     std::span<const double> tolerated) const {
    std::size_t best = kExact;
    auto least = std::make_tuple(1.0, HUGE_VAL, std::string());
    for (const std::size_t j : candidates) {
      double worst = 0;
      bool all = true;
      for (const std::size_t l : members) {
        const Prediction& p = predictions(l, j);
        const double sigma = compared_sigma(p, options) / layers[l].output_std;
        all = all && sigma <= tolerated[l];
        worst = std::max(worst, sigma);
      }
      auto key = std::make_tuple(power_rel(j, members), worst, library[j].lut.sha256());
      if (all && key < least) {
        least = std::move(key);
        best = j;
      }
    }
    return best;
  }
};

// Adds, while there is room, or replaces one of the allowed as long as that saves energy.
void improve(const Problem& problem, std::vector<std::size_t> candidates, std::size_t most,
             std::vector<std::size_t>& allowed) {
  candidates.push_back(kExact);
  double energy = problem.energy(allowed);
  for (bool better = true; better;) {
    better = false;
    std::vector<std::size_t> best = allowed;
    for (std::size_t slot = 0; slot < std::min(most, allowed.size() + 1); ++slot)
      for (const std::size_t j : candidates) {
        if (std::find(allowed.begin(), allowed.end(), j) != allowed.end()) continue;
        std::vector<std::size_t> changed = allowed;
        if (slot == changed.size())
          changed.push_back(j);
        else
          changed[slot] = j;
        const double now = problem.energy(changed);
        if (now < energy) {
          energy = now;
          best = std::move(changed);
          better = true;
        }
      }
    allowed = std::move(best);
  }
}

}  // namespace

std::vector<std::size_t> k_means(const Array2<double>& rows, std::size_t k, std::uint64_t seed) {
  std::vector<std::size_t> group(rows.rows(), 0);
  if (rows.rows() == 0 || k == 0) return group;
  auto centres = first_centres(rows, std::min(k, rows.rows()), seed);
  constexpr int kMostIterations = 100;
  for (int i = 0; i < kMostIterations; ++i) {
    bool moved = i == 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      const std::size_t to = nearest(rows.row(r), centres);
      moved = moved || to != group[r];
      group[r] = to;
    }
    if (!moved) break;
    for (std::size_t c = 0; c < centres.size(); ++c) {
      std::vector<double> sum(rows.cols(), 0.0);
      double members = 0;
      for (std::size_t r = 0; r < rows.rows(); ++r)
        if (group[r] == c) {
          ++members;
          for (std::size_t j = 0; j < rows.cols(); ++j) sum[j] += rows(r, j);
        }
      for (std::size_t j = 0; j < rows.cols() && members > 0; ++j) centres[c][j] = sum[j] / members;
    }
  }
  return group;
}

MatchReport match_at_most(std::span<const LayerOperands> layers,
                          std::span<const Multiplier> library, const PredictionMatrix& predictions,
                          std::span<const LayerSigma> sigmas, const MatchOptions& options,
                          std::size_t most, std::uint64_t seed) {
  if (most == 0) throw UsageError(971, "at least one distinct multiplier must be allowed");
  // The plain match checks all inputs, and is the answer where it is frugal enough.
  MatchReport report = match(layers, library, predictions, sigmas, options);
  std::vector<std::size_t> free;  // layers that need not stay exact
  std::set<std::string> distinct;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& exact = options.exact_layers;
    if (std::find(exact.begin(), exact.end(), layers[l].name) != exact.end()) continue;
    free.push_back(l);
    distinct.insert(report.layers[l].sha256);
  }
  if (distinct.size() <= most) return report;

  const Problem problem{layers, library, predictions, sigmas, options};
  std::vector<std::size_t> all_layers(layers.size());
  std::iota(all_layers.begin(), all_layers.end(), std::size_t{0});
  std::vector<std::size_t> candidates;
  for (std::size_t j = 0; j < library.size(); ++j)
    if (const double power = problem.power_rel(j, all_layers); power > 0 && std::isfinite(power))
      candidates.push_back(j);
  std::vector<double> tolerated;
  for (const LayerMatch& m : report.layers) tolerated.push_back(m.threshold);
  const auto group =
      k_means(preferences(layers, free, predictions, tolerated, candidates, options), most, seed);
  std::set<std::size_t> chosen;
  for (std::size_t g = 0; g < most; ++g) {
    std::vector<std::size_t> members;
    for (std::size_t r = 0; r < free.size(); ++r)
      if (group[r] == g) members.push_back(free[r]);
    if (!members.empty()) chosen.insert(problem.common(members, candidates, tolerated));
  }
  std::vector<std::size_t> allowed(chosen.begin(), chosen.end());
  improve(problem, candidates, most, allowed);
  const std::size_t without_cost = report.without_cost;
  report = problem.solve(allowed);
  report.without_cost = without_cost;
  if (report.source.empty() && !options.energies.empty()) {
    report.source = options.energies.source;
    report.technology = "unit-gate";
  } else if (report.source.empty() && !candidates.empty()) {
    report.source = library[candidates.front()].cost.source;
    report.technology = library[candidates.front()].cost.technology;
  }
  return report;
}

std::vector<std::size_t> greedy_assignment(std::span<const double> ops,
                                           std::span<const std::vector<LayerOption>> options,
                                           double energy) {
  constexpr double kLeastDamage = 1e-6;  // below it changes differ by what they save only
  std::vector<LayerOption> now(ops.size(), {kExact, 1, 0});
  double total = 0, spent = 0;
  for (const double o : ops) total += o;
  spent = total;
  while (spent > energy * total) {
    double best = 0;
    std::size_t layer = kExact;
    LayerOption change;
    for (std::size_t l = 0; l < ops.size(); ++l)
      for (const LayerOption& option : options[l]) {
        const double saved = ops[l] * (now[l].power_rel - option.power_rel);
        const double rate = saved / std::max(kLeastDamage, option.damage - now[l].damage);
        if (saved > 0 && rate > best) {
          best = rate;
          layer = l;
          change = option;
        }
      }
    if (layer == kExact) break;
    spent -= ops[layer] * (now[layer].power_rel - change.power_rel);
    now[layer] = change;
  }
  std::vector<std::size_t> chosen;
  chosen.reserve(now.size());
  for (const LayerOption& option : now) chosen.push_back(option.multiplier);
  return chosen;
}

}  // namespace axmul
