// The interface of the error models: encodings, batches, threads, patch selection, refusals.
#include <algorithm>
#include <functional>

#include "axmul/core/errors.hpp"
#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {
bool same(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

bool same_cells(const PredictionMatrix& x, const PredictionMatrix& y, std::size_t from = 0) {
  for (std::size_t l = 0; l < x.layers; ++l)
    for (std::size_t j = 0; j < x.multipliers; ++j) {
      const Prediction &p = x(l, j), &q = y(l, j + from);
      if (!same(p.mean_acc, q.mean_acc) || !same(p.sigma_acc, q.sigma_acc) ||
          !same(p.sigma_interval.lower, q.sigma_interval.lower) ||
          !same(p.mean_interval.upper, q.mean_interval.upper) || p.channel_sigma != q.channel_sigma)
        return false;
    }
  return true;
}
}  // namespace

TEST_CASE("figures depend neither on threads nor on the batch") {
  const std::vector<LayerOperands> layers{
      random_layer({.s = 40, .k = 18, .m = 9, .kernel_h = 3, .kernel_w = 3}, 1),
      random_layer({.s = 25, .k = 9, .m = 2, .groups = 3, .kernel_h = 3, .kernel_w = 3}, 2)};
  std::vector<Lut> luts;
  for (std::uint64_t i = 0; i < 13; ++i) luts.push_back(random_lut(OperandType::u8u8, 200 + i));
  for (const ErrorModel model : kErrorModels) {
    CAPTURE(to_string(model));
    PredictOptions options;
    options.model = model;
    options.monte_carlo_draws = 50;
    options.threads = 1;
    const PredictionMatrix one = predict(layers, luts, options);
    for (const int threads : {2, 7}) {
      options.threads = threads;
      CHECK(same_cells(predict(layers, luts, options), one));
    }
    const ErrorPredictor predictor(layers, options);
    CHECK(same_cells(predictor.predict(std::span(luts).subspan(5, 3)), one, 5));
    CHECK(predictor.predict({}).cells.empty());
  }
}

TEST_CASE("an unsigned multiplier meets a signed layer in sign-magnitude form") {
  const Lut lut = random_lut(OperandType::u8u8, 7);
  for (const OperandType type : {OperandType::u8s8, OperandType::s8s8}) {
    const LayerOperands layer = random_layer({.type = type}, 8);
    for (const ErrorModel model : {ErrorModel::permutation, ErrorModel::sampled})
      CHECK(predict_one(layer, lut, model).sigma_acc ==
            predict_one(layer, sign_magnitude(lut, type), model).sigma_acc);
  }
  CHECK_THROWS_AS(
      predict_one(random_layer({}, 9), Lut::exact(OperandType::s8s8), ErrorModel::permutation),
      UsageError);
}

TEST_CASE("operand a is the activation: a swapped table gives other figures") {
  const Lut lut = asymmetric_lut(OperandType::u8u8);
  const LayerOperands layer = random_layer({}, 10);
  for (const ErrorModel model : kErrorModels) {
    CAPTURE(to_string(model));
    const double right = predict_one(layer, lut, model).mean_acc;
    const double swapped = predict_one(layer, transposed(lut), model).mean_acc;
    CHECK(std::fabs(right / swapped - 1) > 0.01);
  }
}

TEST_CASE("patches are spread over the file, or drawn and told") {
  PredictOptions options;
  options.patches = 4;
  CHECK(select_patch_rows(10, options) == std::vector<std::size_t>{0, 2, 5, 7});
  options.patches = 0;
  CHECK(select_patch_rows(3, options) == std::vector<std::size_t>{0, 1, 2});
  options.patches = 5;
  CHECK(select_patch_rows(3, options) == std::vector<std::size_t>{0, 1, 2});
  options.random_patches = true;
  options.patches = 50;
  const std::vector<std::size_t> rows = select_patch_rows(1000, options);
  CHECK(rows == select_patch_rows(1000, options));
  CHECK(std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()) == rows.end());
  options.seed = 1;
  CHECK(rows != select_patch_rows(1000, options));
  const LayerOperands layer = random_layer({.s = 60}, 12);
  options.model = ErrorModel::permutation;
  const ErrorPredictor predictor({&layer, 1}, options);
  const Lut lut = random_lut(OperandType::u8u8, 13);
  CHECK(predictor.predict({&lut, 1}).cells[0].sigma_acc ==
        predict_one(select_patches(layer, predictor.patch_rows(0)), lut, ErrorModel::permutation)
            .sigma_acc);
}

TEST_CASE("what a model cannot use is refused") {
  const Lut lut = random_lut(OperandType::u8u8, 14);
  const LayerOperands layer = random_layer({}, 15);
  CHECK_THROWS_AS(predict_one(histograms_only(layer), lut, ErrorModel::sampled), InputError);
  CHECK_THROWS_AS(predict_one(histograms_only(layer), lut, ErrorModel::stratified), InputError);
  for (const ErrorModel model : {ErrorModel::global, ErrorModel::multi_population,
                                 ErrorModel::permutation, ErrorModel::monte_carlo})
    CHECK(near(predict_one(histograms_only(layer), lut, model).sigma_acc,
               predict_one(layer, lut, model).sigma_acc, 1e-13L));
  LayerOperands broken = layer;
  broken.weights.pop_back();
  CHECK_THROWS_AS(predict_one(broken, lut, ErrorModel::global), InputError);
  PredictOptions options;
  options.strata = Strata::given;
  options.tap_group = {1, 2};
  CHECK_THROWS_AS(predict_one(layer, lut, ErrorModel::stratified, options), UsageError);
  broken = layer;
  broken.kernel_h = 5;
  CHECK_THROWS_AS(predict_one(broken, lut, ErrorModel::stratified), InputError);
  options.monte_carlo_draws = 0;
  CHECK_THROWS_AS(predict_one(layer, lut, ErrorModel::monte_carlo, options), UsageError);
}

TEST_CASE("errors and products near the limits add up exactly") {
  const Lut lut = Lut::from_function(OperandType::s8s8, [](int a, int b) {
    return a > 0 && b > 0 ? kProductLimit - 1 : a < 0 && b < 0 ? 1 - kProductLimit : a * b;
  });
  const LayerOperands layer =
      random_layer({.s = 30, .k = 300, .m = 3, .type = OperandType::s8s8}, 16);
  const Brute truth = brute_force(layer, lut);
  const Prediction p = predict_one(layer, lut, ErrorModel::sampled);
  CHECK(near(p.mean_acc, truth.mean, 1e-13L));
  CHECK(near(p.sigma_acc, truth.sigma, 1e-12L));
}

TEST_CASE("models have their names") {
  for (const ErrorModel model : kErrorModels) CHECK(parse_error_model(to_string(model)) == model);
  CHECK(!parse_error_model("permutations"));
}
