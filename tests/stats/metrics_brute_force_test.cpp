// Weighted metrics against their definitions, evaluated pair by pair in extended precision.
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

using Wide = long double;
// The bias needs more: with a bias of 10^7 and a spread of 1, what long double loses would show.
#if defined(__SIZEOF_FLOAT128__)
__extension__ using Quad = __float128;
#else
using Quad = long double;  // 128 bits on arm64
static_assert(std::numeric_limits<Quad>::digits >= 113);
#endif
static_assert(std::numeric_limits<Wide>::digits >= 64, "extended precision is needed here");
constexpr double kTolerance = 1e-12;

struct Reference {
  Wide bias = 0, mae = 0, mse = 0, variance = 0, rate = 0, third = 0, third_abs = 0, fourth = 0;
  Wide mred_exclude_zero = 0, mred_max_one = 0, nonzero = 0, exact_square = 0;
  Wide anova_row = 0, anova_col = 0, anova_interaction = 0;
  double wcre_exclude_zero = 0, wcre_max_one = 0;
  Wide flips[16] = {};
  int wce = -1, wce_a = 0, wce_b = 0;
  std::vector<Wide> bias_a, bias_b, var_a, var_b, total_a, total_b;
  std::map<int, Wide> pmf;
  bool constant = true;
};

/// Straight from the definitions of src/README.md#metrics; w(i, j) is the probability of the pair,
/// sum_a and sum_b are Σp(a) and Σp(b), which are 1 up to rounding.
template <class W>
Reference brute_force(const Lut& lut, W&& w, bool joint, Quad sum_a = 1, Quad sum_b = 1) {
  const OperandType type = lut.type();
  Reference r;
  for (auto* v : {&r.bias_a, &r.bias_b, &r.var_a, &r.var_b, &r.total_a, &r.total_b})
    v->assign(256, 0);
  const auto each = [&](auto&& body) {
    for (std::size_t i = 0; i < 256; ++i)
      for (std::size_t j = 0; j < 256; ++j) {
        const Wide p = w(i, j);
        if (p > 0)
          body(p, i, j, a_min(type) + static_cast<int>(i), b_min(type) + static_cast<int>(j));
      }
  };
  Quad bias = 0;
  std::vector<Quad> sum_row(256, 0), sum_col(256, 0), bias_row(256, 0), bias_col(256, 0);
  each([&](Wide p, std::size_t i, std::size_t j, int a, int b) {
    const int e = lut(a, b) - a * b, exact = a * b;
    bias += Quad(p) * e;
    r.mae += p * std::abs(e);
    r.mse += p * e * Wide(e);
    r.rate += e != 0 ? p : 0;
    if (std::abs(e) > r.wce) {
      r.wce = std::abs(e);
      r.wce_a = a;
      r.wce_b = b;
    }
    r.exact_square += p * exact * Wide(exact);
    const double relative = std::abs(e) / static_cast<double>(std::max(1, std::abs(exact)));
    r.mred_max_one += p * std::abs(e) / std::max(1, std::abs(exact));
    r.wcre_max_one = std::max(r.wcre_max_one, relative);
    if (exact != 0) {
      r.nonzero += p;
      r.mred_exclude_zero += p * std::abs(e) / std::abs(exact);
      r.wcre_exclude_zero = std::max(r.wcre_exclude_zero, relative);
    }
    for (int k = 0; k < 16; ++k) r.flips[k] += ((lut(a, b) ^ exact) >> k & 1) != 0 ? p : 0;
    r.pmf[e] += p;
    bias_row[i] += Quad(p) * e;
    sum_row[i] += p;
    bias_col[j] += Quad(p) * e;
    sum_col[j] += p;
  });
  r.bias = static_cast<Wide>(bias);
  for (std::size_t i = 0; i < 256; ++i) {
    r.total_a[i] = static_cast<Wide>(sum_row[i]);
    r.total_b[i] = static_cast<Wide>(sum_col[i]);
    if (sum_row[i] > 0) bias_row[i] /= sum_row[i];
    if (sum_col[i] > 0) bias_col[i] /= sum_col[i];
    r.bias_a[i] = static_cast<Wide>(bias_row[i]);
    r.bias_b[i] = static_cast<Wide>(bias_col[i]);
  }
  each([&](Wide p, std::size_t i, std::size_t j, int a, int b) {
    const int e = lut(a, b) - a * b;
    const Wide d = static_cast<Wide>(e - bias);
    r.variance += p * d * d;
    r.third += p * d * d * d;
    r.third_abs += p * std::abs(d * d * d);
    r.fourth += p * d * d * d * d;
    r.var_a[i] += p * (e - r.bias_a[i]) * (e - r.bias_a[i]) / r.total_a[i];
    r.var_b[j] += p * (e - r.bias_b[j]) * (e - r.bias_b[j]) / r.total_b[j];
    if (joint) return;
    const Wide row = static_cast<Wide>(bias_row[i] * sum_b - bias);
    const Wide col = static_cast<Wide>(bias_col[j] * sum_a - bias);
    r.anova_row += p * row * row;
    r.anova_col += p * col * col;
    r.anova_interaction += p * (d - row - col) * (d - row - col);
  });
  r.constant = r.pmf.size() == 1;
  return r;
}

