// Finds the command, parses, runs it, and turns failures into messages and exit codes.
#include "command/command.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <new>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/text.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/h5.hpp"
#include "command/output.hpp"
#include "command/parse.hpp"
#include "command/terminal.hpp"

namespace axmul::cli {

namespace {

const std::vector<std::string> kNone;

std::string suggestion(const Program& program, const std::string& word) {
  std::string best;
  std::size_t distance = 3;
  std::vector<std::string> names;
  for (const CommandSpec& command : program.commands) names.push_back(command.name);
  for (const Topic& topic : program.topics) names.push_back("help " + topic.name);
  for (const std::string& name : names) {
    // A topic is meant by its own name too: metric, help metric.
    const bool is_topic = name.starts_with("help ");
    const std::size_t d = edit_distance(word, is_topic ? name.substr(5) : name);
    if (d < distance) {
      distance = d;
      best = name;
    }
  }
  return best.empty() ? "" : "; did you mean " + best + "?";
}

/// The command whose one or two words start `words`; `used` = how many words that took.
const CommandSpec* find_command(const Program& program, const std::vector<std::string>& words,
                                std::size_t& used) {
  for (std::size_t n : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < n) continue;
    const std::string name = n == 2 ? words[0] + " " + words[1] : words[0];
    for (const CommandSpec& command : program.commands)
      if (command.name == name) {
        used = n;
        return &command;
      }
  }
  return nullptr;
}

bool is_group(const Program& program, const std::string& word) {
  return std::ranges::any_of(program.commands, [&](const CommandSpec& command) {
    return command.name.starts_with(word + " ");
  });
}

Program group_of(const Program& program, const std::string& word) {
  Program group{program.name, program.purpose, {}};
  for (const CommandSpec& command : program.commands)
    if (command.name.starts_with(word + " ")) group.commands.push_back(command);
  return group;
}

std::string quoted(const std::string& word) {
  const bool plain =
      !word.empty() && word.find_first_of(" \t\n'\"\\$`()*?[]{}<>|&;#~") == std::string::npos;
  if (plain) return word;
  std::string text = "'";
  for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// Below this even small inputs end somewhere inside a library that does not check for memory.
void require_memory() {
  constexpr rlim_t kLeastMiB = 192;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur >= (kLeastMiB << 20))
    return;
  throw UnavailableError(1008, "may use " + std::to_string(limit.rlim_cur >> 20) +
                                   " MiB of memory (ulimit -v); commands need at least " +
                                   std::to_string(kLeastMiB));
}

int run_command(const Program& program, const CommandSpec& command,
                const std::vector<std::string>& words, std::size_t used, Io& io) {
  const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(used),
                                      words.end());
  std::string line = program.name;
  for (const std::string& word : words) line += " " + quoted(word);
  require_memory();
  Session session{program, command, {}, io, line, rest};
  if (!command.passes_everything) {
    const auto end = std::ranges::find(rest, "--");
    if (std::any_of(rest.begin(), end,
                    [](const std::string& w) { return w == "-h" || w == "--help"; })) {
      io.out << fitted_lines(command_help(program, command), terminal_columns());
      return 0;
    }
    session.args = parse_arguments(program, command, rest);
    session.quiet = session.args.has("quiet");
    set_threads(static_cast<int>(session.args.integer("threads", 0, 4096).value_or(0)));
  }
  const auto say = [&] {
    for (const auto& [subject, text] : session.late_warnings->texts())
      warn(session, subject + ": " + text);
    if (const auto files = h5::take_unrehearsed_files(); !files.empty())
      warn(session, std::to_string(files.size()) +
                        " HDF5 files were read without trying them in a "
                        "process of its own first, as no process could be started (" +
                        files.front() + "): damaged ones may crash the HDF5 library");
  };
  try {
    const int code = command.run(session);
    say();
    return code;
  } catch (...) {
    say();
    throw;
  }
}

int dispatch(const Program& program, const std::vector<std::string>& words, Io& io) {
  if (words.empty() || words[0] == "-h" || words[0] == "--help" || words[0] == "help") {
    if (words.size() > 1 && words[0] == "help") {
      for (const Topic& topic : program.topics)
        if (topic.name == words[1] && words.size() == 2) {
          io.out << fitted_lines(topic.text(), terminal_columns());
          return 0;
        }
      std::vector<std::string> again(words.begin() + 1, words.end());
      again.push_back("--help");
      return dispatch(program, again, io);
    }
    (words.empty() ? io.err : io.out) << fitted_lines(program_help(program), terminal_columns());
    if (words.empty()) return 2;
    return 0;
  }
  if (words[0] == "--version") {
    io.out << program.name << ' ' << version() << " (git " << git_hash() << ")\n";
    return 0;
  }
  std::size_t used = 0;
  const CommandSpec* command = find_command(program, words, used);
  if (command == nullptr) {
    if (is_group(program, words[0])) {
      const bool asked = words.size() > 1 && (words[1] == "-h" || words[1] == "--help");
      (asked ? io.out : io.err) << fitted_lines(program_help(group_of(program, words[0])),
                                                terminal_columns());
      return asked ? 0 : 2;
    }
    throw UsageError(1001, "no command \"" + words[0] + "\"" + suggestion(program, words[0]) +
                               " (" + program.name + " --help lists them)");
  }
  return run_command(program, *command, words, used, io);
}

