// Convolutions of a network with table look-ups beside exact ones (im2col and sgemm), in one run.
//
//   bench_lut_conv [--layers=FILE] [--lut=FILE.bin]... [--levels=N] [--batch=N] [--threads=N]
//                  [--rounds=N] [--kernel=NAME]
//
// Layers: lines "name in_channels height width out_channels kernel stride padding"; default: the 19
// of ResNet-20. A layer's pixels are drawn from $AXMUL_DATA/traces/resnet20.h5 where the name is
// there, channel by channel, else they are synthetic. Times are medians of interleaved rounds (CPU
// time for one thread), all packing included: lut_conv2d prepares its weights in every call, the
// exact convolution has its weights and activations as float already and fills patches image by
// image (eight images at a time with several threads, which sgemm then shares out).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "kernels/bench/yardsticks.hpp"

namespace {

using namespace axmul;
using detail::seconds_of;

struct Options {
  std::string layers, kernel;
  std::vector<std::string> luts;
  int levels = 256, threads = 1, rounds = 9;
  std::size_t batch = 64;
};

struct Layer {
  std::string name;
  Conv2dShape shape;
  std::vector<std::uint8_t> x, w;
};

/// Pixels drawn from traced patches [rows, fan-in], each channel from its own taps; or zero to one
/// half and geometric, as after a ReLU.
void draw(Layer& layer, const h5::File* traces, int levels) {
  const Conv2dShape& s = layer.shape;
  Philox random(s.fan_in() * 64 + s.out_channels);
  const std::string group = "/traces/resnet20/" + layer.name;
  const bool traced = traces != nullptr && traces->exists(group);
  std::vector<std::uint8_t> patches;
  if (traced) {
    patches = traces->dataset(group + "/patches").read<std::uint8_t>();
    layer.w = traces->dataset(group + "/weights").read<std::uint8_t>();
  } else {
    for (std::size_t i = 0; i < s.weight_size(); ++i)
      layer.w.push_back(static_cast<std::uint8_t>(108 + random.next_below(41)));
  }
  const std::size_t taps = s.kernel_height * s.kernel_width, rows = patches.size() / s.fan_in();
  const auto most = static_cast<std::uint8_t>(levels - 1);
  for (std::size_t i = 0; i < s.input_size(); ++i) {
    const std::size_t c = i % s.in_channels;
    const std::uint8_t value =
        traced ? patches[random.next_below(rows) * s.fan_in() + c * taps + taps / 2]
        : random.next_below(2) == 0 ? std::uint8_t{0}
                                    : static_cast<std::uint8_t>(random.next_below(60));
    layer.x.push_back(std::min(most, value));
  }
}

std::vector<Layer> read_layers(const Options& options) {
  std::ifstream file(options.layers);
  if (!file) throw InputError(611, Place{options.layers, 0}, "cannot be read");
  const char* data = std::getenv("AXMUL_DATA");
  const auto path = std::filesystem::path(data == nullptr ? "" : data) / "traces/resnet20.h5";
  std::unique_ptr<h5::File> traces;
  if (data != nullptr && std::filesystem::exists(path))
    traces = std::make_unique<h5::File>(h5::File::open(path.string()));
  std::vector<Layer> layers;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Layer l;
    Conv2dShape& s = l.shape;
    if (!(words >> l.name >> s.in_channels >> s.in_height >> s.in_width >> s.out_channels >>
          s.kernel_height >> s.stride_height >> s.pad_top))
      throw InputError(
          611, Place{options.layers, number},
          "expected: name in_channels height width out_channels kernel stride padding");
    s.batch = options.batch;
    s.kernel_width = s.kernel_height;
    s.stride_width = s.stride_height;
    s.pad_bottom = s.pad_left = s.pad_right = s.pad_top;
    s.layout = TensorLayout::nhwc;
    draw(l, traces.get(), options.levels);
    layers.push_back(std::move(l));
  }
  return layers;
}

