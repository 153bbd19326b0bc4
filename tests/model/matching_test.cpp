// Matching: who wins, who may not take part, and what is refused.
#include "axmul/model/matching.hpp"

#include <string>

#include "axmul/core/errors.hpp"
#include "model/model_support.hpp"

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
  CHECK(report.layers[1].multiplier == "cheap");  // 0.2 ≤ |−0.2|
  CHECK(report.layers[1].sha256 == c.library[1].lut.sha256());
  CHECK(report.layers[1].threshold == 0.2);
  CHECK(report.layers[1].sigma_rel == doctest::Approx(0.2));
  CHECK(report.relative_energy == doctest::Approx((1000 * 1 + 3000 * 0.3) / 4000));
  CHECK(report.without_cost == 2);
  CHECK(report.source == "published");
  CHECK(report.technology == "PDK45");
  CHECK(c.run(false).layers[1].multiplier == "exact");  // sigma_acc is ten times as large
  const MatchReport part = match(c.layers, c.library, c.predictions, c.sigmas, {true, 6000});
  CHECK(part.relative_energy == doctest::Approx((1000 * 1 + 3000 * 0.3 + 6000) / 10000));
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
  other.layers[0].output_std = std::nan("");
  CHECK_THROWS_WITH_AS(other.run(), doctest::Contains("output_std"), InputError);
  other = c;
  other.predictions.cells[0].sigma_corrected = std::nan("");
  CHECK_THROWS_AS(other.run(), UsageError);
  other = c;
  other.library.pop_back();
  CHECK_THROWS_AS(other.run(), UsageError);
}
