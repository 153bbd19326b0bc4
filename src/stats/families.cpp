// Parametric families: continuous laws by Boost.Math, P(i) = CDF(i + 1/2) − CDF(i − 1/2).
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/exponential.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/laplace.hpp>
#include <boost/math/distributions/logistic.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/distributions/triangular.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "stats/distribution_internal.hpp"

namespace axmul::detail::stats {
namespace {

void require(bool holds, const char* reason) {
  if (!holds) throw std::invalid_argument(reason);
}

/// Both tails of a law, each with small relative error.
struct Tails {
  double below, above;
};

/// Discretises by tails(x) = {P(X ≤ x), P(X > x)}. Differences are taken on the side where they
/// do not cancel. Subnormal probabilities become 0: they would only slow the sums down.
template <class F>
Values discretise(F&& tails, OperandRange range, bool fold) {
  Values p(static_cast<std::size_t>(range.max - range.min + 1), 0.0);
  Tails left = tails(range.min - 0.5);
  const Tails first = left;
  for (int i = range.min; i <= range.max; ++i) {
    const Tails right = tails(i + 0.5);
    const double mass = left.below < 0.5 ? right.below - left.below : left.above - right.above;
    p[static_cast<std::size_t>(i - range.min)] = mass > 0 ? mass : 0;
    left = right;
  }
  if (fold) {
    p.front() += first.below;
    p.back() += left.above;
  } else {
    double total = 0;
    for (double x : p) total += x;
    require(total > 0, "no probability lies in the operand's range; use tails=fold");
    for (double& x : p) x /= total;
  }
  for (double& x : p)
    if (x < std::numeric_limits<double>::min()) x = 0;
  return p;
}

/// A Boost law stretched and moved: X = location + scale·Y. Support tells where CDF is 0 or 1.
template <class Law>
Values from_law(const Law& law, double location, double scale, OperandRange range, bool fold) {
  const auto [low, high] = boost::math::support(law);
  const auto tails = [&, low = low, high = high](double x) -> Tails {
    const double y = (x - location) / scale;
    if (y <= low) return {0, 1};
    if (y >= high) return {1, 0};
    return {boost::math::cdf(law, y), boost::math::cdf(boost::math::complement(law, y))};
  };
  return discretise(tails, range, fold);
}

void require_std(double std) { require(std > 0, "std must be greater than 0"); }

Values normal(std::span<const double> v, OperandRange range, bool fold) {
  require_std(v[1]);
  return from_law(boost::math::normal(), v[0], v[1], range, fold);
}

/// |N(0, s²)|, whose standard deviation is s·√(1 − 2/π).
Values halfnormal(std::span<const double> v, OperandRange range, bool fold) {
  require_std(v[0]);
  const double s = v[0] / std::sqrt(1 - 2 / 3.14159265358979323846);
  return discretise(
      [&](double x) -> Tails {
        if (x <= 0) return {0, 1};
        const double z = x / s * 0.70710678118654752440;
        return {std::erf(z), std::erfc(z)};
      },
      range, fold);
}

Values laplace(std::span<const double> v, OperandRange range, bool fold) {
  require_std(v[1]);
  return from_law(boost::math::laplace(), v[0], v[1] / std::sqrt(2.0), range, fold);
}

Values logistic(std::span<const double> v, OperandRange range, bool fold) {
  require_std(v[1]);
  return from_law(boost::math::logistic(), v[0], v[1] * std::sqrt(3.0) / 3.14159265358979323846,
                  range, fold);
}

Values exponential(std::span<const double> v, OperandRange range, bool fold) {
  require_std(v[0]);
  return from_law(boost::math::exponential(), 0, v[0], range, fold);
}

Values gamma(std::span<const double> v, OperandRange range, bool fold) {
  require(v[0] > 0, "shape must be greater than 0");
  require_std(v[1]);
  return from_law(boost::math::gamma_distribution<double>(v[0]), 0, v[1] / std::sqrt(v[0]), range,
                  fold);
}

Values beta(std::span<const double> v, OperandRange range, bool fold) {
  require(v[0] > 0 && v[1] > 0, "alpha and beta must be greater than 0");
  const double low = std::isnan(v[2]) ? range.min : v[2];
  const double high = std::isnan(v[3]) ? range.max : v[3];
  require(low < high, "low must be below high");
  return from_law(boost::math::beta_distribution<double>(v[0], v[1]), low, high - low, range, fold);
}

/// Student's t with standard deviation std: scale = std·√((df − 2)/df).
Values student_t(std::span<const double> v, OperandRange range, bool fold) {
  require(v[0] > 2, "df must be greater than 2, or the standard deviation does not exist");
  require_std(v[2]);
  return from_law(boost::math::students_t(v[0]), v[1], v[2] * std::sqrt((v[0] - 2) / v[0]), range,
                  fold);
}

Values triangular(std::span<const double> v, OperandRange range, bool fold) {
  require(v[0] <= v[1] && v[1] <= v[2] && v[0] < v[2], "low <= mode <= high, low < high");
  return from_law(boost::math::triangular(v[0], v[1], v[2]), 0, 1, range, fold);
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Parameter kMeanStd[] = {{"mean", false, 0}, {"std"}};
constexpr Parameter kStd[] = {{"std"}};
constexpr Parameter kGamma[] = {{"shape"}, {"std"}};
constexpr Parameter kBeta[] = {{"alpha"}, {"beta"}, {"low", false, kNaN}, {"high", false, kNaN}};
constexpr Parameter kStudent[] = {{"df"}, {"mean", false, 0}, {"std"}};
constexpr Parameter kTriangular[] = {{"low"}, {"mode"}, {"high"}};

constexpr Family kFamilies[] = {
    {"normal", kMeanStd, "Gaussian", normal},
    {"halfnormal", kStd, "magnitude of a centred Gaussian; std is that of the magnitude",
     halfnormal},
    {"laplace", kMeanStd, "double exponential", laplace},
    {"logistic", kMeanStd, "logistic", logistic},
    {"exponential", kStd, "exponential from 0; std is also its mean", exponential},
    {"gamma", kGamma, "gamma from 0; mean = std * sqrt(shape)", gamma},
    {"beta", kBeta, "beta between low and high (default: the operand's range)", beta},
    {"student_t", kStudent, "Student's t, df > 2, stretched to that std", student_t},
    {"triangular", kTriangular, "triangle from low over mode to high", triangular},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

}  // namespace axmul::detail::stats
