// Manual pages and shell completion, made from the same tables as help.
#pragma once

#include <string>

#include "command/command.hpp"

namespace axmul::cli {

/// A page for man (roff, section 1): of one command, or of the program with its commands and
/// topics.
std::string manual_page(const Program& program, const CommandSpec& command);
std::string manual_page(const Program& program);

/// Completion for "bash", "zsh" or "fish": commands, options, their choices, else files.
std::string completion(const Program& program, const std::string& shell);

}  // namespace axmul::cli
