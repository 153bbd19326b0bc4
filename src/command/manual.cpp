// roff and shell code from option tables.
#include "command/manual.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <set>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"

namespace axmul::cli {

namespace {

/// \\[uXXXX] for a character beyond ASCII that starts at `at`, which moves to its last byte.
std::string roff_character(const std::string& text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t more = byte(at) >= 0xF0 ? 3 : byte(at) >= 0xE0 ? 2 : 1;
  unsigned code = byte(at) & (0x3Fu >> more);
  for (std::size_t i = 0; i < more && at + 1 < text.size(); ++i)
    code = code << 6 | (byte(++at) & 0x3Fu);
  std::ostringstream out;
  out << "\\[u" << std::uppercase << std::hex << std::setw(4) << std::setfill('0') << code << ']';
  return out.str();
}

/// Text for roff: backslashes, hyphens and quotes as written, no line that starts with a dot.
std::string roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (static_cast<unsigned char>(c) >= 0xC0)
      out += roff_character(text, at);
    else if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

std::string dashed(std::string name) {
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string page_start(const std::string& name, const std::string& purpose) {
  return ".TH " + dashed(name) + " 1 \"\" \"axmul " + std::string(version()) +
         "\" \"User Commands\"\n.SH NAME\n" + roff(dashed(name)) + " \\- " + roff(purpose) + "\n";
}

void option_item(std::string& out, const OptionSpec& spec) {
  out += ".TP\n\\fB";
  if (spec.short_name != 0) out += roff(std::string("-") + spec.short_name) + "\\fR, \\fB";
  out += roff("--" + spec.name) + "\\fR";
  if (!spec.value.empty()) out += " \\fI" + roff(spec.value) + "\\fR";
  std::string help = spec.help;
  if (!spec.choices.empty()) {
    std::string list;
    for (const std::string& choice : spec.choices) list += (list.empty() ? "" : ", ") + choice;
    help += " One of " + list + ".";
  }
  if (spec.repeats) help += " May be repeated.";
  if (!spec.default_text.empty()) help += " [default: " + spec.default_text + "]";
  out += "\n" + roff(help) + "\n";
}

/// Words for a double-quoted or single-quoted shell string are names of ours, but choices may hold
/// anything one day.
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<OptionSpec> all_options(const CommandSpec& command) {
  std::vector<OptionSpec> options = command.options;
  for (OptionSpec& option : common_options()) options.push_back(std::move(option));
  return options;
}

std::vector<std::string> option_words(const CommandSpec& command) {
  std::vector<std::string> words{"--help"};
  for (const OptionSpec& option : all_options(command)) words.push_back("--" + option.name);
  return words;
}

/// First words of commands, and after a group's name its second ones.
std::map<std::string, std::vector<std::string>> groups(const Program& program) {
  std::map<std::string, std::vector<std::string>> found;
  for (const CommandSpec& command : program.commands)
    if (const std::size_t space = command.name.find(' '); space != std::string::npos)
      found[command.name.substr(0, space)].push_back(command.name.substr(space + 1));
  return found;
}

std::vector<std::string> first_words(const Program& program) {
  std::vector<std::string> words;
  for (const CommandSpec& command : program.commands) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  words.emplace_back("help");
  return words;
}

std::vector<std::string> help_words(const Program& program) {
  std::vector<std::string> words = first_words(program);
  words.pop_back();
  for (const Topic& topic : program.topics) words.push_back(topic.name);
  return words;
}

std::string bash_completion(const Program& program) {
  std::string out =
      "# bash completion for axmul, made by: axmul reference --format bash\n"
      "_axmul() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
      "command=${COMP_WORDS[1]}\n"
      "  local options=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      joined(first_words(program)) +
      "' -- \"$word\"))\n    return\n  fi\n"
      "  case $command in\n    help) COMPREPLY=($(compgen -W '" +
      joined(help_words(program)) + "' -- \"$word\")); return ;;\n";
  for (const auto& [group, words] : groups(program))
    out += "    " + group +
           ")\n      if [ \"$COMP_CWORD\" -eq 2 ]; then COMPREPLY=($(compgen -W '" + joined(words) +
           "' -- \"$word\")); return; fi\n      command=\"" + group + " ${COMP_WORDS[2]}\" ;;\n";
  out += "  esac\n  case \"$command $before\" in\n";
  for (const CommandSpec& command : program.commands)
    for (const OptionSpec& option : all_options(command))
      if (!option.choices.empty())
        out += "    '" + command.name + " --" + option.name + "') COMPREPLY=($(compgen -W '" +
               joined(option.choices) + "' -- \"$word\")); return ;;\n";
  out += "  esac\n  case $command in\n";
  for (const CommandSpec& command : program.commands)
    out += "    '" + command.name + "') options='" + joined(option_words(command)) + "' ;;\n";
  return out +
         "  esac\n"
         "  case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
         "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}\n"
         "complete -o filenames -F _axmul " +
         program.name + "\n";
}

/// For zsh's _describe and _arguments: colons and brackets as written.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string zsh_options(const CommandSpec& command) {
  std::string out;
  for (const OptionSpec& option : all_options(command)) {
    out += " \\\n        '" + std::string(option.repeats ? "*" : "") + "--" + option.name +
           (option.value.empty() ? "" : "=") + "[" + zsh_text(option.help) + "]";
    if (!option.value.empty())
      out += ":" + zsh_text(option.value) + ":" +
             (option.choices.empty() ? "_files" : "(" + joined(option.choices) + ")");
    out += "'";
  }
  return out + " \\\n        '*:file:_files'";
}

std::string zsh_completion(const Program& program) {
  std::string out = "#compdef " + program.name +
                    "\n# made by: axmul reference --format zsh\n_axmul() {\n"
                    "  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  std::set<std::string> seen;
  for (const CommandSpec& command : program.commands) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (seen.insert(word).second) out += "      '" + word + ":" + zsh_text(command.purpose) + "'\n";
  }
  out +=
      "      'help:Explain a command or a topic.'\n    )\n    _describe command commands\n"
      "    return\n  fi\n  local command=$words[2]\n  case $command in\n"
      "    help) _values topic " +
      joined(help_words(program)) + "; return ;;\n";
  for (const auto& [group, words] : groups(program))
    out += "    " + group + ")\n      if (( CURRENT == 3 )); then _values command " +
           joined(words) + "; return; fi\n      command=\"" + group +
           " $words[3]\"; shift words; (( CURRENT-- )) ;;\n";
  out += "  esac\n  shift words; (( CURRENT-- ))\n  case $command in\n";
  for (const CommandSpec& command : program.commands)
    out += "    '" + command.name + "')\n      _arguments -s" + zsh_options(command) + " ;;\n";
  return out + "  esac\n}\n_axmul \"$@\"\n";
}

std::string fish_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return "'" + out + "'";
}

