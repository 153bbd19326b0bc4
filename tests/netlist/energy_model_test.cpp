// Energies under operand pairs: activities against exhaustive planes and a scalar count, glitches
// against a scalar simulation of the delays, loads and totals against estimate_cost().
#include "axmul/netlist/energy_model.hpp"

#include <algorithm>
#include <map>

#include "axmul/core/philox.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/cost.hpp"
#include "netlist/circuits.hpp"
#include "support/error_id.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::error_id;

namespace {

OperandPairs random_pairs(std::size_t n, std::uint64_t seed, bool ordered) {
  Philox random(seed);
  OperandPairs pairs;
  const auto byte = [&](std::uint32_t most) {
    return static_cast<std::uint8_t>(random.next_below(most));
  };
  for (std::size_t i = 0; i < n; ++i) {
    pairs.a.push_back(byte(200));
    pairs.b.push_back(byte(90));  // another distribution: a swap of operands would be seen
    if (!ordered) continue;
    pairs.next_a.push_back(byte(256));
    pairs.next_b.push_back(pairs.b.back());
  }
  return pairs;
}

// Value of every net for one pair, cell by cell.
std::vector<int> values(const Netlist& netlist, int a, int b) {
  std::vector<int> value(netlist.net_count, 0);
  value[kNetOne] = 1;
  const auto& a_nets = netlist.find_port("A")->nets;
  const auto& b_nets = netlist.find_port("B")->nets;
  for (std::size_t i = 0; i < a_nets.size(); ++i) value[a_nets[i]] = a >> i & 1;
  for (std::size_t i = 0; i < b_nets.size(); ++i) value[b_nets[i]] = b >> i & 1;
  for (const Cell& cell : netlist.cells) {
    const auto in = netlist.inputs(cell);
    std::size_t pattern = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
      pattern |= static_cast<std::size_t>(value[in[i]]) << i;
    for (std::size_t o = 0; o < netlist.outputs(cell).size(); ++o)
      value[netlist.outputs(cell)[o]] =
          static_cast<int>(netlist.types[cell.type].functions[o] >> pattern & 1);
  }
  return value;
}

// Transitions of every net when the operands change, an XOR taking two steps, an AND one: all nets
// at once, step by step.
std::vector<int> transitions(const Netlist& netlist, std::vector<int> now, int a, int b) {
  const std::vector<int> inputs = values(netlist, a, b);
  std::vector<int> count(netlist.net_count, 0), previous = now;
  for (int step = 0; step < 200; ++step) {
    std::vector<int> next = now;
    for (const Port& port : netlist.ports)
      if (!port.is_output)
        for (const NetId net : port.nets) next[net] = inputs[net];
    for (const Cell& cell : netlist.cells) {
      const bool is_xor = netlist.types[cell.type].name == "XOR";
      const std::vector<int>& source = is_xor ? previous : now;
      const auto in = netlist.inputs(cell);
      std::size_t pattern = 0;
      for (std::size_t i = 0; i < in.size(); ++i)
        pattern |= static_cast<std::size_t>(source[in[i]]) << i;
      next[netlist.outputs(cell)[0]] =
          static_cast<int>(netlist.types[cell.type].functions[0] >> pattern & 1);
    }
    for (std::size_t net = 0; net < count.size(); ++net) count[net] += next[net] != now[net];
    previous = now;
    now = next;
  }
  return count;
}

}  // namespace

TEST_CASE("activities equal a scalar count, whatever the number of pairs") {
  for (const std::string text : {"exact", "drum(k=4)"}) {
    const EnergyModel model(generate_netlist(text));
    const Netlist circuit = model.circuit();
    for (const std::size_t n : {1u, 63u, 64u, 65u, 2049u}) {
      const OperandPairs pairs = random_pairs(n, n, true);
      const std::vector<NetActivity> found = model.activity(PairPlanes(pairs, 8, 8));
      std::vector<double> ones(circuit.net_count, 0), toggles(circuit.net_count, 0);
      for (std::size_t i = 0; i < n; ++i) {
        const auto now = values(circuit, pairs.a[i], pairs.b[i]);
        const auto next = values(circuit, pairs.next_a[i], pairs.next_b[i]);
        for (std::size_t net = 0; net < now.size(); ++net) {
          ones[net] += now[net];
          toggles[net] += now[net] != next[net];
        }
      }
      const auto loads = model.net_loads();
      std::size_t counted = 0;
      for (std::size_t net = 0; net < loads.size(); ++net) {
        if (loads[net] == 0) continue;
        ++counted;
        CHECK(found[net].ones == ones[net] / static_cast<double>(n));
        CHECK(found[net].toggles == toggles[net] / static_cast<double>(n));
      }
      CHECK(counted > 100);
    }
  }
}

