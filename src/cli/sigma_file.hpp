// What layers tolerate, as a file: JSON, schema axmul.sigma/1.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/model/matching.hpp"
#include "cli/json.hpp"

namespace axmul::cli {

/// Throws InputError AX1090 for another schema, AX1091 where it is not such a file.
std::vector<LayerSigma> read_sigmas(const std::string& path);
std::vector<LayerSigma> sigmas_from(const Json& json, const std::string& path);

/// {"schema": "axmul.sigma/1", "layers": [{"layer", "sigma_l", "loss_curvature"}]}; unknown
/// curvatures are left out.
Json sigmas_json(std::span<const LayerSigma> sigmas);
void write_sigmas(const std::string& path, std::span<const LayerSigma> sigmas);

}  // namespace axmul::cli
