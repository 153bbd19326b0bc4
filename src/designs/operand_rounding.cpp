// The operands rounded to fewer bits, then multiplied exactly: what a narrow multiplier makes of
// operands of the full width.
#include <algorithm>

#include "designs/circuit.hpp"

namespace axmul::detail::designs {

namespace {

/// The nearest multiple of 2^k of those that the operand can hold, ties away from zero.
std::int64_t rounded(std::int64_t x, int k, int width, bool is_signed) {
  if (k == 0) return x;
  const std::int64_t step = std::int64_t{1} << k;
  const std::int64_t magnitude = ((x < 0 ? -x : x) + step / 2) >> k;
  const std::int64_t most = (std::int64_t{1} << (width - k - (is_signed ? 1 : 0))) - 1;
  return (x < 0 ? -magnitude : std::min(magnitude, most)) * step;
}

std::int64_t operand_rounding_product(const DesignConfig& c, std::int64_t a, std::int64_t b) {
  return rounded(a, c[0], c.width, c.a_signed) * rounded(b, c[1], c.width, c.b_signed);
}

/// The bits from k on, one more where the rest is half or more (of a negative operand: more than
/// half) and there is a next multiple.
Word rounded_circuit(Circuit& c, const Word& x, std::size_t k, bool is_signed) {
  if (k == 0) return x;
  Bit rest = Circuit::kZero, full = Circuit::kOne;
  for (std::size_t i = 0; i + 1 < k; ++i) rest = c.or2(rest, x[i]);
  for (std::size_t i = k; i + (is_signed ? 1 : 0) < x.size(); ++i) full = c.and2(full, x[i]);
  const Bit room = c.inv(full);
  const Bit rises = is_signed ? c.or2(c.and2(x.back(), rest), c.and2(c.inv(x.back()), room)) : room;
  const Bit increment = c.and2(x[k - 1], rises);
  Word result(k, Circuit::kZero);
  Bit carry = increment;
  for (std::size_t i = k; i < x.size(); ++i) {
    result.push_back(c.xor2(x[i], carry));
    carry = c.and2(x[i], carry);
  }
  return result;
}

Word operand_rounding_circuit(Circuit& c, const DesignConfig& config, const Word& a,
                              const Word& b) {
  const auto ka = static_cast<std::size_t>(config[0]), kb = static_cast<std::size_t>(config[1]);
  return exact_array(c, config, rounded_circuit(c, a, ka, config.a_signed),
                     rounded_circuit(c, b, kb, config.b_signed));
}

}  // namespace

Family operand_rounding_family() {
  Family f;
  f.design = {"operand_rounding",
              "operands rounded to multiples of 2^ka and 2^kb before an exact multiplication",
              "customary baseline: the exact multiplier of fewer bits",
              Topology::ours,
              "ties away from zero; what would pass the operand's range stays at its last multiple",
              {{"ka", 0, 7, 0, "low bits of a rounded away", 1},
               {"kb", 0, 7, 4, "low bits of b rounded away", 1}},
              all_types()};
  f.product = operand_rounding_product;
  f.circuit = operand_rounding_circuit;
  return f;
}

}  // namespace axmul::detail::designs
