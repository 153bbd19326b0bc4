// Circuits for pricing: from files, folders and generator texts, and which multiplier has which.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/cost.hpp"
#include "axmul/netlist/wide.hpp"
#include "axmul/tables/energy.hpp"
#include "axmul/tables/open_design.hpp"
#include "tables/mac_energy.hpp"

namespace axmul {

namespace {

void take_gates(Netlist netlist, const PortMap& ports, PricedCircuit& circuit) {
  circuit.netlist = std::make_shared<Netlist>(std::move(netlist));
  circuit.ports = find_multiplier_ports(*circuit.netlist, ports);
  circuit.model = std::make_shared<EnergyModel>(*circuit.netlist, circuit.ports);
}

void take_table(const Lut& lut, PricedCircuit& circuit) {
  circuit.sha256 = lut.sha256();
  circuit.sha256_swapped = lut.sha256_swapped();
  std::uint32_t all = 0;
  for (int a = a_min(lut.type()); a <= a_max(lut.type()); ++a)
    for (int b = b_min(lut.type()); b <= b_max(lut.type()); ++b) {
      const int product = lut(a, b);
      all |= static_cast<std::uint32_t>(product);
      for (int i = std::abs(a) <= 127 ? 1 : 0; i >= 0; --i)
        for (int j = std::abs(b) <= 127 ? 1 : 0; j >= 0; --j)
          circuit.max_product[i][j] =
              std::max(circuit.max_product[i][j], std::fabs(static_cast<double>(product)));
    }
  circuit.zero_bits = all == 0 ? 0 : std::countr_zero(all);
}

// What the circuit costs where the exact 8x8 multiplier is 1, as all prices are: published figures
// of narrow multipliers are of the same technology.
Cost narrow_cost(const PricedCircuit& circuit, const std::string& text) {
  Cost cost = published_cost(read_published_figures(text), OperandType::u8u8);
  if (!std::isnan(cost.power_mw)) return cost;
  static const double exact = detail::uniform_energy(EnergyModel(exact_array_netlist(8, 8))).all;
  cost.power_rel = detail::uniform_energy(*circuit.model).all / exact;
  cost.source = "estimated";
  cost.technology = "unit-gate";
  return cost;
}

// Layers' operands are rounded to narrow unsigned ones only.
void refuse_signed_narrow(const SizedType& type, const std::string& text) {
  if (!type.is_8x8() && type.kind != OperandType::u8u8)
    throw NotMultiplierError(
        "signed multipliers of other widths", Place{text},
        "is " + to_string(type) + "; narrow circuits that are priced in layers are unsigned");
}

PricedCircuit of_generator(const std::string& text) {
  const DesignInstance design = parse_design(text);
  const SizedType type = design.sized_type();
  if (!type.has_table())
    throw NotMultiplierError(
        wide_kind(), Place{text},
        "is " + to_string(type) + "; circuits of at most 8 × 8 bits are priced");
  refuse_signed_narrow(type, text);
  PricedCircuit circuit;
  circuit.name = design.text();
  circuit.source = text;
  circuit.type = type.kind;
  take_gates(generate_netlist(text), {}, circuit);
  if (type.is_8x8()) {
    circuit.cost = estimated_cost(estimate_cost(*circuit.netlist, type));
    take_table(simulate(*circuit.netlist, type.kind), circuit);
  } else {
    circuit.cost = narrow_cost(circuit, "");
    take_table(simulate_narrow(*circuit.netlist, type), circuit);
  }
  return circuit;
}

PricedCircuit of_file(const std::string& path, const NetlistOptions& options) {
  if (is_c_model_file(path))
    throw InputError(860, Place{path}, "a C model has no gates, so it has no energy");
  const Multiplier multiplier = read_design_circuit(path, options);
  refuse_signed_narrow(multiplier.lut.sized_type(), path);
  Netlist netlist = read_netlist(path, options);
  PortMap ports = find_multiplier_ports(netlist, options.ports);
  if (multiplier.provenance.order == OperandOrder::ba) std::swap(ports.a, ports.b);
  PricedCircuit circuit;
  circuit.name = multiplier.name;
  circuit.source = path;
  circuit.type = multiplier.lut.type();
  take_gates(std::move(netlist), ports, circuit);
  circuit.cost = multiplier.lut.sized_type().is_8x8() ? multiplier.cost
                                                      : narrow_cost(circuit, read_file(path));
  take_table(multiplier.lut, circuit);
  return circuit;
}

}  // namespace

OperandPairs uniform_pairs(int a_bits, int b_bits) {
  const std::uint32_t count = 1u << (a_bits + b_bits);
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Philox random(1);
  for (std::size_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.next_below(i))]);
  OperandPairs pairs;
  for (const std::uint32_t i : order) {
    pairs.a.push_back(static_cast<std::uint8_t>(i >> b_bits));
    pairs.b.push_back(static_cast<std::uint8_t>(i & ((1u << b_bits) - 1)));
  }
  return pairs;
}

