// Runs TorchScript modules in a graph whose multiplying calls are axmul's layers.
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "axmul/core/errors.hpp"
#include "train/script/module.hpp"
#include "train/torch_error.hpp"
#include "train/torch_types.hpp"

namespace axmul::train {
namespace {

using at::Tensor;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// --- what a call site does while the module runs -------------------------------------------------

std::array<std::int64_t, 2> two(const c10::IValue& list) {
  const auto values = list.toIntVector();
  return values.size() == 1 ? std::array{values[0], values[0]} : std::array{values[0], values[1]};
}

struct Arguments {
  Tensor x, weight;
  TorchOptional<Tensor> bias;
  c10::IValue stride, padding, dilation;
  std::int64_t groups = 1;
};

Tensor exact_call(const Arguments& o, bool linear) {
  if (linear) return at::linear(o.x, o.weight, o.bias);
  if (o.padding.isString())
    return at::conv2d(o.x, o.weight, o.bias, two(o.stride), o.padding.toStringRef(),
                      two(o.dilation), o.groups);
  return at::conv2d(o.x, o.weight, o.bias, two(o.stride), two(o.padding), two(o.dilation),
                    o.groups);
}

// Stride, padding and the like come with the call; they are the same at every call of a site.
Tensor set_geometry(MultiplyLayer& layer, const Arguments& o, const Tensor& x) {
  LayerGeometry& g = layer.geometry;
  g.stride = two(o.stride);
  g.dilation = two(o.dilation);
  g.groups = o.groups;
  g.in_channels = o.weight.size(1) * o.groups;
  const Padding padding = padding_of(o.padding, g.kernel, g.dilation);
  g.padding = padding.even() ? padding.before : std::array<std::int64_t, 2>{0, 0};
  return padding.even() ? x : at::constant_pad_nd(x, padding.amounts());
}

Tensor run_layer(Site& site, const Arguments& o) {
  MultiplyLayer& layer = *site.layer;
  if (o.x.scalar_type() != at::kFloat)
    throw InputError(984, "layer " + layer.name + " gets an input of type " +
                              c10::toString(o.x.scalar_type()) + ", not float32");
  layer.weight = o.weight;
  layer.bias = o.bias.value_or(Tensor());
  Tensor y;
  if (layer.geometry.linear) {
    auto sizes = o.x.sizes().vec();
    y = forward(layer, o.x.reshape({-1, sizes.back()}));
    sizes.back() = layer.geometry.out_channels;
    y = y.view(sizes);
  } else {
    const Tensor x = o.x.dim() == 3 ? o.x.unsqueeze(0) : o.x;
    y = forward(layer, set_geometry(layer, o, x));
    if (o.x.dim() == 3) y = y.squeeze(0);
  }
  site.multiplications +=
      static_cast<double>(y.numel()) * static_cast<double>(layer.geometry.fan_in());
  if (layer.capture != nullptr && layer.capture->codes.defined()) {
    site.codes.push_back(layer.capture->codes);
    site.sums.push_back(layer.capture->accumulator);
  }
  return y;
}

template <class Body>
void guarded(Calls& calls, const Body& body) {
  try {
    body();
  } catch (...) {
    calls.failure = std::current_exception();
    throw;
  }
}

c10::intrusive_ptr<Calls> calls_of(const c10::IValue& capsule) {
  return c10::static_intrusive_pointer_cast<Calls>(capsule.toCapsule());
}

// axmul_train::layer(calls, site, linear, x, weight, bias, stride, padding, dilation, groups) -> y
void layer_operator(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::pop(stack, 10);
  const auto calls = calls_of(arguments[0]);
  guarded(*calls, [&] {
    Site& site = calls->sites.at(static_cast<std::size_t>(arguments[1].toInt()));
    if (site.first_call == 0) site.first_call = ++calls->executed;
    const Arguments o{arguments[3].toTensor(),
                      arguments[4].toTensor(),
                      arguments[5].toOptional<Tensor>(),
                      arguments[6],
                      arguments[7],
                      arguments[8],
                      arguments[9].toInt()};
    if (site.layer != nullptr) {
      torch::jit::push(stack, run_layer(site, o));
      return;
    }
    const Tensor y = exact_call(o, arguments[2].toBool());
    site.multiplications += static_cast<double>(y.numel()) * static_cast<double>(o.weight.numel()) /
                            static_cast<double>(o.weight.size(0));
    torch::jit::push(stack, y);
  });
}

// axmul_train::count(calls, site, inputs, y) -> y, for calls that stay as they are; inputs: a tuple
void count_operator(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::pop(stack, 4);
  const auto calls = calls_of(arguments[0]);
  guarded(*calls, [&] {
    Site& site = calls->sites.at(static_cast<std::size_t>(arguments[1].toInt()));
    if (site.first_call == 0) site.first_call = ++calls->executed;
    const std::vector<c10::IValue> inputs = arguments[2].toTupleRef().elements().vec();
    site.multiplications +=
        site.count({site.argument_names, inputs, arguments[3], site.per_filter});
  });
  torch::jit::push(stack, arguments[3]);
}

const torch::jit::RegisterOperators kOperators(
    {torch::jit::Operator(
         "axmul_train::layer(Any calls, int site, bool linear, Tensor x, Tensor weight, Tensor? "
         "bias, Any stride, Any padding, Any dilation, int groups) -> Tensor",
         layer_operator, c10::AliasAnalysisKind::CONSERVATIVE),
     torch::jit::Operator("axmul_train::count(Any calls, int site, Any inputs, Any y) -> Any",
                          count_operator, c10::AliasAnalysisKind::CONSERVATIVE)});

// --- the graph that runs -------------------------------------------------------------------------

Value* or_constant(Graph& graph, Value* value, const c10::IValue& otherwise) {
  return value != nullptr ? value : graph.insertConstant(otherwise);
}

// The site's node gives way to a call of run_layer().
void replace_by_layer(Graph& graph, Value* calls, std::int64_t index, CallSite& site) {
  const torch::jit::WithInsertPoint at(site.node);
  const Operands o = operands_of(site);
  const c10::IValue ones = std::vector<std::int64_t>{1, 1}, zeros = std::vector<std::int64_t>{0, 0};
  Node* node = graph.create(
      c10::Symbol::fromQualString("axmul_train::layer"),
      {calls, graph.insertConstant(index), graph.insertConstant(site.linear), o.input,
       weight_operand(graph, site), or_constant(graph, o.bias, c10::IValue()),
       or_constant(graph, o.stride, ones), or_constant(graph, o.padding, zeros),
       or_constant(graph, o.dilation, ones), or_constant(graph, o.groups, std::int64_t{1})});
  node->output()->copyMetadata(site.node->output());
  graph.insertNode(node);
  replace_site(site, node->output());
}

// The site's node stays, and count_operator() sees what goes in and what comes out first; false:
// nothing comes out that it could see.
bool count_after(Graph& graph, Value* calls, std::int64_t index, const CallSite& site) {
  if (site.node->outputs().empty()) return false;
  Value* output = site.node->output(0);
  const torch::jit::WithInsertPoint at(site.node->next());
  // A function is no value, and what a call that is not inlined multiplies is unknown anyway.
  const bool opaque = site.call.starts_with("prim::");
  Value* inputs =
      graph.insertNode(graph.createTuple(opaque ? at::ArrayRef<Value*>() : site.node->inputs()))
          ->output();
  Node* node = graph.create(c10::Symbol::fromQualString("axmul_train::count"),
                            {calls, graph.insertConstant(index), inputs, output});
  node->output()->setType(output->type());
  graph.insertNode(node);
  output->replaceAllUsesAfterNodeWith(node, node->output());
  return true;
}

std::vector<std::string> argument_names(const Node* node) {
  std::vector<std::string> names;
  if (const auto* schema = node->maybeSchema(); schema != nullptr)
    for (const auto& argument : schema->arguments()) names.push_back(argument.name());
  return names;
}

std::unique_ptr<MultiplyLayer> make_layer(const CallSite& site, std::size_t index,
                                          std::uint64_t seed) {
  auto layer = std::make_unique<MultiplyLayer>();
  layer->name = site.name;
  LayerGeometry& g = layer->geometry;
  g.linear = site.linear;
  const Tensor weight = site.transposed_weight ? site.weight.t() : site.weight;
  g.out_channels = weight.size(0);
  g.in_channels = weight.size(1);
  if (!site.linear) g.kernel = {weight.size(2), weight.size(3)};
  layer->weight = weight;
  layer->noise_seed = seed;
  layer->noise_stream = static_cast<std::uint64_t>(index) << 40;
  return layer;
}

// --- running it ----------------------------------------------------------------------------------

// forward()'s further arguments have defaults; the check is in load_script_network().
torch::jit::Stack stack_for(const ScriptModule& script, const Tensor& images) {
  torch::jit::Stack stack = {script.module._ivalue(), images};
  const auto& arguments = script.module.get_method("forward").function().getSchema().arguments();
  for (std::size_t i = 2; i < arguments.size(); ++i)
    stack.push_back(arguments[i].default_value().value());
  return stack;
}

// Several calls of one site in a pass lie behind each other image by image: [N · calls, …].
void join_captures(Site& site, std::int64_t batch) {
  MultiplyLayer& layer = *site.layer;
  const auto joined = [&](const std::vector<Tensor>& parts) {
    std::vector<Tensor> by_image;
    for (const Tensor& part : parts) {
      auto sizes = part.sizes().vec();
      sizes[0] /= batch;
      sizes.insert(sizes.begin(), batch);
      by_image.push_back(part.reshape(sizes));
    }
    return at::cat(by_image, 1).flatten(0, 1);
  };
  for (const Tensor& part : site.codes)
    if (part.size(0) % batch != 0 || part.sizes().slice(1) != site.codes[0].sizes().slice(1))
      throw InputError(984, "layer " + layer.name +
                                " is called with inputs of different sizes in one forward pass; "
                                "that cannot be traced");
  if (site.codes.size() > 1) {
    layer.capture->codes = joined(site.codes);
    layer.capture->accumulator = joined(site.sums).contiguous(at::MemoryFormat::ChannelsLast);
  }
  site.codes.clear();
  site.sums.clear();
}

}  // namespace

Padding padding_of(const c10::IValue& padding, const std::array<std::int64_t, 2>& kernel,
                   const std::array<std::int64_t, 2>& dilation) {
  Padding result;
  if (!padding.isString()) {
    result.before = result.after = two(padding);
  } else if (padding.toStringRef() == "same") {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t total = dilation[i] * (kernel[i] - 1);
      result.before[i] = total / 2;
      result.after[i] = total - total / 2;
    }
  }
  return result;
}

