// The driver of the kernels that multiply digits of 8 bits.
#pragma once

#include "axmul/kernels/decomposition.hpp"
#include "kernels/engine.hpp"
#include "kernels/micro.hpp"

namespace axmul::detail {

/// y = the sums of these products over the problem's taps, column constants included, modulo 2^32.
/// The weights keep what is packed of them for the next call with the same products.
void run_digits(const Problem& problem, const DigitKernel& kernel,
                const std::shared_ptr<const DigitProducts>& products);

}  // namespace axmul::detail
