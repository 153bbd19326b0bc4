// The PyTorch operators axmul::lut_conv2d, axmul::lut_linear and their helpers
// (src/train/pytorch.md).
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "axmul/core/errors.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/train/layer.hpp"
#include "train/torch_types.hpp"

namespace axmul::train {
namespace {

using at::Tensor;
using OptionalTensor = TorchOptional<Tensor>;

// A table as set_multiplier() prepares it for one kind of activations.
struct Prepared {
  TableEncoding asked;
  bool non_negative;
  MultiplyLayer layer;

  bool is_for(const std::int32_t* products, OperandType type, TableEncoding encoding,
              bool activations_non_negative) const {
    const Lut& lut = layer.multiplier->lut;
    return asked == encoding && non_negative == activations_non_negative && lut.type() == type &&
           std::memcmp(lut.products().data(), products, kLutSize * sizeof(std::int32_t)) == 0;
  }
};

// The tables used last, found by content: the address of a tensor may be that of another by now.
std::shared_ptr<const Prepared> prepared_table(const Tensor& lut, OperandType type,
                                               TableEncoding encoding,
                                               const RangeObserver& observer) {
  constexpr std::size_t kKept = 64;
  static std::mutex mutex;
  static std::vector<std::shared_ptr<const Prepared>> recent;  // the last used first
  const std::int32_t* products = lut.data_ptr<std::int32_t>();
  const bool non_negative = observer.min >= 0;
  const std::lock_guard lock(mutex);
  auto at = std::find_if(recent.begin(), recent.end(), [&](const auto& entry) {
    return entry->is_for(products, type, encoding, non_negative);
  });
  if (at == recent.end()) {
    auto fresh = std::make_shared<Prepared>(Prepared{encoding, non_negative, {}});
    fresh->layer.name = "lut";
    fresh->layer.encoding = encoding;
    fresh->layer.observer = observer;
    set_multiplier(fresh->layer,
                   std::make_shared<const Multiplier>(
                       Multiplier{"lut", Lut(type, std::span(products, kLutSize))}),
                   encoding);
    if (recent.size() == kKept) recent.pop_back();
    at = recent.insert(recent.end(), std::move(fresh));
  }
  std::rotate(recent.begin(), at, at + 1);
  return recent.front();
}

// The tensor arguments of a call as the layer code takes them.
struct Call {
  Tensor input, weight;
  OptionalTensor bias;
  const OptionalTensor& lut;
  const Tensor& a_range;
  const OptionalTensor& mean_acc;
  TorchStringView type, encoding;
  bool per_channel;
};

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor dense = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  return {dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel()};
}

RangeObserver observed(const std::string& name, const Tensor& a_range) {
  if (a_range.numel() != 2)
    throw UsageError(980, name + ": a_range has " + std::to_string(a_range.numel()) +
                              " elements, not 2 (minimum and maximum of the input)");
  const auto range = numbers(a_range);
  if (!(range[0] <= range[1]))
    throw InputError(910, name +
                              ": a_range holds no range yet (minimum and maximum of the input); "
                              "calibrate the model first");
  RangeObserver observer;
  observer.min = range[0];
  observer.max = range[1];
  observer.seen = true;
  return observer;
}

void check_tensors(const std::string& name, const Call& call, std::int64_t weight_dims) {
  const auto is_cpu = [](const Tensor& t) { return t.device().is_cpu(); };
  if (!is_cpu(call.input) || !is_cpu(call.weight) || (call.lut && !is_cpu(*call.lut)))
    throw UnavailableError(981, name + " runs on CPU tensors only");
  if (call.weight.dim() != weight_dims)
    throw UsageError(980, name + ": weight has " + std::to_string(call.weight.dim()) +
                              " dimensions, not " + std::to_string(weight_dims));
  const auto out = call.weight.size(0);
  if (call.bias && (call.bias->dim() != 1 || call.bias->size(0) != out))
    throw UsageError(980, name + ": bias must have " + std::to_string(out) + " elements");
  if (call.mean_acc && call.mean_acc->numel() != 0 && call.mean_acc->numel() != out)
    throw UsageError(980, name + ": mean_acc has " + std::to_string(call.mean_acc->numel()) +
                              " elements, not one for each of the " + std::to_string(out) +
                              " output channels");
  if (call.lut &&
      (call.lut->sizes() != at::IntArrayRef{256, 256} || call.lut->scalar_type() != at::kInt))
    throw UsageError(980, name +
                              ": lut must be an int32 tensor [256, 256], rows ascending by "
                              "operand a, columns by operand b");
}

// A layer with the call's arithmetic; its geometry is the caller's.
MultiplyLayer layer_for(const std::string& name, const Call& call) {
  const auto encoding =
      parse_table_encoding(std::string_view(call.encoding.data(), call.encoding.size()));
  if (!encoding)
    throw UsageError(952, name + ": unknown encoding \"" +
                              std::string(call.encoding.data(), call.encoding.size()) +
                              "\"; one of sign-magnitude, affine, s8s8");
  const RangeObserver observer = observed(name, call.a_range);
  MultiplyLayer layer;
  layer.encoding = *encoding;
  layer.mode = LayerMode::quantized;
  if (call.lut) {
    const auto type = parse_operand_type(std::string_view(call.type.data(), call.type.size()));
    if (!type)
      throw UsageError(980, name + ": unknown operand type \"" +
                                std::string(call.type.data(), call.type.size()) +
                                "\"; one of u8u8, s8s8, u8s8");
    layer = prepared_table(call.lut->contiguous(), *type, *encoding, observer)->layer;
  }
  layer.name = name;
  layer.observer = observer;
  layer.per_channel = call.per_channel;
  layer.weight = call.weight;
  if (call.bias) layer.bias = *call.bias;
  if (call.mean_acc && call.mean_acc->numel() != 0) layer.mean_acc = numbers(*call.mean_acc);
  return layer;
}

std::array<std::int64_t, 2> pair(const std::string& name, const char* what, at::IntArrayRef list) {
  if (list.size() != 2)
    throw UsageError(
        980, name + ": " + what + " has " + std::to_string(list.size()) + " numbers, not 2");
  return {list[0], list[1]};
}

// Threads are torch.set_num_threads()'s business, also for the look-ups.
void follow_torch_threads() {
  if (at::get_num_threads() != default_threads()) set_threads(at::get_num_threads());
}

// Converts to float32 and back around forward(), and gives the output the input's memory format.
Tensor run(MultiplyLayer& layer, const Tensor& input, ErrorTally* errors) {
  follow_torch_threads();
  Measuring measuring;
  if (errors != nullptr) measuring.errors(layer, *errors);
  return forward(layer, input.to(at::kFloat)).to(input.scalar_type());
}

Tensor conv2d(Call call, at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
              std::int64_t groups, ErrorTally* errors) {
  const std::string name = "lut_conv2d";
  check_tensors(name, call, 4);
  MultiplyLayer layer = layer_for(name, call);
  LayerGeometry& g = layer.geometry;
  g.out_channels = call.weight.size(0);
  g.in_channels = call.weight.size(1) * groups;
  g.kernel = {call.weight.size(2), call.weight.size(3)};
  g.stride = pair(name, "stride", stride);
  g.padding = pair(name, "padding", padding);
  g.dilation = pair(name, "dilation", dilation);
  g.groups = groups;
  const auto negative = [](const auto& list, std::int64_t least) {
    return list[0] < least || list[1] < least;
  };
  if (groups < 1 || g.out_channels % std::max<std::int64_t>(1, groups) != 0 ||
      negative(g.stride, 1) || negative(g.padding, 0) || negative(g.dilation, 1))
    throw UsageError(980, name +
                              ": groups, stride or dilation below 1, padding below 0, or groups "
                              "that do not divide the output channels");
  const bool single = call.input.dim() == 3;
  const Tensor x = single ? call.input.unsqueeze(0) : call.input;
  if (x.dim() == 4)
    for (std::size_t i = 0; i < 2; ++i)
      if (x.size(static_cast<std::int64_t>(i) + 2) + 2 * g.padding[i] <
          g.dilation[i] * (g.kernel[i] - 1) + 1)
        throw UsageError(980, name + ": the kernel is larger than the padded image");
  if (x.dim() == 4 && x.size(0) == 0)  // nothing to multiply; oneDNN does not take it
    return at::conv2d(x, call.weight.contiguous(), call.bias, stride, padding, dilation, groups);
  const Tensor y = run(layer, x, errors).contiguous(x.suggest_memory_format());
  return single ? y.squeeze(0) : y;
}

Tensor linear(Call call, ErrorTally* errors) {
  const std::string name = "lut_linear";
  check_tensors(name, call, 2);
  MultiplyLayer layer = layer_for(name, call);
  layer.geometry.linear = true;
  layer.geometry.out_channels = call.weight.size(0);
  layer.geometry.in_channels = call.weight.size(1);
  if (call.input.dim() < 1) throw UsageError(980, name + ": the input has no dimensions");
  auto sizes = call.input.sizes().vec();
  const Tensor rows = call.input.reshape({-1, sizes.back()});
  sizes.back() = layer.geometry.out_channels;
  return run(layer, rows, errors).view(sizes);
}

Call call_of(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
             const OptionalTensor& lut, const Tensor& a_range, const OptionalTensor& mean_acc,
             TorchStringView type, TorchStringView encoding, bool per_channel) {
  const auto float_bias = bias ? OptionalTensor(bias->to(at::kFloat)) : OptionalTensor();
  return {input,      weight.to(at::kFloat), float_bias, lut, a_range, mean_acc, type, encoding,
          per_channel};
}

Tensor lut_conv2d(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& lut, const Tensor& a_range, at::IntArrayRef stride,
                  at::IntArrayRef padding, at::IntArrayRef dilation, std::int64_t groups,
                  const OptionalTensor& mean_acc, TorchStringView type, TorchStringView encoding,
                  bool per_channel) {
  return conv2d(call_of(input, weight, bias, lut, a_range, mean_acc, type, encoding, per_channel),
                stride, padding, dilation, groups, nullptr);
}

Tensor lut_linear(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& lut, const Tensor& a_range, const OptionalTensor& mean_acc,
                  TorchStringView type, TorchStringView encoding, bool per_channel) {
  return linear(call_of(input, weight, bias, lut, a_range, mean_acc, type, encoding, per_channel),
                nullptr);
}

using ErrorsResult = std::tuple<Tensor, Tensor, double>;

// errors.sum: float64 [out], zeros where nothing was approximate.
ErrorsResult errors_result(const Tensor& y, const Tensor& weight, ErrorTally errors) {
  errors.sum.resize(static_cast<std::size_t>(weight.size(0)), 0.0);
  return {y, at::tensor(errors.sum, at::kDouble), errors.count};
}

ErrorsResult lut_conv2d_errors(const Tensor& input, const Tensor& weight,
                               const OptionalTensor& bias, const OptionalTensor& lut,
                               const Tensor& a_range, at::IntArrayRef stride,
                               at::IntArrayRef padding, at::IntArrayRef dilation,
                               std::int64_t groups, TorchStringView type, TorchStringView encoding,
                               bool per_channel) {
  ErrorTally errors;
  const Tensor y =
      conv2d(call_of(input, weight, bias, lut, a_range, {}, type, encoding, per_channel), stride,
             padding, dilation, groups, &errors);
  return errors_result(y, weight, std::move(errors));
}

ErrorsResult lut_linear_errors(const Tensor& input, const Tensor& weight,
                               const OptionalTensor& bias, const OptionalTensor& lut,
                               const Tensor& a_range, TorchStringView type,
                               TorchStringView encoding, bool per_channel) {
  ErrorTally errors;
  const Tensor y =
      linear(call_of(input, weight, bias, lut, a_range, {}, type, encoding, per_channel), &errors);
  return errors_result(y, weight, std::move(errors));
}

}  // namespace
}  // namespace axmul::train

