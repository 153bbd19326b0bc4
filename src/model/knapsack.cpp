// Dynamic programming for the multiple-choice knapsack.
#include "model/knapsack.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace axmul {
namespace {

constexpr std::size_t kCells = 16384;
constexpr double kNever = std::numeric_limits<double>::infinity();

struct CellOption {
  std::size_t cells, index;
  double cost;
};

// Those worth trying, by rising cells: each cheaper than all that take no more room.
std::vector<CellOption> useful(const std::vector<KnapsackOption>& options, double limit) {
  std::vector<CellOption> all;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const KnapsackOption& o = options[i];
    if (!(o.weight <= limit)) continue;
    const double cells = o.weight > 0 ? std::ceil(o.weight / limit * kCells) : 0;
    all.push_back({std::min(kCells, static_cast<std::size_t>(cells)), i, o.cost});
  }
  // Within one cell the lighter of equal costs comes first, then the earlier.
  std::sort(all.begin(), all.end(), [&](const CellOption& x, const CellOption& y) {
    if (x.cells != y.cells) return x.cells < y.cells;
    if (x.cost != y.cost) return x.cost < y.cost;
    if (options[x.index].weight != options[y.index].weight)
      return options[x.index].weight < options[y.index].weight;
    return x.index < y.index;
  });
  std::vector<CellOption> kept;
  for (const CellOption& o : all)
    if (kept.empty() || o.cost < kept.back().cost) kept.push_back(o);
  return kept;
}

}  // namespace

std::vector<std::size_t> cheapest_within(std::span<const std::vector<KnapsackOption>> items,
                                         double limit) {
  // least[c]: cost of the items so far within c cells; taken[i][c]: which option of item i that is.
  std::vector<double> least(kCells + 1, 0.0), next(kCells + 1);
  std::vector<std::vector<std::uint32_t>> taken;
  std::vector<std::vector<CellOption>> options;
  for (const auto& item : items) {
    options.push_back(useful(item, limit));
    taken.emplace_back(kCells + 1, 0);
    std::fill(next.begin(), next.end(), kNever);
    for (std::size_t o = 0; o < options.back().size(); ++o) {
      const CellOption& option = options.back()[o];
      for (std::size_t c = option.cells; c <= kCells; ++c) {
        const double cost = least[c - option.cells] + option.cost;
        if (cost < next[c]) {
          next[c] = cost;
          taken.back()[c] = static_cast<std::uint32_t>(o);
        }
      }
    }
    least.swap(next);
  }
  if (least[kCells] == kNever) return {};
  auto cell = static_cast<std::size_t>(std::find(least.begin(), least.end(), least[kCells]) -
                                       least.begin());
  std::vector<std::size_t> chosen(items.size());
  for (std::size_t i = items.size(); i-- > 0;) {
    const CellOption& option = options[i][taken[i][cell]];
    chosen[i] = option.index;
    cell -= option.cells;
  }
  return chosen;
}

}  // namespace axmul
