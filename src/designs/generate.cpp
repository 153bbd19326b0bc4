// From a parsed design to products and to a named multiplier.
#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/cost.hpp"
#include "designs/registry.hpp"

namespace axmul {

const Design& DesignInstance::family() const {
  return *find_design_family(state_->family->design.name);
}
OperandType DesignInstance::type() const { return state_->type; }
int DesignInstance::width() const { return state_->config.width; }
SizedType DesignInstance::sized_type() const { return {state_->type, state_->bits}; }
const std::string& DesignInstance::text() const { return state_->text; }

std::span<const int> DesignInstance::parameters() const {
  return std::span<const int>(state_->config.value).first(state_->family->design.parameters.size());
}

std::int64_t DesignInstance::operator()(std::int64_t a, std::int64_t b) const {
  if (state_->family->signed_form == detail::designs::SignedForm::native)
    return state_->evaluate(a, b);
  const std::int64_t magnitude = state_->evaluate(a < 0 ? -a : a, b < 0 ? -b : b);
  return (a < 0) != (b < 0) ? -magnitude : magnitude;
}

Multiplier generate(std::string_view text, bool with_cost) {
  const DesignInstance design = parse_design(text);
  const SizedType type = design.sized_type();
  if (!type.has_table())
    throw UsageError(530, "design " + design.text() + " is of " + std::to_string(type.bits.a) +
                              "x" + std::to_string(type.bits.b) +
                              " bits, tables are of at most 8x8; axmul characterize takes it");
  Multiplier multiplier{design.text(), type.is_8x8() ? Lut::from_function(design.type(), design)
                                                     : Lut::from_function_of_size(type, design)};
  multiplier.provenance.format = "generator";
  multiplier.provenance.type_from = "format";
  multiplier.provenance.generator = design.text();
  multiplier.provenance.reference = design.family().source;
  if (with_cost && design.family().has_circuit)
    multiplier.cost = estimated_cost(estimate_cost(design_netlist(design), type));
  return multiplier;
}

}  // namespace axmul
