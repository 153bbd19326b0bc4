// One table: operator, why it stays exact, how it is counted.
#include "train/script/multiplying_calls.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace axmul::train {
namespace {

using at::Tensor;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// --- reading a call ------------------------------------------------------------------------------

const c10::IValue* value(const CallValues& call, std::string_view name) {
  for (std::size_t i = 0; i < call.names.size() && i < call.inputs.size(); ++i)
    if (call.names[i] == name) return &call.inputs[i];
  return nullptr;
}

// The tensor argument of that name; null where it is none, or a nested one, which has no sizes.
const Tensor* tensor(const c10::IValue* v) {
  if (v == nullptr || !v->isTensor()) return nullptr;
  const Tensor& t = v->toTensor();
  return t.defined() && !t.is_nested() ? &t : nullptr;
}
const Tensor* tensor(const CallValues& call, std::string_view name) {
  return tensor(value(call, name));
}

double elements(const Tensor& t) { return static_cast<double>(t.numel()); }
double extent(const Tensor& t, std::int64_t dim) { return static_cast<double>(t.size(dim)); }

std::vector<Tensor> tensors(const CallValues& call, std::string_view name) {
  const c10::IValue* v = value(call, name);
  if (v == nullptr || !v->isTensorList()) return {};
  return v->toTensorVector();
}

double output_size(const CallValues& call) {
  const Tensor* y = tensor(&call.output);
  return y == nullptr ? kUnknown : elements(*y);
}

// --- convolutions and products of matrices -------------------------------------------------------

bool is_true(const CallValues& call, std::string_view name) {
  const c10::IValue* v = value(call, name);
  return v != nullptr && v->isBool() && v->toBool();
}

const Tensor* input_of(const CallValues& call) {
  for (const char* name : {"input", "self", "data", "qx"})
    if (const Tensor* x = tensor(call, name)) return x;
  return nullptr;
}

// Multiplications of one filter: the weight is [out, …]; packed weights are known beforehand.
double per_filter(const CallValues& call) {
  const Tensor* w = tensor(call, "weight");
  if (w == nullptr) return call.per_filter;
  return w->dim() < 2 ? elements(*w) : elements(*w) / std::max(1.0, extent(*w, 0));
}

// Every input meets a filter once: its weight is [in, out / groups, …].
double transposed_filters(const CallValues& call) {
  const Tensor* x = input_of(call);
  return x == nullptr ? kUnknown : elements(*x) * per_filter(call);
}

double filters(const CallValues& call) {
  if (is_true(call, "transposed")) return transposed_filters(call);
  return output_size(call) * per_filter(call);
}

// Weight [kernel, in, out].
double filters_tbc(const CallValues& call) {
  const Tensor* w = tensor(call, "weight");
  return w == nullptr ? kUnknown : output_size(call) * extent(*w, 0) * extent(*w, 1);
}

// Outputs, each a sum over the last dimension of the left operand.
double inner_of(const CallValues& call, std::string_view left) {
  const Tensor* x = tensor(call, left);
  return x == nullptr || x->dim() == 0 ? kUnknown : output_size(call) * extent(*x, -1);
}

double inner(const CallValues& call) { return inner_of(call, "self"); }
double inner_mat1(const CallValues& call) { return inner_of(call, "mat1"); }
double inner_mat(const CallValues& call) { return inner_of(call, "mat"); }
double inner_batch1(const CallValues& call) { return inner_of(call, "batch1"); }
double inner_x1(const CallValues& call) { return inner_of(call, "x1"); }
double inner_qa(const CallValues& call) { return inner_of(call, "qa"); }
// The products of all matrices of the batch are added up.
double inner_batches(const CallValues& call) {
  const Tensor* x = tensor(call, "batch1");
  return x == nullptr ? kUnknown : inner_batch1(call) * extent(*x, 0);
}
double outer(const CallValues& call) { return output_size(call); }

double tensordot(const CallValues& call) {
  const Tensor *x = tensor(call, "self"), *y = tensor(call, "other");
  const c10::IValue *of_x = value(call, "dims_self"), *of_y = value(call, "dims_other");
  if (x == nullptr || y == nullptr || of_x == nullptr || of_y == nullptr) return kUnknown;
  const auto dims_x = of_x->toIntVector(), dims_y = of_y->toIntVector();
  double shared = 1;
  for (std::size_t i = 0; i < dims_x.size(); ++i)  // a size of 1 is broadcast: added up before
    shared *= std::min(extent(*x, dims_x[i]), extent(*y, dims_y[i]));
  return output_size(call) * shared;
}

// y[n, o] = Σ_ij x1[n, i] · W[o, i, j] · x2[n, j], first over i, then over j.
double bilinear(const CallValues& call) {
  const Tensor* w = tensor(call, "weight");
  if (w == nullptr) return kUnknown;
  return output_size(call) * extent(*w, 2) * (extent(*w, 1) + 1);
}

// The cheapest order of a chain of products, by the usual dynamic programme.
double chain(const CallValues& call) {
  std::vector<Tensor> matrices = tensors(call, "matrices");
  if (matrices.empty()) matrices = tensors(call, "tensors");
  if (matrices.empty()) return kUnknown;
  std::vector<double> sizes;  // matrix i is sizes[i] × sizes[i + 1]
  for (const Tensor& m : matrices) {
    const bool last = sizes.size() + 1 == matrices.size();
    if (m.dim() == 1 && (sizes.empty() || last)) {
      sizes.push_back(sizes.empty() ? 1.0 : elements(m));
      continue;
    }
    if (m.dim() != 2) return kUnknown;
    sizes.push_back(extent(m, 0));
  }
  const Tensor& end = matrices.back();
  sizes.push_back(end.dim() == 1 ? 1.0 : extent(end, 1));
  const std::size_t n = matrices.size();
  std::vector<std::vector<double>> least(n, std::vector<double>(n, 0.0));
  for (std::size_t length = 2; length <= n; ++length)
    for (std::size_t i = 0; i + length <= n; ++i) {
      const std::size_t j = i + length - 1;
      least[i][j] = HUGE_VAL;
      for (std::size_t k = i; k < j; ++k)
        least[i][j] = std::min(
            least[i][j], least[i][k] + least[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1]);
    }
  return least[0][n - 1];
}

// --- einsum --------------------------------------------------------------------------------------

// An operand: its indices and their sizes. The dimensions of an ellipsis are the negative indices
// -1, -2 …, counted from the last one.
using Term = std::map<int, double>;

// "ij", "b...k" with these sizes; false where text and sizes do not agree.
bool read_term(std::string_view text, at::IntArrayRef sizes, Term& term) {
  const std::size_t dots = text.find("...");
  const std::size_t letters = text.size() - (dots == std::string_view::npos ? 0 : 3);
  if (dots == std::string_view::npos ? letters != sizes.size() : letters > sizes.size())
    return false;
  std::size_t dim = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == dots) {
      for (std::size_t left = sizes.size() - letters; left > 0; --left, ++dim)
        term[-static_cast<int>(left)] = static_cast<double>(sizes[dim]);
      i += 2;
      continue;
    }
    const auto extent = static_cast<double>(sizes[dim++]);
    auto& known = term.emplace(static_cast<unsigned char>(text[i]), 1.0).first->second;
    known = std::max(known, extent);
  }
  return true;
}

