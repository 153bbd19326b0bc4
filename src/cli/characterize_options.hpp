// Options of commands that characterise: distributions, convention, rank, and the HDF5 writer's
// run.
#pragma once

#include <string>
#include <vector>

#include "axmul/tables/characterization.hpp"
#include "command/command.hpp"
#include "command/output.hpp"

namespace axmul::cli {

/// --a, --b, --joint, --convention, --rank, --quantile.
std::vector<OptionSpec> distribution_option_specs();
CharacterizationOptions characterization_options(Session& session);
/// The families of distributions, for the end of the help.
std::string distribution_notes();

/// Streams the designs into an HDF5 error table; with_products also stores products and errors.
/// On an interrupt FILE.partial.h5 keeps what was finished.
int write_error_tables(Session& session, const OutputTarget& target, const DesignList& list,
                       const CharacterizationOptions& options, bool with_products);

}  // namespace axmul::cli
