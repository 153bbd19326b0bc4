// The command framework: help from data, usage errors with exit code 2, suggestions, quoting,
// numbers.
#include "command/command.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "axmul/core/errors.hpp"
#include "cli/run_cli.hpp"
#include "command/output.hpp"
#include "support/support.hpp"

using namespace axmul;
using namespace axmul::cli;

namespace {

int g_result;
std::string g_seen;

Program sample() {
  CommandSpec spec;
  spec.name = "paint house";
  spec.purpose = "Paint a house.";
  spec.examples = {{"sample paint house red", "the usual"}};
  spec.positionals = {{"COLOR", "colours, first coat first", 1, kMany}};
  spec.options = {{"coats", "N", "How many coats.", "1"},
                  {"tool", "TOOL", "What with.", "brush", false, {"brush", "roller"}},
                  {"room", "NAME", "A room to paint.", "", true},
                  {"fast", "", "Hurry."}};
  spec.run = [](Session& s) {
    g_seen = s.args.positional(0).front() + "/" + s.args.text_or("tool", "brush") + "/" +
             std::to_string(s.args.integer("coats", 1, 9).value_or(1)) + "/" +
             std::to_string(s.args.values("room").size()) + (s.args.has("fast") ? "/fast" : "") +
             "|" + s.command_line;
    if (s.args.positional(0).front() == "throw") throw InputError(300, Place{"f.csv", 7}, "bad");
    if (s.args.positional(0).front() == "bug") throw std::runtime_error("\noops\nframe #0");
    if (s.args.positional(0).front() == "nested") try {
        throw std::runtime_error("\nTraceback\nit broke\n");
      } catch (const std::exception&) {
        std::throw_with_nested(InputError(300, Place{"f.csv"}, "it broke"));
      }
    return g_result;
  };
  return Program{"sample", "A sample.", {spec}};
}

test::CliResult run(const std::vector<std::string>& words) {
  std::istringstream in;
  std::ostringstream out, err;
  Io io{in, out, err};
  const int code = run_program(sample(), words, io);
  return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("words reach the command with defaults, repeats and the quoted command line") {
  g_result = 0;
  CHECK(run({"paint", "house", "dark red", "--coats", "3", "--room", "a", "--room=b", "--fast"})
            .code == 0);
  CHECK(g_seen ==
        "dark red/brush/3/2/fast|sample paint house 'dark red' --coats 3 --room a --room=b --fast");
  g_result = 1;
  CHECK(run({"paint", "house", "-"}).code == 1);
  CHECK(g_seen.starts_with("-/brush"));
}

TEST_CASE("usage errors have exit code 2 and say what would mend them") {
  const auto unknown = run({"pant house"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean paint house") != std::string::npos);
  CHECK(run({"paint", "house"}).code == 2);
  CHECK(run({"paint", "house", "red", "--coat", "2"}).err.find("--coat") != std::string::npos);
  CHECK(run({"paint", "house", "red", "--coats", "2x"}).err.find("\"2x\"") != std::string::npos);
  CHECK(run({"paint", "house", "red", "--coats", "10"}).code == 2);
  CHECK(run({"paint", "house", "red", "--tool", "sponge"}).code == 2);
  CHECK(run({"paint", "house", "red", "--tool", "brush", "--tool", "roller"}).code == 2);
  CHECK(run({"paint"}).code == 2);
  CHECK(run({}).code == 2);
}

TEST_CASE("errors map to exit codes and keep their place") {
  const auto bad = run({"paint", "house", "throw"});
  CHECK(bad.code == 3);
  CHECK(bad.err == "sample: AX300 f.csv:7: bad\n");
  const auto bug = run({"paint", "house", "bug"});
  CHECK(bug.code == 70);
  CHECK(bug.err == "sample: AX2 internal error (please report): oops\n");
}

TEST_CASE("--verbose shows the whole text of the library that an error comes from") {
  CHECK(run({"paint", "house", "nested"}).err == "sample: AX300 f.csv: it broke\n");
  const auto whole = run({"paint", "house", "nested", "--verbose"});
  CHECK(whole.code == 3);
  CHECK(whole.err == "sample: AX300 f.csv: it broke\n\nTraceback\nit broke\n\n");
  CHECK(run({"paint", "house", "bug", "--verbose"}).err ==
        "sample: AX2 internal error (please report): oops\n\noops\nframe #0\n");
  CHECK(run({"paint", "house", "throw", "--verbose"}).err == "sample: AX300 f.csv:7: bad\n");
}

TEST_CASE("help starts with the purpose, examples before options, and names every option") {
  const auto help = run({"paint", "house", "--help"});
  CHECK(help.code == 0);
  CHECK(help.out.starts_with("Paint a house."));
  CHECK(help.out.find("Examples:") < help.out.find("Options:"));
  for (const char* text :
       {"--coats N", "--tool TOOL", "--room NAME", "--fast", "--threads", "roller", "Exit codes"})
    CHECK(help.out.find(text) != std::string::npos);
  CHECK(run({"help", "paint", "house"}).out == help.out);
  CHECK(run({"--help"}).out.find("paint house") != std::string::npos);
}

TEST_CASE("the table aligns by what is seen, not by bytes") {
  TextTable table({"name", "σ"}, "lr");
  table.row({"a", "1"});
  table.row({"bb", "22"});
  CHECK(table.render(false) == "name   σ\na      1\nbb    22\n");
}

TEST_CASE("what could steer a terminal is not printed") {
  CHECK(printable("a\x1b[31m\tb\n") == "a?[31m\tb\n");
  CHECK(printable("\xa7 \xc2\x85 \xc0\x80 \xed\xa0\x80 \xe2\x82") == "? ?? ?? ??? ??");
  CHECK(printable("µ – 漢 \xf0\x9f\x98\x80") == "µ – 漢 \xf0\x9f\x98\x80");
}
