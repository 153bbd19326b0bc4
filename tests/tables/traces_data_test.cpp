// The traces of ResNet-20 as they were recorded by someone else.
#include <numeric>

#include "axmul/tables/traces.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

TEST_CASE("the 19 convolutions of ResNet-20 read, entry by entry as in h5py") {
  const auto path = test::data_path("traces/resnet20.h5");
  if (!path) AXMUL_SKIP("needs AXMUL_DATA/traces/resnet20.h5");
  const auto layers = read_traces(path->string());
  REQUIRE(layers.size() == 19);
  CHECK(layers.front().name == "conv1");
  CHECK(layers.back().name == "layer3.2.conv2");
  const test::ScratchDir scratch;
  std::string expected = "import sys, h5py, zlib\nn = h5py.File(sys.argv[1])['traces/resnet20']\n";
  for (const LayerOperands& layer : layers) {
    CHECK(layer.patch_count == 2048);
    const auto checksum = [](const std::vector<std::uint8_t>& bytes) {
      std::uint32_t a = 1, b = 0;  // Adler-32, RFC 1950
      for (const std::uint8_t byte : bytes) {
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
      }
      return std::to_string(b << 16 | a);
    };
    expected += "g = n['" + layer.name +
                "']\nassert zlib.adler32(g['patches'][:].tobytes()) == " + checksum(layer.patches) +
                "\nassert zlib.adler32(g['weights'][:].tobytes()) == " + checksum(layer.weights) +
                "\nassert g.attrs['fan_in'] == " + std::to_string(layer.fan_in) +
                " and g.attrs['layer_index'] == " + std::to_string(layer.layer_index) + "\n";
  }
  CHECK(test::python(expected, path->string()));
}
