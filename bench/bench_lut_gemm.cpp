// LUT GEMM over the layers of real networks, beside the loops of research tools and exact products.
//
//   bench_lut_gemm [--shape=N,K,M]... [--shapes=FILE]... [--lut=FILE.bin]... [--levels=N]
//                  [--threads=N] [--kernel=NAME] [--seconds=S] [--rows=N] [--csv] [--kernels]
//                  [Google Benchmark options]
//
// The table comes first (interleaved medians, ratios of one run), in the order, columns and words
// of `axmul bench`; then Google Benchmark times every kernel that this CPU has on the three
// ResNet-20 shapes, with --kernels only. Operands come from $AXMUL_DATA/traces/resnet20.h5 where it
// is, tiled, else they are synthetic.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "axmul/core/errors.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/kernels/bench.hpp"

namespace {

using namespace axmul;

std::vector<GemmShape> read_shapes(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw InputError(611, Place{path, 0}, "cannot be read");
  std::vector<GemmShape> shapes;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name;
    GemmShape s;
    if (!(words >> name >> s.n >> s.k >> s.m))
      throw InputError(611, Place{path, number}, "expected: name n k m");
    shapes.push_back(s);
  }
  return shapes;
}

BenchLut read_lut(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<unsigned char> raw{std::istreambuf_iterator<char>(file), {}};
  if (raw.size() != 2 * kLutSize)
    throw InputError(611, Place{path, 0}, "expected 65536 little-endian uint16 products");
  std::vector<std::int32_t> products(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i) products[i] = raw[2 * i] | raw[2 * i + 1] << 8;
  return {std::filesystem::path(path).stem().string(), Lut(OperandType::u8u8, products)};
}

/// The traced layers that the shapes of a ResNet-20 want.
std::vector<BenchOperands> traced_operands() {
  const char* data = std::getenv("AXMUL_DATA");
  const std::filesystem::path path =
      std::filesystem::path(data == nullptr ? "" : data) / "traces/resnet20.h5";
  if (data == nullptr || !std::filesystem::exists(path)) return {};
  const h5::File file = h5::File::open(path.string());
  std::vector<BenchOperands> out;
  for (const char* layer : {"conv1", "layer1.1.conv1", "layer2.0.conv1", "layer2.1.conv1",
                            "layer3.0.conv1", "layer3.1.conv1"}) {
    const std::string group = std::string("/traces/resnet20/") + layer;
    const h5::Dataset weights = file.dataset(group + "/weights");
    out.push_back(
        {static_cast<std::size_t>(weights.shape()[0]), static_cast<std::size_t>(weights.shape()[1]),
         file.dataset(group + "/patches").read<std::uint8_t>(), weights.read<std::uint8_t>()});
  }
  return out;
}

constexpr const char* kHelp =
    "bench_lut_gemm: LUT GEMM beside the usual loops and exact products, as axmul bench.\n\n"
    "  --shape=N,K,M    Rows, fan-in, output channels. May be repeated. [default: 4096,144,16\n"
    "                   4096,288,32 4096,576,64]\n"
    "  --shapes=FILE    Lines \"name n k m\", such as bench/shapes/vgg16.txt.\n"
    "  --rows=N         The default shapes with that many rows.\n"
    "  --lut=FILE.bin   Table of 65536 little-endian uint16 products. May be repeated.\n"
    "  --levels=N       Clip activations to 0 … N−1. [default: 256]\n"
    "  --threads=N      Threads of every contestant. [default: 1]\n"
    "  --kernel=NAME    Force a kernel. [default: AXMUL_KERNEL, else the selector's]\n"
    "  --seconds=S      Least time per shape and table. [default: 0.5]\n"
    "  --csv            The results as CSV, as axmul bench --format csv.\n"
    "  --kernels        Then every kernel by Google Benchmark, whose options follow.\n";

