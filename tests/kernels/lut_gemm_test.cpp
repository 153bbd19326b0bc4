// Products equal the definition for every kernel, type, shape, stride and thread count.
#include "axmul/kernels/lut_gemm.hpp"

#include <cstdlib>
#include <vector>

#include "axmul/core/errors.hpp"
#include "kernels/products.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

struct Case {
  GemmShape shape;
  LutGemmOptions options;
  Draw draw = Draw::any;
};

/// Runs one product on a forced kernel and compares. False where the kernel refuses the table.
bool equals_definition(const Lut& lut, const Case& c, const std::string& kernel,
                       std::uint64_t seed) {
  LutGemmOptions o = c.options;
  o.kernel = kernel;
  const std::size_t a_stride = o.a_stride ? o.a_stride : c.shape.k;
  const std::size_t b_stride = o.b_stride ? o.b_stride : c.shape.m;
  const auto a = draw_bytes(c.shape.n * a_stride, seed, c.draw);
  const auto b =
      draw_bytes(c.shape.k * b_stride, seed + 1, c.draw == Draw::sparse ? Draw::small : c.draw);
  const auto expected = product_by_definition(lut, c.shape, a, b, o);
  std::vector<std::int64_t> y64(expected.size(), -77);
  try {
    lut_gemm(lut, c.shape, a, b, y64, o);
  } catch (const UnavailableError&) {
    return false;
  }
  CHECK(y64 == expected);
  if (c.shape.k > 0 && c.shape.n > 0 && c.shape.m > 0) CHECK(last_lut_gemm_kernel() == kernel);
  if (required_accumulator(lut, c.shape, b, o.b_stride) == Accumulator::int32) {
    std::vector<std::int32_t> y32(expected.size(), -77);
    lut_gemm(lut, c.shape, a, b, y32, o);
    CHECK(std::equal(y32.begin(), y32.end(), expected.begin()));
  }
  return true;
}

/// Kernels that may refuse some tables; all others must take any.
bool is_special(const std::string& kernel) {
  return kernel.starts_with("rank1") || kernel.starts_with("sparse") ||
         kernel.starts_with("permute") || kernel.starts_with("digits") ||
         kernel.starts_with("rest");
}

}  // namespace

TEST_CASE("every kernel equals the definition around its tile edges") {
  const GemmShape shapes[] = {{1, 1, 1},   {3, 7, 15},   {4, 48, 16},  {5, 49, 17}, {67, 47, 31},
                              {9, 97, 33}, {64, 33, 64}, {13, 20, 65}, {2, 131, 2}};
  for (const std::string& kernel : runnable_kernels()) {
    CAPTURE(kernel);
    int computed = 0;
    for (OperandType type : kOperandTypes)
      for (const auto& [name, lut] : kernel_luts(type)) {
        CAPTURE(name);
        std::uint64_t seed = 100;
        for (const GemmShape& shape : shapes)
          for (Draw draw : {Draw::any, Draw::sparse}) {
            CAPTURE(shape.n);
            CAPTURE(shape.k);
            CAPTURE(shape.m);
            const bool done = equals_definition(lut, {shape, {}, draw}, kernel, seed += 2);
            computed += done;
            if (!is_special(kernel)) CHECK(done);
          }
      }
    CHECK(computed > 60);  // also the special kernels computed a good part
  }
}

TEST_CASE("rare large activations, in tiles with and without them, full and not") {
  for (const std::string& kernel : runnable_kernels())
    for (OperandType type : kOperandTypes)
      for (const auto& [name, lut] : kernel_luts(type)) {
        CAPTURE(kernel);
        CAPTURE(name);
        const bool done = equals_definition(lut, {{331, 37, 18}, {}, Draw::rare}, kernel, 77) &&
                          equals_definition(lut, {{67, 300, 3}, {}, Draw::rare}, kernel, 78) &&
                          equals_definition(lut, {{129, 2100, 1}, {}, Draw::rare}, kernel, 79);
        if (!is_special(kernel)) CHECK(done);
      }
}

TEST_CASE("strides are honoured and gaps are left alone") {
  for (const std::string& kernel : runnable_kernels())
    for (OperandType type : kOperandTypes)
      for (std::size_t m : {3u, 16u, 32u, 37u}) {
        CAPTURE(kernel);
        LutGemmOptions o;
        o.a_stride = 61;
        o.b_stride = m + 5;
        o.y_stride = m + 3;
        const bool done =
            equals_definition(Lut::exact(type), {{21, 53, m}, o, Draw::small}, kernel, m);
        if (!kernel.starts_with("sparse")) CHECK(done);
      }
}

TEST_CASE("any number of threads gives the same sums") {
  for (const std::string& kernel : runnable_kernels())
    for (int threads : {1, 2, 7}) {
      CAPTURE(kernel);
      CAPTURE(threads);
      LutGemmOptions o;
      o.threads = threads;
      // u8u8: weights near the middle, so that the sparse kernel's entries fit.
      CHECK(equals_definition(Lut::exact(OperandType::u8u8), {{1031, 29, 19}, o, Draw::sparse},
                              kernel, 9));
    }
}

TEST_CASE("empty products") {
  for (const std::string& kernel : runnable_kernels())
    for (const GemmShape& shape : {GemmShape{0, 5, 6}, GemmShape{5, 0, 6}, GemmShape{5, 6, 0}})
      CHECK(equals_definition(Lut::exact(OperandType::s8s8), {shape, {}}, kernel, 1));
}

