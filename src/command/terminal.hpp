// How wide the reader's terminal is.
#pragma once

#include <cstddef>
#include <string>

namespace axmul::cli {

/// Columns of the terminal that standard output is, or of the variable COLUMNS; 0 where output goes
/// to no terminal and nothing says how wide it is.
std::size_t terminal_columns();

/// A text of lines fitted to a width: longer lines are broken at spaces, what follows is indented
/// as the line was, or to its second column where it has one (two spaces or more within). 0: as is.
std::string fitted_lines(const std::string& text, std::size_t width);

}  // namespace axmul::cli
