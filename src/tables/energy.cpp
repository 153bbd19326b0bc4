// Prices of circuits under the traced operands of layers.
#include "axmul/tables/energy.hpp"

#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/cost.hpp"
#include "tables/mac_energy.hpp"

namespace axmul {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Exact circuits of EvoApproxLib as their headers print them: multipliers mul8u_1JFF, mul8x7u_11N;
// adders add12u_19A and add16u_1E2 (0.052 and 0.072 mW), per bit.
constexpr double kPublished8x8 = 0.391, kPublished8x7 = 0.336, kPublishedAdderBit = 0.072 / 16;

// The pairs of one layer and stream in the widths of a circuit.
struct PlaneKey {
  OperandType type;
  int a_bits, b_bits;
  auto operator<=>(const PlaneKey&) const = default;
};

OperandPairs narrowed(OperandPairs pairs, const LayerOperands& layer, const PlaneKey& key) {
  const auto round = [](std::vector<std::uint8_t>& bytes, int range, int bits) {
    for (std::uint8_t& byte : bytes) byte = detail::rounded(byte, range, bits);
  };
  const int a = detail::operand_bits(a_is_signed(layer.type), a_is_signed(key.type));
  const int b = detail::operand_bits(b_is_signed(layer.type), b_is_signed(key.type));
  if (key.a_bits < a) round(pairs.a, a, key.a_bits), round(pairs.next_a, a, key.a_bits);
  if (key.b_bits < b) round(pairs.b, b, key.b_bits), round(pairs.next_b, b, key.b_bits);
  return pairs;
}

detail::AccumulatorSpec spec_of(const LayerOperands& layer, const PricedCircuit& circuit) {
  const auto by_magnitude = [&](bool layer_signed, bool own) { return layer_signed && !own; };
  const bool a = by_magnitude(a_is_signed(layer.type), a_is_signed(circuit.type));
  const bool b = by_magnitude(b_is_signed(layer.type), b_is_signed(circuit.type));
  return {circuit.type, circuit.model->a_bits(), circuit.model->b_bits(), circuit.zero_bits,
          circuit.max_product[a ? 1 : 0][b ? 1 : 0]};
}

// One layer with everything that its circuits share.
class PricedLayer {
 public:
  PricedLayer(const LayerOperands& layer, const PriceOptions& options)
      : layer_(layer), options_(options) {}

  MacEnergy price(const PricedCircuit& circuit, Held held) {
    MacEnergy energy;
    if (!can_use(layer_.type, circuit.type)) {
      energy.multiplier.all = energy.multiplier.glitches = kUnknown;
      energy.accumulator = energy.rounding = kUnknown;
      return energy;
    }
    const PlaneKey key{circuit.type, circuit.model->a_bits(), circuit.model->b_bits()};
    energy.multiplier = circuit.model->energy(planes(key, held));
    if (options_.scope == EnergyScope::multiplier) return energy;
    const detail::AccumulatorSpec spec = spec_of(layer_, circuit);
    energy.accumulator_bits = detail::accumulator_bits(layer_, spec);
    const auto [found, is_new] = accumulators_.try_emplace({held, spec}, 0);
    if (is_new) found->second = detail::accumulator_energy(layer_, spec, held);
    energy.accumulator = found->second;
    energy.rounding = detail::rounding_energy(layer_, spec);
    return energy;
  }

 private:
  const PairPlanes& planes(const PlaneKey& key, Held held) {
    const auto [found, is_new] = planes_.try_emplace({held, key}, nullptr);
    if (is_new)
      found->second = std::make_unique<PairPlanes>(narrowed(pairs(key.type, held), layer_, key),
                                                   key.a_bits, key.b_bits);
    return *found->second;
  }
  const OperandPairs& pairs(OperandType type, Held held) {
    const auto [found, is_new] = pairs_.try_emplace({held, type});
    if (is_new) found->second = layer_pairs(layer_, type, {held, options_.pairs});
    return found->second;
  }

