// The executable axmul-train: streams, signals, thread policy, one call.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "axmul/core/parallel.hpp"
#include "train/commands.hpp"

namespace {

extern "C" void on_interrupt(int signal) {
  axmul::request_interrupt();
  std::signal(signal, SIG_DFL);  // a second one ends at once
}

// libgomp reads its policy when it is loaded; spinning threads cost dearly where cores are shared.
void ensure_passive_waiting(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // where this fails we go on as we are
}

}  // namespace

int main(int argc, char** argv) {
  ensure_passive_waiting(argv);
  std::ios::sync_with_stdio(false);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  axmul::cli::Io io{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) != 0,
                    isatty(STDERR_FILENO) != 0};
  return axmul::cli::run_program(axmul::train::train_program(),
                                 std::vector<std::string>(argv + 1, argv + argc), io);
}
