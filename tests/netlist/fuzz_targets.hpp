// Corpora and targets for fuzzing the circuit readers.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/c_model.hpp"
#include "netlist/notations.hpp"
#include "netlist/verilog/preprocess.hpp"
#include "support/fuzz.hpp"

namespace axmul::test {

inline NetlistOptions fuzz_limits() {
  NetlistOptions options;
  options.max_cells = 1 << 20;
  return options;
}

inline FuzzOptions fuzz_options(double seconds, std::vector<std::string> dictionary) {
  FuzzOptions options;
  options.seconds = seconds;
  options.dictionary = std::move(dictionary);
  return options;
}

inline const char* small_verilog() {
  return "`timescale 1ns/1ps\nmodule m #(parameter N = 3) (input signed [N:0] A, input [0:3] B, "
         "output [7:0] O);\n"
         "wire [3:0] t = A + B; wire x, \\y[0] ; supply1 one;\nFAX1 u(.A(A[0]), .B(B[1]), .C(one), "
         ".YS(x), .YC(\\y[0] ));\n"
         "leaf l(t[1:0], O[0]); prim p(O[1], A[1], B[0]); nand #1 g(O[2], x, \\y[0] , A[2]);\n"
         "assign {O[7], O[6:3]} = A[0] ? {2{t[1:0]}} - 5'h1f : ~(A ^ B) << 1; endmodule\n"
         "module leaf(a, y); input [1:0] a; output y; assign y = ^a; specify (a *> y) = 1; "
         "endspecify endmodule\n"
         "primitive prim(o, a, b); output o; input a, b; table 0 ? : 0; 1 0 : 1; 1 1 : 0; endtable "
         "endprimitive\n";
}

inline void fuzz_verilog(double seconds) {
  fuzz(
      "verilog",
      {small_verilog(), assigns_verilog(3, false), primitives_verilog(3, true),
       cells_verilog(2, true)},
      [](const std::string& text) { read_verilog_text(text, "m.v", fuzz_limits()); },
      fuzz_options(
          seconds,
          {"assign ", "{",    "}",   "[1:0]",          "{4{",        "endmodule", "module m2(",
           "wire ",   "1'b1", "'hz", "parameter P = ", " ? ",        "input ",    ".A(",
           "FAX1 ",   "/*",   "(*",  "`celldefine",    "primitive ", "endtable",  "[99999999:0]"}));
}

/// Conditions, macros, FPGA primitives, parameters of instances, behaviour between structure.
inline void fuzz_files(double seconds) {
  fuzz(
      "verilog-files",
      {"`define W(x, y = 1) x``_n + y\n`ifdef A\nrubbish\n`elsif B\n`else\n`define N 3\n`endif\n"
       "module m(\\a[0] , \\a[1] , b0, b1, inout VDD, output \\p[0] , output [`N:0] q);\n"
       "LUT6_2 #(.INIT(64'h8)) l(.O6(q[0]), .O5(q[1]), .I0(b0), .I5(1'b1), .VDD(VDD));\n"
       "CARRY4 c(.CI(b1), .DI({b0, b1}), .S(4'h3), .O(q), .CO());\n"
       "part #(.W(2), .T(`N)) u({b1, b0}, q[3:2]); assign \\p[0] = 4'h8 >> {b0, b1}; endmodule\n"
       "module part #(parameter W = 1, T = 0)(input [W-1:0] x, output [1:0] z); assign z = x << "
       "T;\n"
       "endmodule\nmodule other(input a, output o); always @* o = a > 1; endmodule\n"},
      [](const std::string& text) {
        NetlistOptions options = fuzz_limits();
        options.parameters = {{"W", "3"}};
        options.top = text.size() % 2 == 0 ? "m" : "part";
        if (options.top == "m") options.parameters.clear();
        read_verilog_text(detail::preprocess_verilog(text, "m.v", {.max_bytes = 1 << 20}), "m.v",
                          options);
      },
      fuzz_options(seconds, {"`ifdef ", "`else", "`endif", "`define X `X`X ", "`undef ", "`W(",
                             "``", "`include \"m.v\"", "#(.INIT(", ">> {", "inout ", "SB_LUT4 ",
                             "'h", "\\\n", "64'hffffffffffffffff", " > ", ".*", "typedef "}));
}

inline void fuzz_graphs(double seconds) {
  fuzz(
      "aiger-cgp",
      {"aag 3 2 0 1 1\n2\n4\n7\n6 4 2\ni0 a[0]\ni1 b[0]\no0 p[0]\nc\n",
       std::string("aig 3 2 0 1 1\n6\n\x02\x02", 18), "{4,2,1,2,2,1,0}([6]2,3,2)([7]6,1,4)(6,7)"},
      [](const std::string& text) {
        read_aiger_text(text.starts_with("{") ? "aag " + text : text, "m.aag", fuzz_limits());
      },
      fuzz_options(seconds / 2, {"aag ", "aig ", "99999999999999999999", " 0", "\n", "\xff\xff"}));
  fuzz(
      "cgp", {"{4,2,1,2,2,1,0}([6]2,3,2)([7]6,1,4)(6,7)", "{2,1}([2]0,1,9)(2)"},
      [](const std::string& text) { read_cgp_text(text, "m.cgp", fuzz_limits()); },
      fuzz_options(seconds / 2, {"([", "]", ",", "{16,16", ")(", "4294967296", "#"}));
}

inline void fuzz_liberty(double seconds) {
  fuzz(
      "liberty",
      {"library(l) { capacitive_load_unit (1,pf); cell (A) { area : 2; pin(x) { direction : input; "
       "capacitance : 0.1; }\n"
       "pin(y) { direction : output; function : \"(x' + !x) & 1\"; timing() { values (\"1, 2\"); } "
       "} }\n"
       "cell(D) { ff(q, n) { } pin(d) { direction : input; } } }\n"},
      [](const std::string& text) { CellLibrary().add_liberty_text(text, "x.lib"); },
      fuzz_options(seconds, {"cell(B) {", "pin(z) {", "function : \"", "(((", "!", "'", "^", "}",
                             "area : ", "direction : output;", "/*"}));
}

inline void fuzz_blif(double seconds) {
  fuzz(
      "blif",
      {blif(2, true), blif(3, false),
       ".model m\n.inputs a b\n.outputs o\n.subckt n x=a y=o\n.gate AND2X1 A=a B=b Y=t\n.end\n"
       ".model n\n.inputs x\n.outputs y\n.names x y\n0 1\n.conn x z\n.end\n"},
      [](const std::string& text) { read_blif_text(text, "m.blif", fuzz_limits()); },
      fuzz_options(seconds, {".names ", ".model ", ".subckt ", ".latch ", "\\\n", "1-0 1\n",
                             ".conn ", ".end\n", "A[7]", "#"}));
}

inline void fuzz_json(double seconds) {
  fuzz(
      "yosys-json", {yosys_json(2, true), yosys_json(3, false)},
      [](const std::string& text) { read_yosys_json_text(text, "m.json", fuzz_limits()); },
      fuzz_options(seconds, {"\"$mux\"", "\"x\"", "[[", "{}", "null", "-1", "\"type\":", "\"$add\"",
                             "\"bits\":[", "1e999"}));
}

inline void fuzz_c(double seconds) {
  fuzz(
      "c-model",
      {c_model(2, true, "B", "A"),
       "// MAE% = 0.5 %\n/// WCE = 1e3\nint16_t f(int8_t a, const int8_t b) { return \"}\"[a]; "
       "}\n"},
      [](const std::string& text) {
        const PublishedFigures figures = read_published_figures(text);
        published_cost(figures, OperandType::s8s8);
        static const Lut exact = Lut::exact(OperandType::u8u8);
        static int turn = 0;
        if (++turn % 64 == 0) verify_published(figures.text, exact);
        detail::find_c_model(text, "m.c");
      },
      fuzz_options(seconds, {"// MSE = 1", "/*", "*/", "\"", "'", "{", "}", "uint8_t ", "(",
                             "#define x \\\n", "// A = nan", "1e-400", "e+", "extern \"C\" {",
                             "std::", "noexcept", "f(a, b, 2)"}));
}

}  // namespace axmul::test
