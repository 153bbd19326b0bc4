// Options that many commands share: how design files are read, how tables are written.
#pragma once

#include <string>
#include <vector>

#include "axmul/formats/table_file.hpp"
#include "axmul/tables/characterization.hpp"
#include "axmul/tables/open_design.hpp"
#include "command/command.hpp"

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

/// Is it a column of the user's own in a file of --costs, and no metric or cost of axmul's?
bool has_own_figure(const Session& session, const std::string& name);

/// Whether a design could not be loaded because it has more than 8x8 bits: open_wide() takes it,
/// with these options.
bool is_wide(const Error& error);
OpenOptions wide_open_options(Session& session);

/// "failed: …" with the file's path, which not every message has.
std::string failure_text(const std::string& path, const std::string& message);

/// Of several designs, those that could not be read: each is told and the rest goes on.
class UnreadDesigns {
 public:
  /// For CharacterizationOptions::failed; what a folder holds that is no 8x8 multiplier is left
  /// out, anything else has failed.
  void add(const DesignRef& design, const Error& error);
  /// Says what failed, and what was left out by kind with a count. Throws InputError AX804 where
  /// nothing else is left (`read` designs).
  void say(Session& session, std::size_t read) const;
  int exit_code() const { return failed_ > 0 ? 1 : 0; }
  const std::vector<UnreadDesign>& list() const { return list_; }

 private:
  std::vector<UnreadDesign> list_;
  std::size_t failed_ = 0;
};

/// "type u8u8 (from its name), order ab, index value": what was assumed of a design.
std::string assumptions(const SizedType& type, const Provenance& provenance);

}  // namespace axmul::cli
