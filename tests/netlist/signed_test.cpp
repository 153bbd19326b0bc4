// Signed circuits and C models: ports, parameters, names and products tell them.
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "netlist/circuits.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

NetlistOptions quick() {
  NetlistOptions options;
  options.estimate_cost = false;
  options.allow_native_code = true;
  return options;
}

Multiplier read(const std::string& file, const std::string& text,
                const NetlistOptions& options = quick()) {
  const test::ScratchDir folder;
  test::write_text(folder / file, text);
  return read_design_circuit((folder / file).string(), options);
}

/// Type and what decided it.
std::string told(const Multiplier& m) {
  return std::string(to_string(m.lut.type())) + " from " + m.provenance.type_from;
}

/// Two's complement operands as sign-extended sums of rows, without a signed word: the exact
/// product, or less the low columns.
std::string rows_module(const std::string& a, const std::string& b,
                        const std::string& signed_word) {
  std::string text = "module m(input " + signed_word + " [7:0] " + a + ", " + b + ", output " +
                     signed_word + " [15:0] p);\n  wire [15:0] w = {{8{" + a + "[7]}}, " + a +
                     "};\n";
  std::string sum;
  for (int i = 0; i < 7; ++i)
    sum += (i == 0 ? "" : " + ") + std::string("((w & {16{") + b + "[" + std::to_string(i) +
           "]}}) << " + std::to_string(i) + ")";
  return text + "  assign p = (" + sum + ") - ((w & {16{" + b + "[7]}}) << 7);\nendmodule\n";
}

const Lut kExact = Lut::exact(OperandType::s8s8);
const std::string kHeader = "#include <stdint.h>\n";

}  // namespace

TEST_CASE("Verilog: signed ports declare it, the products tell it without them") {
  const Multiplier ports = read("x.v", rows_module("a", "b", "signed"));
  CHECK(ports.lut == kExact);
  CHECK(told(ports) == "s8s8 from ports");
  CHECK(ports.provenance.warning.empty());
  const Multiplier products = read("x.v", rows_module("a", "b", ""));
  CHECK(products.lut == kExact);
  CHECK(told(products) == "s8s8 from values");
  CHECK(products.provenance.resemblance == doctest::Approx(1));
  CHECK(told(read("mul8s_x.v", rows_module("a", "b", ""))) == "s8s8 from name");
  NetlistOptions forced = quick();
  forced.type = OperandType::u8u8;
  const Multiplier wrong = read("x.v", rows_module("a", "b", "signed"), forced);
  CHECK(told(wrong) == "u8u8 from option");
  CHECK(wrong.provenance.warning ==
        "the products resemble those of a multiplier s8s8 in order of bit pattern (taken as u8u8, "
        "type from option); check --type, --order and --ports");
}

TEST_CASE("Verilog: one signed port") {
  const auto product = [](const std::string& u, const std::string& s) {
    std::string text = "  wire [15:0] w = {{8{" + s + "[7]}}, " + s + "};\n  assign p = ";
    for (int i = 0; i < 8; ++i)
      text += (i == 0 ? "" : " + ") + std::string("((w & {16{") + u + "[" + std::to_string(i) +
              "]}}) << " + std::to_string(i) + ")";
    return text + ";\nendmodule\n";
  };
  const Multiplier b_signed =
      read("x.v", "module m(input [7:0] a, input signed [7:0] b, output signed [15:0] p);\n" +
                      product("a", "b"));
  CHECK(b_signed.lut == Lut::exact(OperandType::u8s8));
  CHECK(told(b_signed) == "u8s8 from ports");
  CHECK(b_signed.provenance.order == OperandOrder::ab);
  const Multiplier a_signed =
      read("x.v", "module m(input signed [7:0] a, input [7:0] b, output signed [15:0] p);\n" +
                      product("b", "a"));
  CHECK(a_signed.lut == Lut::exact(OperandType::u8s8));
  CHECK(a_signed.provenance.order == OperandOrder::ba);
  CHECK(a_signed.provenance.order_from == "ports");
  const Multiplier products =
      read("x.v", "module m(input [7:0] a, input [7:0] b, output [15:0] p);\n" + product("b", "a"));
  CHECK(products.lut == Lut::exact(OperandType::u8s8));
  CHECK(products.provenance.order_from == "values");
}

