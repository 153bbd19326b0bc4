// The text syntax of distributions: mixtures of families, files and traces.
//
//   mixture   := term { "+" term }
//   term      := [ weight "*" ] component
//   component := name [ "(" argument { "," argument } ")" ]
//   argument  := [ parameter "=" ] value
#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/stats/wide.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/error_ids.hpp"

namespace axmul {
namespace detail::stats {

std::string number_text(double x) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  return std::string(buffer, end);
}

namespace {

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// Parentheses within parentheses; a text that goes deeper is no distribution anyone wrote.
constexpr int kDeepestNesting = 32;

std::string quoted(std::string_view text) {
  std::string out(1, '"');
  out.append(text).append(1, '"');
  return out;
}

/// One call of the parser: the whole text (for messages) and what every component needs.
struct Reader {
  std::string_view whole;
  bool is_signed;
  const DistributionContext& context;
  int bits = 8;

  OperandRange range() const {
    const int count = 1 << bits;
    return is_signed ? OperandRange{-count / 2, count / 2 - 1} : OperandRange{0, count - 1};
  }
  std::size_t values() const { return std::size_t{1} << bits; }

  [[noreturn]] void fail(int id, const std::string& reason) const {
    constexpr std::size_t kShown = 400;
    const std::string shown =
        whole.size() <= kShown ? std::string(whole) : std::string(whole.substr(0, kShown)) + "…";
    throw UsageError(id, "distribution \"" + shown + "\": " + reason);
  }

  double number(std::string_view text, std::string_view what) const {
    double x = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(x))
      fail(kDistributionParameter,
           std::string(what) + " is \"" + std::string(text) + "\"; it must be a finite number");
    return x;
  }
};

/// Splits at `separator` outside parentheses and quotes. For '+', the sign of an exponent (1e+3)
/// and of a number does not separate.
std::vector<std::string_view> split(const Reader& reader, std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    if (c == '(' && ++depth > kDeepestNesting)
      reader.fail(kDistributionSyntax, "more than " + std::to_string(kDeepestNesting) +
                                           " parentheses are open at once; write it flatter");
    if (c == ')' && --depth < 0) reader.fail(kDistributionSyntax, "a \")\" without \"(\"");
    if (c != separator || depth != 0) continue;
    const bool exponent =
        separator == '+' && i >= 2 && (text[i - 1] == 'e' || text[i - 1] == 'E') &&
        (std::isdigit(static_cast<unsigned char>(text[i - 2])) != 0 || text[i - 2] == '.');
    if (exponent) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  if (in_quotes) reader.fail(kDistributionSyntax, "a quote (\") is not closed");
  if (depth != 0) reader.fail(kDistributionSyntax, "a \"(\" is not closed");
  parts.push_back(text.substr(begin));
  return parts;
}

struct Call {
  std::string_view name, arguments;  // arguments without the parentheses
};

Call split_call(const Reader& reader, std::string_view text) {
  text = trim(text);
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) return {text, {}};
  if (text.back() != ')')
    reader.fail(kDistributionSyntax, quoted(text.substr(text.rfind(')') + 1)) +
                                         " after a closing parenthesis; join parts with \"+\"");
  return {trim(text.substr(0, open)), trim(text.substr(open + 1, text.size() - open - 2))};
}

std::string parameter_list(const Family& family) {
  std::string text;
  for (const Parameter& p : family.parameters) {
    if (!text.empty()) text += ", ";
    text += p.name;
    if (!p.required && !std::isnan(p.value)) text.append("=").append(number_text(p.value));
  }
  return text + ", tails=fold";
}

/// Arguments of a parametric family, by name or by position.
struct Arguments {
  std::vector<double> values;
  std::vector<bool> given;
  bool fold = true;
};

void read_tails(const Reader& reader, std::string_view value, Arguments& out) {
  if (value != "fold" && value != "renormalise")
    reader.fail(kDistributionParameter,
                "tails is \"" + std::string(value) + "\"; it is fold or renormalise");
  out.fold = value == "fold";
}

