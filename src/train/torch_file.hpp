// State dicts in PyTorch's own files.
#pragma once

#include <string>

#include "axmul/train/state_dict.hpp"

namespace axmul::detail {

/// Reads a .pt or .pth file: a TorchScript archive (its parameters and buffers) or what
/// torch.save() wrote of a plain dict of tensors, also one under "state_dict", "model", "net" or
/// "model_state_dict". Throws InputError AX920 for anything else (an OrderedDict, a pickled
/// module), naming tools/state_dict_to_h5.py, AX921 where it is damaged.
StateDict read_torch_file(const std::string& path);

}  // namespace axmul::detail