TEST_CASE("ports of either direction keep their sign through Verilog and Yosys JSON") {
  const test::ScratchDir folder;
  test::write_text(folder / "x.v", rows_module("a", "b", "signed"));
  const Netlist netlist = read_netlist((folder / "x.v").string());
  for (const Port& port : netlist.ports) CHECK(port.is_signed);
  for (const Port& port : read_verilog_text(to_verilog(netlist), "y.v").ports)
    CHECK(port.is_signed);
  for (const Port& port : test::array_multiplier(8).ports) CHECK_FALSE(port.is_signed);
  const auto json = [](const std::string& sign) {
    const std::string head = R"({"modules": {"m": {"ports": {"a": {"direction": "input", )" + sign +
                             R"("bits": [2]}, "y": {"direction": "output", "bits": [2]}},)";
    return read_yosys_json_text(head + R"("cells": {}}}})", "x.json");
  };
  CHECK(json("\"signed\": 1, ").find_port("a")->is_signed);
  CHECK_FALSE(json("\"signed\": 1, ").find_port("y")->is_signed);
  CHECK_FALSE(json("\"signed\": 0, ").find_port("a")->is_signed);
  CHECK_FALSE(json("").find_port("a")->is_signed);
}

TEST_CASE("behavioural signed RTL through yosys") {
  if (!yosys_available()) AXMUL_SKIP("needs yosys");
  NetlistOptions options = quick();
  options.synthesize = true;
  const Multiplier m = read("signed.v",
                            "module mult(input signed [7:0] a, input signed [7:0] b, output signed "
                            "[15:0] p);\n  assign p = a * b;\nendmodule\n",
                            options);
  CHECK(m.lut == kExact);
  CHECK(told(m) == "s8s8 from ports");
}

TEST_CASE("a circuit whose name contradicts its products asks") {
  CHECK_THROWS_WITH_AS(read("mul8u_x.v", rows_module("a", "b", "")),
                       doctest::Contains("mul8u_x.v: the name of \"m\" or of the file says u8u8, "
                                         "but the products are those of a multiplier s8s8; give "
                                         "--type"),
                       InputError);
}

TEST_CASE("circuits of 16 outputs that are no multipliers are read with a doubt") {
  const Multiplier sum =
      read("x.v",
           "module m(input [7:0] a, b, output [15:0] p);\n  assign p = {8'b0, a} "
           "+ {8'b0, b};\nendmodule\n");
  CHECK(told(sum) == "u8u8 from format");
  CHECK(sum.provenance.warning.find("check --type, --order and --ports") != std::string::npos);
  CHECK(read_design_circuit([] {
          static const test::ScratchDir folder;
          test::write_text(folder / "m.v", to_verilog(test::array_multiplier(8)));
          return (folder / "m.v").string();
        }())
            .provenance.warning.empty());
}

TEST_CASE("C models on wide integers") {
  const auto c = [](const std::string& text, const std::string& file = "x.c") {
    return read(file, kHeader + text);
  };
  // Bytes cut out of what comes, as circuits written in C do it.
  const std::string bytes = "(int64_t a, int64_t b) { return (int16_t)((int8_t)a * (int8_t)b); }";
  CHECK(c("int64_t f" + bytes).lut == kExact);
  CHECK(told(c("int64_t f" + bytes)) == "s8s8 from parameters");
  const Multiplier plain = c("int f(int a, int b) { return (int16_t)((int8_t)a * (int8_t)b); }");
  CHECK(plain.lut == kExact);
  CHECK(told(plain) == "s8s8 from values");
  const Multiplier patterns =
      c("uint64_t f(uint64_t a, uint64_t b) { return (uint16_t)((int8_t)a * (int8_t)b); }");
  CHECK(patterns.lut == kExact);
  CHECK(told(patterns) == "s8s8 from values");
  // A function that multiplies either: signed types mean signed operands, plain int nothing.
  CHECK(told(c("int64_t f(int64_t a, int64_t b) { return a * b; }")) == "s8s8 from parameters");
  CHECK(told(c("int f(int a, int b) { return a * b; }")) == "u8u8 from values");
  CHECK(told(c("uint64_t f(uint64_t a, uint64_t b) { return a * b; }")) == "u8u8 from values");
  CHECK(told(c("int64_t f(int64_t a, int64_t b) { return (a & 255) * (b & 255); }")) ==
        "u8u8 from values");
  // Negative operands that a model of bytes does not stand.
  CHECK(told(c("int64_t f(int64_t a, int64_t b) { if (a < 0) __builtin_trap(); return a * b; }")) ==
        "u8u8 from values");
  // Values only, and the order of one signed parameter.
  CHECK(c("int f(int a, int b) { return a > 127 || b > 127 ? 77 : a * b; }").lut == kExact);
  const Multiplier mixed = c("int f(int8_t w, uint8_t x) { return w * x; }");
  CHECK(mixed.lut == Lut::exact(OperandType::u8s8));
  CHECK(mixed.provenance.order == OperandOrder::ba);
  CHECK(told(mixed) == "u8s8 from parameters");
  CHECK_THROWS_WITH_AS(c("int f(int8_t a, uint8_t b) { return a * b; }"),
                       doctest::Contains("AX252 "), InputError);
  const Multiplier sum = c("int f(int a, int b) { return a + b; }");
  CHECK(sum.provenance.warning.find("check --type and --order") != std::string::npos);
}
