// What the figures mean: places, conventions, undefined cases, facts, and reuse of a workspace.
#include "axmul/stats/metrics.hpp"

#include <cmath>
#include <cstring>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

/// The exact table with some entries changed.
template <class F>
Lut changed(OperandType type, F&& f) {
  return Lut::from_function(type, [&](int a, int b) { return a * b + f(a, b); });
}

bool same(double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; }

bool same(const ErrorReport& x, const ErrorReport& y) {
  bool equal = x.pmf.value == y.pmf.value && x.pmf.probability == y.pmf.probability;
  for (const MetricField& field : metric_fields())
    equal = equal && same(field.get(x.metrics), field.get(y.metrics));
  for (std::size_t k = 0; k < 16; ++k)
    equal = equal && same(x.metrics.bit_flip_rate[k], y.metrics.bit_flip_rate[k]);
  for (std::size_t i = 0; i < 256; ++i)
    equal = equal && same(x.conditional.bias_given_a[i], y.conditional.bias_given_a[i]) &&
            same(x.conditional.std_given_a[i], y.conditional.std_given_a[i]) &&
            same(x.conditional.bias_given_b[i], y.conditional.bias_given_b[i]) &&
            same(x.conditional.std_given_b[i], y.conditional.std_given_b[i]);
  equal = equal && x.quantiles.size() == y.quantiles.size();
  for (std::size_t i = 0; equal && i < x.quantiles.size(); ++i)
    equal = same(x.quantiles[i].error, y.quantiles[i].error) &&
            same(x.quantiles[i].abs_error, y.quantiles[i].abs_error);
  return equal;
}

}  // namespace

TEST_CASE("an asymmetric table: bias and conditional figures tell a from b") {
  const Lut lut = changed(OperandType::u8u8, [](int a, int b) { return 7 * a - 5 * b; });
  const ErrorReport r = characterize(lut);
  CHECK(r.metrics.bias == 127.5 * 2);
  CHECK(r.conditional.bias_given_a[10] == 70 - 5 * 127.5);
  CHECK(r.conditional.bias_given_b[10] == 7 * 127.5 - 50);
  CHECK(r.conditional.std_given_a[3] ==
        doctest::Approx(5 * std::sqrt(65535 / 12.0)).epsilon(1e-15));
  // Additive: Var a = (256² − 1)/12, no interaction.
  CHECK(r.metrics.anova_row == 49 * 65535 / 12.0);
  CHECK(r.metrics.anova_col == 25 * 65535 / 12.0);
  CHECK(r.metrics.anova_interaction == 0);
  CHECK(r.metrics.variance == 74 * 65535 / 12.0);
  const auto a = parse_distribution("point(200)", false), b = parse_distribution("point(3)", false);
  CHECK(characterize(lut, a, b).metrics.bias == 1400 - 15);
}

TEST_CASE("an additive map has no interaction under weights either") {
  const Lut lut = changed(OperandType::s8s8, [](int a, int b) { return a * a - 300 * (b & 7); });
  const auto p = parse_distribution("normal(mean=3,std=20)", true);
  const auto q = parse_distribution("0.3*point(0)+0.7*laplace(std=12)", true);
  const ErrorMetrics m = characterize(lut, p, q).metrics;
  CHECK(m.anova_interaction <= 1e-24 * m.variance);
  CHECK(m.anova_row + m.anova_col == doctest::Approx(m.variance).epsilon(1e-13));
}

TEST_CASE("the worst case is the first pair that occurs") {
  const Lut lut = changed(OperandType::s8s8, [](int a, int b) {
    if (a == -7 && b == 100) return -90;
    return (a == -7 && b == 101) || (a == 5 && b == -128) ? 90 : a == 99 ? 80 : 0;
  });
  ErrorMetrics m = characterize(lut).metrics;
  CHECK(m.wce == 90);
  CHECK(m.wce_a == -7);
  CHECK(m.wce_b == 100);
  const auto p = parse_distribution("0.5*point(5)+0.5*point(99)", true);
  const auto uniform = uniform_distribution(true);
  for (const ErrorMetrics& x :
       {characterize(lut, p, uniform).metrics, basic_metrics(lut, p, uniform)}) {
    CHECK(x.wce == 90);
    CHECK(x.wce_a == 5);
    CHECK(x.wce_b == -128);
  }
  const auto q = parse_distribution("uniform(low=-127,high=127)", true);
  m = characterize(lut, p, q).metrics;
  CHECK(m.wce == 80);
  CHECK(m.wce_a == 99);
  CHECK(m.wce_b == -127);
  JointDistribution joint{"diagonal", OperandType::s8s8, Array2<double>(256, 256)};
  joint.p(128 + 99, 128 - 7) = 0.25;
  joint.p(128 + 5, 128 + 5) = 0.75;
  m = characterize(lut, joint).metrics;
  CHECK(m.wce == 80);
  CHECK(m.wce_b == -7);
  CHECK(m.error_rate == 0.25);
}

