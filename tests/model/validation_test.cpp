// Validation on small layers: truth by brute force, statistics by hand, halves, refusals.
#include "axmul/model/validation.hpp"

#include "axmul/core/errors.hpp"
#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {
struct Setup {
  std::vector<LayerOperands> layers{
      random_layer({.s = 41, .k = 18, .m = 5, .kernel_h = 3, .kernel_w = 3}, 1),
      random_layer({.s = 30, .k = 9, .m = 4, .groups = 2, .kernel_h = 3, .kernel_w = 3}, 2)};
  std::vector<Lut> luts{random_lut(OperandType::u8u8, 3), Lut::exact(OperandType::u8u8),
                        asymmetric_lut(OperandType::u8u8)};
  std::vector<std::string> names{"random", "exact", "asymmetric"};
};
}  // namespace

TEST_CASE("truth is the full simulation; exact pairs are left out and counted") {
  const Setup setup;
  ValidationOptions options;
  options.split = ValidationSplit::none;
  options.predict.patches = 0;
  const ValidationReport report = validate(setup.layers, setup.luts, setup.names, options);
  CHECK(report.pairs == 4);
  CHECK(report.excluded == 2);
  for (std::size_t l = 0; l < 2; ++l)
    for (std::size_t j = 0; j < 3; ++j) {
      const Brute truth = brute_force(setup.layers[l], setup.luts[j]);
      CHECK(near(report.truth(l, j).sigma_acc, truth.sigma, 1e-12L));
      CHECK(near(report.truth(l, j).mean_acc, truth.mean, 1e-12L, truth.sigma));
    }
  REQUIRE(report.models.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(report.models[i].model == kErrorModels[i]);
  const ModelValidation& sampled = report.models[5];
  CHECK(sampled.rel_error.max == 0);
  CHECK(sampled.mean_error.max == 0);
  CHECK(sampled.channel_rel_error.max == 0);
  CHECK(sampled.pearson == doctest::Approx(1));
  CHECK(sampled.spearman == doctest::Approx(1));
  // The others by hand from predict().
  for (const ModelValidation& model : report.models) {
    std::vector<double> errors;
    double worst = -1;
    std::string layer, multiplier;
    for (std::size_t l = 0; l < 2; ++l)
      for (const std::size_t j : {std::size_t{0}, std::size_t{2}}) {
        PredictOptions predict_options;
        predict_options.model = model.model;
        predict_options.patches = 0;
        const double p = predict(setup.layers, setup.luts, predict_options)(l, j).sigma_acc;
        errors.push_back(std::fabs(p / report.truth(l, j).sigma_acc - 1));
        if (errors.back() > worst) {
          worst = errors.back();
          layer = setup.layers[l].name;
          multiplier = setup.names[j];
        }
      }
    std::sort(errors.begin(), errors.end());
    CAPTURE(to_string(model.model));
    CHECK(model.rel_error.median == doctest::Approx((errors[1] + errors[2]) / 2));
    CHECK(model.rel_error.p90 == doctest::Approx(errors[2] + 0.7 * (errors[3] - errors[2])));
    CHECK(model.rel_error.max == doctest::Approx(errors[3]));
    if (model.model == ErrorModel::sampled) continue;
    CHECK(model.max_layer == layer);
    CHECK(model.max_multiplier == multiplier);
  }
}

TEST_CASE("split half predicts from the first patches and simulates the others") {
  Setup setup;
  ValidationOptions options;
  options.models = {ErrorModel::sampled};
  const ValidationReport report = validate(setup.layers, setup.luts, setup.names, options);
  std::vector<std::size_t> second;
  for (std::size_t s = 20; s < 41; ++s) second.push_back(s);
  const Brute truth = brute_force(select_patches(setup.layers[0], second), setup.luts[0]);
  CHECK(near(report.truth(0, 0).sigma_acc, truth.sigma, 1e-12L));
  CHECK(report.models[0].rel_error.max > 0);
}

TEST_CASE("histograms alone cannot be validated, one patch cannot be split") {
  Setup setup;
  setup.layers[1] = histograms_only(setup.layers[1]);
  CHECK_THROWS_WITH_AS(validate(setup.layers, setup.luts, setup.names), doctest::Contains("layer2"),
                       InputError);
  setup.layers.pop_back();
  setup.layers[0] = select_patches(setup.layers[0], {3});
  CHECK_THROWS_AS(validate(setup.layers, setup.luts, setup.names), InputError);
  setup.names.pop_back();
  CHECK_THROWS_AS(validate(setup.layers, setup.luts, setup.names), UsageError);
}
