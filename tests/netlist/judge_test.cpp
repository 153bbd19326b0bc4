// The judge: how it reads its tools, and, where they are installed, what it says of small circuits.
#include "axmul/netlist/judge.hpp"

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/netlist/energy_model.hpp"
#include "netlist/circuits.hpp"
#include "netlist/judge_text.hpp"
#include "netlist/process.hpp"
#include "support/error_id.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::error_id;

TEST_CASE("delays, powers, slacks and areas are read from what the tools print") {
  const auto delays = detail::read_sdf(
      "(DELAYFILE (CELL (CELLTYPE \"NAND2X1\")\n (INSTANCE _1_)\n (DELAY (ABSOLUTE\n"
      "  (IOPATH A Y (0.1000::0.1200) (0.0400::0.0600))\n"
      "  (IOPATH B Y (0.2000::0.2400) (0.0800::0.1000)))))\n"
      " (CELL (CELLTYPE \"INVX1\") (INSTANCE _2_) (DELAY (ABSOLUTE (IOPATH A Y (0.05::0.07) "
      "(0.03::0.03))))))");
  REQUIRE(delays.size() == 2);
  CHECK(delays.at("_1_").rise == doctest::Approx(180));  // ps, the mean of the slow ones
  CHECK(delays.at("_1_").fall == doctest::Approx(80));
  CHECK(delays.at("_2_").rise == doctest::Approx(70));
  const std::vector<detail::MappedCell> cells{{"_346_", "XOR2X1"}};
  const auto powers = detail::read_powers(
      "Internal Switching\n 2.193448e-06 6.828802e-07 6.031189e-11 2.876388e-06 _346_\n", cells);
  CHECK(powers.at("_346_").internal_w == 2.193448e-06);
  CHECK(powers.at("_346_").switching_w == 6.828802e-07);
  CHECK(error_id([&] { detail::read_powers("nothing", cells); }) == 724);
  CHECK(detail::worst_slack("O[14] (output)      10.00    2.85    7.15 (MET)\n") == 7.15);
  CHECK(error_id([] { detail::worst_slack("no paths"); }) == 724);
  CHECK(detail::number_after("Chip area: 12.5\nChip area: 13047.000\n", "Chip area:") == 13047);
}

TEST_CASE("OpenSTA is not given assignments, whatever their length") {
  CHECK(detail::without_assignments("module m;\n  wire a;\n  assign b = { a,\n    a };\n  INV x (\n"
                                    "    .A(a)\n  );\nendmodule\n") ==
        "module m;\n  wire a;\n  INV x (\n    .A(a)\n  );\nendmodule\n");
}

TEST_CASE("independent pairs are one run, ordered ones a step before each change") {
  OperandPairs pairs{{1, 2, 3}, {4, 5, 6}, {}, {}};
  const auto run = detail::stimulus(pairs, 100, 8, 8);
  CHECK(run.text == "104\n10205\n10306\n");  // "0 01 04" without its zeros, then counted ones
  CHECK(run.changes == 2);
  pairs.next_a = {7, 8, 9};
  pairs.next_b = pairs.b;
  const auto steps = detail::stimulus(pairs, 100, 8, 8);
  CHECK(steps.lines == 6);
  CHECK(steps.changes == 3);
  CHECK(steps.text.starts_with("104\n10704\n"));
}
