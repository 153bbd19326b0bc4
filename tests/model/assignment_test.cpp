// Assignments with few distinct multipliers and the greedy baseline, against exhaustive search.
#include "axmul/model/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// A matching problem without operands: σ_corrected of layer l with multiplier j.
struct Problem {
  std::vector<LayerOperands> layers;
  std::vector<Multiplier> library;
  PredictionMatrix predictions;
  std::vector<LayerSigma> sigmas;
};

Problem random_problem(std::uint64_t seed, std::size_t layers, std::size_t multipliers) {
  Philox random(seed), curvature(seed + 1000);
  Problem p;
  for (std::size_t l = 0; l < layers; ++l) {
    LayerOperands layer;
    layer.name = "layer" + std::to_string(l);
    layer.ops = 1 + static_cast<double>(random.next_below(100));
    layer.output_std = 10 + 100 * random.next_double();
    p.layers.push_back(layer);
    p.sigmas.push_back(
        {layer.name, 0.02 + 0.4 * random.next_double(), 0.1 + curvature.next_double()});
  }
  for (std::size_t j = 0; j < multipliers; ++j) {
    Multiplier m{"m" + std::to_string(j), test::random_lut(OperandType::u8u8, seed * 100 + j)};
    m.cost.power_rel = 0.05 + 0.9 * random.next_double();
    m.cost.source = "published";
    m.cost.technology = "T";
    p.library.push_back(m);
  }
  p.predictions.layers = layers;
  p.predictions.multipliers = multipliers;
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t j = 0; j < multipliers; ++j) {
      Prediction prediction;
      // Cheaper is worse, up to chance.
      prediction.sigma_corrected = p.layers[l].output_std * 0.3 *
                                   (1 - p.library[j].cost.power_rel) * (0.3 + random.next_double());
      p.predictions.cells.push_back(prediction);
    }
  return p;
}

bool fits(const Problem& p, std::size_t l, std::size_t j) {
  return p.predictions(l, j).sigma_corrected <= p.sigmas[l].sigma_l * p.layers[l].output_std;
}

// The least energy with the multipliers in `set`, or nothing where a layer would need the exact one
// and that is not allowed.
std::optional<double> energy_with(const Problem& p, const std::vector<std::size_t>& set,
                                  bool exact_allowed) {
  double energy = 0, ops = 0;
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    double best = exact_allowed ? 1.0 : HUGE_VAL;
    for (const std::size_t j : set)
      if (fits(p, l, j)) best = std::min(best, p.library[j].cost.power_rel);
    energy += p.layers[l].ops * best;
    ops += p.layers[l].ops;
  }
  if (!std::isfinite(energy)) return std::nullopt;
  return energy / ops;
}

// By trying all sets of at most two, the exact multiplier counted.
double best_of_two(const Problem& p) {
  double best = 1.0;
  for (std::size_t i = 0; i < p.library.size(); ++i) {
    best = std::min(best, energy_with(p, {i}, true).value_or(1.0));
    for (std::size_t j = 0; j < i; ++j)
      best = std::min(best, energy_with(p, {i, j}, false).value_or(1.0));
  }
  return best;
}

std::size_t distinct(const MatchReport& report) {
  std::set<std::string> hashes;
  for (const LayerMatch& m : report.layers) hashes.insert(m.sha256);
  return hashes.size();
}

}  // namespace

TEST_CASE("k-means finds groups that are plainly there, and is the same every time") {
  Array2<double> rows(30, 3);
  Philox random(2);
  for (std::size_t r = 0; r < 30; ++r)
    for (std::size_t c = 0; c < 3; ++c)
      rows(r, c) = 10.0 * static_cast<double>(r % 3 == c) + random.next_double();
  const auto group = k_means(rows, 3, 5);
  CHECK(group == k_means(rows, 3, 5));
  for (std::size_t r = 0; r < 30; ++r) CHECK(group[r] == group[r % 3]);
  CHECK(std::set<std::size_t>(group.begin(), group.end()).size() == 3);
  // One group, more groups than rows, and rows that coincide.
  const auto one = k_means(rows, 1, 5);
  CHECK(std::count(one.begin(), one.end(), 0u) == 30);
  CHECK(k_means(Array2<double>(4, 2, 1.0), 3, 1) == std::vector<std::size_t>(4, 0));
  const auto all = k_means(rows, 100, 1);
  CHECK(std::set<std::size_t>(all.begin(), all.end()).size() == 30);
  CHECK(k_means(Array2<double>(), 3, 1).empty());
}

