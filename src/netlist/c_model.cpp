// C models: a small scanner finds the function, its parameters and name tell how it is called.
#include "netlist/c_model.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "axmul/core/errors.hpp"
#include "netlist/c_runner.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

struct CToken {
  std::string_view text;
  std::size_t line;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Words and single punctuation characters outside comments, strings and preprocessor lines.
std::vector<CToken> scan(std::string_view text) {
  std::vector<CToken> tokens;
  std::size_t line = 1;
  bool line_start = true;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (c == '\n') {
      ++line;
      ++i;
      line_start = true;
    } else if (rest.starts_with("//") || (c == '#' && line_start)) {
      while (i < text.size() && text[i] != '\n') {
        if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\n') {
          ++line;
          ++i;
        }
        ++i;
      }
    } else if (rest.starts_with("/*")) {
      const std::size_t end = std::min(text.find("*/", i + 2), text.size());
      line += static_cast<std::size_t>(
          std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(end - i), '\n'));
      i = std::min(end + 2, text.size());
    } else if (c == '"' || c == '\'') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != c && text[end] != '\n')
        end += text[end] == '\\' ? 2 : 1;
      i = std::min(end + 1, text.size());
      tokens.push_back({text.substr(0, 0), line});
      line_start = false;
    } else if (is_word(c)) {
      std::size_t end = i;
      while (end < text.size() && is_word(text[end])) ++end;
      tokens.push_back({text.substr(i, end - i), line});
      i = end;
      line_start = false;
    } else {
      if (c != ' ' && c != '\t' && c != '\r') {
        tokens.push_back({text.substr(i, 1), line});
        line_start = false;
      }
      ++i;
    }
  }
  return tokens;
}

// "const unsigned char" → "uint8_t"; nothing when it is no plain integer type. sign_chosen: see
// CParameter.
std::optional<std::string> integer_type(std::span<const CToken> words, bool& sign_chosen) {
  bool is_unsigned = false, is_signed = false, is_char = false, is_short = false, any = false;
  int longs = 0;
  std::string fixed;
  for (const CToken& word : words) {
    const std::string_view t = word.text;
    if (t == "const" || t == "static" || t == "inline" || t == "register" || t == "volatile" ||
        t == "extern" || t == "__inline" || t == "__inline__" || t == "constexpr" || t == "std" ||
        t == ":" || t == "&")
      continue;
    any = true;
    if (t == "unsigned") {
      is_unsigned = true;
    } else if (t == "signed") {
      is_signed = true;
    } else if (t == "char") {
      is_char = true;
    } else if (t == "short") {
      is_short = true;
    } else if (t == "long") {
      ++longs;
    } else if (t == "int") {
    } else if (t == "uint8_t" || t == "int8_t" || t == "uint16_t" || t == "int16_t" ||
               t == "uint32_t" || t == "int32_t" || t == "uint64_t" || t == "int64_t") {
      fixed = t;
    } else {
      return std::nullopt;
    }
  }
  if (!any) return std::nullopt;
  sign_chosen = is_signed || is_unsigned || !fixed.empty();
  if (!fixed.empty()) return fixed;
  const bool plain_char_unsigned = is_char && !is_signed && is_unsigned;
  const int bits = is_char ? 8 : is_short ? 16 : longs > 0 ? 64 : 32;
  return std::string(is_unsigned || plain_char_unsigned ? "u" : "") + "int" + std::to_string(bits) +
         "_t";
}

// The parameters between the parentheses of tokens (first, last).
std::optional<std::vector<CParameter>> parameters(std::span<const CToken> tokens) {
  std::vector<CParameter> result;
  if (tokens.empty() || (tokens.size() == 1 && tokens[0].text == "void")) return result;
  for (std::size_t start = 0; start <= tokens.size();) {
    std::size_t end = start;
    while (end < tokens.size() && tokens[end].text != ",") ++end;
    std::span<const CToken> part = tokens.subspan(start, end - start);
    if (part.empty()) return std::nullopt;
    CParameter parameter;
    std::optional<std::string> whole = integer_type(part, parameter.sign_chosen);
    if (!whole && part.size() > 1) {
      parameter.name = part.back().text;
      whole = integer_type(part.first(part.size() - 1), parameter.sign_chosen);
    }
    if (!whole) return std::nullopt;
    parameter.type = *whole;
    result.push_back(parameter);
    start = end + 1;
  }
  return result;
}

