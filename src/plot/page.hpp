// What a page consists of besides its contents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace axmul::plot {

/// Style sheet and script of reports, as they stand in the page.
extern const char* const kPageStyle;
extern const char* const kPageScript;

/// A table; the first column heads its rows, "r" columns are numbers. Cells are escaped.
std::string html_table(const std::string& caption, const std::vector<std::string>& header,
                       const std::string& alignment,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace axmul::plot
