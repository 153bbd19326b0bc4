// Version of axmul, compiled in.
#pragma once

#include <string>

#include "axmul/core/api.hpp"

namespace axmul {

/// "X.Y.Z".
AXMUL_API std::string version();
/// Abbreviated git hash of the source tree, with "+" when it had local changes; "unknown" outside
/// git.
AXMUL_API std::string git_hash();
/// "axmul X.Y.Z (git …)"; without the git part when SOURCE_DATE_EPOCH is set (reproducible output).
AXMUL_API std::string source_text();

}  // namespace axmul