// Contracts two terms as at::einsum does: an index that is needed no more is summed up beforehand
// where only one of the two has it, and else within the product. A product that sums up nothing is
// element-wise.
double contract(const Term& x, const Term& y, const std::set<int>& needed, Term& result) {
  Term joint = x;
  for (const auto& [index, extent] : y) {
    auto& known = joint.emplace(index, 1.0).first->second;
    known = std::max(known, extent);
  }
  const auto extent_in = [](const Term& term, int index) {
    const auto at = term.find(index);
    return at == term.end() ? 1.0 : at->second;
  };
  double products = 1;
  bool sums_up = false;
  for (const auto& [index, extent] : joint) {
    const bool kept = needed.count(index) > 0;
    const bool shared = extent_in(x, index) > 1 && extent_in(y, index) > 1;
    if (kept) result[index] = extent;
    if (kept || shared) products *= extent;
    sums_up = sums_up || (shared && !kept);
  }
  return sums_up ? products : 0.0;
}

// Splits an equation without spaces into its terms and its output (absent: the caller finds it).
std::vector<std::string> split_terms(const std::string& equation, std::optional<std::string>& out) {
  std::string text;
  for (const char c : equation)
    if (!std::isspace(static_cast<unsigned char>(c))) text += c;
  if (const auto arrow = text.find("->"); arrow != std::string::npos) {
    out = text.substr(arrow + 2);
    text.resize(arrow);
  }
  std::vector<std::string> terms(1);
  for (const char c : text)
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  return terms;
}

