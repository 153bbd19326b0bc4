// What the mathematics says about the error models, against brute force in extended precision.
#include <algorithm>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

// Mean and variance of a random pairing inside groups of taps, by definition per patch and channel.
Brute strata_by_definition(const LayerOperands& layer, const Lut& lut,
                           const std::vector<std::uint32_t>& group_of) {
  const std::uint32_t groups = *std::max_element(group_of.begin(), group_of.end()) + 1;
  const auto split = [&](std::size_t s, std::size_t m, bool variance) {
    long double mean = 0, pairing = 0;
    for (std::uint32_t t = 0; t < groups; ++t) {
      std::vector<std::size_t> taps;
      for (std::size_t k = 0; k < layer.fan_in; ++k)
        if (group_of[k] == t) taps.push_back(k);
      const std::size_t n = taps.size();
      const long double count = static_cast<long double>(n);
      std::vector<long double> row(n, 0), column(n, 0);
      long double all = 0;
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          const long double e = pair_error(layer, lut, m, s, taps[i], taps[j]);
          row[i] += e / count;
          column[j] += e / count;
          all += e / count / count;
        }
      mean += count * all;
      if (n < 2) continue;
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          const long double d =
              pair_error(layer, lut, m, s, taps[i], taps[j]) - row[i] - column[j] + all;
          pairing += d * d / (count - 1);
        }
    }
    return variance ? pairing : mean;
  };
  return layer_figures(
      layer, [&](std::size_t s, std::size_t m) { return split(s, m, false); },
      [&](std::size_t s, std::size_t m) { return split(s, m, true); });
}

Brute all_pairings(const LayerOperands& layer, const Lut& lut) {
  const auto moment = [&](std::size_t s, std::size_t m, bool variance) {
    std::vector<std::size_t> order(layer.fan_in);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<long double> sums;
    do {
      long double sum = 0;
      for (std::size_t k = 0; k < layer.fan_in; ++k)
        sum += pair_error(layer, lut, m, s, k, order[k]);
      sums.push_back(sum);
    } while (std::next_permutation(order.begin(), order.end()));
    long double mean = 0, square = 0;
    for (const long double x : sums) mean += x;
    mean /= static_cast<long double>(sums.size());
    for (const long double x : sums) square += (x - mean) * (x - mean);
    return variance ? square / static_cast<long double>(sums.size()) : mean;
  };
  return layer_figures(
      layer, [&](std::size_t s, std::size_t m) { return moment(s, m, false); },
      [&](std::size_t s, std::size_t m) { return moment(s, m, true); });
}

void check_equal(const Prediction& p, const Brute& brute, long double relative,
                 long double scale = 0) {
  CHECK(near(p.mean_acc, brute.mean, relative, std::max(brute.sigma, scale)));
  CHECK(near(p.sigma_acc, brute.sigma, relative, scale));
  CHECK(near(p.sigma_corrected, brute.corrected, relative, scale));
  REQUIRE(p.channel_mean.size() == brute.channel_mean.size());
  for (std::size_t m = 0; m < p.channel_mean.size(); ++m) {
    CHECK(near(p.channel_mean[m], brute.channel_mean[m], relative, std::max(brute.sigma, scale)));
    CHECK(near(p.channel_sigma[m], brute.channel_sigma[m], relative, std::max(scale, brute.sigma)));
  }
}

bool same_bits(const Prediction& x, const Prediction& y) {
  return x.mean_acc == y.mean_acc && x.sigma_acc == y.sigma_acc &&
         x.sigma_corrected == y.sigma_corrected && x.rmse_acc == y.rmse_acc &&
         x.channel_mean == y.channel_mean && x.channel_sigma == y.channel_sigma;
}

}  // namespace

TEST_CASE("a constant error adds up to K times itself, without spread, in every model") {
  const Lut lut =
      Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b - 1234567; });
  const LayerOperands layer =
      random_layer({.s = 30, .k = 18, .m = 4, .kernel_h = 3, .kernel_w = 3}, 3);
  for (const ErrorModel model : kErrorModels) {
    CAPTURE(to_string(model));
    const Prediction p = predict_one(layer, lut, model);
    CHECK(near(p.mean_acc, -18.0L * 1234567, 1e-14L));
    CHECK(p.sigma_acc <= 1e-7);
    CHECK(near(p.rmse_acc, 18.0L * 1234567, 1e-14L));
  }
}

