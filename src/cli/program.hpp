// The program axmul: all its commands. One line here and one in program.cpp add a command.
#pragma once

#include "cli/command.hpp"

namespace axmul::cli {

const Program& axmul_program();

CommandSpec characterize_command();
CommandSpec export_command();
CommandSpec list_command();
CommandSpec info_command();
CommandSpec compare_command();
CommandSpec convert_command();
CommandSpec generate_command();
CommandSpec pareto_command();
CommandSpec reference_command();

}  // namespace axmul::cli
