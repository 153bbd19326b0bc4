// Matching: who wins, who may not take part, and what is refused.
#include "axmul/model/matching.hpp"

#include <cmath>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/model/assignment.hpp"
#include "model/model_support.hpp"
#include "support/error_id.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

Multiplier named(const std::string& name, double power_rel, std::uint64_t seed) {
  Multiplier m{name, random_lut(OperandType::u8u8, seed)};
  m.cost.power_rel = power_rel;
  m.cost.source = "published";
  m.cost.technology = "PDK45";
  return m;
}

struct Case {
  std::vector<LayerOperands> layers{random_layer({}, 1), random_layer({}, 2)};
  std::vector<Multiplier> library;
  PredictionMatrix predictions;
  std::vector<LayerSigma> sigmas{{"layer1", 0.1}, {"layer2", -0.2}};

  // sigma[layer][multiplier], relative to output_std.
  explicit Case(std::vector<Multiplier> multipliers, std::vector<std::vector<double>> sigma)
      : library(std::move(multipliers)) {
    layers[1].ops = 3000;
    predictions.layers = 2;
    predictions.multipliers = library.size();
    for (const auto& row : sigma)
      for (const double s : row) {
        Prediction p;
        p.sigma_corrected = s * 1000;
        p.sigma_acc = 10 * p.sigma_corrected;
        predictions.cells.push_back(p);
      }
  }
  MatchReport run(bool folding = true) const {
    return match(layers, library, predictions, sigmas, {folding});
  }
};

}  // namespace

TEST_CASE("the cheapest that fits wins; none fits is said; energy weighs by ops") {
  const Case c({named("good", 0.8, 1), named("cheap", 0.3, 2), named("free", 0.0, 3),
                named("unknown", std::nan(""), 4)},
               {{0.2, 0.3, 0, 0}, {0.1, 0.2, 0, 0}});
  const MatchReport report = c.run();
  CHECK(report.layers[0].multiplier == "exact");
  CHECK(report.layers[0].none_fits);
  CHECK(report.layers[0].power_rel == 1);
  CHECK(report.layers[0].sha256 == "");
  CHECK(report.layers[0].index == kExact);
  CHECK(report.layers[1].index == 1);
  CHECK(report.layers[1].multiplier == "cheap");  // 0.2 ≤ |−0.2|
  CHECK(report.layers[1].sha256 == c.library[1].lut.sha256());
  CHECK(report.layers[1].threshold == 0.2);
  CHECK(report.layers[1].sigma_compared == doctest::Approx(0.2));
  CHECK(report.layers[1].sigma_corrected_rel == doctest::Approx(0.2));
  CHECK(report.layers[1].sigma_rel == doctest::Approx(2));  // sigma_acc, as Prediction has it
  CHECK(report.relative_energy == doctest::Approx((1000 * 1 + 3000 * 0.3) / 4000));
  CHECK(report.without_cost == 2);
  CHECK(report.source == "published");
  CHECK(report.technology == "PDK45");
  CHECK(c.run(false).layers[1].multiplier == "exact");  // sigma_acc is ten times as large
  const MatchReport part = match(c.layers, c.library, c.predictions, c.sigmas, {true, 6000});
  CHECK(part.relative_energy == doctest::Approx((1000 * 1 + 3000 * 0.3 + 6000) / 10000));
  CHECK(part.coverage.ops_covered == 4000);
  CHECK(part.coverage.ops_not_covered == 6000);
  CHECK(part.coverage.is_complete());
  MatchOptions old;
  old.calls_not_counted.reset();
  CHECK_FALSE(match(c.layers, c.library, c.predictions, c.sigmas, old).coverage.is_complete());
}

