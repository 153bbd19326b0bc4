// Runs a program with a time limit and resource limits and collects what it writes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "netlist/sandbox.hpp"

namespace axmul::detail {

struct ProcessOptions {
  double timeout_s = 20;                          ///< wall clock
  std::size_t max_output = std::size_t{1} << 20;  ///< bytes kept; more kills the program
  std::size_t max_memory = std::size_t{2} << 30;  ///< address space
  std::size_t max_file = std::size_t{256} << 20;  ///< largest file it may write
  bool may_fork = true;
  int output_fd = 1;                 ///< the program's descriptor that is collected
  bool join_stderr = true;           ///< standard error goes there too (else it is dropped)
  std::string directory;             ///< working directory, empty: the caller's
  const FileRules* files = nullptr;  ///< what it may open; none: anything
  bool compute_only = false;         ///< see enter_compute_only()
  /// "NAME=value" each, instead of the caller's environment.
  std::optional<std::vector<std::string>> environment{};
};

struct ProcessResult {
  bool started = false;  ///< false: the program was not found
  bool timed_out = false, overflowed = false;
  bool unconfined = false;  ///< the kernel refused files or compute_only: nothing was run
  int exit_code = -1;       ///< −1 when a signal ended it
  int signal = 0;
  std::string output;
};

/// argv[0] is looked up in PATH. Throws InterruptedError when interrupted (the program is killed),
/// UnavailableError AX262 when no process can be made.
ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options);

/// The caller's environment with these "NAME=value" instead of what it says of those names.
std::vector<std::string> environment_with(const std::vector<std::string>& variables);

/// The path of such a program in PATH; empty when there is none.
std::string find_program(const std::string& name);

/// True when PATH has such a program.
bool program_exists(const std::string& name);

/// A fresh private folder that goes away with the object. Throws UnavailableError AX262.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace axmul::detail
