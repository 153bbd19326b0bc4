// From a parsed design to its netlist and to structural Verilog.
#include <cctype>

#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/cost.hpp"
#include "designs/circuit.hpp"
#include "designs/registry.hpp"

namespace axmul {

namespace {

// "drum(k=6)" → "mul8u_drum_k_6": readers take the operand type from mul8u and mul8s.
std::string module_name(const DesignInstance& design) {
  const OperandType type = design.type();
  const OperandWidths bits = design.sized_type().bits;
  const std::string b_width = std::to_string(bits.b);
  const std::string width =
      std::to_string(bits.a) + (bits.a == bits.b || type == OperandType::u8s8 ? "" : "x" + b_width);
  std::string name = type == OperandType::u8u8   ? "mul" + width + "u_"
                     : type == OperandType::s8s8 ? "mul" + width + "s_"
                                                 : "mulu" + width + "s" + b_width + "_";
  const std::string& text = design.text();
  for (char c : text.substr(0, text.find("type="))) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain || name.back() != '_') name += plain ? c : '_';
  }
  while (name.back() == '_') name.pop_back();
  return name;
}

// Product bits: 2·width, or more where a product passes the exact range. All families that can are
// monotonic in both magnitudes, so the corners tell.
std::size_t product_bits(const DesignInstance& design) {
  const OperandType type = design.type();
  const int extra = design.width() - 1;
  const auto low = [&](bool is_signed) { return is_signed ? -(std::int64_t{1} << extra) : 0; };
  const auto high = [&](bool is_signed) {
    return (std::int64_t{1} << (is_signed ? extra : extra + 1)) - 1;
  };
  int bits = 2 * design.width();
  for (const std::int64_t a : {low(a_is_signed(type)), high(a_is_signed(type))})
    for (const std::int64_t b : {low(b_is_signed(type)), high(b_is_signed(type))}) {
      const std::int64_t product = design(a, b);
      const auto fits = [&](int n) {
        if (type == OperandType::u8u8) return product >> n == 0;
        return product >> (n - 1) == (product < 0 ? -1 : 0);
      };
      while (!fits(bits)) ++bits;
    }
  return static_cast<std::size_t>(bits);
}

// The unsigned core between two conditional negations.
detail::designs::Word sign_magnitude_circuit(detail::designs::Circuit& c,
                                             const detail::designs::Family& family,
                                             const detail::designs::DesignConfig& config,
                                             std::size_t bits) {
  using namespace detail::designs;
  const Bit sign_a = config.a_signed ? c.a().back() : Circuit::kZero;
  const Bit sign_b = config.b_signed ? c.b().back() : Circuit::kZero;
  const Word magnitude =
      family.circuit(c, config, negate_if(c, c.a(), sign_a), negate_if(c, c.b(), sign_b));
  return negate_if(c, resized(magnitude, bits), c.xor2(sign_a, sign_b));
}

}  // namespace

Netlist design_netlist(const DesignInstance& design) {
  const detail::designs::Family& family = *detail::designs::find_family(design.family().name);
  if (family.circuit == nullptr)
    throw UsageError(507, "design " + design.text() + " has no gate-level definition");
  const OperandWidths bits = design.sized_type().bits;
  if (bits.a != bits.b) {  // of exact alone
    Netlist netlist = exact_array_netlist(design.sized_type());
    netlist.name = module_name(design);
    return netlist;
  }
  detail::designs::DesignConfig config;
  config.width = design.width();
  config.a_signed = a_is_signed(design.type());
  config.b_signed = b_is_signed(design.type());
  for (std::size_t i = 0; i < design.parameters().size(); ++i)
    config.value[i] = design.parameters()[i];
  detail::designs::Circuit circuit(config.width);
  const detail::designs::Word product =
      family.signed_form == detail::designs::SignedForm::native
          ? family.circuit(circuit, config, circuit.a(), circuit.b())
          : sign_magnitude_circuit(circuit, family, config, product_bits(design));
  return circuit.netlist(module_name(design), product);
}

Netlist generate_netlist(std::string_view text) { return design_netlist(parse_design(text)); }

std::string generate_verilog(std::string_view text) {
  const DesignInstance design = parse_design(text);
  return "// " + design.text() + ": " + design.family().description +
         "\n// Source: " + design.family().source +
         "\n// Operands A, B and product O: " + to_string(design.sized_type()) +
         (design.type() == OperandType::u8u8 ? ", unsigned" : ", two's complement where signed") +
         "\n" + to_verilog(design_netlist(design));
}

}  // namespace axmul
