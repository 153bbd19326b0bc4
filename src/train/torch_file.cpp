// Reads state dicts from TorchScript archives and from plain dicts that torch.save() wrote.
#include "train/torch_file.hpp"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "axmul/core/errors.hpp"

namespace axmul::detail {
namespace {

constexpr const char* kAdvice =
    "; turn it into HDF5 with tools/state_dict_to_h5.py IN.pt OUT.h5 (libtorch reads TorchScript "
    "archives and plain dicts of tensors only: torch.save(dict(model.state_dict()), FILE))";

StateTensor to_state(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(at::kCPU).contiguous();
  const auto sizes = dense.sizes().vec();
  const auto values = [&](auto type) {
    using T = decltype(type);
    const T* from = dense.data_ptr<T>();
    return std::vector<T>(from, from + dense.numel());
  };
  if (dense.scalar_type() == at::kDouble) return StateTensor::from(sizes, values(double{}));
  if (dense.is_floating_point()) {
    const at::Tensor single = dense.to(at::kFloat);
    const float* from = single.data_ptr<float>();
    return StateTensor::from(sizes, std::vector<float>(from, from + single.numel()));
  }
  const at::Tensor integers = dense.to(at::kLong);
  const auto* from = integers.data_ptr<std::int64_t>();
  return StateTensor::from(sizes, std::vector<std::int64_t>(from, from + integers.numel()));
}

// The tensors of a dict, or of the dict that lies under one of the usual names in it.
std::optional<StateDict> from_dict(const c10::IValue& value) {
  if (!value.isGenericDict()) return std::nullopt;
  const auto dict = value.toGenericDict();
  StateDict state;
  bool tensors = true;
  for (const auto& entry : dict) {
    tensors = tensors && entry.key().isString() && entry.value().isTensor();
    if (tensors) state.tensors[entry.key().toStringRef()] = to_state(entry.value().toTensor());
  }
  if (tensors && !state.tensors.empty()) return state;
  for (const char* name : {"state_dict", "model", "net", "model_state_dict"})
    for (const auto& entry : dict)
      if (entry.key().isString() && entry.key().toStringRef() == name)
        return from_dict(entry.value());
  return std::nullopt;
}

StateDict from_module(const torch::jit::Module& module) {
  StateDict state;
  for (const auto& p : module.named_parameters()) state.tensors[p.name] = to_state(p.value);
  for (const auto& b : module.named_buffers()) state.tensors[b.name] = to_state(b.value);
  return state;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

StateDict read_torch_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(920, {path}, "cannot be opened");
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const std::string_view text(bytes.data(), bytes.size());
  if (!text.starts_with("PK"))
    throw InputError(920, {path},
                     std::string("is no zip file, as PyTorch has written them since "
                                 "1.6") +
                         kAdvice);
  // Names in the directory at the end of the file tell an archive from a pickle.
  try {
    if (text.find("/constants.pkl") != std::string_view::npos)
      return from_module(torch::jit::load(path));
    if (const auto state = from_dict(torch::jit::pickle_load(bytes))) return *state;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    if (what.find("zip archive") != std::string::npos)
      throw InputError(921, {path}, "is damaged: " + first_line(what));
    throw InputError(920, {path}, "cannot be read as a state dict: " + first_line(what) + kAdvice);
  }
  throw InputError(920, {path},
                   std::string("holds no plain dict of tensors (an OrderedDict, as "
                               "model.state_dict() is, cannot be read)") +
                       kAdvice);
}

}  // namespace axmul::detail