bool same_letter(const std::string& name, char letter) {
  return name.size() == 1 && (name[0] | 0x20) == letter;
}

}  // namespace

std::vector<CFunction> find_c_functions(const std::string& text) {
  std::vector<CFunction> functions;
  const std::vector<CToken> tokens = scan(text);
  std::size_t statement = 0;  // first token since the last ; or } at file level
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view t = tokens[i].text;
    // extern "C" { … }: what stands in it stands at file level; the text is an empty token.
    const bool is_linkage =
        t == "{" && i >= 2 && tokens[i - 2].text == "extern" && tokens[i - 1].text.empty();
    if (is_linkage && depth == 0) statement = i + 1;
    if (t == "{" && !is_linkage) ++depth;
    if (t == "}") depth = std::max(0, depth - 1);
    if (depth == 0 && (t == ";" || t == "}")) statement = i + 1;
    if (depth != 0 || t != "(" || i < statement + 2) continue;
    std::size_t close = i + 1;
    while (close < tokens.size() && tokens[close].text != ")" && tokens[close].text != "(") ++close;
    std::size_t body = close + 1;
    if (body < tokens.size() && tokens[body].text == "noexcept") ++body;
    if (body >= tokens.size() || tokens[close].text != ")" || tokens[body].text != "{") continue;
    const std::span<const CToken> all(tokens);
    bool ignored = false;
    const auto result = integer_type(all.subspan(statement, i - 1 - statement), ignored);
    const auto list = parameters(all.subspan(i + 1, close - i - 1));
    if (result && list)
      functions.push_back({std::string(tokens[i - 1].text), *result, *list, tokens[i - 1].line});
  }
  return functions;
}

namespace {

std::string list_names(const std::vector<CFunction>& functions) {
  std::string names;
  for (const CFunction& function : functions) names += (names.empty() ? "" : ", ") + function.name;
  return names;
}

/// "f(a, b, 2)" of a function that the file has: which parameters are the operands, and the text.
CFunction called_function(const std::vector<CFunction>& functions, const std::string& call,
                          const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    throw UsageError(235, "--call " + in_quotes(call) + ": " + what +
                              "; write it as in C, a and b once each and numbers, such as 'f(a, b, "
                              "2)'");
  };
  std::vector<CToken> tokens = scan(call);
  if (tokens.size() < 4 || tokens[1].text != "(" || tokens.back().text != ")") refuse("is no call");
  const std::string name(tokens[0].text);
  std::vector<std::string> arguments(1);
  for (std::size_t i = 2; i + 1 < tokens.size(); ++i)
    if (tokens[i].text == ",")
      arguments.emplace_back();
    else
      arguments.back() += tokens[i].text;
  const CFunction* found = nullptr;
  for (const CFunction& function : functions)
    if (function.name == name && function.parameters.size() == arguments.size()) found = &function;
  if (found == nullptr)
    fail(264, path, 0,
         "there is no function " + in_quotes(name) + " of " + std::to_string(arguments.size()) +
             " integers (--call)" +
             (functions.empty() ? "" : "; there are: " + list_names(functions)));
  CFunction result = *found;
  result.parameters.clear();
  result.call = name + "(";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (i > 0) result.call += ", ";
    if (argument == "a" || argument == "b") {
      if (result.parameters.size() == 2) refuse("names more than two operands");
      result.parameters.push_back(found->parameters[i]);
      result.parameters.back().name = argument;
      result.call += result.parameters.size() == 1 ? '\1' : '\2';
      continue;
    }
    const std::size_t digits = argument.starts_with("-") ? 1 : 0;
    if (argument.size() == digits || argument[digits] < '0' || argument[digits] > '9' ||
        !std::all_of(argument.begin() + static_cast<std::ptrdiff_t>(digits), argument.end(),
                     is_word))
      refuse(in_quotes(argument) + " is neither an operand nor a number");
    result.call += argument;
  }
  result.call += ")";
  if (result.parameters.size() != 2 || result.parameters[0].name == result.parameters[1].name)
    refuse("does not name a and b once each");
  return result;
}

