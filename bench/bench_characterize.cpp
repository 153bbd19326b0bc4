// Time of one table's statistics: the basic figures, everything but rank, and the ranks.
//
// Two tables alternate, so nothing is kept from one call to the next (but in the *_same_table
// runs).
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "axmul/core/philox.hpp"
#include "axmul/stats/metrics.hpp"

namespace {

using namespace axmul;

/// Exact plus errors in −max_error … max_error.
Lut noisy(std::uint64_t seed, int max_error) {
  Philox random(seed);
  return Lut::from_function(OperandType::u8u8, [&](int a, int b) {
    const auto span = static_cast<std::uint64_t>(2 * max_error + 1);
    return a * b + static_cast<int>(random.next_below(span)) - max_error;
  });
}

/// The product without its `columns` lowest columns of partial products.
Lut truncated(int columns) {
  return Lut::from_function(OperandType::u8u8, [&](int a, int b) {
    int product = 0;
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j)
        if (i + j >= columns) product += (a >> i & 1) * (b >> j & 1) << (i + j);
    return product;
  });
}

const OperandDistribution& activations() {
  static const auto d = parse_distribution("0.4*point(0)+0.6*halfnormal(std=30)", false);
  return d;
}
const OperandDistribution& weights() {
  static const auto d = parse_distribution("normal(mean=128,std=20)", false);
  return d;
}

void basic(benchmark::State& state, int max_error) {
  const Lut tables[] = {noisy(1, max_error), noisy(2, max_error)};
  CharacterizeWorkspace workspace;
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(basic_metrics(tables[i++ % 2], activations(), weights(), workspace));
}

void full(benchmark::State& state, const Lut& x, const Lut& y, bool uniform) {
  const auto u = uniform_distribution(false);
  CharacterizeWorkspace workspace;
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(characterize(i++ % 2 == 0 ? x : y, uniform ? u : activations(),
                                          uniform ? u : weights(), {}, workspace));
}

void joint(benchmark::State& state, int max_error) {
  const Lut tables[] = {noisy(1, max_error), noisy(2, max_error)};
  JointDistribution d{"independent", OperandType::u8u8, Array2<double>(256, 256)};
  for (std::size_t i = 0; i < 256; ++i)
    for (std::size_t j = 0; j < 256; ++j) d.p(i, j) = activations().p[i] * weights().p[j];
  CharacterizeWorkspace workspace;
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(characterize(tables[i++ % 2], d, {}, workspace));
}

void rank(benchmark::State& state, const Lut& lut) {
  for (auto _ : state) benchmark::DoNotOptimize(exact_rank(lut.products()));
}

BENCHMARK_CAPTURE(basic, errors_2000, 2000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(basic, exact, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, exact, Lut::exact(OperandType::u8u8), noisy(1, 0), false)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, truncated_6, truncated(6), truncated(7), false)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, errors_2000, noisy(1, 2000), noisy(2, 2000), false)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, errors_60000, noisy(1, 60000), noisy(2, 60000), false)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, errors_8000000, noisy(1, 8000000), noisy(2, 8000000), false)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, uniform_errors_2000, noisy(1, 2000), noisy(2, 2000), true)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(full, uniform_errors_60000, noisy(1, 60000), noisy(2, 60000), true)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(joint, errors_2000, 2000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rank, exact, Lut::exact(OperandType::u8u8))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rank, truncated_6, truncated(6))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rank, full_rank, noisy(1, 2000))->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