TEST_CASE("ties go to the smaller sigma, then to the smaller SHA-256") {
  const Case by_sigma({named("x", 0.5, 1), named("y", 0.5, 2)}, {{0.05, 0.04}, {0.01, 0.02}});
  CHECK(by_sigma.run().layers[0].multiplier == "y");
  CHECK(by_sigma.run().layers[1].multiplier == "x");
  const Case equal({named("x", 0.5, 1), named("y", 0.5, 2)}, {{0.05, 0.05}, {0.01, 0.01}});
  const bool x_first = equal.library[0].lut.sha256() < equal.library[1].lut.sha256();
  CHECK(equal.run().layers[0].multiplier == (x_first ? "x" : "y"));
}

TEST_CASE("what costs more than the exact multiplier loses to it, what costs the same does not") {
  const Case c({named("dear", 1.1, 1), named("same", 1.0, 2)}, {{0, 0.5}, {0, 0}});
  CHECK(c.run().layers[0].multiplier == "exact");
  CHECK(c.run().layers[1].multiplier == "same");
}

TEST_CASE("costs of different origin, missing layers and wrong models are refused") {
  Case c({named("x", 0.5, 1), named("y", 0.5, 2)}, {{0, 0}, {0, 0}});
  Case other = c;
  other.library[1].cost.technology = "ASAP7";
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("ASAP7"), InputError);
  other = c;
  other.library[1].cost.source = "estimated";
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("estimated"), InputError);
  other = c;
  other.sigmas.pop_back();
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("\"layer2\" of the traces"), InputError);
  other = c;
  other.sigmas.push_back({"layer3", 0.1});
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("layer3"), InputError);
  other = c;
  other.sigmas.push_back({"layer1", 0.1});
  CHECK_THROWS_AS(other.run(), InputError);
  other = c;
  other.sigmas[0].sigma_l = std::nan("");
  CHECK_THROWS_AS(other.run(), InputError);
  other = c;
  for (const double unknown : {std::nan(""), 0.0}) {
    other.layers[0].output_std = unknown;
    CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("output_std"), InputError);
  }
  other = c;
  other.layers[0].output_std = std::nan("");
  other.layers[0].b_scale = {1, 2, 3, 4, 5};
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("output_std_real"), InputError);
  other = c;
  other.layers[1].ops = 0;  // a trace without the attribute
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("\"ops\""), InputError);
  other = c;
  other.predictions.cells[0].sigma_corrected = std::nan("");
  CHECK_THROWS_AS(other.run(), UsageError);
  other = c;
  other.library.pop_back();
  CHECK_THROWS_AS(other.run(), UsageError);
}

namespace {

// Many layers whose curvatures are known; σ falls with power but for chance.
struct Field {
  std::vector<LayerOperands> layers;
  std::vector<Multiplier> library;
  PredictionMatrix predictions;
  std::vector<LayerSigma> sigmas;