TEST_CASE(
    "few distinct multipliers within a budget are the best single one and nearly the best pair") {
  double lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const Problem p = random_problem(seed, 8, 10);
    MatchOptions options;
    options.rule = MatchRule::budget;
    const auto least = [&](std::vector<std::size_t> set, bool exact) {
      MatchOptions with = options;
      with.may_stay_exact = exact;
      std::vector<Multiplier> library;
      PredictionMatrix part;
      part.layers = p.layers.size();
      part.multipliers = set.size();
      for (const std::size_t j : set) library.push_back(p.library[j]);
      for (std::size_t l = 0; l < p.layers.size(); ++l)
        for (const std::size_t j : set) part.cells.push_back(p.predictions(l, j));
      return match(p.layers, library, part, p.sigmas, with).relative_energy;
    };
    const MatchReport free = match(p.layers, p.library, p.predictions, p.sigmas, options);
    for (const std::size_t n : {1u, 2u, 3u}) {
      const MatchReport report =
          match_at_most(p.layers, p.library, p.predictions, p.sigmas, options, n, 3);
      CHECK(distinct(report) <= n);
      CHECK(report.loss_rise <= report.loss_budget * (1 + 1e-12));
      CHECK(report.relative_energy >= free.relative_energy - 1e-12);
      double best = 1;
      for (std::size_t i = 0; i < p.library.size(); ++i) best = std::min(best, least({i}, false));
      if (n == 1) CHECK(report.relative_energy == doctest::Approx(best));
      if (n != 2) continue;
      for (std::size_t i = 0; i < p.library.size(); ++i) {
        best = std::min(best, least({i}, true));
        for (std::size_t j = 0; j < i; ++j) best = std::min(best, least({i, j}, false));
      }
      CHECK(report.relative_energy >= best - 1e-12);
      lost += (report.relative_energy - best) / 20;
    }
  }
  MESSAGE("energy above the best pair, mean of 20: ", lost);
  CHECK(lost < 0.01);
}

TEST_CASE("at most n distinct multipliers, each tolerated, and never better than the free choice") {
  double lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const Problem p = random_problem(seed, 12, 15);
    const MatchReport free = match(p.layers, p.library, p.predictions, p.sigmas);
    for (const std::size_t n : {1u, 2u, 3u, 5u, 20u}) {
      CAPTURE(n);
      const MatchReport report =
          match_at_most(p.layers, p.library, p.predictions, p.sigmas, {}, n, 3);
      CHECK(distinct(report) <= n);
      CHECK(report.relative_energy >= free.relative_energy - 1e-12);
      double energy = 0, ops = 0;
      for (std::size_t l = 0; l < p.layers.size(); ++l) {
        const LayerMatch& m = report.layers[l];
        energy += p.layers[l].ops * m.power_rel;
        ops += p.layers[l].ops;
        if (m.none_fits) continue;
        const auto j = static_cast<std::size_t>(std::stoul(m.multiplier.substr(1)));
        CHECK(fits(p, l, j));
        CHECK(m.index == j);
        CHECK(m.power_rel == p.library[j].cost.power_rel);
      }
      CHECK(report.relative_energy == doctest::Approx(energy / ops));
      if (n == 1) {  // exact for all, or the one that all tolerate
        double best = 1.0;
        for (std::size_t j = 0; j < p.library.size(); ++j)
          best = std::min(best, energy_with(p, {j}, false).value_or(1.0));
        CHECK(report.relative_energy == doctest::Approx(best));
      }
      if (n == 2) {
        const double best = best_of_two(p);
        CHECK(report.relative_energy >= best - 1e-12);
        lost += report.relative_energy - best;
      }
      if (n == 20) CHECK(report.relative_energy == doctest::Approx(free.relative_energy));
    }
  }
  // A heuristic: on average within two hundredths of the exact multiplier of the best pair.
  MESSAGE("energy above the best pair, mean of 40: " << lost / 40);
  CHECK(lost / 40 < 0.02);
}

