// Streams the products of a wide multiplier once and sums: exact integers under uniform operands,
// fixed-order sums of doubles otherwise. Work is cut into chunks that no thread count changes.
#include "axmul/stats/wide.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>

#include "axmul/core/errors.hpp"
#include "stats/wide_sums_simd.hpp"
#include "stats/workspace.hpp"

namespace axmul {

namespace detail::stats {
namespace {

__extension__ using Int128 = __int128;

constexpr double kNaN = ErrorMetrics::kNaN;

std::string decimal(Int128 value) {
  const bool negative = value < 0;
  std::string text;
  do {
    const int digit = static_cast<int>(value % 10);
    text += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  if (negative) text += '-';
  std::ranges::reverse(text);
  return text;
}

/// Sums over some pairs; Sum is Int128 (numbers of pairs and integers) or double (probabilities).
template <class Sum>
struct Moments {
  Sum error = 0, square = 0;
};

template <class Sum>
struct Chunk {
  Sum error = 0, abs = 0, square = 0, nonzero = 0;
  double exclude_zero = 0, max_one = 0, worst_exclude_zero = 0, worst_max_one = 0;
  double largest = 0;
  std::int64_t largest_a = 0, largest_b = 0;
  std::int32_t zero_violations = 0;
  std::vector<Moments<Sum>> given_a = std::vector<Moments<Sum>>(kProfileBins);
  std::vector<Moments<Sum>> given_b = std::vector<Moments<Sum>>(kProfileBins);
  std::array<Sum, kErrorBins> bins{};
};

template <class Sum>
Sum whole(double exact) {
  if constexpr (std::is_same_v<Sum, double>)
    return exact;
  else
    return static_cast<Int128>(static_cast<std::int64_t>(exact));
}

double lane_sum(const double* lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}
double lane_max(const double* lanes) { return *std::max_element(lanes, lanes + kRunLanes); }

/// Bin of |e| ≥ 1, a whole number: its bits.
std::size_t error_bin(double abs) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(abs);
  return static_cast<std::size_t>(bits >> 52) - 1022;
}

/// Shape of the stream, and what weighs the operands.
struct Plan {
  SizedType type;
  const double* p = nullptr;  ///< null where uniform
  const double* q = nullptr;
  std::size_t rows = 0, cols = 0;  ///< operand values
  std::size_t in_block = 0;        ///< columns of one row in a block
  std::size_t rows_of_block = 0;   ///< rows that a block holds
  std::size_t run = 0;             ///< pairs summed together
  std::size_t chunk_rows = 0, chunks = 0;
  std::size_t a_share = 0, b_share = 0;  ///< operand values of a profile bin

  Plan(const SizedType& t, const double* pa, const double* pb) : type(t), p(pa), q(pb) {
    rows = std::size_t{1} << type.bits.a;
    cols = std::size_t{1} << type.bits.b;
    in_block = std::min(cols, kProductBlock);
    rows_of_block = std::min(rows, kProductBlock / in_block);
    a_share = std::max<std::size_t>(1, rows / kProfileBins);
    b_share = std::max<std::size_t>(1, cols / kProfileBins);
    run = std::min(in_block, std::max(b_share, kRunLanes));
    const std::size_t pairs = rows * cols;
    const std::size_t wanted = std::clamp<std::size_t>(pairs / 64, kProductBlock, 1 << 22);
    chunk_rows = std::clamp<std::size_t>(wanted / cols, rows_of_block, rows);
    chunks = rows / chunk_rows;
  }
};

template <class Sum>
class ChunkRun {
 public:
  static constexpr bool kWeighted = std::is_same_v<Sum, double>;

  ChunkRun(const Plan& plan, ProductBlocks& blocks) : plan_(plan), blocks_(blocks) {}

  Chunk<Sum> operator()(std::size_t chunk) {
    const std::size_t first = chunk * plan_.chunk_rows, end = first + plan_.chunk_rows;
    for (std::size_t row = first; row < end; row += plan_.rows_of_block)
      for (std::size_t col = 0; col < plan_.cols; col += plan_.in_block) {
        if (!occurs(row, col)) continue;
        blocks_.block((row * plan_.cols + col) / kProductBlock, low_.data(), high_.data());
        for (std::size_t r = 0; r < plan_.rows_of_block; ++r)
          take_row(row + r, col, r * plan_.in_block);
      }
    for (const auto& counts : counts_)
      for (std::size_t k = 0; k < kErrorBins; ++k) sums_.bins[k] += static_cast<Sum>(counts[k]);
    return std::move(sums_);
  }

