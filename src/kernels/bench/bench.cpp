// Interleaved timing of LUT GEMM and its yardsticks.
#include "axmul/kernels/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"
#include "kernels/bench/bench_rounds.hpp"
#include "kernels/bench/yardsticks.hpp"
#include "kernels/micro.hpp"
#include "kernels/registry.hpp"

namespace axmul {

namespace detail {
#if defined(__x86_64__)
void gather_avx2(const GatherTask& task);

void gather_loop(const YardstickTask& t) {
  gather_avx2({t.shape.n, t.shape.k, t.shape.m, t.a, t.b, t.table, t.y});
}
#else
void gather_loop(const YardstickTask&) {}
#endif
}  // namespace detail

namespace {

using Clock = std::chrono::steady_clock;

using detail::seconds_of;

/// A chain of dependent additions takes one cycle each: what it does is clock cycles.
constexpr int kChain = 1 << 20;

void run_chain() {
  std::uint64_t x = 1;
  for (int i = 0; i < kChain; i += 8)
#if defined(__x86_64__)
    asm volatile(
        "add $1,%0\n add $1,%0\n add $1,%0\n add $1,%0\n"
        "add $1,%0\n add $1,%0\n add $1,%0\n add $1,%0"
        : "+r"(x));
#else
    for (int j = 0; j < 8; ++j) asm volatile("" : "+r"(++x));
#endif
}

/// Activations as a ReLU network's: 45 % zeros, the others geometric with a mean near 27.
std::uint8_t draw_activation(Philox& random) {
  if (random.next_double() < 0.45) return 0;
  const double x = 1 - 27 * std::log(1 - random.next_double());
  return static_cast<std::uint8_t>(std::min(255.0, x));
}

/// Weights around 128 with exponential tails, mean absolute deviation 15.
std::uint8_t draw_weight(Philox& random) {
  const double size = -15 * std::log(1 - random.next_double());
  const double x = 128 + (random.next_u32() % 2 == 0 ? size : -size);
  return static_cast<std::uint8_t>(std::clamp(x, 0.0, 255.0));
}

BenchOperands synthetic(const GemmShape& shape, std::uint64_t seed) {
  Philox random(seed);
  BenchOperands out{shape.k, shape.m, {}, {}};
  out.activations.resize(shape.k * std::min<std::size_t>(shape.n, 1024));
  for (auto& x : out.activations) x = draw_activation(random);
  out.weights.resize(shape.k * shape.m);
  for (auto& x : out.weights) x = draw_weight(random);
  return out;
}

/// One shape with one table, and all that the contestants want of it.
struct Contest {
  GemmShape shape, yard_shape;  // slow yardsticks get fewer rows
  std::vector<std::uint8_t> a, b, b_by_channel;
  std::vector<std::int32_t> table, y, y_yard, y_int8;
  std::vector<std::int16_t> short_table;
  std::vector<float> fa, fb, fy;
  std::vector<std::int8_t> b8;
};

Contest prepare(const BenchOptions& o, const Lut& lut, const GemmShape& shape,
                const BenchOperands& operands) {
  Contest c;
  c.shape = c.yard_shape = shape;
  const std::size_t macs_per_row = shape.k * shape.m;
  c.yard_shape.n = std::clamp<std::size_t>((std::size_t{1} << 22) / macs_per_row, 1, shape.n);
  c.a.resize(shape.n * shape.k);
  const std::uint8_t most = static_cast<std::uint8_t>(o.levels - 1);
  for (std::size_t i = 0; i < c.a.size(); ++i)
    c.a[i] = std::min(most, operands.activations[i % operands.activations.size()]);
  c.b = operands.weights;
  if (b_is_signed(lut.type()))
    for (auto& b : c.b) b = static_cast<std::uint8_t>(b ^ 0x80);
  if (a_is_signed(lut.type()))
    for (auto& a : c.a) a /= 2;
  c.b_by_channel.resize(c.b.size());
  for (std::size_t k = 0; k < shape.k; ++k)
    for (std::size_t m = 0; m < shape.m; ++m)
      c.b_by_channel[m * shape.k + k] = c.b[k * shape.m + m];
  c.table.resize(kLutSize);
  const std::size_t flip_a = a_is_signed(lut.type()) ? 0x80 : 0;
  const std::size_t flip_b = b_is_signed(lut.type()) ? 0x80 : 0;
  bool fits = true;
  for (std::size_t i = 0; i < kLutSize; ++i) {
    c.table[i] = lut.products()[((i / 256) ^ flip_a) * 256 + ((i % 256) ^ flip_b)];
    fits = fits && c.table[i] >= -32768 && c.table[i] <= 65535;
  }
  // AdaPT keeps 16 bits; tables that need 17 are measured with wrapped entries, at the same speed.
  if (fits) {
    c.short_table.resize(kLutSize);
    for (std::size_t i = 0; i < kLutSize; ++i)
      c.short_table[i] = static_cast<std::int16_t>(c.table[i]);
  }
  c.y.resize(shape.n * shape.m);
  c.y_yard.resize(c.yard_shape.n * shape.m);
  return c;
}

void prepare_exact(Contest& c) {
  c.fa.assign(c.a.begin(), c.a.end());
  c.fb.assign(c.b.begin(), c.b.end());
  c.fy.resize(c.y.size());
  c.b8.resize(c.b.size());
  for (std::size_t i = 0; i < c.b.size(); ++i) c.b8[i] = static_cast<std::int8_t>(c.b[i] ^ 0x80);
  c.y_int8.resize(c.y.size());
}

void verify(const Lut& lut, const Contest& c) {
  GemmShape some = c.shape;
  some.n = std::min<std::size_t>(some.n, 64);
  std::vector<std::int32_t> expected(some.n * some.m);
  LutGemmOptions o;
  o.kernel = "scalar";
  lut_gemm(lut, some, c.a, c.b, expected, o);
  if (!std::equal(expected.begin(), expected.end(), c.y.begin()))
    throw InternalError("the benchmarked kernel differs from the scalar reference");
}

struct Contestant {
  BenchSpread BenchRatios::*field;  ///< null for LUT GEMM itself and the clock
  double work;                      ///< of one call
  std::function<void()> call;
  int threads;
  int calls = 1;  ///< in one turn
  detail::Turns turns{};
};

/// Rows split over threads, as a tool with an OpenMP loop would.
std::function<void()> threaded(void (*loop)(const detail::YardstickTask&), Contest& c,
                               int threads) {
  return [&c, loop, threads] {
    const auto parts = static_cast<std::size_t>(std::max(1, threads));
    const std::size_t rows = (c.yard_shape.n + parts - 1) / parts;
    parallel_for(parts, threads, [&](std::size_t part) {
      const std::size_t first = std::min(part * rows, c.yard_shape.n);
      const GemmShape s{std::min(rows, c.yard_shape.n - first), c.shape.k, c.shape.m};
      loop({s, c.a.data() + first * s.k, c.b.data(), c.b_by_channel.data(), c.table.data(),
            c.short_table.data(), c.y_yard.data() + first * s.m});
    });
  };
}

std::vector<Contestant> yardsticks(Contest& c, const detail::ExactLibraries& exact, int threads) {
  const double all = static_cast<double>(c.shape.n * c.shape.k) * static_cast<double>(c.shape.m);
  const double some = static_cast<double>(c.yard_shape.n * c.shape.k * c.shape.m);
  std::vector<Contestant> out;
  const auto add = [&](BenchSpread BenchRatios::*field, double work, std::function<void()> call) {
    out.push_back({field, work, std::move(call), threads});
  };
  add(&BenchRatios::triple_loop, some, threaded(detail::triple_loop, c, threads));
  if (!c.short_table.empty())
    add(&BenchRatios::adapt_loop, some, threaded(detail::adapt_loop, c, threads));
  if ((detail::cpu_features() & detail::kAvx2) != 0)
    add(&BenchRatios::gather, some, threaded(detail::gather_loop, c, threads));
  if (exact.sgemm)
    add(&BenchRatios::sgemm, all,
        [&c, &exact] { exact.sgemm(c.shape, c.fa.data(), c.fb.data(), c.fy.data()); });
  if (exact.int8)
    add(&BenchRatios::int8, all,
        [&c, &exact] { exact.int8(c.shape, c.a.data(), c.b8.data(), c.y_int8.data()); });
  return out;
}

double take_turn(const Contestant& contestant) {
  return seconds_of(
      [&] {
        for (int i = 0; i < contestant.calls; ++i) contestant.call();
      },
      contestant.threads);
}

/// Calls contestants until a turn takes long enough to be timed. The first calls of a library may
/// take a hundred times as long as later ones, so each guess is tried.
void warm_up(Contestant& c) {
  constexpr double kTurnSeconds = 1e-3;
  constexpr int kMostCalls = 100000;
  take_turn(c);
  for (;;) {
    const double missing = kTurnSeconds / std::max(take_turn(c), 1e-9);
    if (missing <= 1 || c.calls >= kMostCalls) break;
    c.calls = std::min(kMostCalls,
                       static_cast<int>(std::ceil(c.calls * std::clamp(1.2 * missing, 1.5, 10.0))));
  }
  c.turns.work = c.work * c.calls;
}

/// Warm-up, then rounds in which everyone has a turn, until the time is used, seven at least.
void compete(std::vector<Contestant>& contestants, double min_seconds) {
  constexpr int kLeastRounds = 7;
  for (Contestant& c : contestants) warm_up(c);
  const auto start = Clock::now();
  for (int round = 0;; ++round) {
    const double used = std::chrono::duration<double>(Clock::now() - start).count();
    if (round >= kLeastRounds && used >= min_seconds) return;
    for (Contestant& c : contestants) {
      poll_interrupt();
      c.turns.seconds.push_back(std::max(take_turn(c), 1e-9));
    }
  }
}

BenchResult measure(const BenchOptions& o, const BenchLut& lut, const GemmShape& shape,
                    const BenchOperands& operands, bool real, const detail::ExactLibraries& exact,
                    std::vector<double>& clock_hertz) {
  Contest c = prepare(o, lut.lut, shape, operands);
  LutGemmOptions options;
  options.kernel = o.kernel;
  options.threads = o.threads;
  const LutGemmPlan plan(lut.lut, shape.k, shape.m, c.b, options);
  std::vector<Contestant> contestants;
  contestants.push_back({nullptr,
                         static_cast<double>(shape.n * shape.k) * static_cast<double>(shape.m),
                         [&] { plan.run(shape.n, c.a, c.y, options); }, o.threads});
  contestants.push_back({nullptr, kChain, run_chain, 1});
  if (o.yardsticks) {
    prepare_exact(c);
    for (Contestant& yardstick : yardsticks(c, exact, o.threads))
      contestants.push_back(std::move(yardstick));
  }
  compete(contestants, o.min_seconds);
  verify(lut.lut, c);
  const detail::Turns &ours = contestants[0].turns, &clock = contestants[1].turns;
  BenchResult r;
  r.shape = shape;
  r.lut = lut.name;
  r.kernel = plan.kernel_for(shape.n, c.a);
  r.threads = o.threads;
  r.real_operands = real;
  r.rounds = static_cast<int>(ours.seconds.size());
  r.mac_per_second = detail::speed_of(ours);
  r.mac_per_cycle = detail::ratio_of(ours, clock);
  for (const Contestant& other : contestants) {
    if (other.field == nullptr) continue;
    r.ratio_to.*other.field = detail::ratio_of(ours, other.turns);
    r.yardstick_mac_per_cycle.*other.field = detail::ratio_of(other.turns, clock);
  }
  for (const double seconds : clock.seconds) clock_hertz.push_back(clock.work / seconds);
  detail::judge_rounds(r);
  return r;
}

std::vector<BenchLut> default_luts() {
  // Partial products below column 7 are left out: a published kind of approximation (broken array).
  const auto broken = [](int a, int b) {
    int sum = 0;
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j)
        if (i + j >= 7 - (j % 2)) sum += ((a >> i) & 1) * ((b >> j) & 1) << (i + j);
    return sum;
  };
  return {{"broken_array", Lut::from_function(OperandType::u8u8, broken)},
          {"exact", Lut::exact(OperandType::u8u8)}};
}

}  // namespace

