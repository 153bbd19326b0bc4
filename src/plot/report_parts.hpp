// Sections of a report.
#pragma once

#include <string>

#include "axmul/plot/report.hpp"

namespace axmul::plot {

/// <figure> with a picture; zoom: scripts add buttons; inside: more elements of the figure.
std::string figure_html(const Picture& picture, bool zoom = false, const std::string& inside = "");

std::string design_section(const ReportDesign& design, std::size_t index);
std::string small_maps(const std::vector<ReportDesign>& designs);
std::string traces_section(const ReportTraces& traces);
std::string run_section(const RunStory& run, std::size_t index);

}  // namespace axmul::plot
