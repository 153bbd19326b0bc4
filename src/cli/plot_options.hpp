// Options and output that all pictures share.
#pragma once

#include <vector>

#include "axmul/plot/plots.hpp"
#include "axmul/tables/characterization.hpp"
#include "command/command.hpp"

namespace axmul::cli {

/// --format, --output, --force, --data, --size, --dpi, --no-title.
std::vector<OptionSpec> picture_option_specs();
/// UsageError AX1002 for a width that is none.
plot::PictureOptions picture_options(const Session& session);
/// Writes the picture where --output says and its numbers where --data says.
void write_picture(Session& session, const plot::Picture& picture);

/// The designs with all figures of their errors under one pair of distributions, in order;
/// `errors`, where asked for, gets their maps. UsageError AX1025 for several distributions.
std::vector<plot::DesignFigures> design_figures(Session& session,
                                                const std::vector<std::string>& texts,
                                                std::vector<ErrorMap>* errors = nullptr);

}  // namespace axmul::cli