[[noreturn]] void no_model(const std::vector<CFunction>& functions,
                           const std::vector<CFunction>& candidates, const std::string& path,
                           const std::string& wanted) {
  if (!candidates.empty() && wanted.empty())
    fail(264, path, 0,
         "which function is the model? candidates: " + list_names(candidates) +
             "; choose one with --function NAME");
  for (const CFunction& function : functions)
    if (function.parameters.size() > 2 && (wanted.empty() || function.name == wanted)) {
      std::string call = function.name + "(a, b";
      for (std::size_t i = 2; i < function.parameters.size(); ++i) call += ", 0";
      fail(264, path, function.line,
           "function " + in_quotes(function.name) + " takes " +
               std::to_string(function.parameters.size()) +
               " integers; say what the further ones are, --call '" + call + ")'");
    }
  if (!wanted.empty())
    fail(264, path, 0,
         "there is no function " + in_quotes(wanted) + " of two integers (--function)" +
             (candidates.empty() ? "" : "; there are: " + list_names(candidates)));
  fail(264, path, 0,
       "no function of two integer operands found, such as uint16_t f(uint8_t a, uint8_t b)");
}

}  // namespace

CFunction find_c_model(const std::string& text, const std::string& path,
                       const NetlistOptions& options) {
  const std::vector<CFunction> functions = find_c_functions(text);
  if (!options.call.empty()) return called_function(functions, options.call, path);
  std::vector<CFunction> candidates;
  for (const CFunction& function : functions)
    if (function.parameters.size() == 2) candidates.push_back(function);
  const std::string stem = std::filesystem::path(path).stem().string();
  for (const std::string& name : {options.function, stem})
    for (const CFunction& function : candidates)
      if (!name.empty() && function.name == name) return function;
  if (!options.function.empty()) no_model(functions, candidates, path, options.function);
  if (candidates.size() == 1) return candidates[0];
  std::vector<CFunction> named;
  for (const CFunction& function : candidates)
    if (function.name.starts_with("mul")) named.push_back(function);
  if (named.size() == 1) return named[0];
  no_model(functions, candidates, path, "");
}

namespace {

bool is_signed(const CParameter& parameter) { return parameter.type[0] == 'i'; }

/// Order by option or parameter names; type by option or by 8-bit parameters.
Known declared(const std::string& path, const CFunction& function, const NetlistOptions& options) {
  const CParameter &first = function.parameters[0], &second = function.parameters[1];
  Known known{.names = {function.name, std::filesystem::path(path).stem().string()}};
  if (options.order) {
    known.order = options.order;
    known.order_from = "option";
  } else if (same_letter(first.name, 'b') && same_letter(second.name, 'a')) {
    known.order = OperandOrder::ba;
    known.order_from = "parameters";
  } else if (same_letter(first.name, 'a') && same_letter(second.name, 'b')) {
    known.order = OperandOrder::ab;
    known.order_from = "parameters";
  }
  if (options.type) {
    known.type = options.type;
    known.type_from = "option";
    return known;
  }
  const bool first_s8 = first.type == "int8_t", second_s8 = second.type == "int8_t";
  if (first_s8 && second_s8) {
    known.type = OperandType::s8s8;
  } else if ((first_s8 && second.type == "uint8_t") || (second_s8 && first.type == "uint8_t")) {
    const OperandOrder order = first_s8 ? OperandOrder::ba : OperandOrder::ab;
    if (known.order.value_or(order) != order)
      fail(252, path, function.line,
           "operand a is int8_t and b is uint8_t, and there is no such type; give --order " +
               std::string(order == OperandOrder::ba ? "ba" : "ab"));
    if (!known.order) known.order_from = "parameters";
    known.order = order;
    known.type = OperandType::u8s8;
  }
  if (known.type) known.type_from = "parameters";
  return known;
}

}  // namespace

