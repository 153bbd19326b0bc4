// Runs every TorchScript module of a folder as axmul does, for chains_test.py to compare.
//
// Usage: chain_runner FOLDER CHANNELS HEIGHT WIDTH. FOLDER holds images.npy [N, C·H·W] and modules
// NAME.pt with ten classes. Written beside each: NAME.float.npy and NAME.quantized.npy (outputs
// [N, 10] in float and in 8 bits with the ranges of these images), NAME.h5 (weights and ranges),
// NAME.axmul.pt (the module with axmul's operators), NAME.training.npy (outputs of a step in 8 bits
// that keeps gradients). What fails is printed as "NAME: message".
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "axmul/io/atomic_file.hpp"
#include "axmul/io/npy.hpp"
#include "axmul/train/script.hpp"
#include "axmul/train/state_dict.hpp"
#include "axmul/train/training.hpp"

namespace {

using axmul::LayerMode;
using axmul::Network;

at::Tensor read_images(const std::string& path, const axmul::NetworkOptions& o) {
  const axmul::NpyArray array = axmul::read_npy(path);
  std::vector<float> values(array.reals.begin(), array.reals.end());
  return at::tensor(values)
      .view({static_cast<std::int64_t>(array.shape.at(0)), o.channels, o.height, o.width})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

void write(const at::Tensor& y, const std::string& path) {
  const at::Tensor dense = y.detach().contiguous();
  const std::vector<std::size_t> shape = {static_cast<std::size_t>(dense.size(0)),
                                          static_cast<std::size_t>(dense.size(1))};
  const std::span<const float> values(dense.data_ptr<float>(),
                                      static_cast<std::size_t>(dense.numel()));
  axmul::AtomicFile file(path, true);
  file.write(axmul::npy_bytes(values, shape));
  file.commit();
}

void run(const std::string& stem, const axmul::NetworkOptions& options, const at::Tensor& images) {
  Network network = axmul::load_script_network(stem + ".pt", options, 1);
  {
    const at::NoGradGuard guard;
    for (const auto& layer : network.layers) layer->observe = true;
    write(axmul::forward(network, images), stem + ".float.npy");
    for (const auto& layer : network.layers) layer->observe = false;
    axmul::set_mode(network, LayerMode::quantized);
    write(axmul::forward(network, images), stem + ".quantized.npy");
  }
  axmul::write_state_dict(axmul::state_of(network), stem + ".h5");
  axmul::save_script_network(network, stem + ".axmul.pt", axmul::ScriptOutput::axmul);
  const at::Tensor y = axmul::forward(network, images);
  if (y.requires_grad()) y.square().mean().backward();
  write(y, stem + ".training.npy");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  axmul::set_training_threads(1);  // such small tensors lose by more
  axmul::NetworkOptions options;
  options.channels = std::atoi(argv[2]);
  options.height = std::atoi(argv[3]);
  options.width = std::atoi(argv[4]);
  const at::Tensor images = read_images(std::string(argv[1]) + "/images.npy", options);
  std::vector<std::string> stems;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const auto& path = entry.path();
    if (path.extension() == ".pt" && path.stem().extension().empty())
      stems.push_back((path.parent_path() / path.stem()).string());
  }
  bool good = true;
  for (const std::string& stem : stems) try {
      run(stem, options, images);
    } catch (const std::exception& error) {
      std::cout << std::filesystem::path(stem).filename().string() << ": " << error.what() << '\n';
      good = false;
    }
  return good ? 0 : 1;
}
