// The parallel loop runs each index once, carries the lowest exception and can be interrupted.
#include "axmul/core/parallel.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("each index runs exactly once on any number of threads") {
  for (int threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> count(1000);
    parallel_for(count.size(), threads, [&](std::size_t i) { ++count[i]; });
    int wrong = 0;
    for (auto& c : count) wrong += c != 1;
    CHECK(wrong == 0);
  }
  parallel_for(0, 4, [](std::size_t) { FAIL("no index exists"); });
}

TEST_CASE("the exception of the lowest index wins") {
  for (int threads : {1, 2, 7})
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::string caught;
      try {
        parallel_for(100, threads, [](std::size_t i) {
          if (i >= 13) throw std::runtime_error(std::to_string(i));
        });
      } catch (const std::runtime_error& e) {
        caught = e.what();
      }
      CHECK(caught == "13");
    }
}

TEST_CASE("an interrupt ends the loop") {
  for (int threads : {1, 3}) {
    std::atomic<int> ran{0};
    CHECK_THROWS_AS(parallel_for(100000, threads,
                                 [&](std::size_t) {
                                   if (++ran == 10) request_interrupt();
                                 }),
                    InterruptedError);
    clear_interrupt();
    CHECK(ran < 100);
  }
}
