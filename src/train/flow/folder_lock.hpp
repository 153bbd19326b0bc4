// One program at a time writes into the folder of a run.
#pragma once

#include <string>

namespace axmul::train {

/// Holds the folder for this program until destruction or the program's end, however it ends:
/// flock(2) on the folder itself, so nothing is left behind. Where the file system cannot lock
/// (some network ones), it holds nothing.
class FolderLock {
 public:
  /// Throws UsageError AX965 where another program, or another run of this one, holds the folder.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : descriptor_(other.descriptor_) {
    other.descriptor_ = -1;
  }
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  int descriptor_;
};

}  // namespace axmul::train
