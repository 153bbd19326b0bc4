// Multipliers that add binary logarithms: Mitchell, MBM, ALM-SOA, Babić's iterations.
#include "designs/circuit.hpp"

namespace axmul::detail::designs {

namespace {

// Mitchell's logarithm of x > 0: characteristic and `bits` fraction bits, as one fixed-point
// number.
std::int64_t log_of(std::int64_t x, int bits) {
  const int k = leading_one(x);
  return (std::int64_t{k} << bits) | ((x - (std::int64_t{1} << k)) << (bits - k));
}

// 2^characteristic·(1 + fraction), cut to an integer.
std::int64_t antilog(std::int64_t log, int bits) {
  const std::int64_t one = std::int64_t{1} << bits;
  return ((one | (log & (one - 1))) << (log >> bits)) >> bits;
}

std::int64_t mitchell_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  const int bits = c.width - 1;
  return antilog(log_of(a, bits) + log_of(b, bits), bits);
}

// Mitchell's product plus 5/64·2^(ka+kb) (0.0001010 in binary), unless the result would not fit.
std::int64_t mbm_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  const std::int64_t plain = mitchell_product(c, a, b);
  const std::int64_t corrected =
      plain + (((std::int64_t{5} << (leading_one(a) + leading_one(b)))) >> 6);
  return corrected >> (2 * c.width) == 0 ? corrected : plain;
}

// The logarithms meet in a set-one adder: the m low sum bits are 1, the carry into the others is
// the AND of the highest low bits.
std::int64_t alm_soa_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  const int bits = c.width - 1, m = c[0];
  const std::int64_t x = log_of(a, bits), y = log_of(b, bits);
  const std::int64_t carry = m > 0 ? bit(x, m - 1) & bit(y, m - 1) : 0;
  const std::int64_t sum = (((x >> m) + (y >> m) + carry) << m) | ((std::int64_t{1} << m) - 1);
  return antilog(sum, bits);
}

// 2^(ka+kb) + ra·2^kb + rb·2^ka, then the same for the left-out ra·rb.
std::int64_t babic_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  for (int i = 0; i <= c[0] && a != 0 && b != 0; ++i) {
    const std::int64_t pa = std::int64_t{1} << leading_one(a),
                       pb = std::int64_t{1} << leading_one(b);
    sum += pa * b + (a - pa) * pb;
    a -= pa;
    b -= pb;
  }
  return sum;
}

// Fraction below, characteristic above.
Word log_circuit(Circuit& c, const Word& x) {
  const Word hot = leading_one_hot(c, x);
  Word log = fraction_bits(c, x, hot, x.size() - 1);
  for (Bit bit : encode(c, hot, bits_for(x.size()))) log.push_back(bit);
  return log;
}

// The antilogarithm of a sum of two logarithms; 0 unless both operands are non-zero.
Word antilog_circuit(Circuit& c, const Word& log, const Word& a, const Word& b) {
  const auto bits = static_cast<std::ptrdiff_t>(a.size() - 1);
  Word mantissa(log.begin(), log.begin() + bits);
  mantissa.push_back(Circuit::kOne);
  const Word wide = shift_left(c, mantissa, Word(log.begin() + bits, log.end()), 3 * a.size() - 1);
  return and_each(c, Word(wide.begin() + bits, wide.end()), c.and2(or_all(c, a), or_all(c, b)));
}

Word mitchell_circuit(Circuit& c, const DesignConfig&, const Word& a, const Word& b) {
  const Word x = log_circuit(c, a), y = log_circuit(c, b);
  return antilog_circuit(c, ripple_add(c, x, y, Circuit::kZero, x.size() + 1), a, b);
}

Word alm_soa_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const Word x = log_circuit(c, a), y = log_circuit(c, b);
  const auto m = static_cast<std::size_t>(config[0]);
  const auto cut = static_cast<std::ptrdiff_t>(m);
  const Bit carry = m > 0 ? c.and2(x[m - 1], y[m - 1]) : Circuit::kZero;
  const Word high = ripple_add(c, Word(x.begin() + cut, x.end()), Word(y.begin() + cut, y.end()),
                               carry, x.size() + 1 - m);
  Word sum(m, Circuit::kOne);
  sum.insert(sum.end(), high.begin(), high.end());
  return antilog_circuit(c, sum, a, b);
}