 private:
  bool occurs(std::size_t row, std::size_t col) const {
    if constexpr (!kWeighted) return true;
    const auto any = [](const double* x, std::size_t n) {
      return std::any_of(x, x + n, [](double value) { return value > 0; });
    };
    return any(plan_.p + row, plan_.rows_of_block) && any(plan_.q + col, plan_.in_block);
  }

  void take_row(std::size_t row, std::size_t col, std::size_t at) {
    const double weight = kWeighted ? plan_.p[row] : 1;
    if (weight == 0) return;
    for (std::size_t i = 0; i < plan_.in_block; i += plan_.run)
      take_run(row, col + i, at + i, weight);
  }

  void take_run(std::size_t row, std::size_t col, std::size_t at, double weight) {
    const std::int64_t a = a_min(plan_.type) + static_cast<std::int64_t>(row);
    const std::int64_t b = b_min(plan_.type) + static_cast<std::int64_t>(col);
    const auto da = static_cast<double>(a), db = static_cast<double>(b);
    const double* q = kWeighted ? plan_.q + col : nullptr;
    RunSums r;
    run_sums(low_.data() + at, high_.data() + at, plan_.run, da, db, q, abs_.data(), r);
    const double abs = lane_sum(r.abs);
    if (abs == 0) {
      add_exact(col, weight);
      return;
    }
    add(row, col, weight, r, abs);
    if (const double largest = lane_max(r.largest); largest > sums_.largest)
      place(a, b, q, largest);
    if (a == 0 || (b <= 0 && b + static_cast<std::int64_t>(plan_.run) > 0)) count_violations(a, b);
    RunRelative x;
    run_relative(abs_.data(), plan_.run, da, db, q, x);
    sums_.exclude_zero += weight * lane_sum(x.exclude_zero);
    sums_.max_one += weight * lane_sum(x.max_one);
    sums_.worst_exclude_zero = std::max(sums_.worst_exclude_zero, lane_max(x.worst_exclude_zero));
    sums_.worst_max_one = std::max(sums_.worst_max_one, lane_max(x.worst_max_one));
    fill_bins(col, weight);
  }

  static Sum square_of(const RunSums& r, std::size_t lane) {
    if constexpr (kWeighted)
      return r.low[lane];
    else
      return (whole<Sum>(r.high[lane]) << 34) + (whole<Sum>(r.cross[lane]) * (1 << 18)) +
             whole<Sum>(r.low[lane]);
  }

  /// A run without errors; only bin 0 grows.
  void add_exact(std::size_t col, double weight) {
    if constexpr (!kWeighted) {
      sums_.bins[0] += static_cast<Int128>(plan_.run);
    } else {
      double total = 0;
      for (std::size_t i = 0; i < plan_.run; ++i) total += plan_.q[col + i];
      sums_.bins[0] += weight * total;
    }
  }

  void add(std::size_t row, std::size_t col, double weight, const RunSums& r, double abs) {
    const Sum factor = whole<Sum>(weight);
    Moments<Sum> all;
    if (plan_.b_share >= plan_.run) {
      all.error = whole<Sum>(lane_sum(r.error));
      for (std::size_t l = 0; l < kRunLanes; ++l) all.square += square_of(r, l);
      Moments<Sum>& bin = sums_.given_b[col / plan_.b_share];
      bin.error += factor * all.error;
      bin.square += factor * all.square;
    } else {
      for (std::size_t l = 0; l < std::min(plan_.run, kRunLanes); ++l) {
        const Sum error = whole<Sum>(r.error[l]), square = square_of(r, l);
        Moments<Sum>& bin = sums_.given_b[(col + l) / plan_.b_share];
        bin.error += factor * error;
        bin.square += factor * square;
        all.error += error;
        all.square += square;
      }
    }
    Moments<Sum>& bin = sums_.given_a[row / plan_.a_share];
    bin.error += factor * all.error;
    bin.square += factor * all.square;
    sums_.error += factor * all.error;
    sums_.square += factor * all.square;
    sums_.abs += factor * whole<Sum>(abs);
    sums_.nonzero += factor * whole<Sum>(lane_sum(r.nonzero));
  }

  void place(std::int64_t a, std::int64_t b, const double* q, double largest) {
    sums_.largest = largest;
    std::size_t i = 0;
    while (abs_[i] != largest || (kWeighted && q[i] == 0)) ++i;
    sums_.largest_a = a;
    sums_.largest_b = b + static_cast<std::int64_t>(i);
  }

