// Checkpoints of a training: everything that decides how it goes on, in one safetensors file.
#pragma once

#include <string>
#include <vector>

#include "axmul/train/training.hpp"

namespace axmul::train {

/// Where a run stands: everything that decides how it goes on, but weights and momentum.
struct Position {
  int epoch = 0;         // finished epochs
  std::size_t step = 0;  // finished steps of the current epoch
  double loss_sum = 0;   // over the images of the current epoch
  std::size_t correct = 0, seen = 0;
  double seconds = 0;         // spent in the current epoch before an interruption
  std::vector<double> noise;  // sums over the current epoch's steps of |sigma_l| in noise mode
};

struct Sgd {
  std::vector<NamedTensor> parameters;  // weights and the like, then sigma_l of noisy layers
  std::vector<at::Tensor> momentum;
  std::size_t weights;  // how many of them are no sigma_l

  explicit Sgd(const Network& network)
      : parameters(axmul::parameters(network)), weights(parameters.size()) {
    for (const auto& layer : network.layers)
      if (layer->mode == LayerMode::noise && layer->sigma_l.defined())
        parameters.push_back({layer->name + ".sigma_l", layer->sigma_l});
    for (const NamedTensor& p : parameters) momentum.push_back(at::zeros_like(p.tensor));
  }

  void zero_gradients() {
    for (NamedTensor& p : parameters) p.tensor.mutable_grad() = at::Tensor();
  }

  // v ← momentum·v + g + decay·w;  w ← w − rate·v. Noise levels have a rate of their own and do not
  // decay: that would be a second, hidden λ.
  void step(const Schedule& schedule, double rate) {
    const at::NoGradGuard guard;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      at::Tensor& w = parameters[i].tensor;
      if (!w.grad().defined()) continue;
      const bool is_weight = i < weights;
      momentum[i].mul_(schedule.momentum).add_(w.grad());
      if (is_weight) momentum[i].add_(w, schedule.weight_decay);
      w.add_(momentum[i], -rate * (is_weight ? 1.0 : schedule.sigma_rate));
    }
  }
};

struct Restored {
  Position at;
  std::vector<EpochRecord> epochs;
};

/// Weights, momentum, position and history, with a checksum.
void write_checkpoint(const Network& network, const Sgd& sgd, const Position& at,
                      const std::vector<EpochRecord>& epochs, const TrainOptions& options);

/// Puts network and optimiser where the checkpoint says; an epoch has `steps` steps over `images`
/// images. Throws InputError AX943 where the file is not whole, not of these options, or says what
/// cannot be.
Restored read_checkpoint(Network& network, Sgd& sgd, std::size_t steps, std::size_t images,
                         const TrainOptions& options);

}  // namespace axmul::train
