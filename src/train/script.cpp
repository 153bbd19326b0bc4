// Runs TorchScript modules as networks: their multiplying calls become axmul's layers.
#include "axmul/train/script.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/custom_operator.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "train/script_graph.hpp"

namespace axmul {

using train::CallSite;

// What a network of a TorchScript module needs beside its layers.
struct ScriptModule {
  torch::jit::Module module;
  std::string path;
  std::map<std::string, std::string> metadata;
  std::vector<CallSite> sites;  ///< of the graph that runs
  std::unique_ptr<torch::jit::GraphExecutor> executor;
  c10::intrusive_ptr<torch::CustomClassHolder> calls;  ///< the graph's last input
  bool training = false;
};

namespace {

using at::Tensor;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

constexpr const char* kMetadataFile = "axmul.json";

// --- what a call site does while the module runs
// --------------------------------------------------

struct Site {
  MultiplyLayer* layer = nullptr;      // null: exact
  std::unique_ptr<MultiplyLayer> own;  // until the network takes it over
  double multiplications = 0;          // of the forward pass that runs
  std::vector<Tensor> codes, sums;     // captured in it, one entry a call
  std::size_t first_call = 0;          // order of execution; 0: never
};

struct Calls : torch::CustomClassHolder {
  std::vector<Site> sites;
  std::vector<train::OpsRule> rules;
  std::vector<double> per_filter;  // multiplications of one filter, where the weight is known
  std::vector<bool> counts;        // false: what happens at that site cannot be counted
  std::size_t executed = 0;
  std::exception_ptr failure;  // the interpreter would turn it into text
};

std::array<std::int64_t, 2> two(const c10::IValue& list) {
  const auto values = list.toIntVector();
  return values.size() == 1 ? std::array{values[0], values[0]} : std::array{values[0], values[1]};
}

// Zero padding on both sides of height and width; "same" may want one more behind than before.
struct Padding {
  std::array<std::int64_t, 2> before{0, 0}, after{0, 0};
  bool even() const { return before == after; }
};

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

Tensor pad(const Tensor& x, const Padding& padding) {
  return at::constant_pad_nd(
      x, {padding.before[1], padding.after[1], padding.before[0], padding.after[0]});
}

struct Operands {
  Tensor x, weight;
  c10::optional<Tensor> bias;
  c10::IValue stride, padding, dilation;
  std::int64_t groups = 1;
};

Tensor exact_call(const Operands& o, bool linear) {
  if (linear) return at::linear(o.x, o.weight, o.bias);
  if (o.padding.isString())
    return at::conv2d(o.x, o.weight, o.bias, two(o.stride), o.padding.toStringRef(),
                      two(o.dilation), o.groups);
  return at::conv2d(o.x, o.weight, o.bias, two(o.stride), two(o.padding), two(o.dilation),
                    o.groups);
}

// Stride, padding and the like come with the call; they are the same at every call of a site.
Tensor set_geometry(MultiplyLayer& layer, const Operands& o, const Tensor& x) {
  LayerGeometry& g = layer.geometry;
  g.stride = two(o.stride);
  g.dilation = two(o.dilation);
  g.groups = o.groups;
  g.in_channels = o.weight.size(1) * o.groups;
  const Padding padding = padding_of(o.padding, g.kernel, g.dilation);
  g.padding = padding.even() ? padding.before : std::array<std::int64_t, 2>{0, 0};
  return padding.even() ? x : pad(x, padding);
}

Tensor run_layer(Site& site, const Operands& o) {
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
  if (layer.capture && layer.captured_codes.defined()) {
    site.codes.push_back(layer.captured_codes);
    site.sums.push_back(layer.captured_accumulator);
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
    const Operands o{arguments[3].toTensor(),
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
    site.multiplications +=
        static_cast<double>(y.numel()) * static_cast<double>(o.weight.numel() / o.weight.size(0));
    torch::jit::push(stack, y);
  });
}

// axmul_train::count(calls, site, y, x, weight or None) -> y, for calls that stay as they are
void count_operator(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::pop(stack, 5);
  const auto calls = calls_of(arguments[0]);
  guarded(*calls, [&] {
    const auto index = static_cast<std::size_t>(arguments[1].toInt());
    Site& site = calls->sites.at(index);
    if (site.first_call == 0) site.first_call = ++calls->executed;
    const auto size = [](const c10::IValue& v) {
      return v.isTensor() ? static_cast<double>(v.toTensor().numel())
                          : std::numeric_limits<double>::quiet_NaN();
    };
    double per_filter = calls->per_filter[index];
    if (arguments[4].isTensor() && arguments[4].toTensor().dim() > 0)
      per_filter = size(arguments[4]) / static_cast<double>(arguments[4].toTensor().size(0));
    double count = std::numeric_limits<double>::quiet_NaN();
    if (calls->rules[index] == train::OpsRule::output_times_weight)
      count = size(arguments[2]) * per_filter;
    else if (calls->rules[index] == train::OpsRule::input_times_weight)
      count = size(arguments[3]) * per_filter;
    else if (calls->rules[index] == train::OpsRule::inner && arguments[3].isTensor() &&
             arguments[3].toTensor().dim() > 0)
      count = size(arguments[2]) * static_cast<double>(arguments[3].toTensor().size(-1));
    site.multiplications += count;
  });
  torch::jit::push(stack, arguments[2]);
}

const torch::jit::RegisterOperators kOperators(
    {torch::jit::Operator(
         "axmul_train::layer(Any calls, int site, bool linear, Tensor x, Tensor weight, Tensor? "
         "bias, Any stride, Any padding, Any dilation, int groups) -> Tensor",
         layer_operator, c10::AliasAnalysisKind::CONSERVATIVE),
     torch::jit::Operator(
         "axmul_train::count(Any calls, int site, Any y, Any x, Any weight) -> Any", count_operator,
         c10::AliasAnalysisKind::CONSERVATIVE)});

// --- the graph that runs
// --------------------------------------------------------------------------

Value* weight_operand(Graph& graph, const CallSite& site) {
  if (!site.transposed_weight) return site.weight_value;
  return graph.insertNode(graph.create(c10::aten::t, {site.weight_value}))->output();
}

Value* or_constant(Graph& graph, Value* value, const c10::IValue& otherwise) {
  return value != nullptr ? value : graph.insertConstant(otherwise);
}

// The site's node gives way to a call of run_layer().
void replace_by_layer(Graph& graph, Value* calls, std::int64_t index, const CallSite& site) {
  const torch::jit::WithInsertPoint at(site.node);
  const c10::IValue ones = std::vector<std::int64_t>{1, 1}, zeros = std::vector<std::int64_t>{0, 0};
  Node* node = graph.create(
      c10::Symbol::fromQualString("axmul_train::layer"),
      {calls, graph.insertConstant(index), graph.insertConstant(site.linear), site.input,
       weight_operand(graph, site), or_constant(graph, site.bias, c10::IValue()),
       or_constant(graph, site.stride, ones), or_constant(graph, site.padding, zeros),
       or_constant(graph, site.dilation, ones), or_constant(graph, site.groups, std::int64_t{1})});
  node->output()->copyMetadata(site.node->output());
  graph.insertNode(node);
  site.node->output()->replaceAllUsesWith(node->output());
  site.node->destroy();
}

// The site's node stays, and count_operator() sees what goes in and out; false: it cannot.
bool count_after(Graph& graph, Value* calls, std::int64_t index, const CallSite& site) {
  if (site.node->outputs().size() != 1 || site.node->inputs().empty()) return false;
  Value* output = site.node->output();
  const torch::jit::WithInsertPoint at(site.node->next());
  Value* weight = site.weight_value;
  if (weight == nullptr && site.node->inputs().size() > 1) weight = site.node->input(1);
  Node* node = graph.create(c10::Symbol::fromQualString("axmul_train::count"),
                            {calls, graph.insertConstant(index), output,
                             site.input != nullptr ? site.input : site.node->input(0),
                             or_constant(graph, weight, c10::IValue())});
  node->output()->setType(output->type());
  graph.insertNode(node);
  output->replaceAllUsesAfterNodeWith(node, node->output());
  return true;
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

std::shared_ptr<ScriptModule> build(torch::jit::Module module, const std::string& path,
                                    std::uint64_t seed) {
  auto script =
      std::make_shared<ScriptModule>(ScriptModule{std::move(module), path, {}, {}, {}, {}});
  const auto graph = train::inlined_forward(script->module);
  script->sites = train::find_call_sites(script->module, *graph);
  auto calls = c10::make_intrusive<Calls>();
  Value* handle = graph->addInput("calls")->setType(c10::AnyType::get());
  for (std::size_t i = 0; i < script->sites.size(); ++i) {
    const CallSite& site = script->sites[i];
    calls->rules.push_back(train::ops_rule(site));
    calls->per_filter.push_back(site.weight.defined() && site.weight.dim() > 0
                                    ? static_cast<double>(site.weight.numel()) /
                                          static_cast<double>(site.weight.size(0))
                                    : std::numeric_limits<double>::quiet_NaN());
    Site& runs = calls->sites.emplace_back();
    calls->counts.push_back(true);
    if (site.reason.empty()) {
      runs.own = make_layer(site, i, seed);
      runs.layer = runs.own.get();
      replace_by_layer(*graph, handle, static_cast<std::int64_t>(i), site);
    } else {
      calls->counts.back() = count_after(*graph, handle, static_cast<std::int64_t>(i), site);
    }
  }
  train::views_to_reshapes(*graph);
  script->calls = calls;
  script->executor = std::make_unique<torch::jit::GraphExecutor>(graph, "forward");
  return script;
}

// --- running it
// -----------------------------------------------------------------------------------

std::string first_line(const std::string& text) {
  // The interpreter's text begins with a traceback; what went wrong is its last sentence.
  const auto at = text.rfind("Error: ");
  const std::string from = at == std::string::npos ? text : text.substr(at + 7);
  return from.substr(0, from.find('\n'));
}

// All dropout masks and the like depend on (seed, step) alone, and nobody else's numbers change.
class SeededGenerator {
 public:
  explicit SeededGenerator(std::uint64_t seed) : generator_(at::detail::getDefaultCPUGenerator()) {
    const std::lock_guard lock(generator_.mutex());
    before_ = generator_.get_state();
    generator_.set_current_seed(seed);
  }
  ~SeededGenerator() {
    const std::lock_guard lock(generator_.mutex());
    generator_.set_state(before_);
  }
  SeededGenerator(const SeededGenerator&) = delete;
  SeededGenerator& operator=(const SeededGenerator&) = delete;

 private:
  at::Generator generator_;
  Tensor before_;
};

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
    layer.captured_codes = joined(site.codes);
    layer.captured_accumulator = joined(site.sums).contiguous(at::MemoryFormat::ChannelsLast);
  }
  site.codes.clear();
  site.sums.clear();
}

c10::IValue execute(const ScriptModule& script, Calls& calls, const Tensor& images) {
  torch::jit::Stack stack = stack_for(script, images);
  stack.push_back(c10::IValue::make_capsule(script.calls));
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    script.executor->run(stack);
  } catch (const std::exception& error) {
    if (calls.failure) std::rethrow_exception(std::exchange(calls.failure, nullptr));
    throw InputError(984, {script.path}, "the module fails: " + first_line(error.what()));
  }
  return torch::jit::pop(stack);
}