  Field(std::uint64_t seed, std::size_t count, std::size_t multipliers) {
    Philox random(seed);
    for (std::size_t l = 0; l < count; ++l) {
      LayerOperands layer;
      layer.name = "layer" + std::to_string(l);
      layer.ops = 1 + static_cast<double>(random.next_below(100));
      layer.output_std = 10 + 100 * random.next_double();
      layers.push_back(layer);
      sigmas.push_back({layer.name, 0.02 + 0.3 * random.next_double(), 5 * random.next_double()});
    }
    for (std::size_t j = 0; j < multipliers; ++j)
      library.push_back(
          named("m" + std::to_string(j), 0.05 + 0.95 * random.next_double(), seed + j));
    predictions.layers = count;
    predictions.multipliers = multipliers;
    for (std::size_t l = 0; l < count; ++l)
      for (const Multiplier& m : library) {
        Prediction p;
        p.sigma_corrected = layers[l].output_std * 0.3 * std::max(0.0, 1 - m.cost.power_rel) *
                            (0.3 + random.next_double());
        predictions.cells.push_back(p);
      }
  }
  MatchReport run(MatchRule rule, bool may_stay_exact = true) const {
    MatchOptions options;
    options.rule = rule;
    options.may_stay_exact = may_stay_exact;
    return match(layers, library, predictions, sigmas, options);
  }
  double loss(std::size_t l, double sigma_rel) const {
    return sigmas[l].loss_curvature * sigma_rel * sigma_rel;
  }
  double budget() const {
    double sum = 0;
    for (std::size_t l = 0; l < layers.size(); ++l) sum += loss(l, sigmas[l].sigma_l);
    return sum;
  }
  // By trying all assignments, the exact one included where it may be.
  double least_energy(double limit, bool may_stay_exact) const {
    const std::size_t choices = library.size() + (may_stay_exact ? 1 : 0);
    double best = HUGE_VAL, ops = 0;
    for (const LayerOperands& layer : layers) ops += layer.ops;
    std::vector<std::size_t> chosen(layers.size(), 0);
    for (;;) {
      double energy = 0, rise = 0;
      for (std::size_t l = 0; l < layers.size(); ++l) {
        const bool exact = chosen[l] == library.size();
        energy += layers[l].ops * (exact ? 1.0 : library[chosen[l]].cost.power_rel);
        if (!exact)
          rise += loss(l, predictions(l, chosen[l]).sigma_corrected / layers[l].output_std);
      }
      if (rise <= limit) best = std::min(best, energy / ops);
      std::size_t l = 0;
      while (l < layers.size() && ++chosen[l] == choices) chosen[l++] = 0;
      if (l == layers.size()) return best;
    }
  }
};

}  // namespace

TEST_CASE(
    "within a budget the assignment is the cheapest of all, never dearer than layer by layer") {
  double saved = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Field f(seed * 100, 5, 5);
    const MatchReport each = f.run(MatchRule::tolerance), together = f.run(MatchRule::budget);
    CHECK(together.loss_budget == doctest::Approx(f.budget()));
    CHECK(together.loss_rise <= together.loss_budget * (1 + 1e-12));
    CHECK(together.relative_energy <= each.relative_energy);
    double rise = 0, energy = 0, ops = 0;
    for (std::size_t l = 0; l < 5; ++l) {
      rise += f.loss(l, together.layers[l].sigma_compared);
      energy += f.layers[l].ops * together.layers[l].power_rel;
      ops += f.layers[l].ops;
    }
    CHECK(together.loss_rise == doctest::Approx(rise));
    CHECK(together.relative_energy == doctest::Approx(energy / ops));
    const double least = f.least_energy(f.budget(), true);
    CHECK(together.relative_energy >= least - 1e-12);
    CHECK(together.relative_energy <= f.least_energy(f.budget() * (1 - 5.0 / 16384), true) + 1e-12);
    saved += each.relative_energy - together.relative_energy;
    // Without the exact multiplier either the cheapest of the rest, or infinite.
    const double without = f.run(MatchRule::budget, false).relative_energy;
    const double wanted = f.least_energy(f.budget() * (1 - 5.0 / 16384), false);
    CHECK((without <= wanted + 1e-12 && without >= f.least_energy(f.budget(), false) - 1e-12));
  }
  CHECK(saved / 60 > 0.01);  // and it is worth having
}

TEST_CASE("a layer may exceed what it tolerates by itself when another leaves that much unused") {
  // Equal curvatures and operations; the first layer has nothing between 0.05 and 0.2.
  Case c({named("fine", 0.8, 1), named("coarse", 0.2, 2)}, {{0.05, 0.12}, {0.01, 0.11}});
  c.layers[1].ops = c.layers[0].ops;
  c.sigmas = {{"layer1", 0.1, 2.0}, {"layer2", 0.14, 2.0}};
  MatchOptions options;
  CHECK(match(c.layers, c.library, c.predictions, c.sigmas, options).layers[0].multiplier ==
        "fine");
  options.rule = MatchRule::budget;  // 2·(0.12² + 0.11²) = 0.053 ≤ 2·(0.1² + 0.14²) = 0.0592
  const MatchReport report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.layers[0].multiplier == "coarse");
  CHECK(report.layers[1].multiplier == "coarse");
  CHECK(report.loss_rise == doctest::Approx(0.053));
  CHECK(report.loss_budget == doctest::Approx(0.0592));
}

