// Convolutions in which each output channel has an input channel of its own.
#pragma once

#include <span>

#include "kernels/engine.hpp"

namespace axmul::detail {

/// Whether convolve_depthwise takes this convolution: one input and one output channel a group,
/// a layout and size for which that pays, and a byte-permute kernel that this CPU has and that may
/// be chosen for the name.
bool depthwise_fits(const Conv2dShape& shape, const std::string& kernel);

/// The weights of such a convolution, [channels, taps], as convolve_depthwise wants them.
std::unique_ptr<Weights> depthwise_weights(const Lut& lut, const Conv2dShape& shape,
                                           std::span<const std::uint8_t> w);

/// y = the convolution, in the shape's layout, 32-bit sums. Weights for which permute_fits.
void convolve_depthwise(const Weights& weights, const Conv2dShape& shape, const std::uint8_t* x,
                        std::int32_t* y, int threads);

}  // namespace axmul::detail