bool is_verbose(const std::vector<std::string>& words) {
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--verbose") != end;
}

// Whole texts of the errors that led to this one, from the last to the first.
std::string causes(const std::exception& error) {
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& cause) {
    return std::string("\n") + cause.what() + causes(cause);
  } catch (...) {  // nothing that has a text
  }
  return {};
}

std::string shortened(std::string text) {
  constexpr std::size_t kMost = 4000;  // a whole file pasted as an option stays readable
  if (text.size() > kMost) text = text.substr(0, kMost) + "…";
  return text;
}

}  // namespace

const std::vector<std::string>& Arguments::values(std::string_view option) const {
  for (const auto& [name, values] : options_)
    if (name == option) return values;
  return kNone;
}

const std::vector<std::string>& Arguments::positional(std::size_t index) const {
  return index < positionals_.size() ? positionals_[index] : kNone;
}

void Arguments::set(std::string option, std::vector<std::string> values) {
  options_.emplace_back(std::move(option), std::move(values));
}

std::optional<std::string> Arguments::text(std::string_view option) const {
  const auto& all = values(option);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::string Arguments::text_or(std::string_view option, std::string_view fallback) const {
  return text(option).value_or(std::string(fallback));
}

std::optional<std::int64_t> Arguments::integer(std::string_view option, std::int64_t low,
                                               std::int64_t high) const {
  const auto value = text(option);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto result = std::from_chars(value->data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number < low || number > high)
    throw UsageError(1002, "--" + std::string(option) + " takes a whole number from " +
                               std::to_string(low) + " to " + std::to_string(high) + ", not \"" +
                               *value + "\"");
  return number;
}

std::optional<double> Arguments::number(std::string_view option, double low, double high) const {
  const auto value = text(option);
  if (!value) return std::nullopt;
  double number = 0;
  const char* end = value->data() + value->size();
  const auto result = std::from_chars(value->data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || !(number >= low && number <= high))
    throw UsageError(1002, "--" + std::string(option) + " takes a number from " +
                               std::to_string(low) + " to " + std::to_string(high) + ", not \"" +
                               *value + "\"");
  return number;
}

std::vector<OptionSpec> common_options() {
  return {{"threads", "N", "Threads to use; the results do not depend on it.", "all cores"},
          {"color",
           "WHEN",
           "Colour in tables and messages; NO_COLOR turns it off.",
           "auto",
           false,
           {"auto", "always", "never"}},
          {"quiet", "", "No progress, warnings only."},
          {"verbose", "",
           "With an error, also the whole text of the library that it comes from (libtorch …)."}};
}

std::vector<OptionSpec> output_options(std::vector<std::string> formats) {
  std::string list;
  for (const std::string& format : formats) list += (list.empty() ? "" : ", ") + format;
  return {
      {"format", "FORMAT", "Output format: " + list + "; else by the extension of --output.",
       formats.front(), false, formats},
      {"output", "FILE", "Write there instead of standard output (\"-\").", "-", false, {}, 'o'},
      {"force", "", "Replace an existing output file."}};
}

int run_program(const Program& program, const std::vector<std::string>& words, Io& io) {
  int code = 70;
  std::string message, whole;
  try {
    code = dispatch(program, words, io);
    io.out.flush();
    // "The answer is no" (1) needs to be heard too.
    if (!io.out && code <= 1) throw OutputError(1003, "standard output cannot be written");
    return code;
  } catch (const Error& e) {
    code = e.exit_code();
    message = e.what();
    whole = causes(e);
  } catch (const std::bad_alloc&) {
    code = 5;
    message = "AX3 out of memory";
  } catch (const std::exception& e) {
    message = "AX2 internal error (please report): " + std::string(first_line(e.what()));
    whole = std::string("\n") + e.what() + causes(e);
  }
  io.out.flush();
  io.err << program.name << ": " << printable(shortened(message)) << '\n';
  if (is_verbose(words) && !whole.empty()) io.err << printable(whole.substr(1)) << '\n';
  return code;
}

}  // namespace axmul::cli