  void count_violations(std::int64_t a, std::int64_t b) {
    if (a != 0) {
      sums_.zero_violations += abs_[static_cast<std::size_t>(-b)] != 0;
      return;
    }
    for (std::size_t i = 0; i < plan_.run; ++i) sums_.zero_violations += abs_[i] != 0;
  }

  void fill_bins(std::size_t col, double weight) {
    if constexpr (kWeighted) {
      for (std::size_t i = 0; i < plan_.run; ++i)
        sums_.bins[abs_[i] == 0 ? 0 : error_bin(abs_[i])] += weight * plan_.q[col + i];
    } else {
      for (std::size_t i = 0; i < plan_.run; ++i) ++counts_[i % 4][error_bin(abs_[i] + 0.5)];
    }
  }

  const Plan& plan_;
  ProductBlocks& blocks_;
  Chunk<Sum> sums_;
  /// Uniform |e| by bin; neighbours do not wait for another.
  std::array<std::array<std::uint32_t, kErrorBins>, 4> counts_{};
  alignas(64) std::array<std::int32_t, kProductBlock> low_{}, high_{};
  alignas(64) std::array<double, kProductBlock> abs_{};
};

/// Blocks that threads lend each other: making one compiles the circuit.
class Pool {
 public:
  explicit Pool(const ProductSource& source) : source_(source) {}
  std::unique_ptr<ProductBlocks> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto blocks = std::move(free_.back());
        free_.pop_back();
        return blocks;
      }
    }
    return source_.blocks();
  }
  void give(std::unique_ptr<ProductBlocks> blocks) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(blocks));
  }

 private:
  const ProductSource& source_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ProductBlocks>> free_;
};

template <class Sum>
Chunk<Sum> stream(const ProductSource& source, const Plan& plan, int threads,
                  const Progress& progress) {
  std::vector<Chunk<Sum>> done(plan.chunks);
  Pool pool(source);
  std::atomic<std::size_t> count{0};
  std::mutex mutex;
  parallel_for(plan.chunks, threads, [&](std::size_t i) {
    auto blocks = pool.take();
    const auto run = std::make_unique<ChunkRun<Sum>>(plan, *blocks);
    done[i] = (*run)(i);
    pool.give(std::move(blocks));
    const std::size_t finished = ++count;
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(finished, plan.chunks);
  });
  Chunk<Sum> total = std::move(done.front());
  for (std::size_t i = 1; i < done.size(); ++i) {
    const Chunk<Sum>& c = done[i];
    total.error += c.error, total.abs += c.abs, total.square += c.square;
    total.nonzero += c.nonzero;
    total.exclude_zero += c.exclude_zero, total.max_one += c.max_one;
    total.worst_exclude_zero = std::max(total.worst_exclude_zero, c.worst_exclude_zero);
    total.worst_max_one = std::max(total.worst_max_one, c.worst_max_one);
    total.zero_violations += c.zero_violations;
    if (c.largest > total.largest) {
      total.largest = c.largest;
      total.largest_a = c.largest_a, total.largest_b = c.largest_b;
    }
    for (std::size_t k = 0; k < kErrorBins; ++k) total.bins[k] += c.bins[k];
    for (std::size_t k = 0; k < kProfileBins; ++k) {
      total.given_a[k].error += c.given_a[k].error, total.given_a[k].square += c.given_a[k].square;
      total.given_b[k].error += c.given_b[k].error, total.given_b[k].square += c.given_b[k].square;
    }
  }
  return total;
}

/// Mean and variance of n pairs from exact sums: the variance about the integer below the mean.
struct Spread {
  double bias, variance;
};
Spread spread(Int128 error, Int128 square, Int128 n) {
  Int128 floor = error / n;
  if (error % n < 0) --floor;
  const Int128 rest = error - floor * n;                                // 0 … n − 1
  const Int128 about = square - 2 * floor * error + floor * floor * n;  // Σ(e − floor)²
  const double mean = static_cast<double>(rest) / static_cast<double>(n);
  const double variance = static_cast<double>(about) / static_cast<double>(n) - mean * mean;
  return {static_cast<double>(error) / static_cast<double>(n), std::max(variance, 0.0)};
}
Spread spread(double error, double square, double n) {
  const double mean = error / n;
  return {mean, std::max(square / n - mean * mean, 0.0)};
}

