// Finds the multiplying calls of a TorchScript graph and tells which ones axmul can replace.
#include "train/script/graph.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "train/script/multiplying_calls.hpp"

namespace axmul::train {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
namespace prim = c10::prim;

// An Optional that is known to hold something is the value itself.
const Value* without_casts(const Value* value) {
  while (value->node()->kind() == prim::unchecked_cast ||
         value->node()->kind() == prim::unchecked_unwrap_optional)
    value = value->node()->input();
  return value;
}

// Where a value comes from: the attributes from the module down, or nothing.
std::optional<std::vector<std::string>> attribute_path(const Graph& graph, const Value* value) {
  std::vector<std::string> path;
  value = without_casts(value);
  while (value->node()->kind() == prim::GetAttr) {
    path.insert(path.begin(), value->node()->s(c10::attr::name));
    value = value->node()->input();
  }
  if (path.empty() || value != graph.inputs().at(0)) return std::nullopt;
  return path;
}

std::optional<c10::IValue> attribute(const torch::jit::Module& module,
                                     const std::vector<std::string>& path) {
  torch::jit::Module at = module;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const c10::IValue next = at.attr(path[i]);
    if (!next.isModule()) return std::nullopt;
    at = next.toModule();
  }
  return at.hasattr(path.back()) ? std::optional<c10::IValue>(at.attr(path.back())) : std::nullopt;
}

// Whether these values are the same for all images: made of parameters, buffers and constants
// alone. What comes out of an If or a Loop counts as made of the images.
bool same_for_all_images(const Graph& graph, std::vector<const Value*> values) {
  std::set<const Value*> seen;
  while (!values.empty()) {
    const Value* value = values.back();
    values.pop_back();
    if (value == graph.inputs().at(0) || !seen.insert(value).second) continue;
    const Node* node = value->node();
    if (node->kind() == prim::Param || !node->blocks().empty()) return false;
    values.insert(values.end(), node->inputs().begin(), node->inputs().end());
  }
  return true;
}

// "conv1.weight" → "conv1"; a parameter of another name keeps it.
std::string layer_name(std::vector<std::string> path) {
  if (path.size() > 1 && path.back() == "weight") path.pop_back();
  std::string name;
  for (const std::string& part : path) name += (name.empty() ? "" : ".") + part;
  return name;
}

Value* argument(Node* node, const char* name) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr) return nullptr;
  const auto index = schema->argumentIndexWithName(name);
  return index ? node->input(static_cast<std::size_t>(*index)) : nullptr;
}

bool is_number(const Value* value, double wanted) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return false;
  return constant->isInt()      ? static_cast<double>(constant->toInt()) == wanted
         : constant->isDouble() ? constant->toDouble() == wanted
                                : false;
}

// The weight operand: a parameter, or why it is none.
void resolve_weight(const torch::jit::Module& module, const Graph& graph, const Value* value,
                    CallSite& site) {
  if (value->node()->kind() == prim::Constant) {
    site.reason = "its weight is a constant: the module was frozen, export it unfrozen";
    return;
  }
  const auto path = attribute_path(graph, value);
  if (!path) {
    site.reason = "dynamic weights: computed in the call, not a parameter";
    if (same_for_all_images(graph, {value}))
      site.reason =
          "dynamic weights: computed in the call from parameters; take weight_norm, "
          "masks and the like out before exporting";
    return;
  }
  site.name = layer_name(*path);
  const auto held = attribute(module, *path);
  if (!held || !held->isTensor()) {
    site.reason = "its weight is no tensor";
    return;
  }
  site.weight = held->toTensor();
  const std::int64_t dims = site.linear ? 2 : 4;
  if (site.weight.scalar_type() != at::kFloat)
    site.reason = std::string("its weights are ") + c10::toString(site.weight.scalar_type()) +
                  ", not float32";
  else if (site.weight.dim() != dims)
    site.reason = std::to_string(site.weight.dim() - 2) + "-dimensional convolution";
}

