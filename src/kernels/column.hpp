// The driver that all column-table kernels share.
#pragma once

#include "kernels/engine.hpp"
#include "kernels/micro.hpp"

namespace axmul::detail {

/// How taps are cut into chunks whose sums fit 16 bits.
enum class ColumnChunks {
  bounded,  ///< by the bounds of the weights and activations at hand
  fixed,    ///< one length for all, from the largest entry
  skipping  ///< bounded, entries signed and relative to those of the commonest activation
};

/// Runs the product with that micro-kernel. Any table, any shape with at least one row, channel
/// and tap.
void run_column(const Problem& problem, const ColumnKernel& kernel, ColumnChunks chunks);

/// Whether the signed entries of ColumnChunks::skipping fit 16 bits.
bool sparse_fits(const Weights& weights, std::uint8_t skip);

}  // namespace axmul::detail
