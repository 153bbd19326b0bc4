// What every command of axmul-train prepares from its options: data, network, arithmetic.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "axmul/train/training.hpp"
#include "cli/command.hpp"

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

/// sum over layers of ops/total · power_rel, exact layers 1; NaN where a power is unknown. Valid
/// after a forward pass.
double relative_energy(const Network& network);

/// Metadata that weights files of this job carry.
void describe_weights(const cli::Session& session, const Job& job, StateDict& state);

}  // namespace axmul::train
