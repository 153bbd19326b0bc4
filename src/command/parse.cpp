// Parses a command's words with CLI11, which stays in this file (it compiles slowly).
#include "command/parse.hpp"

#include <CLI/CLI.hpp>
#include <deque>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"

namespace axmul::cli {

namespace {

struct Slot {
  const OptionSpec* spec;
  CLI::Option* option;
  std::vector<std::string> values;
  bool flag = false;
};

void declare(CLI::App& app, const OptionSpec& spec, std::deque<Slot>& slots) {
  std::string names = "--" + spec.name;
  if (spec.short_name != 0) names = std::string("-") + spec.short_name + "," + names;
  Slot& slot = slots.emplace_back(Slot{&spec, nullptr, {}, false});
  if (spec.value.empty()) {
    slot.option = app.add_flag(names, slot.flag);
    return;
  }
  slot.option = app.add_option(names, slot.values);
  slot.option->type_size(1)->allow_extra_args(false);
  if (!spec.repeats) slot.option->multi_option_policy(CLI::MultiOptionPolicy::Throw)->expected(1);
  if (!spec.choices.empty()) slot.option->check(CLI::IsMember(spec.choices));
}

/// Every positional gets its least number of words, the first that takes many gets the rest.
std::vector<std::vector<std::string>> share_out(const Program& program, const CommandSpec& command,
                                                const std::vector<std::string>& given) {
  const std::string help = "; see " + program.name + " " + command.name + " --help";
  std::size_t spare = given.size();
  for (const PositionalSpec& spec : command.positionals) {
    if (spec.min > spare) throw UsageError(1005, spec.name + " is missing" + help);
    spare -= spec.min;
  }
  std::vector<std::vector<std::string>> shares;
  auto next = given.begin();
  for (const PositionalSpec& spec : command.positionals) {
    const std::size_t count = spec.min + std::min(spare, spec.max - spec.min);
    spare -= count - spec.min;
    shares.emplace_back(next, next + static_cast<std::ptrdiff_t>(count));
    next += static_cast<std::ptrdiff_t>(count);
  }
  if (next != given.end()) throw UsageError(1006, "\"" + *next + "\" is one word too many" + help);
  return shares;
}

}  // namespace

Arguments parse_arguments(const Program& program, const CommandSpec& command,
                          const std::vector<std::string>& words) {
  CLI::App app{command.purpose, program.name + " " + command.name};
  app.set_help_flag();
  app.allow_windows_style_options(false);
  std::deque<Slot> slots;
  const std::vector<OptionSpec> common = common_options();
  for (const OptionSpec& spec : command.options) declare(app, spec, slots);
  for (const OptionSpec& spec : common) declare(app, spec, slots);
  std::vector<std::string> given;
  app.add_option("ARGUMENT", given)
      ->type_size(1)
      ->expected(0, CLI::detail::expected_max_vector_size);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& e) {
    throw UsageError(1000, std::string(first_line(e.what())) + "; see " + program.name + " " +
                               command.name + " --help");
  }
  Arguments arguments;
  for (Slot& slot : slots) {
    if (slot.option->count() == 0) continue;
    if (slot.spec->value.empty())
      arguments.set(slot.spec->name, {"true"});
    else
      arguments.set(slot.spec->name, slot.values);
  }
  arguments.set_positionals(share_out(program, command, given));
  return arguments;
}

}  // namespace axmul::cli
