// Networks that users bring: TorchScript modules whose convolutions and linear layers axmul
// replaces.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "axmul/train/network.hpp"

namespace axmul {

/// What code of an archive may do when it runs.
enum class ScriptTrust : std::uint8_t {
  allow_list,   ///< operators that reach nothing but their arguments; else AX982
  any_operator  ///< all that libtorch has, files included
};

/// Loads a TorchScript archive (torch.jit.script or torch.jit.trace, then save) as a network. All
/// calls are inlined, nothing is frozen; each call of conv2d, conv2d.padding, _convolution,
/// _convolution_mode, linear or addmm with a parameter as its weight, also inside If and Loop, is a
/// layer, named after the module that holds the weight; further calls on the same weight are
/// NAME#2, NAME#3 …. Calls that run only in training, or that axmul does not replace, stay exact
/// and are listed in Network::uncovered. The module is run once, on two images of noise, to learn
/// order, sizes and the number of classes. Nothing of the file runs before all of it was checked:
/// the sizes of its records, the types of its values, and its operators against the allow-list;
/// loading is tried in a process of its own first (UnavailableError AX924 where none can be had).
/// Throws InputError AX982 (no such archive, a damaged one, an operator that is unknown or not
/// allowed, no method forward of one tensor), AX983 (the output is no [N, classes] tensor, or other
/// classes than the data's), AX984 (the module itself fails, or depends on how its tensors lie in
/// memory).
Network load_script_network(const std::string& path, const NetworkOptions& options,
                            std::uint64_t seed, ScriptTrust trust = ScriptTrust::allow_list);

/// What is written with a module beside its weights, as "axmul.json" in the archive; empty for a
/// module that axmul has not written.
const std::map<std::string, std::string>& script_metadata(const Network& network);

enum class ScriptOutput : std::uint8_t {
  float32,  ///< the module with the network's weights, in float: loads anywhere
  axmul     ///< quantised and approximate layers as axmul:: operators: loads after load_library()
};
/// Writes the network back as a TorchScript archive in eval mode, replacing what is there. Throws
/// UsageError AX986 for a built-in network.
void save_script_network(const Network& network, const std::string& path, ScriptOutput output,
                         const std::map<std::string, std::string>& metadata = {});

}  // namespace axmul
