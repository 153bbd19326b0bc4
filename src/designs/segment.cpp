// Multipliers that work on a few bits of each operand: DRUM, DSM, SSM, ETM, TOSAM.
#include "designs/family.hpp"

namespace axmul::detail {

namespace {

// The k bits from the leading one on, the rest cleared; `unbiased` sets the lowest kept bit, so
// that it stands for half of what is lost. Operands of at most k bits stay as they are.
std::int64_t leading_segment(std::int64_t x, int k, bool unbiased) {
  if (x >> k == 0) return x;
  const int drop = leading_one(x) - k + 1;
  return ((x >> drop) | (unbiased ? 1 : 0)) << drop;
}

std::int64_t drum_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return leading_segment(a, c[0], true) * leading_segment(b, c[0], true);
}

std::int64_t dsm_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return leading_segment(a, c[0], false) * leading_segment(b, c[0], false);
}

// The m-bit segment at the lowest of the fixed positions above which no one is left.
std::int64_t static_segment(const DesignConfig& c, std::int64_t x) {
  const int m = c[0], positions = c[1], step = (c.width - m) / (positions - 1);
  int start = 0;
  while (x >> (start + m) != 0) start += positions == 2 ? c.width - m : step;
  return (x >> start) << start;
}

std::int64_t ssm_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return static_segment(c, a) * static_segment(c, b);
}

std::string ssm_conflict(const DesignConfig& c) {
  if (c[0] * 2 < c.width) return "m must be at least half the operand width";
  if (c[1] == 3 && (c[0] * 2 != c.width || c.width % 4 != 0))
    return "three positions need m = half the operand width";
  return {};
}

// Both high halves zero: exact product of the low halves. Else the high halves are multiplied and
// the low half of the product is ones from the leading one of a_low | b_low downwards.
std::int64_t etm_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  const int half = c.width / 2;
  const std::int64_t low_mask = (std::int64_t{1} << half) - 1;
  if ((a | b) >> half == 0) return a * b;
  const std::int64_t low = (a | b) & low_mask;
  const std::int64_t ones = low == 0 ? 0 : (std::int64_t{1} << (half + leading_one(low) + 1)) - 1;
  return (((a >> half) * (b >> half)) << c.width) + ones;
}

// The t leading bits of the fraction, in units of 2^-t.
std::int64_t fraction(std::int64_t x, int t) {
  const int k = leading_one(x);
  const std::int64_t rest = x - (std::int64_t{1} << k);
  return t >= k ? rest << (t - k) : rest >> (k - t);
}

// 2^(ka+kb)·(1 + (Ya)_t + (Yb)_t + Ya'·Yb'), Y' = h leading bits and a one; t ≥ h + 1, floor at
// last.
std::int64_t tosam_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  const int h = c[0], t = c[1], scale = 2 * t;  // everything in units of 2^-2t
  const std::int64_t ya = (fraction(a, h) << 1 | 1) << (t - h - 1);
  const std::int64_t yb = (fraction(b, h) << 1 | 1) << (t - h - 1);
  const std::int64_t sum =
      (std::int64_t{1} << scale) + ((fraction(a, t) + fraction(b, t)) << t) + ya * yb;
  const int shift = leading_one(a) + leading_one(b) - scale;
  return shift >= 0 ? sum << shift : sum >> -shift;
}

std::string tosam_conflict(const DesignConfig& c) {
  return c[1] > c[0] ? "" : "t must be greater than h";
}

}  // namespace

Family drum_family() {
  Family f;
  f.design = {"drum",
              "the k bits from each leading one on, the last of them set, multiplied exactly",
              "S. Hashemi, R. I. Bahar, S. Reda, DRUM: a dynamic range unbiased multiplier for "
              "approximate applications, ICCAD 2015",
              Topology::paper,
              "signed: sign and magnitude around the unsigned core, as in the paper",
              {{"k", 2, 8, 6, "bits kept of each operand", 1}},
              all_types()};
  f.product = drum_product;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

Family dsm_family() {
  Family f;
  f.design = {"dsm",
              "dynamic segment: the k bits from each leading one on, multiplied exactly",
              "S. Narayanamoorthy, H. A. Moghaddam, Z. Liu, T. Park, N. S. Kim, Energy-efficient "
              "approximate multiplication for digital signal processing and classification "
              "applications, IEEE TVLSI 23(6), 2015",
              Topology::paper,
              "signed: sign and magnitude around the unsigned core",
              {{"k", 2, 8, 5, "bits kept of each operand", 1}},
              all_types()};
  f.product = dsm_product;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

Family ssm_family() {
  Family f;
  f.design = {
      "ssm",
      "static segment: m bits of each operand from one of two (ESSM: three) fixed positions",
      "S. Narayanamoorthy et al., Energy-efficient approximate multiplication for digital "
      "signal processing and classification applications, IEEE TVLSI 23(6), 2015",
      Topology::paper,
      "signed: sign and magnitude around the unsigned core",
      {{"m", 4, 8, 5, "segment width, at least half the operand width", 1},
       {"positions", 2, 3, 2, "segment positions; 3 (ESSM) needs m = half the width"}},
      all_types()};
  f.product = ssm_product;
  f.signed_form = SignedForm::sign_magnitude;
  f.conflict = ssm_conflict;
  return f;
}

Family etm_family() {
  Family f;
  f.design = {
      "etm",
      "error-tolerant multiplier: exact on the high halves, ones from the leading one of the "
      "low halves on; exact when both high halves are zero",
      "K. Y. Kyaw, W. L. Goh, K. S. Yeo, Low-power high-speed multiplier for error-tolerant "
      "application, EDSSC 2010",
      Topology::paper,
      "operands are split in the middle",
      {},
      unsigned_only()};
  f.product = etm_product;
  return f;
}

Family tosam_family() {
  Family f;
  f.design = {
      "tosam",
      "2^(ka+kb)·(1 + Ya + Yb + Ya·Yb), fractions truncated to t bits in the sum and to h "
      "bits and a one in the product",
      "S. Vahdat, M. Kamal, A. Afzali-Kusha, M. Pedram, TOSAM: an energy-efficient "
      "truncation- and rounding-based scalable approximate multiplier, IEEE TVLSI 27(5), 2019",
      Topology::paper,
      "signed: exact magnitudes, where the paper approximates them by inversion",
      {{"h", 0, 5, 2, "fraction bits in the product term"},
       {"t", 1, 9, 6, "fraction bits in the sum, more than h"}},
      all_types()};
  f.product = tosam_product;
  f.signed_form = SignedForm::sign_magnitude;
  f.conflict = tosam_conflict;
  return f;
}

}  // namespace axmul::detail
