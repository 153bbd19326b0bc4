// The list of commands.
#include "cli/program.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "command/manual.hpp"

namespace axmul::cli {

namespace {

std::string file_name(std::string command) {
  std::ranges::replace(command, ' ', '-');
  return command + ".1";
}

int run_reference(Session& session) {
  const std::string format = session.args.text_or("format", "markdown");
  const std::string path = session.args.text_or("output", "-");
  const bool force = session.args.has("force");
  if (format == "man") {
    if (path == "-")
      throw UsageError(1033, "manual pages are several files; name a folder: -o DIR");
    std::error_code error;
    std::filesystem::create_directories(path, error);
    write_file(path + "/" + file_name(session.program.name), manual_page(session.program), force);
    for (const CommandSpec& command : session.program.commands)
      write_file(path + "/" + file_name(session.program.name + " " + command.name),
                 manual_page(session.program, command), force);
    return 0;
  }
  const std::string text =
      format == "markdown" ? reference_page(session.program) : completion(session.program, format);
  if (path == "-")
    session.io.out << text;
  else
    write_file(path, text, force);
  return 0;
}

}  // namespace

CommandSpec reference_command() {
  CommandSpec spec;
  spec.name = "reference";
  spec.purpose = "Print the help of every command as one page, as manual pages or as completion.";
  spec.examples = {
      {"axmul reference > REFERENCE.md", "make the reference page anew"},
      {"axmul reference --format man --output man1", "manual pages, one a command, into a folder"},
      {"axmul reference --format bash > axmul", "completion for bash; also zsh and fish"}};
  spec.options = {{"format",
                   "FORMAT",
                   "markdown, man (a folder of pages), or completion for bash, zsh or fish.",
                   "markdown",
                   false,
                   {"markdown", "man", "bash", "zsh", "fish"}},
                  {"output", "FILE", "Write there; of man a folder.", "-", false, {}, 'o'},
                  {"force", "", "Replace an existing output file."}};
  spec.run = run_reference;
  return spec;
}

namespace {

/// --top is the first N rows of a table and, where circuits are read, the name of a module; no name
/// starts with a digit, so one option serves both.
void merge_top(CommandSpec& command) {
  const auto is_top = [](const OptionSpec& option) { return option.name == "top"; };
  auto& options = command.options;
  const auto rows = std::ranges::find_if(options, is_top);
  if (rows == options.end()) return;
  const auto module = std::find_if(rows + 1, options.end(), is_top);
  if (module == options.end()) return;
  const auto [number, name] =
      rows->value == "N" ? std::pair(rows, module) : std::pair(module, rows);
  number->value = "N|NAME";
  number->help = "A number: show only the first N rows. A name: " + name->help;
  options.erase(name);
}

std::vector<CommandSpec> all_commands() {
  std::vector<CommandSpec> commands{characterize_command(), export_command(),  list_command(),
                                    info_command(),         compare_command(), convert_command(),
                                    generate_command(),     pareto_command(),  cost_command()};
  commands.push_back(report_command());
  for (CommandSpec& command : plot_commands()) commands.push_back(std::move(command));
  for (auto make :
       {library_build_command, library_verify_command, library_make_command, predict_command,
        validate_command, match_command, bench_command, train_command, reference_command})
    commands.push_back(make());
  for (CommandSpec& command : commands) merge_top(command);
  return commands;
}

}  // namespace

const Program& axmul_program() {
  static const Program program{
      "axmul",
      "Characterise approximate 8x8-bit multipliers and predict what their errors do inside a "
      "neural network.",
      all_commands(), help_topics()};
  return program;
}

}  // namespace axmul::cli
