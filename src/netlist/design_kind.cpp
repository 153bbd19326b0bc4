// Names and comments are matched as the libraries of the field write them; values are compared with
// the exact products.
#include "netlist/design_kind.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/resemblance.hpp"
#include "axmul/netlist/wide.hpp"

namespace axmul {

NotMultiplierError::NotMultiplierError(std::string kind, const Place& place,
                                       const std::string& message)
    : InputError(254, place, message), kind_(std::move(kind)) {}

const char* wide_kind() { return "multipliers of more than 8x8 bits"; }

namespace detail {

namespace {

const char* const kOtherWidths = wide_kind();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return result;
}

/// Reads one or two digits; 0 where there are none, or more.
int width_at(std::string_view text, std::size_t& at) {
  std::size_t end = at;
  int value = 0;
  while (end < text.size() && is_digit(text[end]) && end - at < 3)
    value = 10 * value + (text[end++] - '0');
  if (end == at || end - at > 2) return 0;
  at = end;
  return value;
}

/// "8", "8x4" with an optional suffix u, s, su, us or se, and then no letter or digit.
bool read_widths(std::string_view text, std::size_t at, NameFacts& facts) {
  int a = width_at(text, at), b = a;
  if (a == 0) return false;
  if (at + 1 < text.size() && text[at] == 'x' && is_digit(text[at + 1])) {
    ++at;
    b = width_at(text, at);
  }
  for (const std::string_view suffix : {"us", "su", "se", "u", "s"})
    if (text.substr(at).starts_with(suffix)) {
      at += suffix.size();
      break;
    }
  if (b == 0 || (at < text.size() && (is_digit(text[at]) || is_letter(text[at])))) return false;
  facts.width_a = a;
  facts.width_b = b;
  return true;
}

bool has_table(const NameFacts& facts) { return facts.width_a <= 8 && facts.width_b <= 8; }
OperandWidths widths(const NameFacts& facts) { return {facts.width_a, facts.width_b}; }

std::string widths_text(const NameFacts& facts) {
  return std::to_string(facts.width_a) + "x" + std::to_string(facts.width_b) + " bits";
}

}  // namespace

NameFacts facts_of_name(std::string_view name) {
  const std::string text = lower(name);
  const bool says_product = text.find("mul") != std::string::npos;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is_letter(text[at - 1])) continue;
    const std::string_view rest = std::string_view(text).substr(at);
    for (const auto& [word, kind] : {std::pair{"multiplier", NameFacts::multiplier},
                                     {"mult", NameFacts::multiplier},
                                     {"mul", NameFacts::multiplier},
                                     {"adder", NameFacts::adder},
                                     {"add", NameFacts::adder},
                                     {"subtractor", NameFacts::adder},
                                     {"sub", NameFacts::adder}}) {
      const std::string_view w = word;
      if (!rest.starts_with(w)) continue;
      NameFacts facts{kind};
      const std::size_t end = at + w.size();
      const bool has_widths =
          read_widths(text, end, facts) ||
          (end < text.size() && text[end] == '_' && text.find('x', end) != std::string::npos &&
           read_widths(text, end + 1, facts));
      if (has_widths) return facts;
      const bool is_whole = end == text.size() || text[end] == '_';
      if ((w == "adder" || w == "subtractor") && is_whole && !says_product) return facts;
      break;
    }
  }
  return {};
}

NameFacts facts_of_names(std::span<const std::string> names) {
  for (const std::string& name : names)
    if (const NameFacts facts = facts_of_name(name); facts.kind != NameFacts::none) return facts;
  return {};
}

namespace {

/// The comments of a text, one by one, with the line each starts on.
std::vector<std::pair<std::string, std::size_t>> comments_of(const std::string& text) {
  std::vector<std::pair<std::string, std::size_t>> comments;
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++line;
    if (text.compare(i, 2, "//") == 0) {
      const std::size_t end = std::min(text.find('\n', i), text.size());
      comments.emplace_back(lower(text.substr(i, end - i)), line);
      i = end - 1;
    } else if (text.compare(i, 2, "/*") == 0) {
      const std::size_t end = std::min(text.find("*/", i + 2), text.size());
      comments.emplace_back(lower(text.substr(i, end - i)), line);
      line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                                  text.begin() + static_cast<std::ptrdiff_t>(end),
                                                  '\n'));
      i = end;
    }
  }
  return comments;
}