void read_convolution(const torch::jit::Module& module, const Graph& graph, CallSite& site) {
  resolve_weight(module, graph, operands_of(site).weight, site);
  if (Value* transposed = argument(site.node, "transposed"); transposed != nullptr) {
    const auto constant = torch::jit::toIValue(transposed);
    if (!constant || !constant->isBool() || constant->toBool())
      site.reason = "transposed convolution";
  }
}

void read_linear(const torch::jit::Module& module, const Graph& graph, CallSite& site) {
  site.linear = true;
  resolve_weight(module, graph, operands_of(site).weight, site);
}

// mat2 of addmm is a transposed parameter, or one that is [in, out] itself.
bool is_transpose(const Node* node) {
  if (node->kind() == c10::aten::t) return true;
  return node->kind() == c10::aten::transpose &&
         ((is_number(node->input(1), 0) && is_number(node->input(2), 1)) ||
          (is_number(node->input(1), 1) && is_number(node->input(2), 0)));
}

// addmm(bias, x, Wᵀ) is what linear was.
void read_addmm(const torch::jit::Module& module, const Graph& graph, CallSite& site) {
  Node* node = site.node;
  site.linear = true;
  site.transposed_weight = !is_transpose(argument(node, "mat2")->node());
  const Operands operands = operands_of(site);
  resolve_weight(module, graph, operands.weight, site);
  if (!site.reason.empty()) return;
  if (!is_number(argument(node, "beta"), 1) || !is_number(argument(node, "alpha"), 1))
    site.reason = "alpha or beta is not 1";
  const auto bias = attribute_path(graph, operands.bias);
  const auto held = bias ? attribute(module, *bias) : std::nullopt;
  if (!held || !held->isTensor() || held->toTensor().dim() != 1)
    site.reason = "it adds a matrix, not a bias";
}

// The weight inside the packed parameters of a quantised call; undefined where they do not say.
at::Tensor unpacked_weight(const c10::IValue& packed, const std::string& call) {
  for (const char* kind : {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
                           "conv_transpose2d", "conv_transpose3d"}) {
    if (!call.starts_with(std::string("quantized::") + kind)) continue;
    const auto unpack = c10::Dispatcher::singleton().findSchema(
        {std::string("quantized::") + kind + "_unpack", ""});
    if (!unpack) continue;
    try {
      torch::jit::Stack stack = {packed};
      unpack->callBoxed(stack);
      if (!stack.empty() && stack[0].isTensor()) return stack[0].toTensor();
    } catch (const c10::Error&) {  // packed in a way that this build of libtorch cannot unpack
    }
  }
  return {};
}

// The first operand that is an attribute of the module names a call that stays exact.
void name_after_attribute(const torch::jit::Module& module, const Graph& graph, CallSite& site) {
  for (Value* value : site.node->inputs()) {
    const auto path = attribute_path(graph, value);
    const auto held = path ? attribute(module, *path) : std::nullopt;
    if (!held) continue;
    auto shown = *path;
    while (shown.size() > 1 && shown.back() == "_packed_params") shown.pop_back();
    site.name = layer_name(std::move(shown));
    if (held->isTensor())
      site.weight = held->toTensor();
    else if (site.call.starts_with("quantized::"))
      site.weight = unpacked_weight(*held, site.call);
    return;
  }
}

void visit(const torch::jit::Module& module, Graph& graph, Block* block,
           std::vector<CallSite>& sites) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) visit(module, graph, inner, sites);
    CallSite site;
    site.node = node;
    site.call = node->kind().toQualString();
    const MultiplyingCall* known = find_multiplying_call(site.call);
    if (known == nullptr) continue;
    site.reason = known->reason;
    if (site.reason.empty() && (site.call.ends_with('_') || argument(node, "out") != nullptr))
      site.reason = "it writes into a given tensor";
    if (!site.reason.empty())
      name_after_attribute(module, graph, site);
    else if (site.call == "aten::linear")
      read_linear(module, graph, site);
    else if (site.call == "aten::addmm")
      read_addmm(module, graph, site);
    else
      read_convolution(module, graph, site);
    // What makes weights of weights (spectral normalisation) is done once, not for each image.
    if (same_for_all_images(graph, {node->inputs().begin(), node->inputs().end()})) continue;
    sites.push_back(std::move(site));
  }
}

