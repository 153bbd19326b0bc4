// Parses a command's words with CLI11, which stays in this file (it compiles slowly).
#include "cli/parse.hpp"

#include <CLI/CLI.hpp>
#include <deque>

#include "axmul/core/errors.hpp"

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

std::string first_line(std::string text) {
  const auto end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end);
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
  std::deque<std::vector<std::string>> positionals;
  for (const PositionalSpec& spec : command.positionals) {
    auto& values = positionals.emplace_back();
    CLI::Option* option = app.add_option(spec.name, values, spec.help);
    option->type_size(1);
    const int max =
        spec.max == kMany ? CLI::detail::expected_max_vector_size : static_cast<int>(spec.max);
    option->expected(static_cast<int>(spec.min), max);
    if (spec.min > 0) option->required();
  }
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& e) {
    throw UsageError(
        1000, first_line(e.what()) + "; see " + program.name + " " + command.name + " --help");
  }
  Arguments arguments;
  for (Slot& slot : slots) {
    if (slot.option->count() == 0) continue;
    if (slot.spec->value.empty())
      arguments.set(slot.spec->name, {"true"});
    else
      arguments.set(slot.spec->name, slot.values);
  }
  arguments.set_positionals({positionals.begin(), positionals.end()});
  return arguments;
}

}  // namespace axmul::cli
