// The table of kernels, CPU detection and the choice among them.
#include "kernels/registry.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "axmul/core/errors.hpp"

namespace axmul {
namespace detail {

#define AXMUL_KERNEL(name, needs, function, fit, least_rows, n, m, s16, s32, s64, purpose) \
  void function(const Problem&);
#include "kernels/kernels.def"
#undef AXMUL_KERNEL

namespace {

constexpr Kernel kKernels[] = {
#define AXMUL_KERNEL(name, needs, function, fit, least_rows, n, m, s16, s32, s64, purpose) \
  {#name, needs, function, Fit::fit, least_rows, {n, 1, m}, {s16, s32, s64}, purpose},
#include "kernels/kernels.def"
#undef AXMUL_KERNEL
};

std::size_t round_up(std::size_t size, std::size_t step) { return (size + step - 1) / step * step; }

}  // namespace

unsigned cpu_features() {
  unsigned features = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) features |= kAvx2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    features |= kAvx512;
  if ((features & kAvx512) != 0 && __builtin_cpu_supports("avx512vnni")) features |= kVnni;
  if ((features & kAvx512) != 0 && __builtin_cpu_supports("avx512vbmi")) features |= kVbmi;
  if ((features & kAvx2) != 0 && __builtin_cpu_supports("avxvnni")) features |= kAvxVnni;
#endif
  return features;
}

std::string features_text(unsigned features) {
  std::string text;
  const auto add = [&](unsigned bit, const char* name) {
    if ((features & bit) == 0) return;
    if (!text.empty()) text += " ";
    text += name;
  };
  add(kAvx2, "AVX2");
  add(kAvx512, "AVX-512");
  add(kVnni, "AVX512-VNNI");
  add(kVbmi, "AVX512-VBMI");
  add(kAvxVnni, "AVX-VNNI");
  return text;
}

std::span<const Kernel> registry() { return kKernels; }

bool can_compute(const Kernel& kernel, const Traits& traits) {
  switch (kernel.fit) {
    case Fit::outer:
      return traits.outer;
    case Fit::digits:
      return traits.is_digits;
    case Fit::entries:
      return traits.entry_work > 0;
    case Fit::rests:
      return traits.rest_work > 0;
    case Fit::sparse:
      return traits.sparse;
    default:
      return true;
  }
}

double cost(const Kernel& kernel, const Traits& traits) {
  const GemmShape& s = traits.shape;
  const double products = static_cast<double>(round_up(s.n, kernel.tile.n)) *
                          static_cast<double>(s.k) *
                          static_cast<double>(round_up(s.m, kernel.tile.m));
  const std::size_t wide = s.m <= 16 ? 0 : s.m <= 32 ? 1 : 2;
  // Products a cycle of bytes beside look-ups of rests, sums written and read again included.
  constexpr double kBytes[3] = {41, 62, 63};
  double work = 1 / kernel.speed[wide];
  if (kernel.fit == Fit::digits) work *= std::max(0.5, static_cast<double>(traits.digits));
  if (kernel.fit == Fit::entries) work *= traits.entry_work;
  if (kernel.fit == Fit::rests) work = work * traits.rest_work + 1 / kBytes[wide];
  return products * work;
}

bool may_take(Fit fit, const std::string& forced, unsigned features) {
  return std::any_of(std::begin(kKernels), std::end(kKernels), [&](const Kernel& kernel) {
    if (kernel.fit != fit) return false;
    return forced.empty() ? (kernel.needs & ~features) == 0 && kernel.speed[0] > 0
                          : forced == kernel.name;
  });
}

const Kernel& select_kernel(const Traits& traits, unsigned features) {
  const Kernel* best = &kKernels[std::size(kKernels) - 1];
  double least = std::numeric_limits<double>::infinity();
  for (const Kernel& kernel : kKernels) {
    if ((kernel.needs & ~features) != 0 || !can_compute(kernel, traits)) continue;
    if (traits.shape.n < kernel.least_rows || kernel.speed[0] == 0) continue;
    if (kernel.fit == Fit::sparse && traits.skip_share < kSparseShare) continue;
    const double cycles = cost(kernel, traits);
    if (cycles >= least) continue;
    least = cycles;
    best = &kernel;
  }
  return *best;
}

const Kernel& forced_kernel(const std::string& name, const Traits& traits, unsigned features) {
  std::string known;
  for (const Kernel& kernel : kKernels) {
    known += (known.empty() ? "" : ", ") + std::string(kernel.name);
    if (name != kernel.name) continue;
    if ((kernel.needs & ~features) != 0)
      throw UnavailableError(602, "kernel \"" + name + "\" needs " + features_text(kernel.needs) +
                                      ", this CPU has " +
                                      (features == 0 ? "none of it" : features_text(features)));
    if (!can_compute(kernel, traits))
      throw UnavailableError(602, "kernel \"" + name + "\" cannot compute this table (" +
                                      kernel.purpose + "); leave the choice to axmul or force " +
                                      "column_vector, which takes any");
    return kernel;
  }
  throw UnavailableError(602, "there is no kernel \"" + name + "\"; known: " + known);
}

bool permute_is_wanted(const std::string& forced) {
  return (forced.empty() || forced == "permute_avx512") && (cpu_features() & kVbmi) != 0;
}

const Kernel& permute_kernel() {
  Traits traits;
  traits.entry_work = 1;
  return forced_kernel("permute_avx512", traits, cpu_features());
}

}  // namespace detail

std::vector<KernelInfo> lut_gemm_kernels() {
  std::vector<KernelInfo> out;
  const unsigned features = detail::cpu_features();
  for (const detail::Kernel& kernel : detail::registry())
    out.push_back({kernel.name, kernel.purpose, detail::features_text(kernel.needs), true,
                   (kernel.needs & ~features) == 0});
  return out;
}

}  // namespace axmul