  const LayerOperands& layer_;
  const PriceOptions& options_;
  std::map<std::pair<Held, OperandType>, OperandPairs> pairs_;
  std::map<std::pair<Held, PlaneKey>, std::unique_ptr<PairPlanes>> planes_;
  std::map<std::pair<Held, detail::AccumulatorSpec>, double> accumulators_;
};

// The exact multiplier of a layer: unsigned and of that reference's width where the layer's
// multipliers work on magnitudes or unsigned operands.
PricedCircuit exact_circuit(EnergyReference reference) {
  PricedCircuit exact;
  const int b_bits = reference == EnergyReference::exact_8x8 ? 8 : 7;
  exact.name = std::string(to_string(reference));
  exact.model = std::make_shared<EnergyModel>(exact_array_netlist(8, b_bits));
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 2; ++b)
      exact.max_product[a][b] = (a == 0 ? 255 : 127) * (b == 0 && b_bits == 8 ? 255 : 127);
  return exact;
}

double published(const PricedCircuit& circuit, EnergyReference reference) {
  const double of = circuit.cost.power_rel;
  if (reference == EnergyReference::exact_8x8) return of;
  if (circuit.cost.source == "published") return of * kPublished8x8 / kPublished8x7;
  static const double ratio = [] {
    const auto energy = [](int b_bits) {
      return detail::uniform_energy(EnergyModel(exact_array_netlist(8, b_bits))).all;
    };
    return energy(8) / energy(7);
  }();
  return of * ratio;
}

template <class T>
std::string_view name_of(T value, std::span<const std::pair<T, std::string_view>> names) {
  for (const auto& [one, name] : names)
    if (one == value) return name;
  return "";
}

template <class T>
std::optional<T> value_of(std::string_view name,
                          std::span<const std::pair<T, std::string_view>> names) {
  for (const auto& [value, one] : names)
    if (one == name) return value;
  return std::nullopt;
}

constexpr std::array<std::pair<EnergyBasis, std::string_view>, 3> kBases{
    {{EnergyBasis::published, "published"},
     {EnergyBasis::traced, "traced"},
     {EnergyBasis::held, "held"}}};
constexpr std::array<std::pair<EnergyScope, std::string_view>, 2> kScopes{
    {{EnergyScope::multiplier, "multiplier"}, {EnergyScope::mac, "mac"}}};
constexpr std::array<std::pair<EnergyReference, std::string_view>, 2> kReferences{
    {{EnergyReference::exact_8x8, "8x8"}, {EnergyReference::exact_8x7, "8x7"}}};

}  // namespace

std::string_view to_string(EnergyBasis basis) { return name_of<EnergyBasis>(basis, kBases); }
std::optional<EnergyBasis> parse_energy_basis(std::string_view name) {
  return value_of<EnergyBasis>(name, kBases);
}
std::string_view to_string(EnergyScope scope) { return name_of<EnergyScope>(scope, kScopes); }
std::optional<EnergyScope> parse_energy_scope(std::string_view name) {
  return value_of<EnergyScope>(name, kScopes);
}
std::string_view to_string(EnergyReference reference) {
  return name_of<EnergyReference>(reference, kReferences);
}
std::optional<EnergyReference> parse_energy_reference(std::string_view name) {
  return value_of<EnergyReference>(name, kReferences);
}

OperandPairs circuit_pairs(const LayerOperands& layer, const PricedCircuit& circuit,
                           const StreamOptions& options) {
  return narrowed(layer_pairs(layer, circuit.type, options), layer,
                  {circuit.type, circuit.model->a_bits(), circuit.model->b_bits()});
}

