// The executable axmul: streams, signals, one call.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "command/ascii.hpp"
#include "command/signals.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  axmul::cli::handle_signals();
  const bool out_is_tty = isatty(STDOUT_FILENO) != 0, err_is_tty = isatty(STDERR_FILENO) != 0;
  // Files and pipes get UTF-8 whatever the locale; a terminal what it can show.
  const bool is_plain = !axmul::cli::locale_is_utf8();
  axmul::cli::AsciiBuffer out_buffer(std::cout), err_buffer(std::cerr);
  std::ostream plain_out(&out_buffer), plain_err(&err_buffer);
  axmul::cli::Io io{std::cin, is_plain && out_is_tty ? plain_out : std::cout,
                    is_plain && err_is_tty ? plain_err : std::cerr, out_is_tty, err_is_tty};
  return axmul::cli::run_program(axmul::cli::axmul_program(),
                                 std::vector<std::string>(argv + 1, argv + argc), io);
}
