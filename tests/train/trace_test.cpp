// Traces: with all receptive fields kept, they give the outputs' statistics back exactly.
#include "axmul/train/trace.hpp"

#include <cmath>
#include <cstdlib>

#include "axmul/tables/traces.hpp"
#include "train/train_support.hpp"

using namespace axmul;

namespace {

ImageSet noise_images(std::size_t count, int side) {
  ImageSet set;
  set.channels = 3;
  set.height = set.width = side;
  set.class_names.resize(10);
  std::vector<float> normal(count * set.image_bytes());
  fill_normal(normal, 5, 6);
  for (const float v : normal)
    set.pixels.push_back(static_cast<std::uint8_t>(std::clamp(128 + 40 * v, 0.0f, 255.0f)));
  set.labels.resize(count, 3);
  return set;
}

struct Statistics {
  double std = 0;
  std::size_t outputs = 0;
};

// Standard deviation of the real outputs a_scale·b_scale[m]·Σ(a−z_a)(b−z_b) over all patches and
// channels, by plain loops.
Statistics statistics_of(const LayerOperands& o) {
  const auto value = [](std::uint8_t byte, bool is_signed) {
    return is_signed ? static_cast<int>(static_cast<std::int8_t>(byte)) : static_cast<int>(byte);
  };
  double sum = 0, squares = 0, n = 0;
  const std::size_t per_group = o.channels_per_group();
  for (std::size_t g = 0; g < o.groups; ++g)
    for (std::size_t s = 0; s < o.patch_count; ++s)
      for (std::size_t m = 0; m < per_group; ++m) {
        std::int64_t y = 0;
        for (std::size_t k = 0; k < o.fan_in; ++k)
          y += (value(o.patches[(g * o.patch_count + s) * o.fan_in + k], a_is_signed(o.type)) -
                o.a_zero_point) *
               (value(o.weights[(g * o.fan_in + k) * per_group + m], b_is_signed(o.type)) -
                o.b_zero_point[0]);
        const std::size_t channel = o.b_scale.size() == 1 ? 0 : g * per_group + m;
        const double real = o.a_scale * o.b_scale[channel] * static_cast<double>(y);
        sum += real;
        squares += real * real;
        ++n;
      }
  return {std::sqrt(squares / n - sum / n * (sum / n)), static_cast<std::size_t>(n)};
}

}  // namespace

TEST_CASE("complete traces of plain, grouped and depthwise layers match the layers' outputs") {
  set_training_threads(2);
  const Normalisation norm = default_normalisation("cifar10", 3);
  for (const TableEncoding encoding : {TableEncoding::sign_magnitude, TableEncoding::affine}) {
    Network net = make_network("mobilenetv2", {10, 3, 16, 16}, 2);
    const ImageSet images = noise_images(2, 16);
    reestimate_norms(net, images, norm);
    calibrate(net, images, norm);
    const bool per_channel = encoding == TableEncoding::sign_magnitude;
    for (const auto& layer : net.layers) {
      layer->encoding = encoding;
      layer->per_channel = per_channel;
    }
    NetworkTraceOptions options;
    options.patches = 1 << 20;
    options.batch = 1;
    const auto layers = trace_network(net, images, norm, options);
    REQUIRE(layers.size() == net.layers.size());
    for (const LayerOperands& o : layers) {
      CAPTURE(o.name);
      check_layer(o);
      if (o.ops > 400000) continue;  // the loops above are slow; every kind of layer remains
      const Statistics expected = statistics_of(o);
      CHECK(o.output_std * acc_scale(o) == doctest::Approx(expected.std).epsilon(1e-9));
      CHECK(has_unequal_scales(o) == per_channel);
      CHECK(o.ops * 2 == static_cast<double>(expected.outputs * o.fan_in));
      const bool negative = find_layer(net, o.name)->observer.min < 0;
      const OperandType usual = negative ? OperandType::s8s8 : OperandType::u8s8;
      CHECK(o.type == (encoding == TableEncoding::affine ? OperandType::u8u8 : usual));
      // The normalised image has negative values, the mean of ReLU6 outputs has none.
      if (o.name == "features.0.0") CHECK(negative);
      if (o.name == "classifier.1") CHECK_FALSE(negative);
    }
  }
}

TEST_CASE("sampled receptive fields lie all over the image and in image order") {
  const Normalisation norm = default_normalisation("cifar10", 3);
  Network net = make_network("resnet8", {}, 2);
  const ImageSet images = noise_images(8, 32);
  reestimate_norms(net, images, norm);
  calibrate(net, images, norm);
  NetworkTraceOptions options;
  options.patches = 128;  // 64 receptive fields apart, on images 32 wide
  const auto layers = trace_network(net, images, norm, options);
  const LayerOperands& first = layers.front();
  REQUIRE(first.patch_count == 128);
  CHECK(std::is_sorted(first.image.begin(), first.image.end()));
  CHECK(first.image.back() == 7);
  // Tap (0, 0, 0) is padding at the left edge; evenly spaced rows would all lie there.
  std::size_t padded = 0;
  for (std::size_t s = 0; s < first.patch_count; ++s)
    padded += first.patches[s * first.fan_in + 3] == static_cast<std::uint8_t>(first.a_zero_point);
  CHECK(padded < 30);
  for (const LayerOperands& o : layers)
    if (o.patch_count == 128 && o.name != "linear")
      CHECK(statistics_of(o).std == doctest::Approx(o.output_std * acc_scale(o)).epsilon(0.25));
}

TEST_CASE("h5py reads a trace file as src/tables/TRACES.md describes it") {
  const Normalisation norm = default_normalisation("cifar10", 3);
  Network net = make_network("mobilenetv2", {10, 3, 16, 16}, 2);
  const ImageSet images = noise_images(2, 16);
  reestimate_norms(net, images, norm);
  calibrate(net, images, norm);
  NetworkTraceOptions options;
  options.patches = 50;
  const auto layers = trace_network(net, images, norm, options);
  const test::ScratchDir folder;
  const std::string path = (folder / "t.h5").string();
  write_traces(path, "mobilenetv2", layers);
  const auto again = read_traces(path);
  REQUIRE(again.size() == layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) CHECK((again[i].patches == layers[i].patches));
  test::write_text(folder / "check.py", R"(
import h5py, numpy as np, sys
f = h5py.File(sys.argv[1])
assert f.attrs['format'] == 'axmul-traces' and f.attrs['format_version'] == '1.0'
net = f['traces/mobilenetv2']
stem, depthwise = net['features.0.0'], net['features.2.conv.1.0']
assert stem.attrs['type'] == 's8s8' and stem['patches'].dtype == np.int8
assert stem['patches'].shape == (50, 27) and stem['weights'].shape == (27, 32)
assert stem.attrs['tap_order'] == 'c,kh,kw' and stem.attrs['kernel_h'] == 3
assert depthwise.attrs['groups'] == 96 and depthwise['patches'].shape == (96, 50, 9)
assert depthwise['weights'].shape == (96, 9, 1) and depthwise['patches'].dtype == np.uint8
assert depthwise['image'].shape == (50,) and depthwise['image'].dtype == np.int32
assert abs(stem['weights'][:].astype(int)).max() == 127
)");
  const std::string command = "/usr/bin/python3 " + (folder / "check.py").string() + " " + path;
  CHECK(std::system(command.c_str()) == 0);
}