void print(const BenchReport& report) {
  std::printf("clock %.2f GHz (chain of dependent additions); sgemm: %s; int8: %s\n",
              report.clock_ghz, report.sgemm_library.empty() ? "-" : report.sgemm_library.c_str(),
              report.int8_library.empty() ? "-" : report.int8_library.c_str());
  // Widths count bytes, of which × has two: four more where it occurs.
  std::printf("%-18s %-14s %-18s %7s %8s %9s", "n×k×m", "table", "kernel", "threads", "GMAC/s",
              "MAC/cycle");
  for (const BenchYardstick& y : bench_yardsticks()) std::printf(" %14s", y.label);
  std::printf("\n");
  for (const BenchResult& r : report.results) {
    const std::string shape = bench_shape_text(r.shape) + (r.real_operands ? "" : "*");
    std::printf("%-18s %-14s %-18s %7d %8.2f %9.2f", shape.c_str(), r.lut.c_str(), r.kernel.c_str(),
                r.threads, r.mac_per_second.median * 1e-9, r.mac_per_cycle.median);
    for (const BenchYardstick& y : bench_yardsticks())
      std::printf(" %13.2f", (r.ratio_to.*y.field).median);
    std::printf("\n");
  }
  std::printf("* synthetic operands%s\n",
              report.disturbed() ? "; DISTURBED: rounds differ by more than a quarter" : "");
}

/// Each kernel as a Google Benchmark; ones that cannot compute the table are left out.
void register_kernels(const BenchOptions& options) {
  for (const KernelInfo& info : lut_gemm_kernels()) {
    if (!info.supported) continue;
    for (const BenchLut& lut : options.luts)
      for (const GemmShape& shape : options.shapes) {
        const std::string name = info.name + "/" + lut.name + "/" + std::to_string(shape.n) + "x" +
                                 std::to_string(shape.k) + "x" + std::to_string(shape.m);
        benchmark::RegisterBenchmark(
            name.c_str(),
            [=](benchmark::State& state) {
              BenchOptions one = options;
              one.luts = {lut};
              one.shapes = {shape};
              one.kernel = info.name;
              one.yardsticks = false;
              one.min_seconds = 0;
              try {
                for (auto _ : state) {
                  const BenchReport report = run_bench(one);
                  state.SetIterationTime(static_cast<double>(shape.n * shape.k * shape.m) /
                                         report.results[0].mac_per_second.median);
                  state.counters["MAC/cycle"] = report.results[0].mac_per_cycle.median;
                  state.counters["MAC/s"] = report.results[0].mac_per_second.median;
                }
              } catch (const UnavailableError& e) {
                state.SkipWithError(e.what());
              }
            })
            ->UseManualTime()
            ->Iterations(3)
            ->Unit(benchmark::kMicrosecond);
      }
  }
}

int run(int argc, char** argv) {
  BenchOptions options;
  options.operands = traced_operands();
  bool kernels = false, csv = false;
  std::vector<char*> rest{argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const std::string value(arg.substr(std::min(arg.size(), arg.find('=') + 1)));
    if (arg == "--help") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (arg.starts_with("--shape=")) {
      options.shapes.push_back(parse_bench_shape(value));
    } else if (arg.starts_with("--shapes=")) {
      for (const GemmShape& s : read_shapes(value)) options.shapes.push_back(s);
    } else if (arg.starts_with("--lut=")) {
      options.luts.push_back(read_lut(value));
    } else if (arg.starts_with("--rows=")) {
      for (GemmShape s : bench_default_shapes()) {
        s.n = std::stoul(value);
        options.shapes.push_back(s);
      }
    } else if (arg.starts_with("--levels=")) {
      options.levels = std::stoi(value);
    } else if (arg.starts_with("--threads=")) {
      options.threads = std::stoi(value);
    } else if (arg.starts_with("--kernel=")) {
      options.kernel = value;
    } else if (arg.starts_with("--seconds=")) {
      options.min_seconds = std::stod(value);
    } else if (arg == "--kernels") {
      kernels = true;
    } else if (arg == "--csv") {
      csv = true;
    } else {
      rest.push_back(argv[i]);
    }
  }
  const BenchReport report = run_bench(options);
  if (csv)
    std::fputs(bench_csv(report).c_str(), stdout);
  else
    print(report);
  if (!kernels) return 0;
  if (options.shapes.empty()) options.shapes = bench_default_shapes();
  if (options.luts.empty()) options.luts = {{"exact", Lut::exact(OperandType::u8u8)}};
  register_kernels(options);
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const axmul::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
