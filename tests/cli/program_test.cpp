// The commands of axmul as data: the reference page, examples, purposes.
#include "cli/program.hpp"

#include <algorithm>
#include <sstream>

#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using namespace axmul::cli;

TEST_CASE("the reference page of axmul is up to date") {
  const std::string page = test::run_cli({"reference"}).out;
  CHECK_MESSAGE(page == test::read_text(test::source_dir() / "src/cli/REFERENCE.md"),
                "run: axmul reference > src/cli/REFERENCE.md");
}

TEST_CASE("the examples of the help use options that exist") {
  for (const CommandSpec& command : axmul_program().commands) {
    std::vector<OptionSpec> known = common_options();
    known.insert(known.end(), command.options.begin(), command.options.end());
    for (const Example& example : command.examples) {
      if (command.passes_everything) continue;
      std::istringstream words(example.command);
      std::string word;
      while (words >> word) {
        if (word == "|" || word == ">") break;
        if (!word.starts_with("--")) continue;
        const bool found =
            std::ranges::any_of(known, [&](const OptionSpec& o) { return "--" + o.name == word; });
        CHECK_MESSAGE(found, command.name << ": " << word);
      }
    }
  }
}

TEST_CASE("every command has a purpose, an example and a run function") {
  for (const CommandSpec& command : axmul_program().commands) {
    CHECK_MESSAGE(command.purpose.ends_with("."), command.name);
    CHECK_MESSAGE(!command.examples.empty(), command.name);
    CHECK_MESSAGE(static_cast<bool>(command.run), command.name);
  }
}
