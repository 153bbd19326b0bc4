// Multipliers that round operands to powers of two: RoBA, and the rounding alone.
#include "designs/family.hpp"

namespace axmul::detail {

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
  f.signed_form = SignedForm::sign_magnitude;
  return f;
}

}  // namespace axmul::detail
