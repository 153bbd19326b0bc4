// Distributions: each family against an integral of its density, the syntax, and what it refuses.
#include "axmul/stats/distribution.hpp"

#include <cmath>
#include <functional>
#include <numbers>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

using Density = std::function<double(double)>;

/// ∫ of f by Simpson's rule on pieces of 1/64.
double integral(const Density& f, double from, double to) {
  const int n = 2 * std::max(1, static_cast<int>(std::ceil((to - from) * 64)));
  const double h = (to - from) / n;
  double sum = f(from) + f(to);
  for (int i = 1; i < n; ++i) sum += (i % 2 == 1 ? 4 : 2) * f(from + i * h);
  return sum * h / 3;
}

double sum(const OperandDistribution& d) {
  double total = 0;
  for (double x : d.p) total += x;
  return total;
}

/// Inner values must be the density's integral over i ± ½ (breaks at kinks are the caller's care).
void check_family(const std::string& text, bool is_signed, const Density& density, double kink) {
  CAPTURE(text);
  const OperandDistribution d = parse_distribution(text, is_signed);
  CHECK(sum(d) == doctest::Approx(1).epsilon(1e-14));
  const int low = is_signed ? -128 : 0;
  for (int i = low + 1; i < low + 255; ++i) {
    const double from = i - 0.5, to = i + 0.5;
    const double expected = kink > from && kink < to
                                ? integral(density, from, kink) + integral(density, kink, to)
                                : integral(density, from, to);
    CHECK(std::abs(d.p[static_cast<std::size_t>(i - low)] - expected) < 1e-9);
  }
}

}  // namespace

TEST_CASE("families are integrals of their densities; std is their standard deviation") {
  using std::exp;
  using std::numbers::pi;
  const double s = 20;
  check_family(
      "normal(mean=-5,std=20)", true,
      [&](double x) { return exp(-(x + 5) * (x + 5) / (2 * s * s)) / (s * std::sqrt(2 * pi)); },
      1e9);
  const double h = 30 / std::sqrt(1 - 2 / pi);
  check_family(
      "halfnormal(std=30)", false,
      [&](double x) { return std::sqrt(2 / pi) / h * exp(-x * x / (2 * h * h)); }, 1e9);
  check_family(
      "laplace(mean=3,std=14)", true,
      [&](double x) {
        const double b = 14 / std::sqrt(2);
        return exp(-std::abs(x - 3) / b) / (2 * b);
      },
      3);
  check_family(
      "logistic(mean=100,std=9)", false,
      [&](double x) {
        const double c = 9 * std::sqrt(3) / pi, y = exp(-(x - 100) / c);
        return y / (c * (1 + y) * (1 + y));
      },
      1e9);
  check_family(
      "exponential(std=25)", false, [](double x) { return exp(-x / 25) / 25; }, 1e9);
  check_family(
      "gamma(shape=4,std=30)", false,
      [](double x) { return x * x * x * exp(-x / 15) / (6 * std::pow(15, 4)); }, 1e9);
  check_family(
      "beta(alpha=2,beta=4,low=-100,high=100)", true,
      [](double x) {
        const double y = (x + 100) / 200;
        return y < 0 || y > 1 ? 0 : 20 * y * std::pow(1 - y, 3) / 200;
      },
      -100);
  check_family(
      "student_t(df=5,mean=2,std=10)", true,
      [](double x) {
        const double c = 10 * std::sqrt(3.0 / 5), t = (x - 2) / c;
        return std::tgamma(3) / (std::sqrt(5 * pi) * std::tgamma(2.5) * c) *
               std::pow(1 + t * t / 5, -3);
      },
      1e9);
  check_family(
      "triangular(low=-50,mode=10,high=30)", true,
      [](double x) {
        if (x < -50 || x > 30) return 0.0;
        return x < 10 ? 2 * (x + 50) / (80 * 60) : 2 * (30 - x) / (80 * 20);
      },
      10);
}

