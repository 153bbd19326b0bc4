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
void drain(std::span<std::uint64_t> occupied, F&& visit) {
  for (std::size_t word = 0; word < occupied.size(); ++word) {
    for (std::uint64_t bits = occupied[word]; bits != 0; bits &= bits - 1)
      visit(64 * word + static_cast<std::size_t>(std::countr_zero(bits)));
    occupied[word] = 0;
  }
}

void resize(ErrorPmf& pmf, std::size_t n) {
  pmf.value.resize(n);
  pmf.probability.resize(n);
}

std::size_t count(std::span<const std::uint64_t> occupied) {
  std::size_t n = 0;
  for (std::uint64_t bits : occupied) n += static_cast<std::size_t>(std::popcount(bits));
  return n;
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
  const auto occupied = std::span(ws.occupied).first((range + 63) / 64);
  resize(pmf, count(occupied));
  std::size_t n = 0;
  drain(occupied, [&](std::size_t bin) {
    CompensatedSum sum;
    for (std::size_t c = 0; c < copies; ++c) {
      Bin& b = ws.bins[bin * copies + c];
      sum.add(b.sum);
      sum.add(-b.lost);
      b = {};
    }
    if (!(sum.value() > 0)) return;  // underflow
    pmf.value[n] = static_cast<std::int32_t>(bin) + lo;
    pmf.probability[n++] = sum.value();
  });
  resize(pmf, n);
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
  ws.keys.resize(kLutSize);
  std::size_t used = 0;
  for (std::size_t i = 0; i < problem.shape.rows; ++i)
    for (std::size_t j = 0; j < problem.real_cols; ++j) {
      if (problem.weights.data[i * problem.weights.stride + j] == 0) continue;
      const auto value = static_cast<std::uint64_t>(problem.e[i * cols + j] - lo);
      ws.keys[used++] = value << 16 | i << 8 | j;
    }
  ws.keys.resize(used);
  sort_keys(ws.keys, ws.sorted);
  resize(pmf, used);
  std::size_t n = 0;
  for (std::size_t k = 0; k < ws.keys.size();) {
    const std::uint64_t value = ws.keys[k] >> 16;
    CompensatedSum sum;
    for (; k < ws.keys.size() && ws.keys[k] >> 16 == value; ++k) {
      const std::size_t i = (ws.keys[k] >> 8) & 255, j = ws.keys[k] & 255;
      sum.add(problem.weight_of_row(i) * problem.weights.data[i * problem.weights.stride + j]);
    }
    if (!(sum.value() > 0)) continue;
    pmf.value[n] = static_cast<std::int32_t>(value) + lo;
    pmf.probability[n++] = sum.value();
  }
  resize(pmf, n);
}

/// P(e ≤ x) as a pair of cdf entries: index of the first value above x.
std::size_t first_above(const ErrorPmf& pmf, double x) {
  return static_cast<std::size_t>(std::upper_bound(pmf.value.begin(), pmf.value.end(), x) -
                                  pmf.value.begin());
}

/// P(|e| ≤ x), rounded once.
double abs_cdf(const ErrorPmf& pmf, std::span<const CompensatedSum> cdf, std::int32_t x) {
  const CompensatedSum &high = cdf[first_above(pmf, x)], &low = cdf[first_above(pmf, -x - 1)];
  CompensatedSum difference = high;
  difference.add(-low.sum);
  difference.error -= low.error;
  return difference.value();
}

/// The smallest |e| whose CDF reaches the level, by bisection over the integers.
std::int32_t abs_quantile(const ErrorPmf& pmf, std::span<const CompensatedSum> cdf, double level) {
  std::int32_t low = 0, high = std::max(-pmf.value.front(), pmf.value.back());
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (abs_cdf(pmf, cdf, middle) >= level)
      high = middle;
    else
      low = middle + 1;
  }
  // Where no value reaches the level (probabilities may sum to a little less than 1) the bisection
  // ends at the largest |e|; anywhere else `low` is a value that occurs.
  return low;
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
  std::size_t n = 0;
  const auto add = [&](std::size_t bin, std::size_t pairs) {
    pmf.value[n] = static_cast<std::int32_t>(bin) + lo;
    pmf.probability[n++] = static_cast<double>(pairs) / 65536;
  };
  if (range <= kDenseRange) {
    ws.counts.resize(std::max(ws.counts.size(), range));
    ws.occupied.resize(std::max(ws.occupied.size(), (range + 63) / 64));
    for (std::int32_t e : ws.table_e) {
      const auto bin = static_cast<std::size_t>(e - lo);
      ws.occupied[bin / 64] |= std::uint64_t{1} << (bin % 64);
      ++ws.counts[bin];
    }
    const auto occupied = std::span(ws.occupied).first((range + 63) / 64);
    resize(pmf, count(occupied));
    drain(occupied, [&](std::size_t bin) {
      add(bin, ws.counts[bin]);
      ws.counts[bin] = 0;
    });
    return;
  }
  ws.keys.resize(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i)
    ws.keys[i] = static_cast<std::uint64_t>(ws.table_e[i] - lo) << 16;
  sort_keys(ws.keys, ws.sorted);
  resize(pmf, kLutSize);
  for (std::size_t k = 0; k < kLutSize;) {
    const std::size_t first = k;
    while (k < kLutSize && ws.keys[k] == ws.keys[first]) ++k;
    add(static_cast<std::size_t>(ws.keys[first] >> 16), k - first);
  }
  resize(pmf, n);
}

std::vector<Quantile> quantiles(Workspace& ws, const ErrorPmf& pmf,
                                std::span<const double> levels) {
  const std::size_t n = pmf.value.size();
  ws.cdf.resize(n + 1);
  CompensatedSum sum;
  ws.cdf[0] = sum;
  for (std::size_t i = 0; i < n; ++i) {
    sum.add(pmf.probability[i]);
    ws.cdf[i + 1] = sum;
  }
  std::vector<Quantile> out;
  for (double level : levels) {
    const auto reaches =
        std::partition_point(ws.cdf.begin() + 1, ws.cdf.end() - 1,
                             [&](const CompensatedSum& s) { return s.value() < level; });
    const auto index = static_cast<std::size_t>(reaches - ws.cdf.begin()) - 1;
    out.push_back({level, static_cast<double>(pmf.value[index]),
                   static_cast<double>(abs_quantile(pmf, ws.cdf, level))});
  }
  return out;
}

}  // namespace axmul::detail::stats