Tensor run_script(ScriptModule& script, Network& network, const Tensor& images) {
  auto& calls = static_cast<Calls&>(*script.calls);
  if (script.training != network.training) script.module.train(network.training);
  script.training = network.training;
  for (Site& site : calls.sites) {
    site.multiplications = 0;
    if (site.layer != nullptr && site.layer->capture)
      site.layer->captured_codes = site.layer->captured_accumulator = Tensor();
  }
  const SeededGenerator seeded(network.seed * 0x9e3779b97f4a7c15u + network.step);
  const c10::IValue result = execute(script, calls, images);
  const auto batch = std::max<std::int64_t>(1, images.size(0));
  for (Site& site : calls.sites) {
    if (site.layer == nullptr) continue;
    if (site.multiplications > 0)
      site.layer->ops =
          static_cast<std::int64_t>(site.multiplications / static_cast<double>(batch));
    if (site.layer->capture) join_captures(site, batch);
  }
  return result.toTensor();
}

// --- loading
// --------------------------------------------------------------------------------------

torch::jit::Module load_archive(const std::string& path,
                                std::map<std::string, std::string>& metadata) {
  if (!std::filesystem::is_regular_file(path)) throw InputError(982, {path}, "is no file");
  torch::jit::ExtraFilesMap extra = {{kMetadataFile, ""}};
  torch::jit::Module module;
  try {
    module = torch::jit::load(path, c10::nullopt, extra);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    const bool archive = text.find("constants.pkl") == std::string::npos &&
                         text.find("zip archive") == std::string::npos;
    throw InputError(982, {path},
                     archive ? "cannot be loaded: " + text.substr(0, text.find('\n'))
                             : "is no TorchScript archive; write one in Python with "
                               "torch.jit.script(model).save(FILE)");
  }
  try {
    if (!extra[kMetadataFile].empty())
      metadata =
          nlohmann::json::parse(extra[kMetadataFile]).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw InputError(982, {path}, std::string("has a broken ") + kMetadataFile);
  }
  return module;
}