TEST_CASE("no budget pays for errors beyond the limit, and what stays exact then is no failure") {
  Case c({named("wild", 0.1, 1), named("coarse", 0.2, 2)}, {{5.0, 0.3}, {5.0, 0.6}});
  c.sigmas = {{"layer1", 0.2, 1e-9}, {"layer2", 0.2, 1e-9}};
  c.layers[0].ops = c.layers[1].ops = 7;
  MatchOptions options;
  options.rule = MatchRule::budget;
  MatchReport report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.layers[0].multiplier == "exact");  // 0.3² is more than 2·0.2²
  c.sigmas[0].sigma_l = 0.4;
  report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.layers[0].multiplier == "coarse");
  CHECK(report.layers[1].multiplier == "exact");  // 0.6 > 0.5
  CHECK_FALSE(report.layers[1].none_fits);
  c.sigmas[0].sigma_l = 5.0;  // tolerated by itself
  CHECK(match(c.layers, c.library, c.predictions, c.sigmas, options).layers[0].multiplier ==
        "wild");
  c.layers[1].ops = 0;
  CHECK_THROWS_WITH_AS(match(c.layers, c.library, c.predictions, c.sigmas, options),
                       doctest::Contains("\"ops\""), InputError);
}

TEST_CASE("the budget rule needs positive curvatures; without them no loss is predicted") {
  Case c({named("x", 0.5, 1)}, {{0.05}, {0.1}});
  CHECK(std::isnan(c.run().loss_rise));
  MatchOptions options;
  options.rule = MatchRule::budget;
  for (const double bad : {std::nan(""), 0.0, -1.0, HUGE_VAL}) {
    CAPTURE(bad);
    c.sigmas = {{"layer1", 0.1, 1.0}, {"layer2", 0.2, bad}};
    CHECK_THROWS_WITH_AS(match(c.layers, c.library, c.predictions, c.sigmas, options),
                         doctest::Contains("\"layer2\" has"), InputError);
  }
  CHECK(parse_match_rule("budget") == MatchRule::budget);
  CHECK(parse_match_rule("tolerance") == MatchRule::tolerance);
  CHECK_FALSE(parse_match_rule("cheapest"));
}

TEST_CASE("where nothing is tolerated only a table without errors fits, whatever is predicted") {
  Case c({named("cheapest", 0.004, 1), named("right", 0.9, 2)}, {{0, 0}, {0, 0}});
  c.library[1].lut = Lut::exact(OperandType::u8u8);
  c.sigmas[0].sigma_l = 0;
  MatchReport report = c.run();
  CHECK(report.layers[0].multiplier == "right");
  CHECK(report.layers[1].multiplier == "cheapest");  // tolerates 0.2, and 0 is predicted
  c.library[1].lut = random_lut(OperandType::u8u8, 9);
  report = c.run();
  CHECK(report.layers[0].multiplier == "exact");
  CHECK(report.layers[0].none_fits);
  CHECK(report.relative_energy == doctest::Approx((1000 + 3000 * 0.004) / 4000));
  // The budget rule: a budget of nothing buys nothing.
  for (LayerSigma& s : c.sigmas) {
    s.sigma_l = 0;
    s.loss_curvature = 2;
  }
  MatchOptions options;
  options.rule = MatchRule::budget;
  report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.relative_energy == 1);
  CHECK(report.loss_budget == 0);
}

