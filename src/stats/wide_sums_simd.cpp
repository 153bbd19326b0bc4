// Sums over runs of pairs, eight at a time in lanes whose order no instruction set changes.
#include "stats/wide_sums_simd.hpp"

#include <cstring>

// Vector types never cross an object file's boundary, so their calling convention does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

#if defined(__x86_64__)
#define AXMUL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail::stats {

namespace {

using Reals = double __attribute__((vector_size(8 * kRunLanes)));

constexpr double kSplit = 131072;              // 2^17
constexpr double kRounder = 6755399441055744;  // 1.5·2^52: adding it rounds to whole numbers

struct Sums {
  Reals error{}, abs{}, nonzero{}, largest{}, high{}, cross{}, low{};
};

template <bool kWeighted>
inline __attribute__((always_inline)) void take(Sums& s, const Reals& e, const Reals& q,
                                                double* abs) {
  const Reals zero{}, one = zero + 1.0;
  const Reals size = e < zero ? -e : e;
  std::memcpy(abs, &size, sizeof size);
  if constexpr (kWeighted) {
    s.error += q * e;
    s.abs += q * size;
    s.nonzero += size > zero ? q : zero;
    s.low += q * (e * e);
    const Reals seen = q > zero ? size : zero;
    s.largest = seen > s.largest ? seen : s.largest;
  } else {
    s.error += e;
    s.abs += size;
    s.nonzero += size > zero ? one : zero;
    s.largest = size > s.largest ? size : s.largest;
    const Reals high = (size * (1 / kSplit) + kRounder) - kRounder;
    const Reals low = size - high * kSplit;
    s.high += high * high;
    s.cross += high * low;
    s.low += low * low;
  }
}

template <bool kWeighted>
inline __attribute__((always_inline)) void sum_run(const std::int32_t* low,
                                                   const std::int32_t* high, std::size_t n,
                                                   double a, double b0, const double* q,
                                                   double* __restrict abs, RunSums& out) {
  Sums s;
  const Reals steps = {0, 1, 2, 3, 4, 5, 6, 7};
  Reals b = steps + b0, weight{};
  // A loop of its own: g++ 12 makes many instructions of __builtin_convertvector.
  for (std::size_t i = 0; i < n; ++i)
    abs[i] = static_cast<double>(low[i]) + 65536.0 * static_cast<double>(high[i]);
  for (std::size_t i = 0; i < n; i += kRunLanes) {
    Reals product;
    std::memcpy(&product, abs + i, sizeof product);
    if constexpr (kWeighted) std::memcpy(&weight, q + i, sizeof weight);
    take<kWeighted>(s, product - b * a, weight, abs + i);
    b += 8.0;
  }
  std::memcpy(out.error, &s.error, sizeof s.error);
  std::memcpy(out.abs, &s.abs, sizeof s.abs);
  std::memcpy(out.nonzero, &s.nonzero, sizeof s.nonzero);
  std::memcpy(out.largest, &s.largest, sizeof s.largest);
  std::memcpy(out.high, &s.high, sizeof s.high);
  std::memcpy(out.cross, &s.cross, sizeof s.cross);
  std::memcpy(out.low, &s.low, sizeof s.low);
}

template <bool kWeighted>
inline __attribute__((always_inline)) void sum_relative(const double* abs, std::size_t n, double a,
                                                        double b0, const double* q,
                                                        RunRelative& out) {
  const Reals zero{}, one = zero + 1.0, steps = {0, 1, 2, 3, 4, 5, 6, 7};
  Reals b = steps + b0, sum_zero{}, sum_one{}, worst_zero{}, worst_one{}, weight = one;
  for (std::size_t i = 0; i < n; i += kRunLanes) {
    Reals size;
    std::memcpy(&size, abs + i, sizeof size);
    if constexpr (kWeighted) std::memcpy(&weight, q + i, sizeof weight);
    const Reals product = b * a, exact = product < zero ? -product : product;
    const Reals ratio = size / (exact > zero ? exact : one);
    const Reals seen = weight > zero ? ratio : zero, of_nonzero = exact > zero ? ratio : zero;
    const Reals seen_nonzero = exact > zero ? seen : zero;
    sum_one += kWeighted ? weight * ratio : ratio;
    sum_zero += kWeighted ? weight * of_nonzero : of_nonzero;
    worst_one = seen > worst_one ? seen : worst_one;
    worst_zero = seen_nonzero > worst_zero ? seen_nonzero : worst_zero;
    b += 8.0;
  }
  std::memcpy(out.exclude_zero, &sum_zero, sizeof sum_zero);
  std::memcpy(out.max_one, &sum_one, sizeof sum_one);
  std::memcpy(out.worst_exclude_zero, &worst_zero, sizeof worst_zero);
  std::memcpy(out.worst_max_one, &worst_one, sizeof worst_one);
}

AXMUL_CLONES void uniform_sums(const std::int32_t* low, const std::int32_t* high, std::size_t n,
                               double a, double b0, double* abs, RunSums& out) {
  sum_run<false>(low, high, n, a, b0, nullptr, abs, out);
}
AXMUL_CLONES void weighted_sums(const std::int32_t* low, const std::int32_t* high, std::size_t n,
                                double a, double b0, const double* q, double* abs, RunSums& out) {
  sum_run<true>(low, high, n, a, b0, q, abs, out);
}
AXMUL_CLONES void uniform_relative(const double* abs, std::size_t n, double a, double b0,
                                   RunRelative& out) {
  sum_relative<false>(abs, n, a, b0, nullptr, out);
}
AXMUL_CLONES void weighted_relative(const double* abs, std::size_t n, double a, double b0,
                                    const double* q, RunRelative& out) {
  sum_relative<true>(abs, n, a, b0, q, out);
}

/// A run of fewer pairs than lanes, filled up with pairs that are exact and have no weight.
struct ShortRun {
  std::int32_t low[kRunLanes] = {}, high[kRunLanes] = {};
  double q[kRunLanes] = {}, abs[kRunLanes] = {};
};

}  // namespace

void run_sums(const std::int32_t* low, const std::int32_t* high, std::size_t n, double a, double b0,
              const double* q, double* abs, RunSums& out) {
  if (n % kRunLanes == 0) {
    if (q == nullptr) return uniform_sums(low, high, n, a, b0, abs, out);
    return weighted_sums(low, high, n, a, b0, q, abs, out);
  }
  ShortRun run;
  for (std::size_t i = 0; i < kRunLanes; ++i) {
    const auto exact = static_cast<std::int64_t>(a * (b0 + static_cast<double>(i)));
    run.low[i] = i < n ? low[i] : static_cast<std::int32_t>(exact & 0xFFFF);
    run.high[i] = i < n ? high[i] : static_cast<std::int32_t>(exact >> 16);
    run.q[i] = q != nullptr && i < n ? q[i] : 0;
  }
  run_sums(run.low, run.high, kRunLanes, a, b0, q == nullptr ? nullptr : run.q, run.abs, out);
  std::memcpy(abs, run.abs, n * sizeof(double));
}

void run_relative(const double* abs, std::size_t n, double a, double b0, const double* q,
                  RunRelative& out) {
  if (n % kRunLanes == 0) {
    if (q == nullptr) return uniform_relative(abs, n, a, b0, out);
    return weighted_relative(abs, n, a, b0, q, out);
  }
  ShortRun run;
  std::memcpy(run.abs, abs, n * sizeof(double));
  if (q != nullptr) std::memcpy(run.q, q, n * sizeof(double));
  run_relative(run.abs, kRunLanes, a, b0, q == nullptr ? nullptr : run.q, out);
}

}  // namespace axmul::detail::stats