PricedCircuit read_priced_circuit(const std::string& text, const NetlistOptions& options) {
  if (looks_like_design(text) && !is_circuit_file(text)) return of_generator(text);
  return of_file(text, options);
}

PricedCircuits read_priced_circuits(std::span<const std::string> texts,
                                    const NetlistOptions& options) {
  std::vector<std::pair<std::string, bool>> found;  // text, from a folder
  OpenOptions open;
  open.circuits = options;
  PricedCircuits result;
  for (const std::string& text : texts) {
    if (!std::filesystem::is_directory(text)) {
      found.emplace_back(text, false);
      continue;
    }
    for (const DesignFile& file : design_files(text, open).files)
      if (file.kind == DesignKind::circuit && !file.path.ends_with(".c"))
        found.emplace_back(file.path, true);
  }
  std::vector<std::optional<PricedCircuit>> read(found.size());
  parallel_for(found.size(), 0, [&](std::size_t i) {
    try {
      read[i] = read_priced_circuit(found[i].first, options);
    } catch (const InputError&) {
      if (!found[i].second) throw;
    }
  });
  std::vector<std::string> seen;
  for (auto& circuit : read) {
    if (!circuit) {
      ++result.skipped;
      continue;
    }
    // Libraries keep one file in several folders.
    const bool again = std::ranges::any_of(result.circuits, [&](const PricedCircuit& other) {
      return other.name == circuit->name && other.sha256 == circuit->sha256 &&
             std::filesystem::path(other.source).filename() ==
                 std::filesystem::path(circuit->source).filename();
    });
    if (!again) result.circuits.push_back(std::move(*circuit));
  }
  if (result.circuits.empty())
    throw InputError(861, "no circuit of a multiplier of at most 8 × 8 bits is among " +
                              std::string(texts.empty() ? "no texts" : texts.front()) +
                              (texts.size() > 1 ? " …" : ""));
  return result;
}

PricedCircuit with_swapped_operands(const PricedCircuit& circuit) {
  PricedCircuit result = circuit;
  std::swap(result.ports.a, result.ports.b);
  result.model = std::make_shared<EnergyModel>(*result.netlist, result.ports);
  std::swap(result.sha256, result.sha256_swapped);
  std::swap(result.max_product[0][1], result.max_product[1][0]);
  return result;
}

std::vector<std::shared_ptr<const PricedCircuit>> circuits_of(
    std::span<const Multiplier> library, std::span<const PricedCircuit> circuits,
    const NetlistOptions& options) {
  std::map<std::string, std::pair<double, std::shared_ptr<const PricedCircuit>>> known;
  const auto offer = [&](PricedCircuit circuit, double energy) {
    const auto found = known.find(circuit.sha256);
    if (found != known.end() && energy >= found->second.first) return;
    const std::string sha256 = circuit.sha256;
    known[sha256] = {energy, std::make_shared<PricedCircuit>(std::move(circuit))};
  };
  for (const PricedCircuit& circuit : circuits) {
    if (circuit.sha256.empty()) continue;
    const double energy = detail::uniform_energy(*circuit.model).all;
    offer(circuit, energy);
    if (circuit.sha256_swapped != circuit.sha256 && circuit.type != OperandType::u8s8)
      offer(with_swapped_operands(circuit), energy);
  }
  std::vector<std::shared_ptr<const PricedCircuit>> result(library.size());
  parallel_for(library.size(), 0, [&](std::size_t j) {
    const Multiplier& m = library[j];
    if (const auto found = known.find(m.lut.sha256()); found != known.end()) {
      result[j] = found->second.second;
      return;
    }
    const std::string& text =
        m.provenance.generator.empty() ? m.provenance.source_file : m.provenance.generator;
    if (text.empty() ||
        (m.provenance.generator.empty() && (!is_circuit_file(text) || text.ends_with(".c"))))
      return;
    try {
      PricedCircuit circuit = read_priced_circuit(text, options);
      if (circuit.sha256 == m.lut.sha256())
        result[j] = std::make_shared<PricedCircuit>(std::move(circuit));
    } catch (const Error&) {
      // A family without gates, a file that has moved: it has no energy.
    }
  });
  return result;
}

}  // namespace axmul
