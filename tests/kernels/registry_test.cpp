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

namespace {

/// Traits of a product on a table of which nothing special is known.
Traits on(GemmShape shape) {
  Traits traits;
  traits.shape = shape;
  return traits;
}
Traits outer(GemmShape shape, std::size_t digits = 1) {
  Traits traits = on(shape);
  traits.outer = digits == 1;
  traits.is_digits = true;
  traits.digits = digits;
  return traits;
}
Traits sparse(GemmShape shape, double share) {
  Traits traits = on(shape);
  traits.sparse = true;
  traits.skip_share = share;
  return traits;
}
Traits bytes(GemmShape shape, double entry_work, double rest_work = 0) {
  Traits traits = on(shape);
  traits.entry_work = entry_work;
  traits.rest_work = rest_work;
  return traits;
}

constexpr GemmShape kConv{4096, 144, 16};

}  // namespace

TEST_CASE("without vector extensions the portable kernel is chosen, for few rows the scalar one") {
  CHECK(choice(on(kConv), 0) == "column_vector");
  CHECK(choice(outer(kConv), 0) == "column_vector");
  CHECK(choice(sparse(kConv, 0.97), 0) == "column_vector");
  CHECK(choice(on({8, 144, 16}), 0) == "scalar");
}

#if defined(__x86_64__)
namespace {
constexpr unsigned kServer = kAvx2 | kAvx512;       // Skylake-X
constexpr unsigned kCascade = kServer | kVnni;      // Cascade Lake: no byte permutes
constexpr unsigned kAll = kServer | kVnni | kVbmi;  // Ice Lake, Zen 4
constexpr unsigned kClient = kAvx2 | kAvxVnni;      // Alder Lake
}  // namespace

TEST_CASE("AVX2 CPUs get the kernel that suits table and operands") {
  CHECK(choice(on(kConv), kAvx2) == "column_avx2");
  CHECK(choice(on(kConv), kServer) == "column_avx512");
  CHECK(choice(on(kConv), kAvx512) == "column_vector");
  CHECK(choice(on({8, 144, 16}), kAvx2) == "scalar");
  CHECK(choice(outer(kConv), kAvx2) == "rank1_avx2");
  CHECK(choice(sparse(kConv, 0.97), kAvx2) == "sparse_avx2");
  CHECK(choice(sparse(kConv, 0.9), kAvx2) == "column_avx2");
}

TEST_CASE("byte permutes need VBMI and entries that fit") {
  CHECK(choice(bytes(kConv, 8), kServer) == "column_avx512");
  CHECK(choice(bytes(kConv, 8), kServer | kVbmi) == "permute_avx512");
  CHECK(choice(bytes({4, 144, 16}, 8), kServer | kVbmi) == "scalar");
  CHECK(choice(on(kConv), kAll) == "column_avx512");
}

TEST_CASE("few digit products go to the units for bytes, many to look-ups") {
  for (const GemmShape& shape : {kConv, GemmShape{4096, 288, 32}, GemmShape{4096, 576, 64}}) {
    CHECK(choice(outer(shape), kClient) == "digits_avxvnni");
    CHECK(choice(outer(shape), kCascade) == "digits_avx512");
    CHECK(choice(outer(shape), kAll | kAvxVnni) == "digits_avx512");
    for (const std::size_t digits : {1u, 2u, 4u}) {
      Traits traits = bytes(shape, 7);
      traits.is_digits = true;
      traits.digits = digits;
      CHECK(choice(traits, kAll) == (digits <= 2 ? "digits_avx512" : choice(traits, kAll)));
    }
    Traits many = bytes(shape, 7);
    many.is_digits = true;
    many.digits = 9;
    CHECK(choice(many, kAll) == "permute_avx512");
  }
  CHECK(choice(outer({3, 144, 16}), kAll) == "scalar");
}

TEST_CASE("a rest of one byte beside products pays, one that is as wide as the entries does not") {
  CHECK(choice(bytes(kConv, 8, 3.7), kAll) == "rest_avx512");
  CHECK(choice(bytes({4096, 576, 64}, 7.3, 3.7), kAll) == "rest_avx512");
  CHECK(choice(bytes({4096, 576, 64}, 12.8, 8), kAll) == "rest_avx512");  // signed activations
  CHECK(choice(bytes(kConv, 4.2, 3.4), kAll) == "permute_avx512");
  CHECK(choice(bytes(kConv, 8, 7.3), kAll) == "permute_avx512");
  CHECK(choice(bytes(kConv, 8, 3.7), kServer | kVbmi) == "permute_avx512");
  CHECK(choice(bytes(kConv, 8, 3.7), kCascade) == "column_avx512");
}

TEST_CASE("a product costs what the tiles cover") {
  const Kernel& permute = forced_kernel("permute_avx512", bytes(kConv, 7), kAll);
  CHECK(cost(permute, bytes({1, 10, 16}, 8)) == cost(permute, bytes({64, 10, 16}, 8)));
  CHECK(cost(permute, bytes({65, 10, 16}, 8)) ==
        doctest::Approx(2 * cost(permute, bytes({64, 10, 16}, 8))));
  const Kernel& digits = forced_kernel("digits_avx512", outer(kConv), kAll);
  CHECK(cost(digits, outer({8, 10, 1})) == cost(digits, outer({8, 10, 16})));
  CHECK(cost(digits, outer({8, 10, 16}, 3)) ==
        doctest::Approx(3 * cost(digits, outer({8, 10, 16}))));
}

TEST_CASE("a kernel that the CPU cannot run is unavailable and the message says why") {
  CHECK_THROWS_WITH_AS(forced_kernel("column_avx2", on({9, 9, 9}), 0),
                       doctest::Contains("needs AVX2"), UnavailableError);
  CHECK_THROWS_WITH_AS(forced_kernel("digits_avx512", outer({9, 9, 9}), kServer),
                       doctest::Contains("AVX512-VNNI"), UnavailableError);
  for (const char* name : {"rank1_avx2", "digits_avx512", "rest_avx512", "permute_avx512"})
    CHECK_THROWS_WITH_AS(forced_kernel(name, on({9, 9, 9}), kAll),
                         doctest::Contains("cannot compute this table"), UnavailableError);
  CHECK(std::string(forced_kernel("column_avx2", on({9, 9, 9}), kAvx2).name) == "column_avx2");
}
#endif
