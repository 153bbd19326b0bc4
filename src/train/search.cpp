// Learned noise levels: starting them, what they earn, reading them off.
#include "axmul/train/search.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "axmul/core/errors.hpp"

namespace axmul {
namespace {

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

}  // namespace axmul