TEST_CASE("receptive fields that tell no σ are refused: one only, or none that differs") {
  const LayerOperands layer = random_layer({.s = 30}, 1);
  const std::vector<Multiplier> library{named("cheapest", 0.004, 1)};
  const std::vector<LayerSigma> sigmas{{"layer1", 0.1}};
  const auto run = [&](const LayerOperands& of, std::size_t patches, ErrorModel model) {
    PredictOptions options;
    options.model = model;
    options.patches = patches;
    return match({&of, 1}, library, predict({&of, 1}, {&library[0].lut, 1}, options), sigmas);
  };
  LayerOperands dead = layer;
  dead.b_zero_point = {128};
  dead.weights.assign(dead.weights.size(), 128);
  for (const ErrorModel model : {ErrorModel::sampled, ErrorModel::permutation}) {
    CAPTURE(to_string(model));
    CHECK(run(layer, 0, model).layers[0].multiplier == "exact");  // σ is far above 0.1
    CHECK_THROWS_WITH_AS(run(layer, 1, model), doctest::Contains("one receptive field"),
                         InputError);
    CHECK_THROWS_WITH_AS(run(select_patches(layer, {3}), 0, model),
                         doctest::Contains("one receptive field"), InputError);
    CHECK_THROWS_WITH_AS(run(select_patches(layer, {3, 3, 3, 3}), 0, model),
                         doctest::Contains("no exact sum differs"), InputError);
    CHECK_THROWS_WITH_AS(run(dead, 0, model), doctest::Contains("no exact sum differs"),
                         InputError);
  }
  CHECK_THROWS_WITH_AS(run(select_patches(histograms_only(layer), {3}), 0, ErrorModel::permutation),
                       doctest::Contains("one receptive field"), InputError);
  // Predictions from elsewhere come without evidence: the layer itself tells of one field.
  PredictionMatrix bare;
  bare.layers = bare.multipliers = 1;
  bare.cells.resize(1);
  const LayerOperands one = select_patches(layer, {3});
  CHECK_THROWS_AS(match({&one, 1}, library, bare, sigmas), InputError);
}

TEST_CASE("a σ that is no number is refused with the pair's names") {
  Case c({named("x", 0.5, 1)}, {{0.05}, {0.01}});
  c.predictions.cells[1].sigma_corrected = std::nan("");
  CHECK_THROWS_WITH_AS(c.run(), doctest::Contains("layer2 × x"), UsageError);
  c.predictions.cells[1].sigma_corrected = -1;
  CHECK_THROWS_WITH_AS(c.run(), doctest::Contains("layer2 × x"), UsageError);
  c.predictions.cells[1].sigma_acc = std::nan("");
  CHECK_THROWS_WITH_AS(c.run(false), doctest::Contains("layer2 × x"), UsageError);
}

TEST_CASE("pessimistic matching compares the larger of sampled and permutation") {
  Case c({named("x", 0.5, 1)}, {{0.05}, {0.01}});
  MatchOptions options;
  options.pessimistic = true;
  CHECK_THROWS_WITH_AS(match(c.layers, c.library, c.predictions, c.sigmas, options),
                       doctest::Contains("pessimistic"), UsageError);
  c.predictions.model = ErrorModel::sampled;
  PredictionMatrix other = c.predictions;
  CHECK_THROWS_AS(add_bounds(c.predictions, other), UsageError);
  other.model = ErrorModel::permutation;
  other.cells[0].sigma_corrected *= 3;     // 0.15 > 0.1
  other.cells[1].sigma_corrected *= 0.01;  // sampled's own is the larger
  add_bounds(c.predictions, other);
  MatchReport report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.layers[0].multiplier == "exact");
  CHECK(report.layers[1].multiplier == "x");
  CHECK(report.layers[1].sigma_compared == doctest::Approx(0.01));
  c.sigmas[0].sigma_l = 0.16;
  report = match(c.layers, c.library, c.predictions, c.sigmas, options);
  CHECK(report.layers[0].sigma_compared == doctest::Approx(0.15));
  CHECK(report.layers[0].sigma_corrected_rel == doctest::Approx(0.05));
}