void check_forward(const torch::jit::Module& module, const std::string& path) {
  const auto method = module.find_method("forward");
  if (!method) throw InputError(982, {path}, "has no method forward");
  const auto& arguments = method->function().getSchema().arguments();
  const bool one = arguments.size() > 1 && !arguments[1].default_value() &&
                   arguments[1].type()->isSubtypeOf(*c10::TensorType::get());
  for (std::size_t i = 2; i < arguments.size(); ++i)
    if (!arguments[i].default_value())
      throw InputError(982, {path},
                       "forward needs \"" + arguments[i].name() +
                           "\" too; axmul calls it with a batch of images alone");
  if (!one) throw InputError(982, {path}, "forward does not take one tensor, a batch of images");
}

std::string without_module(const std::string& name) {
  return name.starts_with("module.") ? name.substr(7) : name;
}

// Parameters once each, then buffers; DataParallel's "module." is taken off as in state dicts.
void take_tensors(ScriptModule& script, Network& network) {
  const auto parameters = script.module.named_parameters();
  bool wrapped = parameters.size() > 0;
  for (const auto& p : parameters) wrapped = wrapped && p.name.starts_with("module.");
  std::vector<const void*> seen;
  const auto take = [&](const std::string& name, const Tensor& tensor) {
    if (!tensor.defined() ||
        std::find(seen.begin(), seen.end(), tensor.unsafeGetTensorImpl()) != seen.end())
      return;
    seen.push_back(tensor.unsafeGetTensorImpl());
    auto& list = tensor.requires_grad() ? network.own_parameters : network.own_buffers;
    list.push_back({wrapped ? without_module(name) : name, tensor});
  };
  for (const auto& p : parameters) take(p.name, p.value);
  for (const auto& b : script.module.named_buffers()) take(b.name, b.value);
  if (wrapped)
    for (CallSite& site : script.sites) site.name = without_module(site.name);
}

