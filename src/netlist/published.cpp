// Published figures: header comments in, costs and verdicts out.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/wide.hpp"

namespace axmul {

namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// The text after the slashes and asterisks of a comment line, nothing for other lines.
std::string_view comment(std::string_view line) {
  line = trim(line);
  if (line.starts_with("#")) return trim(line.substr(1));
  if (!line.starts_with("//") && !line.starts_with("*") && !line.starts_with("/*")) return {};
  while (!line.empty() && (line.front() == '/' || line.front() == '*')) line.remove_prefix(1);
  return trim(line);
}

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > 40) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '%' || c == '(' || c == ')' || blank(c);
  });
}

std::string squeeze(std::string_view key) {
  std::string result;
  for (const char c : key)
    if (!blank(c))
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return result;
}

// The library of 2017; its headers say "Power (45) = 428.70", in µW, and "Power (180)" beside it.
constexpr const char* kEvoApprox8b = "PDK45 (EvoApprox8b)";

// What a key is about and in which technology: "PDK45_PWR", "Power (45)", "Area".
struct CostKey {
  enum { none, power, area, delay } what = none;
  std::string technology;
};

CostKey cost_key(const std::string& key) {
  CostKey result;
  const std::string text = lower(key);
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  if (has("fpga")) return result;
  if (has("pwr") || has("power"))
    result.what = CostKey::power;
  else if (has("area"))
    result.what = CostKey::area;
  else if (has("delay"))
    result.what = CostKey::delay;
  else
    return result;
  const std::size_t mark = key.find('_');
  if (text.starts_with("pdk") && mark != std::string::npos)
    result.technology = key.substr(0, mark);
  else if (has("(45)"))
    result.technology = kEvoApprox8b;
  else if (has("("))
    result.what = CostKey::none;
  return result;
}

}  // namespace

namespace {

// The library that a header names. EvoApproxLib's headers cite the paper on EvoApprox8b, and C
// models of the latter say that they are part of the former, so its own line decides.
std::string library_of(std::string_view head) {
  const std::string text = lower(head);
  const auto has = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (has("library = evoapprox8b") || has("from evoapprox8b dataset")) return "EvoApprox8b";
  if (has("evoapproxlib") || has("approxlib library")) return "EvoApproxLib";
  return has("evoapprox8b") ? "EvoApprox8b" : "";
}

// Lower case, with u for the micro sign and for the Greek letter, 2 for the raised one.
std::string plain_unit(std::string_view unit) {
  std::string result = lower(unit);
  for (const auto& [sign, letter] :
       {std::pair{"\xC2\xB5", "u"}, {"\xCE\xBC", "u"}, {"\xC2\xB2", "2"}})
    for (std::size_t at = result.find(sign); at != std::string::npos; at = result.find(sign))
      result.replace(at, 2, letter);
  return result;
}

// Factor from a printed unit to mW, µm² or ns; 0 for one that is not known.
double unit_scale(const CostKey& key, const std::string& unit) {
  struct Unit {
    decltype(key.what) what;
    const char* name;
    double scale;
  };
  static constexpr Unit kUnits[] = {
      {CostKey::power, "mw", 1},   {CostKey::power, "uw", 1e-3}, {CostKey::power, "nw", 1e-6},
      {CostKey::power, "w", 1e3},  {CostKey::area, "um2", 1},    {CostKey::area, "um^2", 1},
      {CostKey::area, "mm2", 1e6}, {CostKey::delay, "ns", 1},    {CostKey::delay, "ps", 1e-3},
      {CostKey::delay, "us", 1e3},
  };
  if (unit.empty()) return key.what == CostKey::power && key.technology == kEvoApprox8b ? 1e-3 : 1;
  for (const Unit& known : kUnits)
    if (known.what == key.what && unit == known.name) return known.scale;
  return 0;
}

// Of several technologies the costs are those of PDK45, else of the first by name.
std::string technology_of(const PublishedFigures& figures) {
  std::string first;
  for (const auto& [key, value] : figures.values) {
    const std::string technology = cost_key(key).technology;
    if (technology.starts_with("PDK45")) return technology;
    if (first.empty()) first = technology;
  }
  return first;
}

}  // namespace

