// Every construct of structural Verilog, each against a function worked out by hand.
#include <functional>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/circuits.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

using Function = std::function<unsigned(unsigned a, unsigned b)>;

// Checks O of a module with ports A, B (4 bits each) and O for all 256 input pairs.
void check_netlist(const Netlist& netlist, const Function& f) {
  const Port* a = netlist.find_port("A");
  const Port* b = netlist.find_port("B");
  const Port* o = netlist.find_port("O");
  REQUIRE(a != nullptr);
  REQUIRE(b != nullptr);
  REQUIRE(o != nullptr);
  std::vector<NetId> inputs = b->nets;
  inputs.insert(inputs.end(), a->nets.begin(), a->nets.end());
  const TruthPlanes planes = simulate_planes(netlist, inputs, o->nets);
  const unsigned mask = o->nets.size() >= 32 ? ~0u : (1u << o->nets.size()) - 1;
  const std::size_t b_bits = b->nets.size();
  for (std::size_t i = 0; i < std::size_t{1} << inputs.size(); ++i) {
    unsigned value = 0;
    for (std::size_t k = 0; k < o->nets.size(); ++k) value |= unsigned{planes(k, i)} << k;
    const auto x = static_cast<unsigned>(i >> b_bits);
    const auto y = static_cast<unsigned>(i & ((std::size_t{1} << b_bits) - 1));
    CAPTURE(x);
    CAPTURE(y);
    REQUIRE(value == (f(x, y) & mask));
  }
}

void check(const std::string& text, const Function& f) {
  CAPTURE(text);
  check_netlist(read_verilog_text(text, "m.v"), f);
}

// The same for a body between the usual port declarations; width of O as given.
void check_body(int width, const std::string& body, const Function& f) {
  check("module m(A, B, O); input [3:0] A; input [3:0] B; output [" + std::to_string(width - 1) +
            ":0] O;\n" + body + "\nendmodule\n",
        f);
}

unsigned bit(unsigned x, int i) { return x >> i & 1; }

void check_error(const std::string& text, int id, const std::string& part, std::size_t line) {
  CAPTURE(text);
  try {
    read_verilog_text(text, "foo.v");
    FAIL("no error");
  } catch (const InputError& error) {
    CAPTURE(error.what());
    CHECK(error.id() == id);
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    if (line != 0)
      CHECK(std::string(error.what()).find("foo.v:" + std::to_string(line) + ": ") !=
            std::string::npos);
  }
}

}  // namespace

TEST_CASE("ports: ANSI, non-ANSI, scalars, ascending ranges, redeclared as wires") {
  check("module m(input [3:0] A, input wire [3:0] B, output [3:0] O); assign O = A & ~B; endmodule",
        [](unsigned a, unsigned b) { return a & ~b; });
  check(
      "module m(A, B, O); input [3:0] A, B; output [3:0] O; wire [3:0] O; assign O = A & ~B;\n"
      "endmodule",
      [](unsigned a, unsigned b) { return a & ~b; });
  check(
      "module m(input [0:3] A, input [7:4] B, output [0:3] O); assign O = {A[0], A[3], B[4], "
      "B[7]};\n"
      "endmodule",
      [](unsigned a, unsigned b) {
        return bit(a, 3) << 3 | bit(a, 0) << 2 | bit(b, 0) << 1 | bit(b, 3);
      });
  check("module m(input A, B, output O); assign O = A & ~B; endmodule",
        [](unsigned a, unsigned b) { return a & ~b; });
}

