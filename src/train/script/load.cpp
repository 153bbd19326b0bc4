// Loads TorchScript modules as networks: archive, tensors, and one pass that finds the layers.
// clang-format off: first, so that the build shows that it compiles alone
#include "axmul/train/script.hpp"
// clang-format on

#include <ATen/ops/randn.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "axmul/core/errors.hpp"
#include "train/script/archive.hpp"
#include "train/script/module.hpp"

namespace axmul {
namespace {

using at::Tensor;
using train::Calls;
using train::CallSite;
using train::SeededGenerator;
using train::Site;

torch::jit::Module load_archive(const std::string& path, ScriptTrust trust,
                                std::map<std::string, std::string>& metadata) {
  train::LoadedScript loaded = train::load_script(path, trust == ScriptTrust::any_operator);
  try {
    if (!loaded.metadata.empty())
      metadata = nlohmann::json::parse(loaded.metadata).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw InputError(982, {path}, std::string("has a broken ") + train::kMetadataFile);
  }
  return loaded.module;
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

// One pass over two images of noise: which sites are reached, in which order, and what comes out,
// which must be what the module itself gives.
void probe(ScriptModule& script, Network& network) {
  const at::NoGradGuard guard;
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
  c10::IValue wanted, result;
  {
    const SeededGenerator seeded(0);
    wanted = train::execute_original(script, images);
  }
  restore();
  {
    const SeededGenerator seeded(0);
    result = train::execute(script, images.contiguous(at::MemoryFormat::ChannelsLast));
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
  Calls& calls = *script.calls;
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
      network.uncovered.push_back({call.name, call.call, "not reached in evaluation", 0, false});
    } else if (site.layer == nullptr) {
      const bool reached = site.first_call > 0 || !site.is_seen;
      network.uncovered.push_back(
          {call.name, call.call, call.reason + (reached ? "" : "; not reached in evaluation"),
           site.is_seen ? site.multiplications / 2 : std::numeric_limits<double>::quiet_NaN(),
           reached});
    }
  }
}

}  // namespace

Network load_script_network(const std::string& path, const NetworkOptions& options,
                            std::uint64_t seed, ScriptTrust trust) {
  std::map<std::string, std::string> metadata;
  const torch::jit::Module module = load_archive(path, trust, metadata);
  check_forward(module, path);
  const auto script = train::make_runnable(module, path, seed);
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
    return train::run_script(*script, net, images);
  };
  return network;
}

const std::map<std::string, std::string>& script_metadata(const Network& network) {
  if (!network.script) throw InternalError("script_metadata: not a TorchScript network");
  return network.script->metadata;
}

}  // namespace axmul
