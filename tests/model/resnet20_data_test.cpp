// The error models on a real network: ResNet-20's convolutions x 35 published multipliers, against
// full behavioural simulation, with the bounds of the project; resnet20_slow_test.cpp does the
// rest.
#include "model/network_support.hpp"

using namespace axmul;
using namespace axmul::test;

TEST_CASE("affine, truth of the same images") {
  const std::optional<Network> network = load(Encoding::affine);
  if (!network) AXMUL_SKIP("needs AXMUL_DATA/traces and /evoapprox");
  REQUIRE(network->luts.size() == 35);
  ValidationOptions options;
  options.split = ValidationSplit::none;
  options.models = {ErrorModel::multi_population, ErrorModel::permutation, ErrorModel::sampled};
  const ValidationReport report = run(*network, options, "affine, split none, 512 patches");
  CHECK(report.pairs == 665);
  CHECK(report.excluded == 0);
  check_bounds(of(report, ErrorModel::permutation), 0.025, 0.09);
  const ModelValidation& paper = of(report, ErrorModel::multi_population);
  CHECK(paper.rel_error.median == doctest::Approx(0.07).epsilon(0.15));
  CHECK(paper.rel_error.p90 >= 0.20);
  CHECK(paper.rel_error.p90 <= 0.28);
  CHECK(of(report, ErrorModel::permutation).pearson >= 0.999);
  // |error of the mean| / σ, and σ per channel.
  CHECK(of(report, ErrorModel::permutation).mean_error.median <= 0.05);
  CHECK(of(report, ErrorModel::permutation).mean_error.p90 <= 0.25);
  CHECK(of(report, ErrorModel::sampled).mean_error.median <= 0.03);
  CHECK(of(report, ErrorModel::sampled).mean_error.p90 <= 0.07);
  CHECK(of(report, ErrorModel::permutation).channel_rel_error.median <= 0.035);
  CHECK(of(report, ErrorModel::permutation).channel_rel_error.p90 <= 0.09);
}
