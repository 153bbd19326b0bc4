// What every command of axmul-train prepares from its options: data, network, arithmetic.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "axmul/train/search.hpp"
#include "axmul/train/training.hpp"
#include "command/command.hpp"

namespace axmul::train {

/// Options for data and weights, and those that make a network quantised or approximate.
std::vector<cli::OptionSpec> data_options();
std::vector<cli::OptionSpec> arithmetic_options();
std::vector<cli::OptionSpec> multiplier_options();

struct Job {
  DataSpec spec;
  Normalisation normalisation;
  Network network;
  StateDict loaded;  ///< what --weights held; empty without
  std::string weights_path;
  std::uint64_t seed = 1;
  std::size_t batch = 128;
  std::optional<ImageSet> train, test;  ///< loaded on demand
  std::vector<at::Tensor> norm_means;   ///< before anything was folded into them
};

/// Reads --data, --weights, --seed, … and builds the network with the data's size. `part` is the
/// part that tells it.
Job prepare(cli::Session& session, DataPart part);

/// The part of the data under --limit / --test-limit (evenly spaced images of it).
const ImageSet& train_images(cli::Session& session, Job& job);
const ImageSet& test_images(cli::Session& session, Job& job);
/// Whether that part can be had at all; no error where it is missing.
bool has_test_images(cli::Session& session, Job& job);
/// Mirroring and shifting by 4 pixels for photographs, nothing for digits and clothes.
Augmentation usual_augmentation(const DataSpec& spec);

/// `count` training images, evenly spaced: for calibration, folding, tracing.
ImageSet sample_images(cli::Session& session, Job& job, std::size_t count);

/// After a search, while the layers are noisy: sigma_l of every layer with the cautious curvature
/// of the loss, measured on up to 4096 training images.
std::vector<LayerSigma> measured_sigmas(cli::Session& session, Job& job,
                                        const SearchOptions& options);

/// Sets encoding and weight scales on all layers, calibrating unless the weights carry ranges.
void quantize_network(cli::Session& session, Job& job);

/// "exact" layers have none.
struct LayerChoice {
  std::string layer;
  std::shared_ptr<const Multiplier> multiplier;
};
using Assignment = std::vector<LayerChoice>;

/// --multiplier (one row each) or --assignment, looked up in --library or opened as designs.
struct NamedAssignment {
  std::string name;
  Assignment layers;
};
std::vector<NamedAssignment> requested_assignments(cli::Session& session, const Job& job);

/// Quantises, makes the chosen layers approximate, and folds when --fold is given. Call
/// quantize_network() first.
void apply_assignment(cli::Session& session, Job& job, const Assignment& assignment);

/// The calls of a TorchScript module that stay exact: on stderr, and for JSON outputs.
void say_uncovered(cli::Session& session, const Network& network);
nlohmann::json uncovered_json(const Network& network);

/// Whether there are weights to start from: --weights, or those a module brings.
inline bool has_weights(const Job& job) { return job.network.script || !job.weights_path.empty(); }

/// The positional NETWORK, which --model stands in for.
cli::PositionalSpec network_positional();

/// Of a network that the user brought: writes FOLDER/model.pt, the module with its present weights,
/// in float, and, where layers are quantised or approximate, FOLDER/model.axmul.pt with axmul's
/// operators. Returns the files written; none for a built-in network.
std::vector<std::string> write_modules(const cli::Session& session, const Job& job,
                                       const std::string& folder);

/// Metadata that weights files of this job carry.
void describe_weights(const cli::Session& session, const Job& job, StateDict& state);

}  // namespace axmul::train