std::shared_ptr<ScriptModule> make_runnable(const torch::jit::Module& module,
                                            const std::string& path, std::uint64_t seed) {
  auto script = std::make_shared<ScriptModule>(ScriptModule{module, path, {}, {}, {}, {}});
  const auto graph = script->module.get_method("forward").graph()->copy();
  inline_forward(*graph);
  script->sites = find_call_sites(script->module, *graph);
  auto calls = c10::make_intrusive<Calls>();
  Value* handle = graph->addInput("calls")->setType(c10::AnyType::get());
  for (std::size_t i = 0; i < script->sites.size(); ++i) {
    CallSite& site = script->sites[i];
    const auto index = static_cast<std::int64_t>(i);
    Site& runs = calls->sites.emplace_back();
    if (site.reason.empty()) {
      runs.own = make_layer(site, i, seed);
      runs.layer = runs.own.get();
      replace_by_layer(*graph, handle, index, site);
      continue;
    }
    runs.count = find_multiplying_call(site.call)->count;
    runs.argument_names = argument_names(site.node);
    if (site.weight.defined() && site.weight.dim() > 0)
      runs.per_filter =
          static_cast<double>(site.weight.numel()) / static_cast<double>(site.weight.size(0));
    runs.is_seen = count_after(*graph, handle, index, site);
  }
  for (CallSite& site : script->sites) site.node = nullptr;  // the executor makes its own graph
  views_to_reshapes(*graph);
  script->calls = calls;
  script->executor = std::make_unique<torch::jit::GraphExecutor>(graph, "forward");
  return script;
}