PublishedFigures read_published_figures(std::string_view source_text) {
  PublishedFigures figures;
  constexpr std::size_t kHeaderBytes = 1 << 16;
  const std::string_view head = source_text.substr(0, kHeaderBytes);
  figures.library = library_of(head);
  for (std::size_t start = 0; start < head.size();) {
    const std::size_t end = std::min(head.find('\n', start), head.size());
    const std::string_view text = comment(head.substr(start, end - start));
    start = end + 1;
    const std::size_t equal = text.find('=');
    if (equal == std::string_view::npos || !is_key(trim(text.substr(0, equal)))) continue;
    const std::string_view right = trim(text.substr(equal + 1));
    double value = 0;
    const auto [stop, error] = std::from_chars(right.data(), right.data() + right.size(), value);
    if (error != std::errc() || !std::isfinite(value)) continue;
    const std::string printed(right.substr(0, static_cast<std::size_t>(stop - right.data())));
    const std::string_view unit = trim(right.substr(printed.size()));
    if (unit.size() > 12 || unit.find(' ') != std::string_view::npos) continue;
    std::string key = squeeze(trim(text.substr(0, equal)));
    if (unit == "%" && !key.ends_with("%")) key += "%";
    if (figures.values.contains(key)) continue;  // the first one counts
    figures.values[key] = value;
    figures.text[key] = printed;
    if (!unit.empty() && unit != "%") figures.units[key] = plain_unit(unit);
  }
  return figures;
}

Cost published_cost(const PublishedFigures& figures, const SizedType& type) {
  Cost cost;
  cost.technology = technology_of(figures);
  for (const auto& [key, value] : figures.values) {
    const CostKey what = cost_key(key);
    if (what.what == CostKey::none) continue;
    if (!what.technology.empty() && what.technology != cost.technology) continue;
    const auto unit = figures.units.find(key);
    const double scale = unit_scale(what, unit == figures.units.end() ? "" : unit->second);
    if (scale == 0) continue;
    (what.what == CostKey::power  ? cost.power_mw
     : what.what == CostKey::area ? cost.area_um2
                                  : cost.delay_ns) = value * scale;
    cost.source = "published";
  }
  if (cost.source.empty()) return {};
  // Powers of EvoApproxLib's exact circuits as its headers print them: mul8u_1JFF, mul8s_1KV8.
  if (cost.technology == "PDK45" && figures.library != "EvoApprox8b") {
    if (type == OperandType::u8u8) cost.power_rel = cost.power_mw / 0.391;
    if (type == OperandType::s8s8) cost.power_rel = cost.power_mw / 0.425;
  }
  return cost;
}

void fill_power_rel(std::span<Multiplier> multipliers) {
  const auto same = [](const Multiplier& x, const Multiplier& y) {
    return x.lut.sized_type() == y.lut.sized_type() && x.cost.source == y.cost.source &&
           x.cost.technology == y.cost.technology;
  };
  std::map<SizedType, Lut> tables;  // once each: comparing by hash needs theirs
  for (const Multiplier& m : multipliers) {
    const SizedType type = m.lut.sized_type();
    if (!tables.contains(type)) tables.emplace(type, Lut::exact(type));
  }
  std::vector<const Multiplier*> exact;
  for (const Multiplier& m : multipliers)
    if (m.cost.power_mw > 0 && m.lut == tables.at(m.lut.sized_type())) exact.push_back(&m);
  for (Multiplier& m : multipliers) {
    if (m.cost.source != "published") continue;
    double reference = std::numeric_limits<double>::infinity();
    for (const Multiplier* e : exact)
      if (same(m, *e)) reference = std::min(reference, e->cost.power_mw);
    if (std::isfinite(reference)) m.cost.power_rel = m.cost.power_mw / reference;
  }
}

std::string_view to_string(FigureVerdict verdict) {
  switch (verdict) {
    case FigureVerdict::agrees:
      return "agrees";
    case FigureVerdict::rounding:
      return "rounding";
    case FigureVerdict::disagrees:
      break;
  }
  return "disagrees";
}