void near(double value, Wide reference, Wide scale) {
  CHECK(std::abs(Wide(value) - reference) <= kTolerance * scale);
}

void check_moments(const ErrorMetrics& m, const Reference& r) {
  near(m.bias, r.bias, r.mae);
  near(m.mae, r.mae, r.mae);
  near(m.mse, r.mse, r.mse);
  near(m.rmse, std::sqrt(r.mse), std::sqrt(r.mse));
  near(m.error_std, std::sqrt(r.variance), std::sqrt(r.mse));
  near(m.error_rate, r.rate, r.rate);
  CHECK(m.wce == r.wce);
  CHECK(m.wce_a == r.wce_a);
  CHECK(m.wce_b == r.wce_b);
}

void check_relative(const ErrorMetrics& m, const Reference& r) {
  near(m.mred_max_one, r.mred_max_one, r.mred_max_one);
  CHECK(m.wcre_max_one == r.wcre_max_one);
  if (r.nonzero > 0) {
    near(m.mred_exclude_zero, r.mred_exclude_zero / r.nonzero, r.mred_exclude_zero / r.nonzero);
    CHECK(m.wcre_exclude_zero == r.wcre_exclude_zero);
  } else {
    CHECK(std::isnan(m.mred_exclude_zero));
    CHECK(std::isnan(m.wcre_exclude_zero));
  }
  if (r.mse > 0 && r.exact_square > 0)
    near(m.snr_db, 10 * std::log10(r.exact_square / r.mse), 10);
  else
    CHECK(std::isnan(m.snr_db));
}

void check_shape(const ErrorMetrics& m, const Reference& r, bool joint) {
  if (r.constant) {
    CHECK(m.error_std == 0);
    CHECK(std::isnan(m.skewness));
    CHECK(std::isnan(m.excess_kurtosis));
  } else {
    const Wide sigma3 = r.variance * std::sqrt(r.variance), square = r.variance * r.variance;
    near(m.variance, r.variance, r.variance);
    near(m.skewness, r.third / sigma3, r.third_abs / sigma3);
    near(m.excess_kurtosis, r.fourth / square - 3, r.fourth / square + 3);
  }
  if (joint) {
    CHECK(std::isnan(m.anova_row));
    CHECK(std::isnan(m.anova_interaction));
  } else if (r.constant) {
    CHECK(m.anova_row == 0);
    CHECK(m.anova_col == 0);
    CHECK(m.anova_interaction == 0);
  } else {
    near(m.anova_row, r.anova_row, r.variance);
    near(m.anova_col, r.anova_col, r.variance);
    near(m.anova_interaction, r.anova_interaction, r.variance);
  }
  Wide hamming = 0;
  for (int k = 0; k < 16; ++k) {
    near(m.bit_flip_rate[static_cast<std::size_t>(k)], r.flips[k], r.flips[k]);
    hamming += r.flips[k];
  }
  near(m.hamming_mean, hamming, hamming);
}

