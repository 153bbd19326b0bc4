// Files that a path may have meant, for messages about files that are not there.
#pragma once

#include <string>

#include "axmul/core/api.hpp"

namespace axmul {

/// "; there is DIR/x.csv" with up to three neighbours of a file that does not exist: the same name
/// in other case or with another extension, or one that is spelled alike; "; there is no folder DIR"
/// where that is what lacks; "" where nothing is near. Looks at one folder's names only.
AXMUL_API std::string near_file_hint(const std::string& path);

}  // namespace axmul
