// Tools that designs are handed to: yosys, ghdl, Icarus Verilog, each confined to the design's
// files.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "core/reading.hpp"
#include "netlist/process.hpp"

namespace axmul::detail {

/// A tool that may read the system, `readable`, and write into `folder`. Throws UnavailableError
/// AX262 where the kernel refuses to keep files from it.
ProcessResult run_tool(const std::vector<std::string>& argv, const TemporaryFolder& folder,
                       const std::vector<std::string>& readable, const NetlistOptions& options);

/// All files of the design, the first its path; absolute. Throws UsageError AX290 for a name that
/// scripts cannot hold.
std::vector<std::string> design_files_of(const std::string& path, const NetlistOptions& options);

/// The folders that a tool may read for these files and options.
std::vector<std::string> design_folders(const std::vector<std::string>& files,
                                        const NetlistOptions& options);

bool is_vhdl(const std::string& path);
/// True where one of the options' files is VHDL.
bool has_vhdl(const NetlistOptions& options);

/// "0.23" of "Yosys 0.23 (git sha1 …)": the first number with a dot that the tool prints of itself.
const std::string& tool_version(const std::string& tool);

/// The line that stands before an error in a tool's output ("FILE:17: …"), 0 without one.
std::size_t line_before(const std::string& output, std::size_t at);

// Icarus Verilog (icarus.cpp).

/// True where options.simulate is about this file: Verilog.
bool is_simulated(const std::string& path, const NetlistOptions& options);

/// A netlist without cells that has the top module's ports. Throws UsageError AX260 without
/// options.allow_native_code, InputError AX228 where its ports cannot be told.
Netlist outline_for_simulation(const std::string& path, const NetlistOptions& options);

/// Output patterns for every pair of input bytes, port a slow, as Icarus simulates them. Throws
/// UnavailableError AX227 when it is not installed, InputError AX228 (its own message), AX212 (x or
/// z), AX251 (an input that nobody drives).
Words simulated_words(const std::string& path, const Netlist& outline, const PortMap& ports,
                      const NetlistOptions& options);

}  // namespace axmul::detail
