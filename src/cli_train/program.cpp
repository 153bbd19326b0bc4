// The list of commands of axmul-train.
#include "cli_train/commands.hpp"

namespace axmul::train {

const cli::Program& train_program() {
  static const cli::Program program{
      "axmul train",
      "Train and evaluate neural networks whose multiplications are approximate.",
      {run_command(), pareto_command(), baseline_command(), quantize_command(), search_command(),
       trace_command(), retrain_command(), evaluate_command()}};
  return program;
}

}  // namespace axmul::train
