// A command is data (purpose, examples, options) and a run function; parsing and help come from the
// data.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace axmul::cli {

/// The streams a command talks to: data on out, words and progress on err.
struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_tty = false;
  bool err_is_tty = false;
};

struct OptionSpec {
  std::string name;               ///< without dashes: "output"
  std::string value;              ///< name of the value in the help, "FILE"; empty for a flag
  std::string help;               ///< one sentence
  std::string default_text = {};  ///< shown in help; empty = none
  bool repeats = false;           ///< may be given several times
  std::vector<std::string> choices = {};
  char short_name = 0;
};

struct PositionalSpec {
  std::string name;  ///< its name in the help, upper case
  std::string help;
  std::size_t min = 1, max = 1;  ///< how many
};
inline constexpr std::size_t kMany = static_cast<std::size_t>(-1);

struct Example {
  std::string command, meaning;
};

class Arguments;
struct Session;

struct CommandSpec {
  std::string name;     ///< "characterize" or two words, "library build"
  std::string purpose;  ///< one sentence
  std::vector<Example> examples;
  std::vector<PositionalSpec> positionals;
  std::vector<OptionSpec> options;
  std::string notes;  ///< more help after the options, may be empty
  std::function<int(Session&)> run;
  bool passes_everything = false;  ///< all words after the name go to run untouched (axmul train …)
};

/// Something that help explains besides commands: `axmul help metrics`.
struct Topic {
  std::string name, purpose;
  std::function<std::string()> text;
};

/// A program: its commands and the words for its top-level help.
struct Program {
  std::string name, purpose;
  std::vector<CommandSpec> commands;
  std::vector<Topic> topics{};
};

/// What the user typed, by option name; values are checked against choices already.
class Arguments {
 public:
  bool has(std::string_view option) const { return !values(option).empty(); }
  /// Value of an option, or nothing; the last one where it repeats.
  std::optional<std::string> text(std::string_view option) const;
  std::string text_or(std::string_view option, std::string_view fallback) const;
  /// Numbers; UsageError naming option, value and range where it is not one in [low, high].
  std::optional<std::int64_t> integer(std::string_view option, std::int64_t low,
                                      std::int64_t high) const;
  std::optional<double> number(std::string_view option, double low, double high) const;
  const std::vector<std::string>& values(std::string_view option) const;
  const std::vector<std::string>& positional(std::size_t index) const;

  void set(std::string option, std::vector<std::string> values);
  void set_positionals(std::vector<std::vector<std::string>> values) {
    positionals_ = std::move(values);
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> options_;
  std::vector<std::vector<std::string>> positionals_;
};

/// Warnings that threads come upon, by what they are about; said once each, sorted, when the
/// command is done.
class LateWarnings {
 public:
  void add(const std::string& subject, const std::string& text) {
    const std::lock_guard lock(mutex_);
    texts_[subject] = text;
  }
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> texts_;
};

/// One run of a command.
struct Session {
  const Program& program;
  const CommandSpec& command;
  Arguments args;
  Io& io;
  std::string command_line;        ///< as typed, for the history of outputs
  std::vector<std::string> words;  ///< untouched words, for passes_everything
  bool quiet = false;
  std::shared_ptr<LateWarnings> late_warnings = std::make_shared<LateWarnings>();
};

/// Options that every command has: --threads, --color, --quiet, --verbose.
std::vector<OptionSpec> common_options();
/// --format with the choices given (first is the default), --output, --force.
std::vector<OptionSpec> output_options(std::vector<std::string> formats);

/// Runs a program in-process; returns its exit code (src/README.md#command-line) and never throws.
int run_program(const Program& program, const std::vector<std::string>& words, Io& io);

/// Help of one command, and of the program.
std::string command_help(const Program& program, const CommandSpec& command);
std::string program_help(const Program& program);
/// The reference page: every command's help as Markdown.
std::string reference_page(const Program& program);

}  // namespace axmul::cli
