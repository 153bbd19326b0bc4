// Options of commands that read circuits: top module, ports, cells, native code.
#pragma once

#include <vector>

#include "axmul/netlist/readers.hpp"
#include "command/command.hpp"

namespace axmul::cli {

/// --top, --ports, --cells, --liberty, --allow-native-code, --synthesize.
std::vector<OptionSpec> circuit_option_specs();
NetlistOptions circuit_options(Session& session);

/// --type with its widths, and the widths of --type or --width. Throws UsageError AX353.
std::optional<SizedType> type_option(const Session& session);
std::optional<OperandWidths> width_option(const Session& session);

}  // namespace axmul::cli