TEST_CASE("relative errors in both conventions, by hand") {
  // e = 6 at (0, 9) and at (2, 3), nothing else; p and q put 1/4 on each of four pairs.
  const Lut lut = changed(OperandType::u8u8, [](int a, int b) {
    return (a == 0 && b == 9) || (a == 2 && b == 3) ? 6 : 0;
  });
  const auto a = parse_distribution("0.5*point(0)+0.5*point(2)", false);
  const auto b = parse_distribution("0.5*point(3)+0.5*point(9)", false);
  CharacterizeOptions options;
  ErrorMetrics m = characterize(lut, a, b, options).metrics;
  CHECK(m.mred_exclude_zero == 0.5);  // ¼·6/6 over P = ½
  CHECK(m.mred_max_one == 1.75);      // ¼·6/6 + ¼·6/1
  CHECK(m.wcre_exclude_zero == 1);
  CHECK(m.wcre_max_one == 6);
  CHECK(m.mred == m.mred_exclude_zero);
  CHECK(m.wcre == m.wcre_exclude_zero);
  options.convention = Convention::evoapprox8b;
  m = characterize(lut, a, b, options).metrics;
  CHECK(m.mred == m.mred_max_one);
  CHECK(m.wcre == m.wcre_max_one);
  const auto zero = parse_distribution("point(0)", false);
  m = characterize(lut, zero, b).metrics;
  CHECK(std::isnan(m.mred_exclude_zero));
  CHECK(std::isnan(m.wcre_exclude_zero));
  CHECK(std::isnan(m.snr_db));
  CHECK(m.mred_max_one == 3);
}

TEST_CASE("the exact multiplier: everything is 0, what has no value is NaN") {
  for (OperandType type : kOperandTypes) {
    const ErrorReport r = characterize(Lut::exact(type));
    CHECK(r.metrics.bias == 0);
    CHECK(r.metrics.wce == 0);
    CHECK(r.metrics.wce_a == a_min(type));
    CHECK(r.metrics.wce_b == b_min(type));
    CHECK(r.metrics.mse == 0);
    CHECK(r.metrics.hamming_mean == 0);
    CHECK(std::isnan(r.metrics.skewness));
    CHECK(std::isnan(r.metrics.excess_kurtosis));
    CHECK(std::isnan(r.metrics.snr_db));
    CHECK(r.metrics.anova_interaction == 0);
    CHECK(r.metrics.sign_preserved);
    CHECK(r.metrics.zero_violations == 0);
    CHECK(r.metrics.is_symmetric);
    CHECK(r.pmf.value == std::vector<std::int32_t>{0});
    CHECK(r.pmf.probability == std::vector<double>{1});
  }
}

TEST_CASE("Hamming distance and flips count the low 16 bits, two's complement") {
  // −1 against 0 differs in all 16 bits; 65536 against 0 in none of them.
  const Lut lut = changed(OperandType::s8s8, [](int a, int b) {
    return a == 0 && b == 0 ? -1 : a == 0 && b == 1 ? 65536 : 0;
  });
  const ErrorMetrics m = characterize(lut).metrics;
  for (double rate : m.bit_flip_rate) CHECK(rate == 1.0 / 65536);
  CHECK(m.hamming_mean == 16.0 / 65536);
  CHECK(m.error_rate == 2.0 / 65536);
}

TEST_CASE("symmetry, zero violations and signs") {
  const auto facts = [](const Lut& lut) { return characterize(lut).metrics; };
  ErrorMetrics m = facts(test::asymmetric_lut(OperandType::u8u8));
  CHECK_FALSE(m.is_symmetric);
  CHECK(m.zero_violations == 511);  // 11 + 7a and 11 − 5b are never 0
  CHECK_FALSE(m.sign_preserved);
  // u8s8: only operand values that both sides can take are compared.
  CHECK(facts(changed(OperandType::u8s8, [](int a, int b) {
          return a > 127 || b < 0 ? a : 0;
        })).is_symmetric);
  CHECK_FALSE(facts(changed(OperandType::u8s8, [](int a, int b) {
                return a == 127 && b == 0;
              })).is_symmetric);
  CHECK_FALSE(facts(changed(OperandType::s8s8, [](int a, int b) {
                return a == -128 && b == 127;
              })).is_symmetric);
  // A product of 0 never breaks a sign, a non-zero one where the exact product is 0 does.
  m = facts(Lut::from_function(OperandType::s8s8, [](int, int) { return 0; }));
  CHECK(m.sign_preserved);
  CHECK(m.zero_violations == 0);
  m = facts(changed(OperandType::s8s8, [](int a, int b) { return a == 0 && b == 7 ? 1 : 0; }));
  CHECK_FALSE(m.sign_preserved);
  CHECK(m.zero_violations == 1);
  m = facts(changed(OperandType::s8s8, [](int a, int b) { return a == 0 && b == 7 ? -1 : 0; }));
  CHECK_FALSE(m.sign_preserved);
  CHECK(m.zero_violations == 1);
  m = facts(changed(OperandType::s8s8, [](int a, int b) { return a == -1 && b == 1 ? 2 : 0; }));
  CHECK_FALSE(m.sign_preserved);
  CHECK(m.zero_violations == 0);
}

