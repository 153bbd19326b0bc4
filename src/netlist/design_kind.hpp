// Whether a circuit or C model is an 8x8 multiplier at all: by name, ports, parameters, values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "axmul/netlist/circuits.hpp"
#include "netlist/c_model.hpp"

namespace axmul::detail {

/// What a name such as "mul8x4u_18D", "add12se_54N" or "multiplier_8x8" says of a design.
struct NameFacts {
  enum Kind { none, multiplier, adder } kind = none;
  int width_a = 0, width_b = 0;  ///< 0 = not said
};
NameFacts facts_of_name(std::string_view name);

/// The facts of the first name that says something.
NameFacts facts_of_names(std::span<const std::string> names);

/// Operand widths that comments say: "/* 7-bit unsigned operand */" beside parameters, "8x4-bit
/// multiplier" or "12-bit multiplier" above the function. Nothing where they say none.
std::optional<NameFacts> facts_of_comments(const std::string& text, std::size_t function_line);

/// Operand bits of a C model by name or comments, else 8 and 8. Throws NotMultiplierError where
/// these or parameter types (16 bits) say that it is no function of two operands of at most 8 bits.
OperandWidths check_c_model(const std::string& text, const std::string& path,
                            const CFunction& function);

/// Throws NotMultiplierError for a netlist that is an adder by name, or whose operands have more
/// than 8 bits although it is recognisably a multiplier or adder; says nothing of other misfits.
void check_ports(const Netlist& netlist, const PortMap& ports, const std::string& path);

/// Places by which the outputs of a design of `bits` output bits are to be shifted to the left to
/// be products: 0, or that up to the product's bits where they are the product's upper bits; of two
/// that both resemble products (Resemblance::is_product) the one with less squared error; nothing
/// where neither does.
std::optional<int> product_shift(const Lut& lut, int bits);

/// The least number of bits that holds every product (two's complement for signed types).
int value_bits(const Lut& lut);

/// The table with every product shifted.
Lut shifted(const Lut& lut, int shift);

/// "adders: 9 output bits" or "other functions: 12 output bits".
std::string kind_of_outputs(int bits);

}  // namespace axmul::detail