TORCH_LIBRARY(axmul, m) {
  m.def(
      "lut_conv2d(Tensor input, Tensor weight, Tensor? bias, Tensor? lut, Tensor a_range, "
      "int[2] stride=1, int[2] padding=0, int[2] dilation=1, int groups=1, Tensor? mean_acc=None, "
      "*, str type='u8u8', str encoding='sign-magnitude', bool per_channel=False) -> Tensor");
  m.def(
      "lut_linear(Tensor input, Tensor weight, Tensor? bias, Tensor? lut, Tensor a_range, "
      "Tensor? mean_acc=None, *, str type='u8u8', str encoding='sign-magnitude', "
      "bool per_channel=False) -> Tensor");
  m.def(
      "lut_conv2d_errors(Tensor input, Tensor weight, Tensor? bias, Tensor? lut, Tensor a_range, "
      "int[2] stride=1, int[2] padding=0, int[2] dilation=1, int groups=1, *, str type='u8u8', "
      "str encoding='sign-magnitude', bool per_channel=False) -> (Tensor, Tensor, float)");
  m.def(
      "lut_linear_errors(Tensor input, Tensor weight, Tensor? bias, Tensor? lut, Tensor a_range, "
      "*, str type='u8u8', str encoding='sign-magnitude', bool per_channel=False) -> (Tensor, "
      "Tensor, float)");
}

// forward.cpp's autograd function does the straight-through gradient, so both keys are the same
// code; the CPU one serves inference mode, which leaves out the Autograd key.
TORCH_LIBRARY_IMPL(axmul, CPU, m) {
  m.impl("lut_conv2d", &axmul::train::lut_conv2d);
  m.impl("lut_linear", &axmul::train::lut_linear);
  m.impl("lut_conv2d_errors", &axmul::train::lut_conv2d_errors);
  m.impl("lut_linear_errors", &axmul::train::lut_linear_errors);
}
TORCH_LIBRARY_IMPL(axmul, Autograd, m) {
  m.impl("lut_conv2d", &axmul::train::lut_conv2d);
  m.impl("lut_linear", &axmul::train::lut_linear);
  m.impl("lut_conv2d_errors", &axmul::train::lut_conv2d_errors);
  m.impl("lut_linear_errors", &axmul::train::lut_linear_errors);
}