template <class Sum>
void fill_profile(std::span<const Moments<Sum>> moments, std::size_t values, const double* p,
                  Sum other, std::array<double, 256>& bias, std::array<double, 256>& std_of) {
  bias.fill(kNaN);
  std_of.fill(kNaN);
  const std::size_t bins = std::min(values, kProfileBins), share = values / bins;
  for (std::size_t k = 0; k < bins; ++k) {
    Sum n = 0;
    if constexpr (std::is_same_v<Sum, double>)
      for (std::size_t i = k * share; i < (k + 1) * share; ++i) n += p[i];
    else
      n = static_cast<Int128>(share) * other;
    if (n == 0) continue;
    const Spread s = spread(moments[k].error, moments[k].square, n);
    bias[k] = s.bias;
    std_of[k] = std::sqrt(s.variance);
  }
}

double mean_square(const WideDistribution& d) {
  const double first = d.is_signed ? -static_cast<double>(d.p.size() / 2) : 0;
  CompensatedSum sum;
  for (std::size_t i = 0; i < d.p.size(); ++i) {
    const double value = first + static_cast<double>(i);
    sum.add(d.p[i] * (value * value));
  }
  return sum.value();
}

/// P(a·b ≠ 0).
double nonzero_products(const WideDistribution& a, const WideDistribution& b) {
  const auto nonzero = [](const WideDistribution& d) {
    const std::size_t zero = d.is_signed ? d.p.size() / 2 : 0;
    CompensatedSum sum;
    for (std::size_t i = 0; i < d.p.size(); ++i)
      if (i != zero) sum.add(d.p[i]);
    return sum.value();
  };
  return nonzero(a) * nonzero(b);
}

template <class Sum>
WideReport report_of(const Chunk<Sum>& c, const Plan& plan, const WideDistribution& a,
                     const WideDistribution& b, Convention convention) {
  WideReport report;
  ErrorMetrics& m = report.metrics;
  const Sum pairs = std::is_same_v<Sum, double> ? Sum{1} : static_cast<Sum>(plan.type.pairs());
  const auto n = static_cast<double>(pairs);
  const Spread s = spread(c.error, c.square, pairs);
  m.bias = s.bias;
  m.variance = s.variance;
  m.mae = static_cast<double>(c.abs) / n;
  m.mse = static_cast<double>(c.square) / n;
  m.error_rate = static_cast<double>(c.nonzero) / n;
  m.wce = static_cast<std::int64_t>(c.largest);
  m.wce_a = static_cast<int>(c.largest > 0 ? c.largest_a : a_min(plan.type));
  m.wce_b = static_cast<int>(c.largest > 0 ? c.largest_b : b_min(plan.type));
  const double some = nonzero_products(a, b);
  m.mred_exclude_zero = some > 0 ? c.exclude_zero / n / some : kNaN;
  m.mred_max_one = c.max_one / n;
  m.wcre_exclude_zero = some > 0 ? c.worst_exclude_zero : kNaN;
  m.wcre_max_one = c.worst_max_one;
  m.zero_violations = std::is_same_v<Sum, double> ? -1 : c.zero_violations;
  m.hamming_mean = kNaN;
  m.bit_flip_rate.fill(kNaN);
  derive(m, plan.type, convention, mean_square(a) * mean_square(b));
  for (std::size_t k = 0; k < kErrorBins; ++k)
    report.abs_error_bins[k] = static_cast<double>(c.bins[k]) / n;
  fill_profile<Sum>(c.given_a, plan.rows, plan.p, static_cast<Sum>(plan.cols),
                    report.profile.bias_given_a, report.profile.std_given_a);
  fill_profile<Sum>(c.given_b, plan.cols, plan.q, static_cast<Sum>(plan.rows),
                    report.profile.bias_given_b, report.profile.std_given_b);
  if constexpr (!std::is_same_v<Sum, double>) {
    report.sum_error = decimal(c.error);
    report.sum_abs = decimal(c.abs);
    report.sum_square = decimal(c.square);
    report.count_nonzero = decimal(c.nonzero);
  }
  return report;
}

void check(const SizedType& type, const WideDistribution& a, const WideDistribution& b) {
  const bool fits = a.bits == type.bits.a && b.bits == type.bits.b &&
                    a.is_signed == a_is_signed(type) && b.is_signed == b_is_signed(type) &&
                    a.p.size() == std::size_t{1} << a.bits &&
                    b.p.size() == std::size_t{1} << b.bits;
  if (!fits)
    throw UsageError(405, "the distributions \"" + a.text + "\" and \"" + b.text +
                              "\" are not of operands " + to_string(type));
}

bool is_uniform(const WideDistribution& d) {
  const double each = 1 / static_cast<double>(d.p.size());
  return std::ranges::all_of(d.p, [&](double x) { return x == each; });
}

