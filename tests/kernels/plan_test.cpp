// A plan keeps what it derived from its weights; that must serve whatever activations come next.
#include <vector>

#include "axmul/core/errors.hpp"
#include "kernels/products.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

/// Bytes from `least` to `most`, both of which occur.
std::vector<std::uint8_t> bytes_between(std::size_t n, int least, int most, std::uint64_t seed) {
  Philox random(seed);
  std::vector<std::uint8_t> out(n);
  const auto range = static_cast<std::uint64_t>(most - least + 1);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(least + int(random.next_below(range)));
  out.front() = static_cast<std::uint8_t>(least);
  out.back() = static_cast<std::uint8_t>(most);
  return out;
}

void check_plan(const std::string& kernel, const Lut& lut, std::size_t k) {
  const std::size_t n = 33, m = 20;
  const auto b = bytes_between(k * m, 0, 255, 3);
  LutGemmOptions options;
  options.kernel = kernel;
  std::vector<std::int64_t> y(n * m);
  try {
    const LutGemmPlan plan(lut, k, m, b, options);
    const int ranges[][2] = {{100, 110}, {0, 255}, {120, 121}, {0, 20},
                             {0, 60},    {90, 90}, {200, 255}, {110, 255}};
    for (const auto& [least, most] : ranges) {
      CAPTURE(least);
      CAPTURE(most);
      const auto a = bytes_between(n * k, least, most, 4);
      plan.run(n, a, y, options);
      CHECK(y == product_by_definition(lut, {n, k, m}, a, b, options));
    }
  } catch (const UnavailableError&) {  // a kernel that does not take this table
  }
}

}  // namespace

TEST_CASE("a plan serves narrow, wide and other narrow activations one after another") {
  for (const std::string& kernel : runnable_kernels())
    for (const OperandType type : {OperandType::u8u8, OperandType::s8s8})
      for (const auto& [name, lut] : kernel_luts(type)) {
        CAPTURE(kernel);
        CAPTURE(name);
        check_plan(kernel, lut, 40);
      }
}

TEST_CASE("so does a plan whose sums are added in parts") {
  for (const std::string& kernel : runnable_kernels()) {
    CAPTURE(kernel);
    check_plan(kernel, wild_lut(OperandType::u8u8, 6), 300);
    check_plan(kernel, Lut::from_function(OperandType::s8s8, [](int, int) { return 16777215; }),
               261);
  }
}
