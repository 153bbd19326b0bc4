// Circuits in the layers of a network: published, traced and held energies.
#include "cli/cost_layers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "axmul/tables/energy.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "cli/priced_designs.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

using Circuits = std::vector<std::shared_ptr<const PricedCircuit>>;

// Energy of a circuit in all layers over the exact one's, layers weighed by their multiplications.
double in_network(std::span<const LayerOperands> layers, const EnergyPrices& prices,
                  EnergyBasis basis, std::size_t j) {
  double energy = 0, exact = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const double one = layers[l].ops * prices.exact(basis, l);
    energy += one * prices.relative(basis, l, j);
    exact += one;
  }
  return energy / exact;
}

double mean_over_ops(std::span<const LayerOperands> layers,
                     const std::function<double(std::size_t)>& value) {
  double sum = 0, ops = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    sum += layers[l].ops * value(l);
    ops += layers[l].ops;
  }
  return sum / ops;
}

// A weight's bits: magnitude and, where the layers' weights are signed and the circuit is not,
// sign.
int weight_bits(const LayerOperands& layer, const PricedCircuit& circuit) {
  const bool by_magnitude = b_is_signed(layer.type) && !b_is_signed(circuit.type);
  return by_magnitude ? std::min(7, circuit.model->b_bits()) + 1 : circuit.model->b_bits();
}

std::string as_table(const Session& session, const OutputTarget& target,
                     std::span<const LayerOperands> layers, const Circuits& circuits,
                     const EnergyPrices& prices) {
  const bool mac = prices.options.scope == EnergyScope::mac;
  const std::string held = "held " + std::string(to_string(prices.options.held));
  TextTable table({"design", "layer", "published", "uniform", "traced", held, "glitches",
                   "weight bits", mac ? "accumulator bits" : ""},
                  "llrrrrrrr");
  table.keys({"design", "layer", "published", "uniform", "traced", "held", "glitches",
              "weight_bits", "accumulator_bits"});
  for (std::size_t j = 0; j < circuits.size(); ++j) {
    const auto row = [&](const std::string& layer, const std::function<double(EnergyBasis)>& of,
                         double glitches, double accumulator) {
      table.add({circuits[j]->name, layer, Cell::of(of(EnergyBasis::published)),
                 Cell::of(prices.uniform[j].all / prices.exact_uniform.all),
                 Cell::of(of(EnergyBasis::traced)), Cell::of(of(EnergyBasis::held)),
                 Cell::of(glitches, percent(glitches)),
                 Cell::of(weight_bits(layers[0], *circuits[j])),
                 mac ? Cell::of(accumulator) : Cell("")});
    };
    const auto glitches = [&](std::size_t l) {
      const SwitchingEnergy& energy = prices.traced(l, j).multiplier;
      return energy.all > 0 ? energy.glitches / energy.all : 0;
    };
    const auto accumulator = [&](std::size_t l) {
      return static_cast<double>(prices.traced(l, j).accumulator_bits);
    };
    if (circuits.size() == 1 && layers.size() > 1)
      for (std::size_t l = 0; l < layers.size(); ++l)
        row(
            layers[l].name, [&](EnergyBasis basis) { return prices.relative(basis, l, j); },
            glitches(l), accumulator(l));
    row(
        layers.size() == 1 ? layers[0].name : "all " + std::to_string(layers.size()),
        [&](EnergyBasis basis) { return in_network(layers, prices, basis, j); },
        mean_over_ops(layers, glitches), mean_over_ops(layers, accumulator));
  }
  return table_text(session, target, std::move(table)) +
         "energies: " + energy_text(EnergyBasis::published, prices.options) +
         "\n          uniform: estimated, multipliers only, exact " +
         (prices.options.reference == EnergyReference::exact_8x8 ? "8×8" : "8×7") +
         " = 1\n          traced: " + energy_text(EnergyBasis::traced, prices.options) +
         "\n          held: " + energy_text(EnergyBasis::held, prices.options) + "\n";
}

Json json_of(const MacEnergy& energy, bool mac) {
  Json json{{"switching_energy", number(energy.multiplier.all)},
            {"glitch_energy", number(energy.multiplier.glitches)}};
  if (!mac) return json;
  json["accumulator_energy"] = number(energy.accumulator);
  json["rounding_energy"] = number(energy.rounding);
  json["accumulator_bits"] = energy.accumulator_bits;
  return json;
}