TEST_CASE("layers that are to stay exact take no part but cost 1") {
  Case c({named("dear", 0.8, 1), named("cheap", 0.3, 2)}, {{0.01, 0.05}, {0.01, 0.05}});
  for (LayerSigma& s : c.sigmas) s.loss_curvature = 1;
  for (const MatchRule rule : {MatchRule::tolerance, MatchRule::budget}) {
    CAPTURE(to_string(rule));
    MatchOptions options;
    options.rule = rule;
    const MatchReport free = match(c.layers, c.library, c.predictions, c.sigmas, options);
    CHECK(free.layers[0].index == 1);
    options.exact_layers = {"layer1"};
    const auto check = [&](const Case& from) {
      const MatchReport report =
          match(from.layers, from.library, from.predictions, from.sigmas, options);
      CHECK(report.layers[0].multiplier == "exact");
      CHECK(report.layers[0].index == kExact);
      CHECK_FALSE(report.layers[0].none_fits);
      CHECK(report.layers[1].index == 1);
      CHECK(report.relative_energy == doctest::Approx((1000 + 3000 * 0.3) / 4000));
      CHECK(report.coverage.ops_covered == 4000);
      CHECK(report.loss_budget == doctest::Approx(0.2 * 0.2));  // of the other layer alone
      CHECK(report.loss_rise == doctest::Approx(0.05 * 0.05));
    };
    check(c);
    Case bare = c;  // nothing need be known of it
    bare.layers[0].output_std = std::nan("");
    bare.predictions.cells[0].sigma_corrected = std::nan("");
    bare.sigmas.erase(bare.sigmas.begin());
    check(bare);
    options.exact_layers = {"layer3"};
    CHECK_THROWS_WITH_AS(match(c.layers, c.library, c.predictions, c.sigmas, options),
                         doctest::Contains("no layer \"layer3\""), InputError);
  }
}

TEST_CASE("energies of each layer decide there, and weigh by what the exact multiplier takes") {
  Case c({named("steady", 0.5, 1), named("moody", 0.4, 2), named("unknown", 0.1, 3)},
         {{0.05, 0.05, 0.05}, {0.05, 0.05, 0.05}});
  MatchOptions options;
  options.energies.power_rel = Array2<double>(2, 3, 0.5);
  options.energies.power_rel(0, 1) = 0.8;
  options.energies.power_rel(1, 1) = 0.2;
  options.energies.power_rel(0, 2) = options.energies.power_rel(1, 2) = std::nan("");
  options.energies.exact = {1.6, 0.8};  // mean over 1000 and 3000 multiplications: 1
  options.energies.source = "estimated";
  options.ops_not_covered = 500;
  for (const MatchRule rule : {MatchRule::tolerance, MatchRule::budget}) {
    options.rule = rule;
    for (LayerSigma& sigma : c.sigmas) sigma.loss_curvature = 1;
    const MatchReport report = match(c.layers, c.library, c.predictions, c.sigmas, options);
    CHECK(report.layers[0].multiplier == "steady");
    CHECK(report.layers[1].multiplier == "moody");
    CHECK(report.layers[1].power_rel == 0.2);
    CHECK(report.layers[1].exact_energy == 0.8);
    CHECK(report.relative_energy ==
          doctest::Approx((500 + 1600 * 0.5 + 2400 * 0.2) / (500 + 1600 + 2400)));
    CHECK(report.without_cost == 1);
    CHECK(report.source == "estimated");
    // One for both layers: 0.8·1600 + 0.2·2400 is less than 0.5·4000.
    const MatchReport one = match_at_most(c.layers, c.library, c.predictions, c.sigmas, options, 1);
    CHECK(one.layers[0].multiplier == "moody");
    CHECK(one.layers[1].multiplier == "moody");
    CHECK(one.relative_energy == doctest::Approx((500 + 1600 * 0.8 + 2400 * 0.2) / 4500));
  }
  options.energies.exact.pop_back();
  CHECK(error_id([&] { match(c.layers, c.library, c.predictions, c.sigmas, options); }) == 709);
}
