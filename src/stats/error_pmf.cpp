// The error pmf and its quantiles. Probabilities of one value are summed in ascending (a, b) with
// compensation: up to 65536 equal terms would otherwise drift past 1e-12.
#include <algorithm>
#include <bit>

#include "stats/workspace.hpp"

namespace axmul::detail::stats {
namespace {

constexpr std::int64_t kDenseRange = 1 << 17;  // wider maps are sorted
constexpr std::int64_t kCopiesRange = 1 << 11;
constexpr int kCopies = 4;  // neighbours of one value go to different bins: no chain of additions

/// Calls visit(bin) for every occupied bin, ascending, and clears the occupancy.
template <class F>
void drain(std::vector<std::uint64_t>& occupied, F&& visit) {
  for (std::size_t word = 0; word < occupied.size(); ++word) {
    for (std::uint64_t bits = occupied[word]; bits != 0; bits &= bits - 1)
      visit(64 * word + static_cast<std::size_t>(std::countr_zero(bits)));
    occupied[word] = 0;
  }
}

template <int copies>
void dense_pmf(Workspace& ws, std::int32_t lo, std::size_t range, ErrorPmf& pmf) {
  const Problem& problem = ws.problem;
  ws.bins.resize(std::max(ws.bins.size(), range * copies));
  ws.occupied.resize(std::max(ws.occupied.size(), (range + 63) / 64));
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    const std::int32_t* e = problem.e + i * problem.shape.cols;
    const double* w = problem.weights.data + i * problem.weights.stride;
    const double p = problem.weight_of_row(i);
    for (std::size_t j = 0; j < problem.real_cols; ++j) {
      if (w[j] == 0) continue;
      const auto bin = static_cast<std::size_t>(e[j] - lo);
      ws.occupied[bin / 64] |= std::uint64_t{1} << (bin % 64);
      ws.bins[bin * copies + j % copies].add(p * w[j]);
    }
  }
  drain(ws.occupied, [&](std::size_t bin) {
    CompensatedSum sum;
    for (std::size_t c = 0; c < copies; ++c) {
      Bin& b = ws.bins[bin * copies + c];
      sum.add(b.sum);
      sum.add(-b.lost);
      b = {};
    }
    if (!(sum.value() > 0)) return;  // underflow
    pmf.value.push_back(static_cast<std::int32_t>(bin) + lo);
    pmf.probability.push_back(sum.value());
  });
}

/// Stable radix sort of (value − lo) << 16 | position by value: two passes of 13 bits.
void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& scratch) {
  scratch.resize(keys.size());
  for (int shift : {16, 29}) {
    std::array<std::uint32_t, 8192> start{};
    for (std::uint64_t key : keys) ++start[(key >> shift) & 8191];
    std::uint32_t total = 0;
    for (std::uint32_t& s : start) {
      const std::uint32_t count = s;
      s = total;
      total += count;
    }
    for (std::uint64_t key : keys) scratch[start[(key >> shift) & 8191]++] = key;
    keys.swap(scratch);
  }
}

void sorted_pmf(Workspace& ws, std::int32_t lo, ErrorPmf& pmf) {
  const Problem& problem = ws.problem;
  const std::size_t cols = problem.shape.cols;
  ws.keys.clear();
  for (std::size_t i = 0; i < problem.shape.rows; ++i)
    for (std::size_t j = 0; j < problem.real_cols; ++j) {
      if (problem.weights.data[i * problem.weights.stride + j] == 0) continue;
      const std::size_t at = i * cols + j;
      ws.keys.push_back(static_cast<std::uint64_t>(problem.e[at] - lo) << 16 | at);
    }
  sort_keys(ws.keys, ws.sorted);
  for (std::size_t k = 0; k < ws.keys.size();) {
    const std::uint64_t value = ws.keys[k] >> 16;
    CompensatedSum sum;
    for (; k < ws.keys.size() && ws.keys[k] >> 16 == value; ++k) {
      const std::size_t i = (ws.keys[k] & 65535) / cols, j = (ws.keys[k] & 65535) % cols;
      sum.add(problem.weight_of_row(i) * problem.weights.data[i * problem.weights.stride + j]);
    }
    if (!(sum.value() > 0)) continue;
    pmf.value.push_back(static_cast<std::int32_t>(value) + lo);
    pmf.probability.push_back(sum.value());
  }
}

