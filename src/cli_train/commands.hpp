// The program axmul-train: its commands.
#pragma once

#include "command/command.hpp"

namespace axmul::train {

/// run, pareto, and its stages alone: baseline, quantize, search, trace, evaluate, retrain.
const cli::Program& train_program();

cli::CommandSpec baseline_command();
cli::CommandSpec quantize_command();
cli::CommandSpec retrain_command();
cli::CommandSpec evaluate_command();
cli::CommandSpec trace_command();
cli::CommandSpec run_command();
cli::CommandSpec pareto_command();
cli::CommandSpec search_command();

}  // namespace axmul::train