namespace {

/// The part of a run of bytes or 8-bit values that operands of fewer bits take, in their order.
Words narrow_part(const Words& all, bool first_signed, bool second_signed,
                  const OperandWidths& bits) {
  Words words = all;
  words.bits = bits;
  words.words.clear();
  const int rows = 1 << bits.a, cols = 1 << bits.b;
  const int first = first_signed ? 128 - rows / 2 : 0, second = second_signed ? 128 - cols / 2 : 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < cols; ++j)
      words.words.push_back(all.words[static_cast<std::size_t>(256 * (first + i) + second + j)]);
  return words;
}

/// A narrow model: operands are values where the type is known to be signed, else patterns.
Decision decide_narrow_model(const std::string& path, const CFunction& function,
                             const NetlistOptions& options, const Known& known,
                             const OperandWidths& bits) {
  const bool ab = known.order.value_or(OperandOrder::ab) == OperandOrder::ab;
  const OperandType type = type_of(known).value_or(OperandType::u8u8);
  const bool first = ab ? a_is_signed(type) : b_is_signed(type);
  const bool second = ab ? b_is_signed(type) : a_is_signed(type);
  Words words = narrow_part(run_c_model(path, function, first, second, options), first, second,
                            ab ? bits : OperandWidths{bits.b, bits.a});
  words.only_index = type == OperandType::u8u8 ? OperandIndex::bits : OperandIndex::value;
  if (type != OperandType::u8u8) words.only_type = type;
  return decide_narrow(known, words);
}

}  // namespace

Decision decide_c_model(const std::string& path, const CFunction& function,
                        const NetlistOptions& options, const OperandWidths& bits) {
  const Known known = declared(path, function, options);
  if (bits != OperandWidths{}) return decide_narrow_model(path, function, options, known, bits);
  const auto run = [&](bool first_signed, bool second_signed) {
    return run_c_model(path, function, first_signed, second_signed, options);
  };
  if (const std::optional<OperandType> type = type_of(known)) {
    const bool ab = known.order.value_or(OperandOrder::ab) == OperandOrder::ab;
    return decide(known, {[&] {
                    Words words = run(ab ? a_is_signed(*type) : b_is_signed(*type),
                                      ab ? b_is_signed(*type) : a_is_signed(*type));
                    words.only_type = type;
                    words.only_index = OperandIndex::value;
                    return words;
                  }});
  }
  bool bytes_failed = true;  // then values are not tried: it takes as long to fail
  const auto bytes = [&] {
    Words words = run(false, false);
    words.only_index = OperandIndex::bits;
    bytes_failed = false;
    return words;
  };
  const CParameter &first = function.parameters[0], &second = function.parameters[1];
  if (!is_signed(first) || !is_signed(second)) return decide(known, {bytes});
  // Wide signed parameters take bytes or values. Many a function multiplies either; then types
  // that were chosen to be signed mean values, and plain int means nothing.
  const bool chosen = first.sign_chosen && second.sign_chosen;
  const auto values = [&] {
    Words words = run(true, true);
    words.only_index = OperandIndex::value;
    words.only_type = OperandType::s8s8;
    words.only_type_from = chosen ? "parameters" : "values";
    return words;
  };
  if (!chosen)
    return decide(known, {bytes, [&] {
                            if (bytes_failed) fail(263, path, function.line, "no result");
                            return values();
                          }});
  const auto values_if_it_can = [&] {
    try {
      return values();
    } catch (const InputError& error) {
      if (error.id() != 263) throw;
      return bytes();  // a negative operand may crash or hang a model of bytes
    }
  };
  return decide(known, {values_if_it_can, bytes});
}

}  // namespace axmul::detail
