// Options of commands that read circuits: top module, ports, cells, native code.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "command/command.hpp"

namespace axmul::cli {

/// --top, --ports, --param, --cells, --liberty, --allow-native-code, --synthesize and their like.
std::vector<OptionSpec> circuit_option_specs();
NetlistOptions circuit_options(Session& session);

/// With --as-one or --filelist what is one design: the file lists, and the texts but for a folder
/// that only says where the lists are; empty without.
std::vector<std::string> one_design(const Session& session, const std::vector<std::string>& texts);

/// --type with its widths, and the widths of --type or --width. Throws UsageError AX353.
std::optional<SizedType> type_option(const Session& session);
std::optional<OperandWidths> width_option(const Session& session);

}  // namespace axmul::cli
