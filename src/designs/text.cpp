// Reads and writes the text of a design: NAME(parameter=value, …, type=s8s8).
#include "axmul/core/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "axmul/core/errors.hpp"
#include "designs/registry.hpp"

namespace axmul {

namespace detail::designs {
namespace {

using Assignment = std::pair<std::string, std::string>;  // name, value
struct ParsedText {
  std::string name;
  std::vector<Assignment> assignments;
};

std::string without_spaces(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') out += c;
  return out;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

[[noreturn]] void syntax_error(std::string_view text, const std::string& what) {
  throw UsageError(501, "design \"" + std::string(text) + "\": " + what +
                            "; write NAME, NAME(parameter=value,…) or NAME:parameter=value,…, e.g. "
                            "drum(k=6,type=s8s8) or drum:k=6,type=s8s8");
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// NAME:parameter=value,… needs no quotes in a shell; it is the same as with parentheses.
std::string with_parentheses(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('(') < colon) return text;
  return text.substr(0, colon) + "(" + text.substr(colon + 1) + ")";
}

ParsedText split(std::string_view original) {
  const std::string text = with_parentheses(without_spaces(original));
  const std::size_t open = text.find('(');
  ParsedText parsed{lower(text.substr(0, open)), {}};
  if (!is_word(parsed.name)) syntax_error(original, "no family name");
  if (open == std::string::npos) return parsed;
  if (text.back() != ')') syntax_error(original, "the closing parenthesis is missing or not last");
  const std::string inside = text.substr(open + 1, text.size() - open - 2);
  for (std::size_t begin = 0; begin < inside.size();) {
    const std::size_t end = std::min(inside.find(',', begin), inside.size());
    const std::string part = inside.substr(begin, end - begin);
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || !is_word(part.substr(0, equals)) ||
        !is_word(part.substr(equals + 1)))
      syntax_error(original, "\"" + part + "\" is not parameter=value");
    parsed.assignments.emplace_back(lower(part.substr(0, equals)), lower(part.substr(equals + 1)));
    if (end + 1 == inside.size()) syntax_error(original, "nothing follows the last comma");
    begin = end + 1;
  }
  return parsed;
}

// "; did you mean X?" where a candidate is near (or starts with the word), else nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const bool prefix = word.size() >= 3 && candidate.starts_with(word);
    const std::size_t d = prefix ? 1 : edit_distance(word, candidate);
    if (d < best_distance) best = candidate, best_distance = d;
  }
  return best.empty() ? "" : "; did you mean " + best + "?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

const Family& family_named(const std::string& name) {
  if (const Family* family = find_family(name)) return *family;
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(family.design.name);
  std::string hint = suggestion(name, names);
  if (hint.empty()) hint = "; the families are " + joined(names);
  throw UsageError(500, "unknown design family \"" + name + "\"" + hint);
}

int max_at(const DesignParameter& p, int width) {
  return p.max + p.max_per_extra_bit * (width - 8);
}

std::string range_text(const DesignParameter& p, int width) {
  if (!p.choices.empty()) return "one of " + joined(p.choices);
  return std::to_string(p.min) + " … " + std::to_string(max_at(p, width));
}

int parse_value(const Design& design, const DesignParameter& p, const std::string& text,
                int width) {
  int value = 0;
  const auto word = std::find(p.choices.begin(), p.choices.end(), text);
  if (word != p.choices.end()) return p.min + static_cast<int>(word - p.choices.begin());
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  const bool is_integer = result.ec == std::errc() && result.ptr == end;
  if (p.choices.empty() && is_integer && value >= p.min && value <= max_at(p, width)) return value;
  throw UsageError(503, "design " + design.name + ": " + p.name + "=" + text + " is not allowed; " +
                            p.name + " (" + p.help + ") must be " + range_text(p, width));
}

SizedType parse_type(const Design& design, const std::string& text) {
  const std::optional<SizedType> type = parse_sized_type(text);
  const bool has_widths =
      type && (design.name == "exact" ||
               (type->bits.a == type->bits.b && type->bits.a >= 4 && type->bits.a % 2 == 0));
  if (type && std::count(design.types.begin(), design.types.end(), type->kind) > 0) {
    if (has_widths) return *type;
    throw UsageError(505, "design " + design.name + ": type=" + text +
                              ": both operands have 4, 6, … 16 bits; only exact takes others");
  }
  std::vector<std::string> names;
  for (OperandType t : design.types) names.emplace_back(to_string(t));
  throw UsageError(504, "design " + design.name + ": type=" + text +
                            " is not defined; it exists as " + joined(names));
}

std::size_t parameter_index(const Design& design, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < design.parameters.size(); ++i) {
    if (design.parameters[i].name == name) return i;
    names.push_back(design.parameters[i].name);
  }
  names.emplace_back("type");
  throw UsageError(502, "design " + design.name + " has no parameter \"" + name + "\"" +
                            suggestion(name, names) + "; it takes " + joined(names));
}

std::string canonical_text(const DesignInstance::State& state) {
  const Design& design = state.family->design;
  std::string inside;
  for (std::size_t i = 0; i < design.parameters.size(); ++i) {
    const DesignParameter& p = design.parameters[i];
    const int value = state.config[i];
    if (!inside.empty()) inside += ",";
    inside += p.name + "=";
    inside += p.choices.empty() ? std::to_string(value)
                                : p.choices[static_cast<std::size_t>(value - p.min)];
  }
  if (state.type != design.types.front() || state.says_bits) {
    inside += inside.empty() ? "type=" : ",type=";
    inside += state.says_bits ? to_string(SizedType(state.type, state.bits))
                              : std::string(to_string(state.type));
  }
  return inside.empty() ? design.name : design.name + "(" + inside + ")";
}

Evaluator evaluator_of(const Family& family, const DesignConfig& config) {
  if (family.evaluator != nullptr) return family.evaluator(config);
  return [product = family.product, config](std::int64_t a, std::int64_t b) {
    return product(config, a, b);
  };
}

}  // namespace

