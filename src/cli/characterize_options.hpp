// Options of commands that characterise: distributions, convention, rank, and the HDF5 writer's
// run.
#pragma once

#include <string>
#include <vector>

#include "axmul/tables/characterization.hpp"
#include "cli/design_options.hpp"
#include "command/command.hpp"
#include "command/output.hpp"

namespace axmul::cli {

/// --a, --b, --joint, --convention, --rank, --quantile.
std::vector<OptionSpec> distribution_option_specs();
CharacterizationOptions characterization_options(Session& session);
/// The families of distributions, for the end of the help.
std::string distribution_notes();

/// Characterises designs of all widths, in their order: tables on all threads at once, then wider
/// ones (more than 8x8 bits) one by one, each on all threads. Of several designs one that cannot be
/// read goes to `unread`. An interruption sets `interrupted` and keeps what was finished.
std::vector<CharacterizationRow> characterize_all(Session& session, const DesignList& list,
                                                  CharacterizationOptions options,
                                                  const DistributionSet& distributions,
                                                  const std::string& label, UnreadDesigns& unread,
                                                  bool& interrupted);

/// Streams the designs into an HDF5 error table; with_products also stores products and errors.
/// On an interrupt FILE.partial.h5 keeps what was finished.
int write_error_tables(Session& session, const OutputTarget& target, const DesignList& list,
                       const CharacterizationOptions& options, bool with_products);

}  // namespace axmul::cli