TEST_CASE("extreme operands over a long fan-in") {
  for (const std::string& kernel : runnable_kernels())
    for (OperandType type : kOperandTypes) {
      CAPTURE(kernel);
      const bool done =
          equals_definition(Lut::exact(type), {{2, 40000, 3}, {}, Draw::extreme}, kernel, 4);
      if (!kernel.starts_with("sparse")) CHECK(done);
    }
}

TEST_CASE("int32 sums are refused where they could overflow, by the bound of the weights") {
  const Lut lut = Lut::exact(OperandType::u8u8);
  // 255 · 255 · 33025 < 2^31 <= 255 · 255 · 33026.
  for (const std::size_t k : {33025u, 33026u}) {
    const std::vector<std::uint8_t> a(k, 255), b(k, 255);
    std::vector<std::int32_t> y(1);
    std::vector<std::int64_t> y64(1);
    const GemmShape shape{1, k, 1};
    lut_gemm(lut, shape, a, b, y64);
    CHECK(y64[0] == static_cast<std::int64_t>(k) * 65025);
    if (k == 33025) {
      CHECK(required_accumulator(lut, shape, b) == Accumulator::int32);
      lut_gemm(lut, shape, a, b, y);
      CHECK(y[0] == 33025 * 65025);
    } else {
      CHECK(required_accumulator(lut, shape, b) == Accumulator::int64);
      CHECK_THROWS_WITH_AS(lut_gemm(lut, shape, a, b, y), doctest::Contains("K = 33026"),
                           InputError);
    }
  }
}

TEST_CASE("for any weights int32 is enough where fan-in times the largest product is below 2^31") {
  // ⌊(2^31 − 1) / 65025⌋ = 33025, / 16384 = 131071, / (65025 + 65025) = 16512.
  const Lut u = Lut::exact(OperandType::u8u8), s = Lut::exact(OperandType::s8s8);
  for (const auto& [lut, beside, most] :
       {std::tuple{u, 0, 33025u}, {s, 0, 131071u}, {u, 65025, 16512u}}) {
    CHECK(required_accumulator(lut, most, beside) == Accumulator::int32);
    CHECK(required_accumulator(lut, most + 1, beside) == Accumulator::int64);
  }
  const Lut zero = Lut::from_function(OperandType::u8u8, [](int, int) { return 0; });
  CHECK(required_accumulator(zero, std::size_t{1} << 60) == Accumulator::int32);
}

TEST_CASE("a plan gives the same as separate products, from any batch") {
  const Lut lut = random_lut(OperandType::u8u8, 3);
  const auto b = draw_bytes(70 * 20, 8, Draw::any);
  const LutGemmPlan plan(lut, 70, 20, b);
  for (Draw draw : {Draw::any, Draw::sparse, Draw::small}) {
    const std::size_t n = 131;
    const auto a = draw_bytes(n * 70, 12, draw);
    std::vector<std::int32_t> y(n * 20);
    plan.run(n, a, y);
    const auto expected = product_by_definition(lut, {n, 70, 20}, a, b, {});
    CHECK(std::equal(y.begin(), y.end(), expected.begin()));
    CHECK(last_lut_gemm_kernel() == plan.kernel_for(n, a));
  }
}

TEST_CASE("spans and strides are checked") {
  const Lut lut = Lut::exact(OperandType::u8u8);
  const std::vector<std::uint8_t> a(12), b(12);
  std::vector<std::int32_t> y(9);
  const GemmShape shape{3, 4, 3};
  CHECK_NOTHROW(lut_gemm(lut, shape, a, b, y));
  CHECK_THROWS_AS(lut_gemm(lut, shape, std::span(a).first(11), b, y), UsageError);
  CHECK_THROWS_AS(lut_gemm(lut, shape, a, std::span(b).first(11), y), UsageError);
  CHECK_THROWS_AS(lut_gemm(lut, shape, a, b, std::span(y).first(8)), UsageError);
  LutGemmOptions narrow;
  narrow.a_stride = 3;
  CHECK_THROWS_WITH_AS(lut_gemm(lut, shape, a, b, y, narrow), doctest::Contains("stride 3"),
                       UsageError);
  CHECK_THROWS_AS(lut_gemm(lut, {std::size_t{1} << 40, std::size_t{1} << 40, 3}, a, b, y),
                  UsageError);
}

TEST_CASE("AXMUL_KERNEL forces a kernel, the option comes first, an unknown one is unavailable") {
  const Lut lut = random_lut(OperandType::u8u8, 1);
  const auto a = draw_bytes(100 * 20, 1, Draw::any), b = draw_bytes(20 * 16, 2, Draw::any);
  std::vector<std::int32_t> y(100 * 16);
  const GemmShape shape{100, 20, 16};
  ::setenv("AXMUL_KERNEL", "scalar", 1);
  lut_gemm(lut, shape, a, b, y);
  CHECK(last_lut_gemm_kernel() == "scalar");
  CHECK(lut_gemm_kernel_for(lut, shape, a, b) == "scalar");
  LutGemmOptions o;
  o.kernel = "column_vector";
  lut_gemm(lut, shape, a, b, y, o);
  CHECK(last_lut_gemm_kernel() == "column_vector");
  ::setenv("AXMUL_KERNEL", "fastest", 1);
  CHECK_THROWS_WITH_AS(lut_gemm(lut, shape, a, b, y), doctest::Contains("column_vector, scalar"),
                       UnavailableError);
  ::unsetenv("AXMUL_KERNEL");
  o.kernel = "rank1_avx2";
  CHECK_THROWS_AS(lut_gemm(lut, shape, a, b, y, o), UnavailableError);
}
