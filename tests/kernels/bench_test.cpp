// The benchmark runs, verifies what it times, and reports ratios that fit together.
#include "axmul/kernels/bench.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a benchmark reports every table on every shape") {
  BenchOptions o;
  o.shapes = {{70, 30, 16}, {9, 5, 3}};
  o.luts = {{"u", test::random_lut(OperandType::u8u8, 1)}, {"s", Lut::exact(OperandType::s8s8)}};
  o.min_seconds = 0;
  const BenchReport report = run_bench(o);
  REQUIRE(report.results.size() == 4);
  CHECK(report.clock_ghz > 0.1);
  CHECK(report.results[1].shape.k == 5);
  CHECK(report.results[2].lut == "s");
  for (const BenchResult& r : report.results) {
    CHECK(r.rounds >= 5);
    CHECK(r.mac_per_second > 0);
    CHECK(r.mac_per_cycle == doctest::Approx(r.mac_per_second / report.clock_ghz * 1e-9));
    CHECK(r.ratio_to.triple_loop > 0);
    CHECK(std::isnan(r.ratio_to.sgemm) == report.sgemm_library.empty());
    CHECK(std::isnan(r.ratio_to.int8) == report.int8_library.empty());
  }
}

TEST_CASE("a forced kernel is the one measured; options are checked") {
  BenchOptions o;
  o.shapes = {{70, 30, 16}};
  o.luts = {{"u", test::random_lut(OperandType::u8u8, 1)}};
  o.min_seconds = 0;
  o.yardsticks = false;
  o.kernel = "column_vector";
  const BenchReport report = run_bench(o);
  CHECK(report.results.at(0).kernel == "column_vector");
  CHECK(std::isnan(report.results.at(0).ratio_to.triple_loop));
  o.levels = 1;
  CHECK_THROWS_AS(run_bench(o), UsageError);
  o.levels = 256;
  o.shapes = {{0, 1, 1}};
  CHECK_THROWS_AS(run_bench(o), UsageError);
}