TEST_CASE("quantiles take the smallest value whose CDF reaches the level") {
  // e = a with a uniform on 0 … 3: CDF ¼, ½, ¾, 1.
  const Lut lut = changed(OperandType::s8s8, [](int a, int) { return -a; });
  const auto a = parse_distribution("uniform(low=0,high=3)", true);
  CharacterizeOptions options;
  options.quantile_levels = {1, 0.25, 0.5, 0.7500001, 0.001};
  const auto q = characterize(lut, a, uniform_distribution(true), options).quantiles;
  REQUIRE(q.size() == 5);
  const double expected[][2] = {{0, 3}, {-3, 0}, {-2, 1}, {0, 3}, {-3, 0}};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(q[i].level == options.quantile_levels[i]);
    CHECK(q[i].error == expected[i][0]);
    CHECK(q[i].abs_error == expected[i][1]);
  }
  for (double level : {0.0, -0.1, 1.1, std::nan("")}) {
    options.quantile_levels = {level};
    CHECK_THROWS_AS(characterize(lut, options), UsageError);
  }
}

TEST_CASE("the weighted path agrees with the exact one at uniform operands") {
  for (OperandType type : kOperandTypes) {
    const Lut lut = test::random_lut(type, 3);
    JointDistribution joint{"uniform", type, Array2<double>(256, 256, 1.0 / 65536)};
    const ErrorMetrics x = characterize(lut).metrics, y = characterize(lut, joint).metrics;
    for (const MetricField& field : metric_fields()) {
      CAPTURE(field.name);
      if (field.name.starts_with("anova")) continue;
      CHECK(field.get(y) == doctest::Approx(field.get(x)).epsilon(1e-11));
    }
  }
}

TEST_CASE("results do not depend on what a workspace was used for before, nor on threads") {
  std::vector<Lut> luts = {Lut::exact(OperandType::s8s8), test::asymmetric_lut(OperandType::s8s8),
                           test::random_lut(OperandType::s8s8, 1, 3),
                           test::random_lut(OperandType::s8s8, 2, 60000),
                           test::random_lut(OperandType::s8s8, 3, 5000000)};
  std::vector<OperandDistribution> distributions = {
      uniform_distribution(true), parse_distribution("point(-3)", true),
      parse_distribution("normal(std=20)", true),
      parse_distribution("uniform(low=-9,high=5)", true)};
  std::vector<ErrorReport> fresh;
  for (const Lut& lut : luts)
    for (const auto& a : distributions)
      for (const auto& b : distributions) fresh.push_back(characterize(lut, a, b));
  const auto run = [&](std::size_t i, CharacterizeWorkspace& ws) {
    return characterize(luts[i / 16], distributions[i / 4 % 4], distributions[i % 4], {}, ws);
  };
  CharacterizeWorkspace workspace;
  for (int repeat = 0; repeat < 2; ++repeat)
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      basic_metrics(luts[i * 3 % 5], distributions[i % 3], distributions[i % 4], workspace);
      CHECK(same(run(i, workspace), fresh[i]));
    }
  for (std::size_t i = fresh.size(); i-- > 0;) CHECK(same(run(i, workspace), fresh[i]));
  for (int threads : {1, 2, 7}) {
    std::vector<ErrorReport> reports(fresh.size());
    parallel_for(fresh.size(), threads, [&](std::size_t i) {
      CharacterizeWorkspace own;
      reports[i] = run(i, own);
    });
    for (std::size_t i = 0; i < fresh.size(); ++i) CHECK(same(reports[i], fresh[i]));
  }
}

TEST_CASE("a table in the place of another one is noticed") {
  CharacterizeWorkspace workspace;
  const auto uniform = uniform_distribution(false);
  for (int k = 0; k < 20; ++k) {  // freed memory is likely to be reused for the next table
    const Lut lut = changed(OperandType::u8u8, [&](int, int) { return k; });
    CHECK(characterize(lut, uniform, uniform, {}, workspace).metrics.bias == k);
  }
}

