// Prices of circuits in layers: identity and operand order, narrow circuits, what the accumulator
// takes, and what matching is given.
#include "axmul/tables/energy.hpp"

#include <cmath>

#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/netlist/cost.hpp"
#include "model/model_support.hpp"
#include "support/error_id.hpp"
#include "support/support.hpp"
#include "tables/mac_energy.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

using Circuits = std::vector<std::shared_ptr<const PricedCircuit>>;

Circuits circuits(const std::vector<std::string>& texts) {
  Circuits result;
  for (const std::string& text : texts)
    result.push_back(std::make_shared<PricedCircuit>(read_priced_circuit(text)));
  return result;
}

// Signed weights of −127 … 127 that are mostly small, unsigned activations with many zeros.
std::vector<LayerOperands> layers() {
  std::vector<LayerOperands> result{random_layer({.s = 60, .k = 18, .m = 6}, 1),
                                    random_layer({.s = 50, .k = 27, .m = 4}, 2)};
  for (LayerOperands& layer : result) {
    layer.type = OperandType::u8s8;
    layer.b_zero_point = {0};
    for (std::uint8_t& b : layer.weights)
      b = operand_byte((static_cast<int>(b) - 128) * 3 / (1 + static_cast<int>(b) % 3));
  }
  result[1].ops = 3000;
  return result;
}

std::string narrow_verilog(int b_bits) {
  Netlist netlist = exact_array_netlist(8, b_bits);
  netlist.name = "mul8x" + std::to_string(b_bits) + "u_exact";
  return to_verilog(netlist);
}

}  // namespace

TEST_CASE("a table's circuit is the one of its function, as it is or with its operands exchanged") {
  const ScratchDir dir;
  write_text(dir / "mul8u_mine.v", generate_verilog("operand_truncation(ka=3,kb=1)"));
  const std::vector<std::string> texts{dir.path().string()};
  const PricedCircuits read = read_priced_circuits(texts);
  REQUIRE(read.circuits.size() == 1);
  const Lut lut = generate("operand_truncation(ka=3,kb=1)").lut;
  const std::vector<Multiplier> library{{"same", lut},
                                        {"transposed", transposed(lut)},
                                        {"unknown", random_lut(OperandType::u8u8, 1)},
                                        generate("drum(k=5)")};
  const Circuits found = circuits_of(library, read.circuits);
  REQUIRE(found[0]);
  REQUIRE(found[1]);
  CHECK_FALSE(found[2]);
  REQUIRE(found[3]);  // by its generator text
  // The transposed one truncates b by three bits: other energies under operands of unlike spread.
  const EnergyPrices prices = price(layers(), found);
  CHECK(simulate(*found[1]->netlist, OperandType::u8u8, found[1]->ports) == transposed(lut));
  CHECK(std::fabs(prices.relative(EnergyBasis::traced, 0, 0) -
                  prices.relative(EnergyBasis::traced, 0, 1)) > 0.02);
  CHECK(std::isnan(prices.relative(EnergyBasis::traced, 0, 2)));
}

TEST_CASE("the exact array costs 1; b = 7 bits of it cost the same where weights need no more") {
  const std::vector<LayerOperands> all = layers();
  const Circuits exact{std::make_shared<PricedCircuit>([] {
    PricedCircuit circuit;
    circuit.model = std::make_shared<EnergyModel>(exact_array_netlist(8, 8));
    circuit.max_product[0][1] = 255 * 127;
    circuit.max_product[0][0] = 255 * 255;
    return circuit;
  }())};
  for (const EnergyScope scope : {EnergyScope::multiplier, EnergyScope::mac}) {
    PriceOptions options;
    options.scope = scope;
    const EnergyPrices prices = price(all, exact, options);
    for (const EnergyBasis basis : {EnergyBasis::traced, EnergyBasis::held})
      for (std::size_t l = 0; l < all.size(); ++l)
        CHECK(prices.relative(basis, l, 0) == doctest::Approx(1).epsilon(1e-12));
  }
  PriceOptions narrow;
  narrow.reference = EnergyReference::exact_8x7;
  CHECK(price(all, exact, narrow).relative(EnergyBasis::traced, 0, 0) ==
        doctest::Approx(1).epsilon(0.1));
  LayerOperands affine = random_layer({}, 3);
  CHECK(error_id([&] { price(std::vector{affine}, exact, narrow); }) == 862);
}

