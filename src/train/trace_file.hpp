// Writes a trace file (DESIGN 6).
#pragma once

#include <span>
#include <string>

#include "axmul/model/layer_operands.hpp"

namespace axmul::detail {

/// One group per layer under /traces/<network>: patches, weights, image and attributes. `command`
/// goes into history. Throws OutputError of axmul/io/atomic_file.hpp.
void write_trace_file(const std::string& path, const std::string& network,
                      std::span<const LayerOperands> layers, const std::string& command,
                      bool force);

}  // namespace axmul::detail
