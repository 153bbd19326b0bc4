// Costs: probabilities and toggle rates against counting, energies that behave as energies do.
#include "axmul/netlist/cost.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/circuits.hpp"
#include "netlist/notations.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

std::vector<double> random_distribution(std::size_t n, std::uint64_t seed) {
  Philox random(seed);
  std::vector<double> p(n);
  double sum = 0;
  for (double& x : p) sum += x = random.next_below(5) == 0 ? 0 : random.next_double();
  for (double& x : p) x /= sum;
  return p;
}

double power(const std::string& text) {
  return estimate_cost(generate_netlist(text), OperandType::u8u8).power_rel;
}

}  // namespace

TEST_CASE("toggle rates equal a count over all pairs of input pairs of a 4x4 design") {
  const Netlist netlist = test::array_multiplier(4);
  const auto& a = netlist.find_port("A")->nets;
  const auto& b = netlist.find_port("B")->nets;
  std::vector<NetId> inputs = b, nets;
  inputs.insert(inputs.end(), a.begin(), a.end());
  for (NetId net = 0; net < netlist.net_count; ++net) nets.push_back(net);
  const TruthPlanes planes = simulate_planes(netlist, inputs, nets);
  for (const bool uniform : {true, false}) {
    const std::vector<double> p_a =
        uniform ? std::vector<double>(16, 1.0 / 16) : random_distribution(16, 3);
    const std::vector<double> p_b =
        uniform ? std::vector<double>(16, 1.0 / 16) : random_distribution(16, 4);
    const std::vector<double> p = signal_probabilities(netlist, a, b, p_a, p_b);
    REQUIRE(p.size() == netlist.net_count);
    for (NetId net = 0; net < netlist.net_count; ++net) {
      double brute = 0;  // P(before and after differ), both pairs drawn independently
      for (std::size_t before = 0; before < 256; ++before)
        for (std::size_t after = 0; after < 256; ++after)
          if (planes(net, before) != planes(net, after))
            brute += p_a[before / 16] * p_b[before % 16] * p_a[after / 16] * p_b[after % 16];
      REQUIRE(toggle_rate(p[net]) == doctest::Approx(brute).epsilon(1e-12));
    }
    if (uniform) CHECK(p[netlist.find_port("O")->nets[0]] == 0.25);
  }
}

TEST_CASE("probabilities of operands of 1 to 10 bits, and sizes that do not fit") {
  for (const int width : {1, 2, 3, 5, 8, 10}) {
    NetlistBuilder builder("m");
    const auto a = builder.input("A", width), b = builder.input("B", width);
    const NetId top = builder.and2(a.back(), builder.inv(b[0]));
    builder.output("O", std::vector<NetId>{top});
    const Netlist netlist = builder.take();
    const std::size_t n = std::size_t{1} << width;
    const auto p_a = random_distribution(n, 10), p_b = random_distribution(n, 11);
    double high = 0, even = 0;
    for (std::size_t i = n / 2; i < n; ++i) high += p_a[i];
    for (std::size_t i = 0; i < n; i += 2) even += p_b[i];
    CHECK(signal_probabilities(netlist, a, b, p_a, p_b)[top] ==
          doctest::Approx(high * even).epsilon(1e-12));
    CHECK_THROWS_AS(signal_probabilities(netlist, a, b, p_a, {}), UsageError);
  }
}

TEST_CASE("the exact array costs 1, of either type and under any operands") {
  for (const OperandType type : kOperandTypes) {
    const Netlist exact = exact_array_netlist(type);
    CHECK(simulate(exact, type) == Lut::exact(type));
    CHECK(estimate_cost(exact, type).power_rel == 1.0);
  }
  CostOptions options;
  options.a = parse_distribution("halfnormal(std=30)", false);
  CHECK(estimate_cost(exact_array_netlist(OperandType::u8u8), OperandType::u8u8, {}, options)
            .power_rel == 1.0);
  CHECK(power("exact") == 1.0);
  options.a = parse_distribution("point(0)", false);
  const CostReport still =
      estimate_cost(exact_array_netlist(OperandType::u8u8), OperandType::u8u8, {}, options);
  CHECK(still.switching_energy == 0);
}

