// Options that many commands share: how design files are read, how tables are written.
#pragma once

#include <string>
#include <vector>

#include "axmul/formats/table_file.hpp"
#include "axmul/tables/open_design.hpp"
#include "cli/command.hpp"

namespace axmul::cli {

/// DESIGN… as positionals.
PositionalSpec designs_positional(std::size_t min = 1, std::size_t max = kMany);

/// --type, --order, --index, --input-format: what a design file does not say.
std::vector<OptionSpec> open_option_specs();
OpenOptions open_options(Session& session);

/// --write-order, --write-index, --dtype, and --format where the command has it.
std::vector<OptionSpec> write_option_specs();
WriteOptions write_options(const Session& session);

/// Writes a table file, or for FILE.h5 a library of one entry.
void write_design_file(const Session& session, const std::string& path,
                       const Multiplier& multiplier, const WriteOptions& options);

/// Finds the designs of the first positional (reading "-" from the session's input), says warnings
/// and how many files of folders were skipped.
DesignList session_designs(Session& session);
DesignList session_designs(Session& session, const std::vector<std::string>& texts);

/// "type u8u8 (from its name), order ab, index value": what was assumed of a design.
std::string assumptions(OperandType type, const Provenance& provenance);

}  // namespace axmul::cli
