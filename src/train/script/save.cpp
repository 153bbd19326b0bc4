// Writes TorchScript networks back, as they were or with axmul's operators in them.
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/train/script.hpp"
#include "train/script/module.hpp"
#include "train/torch_error.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

using at::Tensor;
using torch::jit::Graph;
using torch::jit::Value;
using train::Calls;
using train::CallSite;

// Adds tensors to a module as buffers, equal ones once.
class Buffers {
 public:
  Buffers(torch::jit::Module& module, Graph& graph) : module_(module), graph_(graph) {}

  Value* table(const Lut& lut) {
    const std::string name = "axmul_lut_" + lut.sha256().substr(0, 16);
    if (!module_.hasattr(name)) {
      Tensor tensor = at::empty({256, 256}, at::kInt);
      std::copy(lut.products().begin(), lut.products().end(), tensor.data_ptr<std::int32_t>());
      module_.register_buffer(name, tensor);
    }
    return get(name);
  }
  Value* numbers(const char* what, const std::vector<double>& values) {
    const std::string name = "axmul_" + std::string(what) + "_" + std::to_string(next_++);
    module_.register_buffer(name, at::tensor(values, at::kDouble));
    return get(name);
  }

 private:
  Value* get(const std::string& name) { return graph_.insertGetAttr(graph_.inputs().at(0), name); }
  torch::jit::Module& module_;
  Graph& graph_;
  std::size_t next_ = 0;
};

void replace_by_operator(Graph& graph, Buffers& buffers, const MultiplyLayer& layer,
                         CallSite& site) {
  using torch::jit::NamedValue;
  const torch::jit::WithInsertPoint at(site.node);
  const train::Operands operands = train::operands_of(site);
  const LayerGeometry& g = layer.geometry;
  const bool approximate = layer.mode == LayerMode::approximate;
  const auto none = [&] { return graph.insertConstant(c10::IValue()); };
  Value* input = operands.input;
  const auto constant_padding =
      operands.padding ? torch::jit::toIValue(operands.padding) : train::kTorchNone;
  if (constant_padding && constant_padding->isString()) {
    const train::Padding sides = train::padding_of(*constant_padding, g.kernel, g.dilation);
    if (!sides.even()) input = graph.insert(c10::aten::constant_pad_nd, {input, sides.amounts()});
  }
  std::vector<NamedValue> arguments = {
      input, train::weight_operand(graph, site), operands.bias != nullptr ? operands.bias : none(),
      approximate ? buffers.table(layer.multiplier->lut) : none(),
      buffers.numbers("a_range", {layer.observer.min, layer.observer.max})};
  std::vector<NamedValue> named;
  const auto name = [&](const char* key, const NamedValue& value) {
    named.emplace_back(key, value.value(graph));
  };
  if (!site.linear) {
    const auto list = [](const std::array<std::int64_t, 2>& v) {
      return c10::IValue(std::vector<std::int64_t>{v[0], v[1]});
    };
    name("stride", list(g.stride));
    name("padding", list(g.padding));
    name("dilation", list(g.dilation));
    name("groups", c10::IValue(g.groups));
  }
  if (approximate && !layer.mean_acc.empty())
    name("mean_acc", buffers.numbers("mean_acc", layer.mean_acc));
  if (approximate) name("type", c10::IValue(std::string(to_string(layer.multiplier->lut.type()))));
  name("encoding", c10::IValue(std::string(to_string(layer.encoding))));
  name("per_channel", c10::IValue(layer.per_channel));
  Value* output = graph.insert(
      c10::Symbol::fromQualString(site.linear ? "axmul::lut_linear" : "axmul::lut_conv2d"),
      arguments, named);
  train::replace_site(site, output);
}

// The sites of the copy are those of the network, one by one; exact and float ones stay.
void write_operators(const Network& network, torch::jit::Module& module) {
  const Calls& calls = *network.script->calls;
  const auto graph = module.get_method("forward").graph();
  train::inline_forward(*graph);
  auto sites = train::find_call_sites(module, *graph);
  if (sites.size() != calls.sites.size())
    throw InternalError("save_script_network: the copy has other call sites");
  Buffers buffers(module, *graph);
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const MultiplyLayer* layer = calls.sites[i].layer;
    if (layer != nullptr && layer->mode != LayerMode::float32)
      replace_by_operator(*graph, buffers, *layer, sites[i]);
  }
  train::views_to_reshapes(*graph);
}

}  // namespace

void save_script_network(const Network& network, const std::string& path, ScriptOutput output,
                         const std::map<std::string, std::string>& metadata) {
  if (!network.script)
    throw UsageError(986, network.architecture + " is no TorchScript module; give it with --model");
  std::ostringstream bytes;
  try {
    torch::jit::Module module = network.script->module.clone();
    module.eval();
    if (output == ScriptOutput::axmul) write_operators(network, module);
    module.save(bytes, {{train::kMetadataFile, nlohmann::json(metadata).dump()}});
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    train::throw_torch_error(984, {network.script->path}, "the module cannot be written: ", error);
  }
  AtomicFile file(path, true);
  file.write(bytes.str());
  file.commit();
}

}  // namespace axmul