void check_pmf(const ErrorReport& report, const Reference& r) {
  REQUIRE(report.pmf.value.size() == r.pmf.size());
  std::size_t i = 0;
  int wrong = 0;
  for (const auto& [value, p] : r.pmf) {
    wrong += report.pmf.value[i] != value;
    wrong += std::abs(report.pmf.probability[i++] - p) > kTolerance * p;
  }
  CHECK(wrong == 0);
  std::map<int, Wide> magnitudes;
  for (const auto& [value, p] : r.pmf) magnitudes[std::abs(value)] += p;
  const auto check = [](const std::map<int, Wide>& pmf, double level, double found) {
    // The level lies in the step of the CDF at the value found, up to the rounding of a double.
    Wide below = 0, upto = 0;
    for (const auto& [value, p] : pmf) {
      if (value < found) below += p;
      if (value <= found) upto += p;
    }
    CHECK(below < level + Wide(1e-15));
    CHECK((upto > level - Wide(1e-15) || pmf.rbegin()->first == found));
    CHECK(pmf.count(static_cast<int>(found)) == 1);
  };
  for (const Quantile& q : report.quantiles) {
    check(r.pmf, q.level, q.error);
    check(magnitudes, q.level, q.abs_error);
  }
}

void check_conditional(const ConditionalErrors& c, const Reference& r) {
  int wrong = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    const auto differs = [&](double value, Wide reference, Wide total, Wide scale) {
      if (total == 0) return !std::isnan(value);
      return !(std::abs(value - reference) <= kTolerance * scale);
    };
    const Wide rms_a = std::sqrt(r.var_a[i] + r.bias_a[i] * r.bias_a[i]);
    const Wide rms_b = std::sqrt(r.var_b[i] + r.bias_b[i] * r.bias_b[i]);
    wrong += differs(c.bias_given_a[i], r.bias_a[i], r.total_a[i], rms_a);
    wrong += differs(c.std_given_a[i], std::sqrt(r.var_a[i]), r.total_a[i], rms_a);
    wrong += differs(c.bias_given_b[i], r.bias_b[i], r.total_b[i], rms_b);
    wrong += differs(c.std_given_b[i], std::sqrt(r.var_b[i]), r.total_b[i], rms_b);
  }
  CHECK(wrong == 0);
}

void check_report(const ErrorReport& report, const Reference& r, bool joint) {
  check_moments(report.metrics, r);
  check_relative(report.metrics, r);
  check_shape(report.metrics, r, joint);
  check_pmf(report, r);
  check_conditional(report.conditional, r);
}

/// Kind 0 … 7 of error map, with whatever an error sum could trip over.
Lut random_table(OperandType type, int kind, Philox& random) {
  const auto below = [&](int n) {
    return static_cast<int>(random.next_below(static_cast<std::uint64_t>(n)));
  };
  const int constant = below(1 << 24) - (1 << 23), small = below(2000) - 1000;
  std::vector<int> r(256), c(256);
  for (int i = 0; i < 256; ++i) {
    r[static_cast<std::size_t>(i)] = below(401) - 200;
    c[static_cast<std::size_t>(i)] = below(4001) - 2000;
  }
  return Lut::from_function(type, [&](int a, int b) {
    const int sum =
        r[static_cast<std::size_t>(a - a_min(type))] + c[static_cast<std::size_t>(b - b_min(type))];
    switch (kind) {
      case 0:
        return a * b + below(4001) - 2000;  // dense
      case 1:
        return a * b + constant;  // constant
      case 2:
        return a * b + constant + (below(500) == 0 ? 1 : 0);  // nearly constant
      case 3:
        return a * b + small + (below(3000) == 0 ? -700 : 0);  // constant with outliers
      case 4:
        return a * b + sum;  // additive
      case 5:
        return a * b + (below(1000) == 0 ? 1 + below(50) : 0);  // rare errors
      case 6:
        return below(1 << 25) - (1 << 24) + 1;  // as wide as tables get
      default:
        return a * b;  // exact
    }
  });
}

