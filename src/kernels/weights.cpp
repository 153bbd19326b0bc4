// Fixed weights: table columns in order, and how far 32-bit sums reach.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <string>

#include "axmul/core/errors.hpp"
#include "kernels/engine.hpp"

namespace axmul {
namespace detail {

namespace {

constexpr std::uint64_t kInt32Limit = (std::uint64_t{1} << 31) - 1;  // of a bound of sums

/// Largest |product| of each table column.
std::array<std::int32_t, 256> column_bounds(const Lut& lut) {
  std::array<std::int32_t, 256> bound{};
  const auto products = lut.products();
  for (std::size_t a = 0; a < 256; ++a)
    for (std::size_t b = 0; b < 256; ++b)
      bound[b] = std::max(bound[b], std::abs(products[a * 256 + b]));
  return bound;
}

/// Factors of a table that is an outer product: v is a row divided by its greatest common divisor,
/// so u is integer whenever any integer factors exist.
void factor(const Lut& lut, std::vector<std::int16_t>& u, std::vector<std::int16_t>& v) {
  const auto products = lut.products();
  const auto nonzero = std::find_if(products.begin(), products.end(), [](int p) { return p != 0; });
  const auto first =
      nonzero == products.end() ? 0 : static_cast<std::size_t>(nonzero - products.begin());
  const std::int32_t* row = products.data() + first / 256 * 256;
  std::int32_t divisor = 0;
  for (std::size_t b = 0; b < 256; ++b) divisor = std::gcd(divisor, row[b]);
  if (divisor == 0) divisor = 1;
  const std::int32_t pivot =
      std::max(1, std::abs(products[first] / divisor)) * (products[first] < 0 ? -1 : 1);
  std::vector<std::int16_t> us(256), vs(256);
  for (std::size_t b = 0; b < 256; ++b) {
    if (std::abs(row[b] / divisor) > 32767) return;
    vs[b] = static_cast<std::int16_t>(row[b] / divisor);
  }
  const std::size_t flip = a_is_signed(lut.type()) ? 0x80 : 0;
  for (std::size_t a = 0; a < 256; ++a) {
    const std::int32_t factor = products[a * 256 + first % 256] / pivot;
    if (std::abs(factor) > 32767) return;
    for (std::size_t b = 0; b < 256; ++b)
      if (products[a * 256 + b] != factor * vs[b]) return;
    us[a ^ flip] = static_cast<std::int16_t>(factor);
  }
  u = std::move(us);
  v = std::move(vs);
}

}  // namespace

LutFacts::LutFacts(const Lut& table) : lut(table), bound(column_bounds(table)) {
  factor(table, u, v);
}

std::shared_ptr<const DigitProducts> LutFacts::digits() const {
  std::call_once(digits_once_, [&] {
    if (auto found = digit_products(lut))
      digits_ = std::make_shared<const DigitProducts>(std::move(*found));
  });
  return digits_;
}

std::shared_ptr<const LutFacts> facts_of(const Lut& lut) {
  constexpr std::size_t kRemembered = 16;
  thread_local std::vector<std::shared_ptr<const LutFacts>> known;  // the last one used first
  const auto same = [&](const auto& facts) {
    return facts->lut.products().data() == lut.products().data() && facts->lut.type() == lut.type();
  };
  auto found = std::find_if(known.begin(), known.end(), same);
  if (found == known.end()) {
    if (known.size() == kRemembered) known.pop_back();
    found = known.insert(known.end(), std::make_shared<const LutFacts>(lut));
  }
  std::rotate(known.begin(), found, found + 1);
  return known.front();
}

Weights::Weights(std::shared_ptr<const LutFacts> table, std::size_t fan_in, std::size_t channels,
                 std::span<const std::uint8_t> bits, std::size_t stride, const Groups& together)
    : shared_facts(std::move(table)),
      facts(*shared_facts),
      lut(facts.lut),
      k(fan_in),
      m(channels),
      groups(together),
      column(fan_in, channels) {
  const std::uint8_t b_flip = b_is_signed(lut.type()) ? 0x80 : 0;
  a_flip = a_is_signed(lut.type()) ? 0x80 : 0;
  const auto& bound = facts.bound;
  std::vector<std::uint64_t> total(m, 0), slice(m, 0);
  int32_cuts.push_back(0);
  for (std::size_t tap = 0; tap < k; ++tap) {
    bool cut = false;
    for (std::size_t c = 0; c < m; ++c)
      column(tap, c) = static_cast<std::uint8_t>(bits[tap * stride + c] ^ b_flip);
    const auto [first, last] = groups.channels_of(tap, m);
    for (std::size_t c = first; c < last; ++c) {
      const auto largest = static_cast<std::uint64_t>(bound[column(tap, c)]);
      total[c] += largest;
      slice[c] += largest;
      cut = cut || slice[c] > kInt32Limit;
    }
    if (!cut) continue;
    int32_cuts.push_back(tap);
    std::fill(slice.begin(), slice.end(), 0);
    for (std::size_t c = first; c < last; ++c)
      slice[c] = static_cast<std::uint64_t>(bound[column(tap, c)]);
  }
  int32_cuts.push_back(k);
  if (m == 0) return;
  const auto worst = std::max_element(total.begin(), total.end());
  worst_channel = static_cast<std::size_t>(worst - total.begin());
  worst_bound = *worst;
}

void require_int32(const Weights& weights) {
  if (weights.accumulator() == Accumulator::int32) return;
  throw InputError(601, "32-bit sums could overflow: over K = " + std::to_string(weights.k) +
                            " taps the largest |products| of output channel " +
                            std::to_string(weights.worst_channel) + " add up to " +
                            std::to_string(weights.worst_bound) +
                            ", the bound is 2147483647; use 64-bit sums");
}

}  // namespace detail

namespace {

/// Throws UsageError unless `rows` rows of `cols` elements fit.
std::size_t checked_stride(const char* what, std::size_t size, std::size_t rows, std::size_t cols,
                           std::size_t stride) {
  if (stride == 0) stride = cols;
  if (stride < cols)
    throw UsageError(600, std::string("stride ") + std::to_string(stride) + " of " + what +
                              " is smaller than its row of " + std::to_string(cols));
  if (rows == 0 || cols == 0) return stride;
  std::size_t needed = 0;
  if (__builtin_mul_overflow(rows - 1, stride, &needed) ||
      __builtin_add_overflow(needed, cols, &needed) || size < needed)
    throw UsageError(600, std::string(what) + " has " + std::to_string(size) + " elements; " +
                              std::to_string(rows) + " rows of " + std::to_string(cols) +
                              " with stride " + std::to_string(stride) + " need more");
  return stride;
}

std::string kernel_name(const LutGemmOptions& options) {
  if (!options.kernel.empty()) return options.kernel;
  const char* forced = std::getenv("AXMUL_KERNEL");
  return forced == nullptr ? std::string() : std::string(forced);
}

}  // namespace

struct LutGemmPlan::State {
  detail::Weights weights;
  std::string kernel;

