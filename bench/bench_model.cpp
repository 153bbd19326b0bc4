// Error models over 20 layers of ResNet-20's shapes x 35 multipliers x 512 receptive fields on one
// core, preparation of the layers included, and over a quarter of either, to see that the cost is
// linear in both.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/model/error_model.hpp"

namespace {

using namespace axmul;

// Activations after ReLU: about half zeros, the rest half-normal of a level that varies from patch
// to patch. Weights: normal around 128, scaled to use the whole range, so that nearly all operand
// values occur (the models' work grows with the number that do).
LayerOperands layer(std::size_t index, std::size_t in, std::size_t out) {
  Philox random(index);
  LayerOperands l;
  l.name = "conv" + std::to_string(index);
  l.in_channels = in;
  l.out_channels = out;
  l.kernel_h = l.kernel_w = 3;
  l.fan_in = in * 9;
  l.patch_count = 2048;
  l.b_zero_point = {128};
  for (std::size_t s = 0; s < l.patch_count; ++s) {
    const double level = 20 + 60 * random.next_double();
    for (std::size_t k = 0; k < l.fan_in; ++k) {
      const double a = std::round(level * random.next_normal());
      l.patches.push_back(a <= 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(a, 255.0)));
    }
  }
  for (std::size_t i = 0; i < l.fan_in * out; ++i) {
    const double b = std::round(128 + 35 * random.next_normal());
    l.weights.push_back(static_cast<std::uint8_t>(std::clamp(b, 1.0, 255.0)));
  }
  return l;
}

// ResNet-20: the stem, three stages of six convolutions, and the classifier's size once more.
const std::vector<LayerOperands>& network() {
  static const std::vector<LayerOperands> layers = [] {
    std::vector<LayerOperands> list{layer(0, 3, 16)};
    for (const std::size_t width : {16u, 32u, 64u})
      for (std::size_t i = 0; i < 6; ++i)
        list.push_back(layer(list.size(), i == 0 && width > 16 ? width / 2 : width, width));
    list.push_back(layer(list.size(), 64, 10));
    return list;
  }();
  return layers;
}

const std::vector<Lut>& library() {
  static const std::vector<Lut> luts = [] {
    std::vector<Lut> list;
    for (std::uint64_t seed = 0; seed < 35; ++seed) {
      Philox random(seed, 1);
      list.push_back(Lut::from_function(OperandType::u8u8, [&](int a, int b) {
        return a * b + static_cast<int>(random.next_below(1000)) - 300;
      }));
    }
    return list;
  }();
  return luts;
}

void BM_Predict(benchmark::State& state, ErrorModel model, bool intervals, std::size_t layers,
                std::size_t multipliers) {
  PredictOptions options;
  options.model = model;
  options.intervals = intervals;
  options.threads = 1;
  const auto some_layers = std::span(network()).first(layers);
  const auto some_luts = std::span(library()).first(multipliers);
  for (auto _ : state)
    benchmark::DoNotOptimize(predict(some_layers, some_luts, options).cells.data());
  state.counters["per_prediction"] = benchmark::Counter(
      static_cast<double>(layers * multipliers),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void register_all() {
  for (const ErrorModel model :
       {ErrorModel::global, ErrorModel::multi_population, ErrorModel::permutation,
        ErrorModel::stratified, ErrorModel::sampled})
    for (const bool intervals : {false, true}) {
      if (model == ErrorModel::global && intervals) continue;
      const auto add = [&](std::size_t layers, std::size_t multipliers) {
        const std::string name =
            std::string(to_string(model)) + "/layers:" + std::to_string(layers) +
            "/multipliers:" + std::to_string(multipliers) + (intervals ? "/with_intervals" : "");
        benchmark::RegisterBenchmark(name.c_str(), BM_Predict, model, intervals, layers,
                                     multipliers)
            ->Unit(benchmark::kMillisecond);
      };
      add(20, 35);
      if (intervals || needs_patches(model)) continue;
      add(20, 9);
      add(5, 35);
    }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
