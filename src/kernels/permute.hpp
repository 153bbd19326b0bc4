// The driver of the kernels that look products up by byte permutes.
#pragma once

#include "kernels/engine.hpp"
#include "kernels/micro.hpp"

namespace axmul::detail {

/// What tables of bytes hold: a table's entries above one slope, or what is left of them beside a
/// line for each column, which is an exact 8-bit product.
enum class PermuteTerms { entries, rests };

/// Whether the table's entries for these weights fit 16 bits, so that run_permute can be used.
bool permute_fits(const Weights& weights);

/// Vector instructions of a look-up, 2.5 … 12; 0 where the terms for these weights need more than
/// 16 bits.
double permute_work(const Weights& weights, PermuteTerms terms);

/// Runs the product with that micro-kernel. Any shape with at least one row, channel and tap.
void run_permute(const Problem& problem, const PermuteKernel& kernel);

/// The same as a product of bytes and look-ups of the rests.
void run_rest(const Problem& problem, const PermuteKernel& kernel, const DigitKernel& digits);

}  // namespace axmul::detail
