// axmul train: hands over to axmul-train, which lies beside this executable (it links libtorch).
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "cli/program.hpp"

namespace axmul::cli {

namespace {

int run(Session& session) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string program = (self.parent_path() / "axmul-train").string();
  if (error || access(program.c_str(), X_OK) != 0)
    throw UnavailableError(1120, "the training module is not installed: there is no " + program +
                                     "; build with -DAXMUL_BUILD_TRAIN=ON (needs libtorch-dev)");
  std::vector<char*> words{const_cast<char*>("axmul-train")};
  for (std::string& word : session.words) words.push_back(word.data());
  words.push_back(nullptr);
  session.io.out.flush();
  setenv("OMP_WAIT_POLICY", "passive", 0);  // else axmul-train starts itself anew to have it so
  execv(program.c_str(), words.data());
  throw UnavailableError(1121, program + " cannot be started: " + std::strerror(errno));
}

}  // namespace

CommandSpec train_command() {
  CommandSpec spec;
  spec.name = "train";
  spec.purpose =
      "Train, quantise, trace and retrain networks on approximate multipliers (runs axmul-train).";
  spec.examples = {{"axmul train --help", "its commands"}};
  spec.passes_everything = true;
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
