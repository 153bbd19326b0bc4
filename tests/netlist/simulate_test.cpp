// Netlists built gate by gate give the tables that arithmetic gives.
#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/netlist/netlist.hpp"
#include "netlist/circuits.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("an array multiplier from gates is the exact product") {
  CHECK(simulate(test::array_multiplier(8), OperandType::u8u8) == Lut::exact(OperandType::u8u8));
}

TEST_CASE("operands come from the ports named, swapped ports give the transpose") {
  const Netlist netlist = test::asymmetric_netlist();
  const Lut lut = simulate(netlist, OperandType::u8u8);
  const Lut expected = Lut::from_function(OperandType::u8u8, [](int a, int b) { return a & ~b; });
  CHECK(lut == expected);
  CHECK(simulate(netlist, OperandType::u8u8, {"B", "A", ""}) == transposed(expected));
  CHECK(simulate(netlist, OperandType::u8u8, parse_port_map("b=A,a=B")) == transposed(expected));
}

TEST_CASE("signed operands and products are two's complement, narrow products sign-extend") {
  NetlistBuilder builder("pass");
  const auto a = builder.input("A", 8);
  const auto b = builder.input("B", 8);
  std::vector<NetId> out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(builder.xor2(a[i], b[i]));
  builder.output("O", out);
  const Netlist netlist = builder.take();
  for (const OperandType type : kOperandTypes) {
    const Lut expected = Lut::from_function(type, [&](int x, int y) {
      const int bits = (x ^ y) & 0xFF;
      return type == OperandType::u8u8 || bits < 128 ? bits : bits - 256;
    });
    CHECK(simulate(netlist, type) == expected);
  }
}

TEST_CASE("products wider than 16 bits keep their high bits") {
  NetlistBuilder builder("wide");
  const auto a = builder.input("A", 8);
  builder.input("B", 8);
  std::vector<NetId> out(18, kNetZero);
  out[0] = a[0];
  out[17] = a[7];
  out[3] = kNetOne;
  builder.output("P", out);
  const Netlist netlist = builder.take();
  const Lut u = simulate(netlist, OperandType::u8u8);
  CHECK(u(129, 5) == (1 << 17) + 9);
  const Lut s = simulate(netlist, OperandType::s8s8);
  CHECK(s(-127, 5) == -(1 << 17) + 9);
  CHECK(s(1, 5) == 9);
}

TEST_CASE("a product of 32 bits is signed or past what a table holds") {
  NetlistBuilder builder("wide");
  const auto a = builder.input("A", 8);
  builder.input("B", 8);
  std::vector<NetId> out(32, kNetZero);
  out[0] = a[0];
  for (std::size_t i = 20; i < 32; ++i) out[i] = a[7];
  builder.output("P", out);
  const Netlist netlist = builder.take();
  const Lut s = simulate(netlist, OperandType::s8s8);
  CHECK(s(-1, 5) == 1 - (1 << 20));
  CHECK(s(1, 5) == 1);
  // Unsigned, 2^32 − 2^20 + 1 is no product of a table, and nothing near it either.
  CHECK_THROWS_AS(simulate(netlist, OperandType::u8u8), InputError);
}

TEST_CASE("an input that is no operand is 0 in a simulation of others") {
  NetlistBuilder builder("gated");
  const auto x = builder.input("X", 2);
  const auto enable = builder.input("enable", 1);
  const std::vector<NetId> y = {builder.or2(x[0], enable[0]), builder.and2(x[1], enable[0])};
  builder.output("Y", y);
  const Netlist netlist = builder.take();
  const TruthPlanes planes = simulate_planes(netlist, x, y);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(planes(0, i) == ((i & 1) != 0));
    CHECK(!planes(1, i));
  }
}

TEST_CASE("every truth table of up to three inputs, and random ones of four to six") {
  Philox random(7);
  for (int inputs = 0; inputs <= 6; ++inputs) {
    const int count = inputs <= 3 ? 1 << (1 << inputs) : 200;
    for (int k = 0; k < count; ++k) {
      const std::uint64_t table =
          inputs <= 3 ? static_cast<std::uint64_t>(k) : random.next_u64() & random.next_u64();
      NetlistBuilder builder("t");
      const auto x = builder.input("X", inputs);
      CellType type{"F", inputs, {table, ~table}};
      const auto y = builder.add_cell(type, x);
      builder.output("Y", y);
      const Netlist netlist = builder.take();
      const TruthPlanes planes = simulate_planes(netlist, x, y);
      for (std::size_t i = 0; i < std::size_t{1} << inputs; ++i) {
        REQUIRE(planes(0, i) == ((table >> i & 1) != 0));
        REQUIRE(planes(1, i) != planes(0, i));
      }
    }
  }
}

TEST_CASE("ports are found by name, and refusals name them") {
  NetlistBuilder builder("m");
  const auto x = builder.input("x", 8);
  const auto y = builder.input("y", 8);
  std::vector<NetId> p;
  for (std::size_t i = 0; i < 8; ++i) p.push_back(builder.and2(x[i], y[i]));
  builder.output("Prod", p);
  const Netlist netlist = builder.take();
  const PortMap map = find_multiplier_ports(netlist);
  CHECK(map.a == "x");
  CHECK(map.b == "y");
  CHECK(map.product == "Prod");
  CHECK_THROWS_WITH_AS(find_multiplier_ports(netlist, {"q", "", ""}), doctest::Contains("\"q\""),
                       InputError);
  CHECK_THROWS_AS(parse_port_map("a=X,c=Y"), UsageError);
  CHECK_THROWS_AS(parse_port_map("a=X,a=Y"), UsageError);
  CHECK_THROWS_AS(simulate(test::array_multiplier(4), OperandType::u8u8), InputError);
}
