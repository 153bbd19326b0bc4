// Two seconds of mutants at each reader; fuzz_slow_test.cpp gives them a minute.
#include "netlist/fuzz_targets.hpp"

TEST_CASE("the Verilog reader survives mutants") { axmul::test::fuzz_verilog(2); }
TEST_CASE("the Liberty reader survives mutants") { axmul::test::fuzz_liberty(2); }
TEST_CASE("the BLIF reader survives mutants") { axmul::test::fuzz_blif(2); }
TEST_CASE("the Yosys JSON reader survives mutants") { axmul::test::fuzz_json(2); }
TEST_CASE("the scanner of C models and headers survives mutants") { axmul::test::fuzz_c(2); }
TEST_CASE("the preprocessor and what stands on it survive mutants") { axmul::test::fuzz_files(2); }
TEST_CASE("the readers of AIGER and CGP survive mutants") { axmul::test::fuzz_graphs(2); }
