// A relative energy in JSON and CSV, never without the multiplications that it speaks of.
#pragma once

#include <string>

#include "axmul/model/coverage.hpp"
#include "io/json.hpp"

namespace axmul {

/// "ops_covered", "ops_not_covered", "calls_not_counted" (null: unknown).
template <class AnyJson>
void add_coverage(AnyJson& json, const Coverage& coverage) {
  json["ops_covered"] = coverage.ops_covered;
  json["ops_not_covered"] = coverage.ops_not_covered;
  json["calls_not_counted"] =
      coverage.calls_not_counted ? AnyJson(*coverage.calls_not_counted) : AnyJson(nullptr);
}

/// The same, "relative_energy" (null: unknown) and "energy_bound" ("exact", "lower", "upper").
template <class AnyJson>
void add_energy(AnyJson& json, double relative_energy, const Coverage& coverage) {
  add_coverage(json, coverage);
  json["relative_energy"] =
      std::isfinite(relative_energy) ? AnyJson(relative_energy) : AnyJson(nullptr);
  json["energy_bound"] = std::string(to_string(energy_bound(relative_energy, coverage)));
}

/// What add_coverage() wrote; calls_not_counted is absent where the key is missing or null. Throws
/// Json::exception.
inline Coverage coverage_from(const Json& json) {
  const auto ops = [&](const char* key) {
    const double value = real_between(json, key, 0, std::numeric_limits<double>::max());
    return std::isnan(value) ? 0.0 : value;
  };
  Coverage coverage{ops("ops_covered"), ops("ops_not_covered"), std::nullopt};
  const auto calls = json.find("calls_not_counted");
  if (calls != json.end() && !calls->is_null())
    coverage.calls_not_counted = natural(json, "calls_not_counted");
  return coverage;
}

/// Columns of a CSV that belong to relative_energy.
inline constexpr const char* kCoverageColumns =
    "energy_bound,ops_covered,ops_not_covered,calls_not_counted";
/// The cells of these columns; calls_not_counted is empty where it is unknown.
inline std::string coverage_cells(double relative_energy, const Coverage& coverage) {
  const auto whole = [](double value) { return std::to_string(static_cast<long long>(value)); };
  return std::string(to_string(energy_bound(relative_energy, coverage))) + ',' +
         whole(coverage.ops_covered) + ',' + whole(coverage.ops_not_covered) + ',' +
         (coverage.calls_not_counted ? std::to_string(*coverage.calls_not_counted) : "");
}

}  // namespace axmul
