// The executable axmul-train: streams, signals, thread policy, one call.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli_train/commands.hpp"
#include "command/signals.hpp"

namespace {

// libgomp reads its policy when it is loaded; spinning threads cost dearly where cores are shared.
void ensure_passive_waiting(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // where this fails we go on as we are
}

// Tensors of a batch are a few megabytes and come and go with every layer: taken from the system
// each time, their pages would be cleared and mapped anew, which took a third of a float pass.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  ensure_passive_waiting(argv);
  keep_freed_memory();
  std::ios::sync_with_stdio(false);
  axmul::cli::handle_signals();
  axmul::cli::Io io{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) != 0,
                    isatty(STDERR_FILENO) != 0};
  return axmul::cli::run_program(axmul::train::train_program(),
                                 std::vector<std::string>(argv + 1, argv + argc), io);
}
