// Multipliers that add binary logarithms: Mitchell, MBM, ALM-SOA, Babić's iterations.
#include "designs/family.hpp"

namespace axmul::detail {

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
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

}  // namespace axmul::detail