// The constant 5 = 101 shifted by ka + kb, six places cut.
Word mbm_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const Word plain = mitchell_circuit(c, config, a, b);
  const std::size_t n = bits_for(a.size()), size = 2 * a.size();
  const Word amount = ripple_add(c, encode(c, leading_one_hot(c, a), n),
                                 encode(c, leading_one_hot(c, b), n), Circuit::kZero, n + 1);
  const Word wide = shift_left(c, {Circuit::kOne, Circuit::kZero, Circuit::kOne}, amount, size + 6);
  const Word correction =
      and_each(c, Word(wide.begin() + 6, wide.end()), c.and2(or_all(c, a), or_all(c, b)));
  const Word sum = ripple_add(c, plain, correction, Circuit::kZero, size + 1);
  return mux_each(c, resized(sum, size), plain, sum.back());
}

Word babic_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const std::size_t size = 2 * a.size();
  Word x = a, y = b, sum(size, Circuit::kZero);
  for (int i = 0; i <= config[0]; ++i) {
    const Word px = leading_one_hot(c, x), py = leading_one_hot(c, y);
    Word rest_x, rest_y;
    for (std::size_t k = 0; k < x.size(); ++k) {
      rest_x.push_back(c.and2(x[k], c.inv(px[k])));
      rest_y.push_back(c.and2(y[k], c.inv(py[k])));
    }
    sum = ripple_add(c, sum, shift_by_one_hot(c, y, px, size), Circuit::kZero, size);
    sum = ripple_add(c, sum, shift_by_one_hot(c, rest_x, py, size), Circuit::kZero, size);
    x = rest_x;
    y = rest_y;
  }
  return sum;
}

}  // namespace

Family mitchell_family() {
  Family f;
  f.design = {"mitchell",
              "sum of straight-line binary logarithms, straight-line antilogarithm",
              "J. N. Mitchell, Computer multiplication and division using binary logarithms, IRE "
              "Trans. Electronic Computers EC-11(4), 1962",
              Topology::paper,
              "signed: sign and magnitude around the unsigned core",
              {},
              all_types()};
  f.product = mitchell_product;
  f.circuit = mitchell_circuit;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

Family mbm_family() {
  Family f;
  f.design = {
      "mbm",
      "minimally biased: Mitchell plus the constant 5/64 before the output shift",
      "H. Saadat, H. Bokhari, S. Parameswaran, Minimally biased multipliers for approximate "
      "integer and floating-point multiplication, IEEE TCAD 37(11), 2018",
      Topology::paper,
      "products that would overflow go uncorrected; correction bits below 1 are cut",
      {},
      unsigned_only()};
  f.product = mbm_product;
  f.circuit = mbm_circuit;
  return f;
}

Family alm_soa_family() {
  Family f;
  f.design = {
      "alm_soa",
      "Mitchell with a set-one adder: the m low bits of the sum of logarithms are 1",
      "W. Liu, J. Xu, D. Wang, C. Wang, P. Montuschi, F. Lombardi, Design and evaluation of "
      "approximate logarithmic multipliers for low power error-tolerant applications, IEEE "
      "TCAS-I 65(9), 2018",
      Topology::paper,
      "signed: sign and magnitude around the unsigned core",
      {{"m", 0, 7, 3, "low bits of the logarithm sum set to one", 1}},
      all_types()};
  f.product = alm_soa_product;
  f.circuit = alm_soa_circuit;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

Family babic_family() {
  Family f;
  f.design = {
      "babic",
      "iterative logarithmic multiplier: shifts and adds, the left-out term treated likewise",
      "Z. Babić, A. Avramović, P. Bulić, An iterative logarithmic multiplier, Microprocessors "
      "and Microsystems 35(1), 2011",
      Topology::paper,
      "signed: sign and magnitude around the unsigned core",
      {{"corrections", 0, 7, 1, "error correction steps after the basic block", 1}},
      all_types()};
  f.product = babic_product;
  f.circuit = babic_circuit;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

}  // namespace axmul::detail::designs