TEST_CASE("K = 1: every model but monte-carlo is exact") {
  const Lut lut = random_lut(OperandType::u8u8, 11);
  const LayerOperands layer = random_layer({.s = 60, .k = 1, .m = 7}, 4);
  const Brute truth = brute_force(layer, lut);
  for (const ErrorModel model : kErrorModels) {
    if (model == ErrorModel::monte_carlo) continue;
    CAPTURE(to_string(model));
    const Prediction p = predict_one(layer, lut, model);
    CHECK(near(p.mean_acc, truth.mean, 1e-11L, truth.sigma));
    CHECK(near(p.sigma_acc, truth.sigma, 1e-12L));
    if (std::isfinite(p.sigma_corrected)) CHECK(near(p.sigma_corrected, truth.corrected, 1e-12L));
  }
}

TEST_CASE("an additive error e = r(a) + c(b): permutation and stratified are exact") {
  const Lut lut = Lut::from_function(OperandType::u8u8, [](int a, int b) {
    return a * b + (a * 37 % 101 - 50) * 11 - (b * 53 % 89) * 7 + 100000;
  });
  const LayerOperands layer =
      random_layer({.s = 50, .k = 18, .m = 6, .groups = 2, .kernel_h = 3, .kernel_w = 3}, 5);
  const Brute truth = brute_force(layer, lut);
  check_equal(predict_one(layer, lut, ErrorModel::permutation), truth, 1e-11L);
  check_equal(predict_one(layer, lut, ErrorModel::stratified), truth, 1e-11L);
  // With only one part the other's share is nothing, not a small something.
  const Lut of_b =
      Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b + b % 17; });
  for (const double sigma : predict_one(layer, of_b, ErrorModel::permutation).channel_sigma)
    CHECK(sigma <= 1e-6);
}

TEST_CASE("permutation equals the mean over all K! pairings") {
  for (std::size_t k = 2; k <= 6; ++k) {
    CAPTURE(k);
    const Lut lut = random_lut(OperandType::u8u8, 20 + k);
    const LayerOperands layer = random_layer({.s = 5, .k = k, .m = 3}, 30 + k);
    check_equal(predict_one(layer, lut, ErrorModel::permutation), all_pairings(layer, lut), 1e-11L);
  }
}

TEST_CASE("the fast form of permutation equals the definition per patch and channel") {
  std::uint64_t seed = 50;
  for (const OperandType type : kOperandTypes)
    for (const LayerShape& shape :
         {LayerShape{.s = 33, .k = 13, .m = 9}, LayerShape{.s = 7, .k = 4, .m = 1, .groups = 3},
          LayerShape{.s = 300, .k = 2, .m = 2}, LayerShape{.s = 1, .k = 8, .m = 8}}) {
      LayerShape typed = shape;
      typed.type = type;
      LayerOperands layer = random_layer(typed, ++seed);
      if (seed % 2 == 0)
        for (std::size_t m = 0; m < layer.out_channels; ++m) {
          if (m == 0) layer.b_scale.clear();
          layer.b_scale.push_back(0.25 + 0.5 * static_cast<double>(m));
        }
      const Lut lut = random_lut(type, seed);
      CAPTURE(seed);
      const Brute brute =
          strata_by_definition(layer, lut, std::vector<std::uint32_t>(layer.fan_in, 0));
      check_equal(predict_one(layer, lut, ErrorModel::permutation), brute, 1e-11L);
      check_equal(predict_one(histograms_only(layer), lut, ErrorModel::permutation), brute, 1e-11L);
      check_equal(predict_one(layer, lut, ErrorModel::sampled), brute_force(layer, lut), 1e-12L);
    }
}

TEST_CASE("a large bias costs permutation no precision") {
  const LayerOperands layer = random_layer({.s = 20, .k = 9, .m = 4}, 77);
  const Lut small = random_lut(OperandType::u8u8, 78, 30);
  const Lut biased =
      Lut::from_function(OperandType::u8u8, [&](int a, int b) { return small(a, b) + 16000000; });
  for (const ErrorModel model : {ErrorModel::permutation, ErrorModel::multi_population,
                                 ErrorModel::global, ErrorModel::sampled}) {
    CAPTURE(to_string(model));
    CHECK(near(predict_one(layer, biased, model).sigma_acc,
               predict_one(layer, small, model).sigma_acc, 1e-8L));
  }
}

