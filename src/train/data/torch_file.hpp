// State dicts in PyTorch's own files.
#pragma once

#include <string>

#include "axmul/train/state_dict.hpp"

namespace axmul::detail {

/// Reads a .pt or .pth file: a TorchScript archive (its parameters and buffers) or what
/// torch.save() wrote of a state dict, also one under "state_dict", "model", "net" or
/// "model_state_dict". The file is data: no class it names is built and no code of it runs. Throws
/// InputError AX920 for what holds no such dict (a pickled module, a module restored by
/// __setstate__, a file older than PyTorch 1.6), saying what to do, AX921 where it is damaged or
/// claims more than it holds.
StateDict read_torch_file(const std::string& path);

}  // namespace axmul::detail
