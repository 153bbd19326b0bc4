// Files that a list of texts names more than once: a folder given twice, a folder inside another.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

namespace axmul::detail {

class SeenFiles {
 public:
  /// False for a file (by its canonical path) that was asked for before.
  bool is_new(const std::string& path) {
    std::error_code error;
    const auto canonical = std::filesystem::weakly_canonical(path, error);
    if (seen_.insert(error ? path : canonical.string()).second) return true;
    if (repeated_++ == 0) first_ = path;
    return false;
  }
  /// One text about all repeated files, empty without any.
  std::string warning() const {
    if (repeated_ == 0) return "";
    if (repeated_ == 1) return first_ + ": given twice; taken once";
    return std::to_string(repeated_) + " files are given more than once, " + first_ +
           " for one; each is taken once";
  }

 private:
  std::set<std::string> seen_;
  std::size_t repeated_ = 0;
  std::string first_;
};

}  // namespace axmul::detail
