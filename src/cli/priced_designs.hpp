// The designs of `axmul cost` as circuits.
#pragma once

#include <memory>
#include <vector>

#include "axmul/tables/energy.hpp"
#include "command/command.hpp"

namespace axmul::cli {

/// Those of the first positional: circuit files, folders and generator texts as they are; tables
/// and libraries by the gates they have. Throws InputError AX1013 where none has gates.
std::vector<std::shared_ptr<const PricedCircuit>> circuits_to_price(Session& session);

}  // namespace axmul::cli
