// axmul cost --traces: circuits priced in the layers of a network; --run: recorded runs priced
// anew.
#pragma once

#include <vector>

#include "command/command.hpp"

namespace axmul::cli {

/// Prices the designs of the first positional under the layers of --traces.
int run_cost_layers(Session& session);
/// Prices the points of --run, records that `axmul train run` wrote, under the layers of --traces.
int run_cost_record(Session& session);

/// Prices the designs of the first positional by the judge beside our estimate, in the layers of
/// --traces, or under uniform operands.
int run_cost_judge(Session& session);
/// --judge, --judge-liberty, --judge-changes.
std::vector<OptionSpec> judge_option_specs();

}  // namespace axmul::cli
