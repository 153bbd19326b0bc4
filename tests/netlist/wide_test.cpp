// Circuits of 9 to 16 bits: products by block against the gates' function, and what is no such
// circuit.
#include "axmul/netlist/wide.hpp"

#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/cost.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

/// Product of operand values as the stream gives it.
std::int64_t product(const ProductSource& source, int a, int b) {
  const SizedType type = source.type();
  const auto pair = (static_cast<std::uint64_t>(a - a_min(type)) << type.bits.b) +
                    static_cast<std::uint64_t>(b - b_min(type));
  std::vector<std::int32_t> low(kProductBlock), high(kProductBlock);
  source.blocks()->block(pair / kProductBlock, low.data(), high.data());
  const std::size_t at = pair % kProductBlock;
  CHECK(low[at] >= 0);
  CHECK(low[at] < 65536);
  return std::int64_t{high[at]} * 65536 + low[at];
}

std::string verilog(const char* type) {
  return generate_verilog(std::string("exact(type=") + type + ")");
}

}  // namespace

TEST_CASE("blocks hold the products of ascending operand values, whatever signs and widths") {
  for (const char* name : {"u9u9", "s16s16", "u12s12", "u16u16", "u10u3", "s3s11"}) {
    CAPTURE(name);
    const SizedType type = *parse_sized_type(name);
    const auto source = netlist_products(exact_array_netlist(type), type);
    for (const int a : {a_min(type), a_min(type) + 1, 0, 3, a_max(type)})
      for (const int b : {b_min(type), -1 < b_min(type) ? 0 : -1, 1, 2, b_max(type)})
        CHECK(product(*source, a, b) == std::int64_t{a} * b);
  }
  // 33 and 34 output bits: 2^16·2^16 of rounded operands.
  const auto shift =
      netlist_products(generate_netlist("power_of_two(type=u16u16)"), *parse_sized_type("u16u16"));
  CHECK(product(*shift, 65535, 65535) == std::int64_t{1} << 32);
  CHECK(product(*shift, 65535, 3) == 131072);
  CHECK(product(*shift, 5, 0) == 0);
}

TEST_CASE("the type of a wide circuit is told by option, ports or name") {
  const test::ScratchDir dir;
  const auto read = [&](const std::string& file, const std::string& text,
                        const NetlistOptions& options = {}) {
    test::write_text(dir / file, text);
    return read_wide_circuit((dir / file).string(), options);
  };
  CHECK(to_string(read("mul12s_x.v", verilog("s12s12")).type()) == "s12s12");
  CHECK(read("mul12s_x.v", verilog("s12s12")).provenance.type_from == "name");
  std::string plain = verilog("s12s12");
  for (std::size_t at; (at = plain.find("mul12s_exact")) != std::string::npos;)
    plain.replace(at, 12, "top");
  CHECK(to_string(read("a.v", plain).type()) == "u12u12");
  NetlistOptions options;
  options.type = OperandType::s8s8;
  CHECK(to_string(read("a.v", plain, options).type()) == "s12s12");
  NetlistOptions swapped;
  swapped.order = OperandOrder::ba;
  const WideMultiplier turned = read("b.v", verilog("u12u5"), swapped);
  CHECK(to_string(turned.type()) == "u5u12");
  CHECK(product(*turned.products, 31, 4095) == 31 * 4095);
}

TEST_CASE("what is no wide multiplier is refused") {
  const test::ScratchDir dir;
  test::write_text(dir / "half.v",
                   "module half(input [11:0] A, input [11:0] B, output [7:0] O);\n"
                   "assign O = A[7:0] & B[7:0];\nendmodule\n");
  CHECK_THROWS_AS(read_wide_circuit((dir / "half.v").string()), NotMultiplierError);
  test::write_text(dir / "m.c", "int m(int a, int b) { return a * b; }\n");
  CHECK_THROWS_WITH_AS(read_wide_circuit((dir / "m.c").string()), doctest::Contains("AX354"),
                       InputError);
  const SizedType wrong = *parse_sized_type("u9u10");
  CHECK_THROWS_AS(netlist_products(exact_array_netlist(*parse_sized_type("u9u9")), wrong),
                  InputError);
}

TEST_CASE("a wide circuit reads back from the Verilog it is kept as, and its cost is estimated") {
  const SizedType type = *parse_sized_type("u12u12");
  const Netlist netlist = generate_netlist("truncated(k=10,type=u12u12)");
  const WideMultiplier m = wide_multiplier(netlist, type);
  const WideMultiplier again = wide_multiplier(read_verilog_text(m.verilog, "x.v"), type);
  CHECK(compare_wide(*m.products, *again.products, 1).count == 0);
  const double rel = estimate_cost(netlist, type).power_rel;
  CHECK(rel < 0.95);
  CHECK(rel > 0.5);
  // 24 operand bits are sampled, 20 are not; the exact array is its own reference either way.
  CHECK(estimate_cost(exact_array_netlist(type), type).power_rel == doctest::Approx(1));
  const double exact =
      estimate_cost(generate_netlist("truncated(k=8,type=u10u10)"), *parse_sized_type("u10u10"))
          .power_rel;
  CHECK(exact < 0.95);
}

TEST_CASE("a first operand alone signed is b, as in narrower circuits") {
  const test::ScratchDir dir;
  const std::string path = (dir / "m.v").string();
  Netlist netlist = exact_array_netlist(*parse_sized_type("u10s9"));
  for (Port& port : netlist.ports) {
    if (port.name == "A") port.name = "y";
    if (port.name == "B") port.name = "a", port.is_signed = true;
    if (port.name == "O") port.is_signed = true;
  }
  for (Port& port : netlist.ports)
    if (port.name == "y") port.name = "b";
  netlist.name = "m";
  test::write_text(path, to_verilog(netlist));
  const WideMultiplier read = read_wide_circuit(path);
  CHECK(to_string(read.products->type()) == "u10s9");
  CHECK(read.provenance.order == OperandOrder::ba);
  CHECK(read.provenance.type_from == "ports");
  NetlistOptions options;
  options.order = OperandOrder::ab;
  CHECK_THROWS_WITH_AS(read_wide_circuit(path, options), doctest::Contains("AX252"), InputError);
}