/// The exact convolution of float tensors: patches [rows, fan-in] by (kernel row, column, channel),
/// times weights in that order.
class ExactConv {
 public:
  ExactConv(const Layer& layer, const detail::ExactLibraries& exact, int threads)
      : s_(layer.shape),
        exact_(exact),
        threads_(threads),
        together_(threads == 1 ? 1 : std::min<std::size_t>(8, s_.batch)),
        x_(layer.x.begin(), layer.x.end()),
        w_(s_.weight_size()),
        y_(s_.output_size()),
        patches_(together_ * rows_of_image() * s_.fan_in()) {
    const std::size_t taps = s_.kernel_height * s_.kernel_width, m = s_.out_channels;
    for (std::size_t c = 0; c < s_.in_channels; ++c)
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t o = 0; o < m; ++o)
          w_[(t * s_.in_channels + c) * m + o] =
              static_cast<float>(layer.w[(c * taps + t) * m + o]);
  }

  void run() {
    const std::size_t per_image = rows_of_image();
    for (std::size_t first = 0; first < s_.batch; first += together_) {
      const std::size_t images = std::min(together_, s_.batch - first);
      parallel_for(images, threads_, [&](std::size_t i) {
        fill(first + i, patches_.data() + i * per_image * s_.fan_in());
      });
      exact_.sgemm({images * per_image, s_.fan_in(), s_.out_channels}, patches_.data(), w_.data(),
                   y_.data() + first * per_image * s_.out_channels);
    }
  }
  const std::vector<float>& y() const { return y_; }

 private:
  std::size_t rows_of_image() const { return s_.out_height() * s_.out_width(); }

  void fill(std::size_t image, float* out) const {
    const std::size_t c = s_.in_channels;
    const float* x = x_.data() + image * s_.in_height * s_.in_width * c;
    for (std::size_t oy = 0; oy < s_.out_height(); ++oy)
      for (std::size_t ox = 0; ox < s_.out_width(); ++ox)
        for (std::size_t ky = 0; ky < s_.kernel_height; ++ky)
          for (std::size_t kx = 0; kx < s_.kernel_width; ++kx, out += c) {
            const std::size_t iy = oy * s_.stride_height + ky - s_.pad_top;  // wraps below 0
            const std::size_t ix = ox * s_.stride_width + kx - s_.pad_left;
            if (iy < s_.in_height && ix < s_.in_width)
              std::memcpy(out, x + (iy * s_.in_width + ix) * c, c * sizeof(float));
            else
              std::fill_n(out, c, static_cast<float>(s_.padding_value));
          }
  }

  const Conv2dShape& s_;
  const detail::ExactLibraries& exact_;
  int threads_;
  std::size_t together_;
  std::vector<float> x_, w_, y_, patches_;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Times {
  double lut = 0, exact = 0, prepare = 0;
};

/// What a plan costs: construction and a first small product less a second one.
double preparation(const Lut& lut, const Layer& layer, const std::string& kernel) {
  LutGemmOptions o;
  o.threads = 1;
  o.kernel = kernel;
  const Conv2dShape& s = layer.shape;
  constexpr std::size_t kRows = 64;
  std::vector<std::int32_t> y(kRows * s.out_channels);
  std::vector<double> costs;
  for (int round = 0; round < 5; ++round) {
    std::unique_ptr<LutGemmPlan> plan;
    const std::span<const std::uint8_t> a(layer.x.data(), kRows * s.fan_in());
    const double first = seconds_of(
        [&] {
          plan = std::make_unique<LutGemmPlan>(lut, s.fan_in(), s.out_channels, layer.w, o);
          plan->run(kRows, a, y, o);
        },
        1);
    costs.push_back(first - seconds_of([&] { plan->run(kRows, a, y, o); }, 1));
  }
  return median(costs);
}

