// kill -9 at random moments of axmul train run, then --resume: the record of an undisturbed run.
#include <chrono>

#include "train/run_support.hpp"

using namespace axmul;
using test::Bench;
using test::run;
using test::without_seconds;

TEST_CASE("a killed run continues to the same record") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  const std::string options = "--baselines uniform,greedy --max-loss 5 --lambda 0.5,0.02";
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(run(bench.command("whole", options)) == 0);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
  int status = 137, kills = 0;
  Philox random(3);
  for (; kills < 60 && status != 0; ++kills) {  // patience grows, so that it ends
    const double delay = whole.count() * (0.15 + 0.3 * random.next_double() + 0.03 * kills);
    status = test::run_process("timeout -s KILL " + std::to_string(delay) + " " +
                               bench.command("killed", options + " --resume"));
  }
  REQUIRE(status == 0);
  --kills;  // the last call came to its end
  MESSAGE(kills << " kills");
  CHECK(kills > 2);
  CHECK(without_seconds(bench.record("killed")["points"]) ==
        without_seconds(bench.record("whole")["points"]));
}
