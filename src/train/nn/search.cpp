// Learned noise levels: starting them, what they earn, reading them off.
#include "axmul/train/search.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "train/script/module.hpp"

namespace axmul {
namespace {

constexpr std::uint64_t kCurvatureStream = std::uint64_t{3} << 62;  // of shuffled_indices()

double total_ops(const Network& network) {
  double total = 0;
  for (const auto& layer : network.layers) total += static_cast<double>(layer->ops);
  return total;
}

[[noreturn]] void refuse(const char* what, double value, const std::string& range) {
  throw UsageError(970,
                   std::string(what) + " is " + std::to_string(value) + "; it must be " + range);
}

}  // namespace

void check_search_options(const SearchOptions& o) {
  if (!std::isfinite(o.lambda) || o.lambda < 0) refuse("lambda", o.lambda, "0 or more");
  if (!std::isfinite(o.sigma_max) || o.sigma_max <= 0)
    refuse("sigma_max", o.sigma_max, "more than 0");
  if (!std::isfinite(o.sigma_init) || o.sigma_init <= 0 || o.sigma_init > o.sigma_max)
    refuse("sigma_init", o.sigma_init,
           "more than 0 and at most sigma_max, " + std::to_string(o.sigma_max));
}

void start_search(Network& network, const SearchOptions& options) {
  check_search_options(options);
  for (const auto& layer : network.layers) {
    layer->mode = LayerMode::noise;
    set_noise_level(*layer, options.sigma_init);
  }
}

at::Tensor noise_reward(const Network& network, const SearchOptions& options) {
  const double total = std::max(1.0, total_ops(network));
  at::Tensor reward = at::scalar_tensor(0.0);
  for (const auto& layer : network.layers)
    if (layer->sigma_l.defined())
      reward = reward + at::clamp_max(layer->sigma_l.abs(), options.sigma_max) *
                            (static_cast<double>(layer->ops) / total);
  return reward * -options.lambda;
}

std::vector<LayerSigma> learned_sigmas(const Network& network, const SearchOptions& options) {
  std::vector<LayerSigma> sigmas;
  for (const auto& layer : network.layers) {
    const double sigma = layer->sigma_l.defined() ? std::fabs(layer->sigma_l.item<double>()) : 0.0;
    sigmas.push_back({layer->name, std::min(sigma, options.sigma_max)});
  }
  return sigmas;
}

std::vector<Curvature> noise_curvatures(Network& network, const ImageSet& images,
                                        const Normalisation& normalisation, double level,
                                        std::size_t batch, std::uint64_t seed,
                                        const Progress& progress) {
  if (!std::isfinite(level) || level <= 0) refuse("the noise level", level, "more than 0");
  for (const auto& layer : network.layers)
    if (layer->mode != LayerMode::noise)
      throw UsageError(970, "layer " + layer->name + " is not in noise mode");
  if (batch == 0 || images.size() < 2 * batch)
    throw UsageError(944, "the effect of noise is measured on two batches at least");
  const StateDict before = state_of(network);
  const std::uint64_t step = network.step;
  std::vector<std::uint64_t> streams;
  for (const auto& layer : network.layers) streams.push_back(layer->noise_stream);
  const bool was_training = network.training;

  std::vector<double> sum(network.layers.size(), 0.0), square(sum);
  const auto clear_gradients = [&] {
    for (NamedTensor& p : parameters(network)) p.tensor.mutable_grad() = at::Tensor();
    for (const auto& layer : network.layers) layer->sigma_l.mutable_grad() = at::Tensor();
  };
  for (const auto& layer : network.layers) set_noise_level(*layer, level);
  // The same noise wherever the network comes from.
  network.step = 0;
  for (std::size_t l = 0; l < streams.size(); ++l)
    network.layers[l]->noise_stream = kCurvatureStream | static_cast<std::uint64_t>(l) << 40;
  network.training = true;
  const std::size_t batches = images.size() / batch;  // equal ones, so that their scatter counts
  const auto order = shuffled_indices(images.size(), seed, kCurvatureStream);
  for (std::size_t i = 0; i < batches; ++i) {
    poll_interrupt();
    const std::span<const std::uint32_t> indices(order.data() + i * batch, batch);
    ++network.step;
    clear_gradients();
    train::backward(network, at::cross_entropy_loss(
                                 forward(network, batch_tensor(images, normalisation, {indices})),
                                 label_tensor(images, indices)));
    for (std::size_t l = 0; l < sum.size(); ++l) {
      const at::Tensor& gradient = network.layers[l]->sigma_l.grad();
      const double a = gradient.defined() ? gradient.item<double>() / (2 * level) : 0;
      if (!std::isfinite(a))
        throw InputError(942, "the effect of noise in layer " + network.layers[l]->name +
                                  " is not finite: the network's output is, or its weights are");
      sum[l] += a;
      square[l] += a * a;
    }
    if (progress) progress(i + 1, batches);
  }
  clear_gradients();
  network.training = was_training;
  network.step = step;
  for (std::size_t l = 0; l < streams.size(); ++l) network.layers[l]->noise_stream = streams[l];
  load_state(network, before, "state before measuring the noise");

  std::vector<Curvature> curvatures;
  const auto n = static_cast<double>(batches);
  for (std::size_t l = 0; l < sum.size(); ++l) {
    const double mean = sum[l] / n;
    const double variance = std::max(0.0, square[l] / n - mean * mean) / (n - 1);
    curvatures.push_back({mean, std::sqrt(variance)});
  }
  return curvatures;
}

double cautious(const Curvature& curvature) {
  constexpr double kTiny = 1e-12;  // harmless without doubt: noise that never reaches the output
  return std::max({curvature.value, curvature.standard_error, kTiny});
}

}  // namespace axmul