// The indices of the output; without an arrow those that occur once, and an ellipsis.
std::set<int> output_indices(const std::vector<std::string>& terms,
                             const std::optional<std::string>& out, const std::vector<Term>& read) {
  std::map<int, int> count;
  for (const std::string& term : terms)
    for (const char c : term)
      if (c != '.') ++count[static_cast<unsigned char>(c)];
  std::set<int> indices;
  if (!out || out->find('.') != std::string::npos)
    for (const Term& term : read)
      for (const auto& [index, extent] : term)
        if (index < 0) indices.insert(index);
  if (out) {
    for (const char c : *out)
      if (c != '.') indices.insert(static_cast<unsigned char>(c));
  } else {
    for (const auto& [index, n] : count)
      if (n == 1) indices.insert(index);
  }
  return indices;
}

double einsum(const CallValues& call) {
  const c10::IValue *equation = value(call, "equation"), *path = value(call, "path");
  const std::vector<Tensor> operands = tensors(call, "tensors");
  if (equation == nullptr || !equation->isString() || operands.empty()) return kUnknown;
  std::optional<std::string> out;
  const auto texts = split_terms(equation->toStringRef(), out);
  if (texts.size() != operands.size()) return kUnknown;
  std::vector<Term> terms(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!read_term(texts[i], operands[i].sizes(), terms[i])) return kUnknown;
  const std::set<int> kept = output_indices(texts, out, terms);
  std::vector<std::int64_t> order;
  if (path != nullptr && path->isIntList()) order = path->toIntVector();
  double total = 0;
  for (std::size_t step = 0; terms.size() > 1; ++step) {
    const bool left_to_right = 2 * step + 1 >= order.size();  // no path
    std::size_t i = 0, j = 1;
    if (!left_to_right) {
      i = static_cast<std::size_t>(std::min(order[2 * step], order[2 * step + 1]));
      j = static_cast<std::size_t>(std::max(order[2 * step], order[2 * step + 1]));
    }
    if (i == j || j >= terms.size()) return kUnknown;
    const Term x = terms[i], y = terms[j];
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(i));
    std::set<int> needed = kept;
    for (const Term& other : terms)
      for (const auto& [index, extent] : other)
        if (extent > 1) needed.insert(index);
    Term result;
    total += contract(x, y, needed, result);
    terms.insert(left_to_right ? terms.begin() : terms.end(), std::move(result));
  }
  return total;
}

// --- recurrent layers and attention --------------------------------------------------------------

// Every weight matrix meets every step of every sequence once; `data` is packed: [Σ steps, in].
double recurrent(const CallValues& call) {
  const Tensor* x = input_of(call);
  const std::vector<Tensor> weights = tensors(call, "params");
  if (x == nullptr || x->dim() < 2 || weights.empty()) return kUnknown;
  double per_step = 0;
  for (const Tensor& w : weights)
    if (w.dim() == 2) per_step += elements(w);
  return elements(*x) / std::max(1.0, extent(*x, -1)) * per_step;
}

double cell(const CallValues& call) {
  const Tensor *x = input_of(call), *ih = tensor(call, "w_ih"), *hh = tensor(call, "w_hh");
  if (x == nullptr || ih == nullptr || hh == nullptr || x->dim() == 0) return kUnknown;
  return elements(*x) / std::max(1.0, extent(*x, -1)) * (elements(*ih) + elements(*hh));
}

// query […, L, E], key […, S, E], value […, S, Ev]: scores and their weighted sum.
double attention(const CallValues& call) {
  const Tensor *q = tensor(call, "query"), *k = tensor(call, "key"), *v = tensor(call, "value");
  if (q == nullptr || k == nullptr || v == nullptr || q->dim() < 2) return kUnknown;
  const double rows = elements(*q) / std::max(1.0, extent(*q, -1));  // batch, heads and L
  return rows * extent(*k, -2) * (extent(*q, -1) + extent(*v, -1));
}