std::string as_json(std::span<const LayerOperands> layers, const Circuits& circuits,
                    const EnergyPrices& prices) {
  const bool mac = prices.options.scope == EnergyScope::mac;
  Json json{{"schema", "axmul.layer_costs/1"},
            {"hold", std::string(to_string(prices.options.held))},
            {"scope", std::string(to_string(prices.options.scope))},
            {"reference", std::string(to_string(prices.options.reference))}};
  for (const EnergyBasis basis : kEnergyBases)
    json["energies"][std::string(to_string(basis))] = energy_text(basis, prices.options);
  json["layers"] = Json::array();
  for (std::size_t l = 0; l < layers.size(); ++l)
    json["layers"].push_back(Json{{"layer", layers[l].name},
                                  {"ops", layers[l].ops},
                                  {"exact_traced", json_of(prices.exact_traced[l], mac)},
                                  {"exact_held", json_of(prices.exact_held[l], mac)}});
  json["designs"] = Json::array();
  for (std::size_t j = 0; j < circuits.size(); ++j) {
    Json design{{"name", circuits[j]->name},
                {"type", to_string(circuits[j]->type)},
                {"a_bits", circuits[j]->model->a_bits()},
                {"b_bits", circuits[j]->model->b_bits()},
                {"weight_bits", weight_bits(layers[0], *circuits[j])},
                {"sha256", circuits[j]->sha256},
                {"cost_source", circuits[j]->cost.source},
                {"uniform", number(prices.uniform[j].all / prices.exact_uniform.all)},
                {"uniform_energy", json_of({prices.uniform[j]}, false)}};
    for (const EnergyBasis basis : kEnergyBases)
      design[std::string(to_string(basis))] = number(in_network(layers, prices, basis, j));
    design["layers"] = Json::array();
    for (std::size_t l = 0; l < layers.size(); ++l) {
      Json layer{{"layer", layers[l].name}};
      for (const EnergyBasis basis : kEnergyBases)
        layer[std::string(to_string(basis))] = number(prices.relative(basis, l, j));
      layer["traced_energy"] = json_of(prices.traced(l, j), mac);
      layer["held_energy"] = json_of(prices.held(l, j), mac);
      design["layers"].push_back(std::move(layer));
    }
    json["designs"].push_back(std::move(design));
  }
  return json.dump(1) + "\n";
}

std::string as_csv(std::span<const LayerOperands> layers, const Circuits& circuits,
                   const EnergyPrices& prices) {
  std::string text = "design,layer,ops,published,traced,held,hold,scope,reference,weight_bits\n";
  for (std::size_t j = 0; j < circuits.size(); ++j)
    for (std::size_t l = 0; l < layers.size(); ++l) {
      append_field(text, circuits[j]->name);
      append_field(text += ',', layers[l].name);
      append_number(text += ',', layers[l].ops);
      for (const EnergyBasis basis : kEnergyBases)
        append_number(text += ',', prices.relative(basis, l, j));
      text += fmt::format(",{},{},{},{}\n", to_string(prices.options.held),
                          to_string(prices.options.scope), to_string(prices.options.reference),
                          weight_bits(layers[l], *circuits[j]));
    }
  return text;
}

}  // namespace

int run_cost_layers(Session& session) {
  const OutputTarget target = output_target(session);
  check_table_options(session, target);
  const std::vector<LayerOperands> layers = session_layers(session);
  for (const LayerOperands& layer : layers)
    if (!(layer.ops > 0))
      throw InputError(1014, "layer \"" + layer.name +
                                 "\" has no attribute \"ops\", by which layers are weighed");
  const Circuits circuits = circuits_to_price(session);
  PriceOptions options = price_options(session);
  ProgressBar bar(session, "pricing");
  options.progress = bar.callback();
  const EnergyPrices prices = price(layers, circuits, options);
  write_output(session, target,
               target.format == "json"  ? as_json(layers, circuits, prices)
               : target.format == "csv" ? as_csv(layers, circuits, prices)
                                        : as_table(session, target, layers, circuits, prices));
  return 0;
}

}  // namespace axmul::cli
