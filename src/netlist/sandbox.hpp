// What a child process may still do once it is walled in by the kernel: files by Landlock, system
// calls by seccomp. Both hold for root too, and for whatever the child starts.
#pragma once

#include <string>
#include <vector>

namespace axmul::detail {

/// Paths a child may open; paths that do not exist are passed over.
struct FileAccess {
  std::vector<std::string> readable;  ///< files, and folders with all below: read and execute
  std::vector<std::string> writable;  ///< folders to read, write and make files in
};

/// The folders and files of the system that any program needs, a compiler included.
std::vector<std::string> system_paths();

/// True where the kernel can forbid files (Linux 5.13, Landlock among its security modules).
bool landlock_available();

/// True where the kernel can forbid system calls, on a CPU whose list axmul knows: Linux on x86-64
/// and 64-bit ARM.
bool seccomp_available();

/// Rules about files, made before fork() and entered after it. Without Landlock there are none, and
/// enter() does nothing.
class FileRules {
 public:
  explicit FileRules(const FileAccess& access);
  ~FileRules();
  FileRules(const FileRules&) = delete;
  FileRules& operator=(const FileRules&) = delete;
  /// Async-signal-safe; false when the kernel refuses.
  bool enter() const;

 private:
  int rules_ = -1;
};

/// From here on the calling process may compute, ask for memory, write to the descriptors it has
/// and end; and once execute `program`, by the pointer that is returned. Every other system call
/// kills it. Null when the kernel refuses. Async-signal-safe.
const char* enter_compute_only(const char* program);

}  // namespace axmul::detail