std::vector<Tensor> copies(const std::vector<NamedTensor>& tensors) {
  std::vector<Tensor> result;
  for (const NamedTensor& t : tensors) result.push_back(t.tensor.clone());
  return result;
}

// The module as it came, on the same images and random numbers.
c10::IValue original_result(const ScriptModule& script, const Tensor& images) {
  struct : c10::WarningHandler {
    void process(const c10::SourceLocation&, const std::string&, const bool) override {}
  } silent;  // what libtorch finds slow in the user's module is not axmul's to say
  const c10::Warning::WarningHandlerGuard quiet(&silent);
  const SeededGenerator seeded(0);
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  torch::jit::Stack stack = stack_for(script, images);
  stack.erase(stack.begin());
  try {
    return script.module.get_method("forward")(stack);
  } catch (const std::exception& error) {
    throw InputError(984, {script.path},
                     "the module fails on images of " + c10::str(images.sizes()) + ": " +
                         first_line(error.what()));
  }
}

// One pass over two images of noise: which sites are reached, in which order, and what comes out,
// which must be what the module itself gives.
void probe(ScriptModule& script, Network& network) {
  const at::NoGradGuard guard;
  auto& calls = static_cast<Calls&>(*script.calls);
  const NetworkOptions& o = network.options;
  Tensor images;
  {
    const SeededGenerator seeded(1);
    images = at::randn({2, o.channels, o.height, o.width});
  }
  script.module.eval();
  const auto buffers = copies(network.own_buffers);
  const auto restore = [&] {  // a module traced in training mode moves its statistics
    for (std::size_t i = 0; i < buffers.size(); ++i)
      network.own_buffers[i].tensor.copy_(buffers[i]);
  };
  const c10::IValue wanted = original_result(script, images);
  restore();
  c10::IValue result;
  {
    const SeededGenerator seeded(0);
    result = execute(script, calls, images.contiguous(at::MemoryFormat::ChannelsLast));
  }
  restore();
  if (!result.isTensor())
    throw InputError(983, {script.path},
                     "forward returns " + result.tagKind() + ", not a tensor [images, classes]");
  const Tensor logits = result.toTensor();
  if (logits.dim() != 2 || logits.size(0) != 2)
    throw InputError(983, {script.path},
                     "forward turns two images into a tensor of shape " + c10::str(logits.sizes()) +
                         ", not [2, classes]");
  if (logits.size(1) != o.classes)
    throw InputError(983, {script.path},
                     "the module tells " + std::to_string(logits.size(1)) +
                         " classes apart, the data has " + std::to_string(o.classes));
  const Tensor own = wanted.toTensor();
  const double size = own.abs().max().item<double>();
  if (!((own - logits).abs().max().item<double>() <= 1e-3 * std::max(1.0, size)))
    throw InputError(984, {script.path},
                     "the module gives other results with images in channels-last memory; it "
                     "depends on how tensors lie in memory");
}