  template <class T>
  void run(std::size_t n, std::span<const std::uint8_t> a, std::span<T> y,
           const LutGemmOptions& options) const {
    const std::size_t a_stride = checked_stride("a", a.size(), n, weights.k, options.a_stride);
    const std::size_t y_stride = checked_stride("y", y.size(), n, weights.m, options.y_stride);
    const detail::Segment whole{0, weights.k, 0};
    const detail::Activations rows{
        a.data(), n, static_cast<std::ptrdiff_t>(a_stride), {}, {&whole, 1}};
    run_product(weights, rows, y.data(), y_stride, options.threads, kernel);
  }
};

LutGemmPlan::LutGemmPlan(const Lut& lut, std::size_t k, std::size_t m,
                         std::span<const std::uint8_t> b, const LutGemmOptions& options)
    : state_(new State{detail::Weights(detail::facts_of(lut), k, m, b,
                                       checked_stride("b", b.size(), k, m, options.b_stride)),
                       kernel_name(options)}) {}
LutGemmPlan::~LutGemmPlan() = default;
LutGemmPlan::LutGemmPlan(LutGemmPlan&&) noexcept = default;
LutGemmPlan& LutGemmPlan::operator=(LutGemmPlan&&) noexcept = default;

std::size_t LutGemmPlan::k() const { return state_->weights.k; }
std::size_t LutGemmPlan::m() const { return state_->weights.m; }
Accumulator LutGemmPlan::accumulator() const { return state_->weights.accumulator(); }

void LutGemmPlan::run(std::size_t n, std::span<const std::uint8_t> a, std::span<std::int32_t> y,
                      const LutGemmOptions& options) const {
  detail::require_int32(state_->weights);
  state_->run(n, a, y, options);
}
void LutGemmPlan::run(std::size_t n, std::span<const std::uint8_t> a, std::span<std::int64_t> y,
                      const LutGemmOptions& options) const {
  state_->run(n, a, y, options);
}

std::string LutGemmPlan::kernel_for(std::size_t n, std::span<const std::uint8_t> a,
                                    std::size_t a_stride) const {
  const detail::Weights& weights = state_->weights;
  const std::size_t stride = checked_stride("a", a.size(), n, weights.k, a_stride);
  const detail::Segment whole{0, weights.k, 0};
  return detail::kernel_for(
      weights, {a.data(), n, static_cast<std::ptrdiff_t>(stride), {}, {&whole, 1}}, state_->kernel);
}

Accumulator required_accumulator(const Lut& lut, const GemmShape& shape,
                                 std::span<const std::uint8_t> b, std::size_t b_stride) {
  return detail::Weights(detail::facts_of(lut), shape.k, shape.m, b,
                         checked_stride("b", b.size(), shape.k, shape.m, b_stride))
      .accumulator();
}

Accumulator required_accumulator(const Lut& lut, std::size_t fan_in, std::int64_t beside) {
  const auto per_tap = static_cast<std::uint64_t>(std::int64_t{lut.largest()} + beside);
  return per_tap == 0 || fan_in <= detail::kInt32Limit / per_tap ? Accumulator::int32
                                                                 : Accumulator::int64;
}

void lut_gemm(const Lut& lut, const GemmShape& shape, std::span<const std::uint8_t> a,
              std::span<const std::uint8_t> b, std::span<std::int32_t> y,
              const LutGemmOptions& options) {
  LutGemmPlan(lut, shape.k, shape.m, b, options).run(shape.n, a, y, options);
}
void lut_gemm(const Lut& lut, const GemmShape& shape, std::span<const std::uint8_t> a,
              std::span<const std::uint8_t> b, std::span<std::int64_t> y,
              const LutGemmOptions& options) {
  LutGemmPlan(lut, shape.k, shape.m, b, options).run(shape.n, a, y, options);
}

std::string lut_gemm_kernel_for(const Lut& lut, const GemmShape& shape,
                                std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                                const LutGemmOptions& options) {
  return LutGemmPlan(lut, shape.k, shape.m, b, options).kernel_for(shape.n, a, options.a_stride);
}

}  // namespace axmul