// The modules whose forward() the call was written in, from the outermost: "features.0.conv".
std::string calling_modules(Node* node) {
  std::string name;
  if (!node->callstack()) return name;
  for (const auto& entry : (*node->callstack())->vec()) {
    const auto& instance = std::get<2>(entry);
    const std::string part = instance ? instance->instance_name() : "";
    if (part.empty() || part == "self" || part == "SELF" || part == "INVALID") continue;
    name += (name.empty() ? "" : ".") + part;
  }
  return name;
}

// A module that is called several times: NAME, NAME#2, NAME#3 …
void make_names_unique(std::vector<CallSite>& sites) {
  std::map<std::string, int> count;
  for (CallSite& site : sites) {
    if (site.name.empty()) site.name = calling_modules(site.node);
    if (site.name.empty()) site.name = site.call;
    const int n = ++count[site.name];
    if (n > 1) site.name += "#" + std::to_string(n);
  }
}

bool has_fused_call(Block* block) {
  for (Node* node : block->nodes()) {
    const std::string_view kind = node->kind().toQualString();
    if (kind == "aten::_transformer_encoder_layer_fwd" ||
        kind == "aten::_native_multi_head_attention")
      return true;
    for (Block* inner : node->blocks())
      if (has_fused_call(inner)) return true;
  }
  return false;
}

// The modules take the fused call only where no gradient is wanted: they are told that it is.
void want_gradients(Graph& graph, Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    Node* node = *it++;
    for (Block* inner : node->blocks()) want_gradients(graph, inner);
    const std::string_view kind = node->kind().toQualString();
    if (kind != "aten::is_grad_enabled" && kind != "prim::requires_grad") continue;
    const torch::jit::WithInsertPoint at(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(true));
    node->destroy();
  }
}

}  // namespace

void inline_forward(Graph& graph) {
  torch::jit::Inline(graph);
  if (has_fused_call(graph.block())) want_gradients(graph, graph.block());
}

std::vector<CallSite> find_call_sites(const torch::jit::Module& module, Graph& graph) {
  std::vector<CallSite> sites;
  visit(module, graph, graph.block(), sites);
  make_names_unique(sites);
  return sites;
}

Operands operands_of(const CallSite& site) {
  Node* node = site.node;
  Operands o;
  if (site.call == "aten::addmm") {
    Value* matrix = argument(node, "mat2");
    o.input = argument(node, "mat1");
    o.weight = site.transposed_weight ? matrix : matrix->node()->input(0);
    o.bias = argument(node, "self");
    return o;
  }
  o.input = argument(node, "input");
  o.weight = argument(node, "weight");
  o.bias = argument(node, "bias");
  o.stride = argument(node, "stride");
  o.padding = argument(node, "padding");
  o.dilation = argument(node, "dilation");
  o.groups = argument(node, "groups");
  return o;
}

Value* weight_operand(Graph& graph, const CallSite& site) {
  Value* weight = operands_of(site).weight;
  if (!site.transposed_weight) return weight;
  return graph.insertNode(graph.create(c10::aten::t, {weight}))->output();
}

void replace_site(CallSite& site, Value* output) {
  site.node->output()->replaceAllUsesWith(output);
  site.node->destroy();
  site.node = nullptr;
}

namespace {

void rewrite_views(Graph& graph, Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    Node* node = *it++;
    for (Block* inner : node->blocks()) rewrite_views(graph, inner);
    const auto* schema = node->maybeSchema();
    if (schema == nullptr || !schema->overload_name().empty()) continue;  // not view.dtype
    const bool view = schema->name() == "aten::view", view_as = schema->name() == "aten::view_as";
    if (!view && !view_as) continue;
    Node* fresh = graph.create(view ? c10::aten::reshape : c10::aten::reshape_as, node->inputs());
    fresh->output()->copyMetadata(node->output());
    fresh->insertBefore(node);
    node->replaceAllUsesWith(fresh);
    node->destroy();
  }
}

}  // namespace

void views_to_reshapes(Graph& graph) { rewrite_views(graph, graph.block()); }

}  // namespace axmul::train