/// Whether one of the words follows within the next few, on the same line.
bool is_about(std::string_view rest, std::initializer_list<std::string_view> words) {
  rest = rest.substr(0, std::min({rest.size(), rest.find('\n'), std::size_t{40}}));
  return std::ranges::any_of(
      words, [&](std::string_view word) { return rest.find(word) != std::string_view::npos; });
}

/// "8x4-bit", "8 x 4 bit multiplier", "7-bit unsigned operand", "12-bit multiplier": the widths at
/// a number in a comment; the second is 0 for a single one.
std::optional<std::pair<int, int>> stated_widths(std::string_view comment, std::size_t at) {
  int a = width_at(comment, at), b = 0;
  if (a == 0) return std::nullopt;
  const auto skip = [&](std::string_view characters) {
    while (at < comment.size() && characters.find(comment[at]) != std::string_view::npos) ++at;
  };
  std::size_t cross = at;
  while (cross < comment.size() && comment[cross] == ' ') ++cross;
  if (cross < comment.size() && comment[cross] == 'x') {
    ++cross;
    while (cross < comment.size() && comment[cross] == ' ') ++cross;
    b = width_at(comment, cross);
    if (b == 0) return std::nullopt;
    at = cross;
  }
  skip(" -");
  const std::string_view rest = comment.substr(at);
  if (b > 0 && (rest.starts_with("bit") || is_about(rest, {"multipl"}))) return std::pair(a, b);
  if (b == 0 && rest.starts_with("bit") && is_about(rest, {"operand", "multiplier", "input"}))
    return std::pair(a, 0);
  return std::nullopt;
}

}  // namespace

std::optional<NameFacts> facts_of_comments(const std::string& text, std::size_t function_line) {
  std::vector<int> operands;
  for (const auto& [comment, line] : comments_of(text)) {
    if (line > function_line + 2) break;
    for (std::size_t at = 0; at < comment.size(); ++at) {
      const bool starts = is_digit(comment[at]) &&
                          (at == 0 || (!is_digit(comment[at - 1]) && !is_letter(comment[at - 1])));
      if (!starts) continue;
      const auto widths = stated_widths(comment, at);
      if (!widths) continue;
      const bool is_operand = comment.find("operand") != std::string::npos;
      if (widths->second > 0 || !is_operand) {
        const int b = widths->second > 0 ? widths->second : widths->first;
        return NameFacts{NameFacts::none, widths->first, b};
      }
      operands.push_back(widths->first);
    }
  }
  if (operands.empty()) return std::nullopt;
  return NameFacts{NameFacts::none, operands.front(), operands.back()};
}

OperandWidths check_c_model(const std::string& text, const std::string& path,
                            const CFunction& function) {
  const std::string names[] = {function.name, std::filesystem::path(path).stem().string()};
  const Place place{path, function.line};
  const NameFacts named = facts_of_names(names);
  if (named.kind == NameFacts::adder)
    throw NotMultiplierError("adders (C models)", place,
                             "\"" + function.name +
                                 "\" is an adder by its name, no "
                                 "multiplier; rename it if it is one");
  if (named.width_a > 0) {
    if (has_table(named)) return widths(named);
    throw NotMultiplierError(kOtherWidths, place,
                             "\"" + function.name + "\" is by its name a multiplier of " +
                                 widths_text(named) + ", more than 8x8");
  }
  if (const auto stated = facts_of_comments(text, function.line)) {
    if (has_table(*stated)) return widths(*stated);
    throw NotMultiplierError(
        kOtherWidths, place,
        "the comments say operands of " + widths_text(*stated) + ", more than 8x8");
  }
  for (const CParameter& parameter : function.parameters)
    if (parameter.type == "uint16_t" || parameter.type == "int16_t")
      throw NotMultiplierError("C models of 16-bit operands", place,
                               "parameter " +
                                   (parameter.name.empty() ? "" : "\"" + parameter.name + "\" ") +
                                   "is of " + parameter.type +
                                   ", and neither a name such as mul8u_… nor a comment such as /* "
                                   "8-bit operand */ says that it takes 8 bits");
  return {};
}

