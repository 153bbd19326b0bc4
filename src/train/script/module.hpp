// A TorchScript module as a network: the graph that runs and what its call sites do meanwhile.
#pragma once

#include <ATen/core/Generator.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/custom_class.h>

#include <array>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "axmul/train/network.hpp"
#include "train/script/graph.hpp"
#include "train/script/multiplying_calls.hpp"

namespace axmul {
namespace train {

/// In an archive that axmul has written: what it remembers beside the module.
constexpr const char* kMetadataFile = "axmul.json";

/// What a call site does while the module runs.
struct Site {
  MultiplyLayer* layer = nullptr;       ///< null: exact
  std::unique_ptr<MultiplyLayer> own;   ///< until the network takes it over
  double multiplications = 0;           ///< of the forward pass that runs
  std::vector<at::Tensor> codes, sums;  ///< captured in it, one entry a call
  std::size_t first_call = 0;           ///< order of execution; 0: never
  // How a call that stays exact is counted.
  CountRule count = nullptr;
  std::vector<std::string> argument_names;
  double per_filter = std::numeric_limits<double>::quiet_NaN();  ///< of packed weights
  bool is_seen = true;  ///< false: what happens at this site cannot be observed
};

/// All sites.
struct Calls : torch::CustomClassHolder {
  std::vector<Site> sites;
  std::size_t executed = 0;
  std::exception_ptr failure;  ///< the interpreter would turn it into text
};

}  // namespace train

/// What a network of a TorchScript module needs beside its layers.
struct ScriptModule {
  torch::jit::Module module;
  std::string path;
  std::map<std::string, std::string> metadata;
  std::vector<train::CallSite> sites;  ///< of the graph that runs, without their nodes
  std::unique_ptr<torch::jit::GraphExecutor> executor;
  c10::intrusive_ptr<train::Calls> calls;  ///< the graph's last input
  bool training = false;
};

namespace train {

/// The module with a graph of its own, in which the layers are axmul's and the rest is counted.
std::shared_ptr<ScriptModule> make_runnable(const torch::jit::Module& module,
                                            const std::string& path, std::uint64_t seed);

/// One forward pass of that graph. Throws what a layer throws, or InputError AX984.
c10::IValue execute(const ScriptModule& script, const at::Tensor& images);

/// The module as it came, on the same images. Throws InputError AX984 where it fails.
c10::IValue execute_original(const ScriptModule& script, const at::Tensor& images);

/// What Network::body is for a module: a pass in the network's mode, with its counts and captures.
at::Tensor run_script(ScriptModule& script, Network& network, const at::Tensor& images);

/// loss.backward(). Throws InputError AX984 where a module has no gradient (it changes in place
/// what the gradient needs, …).
void backward(const Network& network, const at::Tensor& loss);

/// While it lives, dropout masks and the like depend on the seed alone; nobody else's numbers
/// change.
class SeededGenerator {
 public:
  explicit SeededGenerator(std::uint64_t seed);
  ~SeededGenerator();
  SeededGenerator(const SeededGenerator&) = delete;
  SeededGenerator& operator=(const SeededGenerator&) = delete;

 private:
  at::Generator generator_;
  at::Tensor before_;
};

/// Zero padding on both sides of height and width; "same" may want one more behind than before.
struct Padding {
  std::array<std::int64_t, 2> before{0, 0}, after{0, 0};
  bool even() const { return before == after; }
  /// What constant_pad_nd wants: last dimension first.
  std::vector<std::int64_t> amounts() const { return {before[1], after[1], before[0], after[0]}; }
};
Padding padding_of(const c10::IValue& padding, const std::array<std::int64_t, 2>& kernel,
                   const std::array<std::int64_t, 2>& dilation);

}  // namespace train
}  // namespace axmul
