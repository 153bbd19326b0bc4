// 16x16 circuits against a brute-force C program with models of its own, compiled here; and what
// papers and libraries print for 16 bits.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "axmul/designs/wide.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// Prints the sums of e, |e|, e² (as two halves), the count of e ≠ 0 and the first worst pair.
constexpr const char* kProgram = R"(
#include <stdio.h>
#include <stdint.h>
typedef int64_t i64;
static i64 lead(i64 x) { i64 p = 1; while (2 * p <= x) p *= 2; return p; }
static i64 drum(i64 x) { if (x < 64) return x; i64 s = lead(x) / 32; return (x / s | 1) * s; }
static i64 power(i64 x) {
  if (x == 0) return 0;
  if (x == 3) return 2;
  i64 p = lead(x);
  return 2 * x >= 3 * p ? 2 * p : p;
}
static i64 table[65536], rounded[65537];
#define ABS(x) ((x) < 0 ? -(x) : (x))
static i64 product(i64 a, i64 b) {
#if MODEL == 0
  return table[a] * table[b];
#elif MODEL == 1
  i64 x = ABS(a), y = ABS(b), xr = rounded[x], yr = rounded[y], m = xr * y + yr * x - xr * yr;
  return (a < 0) != (b < 0) ? -m : m;
#else
  i64 lost = 0;
  for (int i = 0; i < 10; ++i) if (a >> i & 1) lost += (b & ((1 << (10 - i)) - 1)) << i;
  return a * b - lost;
#endif
}
int main(void) {
  for (i64 x = 0; x < 65536; ++x) table[x] = drum(x);
  for (i64 x = 0; x <= 65536; ++x) rounded[x] = power(x);
  i64 lo = MODEL == 1 ? -32768 : 0, hi = lo + 65535, wce = -1, wa = 0, wb = 0;
  __int128 error = 0, abs = 0, square = 0;
  i64 nonzero = 0;
  for (i64 a = lo; a <= hi; ++a) {
    i64 row = 0, row_abs = 0;
    for (i64 b = lo; b <= hi; ++b) {
      i64 e = product(a, b) - a * b, s = ABS(e);
      row += e, row_abs += s, square += (__int128)s * s, nonzero += e != 0;
      if (s > wce) wce = s, wa = a, wb = b;
    }
    error += row, abs += row_abs;
  }
  const __int128 g = 1000000000000000000;
  printf("%lld %lld %lld%018lld %lld %lld %lld %lld\n", (long long)error, (long long)abs,
         (long long)(square / g), (long long)(square % g), (long long)nonzero, (long long)wce,
         (long long)wa, (long long)wb);
}
)";

void check(const std::string& text, int model) {
  CAPTURE(text);
  const test::ScratchDir dir;
  test::write_text(dir / "model.c", kProgram);
  const std::string binary = (dir / "model").string();
  REQUIRE(std::system(("cc -O2 -DMODEL=" + std::to_string(model) + " -o " + binary + " " +
                       (dir / "model.c").string())
                          .c_str()) == 0);
  REQUIRE(std::system((binary + " > " + (dir / "sums").string()).c_str()) == 0);
  std::istringstream sums(test::read_text(dir / "sums"));
  std::string error, abs, square, nonzero;
  std::int64_t wce = 0, a = 0, b = 0;
  sums >> error >> abs >> square >> nonzero >> wce >> a >> b;
  square.erase(0, std::min(square.find_first_not_of('0'), square.size() - 1));
  const WideReport report = characterize_wide(*generate_wide(text).products);
  CHECK(report.sum_error == error);
  CHECK(report.sum_abs == abs);
  CHECK(report.sum_square == square);
  CHECK(report.count_nonzero == nonzero);
  CHECK(report.metrics.wce == wce);
  CHECK(report.metrics.wce_a == a);
  CHECK(report.metrics.wce_b == b);
}

double mred_pct(const std::string& text) {
  return 100 * characterize_wide(*generate_wide(text).products).metrics.mred;
}

}  // namespace

TEST_CASE("16x16 circuits give the sums of a C program, as exact integers") {
  check("drum(k=6,type=u16u16)", 0);
  check("roba(negation=exact,type=s16s16)", 1);
  check("truncated(k=10,type=u16u16)", 2);
}

TEST_CASE("EvoApproxLib's mul16u_GPV: the figures its header prints") {
  const ErrorMetrics m =
      characterize_wide(*generate_wide("broken_array(h=15,v=29,type=u16u16)").products).metrics;
  CHECK(m.mae == 671055872);
  CHECK(m.wce == 2684223489);
}

// The papers' own figures, of random operands there, of all pairs here.
TEST_CASE("figures of papers for 16 bits come from the streams") {
  CHECK(std::abs(mred_pct("drum(k=6,type=u16u16)") - 1.47) <= 0.005 + 0.005);
  CHECK(std::abs(mred_pct("mbm(type=u16u16)") - 2.58) <= 0.005 + 0.005);
  CHECK(std::abs(mred_pct("kulkarni(type=u16u16)") - 3.32) <= 0.01 + 0.005);
  CHECK(std::abs(100 - mred_pct("ssm(m=10,type=u16u16)") - 99.60) <= 0.005 + 0.005);
  CHECK(std::abs(mred_pct("tosam(h=0,t=2,type=u16u16)") - 11) <= 0.5);
  CHECK(std::abs(mred_pct("tosam(h=5,t=9,type=u16u16)") - 0.3) <= 0.05);
}
