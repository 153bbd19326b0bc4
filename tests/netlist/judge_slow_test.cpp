// The judge's tools on small circuits: what it says beside what the estimate says.
#include "axmul/core/philox.hpp"
#include "axmul/netlist/energy_model.hpp"
#include "axmul/netlist/judge.hpp"
#include "netlist/circuits.hpp"
#include "netlist/process.hpp"
#include "support/error_id.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

bool has_tools() {
  for (const char* tool : {"yosys", "iverilog", "vvp", "sta"})
    if (!detail::program_exists(tool)) return false;
  return !default_liberty().empty();
}

OperandPairs random_pairs(int bits, unsigned moving, std::uint64_t seed) {
  Philox random(seed);
  OperandPairs pairs;
  for (int i = 0; i < 1500; ++i) {
    const auto a = static_cast<std::uint8_t>(random.next_below(1u << bits));
    pairs.a.push_back(a);
    pairs.b.push_back(static_cast<std::uint8_t>(random.next_below(1u << bits)));
    pairs.next_a.push_back(static_cast<std::uint8_t>(a ^ (random.next_below(1u << bits) & moving)));
    pairs.next_b.push_back(pairs.b.back());
  }
  return pairs;
}

}  // namespace

TEST_CASE(
    "the judge's energies rise and fall as the estimate's do, and nothing moving takes none") {
  if (!has_tools()) AXMUL_SKIP("needs yosys, iverilog, opensta and qflow-tech-osu018");
  const Netlist netlist = test::array_multiplier(5);
  const Judge judge(netlist);
  const EnergyModel model(netlist);
  CHECK(judge.cells() > 60);
  CHECK(judge.area() > 24.0 * 60);  // a NAND2X1 of osu018 has 24
  CHECK(judge.delay_ns() > 0.5);
  CHECK(judge.delay_ns() < 10);
  CHECK(judge.energy(random_pairs(5, 0, 1)).all() == 0);
  const JudgedEnergy all = judge.energy(random_pairs(5, 31, 2));
  const JudgedEnergy few = judge.energy(random_pairs(5, 3, 3));
  CHECK(all.settled_toggles < all.toggles);  // arrays glitch
  CHECK(all.internal_fj > 0);
  CHECK(all.switching_fj > 0);
  const auto estimate = [&](const OperandPairs& pairs) {
    return model.energy(PairPlanes(pairs, 5, 5)).all;
  };
  const double own = estimate(random_pairs(5, 3, 3)) / estimate(random_pairs(5, 31, 2));
  CHECK(few.all() / all.all() == doctest::Approx(own).epsilon(0.15));
}

TEST_CASE("a library that is not there, and one without delays, are said") {
  if (!has_tools()) AXMUL_SKIP("needs yosys, iverilog, opensta and qflow-tech-osu018");
  JudgeOptions options;
  options.liberty = "/nowhere/x.lib";
  CHECK(test::error_id([&] { Judge(test::array_multiplier(3), {}, options); }) == 200);
}
