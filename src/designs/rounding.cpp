// Multipliers that round operands to powers of two: RoBA, and the rounding alone.
#include "designs/circuit.hpp"

namespace axmul::detail::designs {

namespace {

// The nearest power of two, halfway up, but 3 to 2 (Zendegani et al., section III.A); 0 stays 0.
std::int64_t nearest_power(std::int64_t x) {
  if (x == 0 || x == 3) return x == 0 ? 0 : 2;
  const std::int64_t below = std::int64_t{1} << leading_one(x);
  return 2 * x >= 3 * below ? 2 * below : below;
}

std::int64_t roba_magnitude(std::int64_t a, std::int64_t b) {
  const std::int64_t ar = nearest_power(a), br = nearest_power(b);
  return ar * b + br * a - ar * br;
}

// With approximate negation (AS-RoBA) −x is taken as ~x, before and after.
std::int64_t roba_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  const auto negated = [&](std::int64_t x) { return c[0] == 1 ? ~x : -x; };
  const std::int64_t magnitude = roba_magnitude(a < 0 ? negated(a) : a, b < 0 ? negated(b) : b);
  return (a < 0) != (b < 0) ? negated(magnitude) : magnitude;
}

std::int64_t power_of_two_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return (c[0] == 2 ? a : nearest_power(a)) * (c[0] == 1 ? b : nearest_power(b));
}

// One-hot, one bit wider than x: bit i where the leading one is at i and the next bit 0, or at i −
// 1 and the next bit 1; 3 stays at 2.
Word nearest_power_circuit(Circuit& c, const Word& x) {
  const Word hot = leading_one_hot(c, x);
  Word power(x.size() + 1, Circuit::kZero);
  power[0] = hot[0];
  power[1] = hot[1];
  for (std::size_t i = 2; i <= x.size(); ++i) {
    const Bit stays = i < x.size() ? c.and2(hot[i], c.inv(x[i - 1])) : Circuit::kZero;
    const Bit rises = i >= 3 ? c.and2(hot[i - 1], x[i - 2]) : Circuit::kZero;
    power[i] = c.or2(stays, rises);
  }
  return power;
}

// Ar·B + Br·A + ~(Ar·Br) + 1 on magnitudes, modulo 2^2n; signs around it.
Word roba_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const bool increment = config[0] == 0;
  const std::size_t size = 2 * a.size();
  const Bit sign_a = config.a_signed ? a.back() : Circuit::kZero;
  const Bit sign_b = config.b_signed ? b.back() : Circuit::kZero;
  const Word x = negate_if(c, a, sign_a, increment), y = negate_if(c, b, sign_b, increment);
  const Word xr = nearest_power_circuit(c, x), yr = nearest_power_circuit(c, y);
  const Word sum = ripple_add(c, shift_by_one_hot(c, y, xr, size), shift_by_one_hot(c, x, yr, size),
                              Circuit::kZero, size);
  Word inverted;
  for (Bit bit : shift_by_one_hot(c, xr, yr, size)) inverted.push_back(c.inv(bit));
  const Word magnitude = ripple_add(c, sum, inverted, Circuit::kOne, size);
  return negate_if(c, magnitude, c.xor2(sign_a, sign_b), increment);
}

Word power_of_two_circuit(Circuit& c, const DesignConfig& config, const Word& a, const Word& b) {
  const std::size_t size = 2 * a.size() + 1;  // 2^n·2^n is possible
  if (config[0] == 2) return shift_by_one_hot(c, a, nearest_power_circuit(c, b), size);
  const Word factor = config[0] == 1 ? b : nearest_power_circuit(c, b);
  return shift_by_one_hot(c, factor, nearest_power_circuit(c, a), size);
}

}  // namespace

Family roba_family() {
  Family f;
  f.design = {
      "roba",
      "Ar·b + Br·a − Ar·Br with Ar, Br the operands rounded to powers of two",
      "R. Zendegani, M. Kamal, M. Bahadori, A. Afzali-Kusha, M. Pedram, RoBA multiplier: a "
      "rounding-based approximate multiplier for high-speed yet energy-efficient digital "
      "signal processing, IEEE TVLSI 25(2), 2017",
      Topology::paper,
      "u8u8 is U-RoBA, signed with exact negation S-RoBA, with approximate negation AS-RoBA",
      {{"negation", 0, 1, 0, "two's complement, or inversion only", 0, {"exact", "approximate"}}},
      all_types()};
  f.product = roba_product;
  f.circuit = roba_circuit;
  return f;
}

Family power_of_two_family() {
  Family f;
  f.design = {"power_of_two",
              "operands rounded to the nearest power of two: the product is a shift",
              "rounding rule of R. Zendegani et al., IEEE TVLSI 25(2), 2017",
              Topology::ours,
              "the rounding alone, without RoBA's other terms",
              {{"operand", 0, 2, 0, "which operand is rounded", 0, {"both", "a", "b"}}},
              all_types()};
  f.product = power_of_two_product;
  f.circuit = power_of_two_circuit;
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

}  // namespace axmul::detail::designs
