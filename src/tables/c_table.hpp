// C sources that hold a table instead of a model.
#pragma once

#include <string>

#include "axmul/core/api.hpp"

namespace axmul::detail {

/// True for a C or C++ source with a table of 65536 products in it, which is then read as a header
/// would be and never run.
AXMUL_API bool is_c_table(const std::string& path);

}  // namespace axmul::detail
