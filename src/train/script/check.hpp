// What a TorchScript archive would do, told before any of its code runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/data/torch_archive.hpp"

namespace axmul::train {

/// The parts of an archive that libtorch compiles and fills in.
struct ScriptParts {
  std::map<std::string, std::string> sources;  ///< qualifier ("__torch__.net") → text
  Pickle constants, data;
  std::uint64_t version = 0;  ///< of the file format
};

/// Compiles all classes without restoring an object, so that nothing runs, and throws BadArchive
/// unless
/// - default values of arguments and constants of classes are literals (libtorch evaluates them
///   while it compiles), and every operator of every method is on the allow-list; not asked for
///   with `any_operator`;
/// - every value fits the type that the code declares for it: compiled code trusts that;
/// - the calls, inlined, stay below kMostNodes.
/// Throws std::exception of libtorch's where the code does not compile. It may crash or grow
/// without bound where the code is made for that: to be called in a limited process.
void check_script(const TorchArchive& archive, const ScriptParts& parts, bool any_operator);

constexpr double kMostNodes = 1e6;

}  // namespace axmul::train
