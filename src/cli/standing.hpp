// Where designs stand in a library: rank, who dominates them, and the Pareto front.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "axmul/tables/characterization.hpp"
#include "command/command.hpp"
#include "command/output.hpp"

namespace axmul::cli {

/// A figure that can be an axis; sign −1 where more is better.
struct Axis {
  std::string name;
  std::function<double(const CharacterizationRow&)> get;
  double sign = 1;
};

/// Names of all such figures: costs, then metrics.
std::vector<std::string> axis_names();
/// The figure that an option names; UsageError AX1030 where it is none.
Axis axis(const Session& session, const char* option, const char* fallback);

/// --x and --y: metrics or costs.
std::vector<OptionSpec> standing_option_specs();

/// Checks --x and --y; asks for ranks where one of them is a rank. UsageError where several
/// distributions are given: a design has one place.
void check_axes(const Session& session, CharacterizationOptions& options);

/// Text of `rows` among the entries of `library`, as table or JSON (axmul.standing/1).
std::string standing(Session& session, const std::vector<CharacterizationRow>& rows,
                     const std::string& library, const CharacterizationOptions& options,
                     const OutputTarget& target);

}  // namespace axmul::cli
