// AtomicFile: an output file that appears under its name complete, or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "axmul/core/api.hpp"

namespace axmul {

/// Output that is written to a temporary file beside the target and renamed by commit(); until then
/// nothing is seen under the final name, and without commit() the destructor removes the temporary.
/// Its name, TARGET.tmp-<8 hex>-<process>-<8 hex>, tells whose it is: those of killed processes are
/// removed by the next output into that folder. Bytes come through write(), or from a library that
/// opens path() itself.
///
/// A symbolic link is followed, so what it points to is replaced. A device, a pipe or an open
/// descriptor (/dev/null, /dev/stdout, /dev/fd/3) cannot be renamed: path() is then the target
/// itself and write() goes straight there. A new file gets the mode that the umask allows, a
/// replaced one keeps its mode.
///
/// Throws OutputError: AX130 the target exists and force is false (the message names --force),
/// AX131 it cannot be created or written (folder missing, unwritable, disk full …, with the
/// system's reason), AX132 the target is a folder.
class AXMUL_API AtomicFile {
 public:
  /// Refuses what can be refused before any work is done: existing target, missing folder.
  explicit AtomicFile(std::string target, bool force = false);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// The file to write to; it exists and is empty at first.
  const std::string& path() const { return path_; }
  const std::string& target() const { return target_; }

  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);

  /// Flushes to the disk and renames to the target. Without force the rename itself refuses a
  /// target that appeared meanwhile. Call once; on failure the temporary is removed.
  void commit();
  /// The same under another name in the same folder, replacing what is there: for work that was cut
  /// short and must not pass for the whole (FILE.partial.h5).
  void commit_as(const std::string& other_target);

 private:
  void finish(const std::string& name, bool replace);
  [[noreturn]] void fail(const char* what, int error);
  void discard() noexcept;

  std::string target_;  // as given
  std::string final_;   // with links followed
  std::string path_;
  bool force_ = false;
  bool direct_ = false;  // a device or pipe
  int fd_ = -1;
};

/// Writes bytes to target through an AtomicFile.
AXMUL_API void write_file(const std::string& target, std::string_view bytes, bool force = false);

}  // namespace axmul