TEST_CASE("stratified equals the definition for any groups of taps") {
  PredictOptions options;
  options.strata = Strata::given;
  options.tap_group = {0, 1, 0, 2, 2, 2, 3, 0, 1, 2, 2, 1};
  const Lut lut = random_lut(OperandType::u8u8, 91);
  const LayerOperands layer = random_layer({.s = 21, .k = 12, .m = 9, .groups = 2}, 92);
  check_equal(predict_one(layer, lut, ErrorModel::stratified, options),
              strata_by_definition(layer, lut, options.tap_group), 1e-11L);
}

TEST_CASE("groups by input channel and by kernel position are those of tap order c,kh,kw") {
  const Lut lut = random_lut(OperandType::u8s8, 93);
  const LayerOperands layer = random_layer(
      {.s = 11, .k = 12, .m = 3, .kernel_h = 3, .kernel_w = 2, .type = OperandType::u8s8}, 94);
  check_equal(predict_one(layer, lut, ErrorModel::stratified),
              strata_by_definition(layer, lut, {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}), 1e-11L);
  PredictOptions options;
  options.strata = Strata::kernel_position;
  check_equal(predict_one(layer, lut, ErrorModel::stratified, options),
              strata_by_definition(layer, lut, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}), 1e-11L);
}

TEST_CASE("stratified: one group is permutation and K groups are sampled, bit for bit") {
  const Lut lut = random_lut(OperandType::u8u8, 95);
  const LayerOperands layer = random_layer({.s = 37, .k = 10, .m = 11, .groups = 2}, 96);
  PredictOptions options;
  options.strata = Strata::given;
  options.tap_group.assign(10, 3);
  CHECK(same_bits(predict_one(layer, lut, ErrorModel::stratified, options),
                  predict_one(layer, lut, ErrorModel::permutation)));
  std::iota(options.tap_group.begin(), options.tap_group.end(), 7u);
  CHECK(same_bits(predict_one(layer, lut, ErrorModel::stratified, options),
                  predict_one(layer, lut, ErrorModel::sampled)));
}

TEST_CASE("monte-carlo converges to global at one over the root of the draws") {
  const Lut lut = random_lut(OperandType::u8u8, 97);
  const LayerOperands layer = random_layer({.s = 25, .k = 9, .m = 4}, 98);
  const Prediction global = predict_one(layer, lut, ErrorModel::global);
  PredictOptions options;
  double error[2] = {};
  const std::size_t draws[2] = {400, 40000};
  for (std::size_t i = 0; i < 2; ++i) {
    options.monte_carlo_draws = draws[i];
    for (options.seed = 1; options.seed <= 20; ++options.seed) {
      const Prediction p = predict_one(layer, lut, ErrorModel::monte_carlo, options);
      error[i] += std::pow(p.sigma_acc / global.sigma_acc - 1, 2) / 20;
      // Standard error of the mean; 5 of them are passed once in 1.7 million.
      CHECK(std::fabs(p.mean_acc - global.mean_acc) <
            5 * global.sigma_acc / std::sqrt(static_cast<double>(draws[i])));
    }
    error[i] = std::sqrt(error[i]);
    // For nearly normal sums the relative standard error of σ is 1/√(2·draws). The root mean square
    // of 20 of them has a relative standard error of 16 %.
    CHECK(error[i] * std::sqrt(2.0 * static_cast<double>(draws[i])) > 0.4);
    CHECK(error[i] * std::sqrt(2.0 * static_cast<double>(draws[i])) < 1.7);
  }
}

TEST_CASE("rmse and relative figures follow from mean and sigma") {
  LayerOperands layer = random_layer({}, 99);
  layer.output_std = 250;
  const Lut lut = asymmetric_lut(OperandType::u8u8);
  const Prediction p = predict_one(layer, lut, ErrorModel::sampled);
  CHECK(near(p.rmse_acc, std::hypot(p.mean_acc, p.sigma_acc), 1e-14L));
  CHECK(p.sigma_rel == p.sigma_acc / 250);
  CHECK(p.sigma_corrected_rel == p.sigma_corrected / 250);
  layer.output_std = std::nan("");
  CHECK(std::isnan(predict_one(layer, lut, ErrorModel::sampled).sigma_rel));
}
