// Energies of circuits in the layers of a network: published, estimated under the layer's traced
// operands, and with one operand held; of the multiplier alone or of the whole
// multiply-accumulate. Which one to quote when: src/tables/ENERGY.md.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/array2.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/model/matching.hpp"
#include "axmul/model/operand_stream.hpp"
#include "axmul/netlist/energy_model.hpp"
#include "axmul/netlist/readers.hpp"

namespace axmul {

/// What an energy rests on.
enum class EnergyBasis : std::uint8_t {
  published,  ///< published (or generally estimated) power, uniform random operands: power_rel
  traced,     ///< estimated under the layer's traced operands, successive pairs independent
  held        ///< the same with one operand held, the other in traced order
};
inline constexpr EnergyBasis kEnergyBases[] = {EnergyBasis::published, EnergyBasis::traced,
                                               EnergyBasis::held};
AXMUL_API std::string_view to_string(EnergyBasis basis);
AXMUL_API std::optional<EnergyBasis> parse_energy_basis(std::string_view name);

/// What is paid for.
enum class EnergyScope : std::uint8_t {
  multiplier,  ///< the multiplier alone
  mac          ///< with sign logic, accumulator, and the rounding of operands
};
AXMUL_API std::string_view to_string(EnergyScope scope);
AXMUL_API std::optional<EnergyScope> parse_energy_scope(std::string_view name);

/// The exact multiplier whose energy is 1.
enum class EnergyReference : std::uint8_t {
  exact_8x8,
  exact_8x7  ///< what weights −127 … 127 need by sign and magnitude
};
AXMUL_API std::string_view to_string(EnergyReference reference);
AXMUL_API std::optional<EnergyReference> parse_energy_reference(std::string_view name);

/// A circuit that can be priced.
struct AXMUL_API PricedCircuit {
  std::string name;
  std::string source;  ///< file or generator text
  OperandType type = OperandType::u8u8;
  std::shared_ptr<const EnergyModel> model;
  std::shared_ptr<const Netlist> netlist;  ///< the gates as they were read
  PortMap ports;                           ///< of the netlist: which is operand a
  Cost cost{};                             ///< published, or estimated under uniform operands
  /// Of its table, and of the transposed one.
  std::string sha256, sha256_swapped;
  int zero_bits = 0;  ///< product bits that are always 0 at the low end
  /// Largest |product| where [a][b] of the operands are magnitudes of signed ones, at most 127.
  double max_product[2][2] = {};
};

/// One design as a circuit: a circuit file (operands of 1 … 8 bits) or a generator text with a
/// gate-level definition. Throws as the readers do.
AXMUL_API PricedCircuit read_priced_circuit(const std::string& text,
                                            const NetlistOptions& options = {});

/// All circuits of files, folders (recursively) and generator texts. What a folder holds that is no
/// multiplier of at most 8 bits is counted in `skipped`.
struct AXMUL_API PricedCircuits {
  std::vector<PricedCircuit> circuits;
  std::size_t skipped = 0;
};
AXMUL_API PricedCircuits read_priced_circuits(std::span<const std::string> texts,
                                              const NetlistOptions& options = {});

/// The same gates with the operands exchanged: port B is operand a. Tables that were made from C
/// models f(B, A) are those of such circuits (src/README.md#words).
AXMUL_API PricedCircuit with_swapped_operands(const PricedCircuit& circuit);

/// The circuit of each multiplier: the one of the same function among `circuits`, as it is or
/// with its operands exchanged (of several the one of least energy under uniform operands), else
/// the one that its own generator text or circuit file gives; nothing where there is none.
AXMUL_API std::vector<std::shared_ptr<const PricedCircuit>> circuits_of(
    std::span<const Multiplier> library, std::span<const PricedCircuit> circuits,
    const NetlistOptions& options = {});

struct AXMUL_API PriceOptions {
  Held held = Held::b;  ///< of EnergyBasis::held
  EnergyScope scope = EnergyScope::multiplier;
  EnergyReference reference = EnergyReference::exact_8x8;
  std::size_t pairs = 65536;
  Progress progress{};
};

/// Every pair of operands of these widths once, in an order that Philox shuffles: what published
/// powers are of.
AXMUL_API OperandPairs uniform_pairs(int a_bits, int b_bits);

/// Energies of a MAC in one layer, units of SwitchingEnergy.
struct AXMUL_API MacEnergy {
  SwitchingEnergy multiplier;
  double accumulator = 0;  ///< adder and, by sign and magnitude, the sign logic before it
  double rounding = 0;     ///< of activations and weights to fewer bits, a part of it for each MAC
  int accumulator_bits = 0;
  double of(EnergyScope scope) const {
    return multiplier.all + (scope == EnergyScope::mac ? accumulator + rounding : 0);
  }
};

/// Prices of circuits in layers.
struct AXMUL_API EnergyPrices {
  PriceOptions options;
  Array2<MacEnergy> traced, held;                   ///< [layers, circuits]
  std::vector<MacEnergy> exact_traced, exact_held;  ///< the reference, [layers]
  std::vector<SwitchingEnergy> uniform;             ///< multiplier, uniform operands, [circuits]
  SwitchingEnergy exact_uniform;

  /// Energy over the reference's under the same operands; `published`: power_rel of the circuit,
  /// relative to the reference's.
  double relative(EnergyBasis basis, std::size_t layer, std::size_t circuit) const;
  /// Energy of the reference in a layer, in a unit of its own for `published`.
  double exact(EnergyBasis basis, std::size_t layer) const;
  std::vector<double> published;  ///< [circuits]; NaN unknown
};

/// The operand pairs of a layer as a circuit gets them (layer_pairs(), rounded to its width).
AXMUL_API OperandPairs circuit_pairs(const LayerOperands& layer, const PricedCircuit& circuit,
                                     const StreamOptions& options = {});

/// Narrow circuits get the upper bits of the operands, rounded to nearest: of the 7 magnitude bits
/// of signed operands, else of all 8. Layers that a circuit's type cannot serve (can_use()) have
/// NaN. The same figures for every number of threads. Throws as layer_pairs().
AXMUL_API EnergyPrices price(std::span<const LayerOperands> layers,
                             std::span<const std::shared_ptr<const PricedCircuit>> circuits,
                             const PriceOptions& options = {});

/// What match() compares (MatchOptions::energies), for the circuits of a library: its figures are
/// NaN for multipliers without a circuit. layers: their `ops` weigh the mean of the exact energies.
AXMUL_API LayerEnergies
layer_energies(std::span<const LayerOperands> layers,
               std::span<const std::shared_ptr<const PricedCircuit>> circuits, EnergyBasis basis,
               const PriceOptions& options = {});
/// The same from prices that are known.
AXMUL_API LayerEnergies layer_energies(std::span<const LayerOperands> layers,
                                       const EnergyPrices& prices, EnergyBasis basis);

/// "estimated under traced operands, weights held; multiplier only; exact 8×8 = 1": what every
/// report says of its energies.
AXMUL_API std::string energy_text(EnergyBasis basis, const PriceOptions& options);

}  // namespace axmul
