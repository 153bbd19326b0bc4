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

/// What a look-up costs, 3.4 … 13.2, two bytes of few activations being 8; 0 where the terms for
/// these weights need more than 16 bits.
double permute_work(const Weights& weights, PermuteTerms terms);

/// Channels that have activations of their own: [count][size] bytes, in which tap t of output i is
/// at offsets[t] + i. A tile of 256 outputs is read whole.
struct ApartChannels {
  const std::uint8_t* planes = nullptr;
  std::size_t size = 0;
  std::span<const std::size_t> offsets;
  std::size_t first = 0, count = 0;  ///< of the weights' channels, at most 16
};

/// sums = [rows, 16] of outputs first … first + rows − 1, at most 256, for weights whose groups are
/// apart and for which permute_fits.
void run_permute_apart(const Weights& weights, const PermuteKernel& kernel,
                       const ApartChannels& channels, std::size_t first, std::size_t rows,
                       std::int32_t* sums);

/// Runs the product with that micro-kernel. Any shape with at least one row, channel and tap.
void run_permute(const Problem& problem, const PermuteKernel& kernel);

/// The same as a product of bytes and look-ups of the rests.
void run_rest(const Problem& problem, const PermuteKernel& kernel, const DigitKernel& digits);

}  // namespace axmul::detail
