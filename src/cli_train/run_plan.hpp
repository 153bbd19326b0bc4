// Options of axmul train run.
#pragma once

#include <vector>

#include "axmul/train/run.hpp"
#include "command/command.hpp"

namespace axmul::train {

/// Those of a run alone; data_options() and arithmetic_options() go before them.
std::vector<cli::OptionSpec> run_options();

/// The plan that they make. Throws UsageError where one cannot be read; run() says what else is
/// wrong with it.
RunPlan run_plan(const cli::Session& session);

}  // namespace axmul::train