std::string fish_completion(const Program& program) {
  std::string out = "# fish completion for axmul, made by: axmul reference --format fish\n";
  const std::string start = "complete -c " + program.name;
  std::set<std::string> seen;
  for (const CommandSpec& command : program.commands) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (seen.insert(word).second)
      out += start + " -n __fish_use_subcommand -a " + word + " -d " + fish_text(command.purpose) +
             "\n";
  }
  out += start + " -n __fish_use_subcommand -a help -d 'Explain a command or a topic.'\n" + start +
         " -n '__fish_seen_subcommand_from help' -a '" + joined(help_words(program)) + "'\n";
  for (const auto& [group, words] : groups(program))
    out += start + " -n '__fish_seen_subcommand_from " + group +
           "; and not __fish_seen_subcommand_from " + joined(words) + "' -a '" + joined(words) +
           "'\n";
  for (const CommandSpec& command : program.commands) {
    std::string condition = "__fish_seen_subcommand_from " + command.name;
    if (const std::size_t space = command.name.find(' '); space != std::string::npos)
      condition = "__fish_seen_subcommand_from " + command.name.substr(0, space) +
                  "; and __fish_seen_subcommand_from " + command.name.substr(space + 1);
    for (const OptionSpec& option : all_options(command)) {
      out += start + " -n '" + condition + "' -l " + option.name;
      if (option.short_name != 0) out += std::string(" -s ") + option.short_name;
      if (!option.value.empty()) out += option.choices.empty() ? " -r -F" : " -x";
      if (!option.choices.empty()) out += " -a '" + joined(option.choices) + "'";
      out += " -d " + fish_text(option.help) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string manual_page(const Program& program, const CommandSpec& command) {
  std::string out = page_start(program.name + " " + command.name, command.purpose);
  out += ".SH SYNOPSIS\n\\fB" + roff(program.name + " " + command.name) + "\\fR";
  for (const PositionalSpec& p : command.positionals) {
    const std::string word = "\\fI" + roff(p.name) + "\\fR" + (p.max > 1 ? "\\&..." : "");
    out += p.min == 0 ? " [" + word + "]" : " " + word;
  }
  out += " [\\fIoptions\\fR]\n";
  if (!command.positionals.empty()) out += ".SH ARGUMENTS\n";
  for (const PositionalSpec& p : command.positionals)
    out += ".TP\n\\fI" + roff(p.name) + "\\fR\n" + roff(p.help) + "\n";
  out += ".SH OPTIONS\n";
  for (const OptionSpec& option : all_options(command)) option_item(out, option);
  if (!command.notes.empty()) out += ".SH NOTES\n.nf\n" + roff(command.notes) + "\n.fi\n";
  if (!command.examples.empty()) out += ".SH EXAMPLES\n";
  for (const Example& example : command.examples)
    out += ".TP\n" + roff(example.meaning) + "\n\\fB" + roff(example.command) + "\\fR\n";
  out +=
      ".SH EXIT STATUS\n0 done, 1 ran and the answer is no, 2 usage, 3 bad input, 4 cannot "
      "write, 5 kernel or feature not available, 130 interrupted.\n.SH SEE ALSO\n\\fB" +
      roff(program.name) + "\\fR(1)\n";
  return out;
}

std::string manual_page(const Program& program) {
  std::string out = page_start(program.name, program.purpose);
  out += ".SH SYNOPSIS\n\\fB" + roff(program.name) + "\\fR \\fICOMMAND\\fR \\&...\n.SH COMMANDS\n";
  for (const CommandSpec& command : program.commands)
    out += ".TP\n\\fB" + roff(dashed(program.name + " " + command.name)) + "\\fR(1)\n" +
           roff(command.purpose) + "\n";
  for (const Topic& topic : program.topics)
    out += ".SH " + roff(topic.name) + "\n.nf\n" + roff(topic.text()) + ".fi\n";
  return out;
}

std::string completion(const Program& program, const std::string& shell) {
  if (shell == "bash") return bash_completion(program);
  if (shell == "zsh") return zsh_completion(program);
  if (shell == "fish") return fish_completion(program);
  throw InternalError("no completion for " + shell);
}

}  // namespace axmul::cli
