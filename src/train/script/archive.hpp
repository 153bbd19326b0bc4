// TorchScript archives on their way to libtorch, which trusts what it reads.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

namespace axmul::train {

struct LoadedScript {
  torch::jit::Module module;
  std::string metadata;  ///< the record extra/axmul.json; empty without
};

/// Checks an archive (check_script() in a process of its own, with limits on memory and time, where
/// libtorch loads it for the first time), and loads it as an archive written anew from what was
/// checked. Until then nothing of the file runs; afterwards its __setstate__ methods do. Tensors
/// come to the CPU. With `any_operator` operators and defaults are not looked at. Throws InputError
/// AX982 with what is wrong, UnavailableError AX924 where no process can be started.
LoadedScript load_script(const std::string& path, bool any_operator);

}  // namespace axmul::train