Arguments read_arguments(const Reader& reader, std::string_view name, std::string_view text,
                         std::span<const Parameter> parameters, const std::string& usage) {
  Arguments out;
  for (const Parameter& p : parameters) out.values.push_back(p.value);
  out.given.assign(parameters.size(), false);
  const auto parts = text.empty() ? std::vector<std::string_view>() : split(reader, text, ',');
  for (std::size_t position = 0; position < parts.size(); ++position) {
    const std::size_t equals = parts[position].find('=');
    std::size_t index = position;
    std::string_view value = trim(parts[position]);
    if (equals != std::string_view::npos) {
      const std::string_view key = trim(parts[position].substr(0, equals));
      value = trim(parts[position].substr(equals + 1));
      if (key == "tails") {
        read_tails(reader, value, out);
        continue;
      }
      index = 0;
      while (index < parameters.size() && parameters[index].name != key) ++index;
      if (index == parameters.size())
        reader.fail(kDistributionParameter, std::string(name) + " has no parameter \"" +
                                                std::string(key) + "\"; it takes " + usage);
    }
    if (index >= parameters.size())
      reader.fail(kDistributionParameter,
                  "too many values for " + std::string(name) + "; it takes " + usage);
    if (out.given[index])
      reader.fail(kDistributionParameter, std::string(name) + " is given " +
                                              std::string(parameters[index].name) + " twice");
    out.values[index] = reader.number(value, parameters[index].name);
    out.given[index] = true;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].required && !out.given[i])
      reader.fail(
          kDistributionParameter,
          std::string(name) + " needs " + std::string(parameters[i].name) + "; it takes " + usage);
  return out;
}

struct Component {
  std::string text;
  Values p{};
};

Component parametric(const Reader& reader, const Family& family, std::string_view text) {
  const Arguments arguments =
      read_arguments(reader, family.name, text, family.parameters, parameter_list(family));
  Component out;
  try {
    out.p = family.make(arguments.values, reader.range(), arguments.fold);
  } catch (const std::exception& e) {  // an impossible parameter, or Boost could not evaluate it
    reader.fail(kDistributionParameter, std::string(family.name) + ": " + e.what());
  }
  for (double x : out.p)
    if (!std::isfinite(x))
      reader.fail(kDistributionParameter, std::string(family.name) + " cannot be evaluated there");
  out.text = std::string(family.name) + "(";
  for (std::size_t i = 0; i < arguments.values.size(); ++i) {
    if (std::isnan(arguments.values[i])) continue;
    if (out.text.back() != '(') out.text += ",";
    out.text += std::string(family.parameters[i].name) + "=" + number_text(arguments.values[i]);
  }
  out.text += arguments.fold ? ")" : ",tails=renormalise)";
  return out;
}

int operand_value(const Reader& reader, double x, std::string_view what) {
  const OperandRange range = reader.range();
  if (x != std::floor(x) || x < range.min || x > range.max)
    reader.fail(kDistributionParameter,
                std::string(what) + " is " + number_text(x) + "; the operand takes integers " +
                    std::to_string(range.min) + " … " + std::to_string(range.max));
  return static_cast<int>(x);
}

Component point(const Reader& reader, std::string_view text) {
  constexpr Parameter parameters[] = {{"value"}};
  const Arguments arguments = read_arguments(reader, "point", text, parameters, "value");
  const int value = operand_value(reader, arguments.values[0], "value");
  Component out{"point(", Values(reader.values(), 0.0)};
  out.text.append(std::to_string(value)).append(")");
  out.p[static_cast<std::size_t>(value - reader.range().min)] = 1;
  return out;
}

