// Small text helpers that several layers need.
#pragma once

#include <cstddef>
#include <string_view>

#include "axmul/core/api.hpp"

namespace axmul {

/// Levenshtein distance: insertions, deletions and replacements of bytes that make y of x. For
/// "did you mean" hints.
AXMUL_API std::size_t edit_distance(std::string_view x, std::string_view y);

/// The first line that holds more than white space, without white space at its ends; "" where none
/// does. For one-line messages made of what another library or program says.
AXMUL_API std::string_view first_line(std::string_view text);

/// "m2" before "m10": runs of digits compare as numbers. A strict weak order in which only equal
/// texts are equivalent.
AXMUL_API bool natural_less(std::string_view x, std::string_view y);

}  // namespace axmul