TEST_CASE("operators on whole vectors") {
  check_body(4, "assign O = A & B;", [](unsigned a, unsigned b) { return a & b; });
  check_body(4, "assign O = A | ~B;", [](unsigned a, unsigned b) { return a | ~b; });
  check_body(4, "assign O = A ^ B;", [](unsigned a, unsigned b) { return a ^ b; });
  check_body(4, "assign O = A ^~ B;", [](unsigned a, unsigned b) { return ~(a ^ b); });
  check_body(4, "assign O = A ~^ B;", [](unsigned a, unsigned b) { return ~(a ^ b); });
  check_body(4, "assign O = A[0] ? B : ~B;",
             [](unsigned a, unsigned b) { return bit(a, 0) ? b : ~b; });
  check_body(4, "assign O = A & B | A ^ B & ~A;",  // & before ^ before |
             [](unsigned a, unsigned b) { return (a & b) | (a ^ (b & ~a)); });
  check_body(4, "assign O = A[3] ? A[2] ? A : B : A[1] ? ~A : 4'd5;", [](unsigned a, unsigned b) {
    return bit(a, 3) ? (bit(a, 2) ? a : b) : (bit(a, 1) ? ~a : 5u);
  });
  check_body(4, "assign O = {&A, |A, ^A, ~&B};", [](unsigned a, unsigned b) {
    return unsigned{a == 15} << 3 | unsigned{a != 0} << 2 |
           (bit(a, 0) ^ bit(a, 1) ^ bit(a, 2) ^ bit(a, 3)) << 1 | unsigned{b != 15};
  });
  check_body(4, "assign O = {!A, A && B, A || B, A == B};", [](unsigned a, unsigned b) {
    return unsigned{a == 0} << 3 | unsigned{a != 0 && b != 0} << 2 |
           unsigned{a != 0 || b != 0} << 1 | unsigned{a == b};
  });
  check_body(6, "assign O = {A != B, ~|A} << 1 | B >> 2;", [](unsigned a, unsigned b) {
    return (unsigned{a != b} << 1 | unsigned{a == 0}) << 1 | b >> 2;
  });
}

TEST_CASE("selects, concatenation, replication, sized constants") {
  check_body(4, "assign O = {A[2:1], B[3], 1'b1};",
             [](unsigned a, unsigned b) { return (a >> 1 & 3) << 2 | bit(b, 3) << 1 | 1; });
  check_body(8, "assign O = {{2{A[1:0]}}, {4{B[2]}}};", [](unsigned a, unsigned b) {
    return (a & 3) << 6 | (a & 3) << 4 | (bit(b, 2) ? 15u : 0u);
  });
  check_body(8, "assign {O[7:6], O[0], O[5:1]} = {A, B};", [](unsigned a, unsigned b) {
    const unsigned v = a << 4 | b;
    return (v >> 6) << 6 | (v >> 5 & 1) | (v & 31) << 1;
  });
  check_body(8, "assign O = 8'hA5 ^ {4'b00_11, 4'o7} ^ 8'd129 ^ A;",
             [](unsigned a, unsigned) { return 0xA5u ^ 0x37u ^ 129u ^ a; });
  check_body(8, "assign O = A[1 +: 2] ^ {B[3 -: 3], 2'b0};",
             [](unsigned a, unsigned b) { return (a >> 1 & 3) ^ (b >> 1 & 7) << 2; });
  check_body(5, "assign O = 'h13 ^ A;", [](unsigned a, unsigned) { return 0x13u ^ a; });
  check_body(2, "assign O[1] = A[3], O[0] = B[0];",
             [](unsigned a, unsigned b) { return bit(a, 3) << 1 | bit(b, 0); });
  check_body(4, "assign O[3:2] = A[1:0]; assign O[1:0] = B[3:2];",
             [](unsigned a, unsigned b) { return (a & 3) << 2 | b >> 2; });
}

