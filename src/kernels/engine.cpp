// Runs a product: slices for 64-bit sums, kernel choice.
#include "kernels/engine.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"

namespace axmul {

namespace {
thread_local const char* g_last_kernel = "";
}

std::string last_lut_gemm_kernel() { return g_last_kernel; }

std::vector<KernelInfo> lut_gemm_kernels() {
  return {{"scalar", "the reference: one table look-up per product", "", true, true}};
}

namespace detail {

void set_last_kernel(const char* name) { g_last_kernel = name; }

std::string kernel_for(const Weights&, const Activations&, const std::string& kernel) {
  if (!kernel.empty() && kernel != "scalar")
    throw UnavailableError(602, "there is no kernel \"" + kernel + "\"; known: scalar");
  return "scalar";
}

void run_product(const Weights& weights, const Activations& a, std::int32_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel) {
  kernel_for(weights, a, kernel);
  if (a.rows == 0 || weights.m == 0) return;
  run_scalar({&weights, &a, 0, weights.k, y, y_stride, threads});
}

void run_product(const Weights& weights, const Activations& a, std::int64_t* y,
                 std::size_t y_stride, int threads, const std::string& kernel) {
  kernel_for(weights, a, kernel);
  if (a.rows == 0 || weights.m == 0) return;
  // 32-bit sums over slices that cannot overflow, added up in 64 bits, a block of rows at a time.
  const std::size_t rows = std::clamp<std::size_t>((std::size_t{1} << 20) / weights.m, 1, a.rows);
  std::vector<std::int32_t> sums(rows * weights.m);
  for (std::size_t first = 0; first < a.rows; first += rows) {
    Activations part = a;
    part.rows = std::min(rows, a.rows - first);
    part.base = a.row_offset.empty() ? a.base + a.offset_of(first) : a.base;
    if (!a.row_offset.empty()) part.row_offset = a.row_offset.subspan(first, part.rows);
    for (std::size_t cut = 0; cut + 1 < weights.int32_cuts.size(); ++cut) {
      run_scalar({&weights, &part, weights.int32_cuts[cut], weights.int32_cuts[cut + 1],
                  sums.data(), weights.m, threads});
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