namespace {

// The weight of the last digit that carries information in a printed number.
double last_digit(const std::string& printed) {
  const std::size_t exponent_at = printed.find_first_of("eE");
  std::string mantissa = printed.substr(0, exponent_at);
  double scale = 1;
  if (exponent_at != std::string::npos) {
    int exponent = 0;
    const char* first = printed.c_str() + exponent_at + 1;
    if (*first == '+') ++first;
    std::from_chars(first, printed.c_str() + printed.size(), exponent);
    scale = std::pow(10.0, std::clamp(exponent, -300, 300));
  }
  const std::size_t point = mantissa.find('.');
  if (point == std::string::npos) return scale;
  std::size_t decimals = mantissa.size() - point - 1;
  // printf("%f") of a value that was rounded before: the zeros are padding.
  if (decimals == 6)
    while (decimals > 0 && mantissa[point + decimals] == '0') --decimals;
  return scale * std::pow(10.0, -static_cast<double>(decimals));
}

struct Figure {
  const char* key;
  double scale;
  double ErrorMetrics::*metric;
  double ErrorMetrics::*other;  // in the evoapprox8b convention
};

constexpr Figure kFigures[] = {
    {"MAE", 1, &ErrorMetrics::mae, nullptr},
    {"MAE%", 1, &ErrorMetrics::mae_pct_fullscale, nullptr},
    {"WCE%", 1, &ErrorMetrics::wce_pct_fullscale, nullptr},
    {"EP", 1, &ErrorMetrics::error_rate, nullptr},
    {"EP%", 100, &ErrorMetrics::error_rate, nullptr},
    {"MSE", 1, &ErrorMetrics::mse, nullptr},
    {"MRE", 1, &ErrorMetrics::mred_exclude_zero, &ErrorMetrics::mred_max_one},
    {"MRE%", 100, &ErrorMetrics::mred_exclude_zero, &ErrorMetrics::mred_max_one},
    {"WCRE", 1, &ErrorMetrics::wcre_exclude_zero, &ErrorMetrics::wcre_max_one},
    {"WCRE%", 100, &ErrorMetrics::wcre_exclude_zero, &ErrorMetrics::wcre_max_one},
};

FigureCheck check_figure(const std::string& key, const std::string& printed, double computed,
                         Convention convention) {
  FigureCheck check;
  check.key = key;
  check.printed = printed;
  std::from_chars(printed.data(), printed.data() + printed.size(), check.published);
  check.computed = computed;
  check.unit = last_digit(printed);
  check.convention = convention;
  check.deviation = std::abs(check.published - computed) / check.unit;
  // A computed value exactly half-way may round either way; doubles carry 1e-12 of it.
  const double slack = 1e-9 + 1e-12 * std::abs(check.published) / check.unit;
  check.verdict = check.deviation <= 0.5 + slack   ? FigureVerdict::agrees
                  : check.deviation <= 1.1 + slack ? FigureVerdict::rounding
                                                   : FigureVerdict::disagrees;
  if (std::isnan(computed)) check.verdict = FigureVerdict::disagrees;
  return check;
}

}  // namespace

VerifyReport verify_published(const std::map<std::string, std::string>& published_text,
                              const Lut& lut) {
  CharacterizeOptions options;
  options.distribution = false;
  return verify_published(published_text, characterize(lut, options).metrics);
}

VerifyReport verify_published(const std::map<std::string, std::string>& published_text,
                              const ErrorMetrics& metrics) {
  VerifyReport report;
  for (const auto& [key, printed] : published_text) {
    std::vector<FigureCheck> ways;
    if (key == "WCE")
      ways.push_back(
          check_figure(key, printed, static_cast<double>(metrics.wce), Convention::evoapproxlib));
    for (const Figure& figure : kFigures) {
      if (key != figure.key) continue;
      ways.push_back(check_figure(key, printed, figure.scale * metrics.*figure.metric,
                                  Convention::evoapproxlib));
      if (figure.other != nullptr)
        ways.push_back(check_figure(key, printed, figure.scale * metrics.*figure.other,
                                    Convention::evoapprox8b));
    }
    if (ways.empty()) continue;
    const auto best = std::min_element(ways.begin(), ways.end(), [](const auto& x, const auto& y) {
      return x.deviation < y.deviation;
    });
    ++(best->verdict == FigureVerdict::agrees     ? report.agreeing
       : best->verdict == FigureVerdict::rounding ? report.rounded
                                                  : report.disagreeing);
    report.checks.push_back(*best);
  }
  return report;
}

}  // namespace axmul
