// Runs a product: looks at the operands, chooses a kernel, and adds slices up for 64-bit sums.
#include "kernels/engine.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "kernels/column.hpp"
#include "kernels/permute.hpp"
#include "kernels/registry.hpp"

namespace axmul {

namespace {
thread_local const char* g_last_kernel = "";
}

std::string last_lut_gemm_kernel() { return g_last_kernel; }

namespace detail {

void set_last_kernel(const char* name) { g_last_kernel = name; }

namespace {

// Rows that are looked at together: what is kept per row stays a few megabytes.
constexpr std::size_t kSlabRows = std::size_t{1} << 18;

/// The commonest activation byte and its share, from some 500 activations of rows spread over all.
std::pair<std::uint8_t, double> commonest(const Activations& a) {
  constexpr std::size_t kWanted = 512, kLeastRows = 4, kMostRows = 64;
  std::array<std::size_t, 256> count{};
  std::size_t total = 0;
  std::size_t fan_in = 0;
  for (const Segment& s : a.segments) fan_in += s.length;
  const std::size_t rows =
      std::clamp<std::size_t>(kWanted / std::max<std::size_t>(1, fan_in), kLeastRows, kMostRows);
  const std::size_t row_step = std::max<std::size_t>(1, a.rows / rows);
  const std::size_t step = fan_in * kLeastRows / kWanted | 1;  // odd, so that all channels are met
  for (std::size_t row = 0; row < a.rows; row += row_step) {
    const std::uint8_t* bytes = a.base + a.offset_of(row);
    for (const Segment& s : a.segments)
      for (std::size_t i = 0; i < s.length; i += step, ++total)
        ++count[bytes[s.offset + static_cast<std::ptrdiff_t>(i)]];
  }
  const auto most = std::max_element(count.begin(), count.end());
  return {static_cast<std::uint8_t>(most - count.begin()),
          total == 0 ? 0.0 : static_cast<double>(*most) / static_cast<double>(total)};
}

struct Choice {
  const Kernel* kernel = nullptr;
  std::uint8_t skip = 0;
};

/// What the choice needs to know; what no kernel that may be taken asks for is not looked at.
Traits traits_of(const Weights& weights, const Activations& a, const std::string& name,
                 unsigned features, std::uint8_t& skip) {
  Traits traits;
  traits.shape = {a.rows, weights.k, weights.m};
  traits.outer = !weights.facts.u.empty();
  std::tie(skip, traits.skip_share) = commonest(a);
  const bool forced = !name.empty();
  const auto asked = [&](Fit fit) { return may_take(fit, name, features); };
  if (asked(Fit::digits)) {
    const auto digits = weights.facts.digits();
    traits.is_digits = digits != nullptr;
    traits.digits = digits == nullptr ? 0 : digits->products.size();
  }
  // Steps of permutes take four bytes a weight, too much for the largest layers.
  constexpr std::size_t kMostWeights = std::size_t{1} << 22;
  const bool small = forced || weights.k * weights.m <= kMostWeights;
  if (small && asked(Fit::entries))
    traits.entry_work = permute_work(weights, PermuteTerms::entries);
  if (small && asked(Fit::rests)) traits.rest_work = permute_work(weights, PermuteTerms::rests);
  traits.sparse = asked(Fit::sparse) && (forced || traits.skip_share >= kSparseShare) &&
                  sparse_fits(weights, skip);
  return traits;
}

Choice choose(const Weights& weights, const Activations& a, const std::string& name) {
  if (weights.groups.count > 1) return {&permute_kernel(), 0};
  const unsigned features = cpu_features();
  std::uint8_t skip = 0;
  const Traits traits = traits_of(weights, a, name, features, skip);
  return {name.empty() ? &select_kernel(traits, features) : &forced_kernel(name, traits, features),
          skip};
}

void run_slice(const Choice& choice, const Weights& weights, const Activations& a,
               std::size_t k_begin, std::size_t k_end, std::int32_t* y, std::size_t y_stride,
               int threads) {
  if (k_begin == k_end) {  // an empty sum
    for (std::size_t r = 0; r < a.rows; ++r) std::fill_n(y + r * y_stride, weights.m, 0);
    return;
  }
  choice.kernel->run({&weights, &a, k_begin, k_end, y, y_stride, threads, choice.skip});
}

}  // namespace

std::string kernel_for(const Weights& weights, const Activations& a, const std::string& kernel) {
  return choose(weights, a, kernel).kernel->name;
}

void run_product(const Weights& weights, const Activations& a, std::int32_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel) {
  const Choice choice = choose(weights, a, kernel);
  if (weights.m == 0) return;
  for (std::size_t first = 0; first < a.rows; first += kSlabRows) {
    const Activations part = a.part(first, std::min(kSlabRows, a.rows - first));
    run_slice(choice, weights, part, 0, weights.k, y + first * y_stride, y_stride, threads);
  }
}

void run_product(const Weights& weights, const Activations& a, std::int64_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel) {
  const Choice choice = choose(weights, a, kernel);
  if (a.rows == 0 || weights.m == 0) return;
  // 32-bit sums over slices that cannot overflow, added up in 64 bits, a block of rows at a time.
  const std::size_t rows = std::clamp<std::size_t>((std::size_t{1} << 20) / weights.m, 1, a.rows);
  std::vector<std::int32_t> sums(rows * weights.m);
  for (std::size_t first = 0; first < a.rows; first += rows) {
    const Activations part = a.part(first, std::min(rows, a.rows - first));
    for (std::size_t cut = 0; cut + 1 < weights.int32_cuts.size(); ++cut) {
      run_slice(choice, weights, part, weights.int32_cuts[cut], weights.int32_cuts[cut + 1],
                sums.data(), weights.m, threads);
      for (std::size_t r = 0; r < part.rows; ++r)
        for (std::size_t m = 0; m < weights.m; ++m) {
          std::int64_t& out = y[(first + r) * y_stride + m];
          out = (cut == 0 ? 0 : out) + sums[r * weights.m + m];
        }
    }
  }
}

}  // namespace detail
}  // namespace axmul
