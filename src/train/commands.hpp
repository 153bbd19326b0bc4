// The program axmul-train: its commands.
#pragma once

#include "cli/command.hpp"

namespace axmul::train {

/// baseline, quantize, trace, evaluate, retrain.
const cli::Program& train_program();

cli::CommandSpec baseline_command();
cli::CommandSpec quantize_command();
cli::CommandSpec retrain_command();
cli::CommandSpec evaluate_command();
cli::CommandSpec trace_command();

}  // namespace axmul::train