Component uniform(const Reader& reader, std::string_view text) {
  const OperandRange range = reader.range();
  const Parameter parameters[] = {{"low", false, static_cast<double>(range.min)},
                                  {"high", false, static_cast<double>(range.max)}};
  const Arguments arguments = read_arguments(reader, "uniform", text, parameters, "low, high");
  const int low = operand_value(reader, arguments.values[0], "low");
  const int high = operand_value(reader, arguments.values[1], "high");
  if (low > high)
    reader.fail(kDistributionParameter,
                "uniform: low " + std::to_string(low) + " is above high " + std::to_string(high));
  Component out{"uniform", Values(reader.values(), 0.0)};
  if (low != range.min || high != range.max)
    out.text.append("(low=")
        .append(std::to_string(low))
        .append(",high=")
        .append(std::to_string(high))
        .append(")");
  for (int i = low; i <= high; ++i)
    out.p[static_cast<std::size_t>(i - range.min)] = 1.0 / (high - low + 1);
  return out;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

Component file(const Reader& reader, std::string_view text) {
  if (unquoted(text).empty())
    reader.fail(kDistributionParameter, "file needs a path, e.g. file(acts.csv)");
  const std::string path(unquoted(text));
  const std::string shown = stored_source(path);
  return {"file(" + (path.size() == text.size() ? shown : quoted(shown)) + ")",
          read_measured(path, reader.is_signed, reader.bits)};
}

Component samples(const Reader& reader, std::string_view text) {
  if (unquoted(text).empty())
    reader.fail(kDistributionParameter, "samples needs a path, e.g. samples(acts.npy)");
  const std::string path(unquoted(text));
  const std::string shown = stored_source(path);
  return {"samples(" + (path.size() == text.size() ? shown : quoted(shown)) + ")",
          read_samples(path, reader.is_signed, reader.bits)};
}

/// What a text that looks like a path was meant to be.
std::string file_hint(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return "";
  const std::string_view extension = text.substr(dot);
  for (const char* known : {".csv", ".npy", ".h5", ".hdf5", ".txt", ".tsv"})
    if (extension.starts_with(known))
      return "; for a histogram in a file write file(" + std::string(text) +
             "), for raw values samples(" + std::string(text) + ")";
  return "";
}

Component trace(const Reader& reader, std::string_view text) {
  if (!reader.context.trace_reader) reader.fail(kTraceUnavailable, "traces cannot be read here");
  if (reader.bits != 8)
    reader.fail(kTraceUnavailable,
                "traces hold operands of 8 bits, this one has " + std::to_string(reader.bits));
  OperandDistribution d = reader.context.trace_reader(text, reader.is_signed);
  return {d.text.empty() ? "trace(" + std::string(text) + ")" : d.text,
          Values(d.p.begin(), d.p.end())};
}

Component mixture(const Reader& reader, std::string_view text);

Component zero_inflated(const Reader& reader, std::string_view text) {
  const auto parts = split(reader, text, ',');
  constexpr std::string_view usage =
      "zero_inflated takes zeros and a distribution, e.g. zero_inflated(zeros=0.4,normal(std=20))";
  if (parts.size() != 2) reader.fail(kDistributionParameter, std::string(usage));
  std::string_view zeros = trim(parts[0]);
  if (zeros.starts_with("zeros")) {
    zeros = trim(zeros.substr(5));
    if (!zeros.starts_with("=")) reader.fail(kDistributionParameter, std::string(usage));
    zeros = trim(zeros.substr(1));
  }
  const double weight = reader.number(zeros, "zeros");
  if (!(weight >= 0 && weight <= 1))
    reader.fail(kDistributionParameter, "zeros is " + number_text(weight) + "; it lies in 0 … 1");
  Component rest = mixture(reader, parts[1]);
  for (double& x : rest.p) x *= 1 - weight;
  rest.p[static_cast<std::size_t>(-reader.range().min)] += weight;
  std::string whole = "zero_inflated(zeros=";
  whole.append(number_text(weight)).append(",").append(rest.text).append(")");
  rest.text = std::move(whole);
  return rest;
}

std::string known_names() {
  std::string names;
  for (const DistributionFamily& family : distribution_families())
    names.append(names.empty() ? "" : ", ").append(family.name);
  return names;
}

Component component(const Reader& reader, std::string_view text) {
  const Call call = split_call(reader, text);
  if (call.name.empty())
    reader.fail(kDistributionSyntax, "a distribution is missing; write e.g. normal(mean=0,std=20)");
  if (call.name == "uniform") return uniform(reader, call.arguments);
  if (call.name == "point") return point(reader, call.arguments);
  if (call.name == "zero_inflated") return zero_inflated(reader, call.arguments);
  if (call.name == "file") return file(reader, call.arguments);
  if (call.name == "samples") return samples(reader, call.arguments);
  if (call.name == "trace") return trace(reader, call.arguments);
  for (const Family& family : families())
    if (family.name == call.name) return parametric(reader, family, call.arguments);
  reader.fail(kDistributionFamily, "unknown family \"" + std::string(call.name) + "\"" +
                                       file_hint(text) + "; known are " + known_names());
}

/// The '*' that separates a weight from its component, outside parentheses.
std::size_t find_weight(std::string_view term) {
  const std::size_t star = term.find('*');
  return star < term.find('(') ? star : std::string_view::npos;
}

Component mixture(const Reader& reader, std::string_view text) {
  const auto terms = split(reader, text, '+');
  if (terms.size() == 1 && find_weight(terms[0]) == std::string_view::npos)
    return component(reader, terms[0]);
  Component out{"", Values(reader.values(), 0.0)};
  double total = 0;
  for (std::string_view term : terms) {
    const std::size_t star = find_weight(term);
    if (star == std::string_view::npos)
      reader.fail(kMixtureWeights,
                  quoted(trim(term)) + " has no weight; write e.g. 0.4*point(0)+0.6*uniform");
    const double weight = reader.number(trim(term.substr(0, star)), "weight");
    if (!(weight >= 0))
      reader.fail(kMixtureWeights, "weight " + number_text(weight) + " is negative");
    const Component part = component(reader, term.substr(star + 1));
    for (std::size_t i = 0; i < out.p.size(); ++i) out.p[i] += weight * part.p[i];
    if (!out.text.empty()) out.text += '+';
    out.text.append(number_text(weight)).append("*").append(part.text);
    total += weight;
  }
  if (!(std::abs(total - 1) <= 1e-9))
    reader.fail(kMixtureWeights, "weights sum to " + number_text(total) + "; they must sum to 1");
  return out;
}

/// NAME of "NAME=distribution", a short name that tables show; else empty.
std::string_view label_of(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.find_first_of("(*+,\"") < equals) return {};
  const std::string_view label = trim(text.substr(0, equals));
  const bool is_word = !label.empty() && std::ranges::all_of(label, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
  return is_word ? label : std::string_view{};
}

}  // namespace
}  // namespace detail::stats

