// Signals of the executables. Handlers call async-signal-safe functions only.
#include "command/signals.hpp"

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "axmul/core/interrupt.hpp"
#include "axmul/core/parallel.hpp"

namespace axmul::cli {
namespace {

extern "C" void on_interrupt(int signal) {
  request_interrupt();
  alarm(interrupt_patience());
  std::signal(signal, SIG_DFL);  // a second one ends at once
}

extern "C" void on_alarm(int) {
  if (interrupt_noticed()) return;
  constexpr char kText[] = "interrupted\n";
  if (write(STDERR_FILENO, kText, std::strlen(kText)) < 0) _exit(130);
  _exit(130);
}

}  // namespace

void handle_signals() {
  std::signal(SIGALRM, on_alarm);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  struct sigaction hangup {};  // nohup has it ignored, and it stays so
  if (sigaction(SIGHUP, nullptr, &hangup) != 0 || hangup.sa_handler != SIG_IGN)
    std::signal(SIGHUP, on_interrupt);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace axmul::cli