SeededGenerator::SeededGenerator(std::uint64_t seed)
    : generator_(at::detail::getDefaultCPUGenerator()) {
  const std::lock_guard lock(generator_.mutex());
  before_ = generator_.get_state();
  generator_.set_current_seed(seed);
}

SeededGenerator::~SeededGenerator() {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_state(before_);
}

c10::IValue execute(const ScriptModule& script, const Tensor& images) {
  torch::jit::Stack stack = stack_for(script, images);
  stack.push_back(c10::IValue::make_capsule(script.calls));
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    script.executor->run(stack);
  } catch (const std::exception& error) {
    if (script.calls->failure)
      std::rethrow_exception(std::exchange(script.calls->failure, nullptr));
    throw_torch_error(984, {script.path}, "the module fails: ", error);
  }
  return torch::jit::pop(stack);
}

c10::IValue execute_original(const ScriptModule& script, const Tensor& images) {
  const NoWarnings quiet;  // what libtorch finds slow in the user's module is not axmul's to say
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  torch::jit::Stack stack = stack_for(script, images);
  stack.erase(stack.begin());
  try {
    return script.module.get_method("forward")(stack);
  } catch (const std::exception& error) {
    throw_torch_error(984, {script.path},
                      "the module fails on images of " + c10::str(images.sizes()) + ": ", error);
  }
}

Tensor run_script(ScriptModule& script, Network& network, const Tensor& images) {
  Calls& calls = *script.calls;
  if (script.training != network.training) script.module.train(network.training);
  script.training = network.training;
  for (Site& site : calls.sites) {
    site.multiplications = 0;
    if (site.layer != nullptr && site.layer->capture != nullptr) *site.layer->capture = {};
  }
  const SeededGenerator seeded(network.seed * 0x9e3779b97f4a7c15u + network.step);
  const c10::IValue result = execute(script, images);
  const auto batch = std::max<std::int64_t>(1, images.size(0));
  for (Site& site : calls.sites) {
    if (site.layer == nullptr) continue;
    if (site.multiplications > 0)
      site.layer->ops =
          static_cast<std::int64_t>(site.multiplications / static_cast<double>(batch));
    if (site.layer->capture != nullptr) join_captures(site, batch);
  }
  return result.toTensor();
}

void backward(const Network& network, const Tensor& loss) {
  if (!network.script) {
    loss.backward();
    return;
  }
  try {
    loss.backward();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw_torch_error(984, {network.script->path}, "the module cannot be trained: ", error);
  }
}

}  // namespace axmul::train
