// The executable axmul: streams, signals, one call.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "axmul/core/parallel.hpp"
#include "cli/program.hpp"

namespace {
extern "C" void on_interrupt(int signal) {
  axmul::request_interrupt();
  std::signal(signal, SIG_DFL);  // a second one ends at once
}
}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  axmul::cli::Io io{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) != 0,
                    isatty(STDERR_FILENO) != 0};
  return axmul::cli::run_program(axmul::cli::axmul_program(),
                                 std::vector<std::string>(argv + 1, argv + argc), io);
}
