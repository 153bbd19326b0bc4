// What a network's multiplications cost, relative to exact ones.
#pragma once

#include "axmul/train/network.hpp"

namespace axmul::train {

/// sum over layers of ops/total · power_rel, exact layers and calls that are not covered 1 (those
/// of unknown size are left out); NaN where a power is unknown. Valid after a forward pass.
double relative_energy(const Network& network);

/// Multiplications per image of the calls that are not covered, those of unknown number left out.
double ops_not_covered(const Network& network);

}  // namespace axmul::train
