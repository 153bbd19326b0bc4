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
/// A path as outputs keep it: with SOURCE_DATE_EPOCH set only its last part, so that the bytes do
/// not depend on where an input lies.
AXMUL_API std::string stored_path(const std::string& path);

}  // namespace axmul
