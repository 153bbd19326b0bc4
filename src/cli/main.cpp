// The executable axmul: streams, signals, one call.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "command/signals.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  axmul::cli::handle_signals();
  axmul::cli::Io io{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) != 0,
                    isatty(STDERR_FILENO) != 0};
  return axmul::cli::run_program(axmul::cli::axmul_program(),
                                 std::vector<std::string>(argv + 1, argv + argc), io);
}