TEST_CASE("the costed circuit computes what the design computes") {
  const Netlist netlist = generate_netlist("broken_array(h=2,v=5)");
  CHECK(simulate(EnergyModel(netlist).circuit(), OperandType::u8u8) ==
        simulate(netlist, OperandType::u8u8));
  const Netlist narrow = EnergyModel(exact_array_netlist(5, 3)).circuit();
  for (int a = 0; a < 32; ++a)
    for (int b = 0; b < 8; ++b) {
      const auto value = values(narrow, a, b);
      int product = 0;
      const auto& nets = narrow.find_port("O")->nets;
      for (std::size_t i = 0; i < nets.size(); ++i) product |= value[nets[i]] << i;
      REQUIRE(product == a * b);
    }
}

TEST_CASE("without glitches, energy under uniform operands is that of exact probabilities") {
  // None of these inverts an operand, which estimate_cost() has for free.
  for (const std::string text : {"exact", "kulkarni", "broken_array(h=2,v=5)"}) {
    const Netlist netlist = generate_netlist(text);
    OperandPairs all;
    for (int i = 0; i < 65536; ++i) {
      all.a.push_back(static_cast<std::uint8_t>(i >> 8));
      all.b.push_back(static_cast<std::uint8_t>(i & 255));
    }
    const SwitchingEnergy energy = EnergyModel(netlist).energy(PairPlanes(all, 8, 8));
    const CostReport report = estimate_cost(netlist, OperandType::u8u8);
    CHECK(energy.all - energy.glitches ==
          doctest::Approx(report.switching_energy - report.glitch_energy).epsilon(1e-9));
  }
}

TEST_CASE("glitches are those of a step-by-step simulation") {
  const EnergyModel model(test::array_multiplier(4));
  const Netlist circuit = model.circuit();
  const std::vector<double> loads = model.net_loads();
  for (const bool ordered : {true, false}) {
    OperandPairs pairs;
    Philox random(5);
    for (int i = 0; i < 300; ++i) {
      pairs.a.push_back(static_cast<std::uint8_t>(random.next_below(16)));
      pairs.b.push_back(static_cast<std::uint8_t>(random.next_below(16)));
      if (!ordered) continue;
      pairs.next_a.push_back(static_cast<std::uint8_t>(random.next_below(16)));
      pairs.next_b.push_back(pairs.b.back());
    }
    double energy = 0;
    for (std::size_t i = 0; i < 300; ++i) {
      // Where nothing is ordered, what follows is the next pair; the last one stays.
      const std::size_t next = std::min<std::size_t>(i + 1, 299);
      const int a = ordered ? pairs.next_a[i] : pairs.a[next];
      const int b = ordered ? pairs.next_b[i] : pairs.b[next];
      const auto before = values(circuit, pairs.a[i], pairs.b[i]);
      const auto after = values(circuit, a, b);
      const auto count = transitions(circuit, before, a, b);
      for (std::size_t net = 0; net < loads.size(); ++net)
        energy += loads[net] * (count[net] - (before[net] != after[net] ? 1 : 0)) / 300;
    }
    CHECK(energy > 1);
    CHECK(model.energy(PairPlanes(pairs, 4, 4)).glitches ==
          doctest::Approx(glitch_part() * energy).epsilon(1e-9));
  }
}

TEST_CASE("an operand's inverter is paid by the circuit, its net is not") {
  NetlistBuilder builder("inverted");
  const auto a = builder.input("A", 2), b = builder.input("B", 2);
  const NetId one = builder.and2(builder.inv(a[0]), b[0]), other = builder.and2(a[1], b[1]);
  const NetId nor = builder.nor2(a[1], b[0]);
  builder.output("O", std::vector<NetId>{one, other, nor});
  const OperandPairs moving{{1, 1}, {0, 0}, {0, 0}, {0, 0}};  // a[0] falls each time
  const EnergyModel model(builder.take());
  // The inverter's output, half an input, and one input of an AND; b is 0, so nothing else moves.
  CHECK(model.energy(PairPlanes(moving, 2, 2)).all == doctest::Approx(1.5));
}

TEST_CASE("a held operand that nothing moves takes no energy") {
  OperandPairs pairs = random_pairs(500, 3, true);
  pairs.next_a = pairs.a;
  const SwitchingEnergy energy =
      EnergyModel(generate_netlist("exact")).energy(PairPlanes(pairs, 8, 8));
  CHECK(energy.all == 0);
}

TEST_CASE("pairs that do not fit are refused") {
  OperandPairs pairs = random_pairs(10, 1, true);
  pairs.next_b.pop_back();
  CHECK(error_id([&] { PairPlanes(pairs, 8, 8); }) == 720);
  CHECK(error_id([&] { PairPlanes(OperandPairs{}, 8, 8); }) == 720);
  CHECK(error_id([&] { PairPlanes(random_pairs(3, 1, false), 9, 8); }) == 720);
  const PairPlanes narrow(random_pairs(3, 1, false), 8, 3);
  const EnergyModel model(generate_netlist("exact"));
  CHECK(error_id([&] { model.energy(narrow); }) == 720);
}
