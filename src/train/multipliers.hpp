// Multipliers by name, for commands and operators.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "axmul/core/multiplier.hpp"

namespace axmul::train {

/// The design of that name in a library (HDF5 file or folder); without a library whatever
/// open_design() understands; "exact" is always there, for libraries without one. Throws InputError
/// AX953 where the library has none of that name.
std::shared_ptr<const Multiplier> find_multiplier(const std::string& name,
                                                  const std::optional<std::string>& library);

}  // namespace axmul::train