TEST_CASE("narrow circuits get the upper bits of seven, rounded; their accumulator is narrower") {
  const ScratchDir dir;
  write_text(dir / "mul8x3u_exact.v", narrow_verilog(3));
  const Circuits found = circuits({(dir / "mul8x3u_exact.v").string(), "exact"});
  const Lut exact =
      Lut::from_function_of_size(*parse_sized_type("u8u3"), [](int a, int b) { return a * b; });
  CHECK(found[0]->sha256 == exact.sha256());
  const std::vector<LayerOperands> all = layers();
  const OperandPairs wide = circuit_pairs(all[0], *found[1], {Held::b, 500});
  const OperandPairs narrow = circuit_pairs(all[0], *found[0], {Held::b, 500});
  for (std::size_t i = 0; i < 500; ++i) {
    CHECK(narrow.a[i] == wide.a[i]);
    CHECK(static_cast<int>(narrow.b[i]) == std::min(7, (wide.b[i] + 8) / 16));
    CHECK(narrow.next_b[i] == narrow.b[i]);
  }
  PriceOptions options;
  options.scope = EnergyScope::mac;
  const EnergyPrices prices = price(all, found, options);
  // |Σ| ≤ 18·255·7 = 32130: 15 bits and a sign; of 8 × 8 with weights to 127 20 and a sign.
  CHECK(prices.traced(0, 0).accumulator_bits == 16);
  CHECK(prices.traced(0, 1).accumulator_bits == 21);
  CHECK(prices.traced(0, 0).accumulator < prices.traced(0, 1).accumulator);
  CHECK(prices.traced(0, 0).rounding == 0);  // activations keep their bits
  // Both are over the exact 8x8: the estimate as in the column of uniform operands, the published
  // power over that of mul8u_1JFF. A generated one is the same circuit.
  CHECK(prices.published[0] == doctest::Approx(prices.uniform[0].all / prices.exact_uniform.all));
  CHECK(prices.published[0] < 0.3);
  write_text(dir / "mul8x3u_known.v", "// PDK45_PWR = 0.0782 mW\n" + narrow_verilog(3));
  const Circuits others = circuits({(dir / "mul8x3u_known.v").string(), "exact(type=u8u3)"});
  const EnergyPrices published = price(all, others, options);
  CHECK(published.published[0] == doctest::Approx(0.2));
  CHECK(published.published[1] == doctest::Approx(prices.published[0]));
  CHECK(others[1]->sha256 == exact.sha256());
  CHECK(error_id([] { read_priced_circuit("exact(type=s7s7)"); }) == 254);
}

TEST_CASE("the accumulator adds, and negates where the signs differ") {
  const int width = 12, product_bits = 7;
  for (const int signs : {0, 1, 2}) {
    const Netlist netlist = detail::accumulator_netlist(width, product_bits, signs, signs == 0);
    const auto& a = netlist.find_port("A")->nets;
    const auto& b = netlist.find_port("B")->nets;
    REQUIRE(a.size() + b.size() <= 24);
    // A sample of sums, each product with each combination of signs.
    for (int product = 0; product < 128; product += 9)
      for (int sign = 0; sign < 1 << signs; ++sign)
        for (int sum = 0; sum < 4096; sum += 157) {
          std::vector<int> value(netlist.net_count, 0);
          value[kNetOne] = 1;
          for (std::size_t i = 0; i < a.size(); ++i)
            value[a[i]] = (product | sign << product_bits) >> i & 1;
          for (std::size_t i = 0; i < b.size(); ++i) value[b[i]] = sum >> i & 1;
          for (const Cell& cell : netlist.cells) {
            std::size_t pattern = 0;
            for (std::size_t i = 0; i < netlist.inputs(cell).size(); ++i)
              pattern |= static_cast<std::size_t>(value[netlist.inputs(cell)[i]]) << i;
            for (std::size_t o = 0; o < netlist.outputs(cell).size(); ++o)
              value[netlist.outputs(cell)[o]] =
                  static_cast<int>(netlist.types[cell.type].functions[o] >> pattern & 1);
          }
          int out = 0;
          const auto& nets = netlist.find_port("O")->nets;
          for (std::size_t i = 0; i < nets.size(); ++i) out |= value[nets[i]] << i;
          const int term = signs == 0      ? (product >= 64 ? product - 128 : product)
                           : sign % 3 == 0 ? product
                                           : -product;
          REQUIRE(out == ((sum + term) & 4095));
        }
  }
}

TEST_CASE("an accumulator that is given a layer's products ends in the layer's sums") {
  // Exact widths of ResNet-20's layers: K = 576, |a·b| ≤ 255·127.
  LayerOperands layer = random_layer({.s = 4, .k = 576, .m = 2}, 1);
  layer.type = OperandType::u8s8;
  CHECK(detail::accumulator_bits(layer, {OperandType::u8u8, 8, 8, 0, 255.0 * 127}) == 26);
  CHECK(detail::accumulator_bits(layer, {OperandType::u8u8, 8, 3, 0, 255.0 * 7}) == 21);
  // Four product bits that are always 0 need no adder.
  CHECK(detail::accumulator_bits(layer, {OperandType::u8u8, 8, 8, 4, 255.0 * 127}) == 22);
  CHECK(detail::rounded(127, 7, 3) == 7);
  CHECK(detail::rounded(8, 7, 3) == 1);
  CHECK(detail::rounded(7, 7, 3) == 0);
  CHECK(detail::rounded(200, 8, 8) == 200);
}

TEST_CASE(
    "matching gets energies of each layer, weighed by what the exact multiplier takes there") {
  const std::vector<LayerOperands> all = layers();
  Circuits some = circuits({"exact", "drum(k=4)"});
  some.push_back(nullptr);
  const EnergyPrices prices = price(all, some);
  const LayerEnergies energies = layer_energies(all, prices, EnergyBasis::held);
  double mean = 0, ops = 0;
  for (std::size_t l = 0; l < all.size(); ++l) {
    mean += all[l].ops * energies.exact[l];
    ops += all[l].ops;
    CHECK(energies.power_rel(l, 1) ==
          doctest::Approx(prices.held(l, 1).multiplier.all / prices.exact_held[l].multiplier.all));
    CHECK(std::isnan(energies.power_rel(l, 2)));
  }
  CHECK(mean / ops == doctest::Approx(1));
  CHECK(energies.exact[0] / energies.exact[1] ==
        doctest::Approx(prices.exact_held[0].multiplier.all / prices.exact_held[1].multiplier.all));
  CHECK(energies.source == energy_text(EnergyBasis::held, prices.options));
}