WideDistribution wide_uniform(bool is_signed, int bits) {
  const std::size_t count = std::size_t{1} << bits;
  return {"uniform", is_signed, bits, std::vector<double>(count, 1 / static_cast<double>(count))};
}

}  // namespace
}  // namespace detail::stats

namespace detail::stats {
namespace {

/// The differences within one chunk of rows.
WideDifferences differences(const Plan& plan, std::size_t chunk, std::size_t limit,
                            ProductBlocks& x, ProductBlocks& y) {
  WideDifferences result;
  std::vector<std::int32_t> buffer(4 * kProductBlock);
  std::int32_t* low[2] = {buffer.data(), buffer.data() + kProductBlock};
  std::int32_t* high[2] = {low[1] + kProductBlock, low[1] + 2 * kProductBlock};
  const std::size_t pairs = plan.chunk_rows * plan.cols, first = chunk * pairs;
  for (std::size_t at = first; at < first + pairs; at += kProductBlock) {
    x.block(at / kProductBlock, low[0], high[0]);
    y.block(at / kProductBlock, low[1], high[1]);
    for (std::size_t i = 0; i < std::min(kProductBlock, pairs); ++i) {
      if (low[0][i] == low[1][i] && high[0][i] == high[1][i]) continue;
      const auto value = [&](int k) { return std::int64_t{high[k][i]} * 65536 + low[k][i]; };
      const std::int64_t p = value(0), q = value(1);
      ++result.count;
      result.largest = std::max(result.largest, p > q ? p - q : q - p);
      if (result.pairs.size() < limit)
        result.pairs.push_back({a_min(plan.type) + static_cast<int>((at + i) / plan.cols),
                                b_min(plan.type) + static_cast<int>((at + i) % plan.cols), p, q});
    }
  }
  return result;
}

}  // namespace
}  // namespace detail::stats

WideDifferences compare_wide(const ProductSource& x, const ProductSource& y, std::size_t limit,
                             int threads, const Progress& progress) {
  using namespace detail::stats;
  if (x.type() != y.type())
    throw UsageError(406, "multipliers " + to_string(x.type()) + " and " + to_string(y.type()) +
                              " have no operand pairs in common to compare");
  const Plan plan(x.type(), nullptr, nullptr);
  std::vector<WideDifferences> done(plan.chunks);
  Pool pool_x(x), pool_y(y);
  std::atomic<std::size_t> count{0};
  std::mutex mutex;
  parallel_for(plan.chunks, threads, [&](std::size_t i) {
    auto blocks_x = pool_x.take(), blocks_y = pool_y.take();
    done[i] = differences(plan, i, limit, *blocks_x, *blocks_y);
    pool_x.give(std::move(blocks_x));
    pool_y.give(std::move(blocks_y));
    const std::size_t finished = ++count;
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(finished, plan.chunks);
  });
  WideDifferences total;
  for (const WideDifferences& part : done) {
    total.count += part.count;
    total.largest = std::max(total.largest, part.largest);
    for (const auto& pair : part.pairs)
      if (total.pairs.size() < limit) total.pairs.push_back(pair);
  }
  return total;
}

bool has_wide_figure(std::string_view metric) {
  static constexpr std::string_view kMissing[] = {
      "skewness",          "excess_kurtosis", "hamming_mean",   "anova_row",  "anova_col",
      "anova_interaction", "is_symmetric",    "sign_preserved", "rank_error", "rank_lut"};
  return std::ranges::find(kMissing, metric) == std::end(kMissing);
}

WideReport characterize_wide(const ProductSource& source, const WideDistribution& a,
                             const WideDistribution& b, Convention convention, int threads,
                             const Progress& progress) {
  using namespace detail::stats;
  check(source.type(), a, b);
  if (is_uniform(a) && is_uniform(b)) {
    const Plan plan(source.type(), nullptr, nullptr);
    return report_of(stream<Int128>(source, plan, threads, progress), plan, a, b, convention);
  }
  const Plan plan(source.type(), a.p.data(), b.p.data());
  return report_of(stream<double>(source, plan, threads, progress), plan, a, b, convention);
}

WideReport characterize_wide(const ProductSource& source, Convention convention, int threads,
                             const Progress& progress) {
  const SizedType type = source.type();
  return characterize_wide(source, detail::stats::wide_uniform(a_is_signed(type), type.bits.a),
                           detail::stats::wide_uniform(b_is_signed(type), type.bits.b), convention,
                           threads, progress);
}

}  // namespace axmul
