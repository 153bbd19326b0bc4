// Version and git hash as the build recorded them.
#include "axmul/core/version.hpp"

#include <cstdlib>
#include <filesystem>

#include "axmul_git_hash.inc"

namespace axmul {

std::string version() { return AXMUL_VERSION; }

std::string git_hash() { return AXMUL_GIT_HASH; }

std::string source_text() {
  const std::string plain = "axmul " + version();
  return std::getenv("SOURCE_DATE_EPOCH") != nullptr ? plain : plain + " (git " + git_hash() + ")";
}

std::string stored_path(const std::string& path) {
  if (std::getenv("SOURCE_DATE_EPOCH") == nullptr) return path;
  return std::filesystem::path(path).filename().string();
}

}  // namespace axmul
