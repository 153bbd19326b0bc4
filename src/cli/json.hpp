// JSON as commands print it: keys in the order given, undefined figures null.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace axmul::cli {

using Json = nlohmann::ordered_json;

/// null for NaN and infinities, which JSON does not have.
inline Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace axmul::cli
