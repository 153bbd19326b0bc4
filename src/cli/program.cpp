// The list of commands.
#include "cli/program.hpp"

#include <ostream>

namespace axmul::cli {

CommandSpec reference_command() {
  CommandSpec spec;
  spec.name = "reference";
  spec.purpose = "Print the help of every command as one Markdown page.";
  spec.examples = {{"axmul reference > REFERENCE.md", "make the reference page anew"}};
  spec.run = [](Session& session) {
    session.io.out << reference_page(session.program);
    return 0;
  };
  return spec;
}

const Program& axmul_program() {
  static const Program program{
      "axmul",
      "Characterise approximate 8x8-bit multipliers and predict what "
      "their errors do inside a neural "
      "network.",
      {characterize_command(), export_command(), list_command(), info_command(), compare_command(),
       convert_command(), generate_command(), pareto_command(), cost_command(),
       library_build_command(), library_verify_command(), library_make_command(), predict_command(),
       validate_command(), match_command(), bench_command(), train_command(), reference_command()}};
  return program;
}

}  // namespace axmul::cli
