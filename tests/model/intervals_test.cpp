// Stated 95 % intervals cover a known truth: what the model gives on a large population of
// receptive fields, of which each trial draws its own sample.
#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

constexpr int kTrials = 400;

struct Coverage {
  int mean = 0, sigma = 0;
};

// With true coverage 95 % the count over 400 trials is 380 ± 4.4; a coverage of 90 or 98 %, the
// bounds checked, is 4.5 and 2.8 standard deviations away.
void check_coverage(const Coverage& coverage) {
  CHECK(coverage.mean >= 0.90 * kTrials);
  CHECK(coverage.mean <= 0.98 * kTrials);
  CHECK(coverage.sigma >= 0.90 * kTrials);
  CHECK(coverage.sigma <= 0.98 * kTrials);
}

bool inside(const Interval& interval, double x) {
  return interval.lower <= x && x <= interval.upper;
}

}  // namespace

TEST_CASE("intervals by receptive field cover the population's figures") {
  // Of 40,000 receptive fields 128 or 300 are drawn, so drawing without replacement matters little.
  const LayerOperands population =
      random_layer({.s = 40000, .k = 9, .m = 6, .kernel_h = 3, .kernel_w = 3}, 700);
  const Lut lut = random_lut(OperandType::u8u8, 701);
  for (const ErrorModel model : {ErrorModel::sampled, ErrorModel::stratified,
                                 ErrorModel::permutation, ErrorModel::multi_population}) {
    // 300 makes permutation take the interval from a part of the receptive fields.
    for (const std::size_t patches : {std::size_t{128}, std::size_t{300}}) {
      CAPTURE(to_string(model));
      CAPTURE(patches);
      PredictOptions options;
      options.model = model;
      options.intervals = false;
      options.patches = 0;
      const Prediction truth = predict({&population, 1}, {&lut, 1}, options).cells.front();
      options.intervals = true;
      options.patches = patches;
      options.random_patches = true;
      Coverage coverage;
      for (int trial = 0; trial < kTrials; ++trial) {
        options.seed = static_cast<std::uint64_t>(trial);
        std::vector<std::size_t> rows = select_patch_rows(population.patch_count, options);
        const LayerOperands sample = select_patches(population, rows);
        const Prediction p = predict_one(sample, lut, model, options);
        coverage.mean += inside(p.mean_interval, truth.mean_acc);
        coverage.sigma += inside(p.sigma_interval, truth.sigma_acc);
      }
      CAPTURE(coverage.mean);
      CAPTURE(coverage.sigma);
      check_coverage(coverage);
    }
  }
}

TEST_CASE("intervals of drawn sums cover the figures of global") {
  const LayerOperands layer = random_layer({.s = 30, .k = 40, .m = 4}, 702);
  const Lut lut = random_lut(OperandType::u8u8, 703);
  const Prediction truth = predict_one(layer, lut, ErrorModel::global);
  PredictOptions options;
  options.monte_carlo_draws = 500;
  Coverage coverage;
  for (options.seed = 0; options.seed < kTrials; ++options.seed) {
    const Prediction p = predict_one(layer, lut, ErrorModel::monte_carlo, options);
    coverage.mean += inside(p.mean_interval, truth.mean_acc);
    coverage.sigma += inside(p.sigma_interval, truth.sigma_acc);
  }
  check_coverage(coverage);
}

TEST_CASE("no interval where nothing is sampled, nor from one receptive field") {
  const LayerOperands layer = random_layer({}, 704);
  const Lut lut = random_lut(OperandType::u8u8, 705);
  CHECK(std::isnan(predict_one(layer, lut, ErrorModel::global).sigma_interval.lower));
  const LayerOperands one = select_patches(layer, {0});
  for (const ErrorModel model :
       {ErrorModel::multi_population, ErrorModel::permutation, ErrorModel::sampled})
    CHECK(std::isnan(predict_one(one, lut, model).sigma_interval.lower));
}

// Quantiles as printed in tables of Student's t and chi-squared with 9 degrees of freedom.
constexpr double kT9 = 2.262157162740992, kChi9Low = 2.700389499980358,
                 kChi9High = 19.02276780086467;

TEST_CASE(
    "the interval of the mean over ten receptive fields is Student's, of the sample variance") {
  const LayerOperands layer = random_layer({.s = 10, .k = 7, .m = 1}, 702);
  const Lut lut = random_lut(OperandType::u8u8, 703);
  double sum = 0, square = 0;
  for (std::size_t s = 0; s < 10; ++s) {
    double error = 0;
    for (std::size_t i = 0; i < 7; ++i)
      error += static_cast<double>(pair_error(layer, lut, 0, s, i, i));
    sum += error;
    square += error * error;
  }
  const double mean = sum / 10, std = std::sqrt((square - sum * mean) / 9);
  PredictOptions options;
  options.patches = 0;
  const Prediction p = predict_one(layer, lut, ErrorModel::sampled, options);
  CHECK(p.mean_acc == doctest::Approx(mean).epsilon(1e-12));
  const double half = kT9 * std / std::sqrt(10.0);
  CHECK(p.mean_interval.lower == doctest::Approx(mean - half).epsilon(1e-9));
  CHECK(p.mean_interval.upper == doctest::Approx(mean + half).epsilon(1e-9));
}

TEST_CASE("ten draws give Student's and the chi-squared interval") {
  const LayerOperands layer = random_layer({.s = 30, .k = 7, .m = 3}, 704);
  const Lut lut = random_lut(OperandType::u8u8, 705);
  PredictOptions options;
  options.monte_carlo_draws = 10;
  const Prediction p = predict_one(layer, lut, ErrorModel::monte_carlo, options);
  // sigma_acc divides by the draws, the sample variance by one less.
  const double half = kT9 * p.sigma_acc / std::sqrt(9.0);
  CHECK(p.mean_interval.upper - p.mean_acc == doctest::Approx(half).epsilon(1e-9));
  CHECK(p.mean_acc - p.mean_interval.lower == doctest::Approx(half).epsilon(1e-9));
  CHECK(p.sigma_interval.lower ==
        doctest::Approx(p.sigma_acc * std::sqrt(10 / kChi9High)).epsilon(1e-9));
  CHECK(p.sigma_interval.upper ==
        doctest::Approx(p.sigma_acc * std::sqrt(10 / kChi9Low)).epsilon(1e-9));
}