void take_layers(ScriptModule& script, Network& network) {
  auto& calls = static_cast<Calls&>(*script.calls);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < calls.sites.size(); ++i)
    if (calls.sites[i].own && calls.sites[i].first_call > 0) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
    return calls.sites[x].first_call < calls.sites[y].first_call;
  });
  for (const std::size_t i : order) {
    Site& site = calls.sites[i];
    site.layer->name = script.sites[i].name;
    site.layer->ops = static_cast<std::int64_t>(site.multiplications / 2);
    network.layers.push_back(std::move(site.own));
  }
  for (std::size_t i = 0; i < calls.sites.size(); ++i) {
    Site& site = calls.sites[i];
    const CallSite& call = script.sites[i];
    if (site.own) {  // never reached: it runs exactly, should a branch lead there
      site.layer = nullptr;
      site.own.reset();
      network.uncovered.push_back({call.name, call.call, "not reached in evaluation", 0});
    } else if (site.layer == nullptr) {
      const bool reached = site.first_call > 0 || !calls.counts[i];
      network.uncovered.push_back(
          {call.name, call.call, call.reason + (reached ? "" : "; not reached in evaluation"),
           calls.counts[i] ? site.multiplications / 2 : std::numeric_limits<double>::quiet_NaN()});
    }
  }
}

// --- writing axmul's operators into a copy of the module
// ------------------------------------------

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
                         const CallSite& site) {
  using torch::jit::NamedValue;
  const torch::jit::WithInsertPoint at(site.node);
  const LayerGeometry& g = layer.geometry;
  const bool approximate = layer.mode == LayerMode::approximate;
  const auto none = [&] { return graph.insertConstant(c10::IValue()); };
  Value* input = site.input;
  const auto* padding = site.padding;
  const auto constant_padding = padding ? torch::jit::toIValue(padding) : c10::nullopt;
  if (constant_padding && constant_padding->isString()) {
    const Padding sides = padding_of(*constant_padding, g.kernel, g.dilation);
    if (!sides.even())
      input = graph.insert(c10::aten::constant_pad_nd,
                           {input, std::vector<std::int64_t>{sides.before[1], sides.after[1],
                                                             sides.before[0], sides.after[0]}});
  }
  std::vector<NamedValue> arguments = {
      input, weight_operand(graph, site), site.bias != nullptr ? site.bias : none(),
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
  site.node->output()->replaceAllUsesWith(output);
  site.node->destroy();
}

// The sites of the copy are those of the network, one by one; exact and float ones stay.
void write_operators(const Network& network, torch::jit::Module& module) {
  auto& calls = static_cast<Calls&>(*network.script->calls);
  const auto graph = module.get_method("forward").graph();
  torch::jit::Inline(*graph);
  const auto sites = train::find_call_sites(module, *graph);
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

Network load_script_network(const std::string& path, const NetworkOptions& options,
                            std::uint64_t seed) {
  std::map<std::string, std::string> metadata;
  torch::jit::Module module = load_archive(path, metadata);
  check_forward(module, path);
  const auto script = build(std::move(module), path, seed);
  script->metadata = std::move(metadata);
  Network network;
  network.architecture = std::filesystem::path(path).stem().string();
  network.options = options;
  network.seed = seed;
  network.script = script;
  take_tensors(*script, network);
  probe(*script, network);
  take_layers(*script, network);
  network.body = [script](Network& net, const Tensor& images) {
    return run_script(*script, net, images);
  };
  return network;
}

const std::map<std::string, std::string>& script_metadata(const Network& network) {
  if (!network.script) throw InternalError("script_metadata: not a TorchScript network");
  return network.script->metadata;
}

void save_script_network(const Network& network, const std::string& path, ScriptOutput output,
                         const std::map<std::string, std::string>& metadata) {
  if (!network.script)
    throw UsageError(986, network.architecture + " is no TorchScript module; give it with --model");
  torch::jit::Module module = network.script->module.clone();
  module.eval();
  if (output == ScriptOutput::axmul) write_operators(network, module);
  std::ostringstream bytes;
  module.save(bytes, {{kMetadataFile, nlohmann::json(metadata).dump()}});
  AtomicFile file(path, true);
  file.write(bytes.str());
  file.commit();
}

}  // namespace axmul
