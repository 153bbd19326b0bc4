// Against tools that others wrote: Icarus Verilog and Yosys.
#include <cstdlib>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/netlist/circuits.hpp"
#include "netlist/process.hpp"
#include "netlist/random_verilog.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("random netlists agree with Icarus Verilog on all inputs (20 of them)") {
  if (!detail::program_exists("iverilog")) AXMUL_SKIP("needs iverilog");
  test::check_against_iverilog(20, 1);
}

TEST_CASE("behavioural RTL through yosys") {
  if (!yosys_available()) AXMUL_SKIP("needs yosys");
  const test::ScratchDir folder;
  test::write_text(folder / "mul8u_rtl.v",
                   "module mul8u_rtl(input [7:0] a, input [7:0] b, output reg [15:0] p);\n"
                   "always @* begin p = a * b; if (a[7] & b[0]) p = p - 16'd128; end endmodule\n");
  test::write_text(folder / "bad.v", "module bad(input a, output b); assign b = ; endmodule\n");
  NetlistOptions options;
  options.synthesize = true;
  const Multiplier multiplier = read_design_circuit((folder / "mul8u_rtl.v").string(), options);
  CHECK(multiplier.name == "mul8u_rtl");
  CHECK(multiplier.lut == Lut::from_function(OperandType::u8u8, [](int a, int b) {
          return a * b - ((a >> 7 & 1) != 0 && (b & 1) != 0 ? 128 : 0);
        }));
  CHECK(multiplier.provenance.format.starts_with("verilog (yosys "));
  CHECK_THROWS_WITH_AS(read_design_circuit((folder / "bad.v").string(), options),
                       doctest::Contains("syntax error"), InputError);
  options.top = "no; such";
  CHECK_THROWS_AS(read_design_circuit((folder / "mul8u_rtl.v").string(), options), UsageError);
}
