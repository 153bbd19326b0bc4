// The full product: kernels × types × tables × sizes around every tile edge × operands × threads,
// and all shipped EvoApprox tables on real operands' ranges.
#include <fstream>
#include <iterator>

#include "axmul/core/errors.hpp"
#include "kernels/products.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

void check_all_kernels(const Lut& lut, const GemmShape& shape, Draw draw_a, Draw draw_b,
                       int threads, std::uint64_t seed) {
  const auto a = draw_bytes(shape.n * shape.k, seed, draw_a);
  const auto b = draw_bytes(shape.k * shape.m, seed + 1, draw_b);
  const auto expected = product_by_definition(lut, shape, a, b, {});
  for (const std::string& kernel : runnable_kernels()) {
    CAPTURE(kernel);
    std::vector<std::int64_t> y(expected.size(), -1);
    LutGemmOptions o;
    o.kernel = kernel;
    o.threads = threads;
    try {
      lut_gemm(lut, shape, a, b, y, o);
    } catch (const UnavailableError&) {
      CHECK((kernel.starts_with("rank1") || kernel.starts_with("sparse") ||
             kernel.starts_with("permute") || kernel.starts_with("digits") ||
             kernel.starts_with("rest")));
      continue;
    }
    CHECK(y == expected);
  }
}

}  // namespace

TEST_CASE("the full product of kernels, tables, sizes and operands") {
  std::uint64_t seed = 1;
  for (OperandType type : kOperandTypes)
    for (const auto& [name, lut] : kernel_luts(type))
      for (std::size_t n : {1u, 2u, 3u, 4u, 5u, 63u, 65u, 257u})
        for (std::size_t k : {1u, 3u, 4u, 5u, 47u, 48u, 49u, 101u})
          for (std::size_t m : {1u, 15u, 16u, 17u, 31u, 32u, 33u, 65u}) {
            CAPTURE(name);
            CAPTURE(n);
            CAPTURE(k);
            CAPTURE(m);
            const auto draw = static_cast<Draw>(seed % 5);
            const auto draw_b = static_cast<Draw>(seed / 5 % 5);
            check_all_kernels(lut, {n, k, m}, draw, draw_b,
                              seed % 3 == 0   ? 1
                              : seed % 3 == 1 ? 2
                                              : 7,
                              seed);
            ++seed;
          }
}

TEST_CASE("fan-in 40,000 with extreme operands") {
  for (OperandType type : kOperandTypes)
    for (const auto& [name, lut] : kernel_luts(type)) {
      CAPTURE(name);
      check_all_kernels(lut, {3, 40000, 17}, Draw::extreme, Draw::extreme, 2, 11);
    }
}

TEST_CASE("all EvoApprox tables") {
  const auto folder = data_path("evoapprox");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() != ".bin") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<unsigned char> raw{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(raw.size() == 2 * kLutSize);
    std::vector<std::int32_t> products(kLutSize);
    for (std::size_t i = 0; i < kLutSize; ++i) products[i] = raw[2 * i] | raw[2 * i + 1] << 8;
    const Lut lut(OperandType::u8u8, products);
    CAPTURE(entry.path().string());
    for (const Lut& variant :
         {lut, sign_magnitude(lut, OperandType::u8s8), sign_magnitude(lut, OperandType::s8s8)})
      for (Draw draw : {Draw::any, Draw::sparse, Draw::small, Draw::extreme, Draw::rare})
        check_all_kernels(variant, {97, 149, 35}, draw, Draw::any, 2, 5);
    ++tables;
  }
  CHECK(tables == 36);
}
