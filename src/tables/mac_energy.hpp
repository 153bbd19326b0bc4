// What a multiply-accumulate switches besides its multiplier: accumulator, sign logic, rounding.
#pragma once

#include "axmul/model/layer_operands.hpp"
#include "axmul/model/operand_stream.hpp"
#include "axmul/netlist/energy_model.hpp"
#include "axmul/netlist/netlist.hpp"

namespace axmul::detail {

/// What the accumulator of a multiplier in a layer depends on.
struct AccumulatorSpec {
  OperandType type = OperandType::u8u8;  ///< of the multiplier
  int a_bits = 8, b_bits = 8;            ///< of its operands
  int zero_bits = 0;                     ///< product bits that are always 0
  double max_product = 0;

  auto operator<=>(const AccumulatorSpec&) const = default;
};

/// Under uniform_pairs() of the model's operands.
SwitchingEnergy uniform_energy(const EnergyModel& model);

/// Bits of a layer's operand that carry its magnitude: 7 where it is signed and the multiplier is
/// not, else 8.
int operand_bits(bool layer_signed, bool multiplier_signed);

/// The operand as a multiplier of `bits` bits gets it: of `range` bits the upper ones, rounded to
/// nearest (halves up), at most all ones.
std::uint8_t rounded(std::uint8_t value, int range, int bits);

/// Width that Σ of fan_in products needs, without the bits that are always 0; a sign bit where
/// products may be negative.
int accumulator_bits(const LayerOperands& layer, const AccumulatorSpec& spec);

/// Sum of `width` bits of B and the product in A, low bits first: `product_bits` of it, and with
/// `signs` (0 … 2) sign bits behind, whose XOR negates it; with none a two's-complement product is
/// extended by its top bit where `extend`. Ripple-carry; output O.
Netlist accumulator_netlist(int width, int product_bits, int signs, bool extend);

/// Energy of one accumulation under the layer's own products and partial sums in tap order:
/// successive ones independent, or with one operand held. Exact products of the rounded operands
/// stand for the multiplier's. For layers without patches or weights: independent taps.
double accumulator_energy(const LayerOperands& layer, const AccumulatorSpec& spec, Held held);

/// Energy of rounding one activation to the multiplier's bits, over the multiplications that one
/// activation takes part in: output channels of its group times kernel positions (stride 1).
double rounding_energy(const LayerOperands& layer, const AccumulatorSpec& spec);

}  // namespace axmul::detail
