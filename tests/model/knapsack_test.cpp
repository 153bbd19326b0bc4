// The multiple-choice knapsack against exhaustive search.
#include "model/knapsack.hpp"

#include <algorithm>
#include <cmath>

#include "axmul/core/philox.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

using Items = std::vector<std::vector<KnapsackOption>>;

Items random_items(std::uint64_t seed, std::size_t items, std::size_t options) {
  Philox random(seed);
  Items all(items);
  for (auto& item : all)
    for (std::size_t o = 0; o < options; ++o)
      item.push_back({random.next_double(), random.next_double()});
  return all;
}

double cost_of(const Items& items, const std::vector<std::size_t>& chosen) {
  double sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) sum += items[i][chosen[i]].cost;
  return sum;
}

double weight_of(const Items& items, const std::vector<std::size_t>& chosen) {
  double sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) sum += items[i][chosen[i]].weight;
  return sum;
}

// Infinite where no choice keeps the limit.
double least_cost(const Items& items, double limit) {
  double best = HUGE_VAL;
  std::vector<std::size_t> chosen(items.size(), 0);
  for (;;) {
    if (weight_of(items, chosen) <= limit) best = std::min(best, cost_of(items, chosen));
    std::size_t i = 0;
    while (i < items.size() && ++chosen[i] == items[i].size()) chosen[i++] = 0;
    if (i == items.size()) return best;
  }
}

}  // namespace

TEST_CASE("the limit is kept and the cost is the least but for the rounding of the weights") {
  std::size_t exact = 0, solved = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const Items items = random_items(seed, 6, 4);
    const double limit = 0.4 + 0.02 * static_cast<double>(seed);
    const auto chosen = cheapest_within(items, limit);
    const double least = least_cost(items, limit);
    const double with_less = least_cost(items, limit * (1 - 6.0 / 16384));
    if (chosen.empty()) {
      CHECK(with_less == HUGE_VAL);
      continue;
    }
    ++solved;
    REQUIRE(chosen.size() == 6);
    CHECK(weight_of(items, chosen) <= limit * (1 + 1e-12));
    CHECK(cost_of(items, chosen) >= least - 1e-12);
    CHECK(cost_of(items, chosen) <= with_less + 1e-12);
    exact += cost_of(items, chosen) <= least + 1e-12;
  }
  CHECK(solved > 150);
  CHECK(exact >= solved * 98 / 100);
}

TEST_CASE("edges: no items, no budget, what cannot be had, and equal options") {
  CHECK(cheapest_within(Items{}, 1).empty());
  const Items some{{{1, 0}, {0.5, 1}, {0.2, 1e-30}}, {{3, 0}, {3, 0}}};
  CHECK(cheapest_within(some, 0) == std::vector<std::size_t>{0, 0});
  CHECK(cheapest_within(some, 1e-6) == std::vector<std::size_t>{2, 0});
  CHECK(cheapest_within(Items{{{1, 2}}, {{1, 0}}}, 1.5).empty());
  // Of equal costs the lighter, in whatever order they come.
  CHECK(cheapest_within(Items{{{1, 0.7}, {1, 0.2}, {1, 0.20001}}}, 1) ==
        std::vector<std::size_t>{1});
  // A weight that is the whole limit still fits.
  CHECK(cheapest_within(Items{{{5, 0}, {1, 0.3}}}, 0.3) == std::vector<std::size_t>{1});
}
