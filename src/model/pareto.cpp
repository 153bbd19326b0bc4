// Non-dominated sorting in two dimensions.
#include "axmul/model/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace axmul {

namespace {

bool dominates(const ParetoPoint& p, const ParetoPoint& q) {
  return p.x <= q.x && p.y <= q.y && (p.x < q.x || p.y < q.y);
}

}  // namespace

std::vector<ParetoPlace> pareto(std::span<const ParetoPoint> points) {
  std::vector<ParetoPlace> places(points.size());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    places[i].comparable = !std::isnan(points[i].x) && !std::isnan(points[i].y);
    if (places[i].comparable) order.push_back(i);
  }
  // In ascending (x, y) every dominator of a point comes before it.
  std::ranges::stable_sort(order, [&](std::size_t i, std::size_t j) {
    return points[i].x != points[j].x ? points[i].x < points[j].x : points[i].y < points[j].y;
  });
  for (std::size_t k = 0; k < order.size(); ++k) {
    ParetoPlace& place = places[order[k]];
    place.rank = 1;
    for (std::size_t earlier = 0; earlier < k; ++earlier) {
      if (!dominates(points[order[earlier]], points[order[k]])) continue;
      const ParetoPlace& dominator = places[order[earlier]];
      ++place.dominators;
      place.rank = std::max(place.rank, dominator.rank + 1);
      if (dominator.rank == 1) place.dominated_by = order[earlier];
    }
  }
  return places;
}

}  // namespace axmul
