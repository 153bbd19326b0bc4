// Streamed metrics of 9 to 16 bits against plain loops: exact integers under uniform operands.
#include "axmul/stats/wide.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

__extension__ using Int128 = __int128;

/// A function of operand values as a stream.
template <class F>
class Stream : public ProductSource {
 public:
  Stream(const SizedType& type, F f) : ProductSource(type), f_(f) {}
  std::unique_ptr<ProductBlocks> blocks() const override {
    struct Blocks : ProductBlocks {
      Blocks(const SizedType& t, F g) : type(t), f(g) {}
      void block(std::uint64_t index, std::int32_t* low, std::int32_t* high) override {
        for (std::size_t i = 0; i < kProductBlock; ++i) {
          const auto pair = static_cast<std::int64_t>(index * kProductBlock + i) % type.pairs();
          const std::int64_t product = f(a_min(type) + (pair >> type.bits.b),
                                         b_min(type) + pair % (std::int64_t{1} << type.bits.b));
          low[i] = static_cast<std::int32_t>(product & 0xFFFF);
          high[i] = static_cast<std::int32_t>(product >> 16);
        }
      }
      SizedType type;
      F f;
    };
    return std::make_unique<Blocks>(type(), f_);
  }

 private:
  F f_;
};

/// Errs in an asymmetric way, more where operands are large, and at zeros.
std::int64_t odd(std::int64_t a, std::int64_t b) {
  return a * b + (a % 7 == 3 ? a - 3 * b : 0) + (b == 0 && a % 5 == 0 ? 2 : 0);
}

struct Reference {
  Int128 error = 0, abs = 0, square = 0;
  std::int64_t nonzero = 0, wce = -1, wce_a = 0, wce_b = 0, violations = 0;
  double mred_zero = 0, mred_one = 0, wcre_zero = 0, wcre_one = 0;
  std::vector<double> bins = std::vector<double>(kErrorBins);
};

template <class F>
Reference loop(const SizedType& type, F&& f) {
  Reference r;
  double zero = 0, one = 0, pairs_nonzero = 0;
  for (std::int64_t a = a_min(type); a <= a_max(type); ++a)
    for (std::int64_t b = b_min(type); b <= b_max(type); ++b) {
      const std::int64_t exact = a * b, e = f(a, b) - exact, size = e < 0 ? -e : e;
      r.error += e, r.abs += size, r.square += Int128{e} * e, r.nonzero += e != 0;
      if (size > r.wce) r.wce = size, r.wce_a = a, r.wce_b = b;
      r.violations += exact == 0 && e != 0;
      const auto magnitude = static_cast<double>(exact < 0 ? -exact : exact);
      const double ratio = static_cast<double>(size) / std::max(magnitude, 1.0);
      one += ratio, r.wcre_one = std::max(r.wcre_one, ratio);
      if (exact != 0) zero += ratio, ++pairs_nonzero, r.wcre_zero = std::max(r.wcre_zero, ratio);
      std::size_t bin = 0;
      for (std::int64_t x = size; x > 0; x /= 2) ++bin;
      r.bins[bin] += 1;
    }
  r.mred_zero = zero / pairs_nonzero;
  r.mred_one = one / static_cast<double>(type.pairs());
  return r;
}

std::string text(Int128 value) {
  if (value < 0) return "-" + text(-value);
  std::string digits;
  for (; value > 0; value /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + int(value % 10)));
  return digits.empty() ? "0" : digits;
}

}  // namespace

TEST_CASE("sums over all pairs are exact integers, for every width, sign and thread count") {
  for (const char* name : {"u9u9", "s10s9", "u12s3", "u4u12", "s9s9", "u16u1", "u2u13", "s11s11"}) {
    CAPTURE(name);
    const SizedType type = *parse_sized_type(name);
    const Stream source(type, odd);
    const Reference r = loop(type, odd);
    const auto pairs = static_cast<double>(type.pairs());
    for (const int threads : {1, 3}) {
      const WideReport report = characterize_wide(source, Convention::evoapproxlib, threads);
      const ErrorMetrics& m = report.metrics;
      CHECK(report.sum_error == text(r.error));
      CHECK(report.sum_abs == text(r.abs));
      CHECK(report.sum_square == text(r.square));
      CHECK(report.count_nonzero == std::to_string(r.nonzero));
      CHECK(m.bias == static_cast<double>(r.error) / pairs);
      CHECK(m.mae == static_cast<double>(r.abs) / pairs);
      CHECK(m.mse == static_cast<double>(r.square) / pairs);
      CHECK(m.error_rate == static_cast<double>(r.nonzero) / pairs);
      CHECK(m.variance == doctest::Approx(m.mse - m.bias * m.bias).epsilon(1e-12));
      CHECK(m.wce == r.wce);
      CHECK(m.wce_a == r.wce_a);
      CHECK(m.wce_b == r.wce_b);
      CHECK(m.zero_violations == r.violations);
      CHECK(m.mae_pct_fullscale == doctest::Approx(100 * m.mae / pairs));
      CHECK(m.mred_exclude_zero == doctest::Approx(r.mred_zero).epsilon(1e-12));
      CHECK(m.mred_max_one == doctest::Approx(r.mred_one).epsilon(1e-12));
      CHECK(m.wcre_exclude_zero == r.wcre_zero);
      CHECK(m.wcre_max_one == r.wcre_one);
      for (std::size_t k = 0; k < kErrorBins; ++k)
        CHECK(report.abs_error_bins[k] == r.bins[k] / pairs);
    }
  }
}

