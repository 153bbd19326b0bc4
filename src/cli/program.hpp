// The program axmul: all its commands. One line here and one in program.cpp add a command.
#pragma once

#include <vector>

#include "command/command.hpp"

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
CommandSpec cost_command();
CommandSpec library_build_command();
CommandSpec library_verify_command();
CommandSpec predict_command();
CommandSpec validate_command();
CommandSpec match_command();
CommandSpec bench_command();
CommandSpec library_make_command();
CommandSpec train_command();
CommandSpec report_command();
CommandSpec reference_command();

/// What axmul help explains besides commands.
std::vector<Topic> help_topics();

/// axmul plot KIND, one command a kind.
std::vector<CommandSpec> plot_commands();

}  // namespace axmul::cli
