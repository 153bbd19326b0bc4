// Every family's circuit against its arithmetic definition: two definitions that share no formula.
#include "axmul/designs/circuit.hpp"

#include "axmul/netlist/readers.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// The product port of a netlist as a table; unsigned unless the type says otherwise.
Lut circuit_table(const DesignInstance& design) {
  return simulate(design_netlist(design), design.type());
}

void check_circuit(const std::string& text) {
  CAPTURE(text);
  const DesignInstance design = parse_design(text);
  CHECK(circuit_table(design) == Lut::from_function(design.type(), design));
}

std::string value_text(const DesignParameter& p, int value) {
  return p.choices.empty() ? std::to_string(value)
                           : p.choices[static_cast<std::size_t>(value - p.min)];
}

}  // namespace

TEST_CASE("circuit and table agree for every library design") {
  for (const std::string& text : library_designs()) check_circuit(text);
}

TEST_CASE("circuit and table agree for every family, type and value of each parameter") {
  for (const Design& family : design_families()) {
    CHECK(family.has_circuit);
    for (OperandType type : family.types) {
      const std::string tail = ",type=" + std::string(to_string(type)) + ")";
      if (family.parameters.empty()) check_circuit(family.name + "(" + tail.substr(1));
      for (const DesignParameter& p : family.parameters)
        for (int value = p.min; value <= p.max; ++value) {
          const std::string text = family.name + "(" + p.name + "=" + value_text(p, value) + tail;
          try {
            parse_design(text);
          } catch (const std::exception&) {
            continue;  // excluded by another parameter's default
          }
          check_circuit(text);
        }
    }
  }
}

TEST_CASE("circuits are defined at other widths too: 4 bits, all operand pairs") {
  for (const Design& family : design_families()) {
    const DesignInstance design = parse_design(family.name, 4);
    CAPTURE(design.text());
    const Netlist netlist = design_netlist(design);
    std::vector<NetId> inputs = netlist.find_port("A")->nets;
    const auto& b = netlist.find_port("B")->nets;
    inputs.insert(inputs.end(), b.begin(), b.end());
    const auto& product = netlist.find_port("O")->nets;
    const TruthPlanes planes = simulate_planes(netlist, inputs, product);
    const bool is_signed = a_is_signed(design.type());
    for (unsigned i = 0; i < 256; ++i) {
      std::int64_t got = 0;
      for (std::size_t k = 0; k < product.size(); ++k) got |= std::int64_t{planes(k, i)} << k;
      const std::int64_t mask = (std::int64_t{1} << product.size()) - 1;
      std::int64_t a = i & 15, x = i >> 4;
      if (is_signed) a -= (a & 8) * 2, x -= (x & 8) * 2;
      CHECK(got == (design(a, x) & mask));
    }
  }
}

TEST_CASE("estimated power: exact is 1, and never rises with what is left out") {
  for (const char* type : {"u8u8", "s8s8", "u8s8"}) {
    const std::string tail = std::string(",type=") + type + ")";
    CHECK(generate("exact(" + tail.substr(1)).cost.power_rel == doctest::Approx(1));
    CHECK(generate("exact(" + tail.substr(1)).cost.source == "estimated");
    const auto falls = [&](const std::string& head, int last) {
      double previous = 1 + 1e-9;
      for (int value = 0; value <= last; ++value) {
        const std::string text = head + std::to_string(value) + tail;
        CAPTURE(text);
        const double power = generate(text).cost.power_rel;
        CHECK(power <= previous);
        previous = power;
      }
    };
    falls("truncated(k=", 15);
    for (int h = 0; h <= 8; h += 2) falls("broken_array(h=" + std::to_string(h) + ",v=", 15);
    for (int v = 0; v <= 15; v += 3) falls("broken_array(v=" + std::to_string(v) + ",h=", 8);
    falls("perforated(p=0,m=", 7);
    falls("operand_truncation(kb=1,ka=", 7);
  }
}

TEST_CASE("leaving cells out saves cells") {
  std::size_t previous = generate_netlist("exact").cells.size();
  for (int k = 1; k <= 15; ++k) {
    const std::size_t cells =
        generate_netlist("truncated(k=" + std::to_string(k) + ")").cells.size();
    CHECK(cells <= previous);
    previous = cells;
  }
  CHECK(previous == 0);
}

TEST_CASE("the Verilog of a library design is read back as the same table") {
  for (const std::string& text : library_designs()) {
    CAPTURE(text);
    const Multiplier design = generate(text);
    const Netlist netlist = read_verilog_text(generate_verilog(text), "design.v");
    CHECK(simulate(netlist, design.lut.type()) == design.lut);
  }
}

TEST_CASE("Verilog names the design, its source and the three ports") {
  const std::string text = generate_verilog("drum(type=s8s8,k=5)");
  CHECK(text.find("drum(k=5,type=s8s8)") != std::string::npos);
  CHECK(text.find("ICCAD 2015") != std::string::npos);
  CHECK(text.find("module mul8s_drum_k_5 (") != std::string::npos);
  CHECK(text.find("input [7:0] A") != std::string::npos);
  CHECK(text.find("output [15:0] O") != std::string::npos);
  CHECK_THROWS(generate_verilog("drum(k=99)"));
}
