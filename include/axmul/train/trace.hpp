// Traces: what the layers of a quantised network multiply, as input of the error models.
#pragma once

#include <vector>

#include "axmul/model/layer_operands.hpp"
#include "axmul/train/data.hpp"
#include "axmul/train/network.hpp"

namespace axmul {

struct NetworkTraceOptions {
  std::size_t patches = 2048;  ///< receptive fields kept per layer, at most
  std::size_t batch = 64;
  std::uint64_t seed = 1;
};

/// Runs the network in quantised mode over all images and keeps, of each layer's R receptive fields
/// in image order, one random row of each of S equal parts; output_std is over all outputs of all
/// images. Layers in order of execution.
/// Throws InputError AX910 when the network was not calibrated.
std::vector<LayerOperands> trace_network(Network& network, const ImageSet& images,
                                         const Normalisation& normalisation,
                                         const NetworkTraceOptions& options = {});

}  // namespace axmul