Times measure(const Lut& lut, const Layer& layer, const detail::ExactLibraries& exact,
              const Options& options) {
  LutGemmOptions o;
  o.threads = options.threads;
  o.kernel = options.kernel;
  std::vector<std::int32_t> y(layer.shape.output_size());
  ExactConv yardstick(layer, exact, options.threads);
  std::vector<double> ours, theirs;
  for (int round = -1; round < options.rounds; ++round) {
    const double lut_time =
        seconds_of([&] { lut_conv2d(lut, layer.shape, layer.x, layer.w, y, o); }, o.threads);
    const double exact_time = exact.sgemm ? seconds_of([&] { yardstick.run(); }, o.threads) : 0;
    if (round < 0) continue;  // the first one warms up
    ours.push_back(lut_time);
    theirs.push_back(exact_time);
  }
  if (lut == Lut::exact(OperandType::u8u8) && exact.sgemm)
    for (std::size_t i = 0; i < y.size(); ++i)
      if (static_cast<double>(y[i]) - static_cast<double>(yardstick.y()[i]) > 256 ||
          static_cast<double>(y[i]) - static_cast<double>(yardstick.y()[i]) < -256)
        throw InternalError("the two convolutions differ");
  return {median(ours), median(theirs), preparation(lut, layer, options.kernel)};
}

Lut read_lut(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<unsigned char> raw{std::istreambuf_iterator<char>(file), {}};
  if (raw.size() != 2 * kLutSize)
    throw InputError(611, Place{path, 0}, "expected 65536 little-endian uint16 products");
  std::vector<std::int32_t> products(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i) products[i] = raw[2 * i] | raw[2 * i + 1] << 8;
  return Lut(OperandType::u8u8, products);
}

void contest(const std::string& name, const Lut& lut, const std::vector<Layer>& layers,
             const detail::ExactLibraries& exact, const Options& options) {
  std::printf("\n%s, %d levels, batch %zu, %d thread(s)\n%-16s %8s %10s %10s %7s\n", name.c_str(),
              options.levels, options.batch, options.threads, "layer", "MMAC", "lut ms", "exact ms",
              "ratio");
  Times sum;
  double macs = 0;
  for (const Layer& layer : layers) {
    const Times t = measure(lut, layer, exact, options);
    const double some = static_cast<double>(layer.shape.output_size() * layer.shape.fan_in());
    std::printf("%-16s %8.1f %10.3f %10.3f %7.2f  %s\n", layer.name.c_str(), some * 1e-6,
                t.lut * 1e3, t.exact * 1e3, t.lut / t.exact, last_lut_gemm_kernel().c_str());
    macs += some;
    sum.lut += t.lut;
    sum.exact += t.exact;
    sum.prepare += t.prepare;
  }
  std::printf("%-16s %8.1f %10.3f %10.3f %7.2f  (%.1f GMAC/s; preparing all weights %.3f ms)\n",
              "total", macs * 1e-6, sum.lut * 1e3, sum.exact * 1e3, sum.lut / sum.exact,
              macs / sum.lut * 1e-9, sum.prepare * 1e3);
}

Options parse(int argc, char** argv) {
  Options o;
  o.layers = std::string(AXMUL_SOURCE_DIR) + "/bench/shapes/resnet20.conv.txt";
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const std::string value(arg.substr(std::min(arg.size(), arg.find('=') + 1)));
    if (arg.starts_with("--layers=")) {
      o.layers = value;
    } else if (arg.starts_with("--lut=")) {
      o.luts.push_back(value);
    } else if (arg.starts_with("--levels=")) {
      o.levels = std::stoi(value);
    } else if (arg.starts_with("--batch=")) {
      o.batch = std::stoul(value);
    } else if (arg.starts_with("--threads=")) {
      o.threads = std::stoi(value);
    } else if (arg.starts_with("--rounds=")) {
      o.rounds = std::max(1, std::stoi(value));
    } else if (arg.starts_with("--kernel=")) {
      o.kernel = value;
    } else {
      throw UsageError(610, "unknown option " + std::string(arg));
    }
  }
  return o;
}

void run(const Options& options) {
  const auto layers = read_layers(options);
  const auto exact = detail::load_exact_libraries(options.threads);
  std::printf("exact: im2col and %s\n",
              exact.sgemm ? exact.sgemm_name.c_str() : "nothing, OpenBLAS is not installed");
  if (options.luts.empty()) contest("exact", Lut::exact(OperandType::u8u8), layers, exact, options);
  for (const std::string& path : options.luts)
    contest(std::filesystem::path(path).stem().string(), read_lut(path), layers, exact, options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const axmul::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
