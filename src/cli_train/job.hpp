// What the commands of axmul-train share: options for data, network, arithmetic and multipliers,
// and what is said of a network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "command/command.hpp"
#include "train/flow/job.hpp"

namespace axmul::train {

/// Options for data and weights, and those that make a network quantised or approximate.
std::vector<cli::OptionSpec> data_options();
std::vector<cli::OptionSpec> arithmetic_options();
std::vector<cli::OptionSpec> multiplier_options();

/// The positional NETWORK, which --model stands in for.
cli::PositionalSpec network_positional();

/// The values of data_options() and arithmetic_options(), and --augment. Throws UsageError AX950,
/// AX987.
JobOptions job_options(const cli::Session& session);

/// Sets the threads, reads --data, --weights, … and builds the network with the data's size, saying
/// what it leaves exact. `part` is the part that tells the size.
Job prepare(cli::Session& session, DataPart part);

/// --multiplier (one row each) or --assignment, looked up in --library or opened as designs.
struct NamedAssignment {
  std::string name;
  Assignment layers;
};
std::vector<NamedAssignment> requested_assignments(cli::Session& session, const Job& job);

/// apply_assignment() with --exact-layers and --fold; says which powers are unknown.
void apply_assignment(cli::Session& session, Job& job, const Assignment& assignment);

/// The calls of a TorchScript module that stay exact: on stderr, and for JSON outputs.
void say_uncovered(cli::Session& session, const Network& network);
nlohmann::json uncovered_json(const Network& network);

}  // namespace axmul::train
