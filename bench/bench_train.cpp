// ResNet-20 on CIFAR-10-sized images in float, quantised and approximate arithmetic: inference and
// whole training steps. Each iteration runs all arithmetics in turns, so the ratios are of one run.
//
// With AXMUL_DATA trained weights and real images, else drawn ones. Multipliers: a table of full
// rank with random errors (no kernel can take a short cut), a truncated product in affine encoding
// (zero points at work), and both mixed layer by layer. --threads=N, --batch=N; counters are
// medians over the iterations.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/train/training.hpp"

using namespace axmul;

namespace {

int g_threads = 2;
std::size_t g_batch = 128;

ImageSet random_images(std::size_t count) {
  ImageSet set;
  set.channels = 3;
  set.height = set.width = 32;
  set.class_names.resize(10);
  Philox random(1);
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(static_cast<int>(random.next_below(10)));
    for (int j = 0; j < 3072; ++j)
      set.pixels.push_back(static_cast<std::uint8_t>(random.next_below(256)));
  }
  return set;
}

struct Subject {
  ImageSet images;
  Normalisation norm = default_normalisation("cifar10", 3);
  Network net = make_network("resnet20", {}, 1);
};

Subject make_subject() {
  Subject s;
  if (const char* data = std::getenv("AXMUL_DATA"); data != nullptr) {
    const std::string folder = data;
    const ImageSet all =
        load_images(parse_data_spec("cifar10:" + folder + "/cifar10"), DataPart::train);
    std::vector<std::uint32_t> first(std::min(g_batch, all.size()));
    for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::uint32_t>(i);
    s.images = select_images(all, first);
    const std::string weights = folder + "/networks/resnet20.h5";
    load_state(s.net, read_state_dict(weights), weights);
  } else {
    s.images = random_images(g_batch);
    reestimate_norms(s.net, s.images, s.norm, {g_batch, g_batch});
  }
  calibrate(s.net, s.images, s.norm, {g_batch, g_batch});
  return s;
}

std::shared_ptr<const Multiplier> noisy() {
  Philox random(2);
  return std::make_shared<const Multiplier>(
      Multiplier{"noisy", Lut::from_function(OperandType::u8u8, [&](int a, int b) {
                   return a * b + static_cast<int>(random.next_below(401)) - 200;
                 })});
}

std::shared_ptr<const Multiplier> truncated() {
  return std::make_shared<const Multiplier>(
      Multiplier{"truncated", Lut::from_function(OperandType::u8u8, [](int a, int b) {
                   int sum = 0;
                   for (int i = 0; i < 8; ++i)
                     for (int j = 0; j < 8; ++j)
                       if (i + j >= 6 && (a >> i & 1) != 0 && (b >> j & 1) != 0)
                         sum += 1 << (i + j);
                   return sum;
                 })});
}

struct Arithmetic {
  const char* name;
  std::function<void(Network&)> set;
  std::vector<double> times{};
};

std::vector<Arithmetic> arithmetics() {
  const auto one = noisy(), other = truncated();
  const auto uniform = [](const auto& multiplier, TableEncoding encoding) {
    return [=](Network& n) {
      for (const auto& layer : n.layers) set_multiplier(*layer, multiplier, encoding);
    };
  };
  return {{"float", [](Network& n) { set_mode(n, LayerMode::float32); }},
          {"quantized", [](Network& n) { set_mode(n, LayerMode::quantized); }},
          {"noise",
           [](Network& n) {  // an evaluation is noise-free
             set_mode(n, LayerMode::noise);
             for (const auto& layer : n.layers) set_noise_level(*layer, 0.1);
           }},
          {"full_rank", uniform(one, TableEncoding::sign_magnitude)},
          {"affine", uniform(other, TableEncoding::affine)},
          {"mixed", [=](Network& n) {
             for (std::size_t i = 0; i < n.layers.size(); ++i)
               set_multiplier(*n.layers[i], i % 2 == 0 ? one : other,
                              TableEncoding::sign_magnitude);
           }}};
}

double seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Median over the rounds of this arithmetic's time over another's.
double ratio(const Arithmetic& a, const Arithmetic& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.times.size(); ++i) ratios.push_back(a.times[i] / b.times[i]);
  return median(std::move(ratios));
}

void measure(benchmark::State& state, const std::function<void(Subject&)>& work) {
  set_training_threads(g_threads);
  Subject subject = make_subject();
  std::vector<Arithmetic> all = arithmetics();
  for (const Arithmetic& a : all) {  // buffers, primitives and tables are made once
    a.set(subject.net);
    work(subject);
  }
  for (auto _ : state)
    for (Arithmetic& a : all) {
      a.set(subject.net);
      a.times.push_back(seconds([&] { work(subject); }));
    }
  const auto images = static_cast<double>(subject.images.size());
  for (const Arithmetic& a : all)
    state.counters[std::string(a.name) + "_images/s"] = images / median(a.times);
  for (const Arithmetic& a : all) {
    if (&a != &all[0]) state.counters[std::string(a.name) + "/float"] = ratio(a, all[0]);
    if (&a > &all[1]) state.counters[std::string(a.name) + "/quantized"] = ratio(a, all[1]);
  }
}

void inference(benchmark::State& state) {
  measure(state, [](Subject& s) { evaluate(s.net, s.images, s.norm, g_batch); });
}

void training(benchmark::State& state) {
  measure(state, [](Subject& s) {
    TrainOptions options;
    options.schedule = {1, 1e-6, {}, 0.1, 0.9, 1e-4};
    options.batch = g_batch;
    train_network(s.net, s.images, nullptr, s.norm, options);
  });
}

BENCHMARK(inference)->Unit(benchmark::kMillisecond)->MinTime(8)->UseRealTime();
BENCHMARK(training)->Unit(benchmark::kMillisecond)->MinTime(12)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) {  // as axmul-train does
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv);
  }
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // and this, for all arithmetics alike
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (text.starts_with("--threads=")) g_threads = std::atoi(argv[i] + 10);
    if (text.starts_with("--batch=")) g_batch = static_cast<std::size_t>(std::atoi(argv[i] + 8));
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
