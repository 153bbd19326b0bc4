// Words to Arguments; the only translation unit behind it that compiles CLI11.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command/command.hpp"

namespace axmul::cli {

/// Parses the words after the command's name. Throws UsageError with what is wrong and how to get
/// help.
Arguments parse_arguments(const Program& program, const CommandSpec& command,
                          const std::vector<std::string>& words);

}  // namespace axmul::cli
