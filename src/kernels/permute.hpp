// The driver of the kernels that look products up by byte permutes.
#pragma once

#include "kernels/engine.hpp"
#include "kernels/micro.hpp"

namespace axmul::detail {

/// Whether the table's entries for these weights fit 16 bits, so that run_permute can be used.
bool permute_fits(const Weights& weights);

/// Runs the product with that micro-kernel. Any shape with at least one row, channel and tap.
void run_permute(const Problem& problem, const PermuteKernel& kernel);

}  // namespace axmul::detail
