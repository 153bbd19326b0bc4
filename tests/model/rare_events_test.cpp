// Multipliers that err seldom: on how many receptive fields a predicted σ rests.
#include <algorithm>
#include <functional>

#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

// Contributions of the receptive fields to sigma_corrected², by definition.
std::vector<long double> contributions(const LayerOperands& layer, const Lut& lut) {
  const Brute brute = brute_force(layer, lut);
  std::vector<long double> c(layer.patch_count, 0);
  for (std::size_t s = 0; s < layer.patch_count; ++s)
    for (std::size_t m = 0; m < layer.out_channels; ++m) {
      long double sum = 0;
      for (std::size_t k = 0; k < layer.fan_in; ++k) sum += pair_error(layer, lut, m, s, k, k);
      const long double d = relative_scale(layer, m) * (sum - brute.channel_mean[m]);
      c[s] += d * d;
    }
  return c;
}

void check_fields(const LayerOperands& layer, const Lut& lut) {
  std::vector<long double> c = contributions(layer, lut);
  long double sum = 0, squares = 0, carried = 0;
  for (const long double x : c) {
    sum += x;
    squares += x * x;
  }
  std::sort(c.begin(), c.end(), std::greater<>());
  double fields = 0;
  for (std::size_t s = 0; carried < 0.9L * sum; ++s, ++fields) carried += c[s];
  PredictOptions options;
  for (const bool intervals : {false, true}) {
    options.intervals = intervals;
    const Prediction p = predict_one(layer, lut, ErrorModel::sampled, options);
    CHECK(near(p.effective_fields, sum * sum / squares, 1e-10L));
    CHECK(p.fields_90 == fields);
  }
}

}  // namespace

TEST_CASE("effective_fields and fields_90 are what their definitions say") {
  LayerOperands layer = random_layer({.s = 60, .k = 9, .m = 5, .groups = 2}, 800);
  check_fields(layer, random_lut(OperandType::u8u8, 801));
  for (std::size_t m = 0; m < layer.out_channels; ++m) {
    if (m == 0) layer.b_scale.clear();
    layer.b_scale.push_back(0.25 + 0.5 * static_cast<double>(m));
  }
  check_fields(layer, random_lut(OperandType::u8u8, 802));
}

TEST_CASE("an error that one receptive field alone meets is a rare event") {
  LayerOperands layer = random_layer({.s = 200, .k = 9, .m = 4}, 803);
  for (std::uint8_t& a : layer.patches) a = std::min<std::uint8_t>(a, 250);
  layer.patches[9 * 77 + 4] = 255;
  const Lut lut = Lut::from_function(OperandType::u8u8,
                                     [](int a, int b) { return a * b + (a == 255 ? 9 * b : 0); });
  const Prediction p = predict_one(layer, lut, ErrorModel::sampled);
  CHECK(p.effective_fields == doctest::Approx(1).epsilon(0.02));
  CHECK(p.fields_90 == 1);
  CHECK(p.has_rare_events());
  // permutation and multi-population tell it with intervals, and only then.
  PredictOptions options;
  options.intervals = false;
  for (const ErrorModel model : {ErrorModel::permutation, ErrorModel::multi_population})
    CHECK(std::isnan(predict_one(layer, lut, model, options).effective_fields));
  options.intervals = true;
  CHECK(predict_one(layer, lut, ErrorModel::multi_population, options).has_rare_events());
  // No rare event: errors everywhere, or none at all.
  const Prediction often =
      predict_one(layer, random_lut(OperandType::u8u8, 804), ErrorModel::sampled);
  CHECK(often.effective_fields > 100);
  CHECK_FALSE(often.has_rare_events());
  const Prediction none = predict_one(layer, Lut::exact(OperandType::u8u8), ErrorModel::sampled);
  CHECK(std::isnan(none.effective_fields));
  CHECK_FALSE(none.has_rare_events());
}

TEST_CASE("the standard error of σ is what the effective number of receptive fields says") {
  // 300 draws of 200 of 20,000 receptive fields, of which one in 50 meets the error.
  LayerOperands population = random_layer({.s = 20000, .k = 9, .m = 4}, 805);
  for (std::size_t i = 0; i < population.patches.size(); ++i)
    population.patches[i] =
        i % 450 == 7 ? std::uint8_t{255} : std::min<std::uint8_t>(population.patches[i], 250);
  const Lut lut = Lut::from_function(
      OperandType::u8u8, [](int a, int b) { return a * b + (a == 255 ? 9 * b : (a * 7 + b) % 5); });
  constexpr int kTrials = 300;
  PredictOptions options;
  options.intervals = false;
  options.random_patches = true;
  options.patches = 3000;
  double sum = 0, squares = 0, predicted = 0;
  for (options.seed = 0; options.seed < kTrials; ++options.seed) {
    const LayerOperands sample =
        select_patches(population, select_patch_rows(population.patch_count, options));
    const Prediction p = predict_one(sample, lut, ErrorModel::sampled, options);
    sum += p.sigma_corrected;
    squares += p.sigma_corrected * p.sigma_corrected;
    predicted += 0.5 * std::sqrt(1 / p.effective_fields - 1 / 3000.0) / kTrials;
  }
  const double mean = sum / kTrials;
  const double seen = std::sqrt(squares / kTrials - mean * mean) / mean;
  // 3000 of 20,000 are drawn without replacement: √(1 − 0.15). The deviation of 300 values is known
  // to 4 %: three times that is allowed.
  CHECK(seen == doctest::Approx(predicted * std::sqrt(0.85)).epsilon(0.12));
}
