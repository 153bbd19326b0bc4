// The benchmark runs, verifies what it times, and its figures hold what the rounds say: medians of
// ratios within rounds, spreads, and the word "disturbed".
#include "axmul/kernels/bench.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "kernels/bench/bench_rounds.hpp"
#include "support/support.hpp"

using namespace axmul;
using detail::Turns;

namespace {

BenchOptions small() {
  BenchOptions o;
  o.shapes = {{70, 30, 16}, {9, 5, 3}};
  o.luts = {{"u", test::random_lut(OperandType::u8u8, 1)}, {"s", Lut::exact(OperandType::s8s8)}};
  o.min_seconds = 0;
  return o;
}

/// Two contestants, ours three times as fast, under a load that slows rounds down, both alike but
/// for noise of a few percent.
template <class Load>
std::pair<Turns, Turns> rounds_under(Load&& load, int rounds, std::uint64_t seed) {
  Philox random(seed);
  const auto noise = [&] { return 1 + 0.04 * (random.next_double() - 0.5); };
  std::pair<Turns, Turns> turns{{3e9, {}}, {1e9, {}}};
  for (int round = 0; round < rounds; ++round) {
    const double slow = load(round);
    turns.first.seconds.push_back(slow * noise());
    turns.second.seconds.push_back(slow * noise());
  }
  return turns;
}

BenchResult judged(const std::pair<Turns, Turns>& turns) {
  BenchResult result;
  result.mac_per_second = detail::speed_of(turns.first);
  result.ratio_to.sgemm = detail::ratio_of(turns.first, turns.second);
  detail::judge_rounds(result);
  return result;
}

}  // namespace

TEST_CASE("a benchmark reports every table on every shape") {
  const BenchReport report = run_bench(small());
  REQUIRE(report.results.size() == 4);
  CHECK(report.clock_ghz > 0.1);
  CHECK(report.results[1].shape.k == 5);
  CHECK(report.results[2].lut == "s");
  for (const BenchResult& r : report.results) {
    CHECK(r.rounds >= 7);
    CHECK(r.mac_per_second.median > 0);
    CHECK(r.mac_per_second.low <= r.mac_per_second.median);
    CHECK(r.mac_per_second.median <= r.mac_per_second.high);
    CHECK(r.mac_per_cycle.median > 0);
    CHECK(r.ratio_to.triple_loop.median > 0);
    CHECK(std::isnan(r.ratio_to.sgemm.median) == report.sgemm_library.empty());
    CHECK(std::isnan(r.ratio_to.int8.median) == report.int8_library.empty());
    CHECK(r.disturbed == (r.largest_difference > kBenchDisturbed));
  }
}

TEST_CASE("a forced kernel is the one measured; options are checked") {
  BenchOptions o = small();
  o.shapes.pop_back();
  o.luts.pop_back();
  o.yardsticks = false;
  o.kernel = "column_vector";
  const BenchReport report = run_bench(o);
  CHECK(report.results.at(0).kernel == "column_vector");
  CHECK(std::isnan(report.results.at(0).ratio_to.triple_loop.median));
  o.levels = 1;
  CHECK_THROWS_AS(run_bench(o), UsageError);
  o.levels = 256;
  o.shapes = {{0, 1, 1}};
  CHECK_THROWS_AS(run_bench(o), UsageError);
}

TEST_CASE("median and outer tenths by hand") {
  const BenchSpread odd = detail::spread_of({5, 1, 3});
  CHECK(odd.median == 3);
  CHECK(odd.low == doctest::Approx(1.4));
  CHECK(odd.high == doctest::Approx(4.6));
  std::vector<double> eleven;
  for (int i = 10; i >= 0; --i) eleven.push_back(i);
  const BenchSpread ranks = detail::spread_of(eleven);
  CHECK(ranks.median == 5);
  CHECK(ranks.low == 1);
  CHECK(ranks.high == 9);
  CHECK(ranks.difference() == doctest::Approx(1.6));
  CHECK(detail::spread_of({4, 2}).median == 3);
  CHECK(std::isnan(detail::spread_of({}).median));
  CHECK(std::isnan(BenchSpread{}.difference()));
}

TEST_CASE("ratios are formed within rounds: a load that moves speeds leaves them") {
  // Half of the rounds at half speed: medians of speeds would give anything from 1.5 to 6.
  const BenchResult r =
      judged(rounds_under([](int round) { return round % 2 == 0 ? 1.0 : 2.0; }, 41, 7));
  CHECK(r.ratio_to.sgemm.median == doctest::Approx(3).epsilon(0.02));
  CHECK(r.ratio_to.sgemm.difference() < 0.1);
  CHECK(r.mac_per_second.difference() > 0.4);
  CHECK(r.disturbed);
  CHECK(r.differs_most == "GMAC/s");
}

TEST_CASE("quiet rounds, and rounds that one in twenty disturbs, are not called disturbed") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CHECK_FALSE(judged(rounds_under([](int) { return 1.0; }, 7, seed)).disturbed);
    CHECK_FALSE(
        judged(rounds_under([](int round) { return round % 20 == 3 ? 3.0 : 1.0; }, 60, seed))
            .disturbed);
  }
}

TEST_CASE("a load on one contestant only, and one that begins half-way, are called disturbed") {
  auto turns = rounds_under([](int) { return 1.0; }, 30, 3);
  for (std::size_t i = 0; i < 10; ++i) turns.second.seconds[i] *= 1.5;
  const BenchResult one = judged(turns);
  CHECK(one.disturbed);
  CHECK(one.differs_most == "× sgemm");
  CHECK(judged(rounds_under([](int round) { return round < 15 ? 1.0 : 1.4; }, 30, 3)).disturbed);
  CHECK_FALSE(
      judged(rounds_under([](int round) { return round < 15 ? 1.0 : 1.1; }, 30, 3)).disturbed);
}

TEST_CASE("shapes are n, k, m in every program") {
  const GemmShape shape = parse_bench_shape("4096,144,16");
  CHECK(shape.n == 4096);
  CHECK(shape.k == 144);
  CHECK(shape.m == 16);
  CHECK(bench_shape_text(shape) == "4096×144×16");
  for (const char* bad : {"", "1,2", "1,2,3,", "1,2,3,4", "0,2,3", "a,b,c", "1x2x3", "-1,2,3"})
    CHECK_THROWS_WITH_AS(parse_bench_shape(bad), doctest::Contains("n,k,m"), UsageError);
}

TEST_CASE("results as CSV: one line each, as many cells as headings, medians") {
  BenchReport report;
  report.results.resize(2);
  BenchResult& r = report.results[0];
  r.shape = {70, 30, 16};
  r.lut = "a,b";
  r.kernel = "scalar";
  r.rounds = 9;
  r.mac_per_cycle.median = 2.5;
  r.ratio_to.sgemm.median = 0.125;
  r.disturbed = true;
  const std::string csv = bench_csv(report);
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = csv.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(csv.substr(at, end - at));
  REQUIRE(lines.size() == 3);
  const auto commas = [](const std::string& s) { return std::count(s.begin(), s.end(), ','); };
  CHECK(lines[1].starts_with("70,30,16,\"a,b\",synthetic,scalar,1,9,NaN,2.5,"));
  CHECK(lines[1].ends_with(",1"));
  CHECK(commas(lines[1]) == commas(lines[0]) + 1);  // the one in quotes
  CHECK(commas(lines[2]) == commas(lines[0]));
  CHECK(lines[0].find("ratio_to_sgemm") != std::string::npos);
  CHECK(lines[1].find(",0.125,") != std::string::npos);
}