TEST_CASE("width is determined by the context: sums keep their carry") {
  check_body(5, "assign O = A + B;", [](unsigned a, unsigned b) { return a + b; });
  check_body(5, "wire [3:0] s; assign s = A + B; assign O = s;",
             [](unsigned a, unsigned b) { return (a + b) & 15; });
  check_body(5,
             "wire a,b,c,d,e; assign {e,d,c,b,a} = {A[3],A[2],A[1],A[0]} + {1'b1,B[2:0]};\n"
             "assign O = {e,d,c,b,a};",
             [](unsigned a, unsigned b) { return a + (8 | (b & 7)); });
  check_body(5, "assign O = {A + B};", [](unsigned a, unsigned b) { return (a + b) & 15; });
  check_body(6, "assign O = ~A;", [](unsigned a, unsigned) { return ~a; });
  check_body(6, "assign O = A - B + 1'b1;", [](unsigned a, unsigned b) { return a - b + 1; });
  check_body(2, "assign O = A + B;", [](unsigned a, unsigned b) { return a + b; });
  check(
      "module m(input signed [3:0] A, input signed [3:0] B, output [5:0] O);\n"
      "assign O = A + B; endmodule",
      [](unsigned a, unsigned b) {
        const int x = a < 8 ? static_cast<int>(a) : static_cast<int>(a) - 16;
        const int y = b < 8 ? static_cast<int>(b) : static_cast<int>(b) - 16;
        return static_cast<unsigned>(x + y);
      });
  check(
      "module m(input signed [3:0] A, input [3:0] B, output [5:0] O);\n"
      "assign O = A + B; endmodule",
      [](unsigned a, unsigned b) { return a + b; });
}

TEST_CASE("gate primitives with two and more inputs, several outputs, delays, no names") {
  check_body(6,
             "and g0(O[0], A[0], B[0]); or #1 (O[1], A[0], B[0], A[1]); nand #(1,2) g2(O[2], A[0], "
             "A[1], A[2], B[3]);\n"
             "nor g3(O[3], A[3], B[3]), g4(O[4], A[0], B[1], B[2], A[2], A[1]); xor (O[5], A[0], "
             "A[1], A[2], A[3], B[0]);",
             [](unsigned a, unsigned b) {
               return (bit(a, 0) & bit(b, 0)) | (bit(a, 0) | bit(b, 0) | bit(a, 1)) << 1 |
                      unsigned{!(bit(a, 0) && bit(a, 1) && bit(a, 2) && bit(b, 3))} << 2 |
                      unsigned{!(bit(a, 3) || bit(b, 3))} << 3 |
                      unsigned{(a & 7) == 0 && (b & 6) == 0} << 4 |
                      (bit(a, 0) ^ bit(a, 1) ^ bit(a, 2) ^ bit(a, 3) ^ bit(b, 0)) << 5;
             });
  check_body(4, "xnor (O[0], A[0], B[0], B[1]); not n(O[1], A[1]); buf b(O[2], O[3], B[2]);",
             [](unsigned a, unsigned b) {
               return unsigned{(bit(a, 0) ^ bit(b, 0) ^ bit(b, 1)) == 0} |
                      unsigned{bit(a, 1) == 0} << 1 | bit(b, 2) << 2 | bit(b, 2) << 3;
             });
}

TEST_CASE("instances by name and by position, expressions as actuals, any order of statements") {
  check(
      "module leaf(p, q, y); assign y = t | q; output [3:0] y; input [3:0] p, q; wire [3:0] t = "
      "p;\n"
      "endmodule\n"
      "module m(A, B, O); leaf u0 (.y(t), .q(~A & B & 4'hC), .p(A ^ {2'b00, B[1:0]}));\n"
      "assign O = t; wire [3:0] t; output [3:0] O; input [3:0] A, B; endmodule",
      [](unsigned a, unsigned b) { return (a ^ (b & 3)) | (~a & b & 12); });
  check(
      "module m(input [3:0] A, input [3:0] B, output [7:0] O);\n"
      "leaf u0 (A, B[0], O[3:0]), u1 (B, A[0], O[7:4]); endmodule\n"
      "module leaf(input [3:0] x, input s, output [3:0] y); assign y = x ^ {4{s}}; endmodule",
      [](unsigned a, unsigned b) {
        return (a ^ (bit(b, 0) ? 15u : 0u)) | ((b ^ (bit(a, 0) ? 15u : 0u)) & 15) << 4;
      });
  // Open output, unequal widths (the usual extension and truncation), nested modules, a hierarchy
  // that reads its own output port.
  check(
      "module m(input [3:0] A, input [3:0] B, output [3:0] O); wire u;\n"
      "mid k (.a(A), .b(B), .unused(), .o(O)); endmodule\n"
      "module mid(input [5:0] a, input [1:0] b, output unused, output [3:0] o);\n"
      "assign unused = a[5]; leaf l(a[3:0], b, o); endmodule\n"
      "module leaf(input [3:0] a, input [1:0] b, output [3:0] o);\n"
      "assign o[0] = a[0] & b[1]; assign o[1] = ~o[0]; assign o[3:2] = {o[1], a[3]}; endmodule",
      [](unsigned a, unsigned b) {
        const unsigned o0 = bit(a, 0) & bit(b, 1);
        return o0 | (o0 ^ 1) << 1 | bit(a, 3) << 2 | (o0 ^ 1) << 3;
      });
}

