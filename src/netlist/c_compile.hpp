// C models to static programs, by the system's compiler, which may read the model, what it includes
// from its own folder and the system's headers and libraries, and nothing else.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "netlist/process.hpp"

namespace axmul::detail {

/// Where a program starts that needs no C library; programs with one start at main.
constexpr const char* kFreestandingEntry = "axmul_start";

/// What keeps a model from reading files while it is compiled. Tests take walls away one by one.
struct CompileWalls {
  bool landlock = true;  ///< the kernel refuses other files, where it can
  bool scan = true;      ///< included files are checked; assembly that reads files is refused
};

/// Real paths of the files in the folder of `path`, or below, that it names in #include lines, and
/// they in theirs. No hidden ones, and no links that lead elsewhere.
std::vector<std::string> included_files(const std::string& path);

/// True for .cc .cpp .cxx.
bool is_cplusplus(const std::string& path);

/// Compiles `source`, a file in `folder` that includes the model at `path` and defines main and
/// kFreestandingEntry, and gives the program's
/// path. Throws InputError AX261 (does not compile), AX265 (a model that reads other files while it
/// is compiled), UnavailableError AX262 (no compiler, no static C library).
std::string compile_c_model(const std::string& path, const std::string& source,
                            const TemporaryFolder& folder, const NetlistOptions& options,
                            const CompileWalls& walls = {});

}  // namespace axmul::detail
