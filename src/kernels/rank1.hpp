// The driver of the kernels for tables that are outer products.
#pragma once

#include "kernels/engine.hpp"
#include "kernels/micro.hpp"

namespace axmul::detail {

/// Runs the product of a table with Weights::u and v.
void run_rank1(const Problem& problem, const Rank1Kernel& kernel);

}  // namespace axmul::detail