TEST_CASE("built-in cells under their FreePDK45 and PDKGEN names") {
  check_body(8,
             "FAX1 f(.A(A[0]), .B(B[0]), .C(A[1]), .YS(O[0]), .YC(O[1]));\n"
             "HAX1 h(A[2], B[2], O[2], O[3]); PDKGENFAX1 g(A[3], B[3], 1'b1, O[4], O[5]);\n"
             "PDKGEPDKGENNAND2X1 i(.A(A[0]), .B(B[1]), .Y(O[6])); NPDKGEPDKGENNAND2X1 j(.A(A[0]), "
             ".B(B[1]), .Y(O[7]));",
             [](unsigned a, unsigned b) {
               const unsigned f = bit(a, 0) + bit(b, 0) + bit(a, 1), h = bit(a, 2) + bit(b, 2),
                              g = bit(a, 3) + bit(b, 3) + 1;
               return f | h << 2 | g << 4 | (a & b >> 1 & 1) << 6 | (~(a & b >> 1) & 1) << 7;
             });
  check_body(8,
             "AND2X1 a(.A(A[0]),.B(B[0]),.Y(O[0])); NAND2X1 b(.A(A[0]),.B(B[0]),.Y(O[1]));\n"
             "NOR2X1 c(.A(A[1]),.B(B[1]),.Y(O[2])); XOR2X1 d(.A(A[1]),.B(B[1]),.Y(O[3]));\n"
             "XNOR2X1 e(.A(A[2]),.B(B[2]),.Y(O[4])); INVX8 f(.A(A[3]),.Y(O[5]));\n"
             "BUFX2 g(.A(B[3]),.Y(O[6])); OR2X2 h(.A(A[3]),.B(B[3]),.Y(O[7]));",
             [](unsigned a, unsigned b) {
               return (a & b & 1) | (~(a & b) & 1) << 1 | (~(a | b) >> 1 & 1) << 2 |
                      ((a ^ b) >> 1 & 1) << 3 | (~(a ^ b) >> 2 & 1) << 4 | (~a >> 3 & 1) << 5 |
                      bit(b, 3) << 6 | ((a | b) >> 3 & 1) << 7;
             });
  check_body(6,
             "AOI21X1 a(A[0],A[1],B[0],O[0]); OAI21X1 b(A[0],A[1],B[0],O[1]);\n"
             "AOI22X1 c(A[0],A[1],B[0],B[1],O[2]); OAI22X1 d(A[0],A[1],B[0],B[1],O[3]);\n"
             "MUX2X1 e(.A(A[2]),.B(A[3]),.S(B[2]),.Y(O[4])); NAND3X1 f(A[0],A[1],A[2],O[5]);",
             [](unsigned a, unsigned b) {
               const unsigned p = bit(a, 0), q = bit(a, 1), r = bit(b, 0), s = bit(b, 1);
               return ((p & q) | r ? 0u : 1u) | ((p | q) & r ? 0u : 2u) |
                      ((p & q) | (r & s) ? 0u : 4u) | ((p | q) & (r | s) ? 0u : 8u) |
                      (bit(b, 2) ? bit(a, 3) : bit(a, 2)) << 4 | ((a & 7) == 7 ? 0u : 32u);
             });
}

