// Runs axmul in-process and keeps what it said.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace axmul::test {

struct CliResult {
  int code;
  std::string out, err;
};

inline CliResult run_cli(const std::vector<std::string>& words, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  cli::Io io{in, out, err};
  const int code = cli::run_program(cli::axmul_program(), words, io);
  return {code, out.str(), err.str()};
}

}  // namespace axmul::test