OperandDistribution parse_distribution(std::string_view text, bool is_signed,
                                       const DistributionContext& context, int bits) {
  const detail::stats::Reader reader{text, is_signed, context, bits};
  const std::string_view label = detail::stats::label_of(text);
  detail::stats::Component component =
      detail::stats::mixture(reader, label.empty() ? text : text.substr(text.find('=') + 1));
  OperandDistribution d;
  d.text = (label.empty() ? "" : std::string(label) + "=") + component.text;
  d.is_signed = is_signed;
  d.bits = bits;
  // The operand's least value stands where it does among those of 8 bits.
  const int first = is_signed ? 128 - (1 << (bits - 1)) : 0;
  std::ranges::copy(component.p, d.p.begin() + first);
  return d;
}

WideDistribution parse_wide_distribution(std::string_view text, bool is_signed, int bits) {
  const DistributionContext none;
  const detail::stats::Reader reader{text, is_signed, none, bits};
  detail::stats::Component component = detail::stats::mixture(reader, text);
  return {std::move(component.text), is_signed, bits, std::move(component.p)};
}

const std::vector<DistributionFamily>& distribution_families() {
  static const std::vector<DistributionFamily> all = [] {
    std::vector<DistributionFamily> list = {
        {"uniform", "low, high", "integers low … high alike; default: all values"},
        {"point", "value", "always that value"},
        {"zero_inflated", "zeros, DISTRIBUTION", "0 with probability zeros, else DISTRIBUTION"}};
    for (const detail::stats::Family& family : detail::stats::families())
      list.push_back({std::string(family.name), detail::stats::parameter_list(family),
                      std::string(family.description)});
    list.push_back({"file", "PATH[:DATASET]",
                    "measured: 256 probabilities or integer counts from CSV, NPY or HDF5"});
    list.push_back({"samples", "PATH", "raw operand values, counted: an NPY array or text"});
    list.push_back({"trace", "FILE,layer=NAME,operand=a|b", "what a traced network layer saw"});
    return list;
  }();
  return all;
}

}  // namespace axmul
