// axmul.sigma/1 as JSON, for files that hold more beside it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/tables/sigma_file.hpp"
#include "io/json.hpp"

namespace axmul {

/// As read_sigmas() of the file `path`, which error messages name.
AXMUL_API std::vector<LayerSigma> sigmas_from(const Json& json, const std::string& path);
AXMUL_API Json sigmas_json(std::span<const LayerSigma> sigmas);

}  // namespace axmul