OperandDistribution random_distribution(bool is_signed, int kind, Philox& random) {
  std::array<double, kOperandCount> weight{};
  for (double& x : weight) switch (kind) {
      case 0:
        x = random.next_double();
        break;
      case 1:
        x = std::exp(80 * (random.next_double() - 1));
        break;  // 35 decades
      case 2:
        x = random.next_below(4) == 0 ? random.next_double() : 0;
        break;
      case 3:
        x = 1.0 / 3;
        break;  // uniform, but not 1/256
      default:
        x = 0;
    }
  if (kind == 4) weight[random.next_below(256)] = 1;  // a point mass
  if (kind == 5) weight[is_signed ? 128 : 0] = 1;     // always the operand 0
  if (kind == 6) weight[random.next_below(256)] = weight[random.next_below(256)] = 0.3;
  if (kind == 7)
    return parse_distribution(is_signed ? "0.4*point(0)+0.6*laplace(std=9)" : "halfnormal(std=30)",
                              is_signed);
  if (kind == 3) weight[7] = 0;
  return distribution_from_counts("random", is_signed, weight);
}

Quad sum_of(const OperandDistribution& d) {
  Quad sum = 0;
  for (double x : d.p) sum += x;
  return sum;
}

JointDistribution random_joint(OperandType type, int kind, Philox& random) {
  JointDistribution d;
  d.text = "random";
  d.type = type;
  d.p = Array2<double>(256, 256);
  double total = 0;
  for (std::size_t i = 0; i < 256; ++i)
    for (std::size_t j = 0; j < 256; ++j) {
      double& x = d.p(i, j);
      if (kind == 0) x = random.next_double();
      if (kind == 1) x = random.next_below(50) == 0 ? random.next_double() : 0;
      if (kind == 2) x = i == j ? 1 : 0;
      if (kind == 3) x = i == 200 && j == 3 ? 1 : 0;
      total += x;
    }
  for (double& x : d.p.flat()) x /= total;
  return d;
}

}  // namespace

TEST_CASE("weighted metrics equal their definitions for 200 random tables") {
  constexpr std::uint64_t seed = 20260101;
  CharacterizeWorkspace workspace;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    CAPTURE(seed);
    CAPTURE(trial);
    Philox random(seed, trial);
    const OperandType type = kOperandTypes[trial % 3];
    const Lut lut = random_table(type, static_cast<int>(trial % 8), random);
    if (trial % 4 == 3) {
      const auto joint = random_joint(type, static_cast<int>(random.next_below(4)), random);
      const Reference r = brute_force(
          lut, [&](std::size_t i, std::size_t j) { return Wide(joint.p(i, j)); }, true);
      check_report(characterize(lut, joint, {}, workspace), r, true);
      continue;
    }
    const auto a =
        random_distribution(a_is_signed(type), static_cast<int>(random.next_below(8)), random);
    const auto b =
        random_distribution(b_is_signed(type), static_cast<int>(random.next_below(8)), random);
    const Reference r = brute_force(
        lut, [&](std::size_t i, std::size_t j) { return Wide(a.p[i]) * b.p[j]; }, false, sum_of(a),
        sum_of(b));
    check_report(characterize(lut, a, b, {}, workspace), r, false);
    check_moments(basic_metrics(lut, a, b, workspace), r);
  }
}

TEST_CASE("uniform metrics equal their definitions") {
  for (int kind = 0; kind < 8; ++kind) {
    CAPTURE(kind);
    Philox random(7, static_cast<std::uint64_t>(kind));
    const OperandType type = kOperandTypes[kind % 3];
    const Lut lut = random_table(type, kind, random);
    const Reference r = brute_force(
        lut, [](std::size_t, std::size_t) { return Wide(1) / 65536; }, false);
    check_report(characterize(lut), r, false);
    const auto a = uniform_distribution(a_is_signed(type)),
               b = uniform_distribution(b_is_signed(type));
    check_moments(basic_metrics(lut, a, b), r);
  }
}
