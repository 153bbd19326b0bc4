// Counted toggles of held operands against a brute-force simulation of a whole layer in order.
#include <cmath>

#include "axmul/tables/energy.hpp"
#include "axmul/tables/traces.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// Σ loads × toggles per change without delays, over every change of the layer in the order in which
// it happens: for each weight all receptive fields one after another. By exhaustive planes.
double in_order(const EnergyModel& model, const LayerOperands& layer, std::size_t& changes) {
  const Netlist circuit = model.circuit();
  const std::vector<double> loads = model.net_loads();
  std::vector<NetId> inputs = circuit.find_port("B")->nets, nets;
  const auto& a_nets = circuit.find_port("A")->nets;
  inputs.insert(inputs.end(), a_nets.begin(), a_nets.end());
  std::vector<double> load;
  for (NetId net = 0; net < loads.size(); ++net)
    if (loads[net] > 0) {
      nets.push_back(net);
      load.push_back(loads[net]);
    }
  const TruthPlanes planes = simulate_planes(circuit, inputs, nets);
  // For each pair of operands the nets' values, a byte each.
  std::vector<std::uint8_t> values(65536 * nets.size());
  for (std::size_t n = 0; n < nets.size(); ++n)
    for (std::size_t i = 0; i < 65536; ++i)
      values[i * nets.size() + n] =
          static_cast<std::uint8_t>(planes.planes[n * planes.words + i / 64] >> (i % 64) & 1);
  std::vector<std::uint32_t> toggles(nets.size(), 0);
  changes = 0;
  for (std::size_t k = 0; k < layer.fan_in; ++k)
    for (std::size_t m = 0; m < layer.out_channels; ++m) {
      const int weight = static_cast<std::int8_t>(layer.weights[k * layer.out_channels + m]);
      const auto b = static_cast<std::size_t>(std::abs(weight));
      const auto row = [&](std::size_t s) {
        const int activation =
            layer.type == OperandType::s8s8
                ? std::abs(static_cast<std::int8_t>(layer.patches[s * layer.fan_in + k]))
                : layer.patches[s * layer.fan_in + k];
        return values.data() + (static_cast<std::size_t>(activation) * 256 + b) * nets.size();
      };
      const std::uint8_t* now = row(0);
      for (std::size_t s = 1; s < layer.patch_count; ++s, ++changes) {
        const std::uint8_t* next = row(s);
        for (std::size_t n = 0; n < nets.size(); ++n) toggles[n] += now[n] ^ next[n];
        now = next;
      }
    }
  double energy = 0;
  for (std::size_t n = 0; n < nets.size(); ++n)
    energy += load[n] * static_cast<double>(toggles[n]) / static_cast<double>(changes);
  return energy;
}

}  // namespace

TEST_CASE("held weights: sampled toggles are those of all changes in order, to one per cent") {
  const auto path = test::data_path("traces/resnet20.h5");
  if (!path) AXMUL_SKIP("needs AXMUL_DATA/traces");
  const LayerOperands layer =
      recode(TraceFile(path->string()).layer("conv1"), Encoding::sign_magnitude);
  for (const std::string text : {"exact", "drum(k=4)", "mitchell", "broken_array(h=3,v=6)",
                                 "operand_truncation(ka=2,kb=2)"}) {
    const PricedCircuit circuit = read_priced_circuit(text);
    std::size_t changes = 0;
    const double all = in_order(*circuit.model, layer, changes);
    CHECK(changes == 27 * 16 * 2047);  // 884,304
    const SwitchingEnergy sampled =
        circuit.model->energy(PairPlanes(circuit_pairs(layer, circuit, {Held::b}), 8, 8));
    INFO(text << ": " << all << " in order, " << sampled.all - sampled.glitches << " sampled");
    CHECK(std::fabs(sampled.all - sampled.glitches - all) <= 0.01 * all);
  }
}