TEST_CASE("an exact multiplier has no errors") {
  const auto exact = [](std::int64_t a, std::int64_t b) { return a * b; };
  const Stream source(*parse_sized_type("s12s10"), exact);
  const WideReport report = characterize_wide(source);
  CHECK(report.sum_abs == "0");
  CHECK(report.metrics.wce == 0);
  CHECK(report.abs_error_bins[0] == 1);
  CHECK(report.profile.std_given_a[255] == 0);
  CHECK(std::isnan(report.metrics.snr_db));
}

TEST_CASE("profiles and weighted figures are those of the definition") {
  const SizedType type = *parse_sized_type("u10s9");
  const Stream source(type, odd);
  const WideDistribution a = parse_wide_distribution("halfnormal(std=300)", false, 10);
  const WideDistribution b = parse_wide_distribution("0.5*point(0)+0.5*normal(std=40)", true, 9);
  REQUIRE(a.p.size() == 1024);
  REQUIRE(b.p.size() == 512);
  double bias = 0, mae = 0, mse = 0, rate = 0, first_bin = 0, first_p = 0, low_b = 0, low_p = 0;
  for (int i = 0; i < 1024; ++i)
    for (int j = 0; j < 512; ++j) {
      const double w = a.p[static_cast<std::size_t>(i)] * b.p[static_cast<std::size_t>(j)];
      const auto e = static_cast<double>(odd(i, j - 256) - std::int64_t{i} * (j - 256));
      bias += w * e, mae += w * std::abs(e), mse += w * e * e, rate += e != 0 ? w : 0;
      if (i / 4 == 20) first_bin += w * e, first_p += w;
      if (j / 2 == 127) low_b += w * e, low_p += w;
    }
  const WideReport report = characterize_wide(source, a, b, Convention::evoapproxlib, 1);
  CHECK(report.metrics.bias == doctest::Approx(bias).epsilon(1e-11));
  CHECK(report.metrics.mae == doctest::Approx(mae).epsilon(1e-11));
  CHECK(report.metrics.mse == doctest::Approx(mse).epsilon(1e-11));
  CHECK(report.metrics.error_rate == doctest::Approx(rate).epsilon(1e-11));
  CHECK(report.profile.bias_given_a[20] == doctest::Approx(first_bin / first_p).epsilon(1e-10));
  CHECK(report.profile.bias_given_b[127] == doctest::Approx(low_b / low_p).epsilon(1e-10));
  CHECK(report.sum_error.empty());
  const WideReport again = characterize_wide(source, a, b, Convention::evoapproxlib, 3);
  CHECK(again.metrics.bias == report.metrics.bias);
  CHECK(again.metrics.mred == report.metrics.mred);
  CHECK_THROWS_AS(characterize_wide(source, b, a), UsageError);
}

TEST_CASE("two streams are compared pair by pair") {
  const SizedType type = *parse_sized_type("s9s10");
  const auto other = [](std::int64_t a, std::int64_t b) {
    return odd(a, b) + (a == 17 && b > 500 ? 4 : 0);
  };
  const WideDifferences d = compare_wide(Stream(type, odd), Stream(type, other), 3);
  CHECK(d.count == 11);
  CHECK(d.largest == 4);
  REQUIRE(d.pairs.size() == 3);
  CHECK(d.pairs[0].a == 17);
  CHECK(d.pairs[0].b == 501);
  CHECK(d.pairs[0].second == odd(17, 501) + 4);
  CHECK(compare_wide(Stream(type, odd), Stream(type, odd), 3).count == 0);
}