TEST_CASE("power_rel never rises with the parameter of truncated and broken-array designs") {
  double before = 1;
  for (int k = 0; k <= 15; ++k) {
    const double now = power("truncated(k=" + std::to_string(k) + ")");
    CAPTURE(k);
    CHECK(now <= before);
    if (k == 0) CHECK(now == 1.0);
    before = now;
  }
  for (int h = 0; h <= 7; ++h) {
    before = 1;
    for (int v = 0; v <= 15; ++v) {
      const double now =
          power("broken_array(h=" + std::to_string(h) + ",v=" + std::to_string(v) + ")");
      CAPTURE(h);
      CAPTURE(v);
      CHECK(now <= before);
      if (h > 0)
        CHECK(now <=
              power("broken_array(h=" + std::to_string(h - 1) + ",v=" + std::to_string(v) + ")"));
      before = now;
    }
  }
}

TEST_CASE("one circuit costs the same however it is written") {
  const double cells =
      estimate_cost(read_verilog_text(test::cells_verilog(8, true), "m.v"), OperandType::u8u8)
          .switching_energy;
  const double blif =
      estimate_cost(read_blif_text(test::blif(8, true), "m.blif"), OperandType::u8u8)
          .switching_energy;
  CHECK(cells == doctest::Approx(blif).epsilon(0.05));
  const Netlist netlist = test::array_multiplier(8);
  CHECK(estimate_cost(read_verilog_text(to_verilog(netlist), "mul8u_array.v"), OperandType::u8u8)
            .switching_energy ==
        doctest::Approx(estimate_cost(netlist, OperandType::u8u8).switching_energy).epsilon(1e-12));
}

TEST_CASE("generated designs cost the same as netlist and as the Verilog they are written to") {
  for (const char* text : {"exact", "truncated(k=6)", "broken_array(h=2,v=5)", "drum(k=6)"}) {
    CAPTURE(text);
    const Netlist again = read_verilog_text(generate_verilog(text), "m.v");
    CHECK(estimate_cost(again, OperandType::u8u8).power_rel ==
          doctest::Approx(power(text)).epsilon(1e-12));
  }
}

TEST_CASE("counts, depth, constants, unused and doubled logic") {
  const std::string frame = "module m(input [7:0] A, input [7:0] B, output [15:0] O);\n";
  const CostReport plain =
      estimate_cost(read_verilog_text(frame + "assign O = {15'b0, A[0] & B[0]}; endmodule", "m.v"),
                    OperandType::u8u8);
  CHECK(plain.gates.at("AND2") == 1);
  CHECK(plain.cells == 1);
  CHECK(plain.depth == 1);
  CHECK(plain.unit_gate_area == 1);
  // p = 1/4, own capacitance 1.5; glitches: 0.6 of what 1/2·1/2 + 1/2·1/2 exceeds 3/8.
  CHECK(plain.switching_energy == doctest::Approx((0.375 + 0.6 * 0.125) * 1.5));
  CHECK(plain.glitch_energy == doctest::Approx(0.6 * 0.125 * 1.5));
  const CostReport clumsy = estimate_cost(
      read_verilog_text(frame + "wire x, y, dead; assign x = A[0] & B[0] & 1'b1; assign y = "
                                "~~(B[0] & A[0]); assign dead = A[1] ^ B[1];\n"
                                "assign O = {15'b0, x | y}; endmodule",
                        "m.v"),
      OperandType::u8u8);
  CHECK(clumsy.switching_energy == doctest::Approx(plain.switching_energy).epsilon(1e-12));
  CHECK(clumsy.unused_cells == 1);
  CHECK(clumsy.cells == 6);
  CHECK(clumsy.depth == 4);
  const CostReport nothing = estimate_cost(
      read_verilog_text(frame + "assign O = 16'd7; endmodule", "m.v"), OperandType::u8u8);
  CHECK(nothing.power_rel == 0);
  CHECK(nothing.depth == 0);
  const CostReport adder = estimate_cost(
      read_verilog_text(
          frame + "FAX1 f(A[0], A[1], B[0], O[0], O[1]); assign O[15:2] = 14'b0; endmodule", "m.v"),
      OperandType::u8u8);
  CHECK(adder.unit_gate_area == 7);
  CHECK(std::isnan(adder.area));
}

