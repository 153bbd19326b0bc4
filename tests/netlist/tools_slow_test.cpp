// 200 random netlists against Icarus Verilog.
#include "netlist/process.hpp"
#include "netlist/random_verilog.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("random netlists agree with Icarus Verilog on all inputs (200 of them)") {
  if (!detail::program_exists("iverilog")) AXMUL_SKIP("needs iverilog");
  test::check_against_iverilog(200, 1000);
}