// Projections in and out, scores and their weighted sum; query [N, L, E], key [N, S, E].
double multi_head(const CallValues& call) {
  const Tensor *q = tensor(call, "query"), *k = tensor(call, "key"), *v = tensor(call, "value");
  const Tensor *in = tensor(call, "qkv_weight"), *out = tensor(call, "proj_weight");
  if (q == nullptr || k == nullptr || v == nullptr || in == nullptr || out == nullptr ||
      q->dim() != 3)
    return kUnknown;
  const double embed = extent(*q, 2), batch = extent(*q, 0), l = extent(*q, 1), s = extent(*k, 1);
  const double projected = elements(*in) / 3;
  return batch * ((l + 2 * s) * projected + 2 * l * s * embed + l * elements(*out));
}

// Self-attention of all heads, then two linear layers.
double encoder_layer(const CallValues& call) {
  const Tensor* x = tensor(call, "src");
  const Tensor *in = tensor(call, "qkv_weight"), *out = tensor(call, "proj_weight");
  const Tensor *up = tensor(call, "ffn_weight_1"), *down = tensor(call, "ffn_weight_2");
  if (x == nullptr || in == nullptr || out == nullptr || up == nullptr || down == nullptr ||
      x->dim() != 3)
    return kUnknown;
  const double rows = extent(*x, 0) * extent(*x, 1);
  return rows * (elements(*in) + elements(*out) + elements(*up) + elements(*down) +
                 2 * extent(*x, 1) * extent(*x, 2));
}

double unknown(const CallValues&) { return kUnknown; }

// --- the table -----------------------------------------------------------------------------------

constexpr std::string_view kNotTwo = "not a 2-dimensional convolution";
constexpr std::string_view kTransposed = "transposed convolution";
constexpr std::string_view kComputed = "a product of computed tensors";
constexpr std::string_view kInside = "axmul does not look into it";
constexpr std::string_view kQuantised = "a quantised operator of PyTorch";
constexpr std::string_view kOwn = "an operator of axmul already";
constexpr std::string_view kNotInlined = "a call that cannot be inlined";

struct Row {
  std::string_view name;
  MultiplyingCall call;
};