TEST_CASE("tails fold onto the ends, or are renormalised away") {
  const auto fold = parse_distribution("normal(mean=0,std=20)", false);
  CHECK(fold.p[0] == doctest::Approx(0.5 * std::erfc(-0.5 / 20 / std::sqrt(2))).epsilon(1e-14));
  CHECK(sum(fold) == doctest::Approx(1).epsilon(1e-15));
  const auto cut = parse_distribution("normal(mean=0,std=20,tails=renormalise)", false);
  CHECK(sum(cut) == doctest::Approx(1).epsilon(1e-14));
  CHECK(cut.p[5] / cut.p[10] == doctest::Approx(fold.p[5] / fold.p[10]).epsilon(1e-12));
  CHECK(cut.p[0] < cut.p[1] * 1.002);
  CHECK(cut.text == "normal(mean=0,std=20,tails=renormalise)");
  const auto high = parse_distribution("normal(mean=1000,std=1)", true);
  CHECK(high.p[255] == 1);
  CHECK_THROWS_WITH_AS(parse_distribution("normal(mean=1000,std=1,tails=renormalise)", true),
                       doctest::Contains("tails=fold"), UsageError);
}

TEST_CASE("far tails keep their relative accuracy") {
  // P(X > 99.5σ'…) from the complement: erfc, not 1 − erf.
  const auto d = parse_distribution("normal(mean=0,std=10)", true);
  const auto tail = [](double x) { return 0.5 * std::erfc(x / 10 / std::sqrt(2)); };
  CHECK(d.p[128 + 100] == doctest::Approx(tail(99.5) - tail(100.5)).epsilon(1e-10));
  CHECK(d.p[128 - 100] == doctest::Approx(d.p[128 + 100]).epsilon(1e-12));
  CHECK(d.p[128 + 100] < 1e-20);
}

TEST_CASE("canonical text reads back as the same distribution") {
  const char* pairs[][2] = {
      {"uniform", "uniform"},
      {" uniform ( ) ", "uniform"},
      {"uniform(low=-128,high=127)", "uniform"},
      {"uniform(-3, 4)", "uniform(low=-3,high=4)"},
      {"point(-3)", "point(-3)"},
      {"point( value = 7 )", "point(7)"},
      {"normal(std=20)", "normal(mean=0,std=20)"},
      {"normal(1.5,2e1)", "normal(mean=1.5,std=20)"},
      {"normal(tails=fold, std=20)", "normal(mean=0,std=20)"},
      {"0.4*point(0)+0.6*halfnormal(std=30)", "0.4*point(0)+0.6*halfnormal(std=30)"},
      {"1e-1 * point(1) + 9e-1*normal( mean=1e+1 , std=0.1 )",
       "0.1*point(1)+0.9*normal(mean=10,std=0.1)"},
      {"zero_inflated(0.25,normal(std=3))", "zero_inflated(zeros=0.25,normal(mean=0,std=3))"},
      {"zero_inflated(zeros=0.5,0.5*point(1)+0.5*point(2))",
       "zero_inflated(zeros=0.5,0.5*point(1)+0.5*point(2))"},
      {"beta(2,3)", "beta(alpha=2,beta=3)"},
      {"beta(2,3,high=9)", "beta(alpha=2,beta=3,high=9)"},
  };
  for (const auto& [text, canonical] : pairs) {
    CAPTURE(text);
    const auto d = parse_distribution(text, true);
    CHECK(d.text == canonical);
    CHECK(d.is_signed);
    CHECK(sum(d) == doctest::Approx(1).epsilon(1e-14));
    const auto again = parse_distribution(d.text, true);
    CHECK(again.p == d.p);
    CHECK(again.text == d.text);
  }
}

TEST_CASE("mixtures and zero inflation weigh their parts") {
  const auto d = parse_distribution("0.25*point(3)+0.75*uniform(low=0,high=3)", false);
  CHECK(d.p[3] == 0.25 + 0.75 * 0.25);
  CHECK(d.p[2] == 0.75 * 0.25);
  CHECK(d.p[4] == 0);
  const auto z = parse_distribution("zero_inflated(zeros=0.5,uniform(low=-1,high=0))", true);
  CHECK(z.p[128] == 0.75);
  CHECK(z.p[127] == 0.25);
}

