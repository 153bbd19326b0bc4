// The Python programs in this layer's pages run as they stand.
#include <cmath>
#include <fstream>

#include "axmul/tables/traces.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

/// The first ```python block of a page.
std::string program(const std::string& page) {
  const std::string text = test::read_text(test::source_dir() / "src" / "tables" / page);
  const std::size_t begin = text.find("```python\n") + 10;
  REQUIRE(begin > 10);
  return text.substr(begin, text.find("```\n", begin) - begin);
}

}  // namespace

TEST_CASE("the reader of error tables in README.md reads one") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5", out = scratch / "out";
  test::write_table(path, {test::design("skew", test::asymmetric_lut(OperandType::u8u8))}, {}, {});
  REQUIRE(test::python(program("README.md"), path + " > " + out));
  // 3·3·200 + 7·3 − 5·200 + 11 = 832; the exact product is 600.
  CHECK(test::read_text(out).starts_with("skew 832 232 "));
}

TEST_CASE("the writer of traces in TRACES.md writes one that is read") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  REQUIRE(test::python(program("TRACES.md"), path));
  const auto layers = read_traces(path);
  REQUIRE(layers.size() == 1);
  const LayerOperands& layer = layers.front();
  CHECK(layer.name == "conv1");
  CHECK(layer.patch_count == 512);
  CHECK(layer.fan_in == 27);
  CHECK(layer.out_channels == 16);
  double sum = 0, squares = 0;
  for (std::size_t s = 0; s < 512; ++s)
    for (std::size_t m = 0; m < 16; ++m) {
      double y = 0;
      for (std::size_t k = 0; k < 27; ++k)
        y += layer.patches[s * 27 + k] * (layer.weights[k * 16 + m] - 128.0);
      sum += y;
      squares += y * y;
    }
  const double n = 512 * 16;
  const double deviation = std::sqrt(squares / n - sum / n * sum / n);
  CHECK(layer.output_std == doctest::Approx(deviation).epsilon(1e-9));
}
