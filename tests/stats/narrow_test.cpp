// Metrics of tables of fewer than 8x8 bits against loops over the operand values they have.
#include <cmath>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

Lut noisy(const SizedType& type, std::uint64_t seed) {
  Philox random(seed);
  return Lut::from_function_of_size(
      type, [&](int a, int b) { return a * b + static_cast<int>(random.next_below(9)) - 3; });
}

/// Sums over all pairs with weights p(a)·q(b), straight from the definitions.
struct Sums {
  double bias = 0, mae = 0, mse = 0, rate = 0, wce = -1, relative = 0, nonzero = 0, max_one = 0;
  int wce_a = 0, wce_b = 0;
  std::map<int, double> pmf;
  double flips[16] = {};
};

template <class P, class Q>
Sums brute_force(const Lut& lut, P&& p, Q&& q) {
  const SizedType type = lut.sized_type();
  Sums s;
  for (int a = a_min(type); a <= a_max(type); ++a)
    for (int b = b_min(type); b <= b_max(type); ++b) {
      const double w = p(a) * q(b);
      if (w == 0) continue;
      const int e = lut(a, b) - a * b, exact = std::abs(a * b), size = std::abs(e);
      s.bias += w * e, s.mae += w * size, s.mse += w * e * e, s.rate += e != 0 ? w : 0;
      if (size > s.wce) s.wce = size, s.wce_a = a, s.wce_b = b;
      if (exact > 0) s.relative += w * size / exact, s.nonzero += w;
      s.max_one += w * size / std::max(exact, 1);
      s.pmf[e] += w;
      for (int k = 0; k < type.bits.a + type.bits.b; ++k)
        s.flips[k] += ((lut(a, b) ^ (a * b)) >> k & 1) != 0 ? w : 0;
    }
  return s;
}

void check(const ErrorReport& report, const Sums& s, const SizedType& type) {
  const ErrorMetrics& m = report.metrics;
  const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-12); };
  const double full_scale = std::ldexp(1.0, type.bits.a + type.bits.b);
  CHECK(m.bias == near(s.bias));
  CHECK(m.mae == near(s.mae));
  CHECK(m.mse == near(s.mse));
  CHECK(m.variance == near(s.mse - s.bias * s.bias));
  CHECK(m.error_rate == near(s.rate));
  CHECK(m.wce == s.wce);
  CHECK(m.wce_a == s.wce_a);
  CHECK(m.wce_b == s.wce_b);
  CHECK(m.mae_pct_fullscale == near(100 * s.mae / full_scale));
  CHECK(m.wce_pct_fullscale == near(100 * s.wce / full_scale));
  CHECK(m.nmed == near(s.mae / static_cast<double>(max_abs_product(type))));
  CHECK(m.mred_exclude_zero == near(s.relative / s.nonzero));
  CHECK(m.mred_max_one == near(s.max_one));
  REQUIRE(report.pmf.value.size() == s.pmf.size());
  std::size_t i = 0;
  for (const auto& [e, probability] : s.pmf) {
    CHECK(report.pmf.value[i] == e);
    CHECK(report.pmf.probability[i++] == near(probability));
  }
  for (std::size_t k = 0; k < 16; ++k) CHECK(m.bit_flip_rate[k] == near(s.flips[k]));
}

}  // namespace

TEST_CASE("metrics of narrow tables under uniform operands are those of their own operands") {
  std::uint64_t seed = 1;
  for (const char* text : {"u8u3", "u2u8", "s7s7", "s3s5", "u8s4", "u1u1"}) {
    CAPTURE(text);
    const SizedType type = *parse_sized_type(text);
    const Lut lut = noisy(type, seed++);
    const double p = std::ldexp(1.0, -type.bits.a), q = std::ldexp(1.0, -type.bits.b);
    CharacterizeOptions options;
    options.rank = true;
    const ErrorReport report = characterize(lut, options);
    check(report,
          brute_force(
              lut, [&](int) { return p; }, [&](int) { return q; }),
          type);
    CHECK(report.metrics.rank_error <= std::min(1 << type.bits.a, 1 << type.bits.b));
  }
}

TEST_CASE("distributions of narrow operands end where the operands do") {
  const SizedType type = *parse_sized_type("u8s4");
  const Lut lut = noisy(type, 77);
  const OperandDistribution a = parse_distribution("halfnormal(std=40)", false);
  const OperandDistribution b = parse_distribution("normal(mean=1,std=3)", true, {}, 4);
  double sum = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    const int value = static_cast<int>(i) - 128;
    if (value < -8 || value > 7) CHECK(b.p[i] == 0);
    sum += b.p[i];
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-14));
  // What lies beyond goes to the ends.
  CHECK(b.p[128 + 7] == doctest::Approx(0.5 * std::erfc(5.5 / 3 / std::sqrt(2.0))).epsilon(1e-12));
  const auto p = [&](int x) { return a.p[static_cast<std::size_t>(x)]; };
  const auto q = [&](int x) { return b.p[static_cast<std::size_t>(x + 128)]; };
  check(characterize(lut, a, b), brute_force(lut, p, q), type);
  CHECK(basic_metrics(lut, a, b).mae == doctest::Approx(brute_force(lut, p, q).mae));
  CHECK_THROWS_AS(characterize(lut, a, uniform_distribution(true)), UsageError);
  CHECK_THROWS_AS(parse_distribution("point(9)", true, {}, 4), UsageError);
}

TEST_CASE("facts of narrow tables are those of the pairs they have") {
  const SizedType type = *parse_sized_type("s4s4");
  CHECK(characterize(Lut::exact(type)).metrics.is_symmetric);
  CHECK(characterize(Lut::exact(type)).metrics.sign_preserved);
  CHECK(characterize(Lut::exact(type)).metrics.zero_violations == 0);
  const Lut off = Lut::from_function_of_size(type, [](int a, int b) { return a * b + (a == 0); });
  CHECK(characterize(off).metrics.zero_violations == 16);
  CHECK_FALSE(characterize(off).metrics.is_symmetric);
}