void check_ports(const Netlist& netlist, const PortMap& ports, const std::string& path) {
  const auto width = [&](const std::string& name) {
    const Port* port = netlist.find_port(name);
    return port == nullptr ? 0 : static_cast<int>(port->nets.size());
  };
  const int a = width(ports.a), b = width(ports.b), product = width(ports.product);
  const std::string names[] = {netlist.name, std::filesystem::path(path).stem().string()};
  const NameFacts named = facts_of_names(names);
  const std::string shape = std::to_string(a) + "- and " + std::to_string(b) +
                            "-bit operands and " + std::to_string(product) + " output bits";
  const bool is_sum = a == b && a >= 4 && a != 8 && product == a + 1;
  if (named.kind == NameFacts::adder || is_sum)
    throw NotMultiplierError("adders: " + std::to_string(product) + " output bits", Place{path},
                             netlist.name + " is an adder " +
                                 (is_sum ? "by its ports (" + shape + ")" : "by its name") +
                                 ", no multiplier" + (is_sum ? "" : "; rename it if it is one"));
  if (a <= 8 && b <= 8) return;
  const bool is_product = (a >= 3 && b >= 2 && product == a + b) ||
                          (a >= 2 && b >= 2 && named.kind == NameFacts::multiplier);
  if (is_product)
    throw NotMultiplierError(
        kOtherWidths, Place{path},
        netlist.name + " has " + shape + "; tables are of multipliers of at most 8x8 bits");
}

std::optional<int> product_shift(const Lut& lut, int bits) {
  std::optional<int> best;
  double least = 0;
  const OperandWidths operands = lut.sized_type().bits;
  for (const int shift : {0, std::max(0, operands.a + operands.b - bits)}) {
    const Resemblance like = resemblance(shifted(lut, shift));
    if (!like.is_product() || (best && like.squared_error >= least)) continue;
    best = shift;
    least = like.squared_error;
  }
  return best;
}

int value_bits(const Lut& lut) {
  unsigned most = 0;
  for (const std::int32_t product : lut.products())
    most = std::max(most, static_cast<unsigned>(product < 0 ? ~product : product));
  return static_cast<int>(std::bit_width(most)) + (lut.type() == OperandType::u8u8 ? 0 : 1);
}

Lut shifted(const Lut& lut, int shift) {
  if (shift == 0) return lut;
  std::vector<std::int32_t> products = lut.used_products();
  for (std::int32_t& product : products) product *= 1 << shift;
  return Lut::of_size(lut.sized_type(), products);
}

std::string kind_of_outputs(int bits) {
  return (bits == 9 ? "adders: " : "other functions: ") + std::to_string(bits) + " output bits";
}

}  // namespace detail

std::string kind_by_name(const std::string& name) {
  const detail::NameFacts named = detail::facts_of_name(name);
  if (named.kind == detail::NameFacts::adder) return "adders (by name)";
  return named.width_a > 0 && !detail::has_table(named) ? detail::kOtherWidths : "";
}

std::string kind_by_values(const Multiplier& multiplier) {
  const std::string names[] = {
      multiplier.name, std::filesystem::path(multiplier.provenance.source_file).stem().string()};
  if (detail::facts_of_names(names).kind == detail::NameFacts::multiplier) return "";
  const int bits = detail::value_bits(multiplier.lut);
  const OperandWidths operands = multiplier.lut.sized_type().bits;
  if (bits >= operands.a + operands.b || resemblance(multiplier.lut).is_product()) return "";
  return detail::kind_of_outputs(bits);
}

}  // namespace axmul
