// Corpora and targets for fuzzing the circuit readers.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/c_model.hpp"
#include "netlist/notations.hpp"
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
                             "#define x \\\n", "// A = nan", "1e-400", "e+"}));
}

}  // namespace axmul::test
