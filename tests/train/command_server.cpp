// Many commands of axmul-train in one process, so that a test that gives hundreds of them does not
// start libtorch as often (a second and more each).
//
// Standard input: a line per command, a JSON list of words, without the program's name. Standard
// output: a line per command, {"code", "out", "err"}: the exit code and what it wrote to either
// stream, libraries' own writing included. Bytes that are no UTF-8 become U+FFFD. Whoever must see
// a process (signals, limits, the start itself) runs axmul-train.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli_train/commands.hpp"
#include "command/signals.hpp"

namespace {

/// A descriptor whose writes go to memory from now on.
class Captured {
 public:
  explicit Captured(int descriptor) : descriptor_(descriptor), memory_(memfd_create("text", 0)) {
    if (memory_ < 0 || dup2(memory_, descriptor_) < 0) throw std::runtime_error("no memory file");
  }
  ~Captured() { close(memory_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() const {
    std::string all;
    char buffer[65536];
    for (off_t at = 0;;) {
      const ssize_t n = pread(memory_, buffer, sizeof buffer, at);
      if (n <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(n));
      at += n;
    }
  }

 private:
  int descriptor_, memory_;
};

nlohmann::json answer(const std::vector<std::string>& words) {
  const Captured out(STDOUT_FILENO), err(STDERR_FILENO);
  std::cin.clear();
  std::cout.clear();
  std::cerr.clear();
  axmul::cli::Io io{std::cin, std::cout, std::cerr, false, false};
  const int code = axmul::cli::run_program(axmul::train::train_program(), words, io);
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  return {{"code", code}, {"out", out.text()}, {"err", err.text()}};
}

}  // namespace

int main() {
  axmul::cli::handle_signals();
  const int reply = dup(STDOUT_FILENO);
  for (std::string line; std::getline(std::cin, line);) {
    const auto words = nlohmann::json::parse(line).get<std::vector<std::string>>();
    std::string text = answer(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    text += '\n';
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t n = write(reply, rest.data(), rest.size());
      if (n <= 0) return 1;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }
}