TEST_CASE("bad texts are refused with the part that is wrong") {
  const char* cases[][2] = {
      {"", "a distribution is missing"},
      {"norml(std=3)", "unknown family \"norml\"; known are uniform"},
      {"normal", "needs std"},
      {"normal(std)", "\"std\""},
      {"normal(std=)", "std is \"\""},
      {"normal(std=2x)", "std is \"2x\""},
      {"normal(std=nan)", "finite"},
      {"normal(std=1e999)", "std is \"1e999\""},
      {"normal(std=0)", "std must be greater than 0"},
      {"normal(std=-1)", "greater than 0"},
      {"normal(sd=3)", "no parameter \"sd\"; it takes mean=0, std"},
      {"normal(0,1,2)", "too many values"},
      {"normal(0,mean=1,std=2)", "mean twice"},
      {"normal(std=3,tails=wrap)", "tails is \"wrap\""},
      {"normal(std=3", "a \"(\" is not closed"},
      {"normal(std=3))", "a \")\" without \"(\""},
      {"normal(std=3) x", "after a closing parenthesis"},
      {"point(1.5)", "value is 1.5; the operand takes integers -128 … 127"},
      {"point(128)", "-128 … 127"},
      {"point()", "needs value"},
      {"uniform(low=5,high=4)", "low 5 is above high 4"},
      {"uniform(low=-129)", "-128 … 127"},
      {"student_t(df=2,std=3)", "df must be greater than 2"},
      {"triangular(3,2,1)", "low <= mode <= high"},
      {"gamma(shape=0,std=1)", "shape"},
      {"beta(alpha=0,beta=1)", "alpha and beta"},
      {"beta(alpha=1,beta=1,low=3,high=3)", "low must be below high"},
      {"0.5*point(0)", "weights sum to 0.5"},
      {"0.5*point(0)+0.6*point(1)", "weights sum to 1.1"},
      {"-0.5*point(0)+1.5*point(1)", "weight -0.5 is negative"},
      {"x*point(0)+1*point(1)", "weight is \"x\""},
      {"point(0)+0.5*point(1)", "\"point(0)\" has no weight"},
      {"0.5*point(0)+", "has no weight"},
      {"1*", "a distribution is missing"},
      {"zero_inflated(0.5)", "zero_inflated takes zeros"},
      {"zero_inflated(zeros=1.5,uniform)", "zeros is 1.5"},
      {"trace(x.h5,layer=a,operand=a)", "traces cannot be read here"},
      {"file()", "file needs a path"},
      {"file(\"x)", "quote"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_distribution(text, true), doctest::Contains(message), UsageError);
  }
}

TEST_CASE("nesting is bounded, whatever the parts") {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "zero_inflated(0.5,";
    return text + "point(1)" + std::string(static_cast<std::size_t>(depth), ')');
  };
  CHECK(parse_distribution(nested(31), true).p[129] == std::ldexp(1.0, -31));
  for (const int depth : {32, 2000, 1000000}) {
    CAPTURE(depth);
    CHECK_THROWS_WITH_AS(parse_distribution(nested(depth), true),
                         doctest::Contains("more than 32 parentheses"), UsageError);
  }
  CHECK_THROWS_AS(parse_distribution("1*" + nested(2000), true), UsageError);
}

TEST_CASE("a trace reader is called with its arguments") {
  DistributionContext context;
  context.trace_reader = [](std::string_view arguments, bool is_signed) {
    CHECK(arguments == "t.h5,layer=conv(1),operand=b");
    OperandDistribution d = uniform_distribution(is_signed);
    d.text.clear();
    return d;
  };
  const auto d =
      parse_distribution("0.5*trace( t.h5,layer=conv(1),operand=b )+0.5*point(0)", true, context);
  CHECK(d.text == "0.5*trace(t.h5,layer=conv(1),operand=b)+0.5*point(0)");
  CHECK(d.p[128] == 0.5 + 0.5 / 256);
}

TEST_CASE("counts are normalised, negative and missing ones refused") {
  std::array<double, kOperandCount> counts{};
  counts[3] = 1;
  counts[7] = 3;
  const auto d = distribution_from_counts("c", false, counts);
  CHECK(d.p[3] == 0.25);
  CHECK(d.p[7] == 0.75);
  counts[9] = -1;
  CHECK_THROWS_WITH_AS(distribution_from_counts("c", true, counts), doctest::Contains("-119"),
                       InputError);
  counts.fill(0);
  CHECK_THROWS_AS(distribution_from_counts("c", true, counts), InputError);
  counts[0] = std::nan("");
  CHECK_THROWS_AS(distribution_from_counts("c", true, counts), InputError);
}

TEST_CASE("help knows every family") {
  for (const DistributionFamily& family : distribution_families()) {
    CHECK_FALSE(family.parameters.empty());
    CHECK_FALSE(family.description.empty());
  }
  CHECK(distribution_families().size() == 15);
}