std::shared_ptr<const DesignInstance::State> parse_state(std::string_view text, int width) {
  if (width < 4 || width > 16 || width % 2 != 0)
    throw UsageError(505, "operand width " + std::to_string(width) + " is not 4, 6, … 16");
  const ParsedText parsed = split(text);
  auto state = std::make_shared<DesignInstance::State>();
  state->family = &family_named(parsed.name);
  const Design& design = state->family->design;
  state->type = design.types.front();
  for (const auto& [name, value] : parsed.assignments)
    if (name == "type") {
      const SizedType type = parse_type(design, value);
      state->type = type.kind;
      state->bits = type.bits;
      state->says_bits = !type.is_8x8();
    }
  if (state->says_bits)
    width = std::max(state->bits.a, state->bits.b);
  else
    state->bits = {width, width};
  state->config.width = width;
  for (std::size_t i = 0; i < design.parameters.size(); ++i)
    state->config.value[i] =
        std::min(design.parameters[i].default_value, max_at(design.parameters[i], width));
  std::vector<std::string> seen;
  for (const auto& [name, value] : parsed.assignments) {
    if (std::count(seen.begin(), seen.end(), name) > 0)
      throw UsageError(502, "design " + design.name + ": " + name + " is given twice");
    seen.push_back(name);
    if (name != "type") {
      const std::size_t i = parameter_index(design, name);
      state->config.value[i] = parse_value(design, design.parameters[i], value, width);
    }
  }
  state->config.a_signed = a_is_signed(state->type);
  state->config.b_signed = b_is_signed(state->type);
  if (state->family->conflict != nullptr) {
    const std::string conflict = state->family->conflict(state->config);
    if (!conflict.empty())
      throw UsageError(506, "design " + canonical_text(*state) + ": " + conflict);
  }
  state->text = canonical_text(*state);
  state->evaluate = evaluator_of(*state->family, state->config);
  return state;
}

}  // namespace detail::designs

DesignInstance parse_design(std::string_view text, int width) {
  return DesignInstance(detail::designs::parse_state(text, width));
}

bool looks_like_design(std::string_view text) {
  const std::string compact =
      detail::designs::with_parentheses(detail::designs::without_spaces(text));
  const std::size_t open = compact.find('(');
  const std::string name = detail::designs::lower(compact.substr(0, open));
  if (!detail::designs::is_word(name)) return false;
  return detail::designs::find_family(name) != nullptr ||
         (open != std::string::npos && compact.back() == ')');
}

}  // namespace axmul