std::vector<GemmShape> bench_default_shapes() {
  return {{4096, 144, 16}, {4096, 288, 32}, {4096, 576, 64}};
}

bool BenchReport::disturbed() const {
  return std::any_of(results.begin(), results.end(),
                     [](const BenchResult& result) { return result.disturbed; });
}

BenchReport run_bench(const BenchOptions& options) {
  BenchOptions o = options;
  if (o.levels < 2 || o.levels > 256)
    throw UsageError(610, "levels must be 2 to 256, not " + std::to_string(o.levels));
  if (o.threads <= 0) o.threads = default_threads();
  if (o.shapes.empty()) o.shapes = bench_default_shapes();
  if (o.luts.empty()) o.luts = default_luts();
  BenchReport report;
  detail::ExactLibraries exact;
  if (o.yardsticks) exact = detail::load_exact_libraries(o.threads);
  report.sgemm_library = exact.sgemm_name;
  report.int8_library = exact.int8_name;
  report.blas_core = exact.blas_core;
  report.blas_own_core = exact.blas_own_core;
  report.environment = detail::steering_variables();
  std::vector<double> clock_hertz;
  for (const BenchLut& lut : o.luts)
    for (const GemmShape& shape : o.shapes) {
      if (shape.n == 0 || shape.k == 0 || shape.m == 0)
        throw UsageError(610, "a shape to measure has at least one row, tap and channel");
      const auto same = [&](const BenchOperands& x) { return x.k == shape.k && x.m == shape.m; };
      const auto found = std::find_if(o.operands.begin(), o.operands.end(), same);
      const bool real = found != o.operands.end();
      report.results.push_back(measure(o, lut, shape, real ? *found : synthetic(shape, o.seed),
                                       real, exact, clock_hertz));
    }
  report.clock_ghz = detail::spread_of(std::move(clock_hertz)).median * 1e-9;
  return report;
}

}  // namespace axmul
