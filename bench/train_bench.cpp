// ResNet-20 in float, quantised and approximate arithmetic: inference and training steps, in turns.
//
// usage: train_bench [THREADS [BATCH [ROUNDS]]]. Prints images per second (best round) and the
// ratio of each time to that of float in the same run. Approximate: a table of full rank with
// random errors (no kernel can take a short cut), the published-like truncated product, and both
// mixed layer by layer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "axmul/train/training.hpp"

using namespace axmul;

namespace {

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
  double inference = 1e30, training = 1e30;
};

double seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const auto batch = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 128);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  set_training_threads(threads);
  const ImageSet images = random_images(batch);
  const Normalisation norm = default_normalisation("cifar10", 3);
  Network net = make_network("resnet20", {}, 1);
  reestimate_norms(net, images, norm, {batch, batch});
  calibrate(net, images, norm, {batch, batch});
  const auto one = noisy(), other = truncated();
  const auto uniform = [](const auto& multiplier) {
    return [multiplier](Network& n) {
      for (const auto& layer : n.layers)
        set_multiplier(*layer, multiplier, TableEncoding::sign_magnitude);
    };
  };
  std::vector<Arithmetic> arithmetics = {
      {"float", [](Network& n) { set_mode(n, LayerMode::float32); }},
      {"quantized", [](Network& n) { set_mode(n, LayerMode::quantized); }},
      {"noise",
       [](Network& n) {
         set_mode(n, LayerMode::noise);
         for (const auto& layer : n.layers)
           layer->sigma_l = at::scalar_tensor(0.1).set_requires_grad(true);
       }},
      {"approximate, full rank", uniform(one)},
      {"approximate, truncated", uniform(other)},
      {"approximate, mixed", [&](Network& n) {
         for (std::size_t i = 0; i < n.layers.size(); ++i)
           set_multiplier(*n.layers[i], i % 2 == 0 ? one : other, TableEncoding::sign_magnitude);
       }}};
  TrainOptions options;
  options.schedule = {1, 1e-4, {}, 0.1, 0.9, 1e-4};
  options.batch = batch;
  for (int round = 0; round <= rounds; ++round)  // round 0 warms up
    for (Arithmetic& a : arithmetics) {
      a.set(net);
      const double forward_time = seconds([&] { evaluate(net, images, norm, batch); });
      const double step_time = seconds([&] { train_network(net, images, nullptr, norm, options); });
      if (round == 0) continue;
      a.inference = std::min(a.inference, forward_time);
      a.training = std::min(a.training, step_time);
    }
  std::printf("ResNet-20, batch %zu, %d threads, kernel of the last layer: %s\n", batch, threads,
              last_lut_gemm_kernel().c_str());
  std::printf("%-24s %14s %8s %14s %8s\n", "", "inference/s", "ratio", "training/s", "ratio");
  for (const Arithmetic& a : arithmetics)
    std::printf("%-24s %14.0f %8.2f %14.0f %8.2f\n", a.name,
                static_cast<double>(batch) / a.inference, a.inference / arithmetics[0].inference,
                static_cast<double>(batch) / a.training, a.training / arithmetics[0].training);
  return 0;
}