EnergyPrices price(std::span<const LayerOperands> layers,
                   std::span<const std::shared_ptr<const PricedCircuit>> circuits,
                   const PriceOptions& options) {
  EnergyPrices prices;
  prices.options = options;
  MacEnergy unknown;
  unknown.multiplier.all = kUnknown;
  prices.traced = Array2<MacEnergy>(layers.size(), circuits.size(), unknown);
  prices.held = prices.traced;
  prices.exact_traced.resize(layers.size());
  prices.exact_held.resize(layers.size());
  for (const auto& circuit : circuits)
    prices.published.push_back(circuit ? published(*circuit, options.reference) : kUnknown);
  if (options.reference == EnergyReference::exact_8x7)
    for (const LayerOperands& layer : layers)
      if (!b_is_signed(layer.type))
        throw UsageError(862, "reference 8x7 is for weights of 7 magnitude bits; layer \"" +
                                  layer.name + "\" has weights of 8 bits (affine encoding)");
  const PricedCircuit exact = exact_circuit(options.reference);
  prices.exact_uniform = detail::uniform_energy(*exact.model);
  prices.uniform.resize(circuits.size());
  parallel_for(circuits.size(), 0, [&](std::size_t j) {
    if (circuits[j]) prices.uniform[j] = detail::uniform_energy(*circuits[j]->model);
  });
  std::size_t done = 0;
  parallel_for(layers.size(), 0, [&](std::size_t l) {
    PricedLayer layer(layers[l], prices.options);
    prices.exact_traced[l] = layer.price(exact, Held::none);
    prices.exact_held[l] = layer.price(exact, options.held);
    for (std::size_t j = 0; j < circuits.size(); ++j) {
      poll_interrupt();
      if (!circuits[j]) continue;
      prices.traced(l, j) = layer.price(*circuits[j], Held::none);
      prices.held(l, j) = layer.price(*circuits[j], options.held);
    }
#pragma omp critical(axmul_price_progress)
    if (options.progress) options.progress(++done, layers.size());
  });
  return prices;
}

namespace {

double published_exact(const PriceOptions& options) {
  return options.reference == EnergyReference::exact_8x8 ? kPublished8x8 : kPublished8x7;
}

}  // namespace

double EnergyPrices::exact(EnergyBasis basis, std::size_t l) const {
  if (basis == EnergyBasis::traced) return exact_traced[l].of(options.scope);
  if (basis == EnergyBasis::held) return exact_held[l].of(options.scope);
  const double adder =
      options.scope == EnergyScope::mac ? kPublishedAdderBit * exact_traced[l].accumulator_bits : 0;
  return published_exact(options) + adder;
}

double EnergyPrices::relative(EnergyBasis basis, std::size_t l, std::size_t j) const {
  if (basis == EnergyBasis::traced) return traced(l, j).of(options.scope) / exact(basis, l);
  if (basis == EnergyBasis::held) return held(l, j).of(options.scope) / exact(basis, l);
  if (options.scope == EnergyScope::multiplier) return published[j];
  return (published[j] * published_exact(options) +
          kPublishedAdderBit * traced(l, j).accumulator_bits) /
         exact(basis, l);
}

LayerEnergies layer_energies(std::span<const LayerOperands> layers, const EnergyPrices& prices,
                             EnergyBasis basis) {
  LayerEnergies result;
  result.power_rel = Array2<double>(layers.size(), prices.published.size());
  result.source = energy_text(basis, prices.options);
  double all = 0, ops = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (std::size_t j = 0; j < prices.published.size(); ++j)
      result.power_rel(l, j) = prices.relative(basis, l, j);
    result.exact.push_back(prices.exact(basis, l));
    all += layers[l].ops * result.exact[l];
    ops += layers[l].ops;
  }
  for (double& exact : result.exact) exact = all > 0 ? exact * ops / all : 1;
  return result;
}

LayerEnergies layer_energies(std::span<const LayerOperands> layers,
                             std::span<const std::shared_ptr<const PricedCircuit>> circuits,
                             EnergyBasis basis, const PriceOptions& options) {
  return layer_energies(layers, price(layers, circuits, options), basis);
}

std::string energy_text(EnergyBasis basis, const PriceOptions& options) {
  std::string text =
      basis == EnergyBasis::published ? "power as published or generally estimated"
      : basis == EnergyBasis::traced
          ? "estimated under the layers' traced operands, successive pairs independent"
      : options.held == Held::a ? "estimated under the layers' traced operands, activations held"
                                : "estimated under the layers' traced operands, weights held";
  text += options.scope == EnergyScope::multiplier
              ? "; multipliers only"
              : "; multiplier, sign logic, accumulator and rounding, without registers and memory";
  return text + "; exact " + (options.reference == EnergyReference::exact_8x8 ? "8×8" : "8×7") +
         " = 1";
}

}  // namespace axmul