TEST_CASE("a file's own definition of a cell wins over the built-in one") {
  check_body(1,
             "AND2X1 a(.A(A[0]),.B(B[0]),.Y(O[0])); endmodule\n"
             "module AND2X1(input A, input B, output Y); assign Y = A | B;",
             [](unsigned a, unsigned b) { return (a | b) & 1; });
  // Defined as the built-in one means it, it is that cell.
  const Netlist netlist = read_verilog_text(
      "module m(input A, input B, output O, output P); PDKGENHAX1 a(.A(A),.B(B),.YS(O),.YC(P)); "
      "endmodule\n"
      "module PDKGENHAX1(input A, input B, output YS, output YC); assign YS = A ^ B; assign YC = A "
      "& B;\n"
      "endmodule",
      "m.v");
  REQUIRE(netlist.cells.size() == 1);
  CHECK(netlist.types[netlist.cells[0].type].name == "HAX1");
}

TEST_CASE("directives, attributes, specify blocks, comments, escaped names, supplies, parameters") {
  check(
      "`timescale 1ns/10ps\n`celldefine\n(* keep = \"yes\" *) module m /* ports */ (A, B, O);\n"
      "input [3:0] A; input [3:0] B; output [N-1:0] O; // widths\n parameter N = 4; localparam M = "
      "N / 2;\n"
      "supply1 vdd; supply0 gnd; wire \\t[0] ; assign \\t[0] = A[M] & vdd | gnd;\n"
      "assign O = {3'b101, \\t[0] };\n"
      "specify specparam t$A = 0.1:0.2:0.3; (A *> O) = (t$A, t$A); "
      "endspecify\nendmodule\n`endcelldefine\n",
      [](unsigned a, unsigned) { return 10u | bit(a, 2); });
}

TEST_CASE("user-defined primitives") {
  check(
      "module m(input [3:0] A, input [3:0] B, output O); mux u(O, A[0], A[1], B[0]); endmodule\n"
      "primitive mux(out, in0, in1, sel); output out; input in0, in1, sel;\n"
      "table // in0 in1 sel : out\n 1 ? 0 : 1 ;\n 0 ? 0 : 0 ;\n ? 1 1 : 1 ;\n ? 0 1 : 0 ;\n"
      " 0 0 x : 0 ;\n 1 1 x : 1 ;\nendtable endprimitive",
      [](unsigned a, unsigned b) { return bit(b, 0) ? bit(a, 1) : bit(a, 0); });
}

TEST_CASE("the top module: file name, else the only root, else the option") {
  const std::string two =
      "module foo(input A, output O); assign O = A; endmodule\n"
      "module bar(input A, output O); assign O = ~A; endmodule\n";
  CHECK(read_verilog_text(two, "dir/foo.v").name == "foo");
  CHECK(read_verilog_text(two, "dir/bar_pdk45.v").name == "bar");
  NetlistOptions options;
  options.top = "bar";
  CHECK(read_verilog_text(two, "dir/foo.v", options).name == "bar");
  CHECK_THROWS_WITH_AS(read_verilog_text(two, "x.v"), doctest::Contains("--top"), InputError);
  CHECK(read_verilog_text("module leaf(input A, output O); assign O = A; endmodule\n"
                          "module root(input A, output O); leaf l(A, O); endmodule",
                          "x.v")
            .name == "root");
  CHECK(read_verilog_text(
            "module PDKGENNAND2X1(input A, input B, output Y); assign Y = ~(A & B); endmodule\n"
            "module root(input A, output O); assign O = A; endmodule",
            "x.v")
            .name == "root");
}

