// Words for relative energies that speak of a part of the multiplications.
#include "axmul/model/coverage.hpp"

#include <cmath>
#include <cstdio>

namespace axmul {
namespace {

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

double Coverage::share_not_covered() const {
  const double all = ops_covered + ops_not_covered;
  return all > 0 ? ops_not_covered / all : 0.0;
}

EnergyBound energy_bound(double relative_energy, const Coverage& coverage) {
  if (coverage.is_complete()) return EnergyBound::exact;
  return relative_energy > 1 ? EnergyBound::upper : EnergyBound::lower;
}

std::string_view to_string(EnergyBound bound) {
  constexpr std::string_view names[] = {"exact", "lower", "upper"};
  return names[static_cast<std::size_t>(bound)];
}

std::string energy_figure(double relative_energy, const Coverage& coverage, int digits) {
  if (std::isnan(relative_energy)) return "unknown";
  constexpr const char* signs[] = {"", "≥ ", "≤ "};
  return signs[static_cast<std::size_t>(energy_bound(relative_energy, coverage))] +
         fixed(relative_energy, digits);
}

std::string saving_figure(double relative_energy, const Coverage& coverage) {
  if (std::isnan(relative_energy)) return "–";
  constexpr const char* signs[] = {"", "≤ ", "≥ "};
  return signs[static_cast<std::size_t>(energy_bound(relative_energy, coverage))] +
         fixed(100 * (1 - relative_energy), 1);
}

std::string coverage_sentence(const Coverage& coverage) {
  const std::size_t unknown = coverage.calls_not_counted.value_or(0);
  std::string text;
  if (coverage.ops_not_covered > 0 || unknown > 0)
    text = (coverage.is_complete() ? "" : "at least ") +
           fixed(100 * coverage.share_not_covered(), 1) +
           " % of the multiplications are in calls that axmul does not replace";
  if (unknown > 0)
    text += ", those of " + std::to_string(unknown) + (unknown == 1 ? " call" : " calls") +
            " are not known";
  if (!coverage.calls_not_counted)
    text += std::string(text.empty() ? "" : "; ") +
            "what the network multiplies outside of its layers is not known";
  return text;
}

std::string energy_sentence(double relative_energy, const Coverage& coverage) {
  std::string text = energy_figure(relative_energy, coverage) + " of the exact energy";
  if (std::isnan(relative_energy)) text = "relative to exact multipliers the energy is unknown";
  if (coverage.is_complete() && !std::isnan(relative_energy))
    text += relative_energy > 1 ? " (" + fixed(100 * (relative_energy - 1), 1) + " % more)"
                                : " (" + fixed(100 * (1 - relative_energy), 1) + " % less)";
  const std::string share = coverage_sentence(coverage);
  return share.empty() ? text : text + "; " + share;
}

}  // namespace axmul