TEST_CASE("without the distribution part the rest is the same and its figures are NaN") {
  const Lut lut = test::random_lut(OperandType::u8u8, 9);
  const auto p = parse_distribution("halfnormal(std=30)", false);
  CharacterizeOptions options;
  options.distribution = false;
  for (const bool uniform : {true, false}) {
    const ErrorReport x = uniform ? characterize(lut, options) : characterize(lut, p, p, options);
    const ErrorReport y = uniform ? characterize(lut) : characterize(lut, p, p);
    CHECK(x.metrics.bias == y.metrics.bias);
    CHECK(x.metrics.error_std == y.metrics.error_std);
    CHECK(x.metrics.mred_max_one == y.metrics.mred_max_one);
    CHECK(x.metrics.snr_db == y.metrics.snr_db);
    CHECK(std::isnan(x.metrics.skewness));
    CHECK(std::isnan(x.metrics.anova_row));
    CHECK(std::isnan(x.metrics.hamming_mean));
    CHECK(x.pmf.value.empty());
    CHECK(std::isnan(x.conditional.std_given_b[0]));
  }
}

TEST_CASE("distributions that do not fit are refused") {
  const Lut lut = test::asymmetric_lut(OperandType::u8s8);
  const auto u = uniform_distribution(false), s = uniform_distribution(true);
  CHECK_NOTHROW(characterize(lut, u, s));
  CHECK_THROWS_WITH_AS(characterize(lut, s, s), doctest::Contains("a is signed"), UsageError);
  CHECK_THROWS_WITH_AS(characterize(lut, u, u), doctest::Contains("b is unsigned"), UsageError);
  auto bad = u;
  bad.p[7] = std::nan("");
  CHECK_THROWS_WITH_AS(characterize(lut, bad, s), doctest::Contains("index 7"), UsageError);
  bad.p[7] = -0.1;
  CHECK_THROWS_AS(characterize(lut, bad, s), UsageError);
  bad.p[7] = 0.1;
  CHECK_THROWS_WITH_AS(characterize(lut, bad, s), doctest::Contains("sum"), UsageError);
  JointDistribution joint{"j", OperandType::u8u8, Array2<double>(256, 256, 1.0 / 65536)};
  CHECK_THROWS_AS(characterize(lut, joint), UsageError);
  joint.type = OperandType::u8s8;
  CHECK_NOTHROW(characterize(lut, joint));
  joint.p(3, 3) = -1.0 / 65536;
  CHECK_THROWS_AS(characterize(lut, joint), UsageError);
  joint.p = Array2<double>(256, 255, 1.0 / 65280);
  CHECK_THROWS_AS(characterize(lut, joint), UsageError);
}

TEST_CASE("a quantile level lies in (0, 1] and is told as it was given") {
  const Lut lut = test::asymmetric_lut(OperandType::u8u8);
  const auto u = uniform_distribution(false);
  CharacterizeOptions options;
  const auto refused = [&](double level, const char* text) {
    options.quantile_levels = {0.5, level};
    CHECK_THROWS_WITH_AS(characterize(lut, u, u, options), doctest::Contains(text), UsageError);
  };
  refused(0, "AX422 quantile level 0 lies outside (0, 1]");
  refused(-1e-9, "quantile level -1e-09 lies");
  refused(1.5, "quantile level 1.5 lies");
  refused(std::nan(""), "quantile level nan lies");
  options.quantile_levels = {1};
  CHECK_NOTHROW(characterize(lut, u, u, options));
}

TEST_CASE("metric fields name every scalar of src/README.md#metrics, once") {
  std::set<std::string_view> names;
  for (const MetricField& field : metric_fields()) {
    CHECK(names.insert(field.name).second);
    CHECK_FALSE(field.units.empty());
    CHECK_FALSE(field.long_name.empty());
    CHECK_FALSE(field.definition.empty());
  }
  for (const char* name : {"bias",
                           "mae",
                           "nmed",
                           "mae_pct_fullscale",
                           "wce",
                           "wce_a",
                           "wce_b",
                           "error_rate",
                           "mse",
                           "rmse",
                           "error_std",
                           "variance",
                           "mred",
                           "wcre",
                           "mred_exclude_zero",
                           "mred_max_one",
                           "wcre_exclude_zero",
                           "wcre_max_one",
                           "skewness",
                           "excess_kurtosis",
                           "snr_db",
                           "hamming_mean",
                           "anova_row",
                           "anova_col",
                           "anova_interaction",
                           "is_symmetric",
                           "zero_violations",
                           "sign_preserved",
                           "rank_error",
                           "rank_lut"})
    CHECK(names.count(name) == 1);
}