/// For each level the smallest value whose CDF, rounded to double, reaches it; the last value where
/// none does. `at(i)` gives value and probability of entry i, ascending.
template <class F>
void find_levels(std::size_t n, std::span<const double> levels, F&& at, double Quantile::*member,
                 std::vector<Quantile>& out) {
  std::vector<std::size_t> order(levels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return levels[x] < levels[y]; });
  CompensatedSum cdf;
  double value = 0;
  auto next = order.begin();
  for (std::size_t i = 0; i < n && next != order.end(); ++i) {
    const auto entry = at(i);
    value = entry.first;
    cdf.add(entry.second);
    for (; next != order.end() && cdf.value() >= levels[*next]; ++next) out[*next].*member = value;
  }
  for (; next != order.end(); ++next) out[*next].*member = value;
}

}  // namespace

void error_pmf(Workspace& ws, std::int32_t lo, std::int32_t hi, ErrorPmf& pmf) {
  const std::int64_t range = std::int64_t{hi} - lo + 1;
  if (range <= kCopiesRange)
    dense_pmf<kCopies>(ws, lo, static_cast<std::size_t>(range), pmf);
  else if (range <= kDenseRange)
    dense_pmf<1>(ws, lo, static_cast<std::size_t>(range), pmf);
  else
    sorted_pmf(ws, lo, pmf);
}

void uniform_error_pmf(Workspace& ws, std::int32_t lo, std::int32_t hi, ErrorPmf& pmf) {
  const auto range = static_cast<std::size_t>(std::int64_t{hi} - lo + 1);
  if (range <= kDenseRange) {
    ws.counts.resize(std::max(ws.counts.size(), range));
    for (std::size_t i = 0; i < kLutSize; ++i)
      ++ws.counts[static_cast<std::size_t>(ws.table_e[i] - lo)];
    for (std::size_t bin = 0; bin < range; ++bin) {
      if (ws.counts[bin] == 0) continue;
      pmf.value.push_back(static_cast<std::int32_t>(bin) + lo);
      pmf.probability.push_back(ws.counts[bin] / 65536.0);
      ws.counts[bin] = 0;
    }
    return;
  }
  ws.keys.clear();
  for (std::size_t i = 0; i < kLutSize; ++i)
    ws.keys.push_back(static_cast<std::uint64_t>(ws.table_e[i] - lo) << 16);
  sort_keys(ws.keys, ws.sorted);
  for (std::size_t k = 0; k < kLutSize;) {
    const std::uint64_t key = ws.keys[k];
    std::size_t count = 0;
    for (; k < kLutSize && ws.keys[k] == key; ++k) ++count;
    pmf.value.push_back(static_cast<std::int32_t>(key >> 16) + lo);
    pmf.probability.push_back(static_cast<double>(count) / 65536);
  }
}

std::vector<Quantile> quantiles(const ErrorPmf& pmf, std::span<const double> levels) {
  std::vector<Quantile> out;
  for (double level : levels) out.push_back({level, 0, 0});
  const std::size_t n = pmf.value.size();
  find_levels(
      n, levels,
      [&](std::size_t i) { return std::pair<double, double>(pmf.value[i], pmf.probability[i]); },
      &Quantile::error, out);

  // |e| ascending: walk outwards from the first non-negative value, negative side first on ties.
  std::size_t right = static_cast<std::size_t>(
      std::lower_bound(pmf.value.begin(), pmf.value.end(), 0) - pmf.value.begin());
  std::size_t left = right;
  find_levels(
      n, levels,
      [&](std::size_t) {
        const bool take_left = left > 0 && (right == n || -pmf.value[left - 1] <= pmf.value[right]);
        const std::size_t i = take_left ? --left : right++;
        return std::pair<double, double>(std::abs(pmf.value[i]), pmf.probability[i]);
      },
      &Quantile::abs_error, out);
  return out;
}

}  // namespace axmul::detail::stats
