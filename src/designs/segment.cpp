// Multipliers that work on a few bits of each operand: DRUM, DSM, SSM, ETM, TOSAM.
#include "designs/circuit.hpp"

namespace axmul::detail::designs {

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

// A k-bit segment and by how many places it was shifted down (one-hot).
struct Segment {
  Word bits, shift;
};

Segment leading_segment_circuit(Circuit& c, const Word& x, std::size_t k, bool unbiased) {
  const Word hot = leading_one_hot(c, x);
  Segment s{Word(k, Circuit::kZero), {}};
  s.shift.push_back(
      c.inv(or_all(c, Word(hot.begin() + static_cast<std::ptrdiff_t>(k), hot.end()))));
  for (std::size_t t = 1; t + k <= x.size(); ++t) s.shift.push_back(hot[k - 1 + t]);
  for (std::size_t t = 0; t < s.shift.size(); ++t)
    for (std::size_t i = 0; i < k; ++i) {
      const Bit kept = unbiased && t > 0 && i == 0 ? Circuit::kOne : x[t + i];
      s.bits[i] = c.or2(s.bits[i], c.and2(s.shift[t], kept));
    }
  return s;
}

// The exact product of two segments, put back into place by a barrel shifter.
Word segment_product(Circuit& c, const Segment& a, const Segment& b, std::size_t size) {
  const std::size_t n = bits_for(a.shift.size());
  const Word amount =
      ripple_add(c, encode(c, a.shift, n), encode(c, b.shift, n), Circuit::kZero, n + 1);
  return shift_left(c, array_product(c, a.bits, b.bits), amount, size);
}

Word drum_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const auto k = static_cast<std::size_t>(config[0]);
  return segment_product(c, leading_segment_circuit(c, a, k, true),
                         leading_segment_circuit(c, b, k, true), 2 * a.size());
}

Word dsm_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const auto k = static_cast<std::size_t>(config[0]);
  return segment_product(c, leading_segment_circuit(c, a, k, false),
                         leading_segment_circuit(c, b, k, false), 2 * a.size());
}

// Segment bits and one select line per position above the lowest.
Segment static_segment_circuit(Circuit& c, const DesignConfig& config, const Word& x) {
  const auto m = static_cast<std::size_t>(config[0]),
             positions = static_cast<std::size_t>(config[1]);
  const std::size_t step = (x.size() - m) / (positions - 1);
  Segment s{Word(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(m)), {}};
  for (std::size_t p = 1; p < positions; ++p) {  // a one at or above the previous position's end
    const auto end = static_cast<std::ptrdiff_t>(m + (p - 1) * step);
    const auto start = static_cast<std::ptrdiff_t>(p * step);
    s.shift.push_back(or_all(c, Word(x.begin() + end, x.end())));
    s.bits = mux_each(c, s.bits,
                      Word(x.begin() + start, x.begin() + start + static_cast<std::ptrdiff_t>(m)),
                      s.shift.back());
  }
  return s;
}

Word ssm_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const Segment sa = static_segment_circuit(c, config, a),
                sb = static_segment_circuit(c, config, b);
  const auto step =
      (a.size() - static_cast<std::size_t>(config[0])) / (static_cast<std::size_t>(config[1]) - 1);
  Word product = resized(array_product(c, sa.bits, sb.bits), 2 * a.size());
  for (const Segment& s : {sa, sb})
    for (Bit select : s.shift)
      product = mux_each(c, product, shifted(product, step, product.size()), select);
  return product;
}

// One half-width multiplier serves the high or the low halves; the low product bits of the former
// case are a chain of ORs from the left.
Word etm_circuit(Circuit& c, const DesignConfig&, const Word& a, const Word& b) {
  const std::size_t n = a.size(), half = n / 2;
  const auto middle = static_cast<std::ptrdiff_t>(half);
  const Word a_low(a.begin(), a.begin() + middle), a_high(a.begin() + middle, a.end());
  const Word b_low(b.begin(), b.begin() + middle), b_high(b.begin() + middle, b.end());
  const Bit large = c.or2(or_all(c, a_high), or_all(c, b_high));
  const Word core =
      array_product(c, mux_each(c, a_low, a_high, large), mux_each(c, b_low, b_high, large));
  Word ones(n, Circuit::kZero);
  Bit found = Circuit::kZero;
  for (std::size_t i = half; i-- > 0;)
    ones[half + i] = found = c.or2(found, c.or2(a_low[i], b_low[i]));
  for (std::size_t i = 0; i < half; ++i) ones[i] = found;
  Word product = mux_each(c, core, ones, large);
  const Word high = and_each(c, core, large);
  product.insert(product.end(), high.begin(), high.end());
  return product;
}

// 1 + Ya + Yb + Ya'·Yb' in units of 2^-2t, shifted by ka + kb, the fraction cut.
Word tosam_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const auto h = static_cast<std::size_t>(config[0]), t = static_cast<std::size_t>(config[1]);
  const Word hot_a = leading_one_hot(c, a), hot_b = leading_one_hot(c, b);
  const auto rounded = [&](const Word& x, const Word& hot) {
    return shifted(fraction_bits(c, x, hot, h), 1, h + 1);
  };
  Word ya = rounded(a, hot_a), yb = rounded(b, hot_b);
  ya[0] = yb[0] = Circuit::kOne;
  const std::size_t size = 2 * t + 2;
  const Word product = shifted(array_product(c, ya, yb), 2 * (t - h - 1), size);
  const Word fractions = ripple_add(c, fraction_bits(c, a, hot_a, t), fraction_bits(c, b, hot_b, t),
                                    Circuit::kZero, t + 1);
  Word one(size, Circuit::kZero);
  one[2 * t] = Circuit::kOne;
  const Word sum = ripple_add(c, ripple_add(c, product, one, Circuit::kZero, size),
                              shifted(fractions, t, size), Circuit::kZero, size);
  const std::size_t n = bits_for(a.size());
  const Word amount =
      ripple_add(c, encode(c, hot_a, n), encode(c, hot_b, n), Circuit::kZero, n + 1);
  const Word wide = shift_left(c, sum, amount, 2 * t + 2 * a.size());
  const Word cut(wide.begin() + static_cast<std::ptrdiff_t>(2 * t), wide.end());
  return and_each(c, cut, c.and2(or_all(c, a), or_all(c, b)));
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
  f.circuit = drum_circuit;
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
  f.circuit = dsm_circuit;
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
  f.circuit = ssm_circuit;
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
  f.circuit = etm_circuit;
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
  f.circuit = tosam_circuit;
  f.signed_form = SignedForm::sign_magnitude;
  f.conflict = tosam_conflict;
  return f;
}

}  // namespace axmul::detail::designs
