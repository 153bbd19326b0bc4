// Parses a command's words with CLI11, which stays in this file (it compiles slowly).
#include "command/parse.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
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

/// "; did you mean --against?" where an option is spelled alike.
std::string nearest_option(const std::string& name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& option : known) {
    const bool is_start = name.size() >= 3 && option.starts_with(name);
    const std::size_t d = is_start ? 1 : edit_distance(name, option);
    if (d < distance) {
      distance = d;
      best = option;
    }
  }
  return best.empty() ? "" : "; did you mean --" + best + "?";
}

/// Words that start with -- must name an option; CLI11 does not say which one was meant.
void check_option_names(const Program& program, const CommandSpec& command,
                        const std::vector<std::string>& words) {
  std::vector<std::string> known{"help"};
  std::vector<std::string> with_value;
  for (const auto& specs : {command.options, common_options()})
    for (const OptionSpec& spec : specs) {
      known.push_back(spec.name);
      if (!spec.value.empty()) with_value.push_back("--" + spec.name);
      if (!spec.value.empty() && spec.short_name != 0)
        with_value.push_back(std::string("-") + spec.short_name);
    }
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (std::ranges::find(with_value, words[i]) != with_value.end()) {
      ++i;  // its value, whatever that looks like
      continue;
    }
    if (!words[i].starts_with("--")) continue;
    const std::string name = words[i].substr(2, words[i].find('=') - 2);
    if (std::ranges::find(known, name) == known.end())
      throw UsageError(1000, "--" + name + " is no option of " + program.name + " " + command.name +
                                 nearest_option(name, known) + "; see " + program.name + " " +
                                 command.name + " --help");
  }
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
  check_option_names(program, command, words);
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
