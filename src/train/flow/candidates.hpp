// The multipliers that a run chooses from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"

namespace axmul::train {

/// The library that comes with axmul: installed, or in the source tree that this was built in.
/// Throws InputError AX975 where there is none.
std::string shipped_library();

/// The multipliers of these libraries under the names they have there, then `more`, with the costs
/// of that file (nullptr: their own). `warn` is told what is odd about them. Throws those of
/// find_designs(), read_costs(), join_costs(), InputError AX976 where no power is known, AX708
/// where costs of one operand type are of different origin.
std::vector<Multiplier> load_candidates(const std::vector<std::string>& libraries,
                                        const std::vector<Multiplier>& more,
                                        const std::string* costs,
                                        const std::function<void(const std::string&)>& warn);

}  // namespace axmul::train
