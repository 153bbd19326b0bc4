// Which share of a network's multiplications a relative energy speaks of.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "axmul/core/api.hpp"

namespace axmul {

/// Where the multiplications of a network are, per image.
struct AXMUL_API Coverage {
  double ops_covered = 0;      ///< in layers, whose multipliers may be chosen
  double ops_not_covered = 0;  ///< in calls that stay exact: they cost 1 each
  /// Calls that multiply, but nobody knows how often; absent: whether there are any is unknown.
  std::optional<std::size_t> calls_not_counted = 0;

  /// Whether every multiplication is counted.
  bool is_complete() const { return calls_not_counted == std::size_t{0}; }
  /// Whether the layers hold all multiplications there are.
  bool is_everything() const { return is_complete() && ops_not_covered == 0; }
  /// Of the counted multiplications, the share outside of all layers; 0 for an empty network.
  double share_not_covered() const;
};

/// What a relative energy of the counted multiplications says of all of them: what is not counted
/// costs 1 each, so the true value lies between that energy and 1.
enum class EnergyBound { exact, lower, upper };
AXMUL_API EnergyBound energy_bound(double relative_energy, const Coverage& coverage);
/// "exact", "lower" (all multiplications together cost at least that much), "upper".
AXMUL_API std::string_view to_string(EnergyBound bound);

/// "0.2660", "≥ 0.9700", "≤ 1.2000", "unknown" for NaN; `digits` behind the point.
AXMUL_API std::string energy_figure(double relative_energy, const Coverage& coverage,
                                    int digits = 4);
/// What is saved, in percent: "73.4", "≤ 3.0" where some of it is not counted.
AXMUL_API std::string saving_figure(double relative_energy, const Coverage& coverage);
/// One sentence without a full stop: "0.2660 of the exact energy (73.4 % less)",
/// "≥ 0.9700 of the exact energy; at least 95.6 % of the multiplications are in calls that axmul
/// does not replace, those of 2 calls are not known". A saving is named only where it is known.
AXMUL_API std::string energy_sentence(double relative_energy, const Coverage& coverage);
/// Its part behind the semicolon; empty where the layers hold all multiplications.
AXMUL_API std::string coverage_sentence(const Coverage& coverage);

}  // namespace axmul
