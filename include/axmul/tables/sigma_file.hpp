// What layers tolerate, as a file: JSON, schema axmul.sigma/1.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/model/matching.hpp"

namespace axmul {

/// {"schema": "axmul.sigma/1", "layers": [{"layer", "sigma_l", "loss_curvature"}]}, the curvature
/// NaN where it is left out. Throws InputError AX1090 for another schema, AX1091 where it is not
/// such a file.
AXMUL_API std::vector<LayerSigma> read_sigmas(const std::string& path);

/// Writes what read_sigmas() reads, atomically; unknown curvatures are left out.
AXMUL_API void write_sigmas(const std::string& path, std::span<const LayerSigma> sigmas);

}  // namespace axmul