TEST_CASE("errors name file, line, the culprit and what would mend it") {
  check_error("module foo(input A, output O);\n\nXOR3X9 u(.A(A), .Y(O));\nendmodule", 203,
              "\"XOR3X9\"", 3);
  check_error("module foo(input A, output O);\nassign O = A &\n; endmodule", 201, "\";\"", 3);
  check_error("module foo(input A, output O); wire t;\nassign O = A & t; endmodule", 206, "\"t\"",
              2);
  check_error("module foo(input A, output [1:0] O);\nassign O[0] = A; endmodule", 206, "O[1]", 1);
  check_error("module foo(input A, output O);\nwire t;\nassign O = t; endmodule", 206, "\"t\"", 3);
  check_error("module foo(input A, output O);\nassign O = A;\nassign O = ~A; endmodule", 207,
              "\"O\"", 3);
  check_error("module foo(input A, output O);\nassign A = 1'b1; assign O = A; endmodule", 207,
              "\"A\"", 2);
  check_error(
      "module foo(input A, output O); wire x, y;\nassign x = y & A;\nassign y = x | A; assign O = "
      "y; endmodule",
      208, "\"x\"", 0);
  check_error("module foo(input A, output O);\nassign O = O; endmodule", 208, "\"O\"", 2);
  check_error("module foo(input [3:0] A, output O);\nassign O = A[4]; endmodule", 209, "A[4]", 2);
  check_error("module foo(input A, output reg O);\nalways @(A) O = A; endmodule", 202, "always", 2);
  check_error("module foo(input A, output O);\nassign O = 1'bx; endmodule", 212, "1'bx", 2);
  check_error("module foo(input A, output O); wire A2;\nwire A2; endmodule", 213, "\"A2\"", 2);
  check_error(
      "module foo(input A, output O); b u(.A(A), .Q(O)); endmodule\n"
      "module b(input A, output O); assign O = A; endmodule",
      205, "\"Q\"", 1);
  check_error(
      "module foo(input A, output O);\nb u(A, O, A); endmodule\n"
      "module b(input A, output O); assign O = A; endmodule",
      205, "3 connections to 2 ports", 2);
  check_error("module foo(input A, output O);\nfoo u(A, O); endmodule", 210, "instantiate itself",
              1);
  check_error("module foo(input A, output O);\nassign O = A;", 201, "endmodule", 2);
  check_error("", 204, "no module", 0);
  check_error("module foo(A, O); input A;\nassign O = A; endmodule", 201,
              "neither input nor output", 1);
  check_error("module foo(input A, output O);\nassign O = A & `X; endmodule", 215, "--define X", 2);
  check_error("module foo(input A, output O);\nassign O = A > 1; endmodule", 202, "--synthesize",
              2);
  check_error(
      "module foo(input [7:0] A, input [7:0] B, output [15:0] O);\nassign O = A * B; endmodule",
      202, "--synthesize", 2);
  check_error("module foo(input A, output O); assign O = " + std::string(600, '(') + "A", 210,
              "nests", 1);
  std::string chain = "module foo(input A, output O); assign O = A";
  for (int i = 0; i < 3000; ++i) chain += "&A";
  check_error(chain + "; endmodule", 210, "nests", 1);
  check_error("module foo(input A, output [1:0] O); assign O = {100000{{100000{A}}}}; endmodule",
              210, "bits", 1);
}

TEST_CASE("dead logic does not matter, even when its inputs float") {
  check(
      "module m(input A, input B, output O); wire dead, floating; assign dead = A & floating;\n"
      "assign O = A & ~B; endmodule",
      [](unsigned a, unsigned b) { return a & ~b; });
}

TEST_CASE("what the writer writes, the reader reads") {
  for (const Netlist& netlist : {test::array_multiplier(8), test::asymmetric_netlist()}) {
    const Netlist again = read_verilog_text(to_verilog(netlist), netlist.name + ".v");
    CHECK(simulate(again, OperandType::u8u8) == simulate(netlist, OperandType::u8u8));
  }
}
