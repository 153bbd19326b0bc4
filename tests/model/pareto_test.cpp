// Pareto places against the definition, on hand-made and on random points.
#include "axmul/model/pareto.hpp"

#include <limits>
#include <vector>

#include "axmul/core/philox.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a small front by hand") {
  //                              front   front  beaten by 1   front   beaten by 1 and 2   NaN
  const std::vector<ParetoPoint> points{
      {1, 9}, {3, 4}, {4, 4}, {8, 1}, {5, 5}, {std::numeric_limits<double>::quiet_NaN(), 0}};
  const auto places = pareto(points);
  CHECK(places[0].rank == 1);
  CHECK(places[1].rank == 1);
  CHECK(places[2].rank == 2);
  CHECK(places[2].dominated_by == 1);
  CHECK(places[3].rank == 1);
  CHECK(places[4].rank == 3);
  CHECK(places[4].dominators == 2);
  CHECK(places[4].dominated_by == 1);
  CHECK_FALSE(places[5].comparable);
}

TEST_CASE("equal points do not dominate each other") {
  const auto places = pareto(std::vector<ParetoPoint>{{1, 1}, {1, 1}, {1, 2}});
  CHECK(places[0].rank == 1);
  CHECK(places[1].rank == 1);
  CHECK(places[2].dominators == 2);
}

TEST_CASE("ranks are those of peeling fronts off") {
  Philox random(11);
  std::vector<ParetoPoint> points(300);
  for (auto& p : points)
    p = {static_cast<double>(random.next_below(40)), static_cast<double>(random.next_below(40))};
  const auto places = pareto(points);
  std::vector<bool> gone(points.size(), false);
  for (std::size_t rank = 1, left = points.size(); left > 0; ++rank) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
      bool beaten = gone[i];
      for (std::size_t j = 0; j < points.size() && !beaten; ++j)
        beaten = !gone[j] && points[j].x <= points[i].x && points[j].y <= points[i].y &&
                 (points[j].x < points[i].x || points[j].y < points[i].y);
      if (!beaten) front.push_back(i);
    }
    REQUIRE(!front.empty());
    for (std::size_t i : front) {
      CHECK(places[i].rank == rank);
      gone[i] = true;
    }
    left -= front.size();
  }
}