TEST_CASE("layers that stay exact are none of the n, and change nothing for the others") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Problem p = random_problem(seed, 12, 15);
    MatchOptions options;
    options.exact_layers = {p.layers[0].name, p.layers[7].name};
    const MatchReport with =
        match_at_most(p.layers, p.library, p.predictions, p.sigmas, options, 2, 3);
    for (const std::size_t l : {7u, 0u}) {  // the same without them
      const auto at = static_cast<std::ptrdiff_t>(l);
      p.layers.erase(p.layers.begin() + at);
      p.sigmas.erase(p.sigmas.begin() + at);
      auto& cells = p.predictions.cells;
      cells.erase(cells.begin() + at * 15, cells.begin() + (at + 1) * 15);
      --p.predictions.layers;
    }
    const MatchReport without =
        match_at_most(p.layers, p.library, p.predictions, p.sigmas, {}, 2, 3);
    CHECK(with.layers[0].multiplier == "exact");
    CHECK(with.layers[7].multiplier == "exact");
    std::size_t l = 0;
    for (const LayerMatch& m : with.layers) {
      if (m.layer == with.layers[0].layer || m.layer == with.layers[7].layer) continue;
      CHECK(m.layer == without.layers[l].layer);
      CHECK(m.index == without.layers[l++].index);
    }
    CHECK(l == 10);
  }
}

TEST_CASE("free, costless and mixed multipliers are treated as matching treats them") {
  Problem p = random_problem(9, 5, 6);
  CHECK_THROWS_AS(match_at_most(p.layers, p.library, p.predictions, p.sigmas, {}, 0), UsageError);
  // An all-zero multiplier at no power, and one of unknown power, are never chosen.
  Multiplier zero{"zero", Lut::from_function(OperandType::u8u8, [](int, int) { return 0; })};
  zero.cost = p.library[0].cost;
  zero.cost.power_rel = 0;
  p.library[2] = zero;
  p.library[3].cost.power_rel = std::nan("");
  for (std::size_t l = 0; l < 5; ++l)
    for (const std::size_t j : {2u, 3u}) p.predictions.cells[l * 6 + j].sigma_corrected = 0;
  for (const std::size_t n : {1u, 2u, 6u}) {
    const MatchReport report = match_at_most(p.layers, p.library, p.predictions, p.sigmas, {}, n);
    CHECK(report.without_cost == 2);
    for (const LayerMatch& m : report.layers) {
      CHECK(m.multiplier != "zero");
      CHECK(m.multiplier != "m3");
    }
  }
  p.library[4].cost.technology = "another";
  bool mixed = false;
  try {
    match_at_most(p.layers, p.library, p.predictions, p.sigmas, {}, 2);
  } catch (const InputError& error) {
    mixed = error.id() == 708;
  }
  CHECK(mixed);
}

TEST_CASE("greedy takes the change that saves most per damage until the energy is reached") {
  const std::vector<double> ops = {100, 300};
  const std::vector<std::vector<LayerOption>> options = {{{0, 0.5, 0.1}, {1, 0.2, 2.0}},
                                                         {{0, 0.5, 0.9}, {1, 0.2, 1.0}}};
  using Choice = std::vector<std::size_t>;
  CHECK(greedy_assignment(ops, options, 1.0) == Choice{kExact, kExact});
  // Rates from exact: layer 0: 500, 40; layer 1: 167, 240. So layer 0 first, then layer 1 to 1.
  CHECK(greedy_assignment(ops, options, 0.9) == Choice{0, kExact});
  CHECK(greedy_assignment(ops, options, 0.5) == Choice{0, 1});
  // What is left: layer 0 from 0.5 to 0.2.
  CHECK(greedy_assignment(ops, options, 0.25) == Choice{1, 1});
  CHECK(greedy_assignment(ops, options, 0.0) == Choice{1, 1});  // nothing cheaper is left
  // Changes that cost nothing come first, the one that saves most before the others.
  const std::vector<std::vector<LayerOption>> harmless = {{{0, 0.9, 0.0}, {1, 0.4, 0.0}},
                                                          {{0, 0.85, 0.0}}};
  CHECK(greedy_assignment(ops, harmless, 0.99) == Choice{1, kExact});
  CHECK(greedy_assignment(ops, harmless, 0.8) == Choice{1, 0});
}
