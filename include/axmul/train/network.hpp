// The built-in networks: their layers, parameters under PyTorch's names, and the forward pass.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "axmul/model/coverage.hpp"
#include "axmul/train/layer.hpp"
#include "axmul/train/state_dict.hpp"

namespace axmul {

struct BatchNorm {
  std::string name;
  const MultiplyLayer* after = nullptr;                ///< the layer whose outputs it takes
  at::Tensor weight, bias, running_mean, running_var;  // [C]
  std::int64_t batches = 0;                            ///< num_batches_tracked
  double momentum = 0.1, eps = 1e-5;
  bool estimating = false;  ///< statistics are averaged over all batches since reset
};

struct NetworkOptions {
  int classes = 10;
  int channels = 3, height = 32, width = 32;
};

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// A multiplying call of a TorchScript module that stays exact (axmul/train/script.hpp).
struct UncoveredCall {
  std::string name;     ///< of the module that holds its weight, else the call again
  std::string call;     ///< "aten::conv_transpose2d" …
  std::string reason;   ///< why axmul does not replace it
  double ops = 0;       ///< multiplications per image; NaN = unknown
  bool reached = true;  ///< false: no image of the loading pass came there, so ops is 0
};

struct ScriptModule;

/// A network: layers in the order of execution and the function that joins them.
struct Network {
  std::string architecture;
  NetworkOptions options;
  std::vector<std::unique_ptr<MultiplyLayer>> layers;
  std::vector<std::unique_ptr<BatchNorm>> norms;
  bool training = false;
  std::uint64_t seed = 0, step = 0;  ///< select dropout masks and noise; step advances in training
  std::function<at::Tensor(Network&, const at::Tensor&)> body;

  /// A module that the user brought; its parameters and buffers, each once under its own names,
  /// then stand for those of layers and norms, and layers may share a weight.
  std::shared_ptr<ScriptModule> script;
  std::vector<NamedTensor> own_parameters, own_buffers;
  std::vector<UncoveredCall> uncovered;
};

/// Names for make_network, with a word on each.
std::span<const std::pair<std::string_view, std::string_view>> network_names();

/// lenet5, resnet8 … resnet56 (CIFAR, option-A shortcuts), vgg11-bn … vgg19-bn (torchvision's
/// layers and names; classifier 4096-4096-classes), mobilenetv2. Weights drawn from the seed (He et
/// al. 2015). Throws UsageError AX930 (unknown name), InputError AX931 (image size the network
/// cannot take).
Network make_network(const std::string& architecture, const NetworkOptions& options,
                     std::uint64_t seed);

/// Logits [N, classes] of normalised images [N, C, H, W].
at::Tensor forward(Network& network, const at::Tensor& images);

/// Trainable parameters in a fixed order.
std::vector<NamedTensor> parameters(const Network& network);

/// Everything that is worth saving: PyTorch's entries, and for quantised layers "<layer>.a_range"
/// (minimum and maximum of the activations), "<layer>.mean_acc" (folded bias), "<layer>.sigma_l".
StateDict state_of(const Network& network);
/// Throws InputError AX932 listing what is missing, left over or of another shape.
void load_state(Network& network, const StateDict& state, const std::string& path);
/// The number of classes of a state dict: rows of its last weight matrix; 0 where there is none.
int classes_of(const StateDict& state);

MultiplyLayer* find_layer(Network& network, std::string_view name);
void set_mode(Network& network, LayerMode mode);

/// Multiplications per image in the layers and in the calls that stay exact; those of the layers
/// are known after a forward pass.
Coverage coverage_of(const Network& network);
/// Σ ops·power_rel / Σ ops of what coverage_of() counts: exact layers and calls that are not
/// covered count 1; NaN where a power is unknown.
double relative_energy(const Network& network);

}  // namespace axmul