TEST_CASE("glitches by hand: a chain of XORs and a gate behind it") {
  // A transition of any input of an XOR passes, so its density is the sum of its inputs'; each node
  // shows its toggle rate and 0.6 of the excess.
  const CostReport report =
      estimate_cost(read_verilog_text("module m(input [7:0] A, input [7:0] B, output [15:0] O);\n"
                                      "wire x, y; assign x = A[0] ^ A[1]; assign y = x ^ A[2];\n"
                                      "assign O = {15'b0, y & B[0]}; endmodule",
                                      "m.v"),
                    OperandType::u8u8);
  const double x = 0.5 + 0.6 * (0.5 + 0.5 - 0.5);
  const double y = 0.5 + 0.6 * (x + 0.5 - 0.5);
  const double o = 0.375 + 0.6 * (0.5 * y + 0.5 * 0.5 - 0.375);
  const double toggles = 0.5 * (3 + 2) + 0.5 * (3 + 1) + 0.375 * 1.5;
  CHECK(report.switching_energy == doctest::Approx(x * (3 + 2) + y * (3 + 1) + o * 1.5));
  CHECK(report.glitch_energy == doctest::Approx(report.switching_energy - toggles));
}

TEST_CASE("operands that never change cost nothing, glitches included") {
  CostOptions options;
  options.a = parse_distribution("point(37)", false);
  options.b = parse_distribution("point(214)", false);
  for (const char* text : {"exact", "drum(k=6)"}) {
    const CostReport report = estimate_cost(generate_netlist(text), OperandType::u8u8, {}, options);
    CHECK(report.switching_energy == 0);
    CHECK(report.glitch_energy == 0);
  }
}

TEST_CASE("logic that synthesis simplifies costs what is left of it") {
  const std::string frame = "module m(input [7:0] A, input [7:0] B, output [15:0] O);\n";
  const auto energy = [&](const std::string& expression) {
    return estimate_cost(read_verilog_text(frame + "assign O[0] = " + expression +
                                               "; assign O[15:1] = 15'b0; endmodule",
                                           "m.v"),
                         OperandType::u8u8)
        .switching_energy;
  };
  const double plain = energy("A[0] & ~B[0]");
  CHECK(energy("A[0] ^ (A[0] & B[0])") == doctest::Approx(plain));
  CHECK(energy("A[0] & (A[0] ^ B[0])") == doctest::Approx(plain));
  CHECK(energy("~(~A[0] | ~(A[0] ^ B[0]))") == doctest::Approx(plain));
  CHECK(energy("B[0] ^ (A[0] | B[0])") == doctest::Approx(plain));
  CHECK(energy("A[0] ^ B[0] ^ B[0] ^ (B[0] & A[0])") == doctest::Approx(plain));
  const double three = energy("B[1] & (A[0] & ~B[0])");
  CHECK(energy("(B[1] & B[0]) ^ (B[1] & (A[0] | B[0]))") == doctest::Approx(three));
  CHECK(energy("A[0] ^ B[0]") > plain);
}

TEST_CASE("library figures: area, leakage, switched capacitance") {
  const auto library = std::make_shared<CellLibrary>();
  library->add_liberty_text(
      "library(lib) { capacitive_load_unit(1,pf); cell(G) { area : 2.5; cell_leakage_power : 0.5;\n"
      "pin(A) { direction : input; capacitance : 0.002; } pin(B) { direction : input; capacitance "
      ": 0.004; }\n"
      "pin(Y) { direction : output; function : \"A B\"; } } }",
      "x.lib");
  NetlistOptions options;
  options.library = library;
  const Netlist netlist = read_verilog_text(
      "module m(input [7:0] A, input [7:0] B, output [15:0] O); wire t; G g(.A(A[0]), .B(B[0]), "
      ".Y(t)); G h(.A(t), .B(B[1]), .Y(O[0]));\n"
      "assign O[15:1] = 15'b0; endmodule",
      "m.v", options);
  const CostReport report = estimate_cost(netlist, OperandType::u8u8);
  CHECK(report.area == 5.0);
  CHECK(report.leakage == 1.0);
  CHECK(report.technology == "lib");
  CHECK(report.switched_capacitance_ff == doctest::Approx(0.5 * 2 + 0.5 * 4 + 0.375 * 2 + 0.5 * 4));
  const Cost cost = estimated_cost(report);
  CHECK(cost.source == "estimated");
  CHECK(cost.technology == "lib");
  CHECK(cost.area_um2 == 5.0);
  CHECK(std::isnan(cost.power_mw));
}
