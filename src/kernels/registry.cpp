// The table of kernels, CPU detection and the choice among them.
#include "kernels/registry.hpp"

#include <string_view>

#include "axmul/core/errors.hpp"

namespace axmul {
namespace detail {

#define AXMUL_KERNEL(name, needs, function, purpose) void function(const Problem&);
#include "kernels/kernels.def"
#undef AXMUL_KERNEL

namespace {

constexpr Kernel kKernels[] = {
#define AXMUL_KERNEL(name, needs, function, purpose) {#name, needs, function, purpose},
#include "kernels/kernels.def"
#undef AXMUL_KERNEL
};

bool starts_with(const Kernel& kernel, std::string_view prefix) {
  return std::string_view(kernel.name).substr(0, prefix.size()) == prefix;
}

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
  return text;
}

std::span<const Kernel> registry() { return kKernels; }

bool can_compute(const Kernel& kernel, const Traits& traits) {
  if (starts_with(kernel, "rank1")) return traits.rank1;
  if (starts_with(kernel, "sparse")) return traits.sparse;
  if (starts_with(kernel, "permute")) return traits.permute;
  return true;
}

const Kernel& select_kernel(const Traits& traits, unsigned features) {
  // Laying out column tables costs about as much as this many rows do (src/kernels/README.md).
  constexpr std::size_t kColumnRows = 48, kRank1Rows = 8, kPermuteRows = 5;
  const std::size_t n = traits.shape.n;
  for (const Kernel& kernel : kKernels) {
    if ((kernel.needs & ~features) != 0 || !can_compute(kernel, traits)) continue;
    if (starts_with(kernel, "rank1") && n < kRank1Rows) continue;
    if (starts_with(kernel, "permute") && n < kPermuteRows) continue;
    if (starts_with(kernel, "sparse") && (n < kColumnRows || traits.skip_share < kSparseShare))
      continue;
    if (starts_with(kernel, "column") && n < kColumnRows) continue;
    return kernel;
  }
  return kKernels[std::size(kKernels) - 1];
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
  traits.permute = true;
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
