// Call sites of a TorchScript graph: which ones axmul replaces, and why it leaves the others.
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <vector>

namespace axmul::train {

/// A call that multiplies. Sites are found in the order of the graph, the same in every copy of it.
/// Of the graph they hold the node alone: rewriting one site frees its node and that node's output,
/// which may be an operand of any other site (layers that feed each other directly).
struct CallSite {
  torch::jit::Node* node = nullptr;  ///< null once the site has been rewritten
  std::string name;    ///< of the module that holds the weight, e.g. "layer1.0.conv1"; "" unknown
  std::string call;    ///< e.g. "aten::conv2d"
  std::string reason;  ///< why it stays exact; empty: axmul replaces it
  bool linear = false;
  bool transposed_weight = false;  ///< addmm: the weight operand is [in, out]
  at::Tensor weight;               ///< the parameter, where there is one
};

/// What goes into a site's node at this moment; null where the call has no such operand. The weight
/// is a parameter's value, [in, out] where the site says so.
struct Operands {
  torch::jit::Value *input = nullptr, *weight = nullptr, *bias = nullptr;
  torch::jit::Value *stride = nullptr, *padding = nullptr, *dilation = nullptr, *groups = nullptr;
};
/// Looks the operands up in the graph; not to be kept while the graph changes.
Operands operands_of(const CallSite& site);

/// Inlines every call of a forward(). Where torch.nn's transformer modules have a fused call for
/// passes without gradients, which computes with all their weights by itself, the graph takes their
/// way of training always, so that their layers run.
void inline_forward(torch::jit::Graph& graph);

/// All call sites of an inlined graph, those inside blocks too. Calls on parameters alone, which
/// make weights of weights, are none: they run once, not for each image.
std::vector<CallSite> find_call_sites(const torch::jit::Module& module, torch::jit::Graph& graph);

/// The weight as [out, in], for a node inserted at the graph's insert point.
torch::jit::Value* weight_operand(torch::jit::Graph& graph, const CallSite& site);

/// All uses of the site's output get `output` instead, and the site's node goes.
void replace_site(CallSite& site, torch::jit::Value* output);

/// Turns view into reshape: between channels-last layers a view may be impossible.
void views_to_reshapes(torch::jit::Graph& graph);

}  // namespace axmul::train
