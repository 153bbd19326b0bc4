// Generated designs of 9 to 16 bits as streams: circuits against plain loops over independent
// models, and figures that papers and libraries print for 12 bits.
#include "axmul/designs/wide.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

std::int64_t bit(std::int64_t x, int i) { return x >> i & 1; }

/// The partial-product bits of weight below 2^k are left out; top bits of a and b weigh negative.
std::int64_t truncated_signed(std::int64_t a, std::int64_t b, int n, int k) {
  std::int64_t product = a * b;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n && i + j < k; ++j) {
      const std::int64_t weight = bit(a, i) * bit(b, j) << (i + j);
      product -= (i == n - 1) != (j == n - 1) ? -weight : weight;
    }
  return product;
}

/// Hashemi et al. 2015: k bits from the leading one on, the lowest of them set.
std::int64_t drum_operand(std::int64_t x, int k) {
  int bits = 0;
  while (x >> bits != 0) ++bits;
  return bits <= k ? x : (x >> (bits - k) | 1) << (bits - k);
}

/// Zendegani et al. 2017, on magnitudes.
std::int64_t roba(std::int64_t a, std::int64_t b) {
  const auto power = [](std::int64_t x) -> std::int64_t {
    if (x == 0 || x == 3) return x == 0 ? 0 : 2;
    std::int64_t p = 1;
    while (2 * p <= x) p *= 2;
    return 2 * x >= 3 * p ? 2 * p : p;
  };
  const std::int64_t x = std::abs(a), y = std::abs(b), xr = power(x), yr = power(y);
  const std::int64_t magnitude = xr * y + yr * x - xr * yr;
  return (a < 0) != (b < 0) ? -magnitude : magnitude;
}

template <class F>
void check_sums(const std::string& text, F&& model) {
  CAPTURE(text);
  const WideMultiplier design = generate_wide(text);
  const SizedType type = design.type();
  std::int64_t error = 0, abs = 0, nonzero = 0, wce = -1, wce_a = 0, wce_b = 0;
  std::uint64_t square = 0;
  for (std::int64_t a = a_min(type); a <= a_max(type); ++a)
    for (std::int64_t b = b_min(type); b <= b_max(type); ++b) {
      const std::int64_t e = model(a, b) - a * b, size = std::abs(e);
      error += e, abs += size, square += static_cast<std::uint64_t>(e * e), nonzero += e != 0;
      if (size > wce) wce = size, wce_a = a, wce_b = b;
    }
  const WideReport report = characterize_wide(*design.products);
  CHECK(report.sum_error == std::to_string(error));
  CHECK(report.sum_abs == std::to_string(abs));
  CHECK(report.sum_square == std::to_string(square));
  CHECK(report.count_nonzero == std::to_string(nonzero));
  CHECK(report.metrics.wce == wce);
  CHECK(report.metrics.wce_a == wce_a);
  CHECK(report.metrics.wce_b == wce_b);
}

}  // namespace

TEST_CASE("12x12 circuits give the sums of independent models, pair by pair") {
  check_sums("truncated(k=9,type=s12s12)",
             [](auto a, auto b) { return truncated_signed(a, b, 12, 9); });
  check_sums("drum(k=5,type=u12u12)",
             [](auto a, auto b) { return drum_operand(a, 5) * drum_operand(b, 5); });
  check_sums("roba(negation=exact,type=s12s12)", [](auto a, auto b) { return roba(a, b); });
}

TEST_CASE("EvoApproxLib's mul12u_34Q: the figures its header prints") {
  const ErrorMetrics m =
      characterize_wide(*generate_wide("operand_truncation(ka=7,kb=7,type=u12u12)").products)
          .metrics;
  CHECK(m.mae == doctest::Approx(256000).epsilon(1e-5));
  CHECK(m.wce == 1024001);
  CHECK(100 * m.mred == doctest::Approx(15.79).epsilon(0.005 / 15.79));
}

TEST_CASE("figures of papers for 12 bits come from the streams") {
  // Kulkarni et al. 2011, Table I (digits are cut); Babić et al. 2011, p. 31.
  const WideReport kulkarni = characterize_wide(*generate_wide("kulkarni(type=u12u12)").products);
  const double nonzero = 4095.0 * 4095 / (4096.0 * 4096);
  CHECK(std::floor(kulkarni.metrics.mred * nonzero * 1e4) == 331);
  CHECK(std::floor(kulkarni.metrics.error_rate * 100) == 67);
  CHECK(100 * kulkarni.metrics.wcre == doctest::Approx(22.22).epsilon(1e-3));
  const double babic[] = {9.3692, 0.9726, 0.1029};
  for (int k = 0; k < 3; ++k) {
    const std::string text = "babic(corrections=" + std::to_string(k) + ",type=u12u12)";
    const double mred = 100 * characterize_wide(*generate_wide(text, false).products).metrics.mred;
    CHECK(std::abs(mred - babic[k]) <= 0.5e-4);
  }
}

TEST_CASE("texts name widths; what has no table or no such width is refused") {
  CHECK(parse_design("drum(k=6,type=u12u12)").text() == "drum(k=6,type=u12u12)");
  CHECK(parse_design("exact(type=u8u3)").sized_type() == *parse_sized_type("u8u3"));
  CHECK(generate("exact(type=u8u3)").lut == Lut::exact(*parse_sized_type("u8u3")));
  CHECK(generate("exact(type=u5s2)").cost.power_rel == doctest::Approx(1));
  CHECK(generate("drum(k=3,type=u6u6)").lut(63, 33) == 56 * 40);
  CHECK_THROWS_AS(parse_design("drum(k=3,type=u8u3)"), UsageError);
  CHECK_THROWS_AS(parse_design("lower_or(k=3,type=s6s6)"), UsageError);
  CHECK_THROWS_AS(generate("exact(type=u9u4)"), UsageError);
  CHECK(generate_verilog("exact(type=u8u3)").find("module mul8x3u_exact") != std::string::npos);
}

TEST_CASE("operands are rounded half away from zero to multiples that they can hold") {
  const Lut u = generate("operand_rounding(ka=0,kb=4)").lut;
  CHECK(u(3, 7) == 0);
  CHECK(u(3, 8) == 48);
  CHECK(u(1, 247) == 240);
  CHECK(u(1, 255) == 240);  // 256 is beyond the operand
  const Lut s = generate("operand_rounding(ka=2,kb=5,type=s8s8)").lut;
  CHECK(s(4, -16) == 4 * -32);
  CHECK(s(4, -15) == 0);
  CHECK(s(-6, 32) == -8 * 32);
  CHECK(s(127, 127) == 124 * 96);
  CHECK(s(-128, -128) == 16384);
  for (const char* text :
       {"operand_rounding(ka=0,kb=4)", "operand_rounding(ka=2,kb=5,type=s8s8)",
        "operand_rounding(ka=1,kb=7,type=u8s8)", "operand_rounding(ka=7,kb=6,type=s8s8)"}) {
    CAPTURE(text);
    const DesignInstance design = parse_design(text);
    CHECK(simulate(design_netlist(design), design.type()) == generate(text).lut);
  }
}
