// Small text helpers that several layers need.
#pragma once

#include <cstddef>
#include <string_view>

#include "axmul/core/api.hpp"

namespace axmul {

/// Levenshtein distance: insertions, deletions and replacements of bytes that make y of x. For
/// "did you mean" hints.
AXMUL_API std::size_t edit_distance(std::string_view x, std::string_view y);

}  // namespace axmul
