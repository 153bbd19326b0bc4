// The choice of a kernel, also for CPUs that we do not have.
#include "kernels/registry.hpp"

#include <cstdlib>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;
using namespace axmul::detail;

namespace {
std::string choice(Traits traits, unsigned features) {
  return select_kernel(traits, features).name;
}
}  // namespace

TEST_CASE("the list ends with the reference and names are unique") {
  const auto kernels = lut_gemm_kernels();
  CHECK(kernels.back().name == "scalar");
  CHECK(kernels.back().supported);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(kernels[i].name != kernels[j].name);
}

TEST_CASE("without vector extensions the portable kernel is chosen, for few rows the scalar one") {
  CHECK(choice({{4096, 144, 16}}, 0) == "column_vector");
  CHECK(choice({{4096, 144, 16}, true, true, 0.9}, 0) == "column_vector");
  CHECK(choice({{8, 144, 16}}, 0) == "scalar");
}

#if defined(__x86_64__)
TEST_CASE("AVX2 CPUs get the kernel that suits table and operands") {
  CHECK(choice({{4096, 144, 16}}, kAvx2) == "column_avx2");
  CHECK(choice({{4096, 144, 16}}, kAvx2 | kAvx512) == "column_avx512");
  CHECK(choice({{4096, 144, 16}, false, false, 0, true}, kAvx2 | kAvx512) == "column_avx512");
  CHECK(choice({{4096, 144, 16}, false, false, 0, true}, kAvx2 | kAvx512 | kVbmi) ==
        "permute_avx512");
  CHECK(choice({{4, 144, 16}, false, false, 0, true}, kAvx2 | kAvx512 | kVbmi) == "scalar");
  CHECK(choice({{4096, 144, 16}}, kAvx2 | kAvx512 | kVbmi) == "column_avx512");
  CHECK(choice({{4096, 144, 16}}, kAvx512) == "column_vector");
  CHECK(choice({{8, 144, 16}}, kAvx2) == "scalar");
  CHECK(choice({{4096, 144, 16}, true}, kAvx2) == "rank1_avx2");
  CHECK(choice({{4096, 144, 16}, false, true, 0.97}, kAvx2) == "sparse_avx2");
  CHECK(choice({{4096, 144, 16}, false, true, 0.9}, kAvx2) == "column_avx2");
  CHECK(choice({{4096, 144, 16}, false, false, 0.97}, kAvx2) == "column_avx2");
}

TEST_CASE("a kernel that the CPU cannot run is unavailable and the message says why") {
  CHECK_THROWS_WITH_AS(forced_kernel("column_avx2", {{9, 9, 9}}, 0),
                       doctest::Contains("needs AVX2"), UnavailableError);
  CHECK_THROWS_WITH_AS(forced_kernel("rank1_avx2", {{9, 9, 9}}, kAvx2),
                       doctest::Contains("cannot compute this table"), UnavailableError);
  CHECK(std::string(forced_kernel("column_avx2", {{9, 9, 9}}, kAvx2).name) == "column_avx2");
}
#endif