constexpr Row kCalls[] = {
    {"aten::conv2d", {"", filters}},
    {"aten::_convolution", {"", filters}},
    {"aten::_convolution_mode", {"", filters}},
    {"aten::linear", {"", filters}},
    {"aten::addmm", {"", inner_mat1}},
    {"aten::conv1d", {kNotTwo, filters}},
    {"aten::conv3d", {kNotTwo, filters}},
    {"aten::conv_tbc", {kNotTwo, filters_tbc}},
    {"aten::convolution", {kNotTwo, filters}},
    {"aten::mkldnn_convolution", {kNotTwo, filters}},
    {"aten::thnn_conv2d", {kNotTwo, filters}},
    {"aten::_slow_conv2d_forward", {kNotTwo, filters}},
    {"aten::conv_transpose1d", {kTransposed, transposed_filters}},
    {"aten::conv_transpose2d", {kTransposed, transposed_filters}},
    {"aten::conv_transpose3d", {kTransposed, transposed_filters}},
    {"aten::matmul", {kComputed, inner}},
    {"aten::__matmul__", {kComputed, inner}},
    {"aten::linalg_matmul", {kComputed, inner}},
    {"aten::mm", {kComputed, inner}},
    {"aten::bmm", {kComputed, inner}},
    {"aten::mv", {kComputed, inner}},
    {"aten::dot", {kComputed, inner}},
    {"aten::vdot", {kComputed, inner}},
    {"aten::inner", {kComputed, inner}},
    {"aten::addmv", {kComputed, inner_mat}},
    {"aten::baddbmm", {kComputed, inner_batch1}},
    {"aten::addbmm", {kComputed, inner_batches}},
    {"aten::addr", {kComputed, outer}},
    {"aten::outer", {kComputed, outer}},
    {"aten::ger", {kComputed, outer}},
    {"aten::cdist", {kComputed, inner_x1}},
    {"aten::tensordot", {kComputed, tensordot}},
    {"aten::einsum", {kInside, einsum}},
    {"aten::bilinear", {kInside, bilinear}},
    {"aten::chain_matmul", {kInside, chain}},
    {"aten::linalg_multi_dot", {kInside, chain}},
    {"aten::lstm", {kInside, recurrent}},
    {"aten::gru", {kInside, recurrent}},
    {"aten::rnn_tanh", {kInside, recurrent}},
    {"aten::rnn_relu", {kInside, recurrent}},
    {"aten::lstm_cell", {kInside, cell}},
    {"aten::gru_cell", {kInside, cell}},
    {"aten::rnn_tanh_cell", {kInside, cell}},
    {"aten::rnn_relu_cell", {kInside, cell}},
    {"aten::scaled_dot_product_attention", {kInside, attention}},
    {"aten::_scaled_dot_product_attention", {kInside, attention}},
    {"aten::_native_multi_head_attention", {kInside, multi_head}},
    {"aten::_transformer_encoder_layer_fwd", {kInside, encoder_layer}},
    {"aten::quantized_lstm", {kInside, unknown}},
    {"aten::quantized_gru", {kInside, unknown}},
    {"aten::matrix_power", {kInside, unknown}},
    {"aten::matrix_exp", {kInside, unknown}},
    {"aten::inverse", {kInside, unknown}},
    {"aten::pinverse", {kInside, unknown}},
    {"aten::svd", {kInside, unknown}},
    {"aten::qr", {kInside, unknown}},
    {"aten::cholesky", {kInside, unknown}},
    {"aten::det", {kInside, unknown}},
    {"aten::logdet", {kInside, unknown}},
    {"aten::slogdet", {kInside, unknown}},
    {"aten::nuclear_norm", {kInside, unknown}},
    {"aten::cholesky_solve", {kInside, unknown}},
    {"aten::triangular_solve", {kInside, unknown}},
    {"aten::lu_solve", {kInside, unknown}},
    {"aten::stft", {kInside, unknown}},
    {"aten::istft", {kInside, unknown}},
    {"axmul::lut_conv2d", {kOwn, filters}},
    {"axmul::lut_linear", {kOwn, filters}},
    {"axmul::lut_conv2d_errors", {kOwn, filters}},
    {"axmul::lut_linear_errors", {kOwn, filters}},
    {"prim::CallMethod", {kNotInlined, unknown}},
    {"prim::CallFunction", {kNotInlined, unknown}},
    {"prim::fork", {kNotInlined, unknown}},
};

constexpr MultiplyingCall kFactorisation{kInside, unknown};
constexpr MultiplyingCall kQuantisedFilters{kQuantised, filters};
constexpr MultiplyingCall kQuantisedTransposed{kQuantised, transposed_filters};
constexpr MultiplyingCall kQuantisedProduct{kQuantised, inner_qa};

// quantized::conv2d_relu, quantized::linear_dynamic …: many names, the same three rules.
const MultiplyingCall* quantised_call(std::string_view name) {
  const auto holds = [&](std::string_view word) { return name.find(word) != name.npos; };
  if (!name.starts_with("quantized::") || holds("pack")) return nullptr;
  if (holds("conv_transpose")) return &kQuantisedTransposed;
  if (holds("conv") || holds("linear")) return &kQuantisedFilters;
  return holds("matmul") ? &kQuantisedProduct : nullptr;
}

// Factorisations, inverses, solvers and transforms: no count is right for all their algorithms.
const MultiplyingCall* factorisation(std::string_view name) {
  if (name.starts_with("aten::fft_") && name.find("shift") == name.npos &&
      name.find("freq") == name.npos)
    return &kFactorisation;
  if (!name.starts_with("aten::linalg_")) return nullptr;
  for (const std::string_view word : {"norm", "cross", "diagonal", "vecdot", "vander"})
    if (name.find(word) != name.npos) return nullptr;
  return &kFactorisation;
}

}  // namespace

const MultiplyingCall* find_multiplying_call(const std::string& name) {
  const auto row = [](std::string_view wanted) -> const MultiplyingCall* {
    for (const Row& r : kCalls)
      if (r.name == wanted) return &r.call;
    return nullptr;
  };
  if (const MultiplyingCall* call = row(name)) return call;
  if (name.ends_with('_') && !name.ends_with("__"))
    if (const MultiplyingCall* call = row(std::string_view(name).substr(0, name.size() - 1)))
      return call;
  if (const MultiplyingCall* call = quantised_call(name)) return call;
  return factorisation(name);
}

}  // namespace axmul::train
