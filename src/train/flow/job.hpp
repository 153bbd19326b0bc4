// A network with its data, and what every stage and command does with the two: taking images,
// quantising, putting multipliers in, writing down where weights come from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "axmul/train/run.hpp"

namespace axmul::train {

struct Job {
  JobOptions options;
  DataSpec spec;
  Normalisation normalisation;
  Network network;
  StateDict loaded;                     ///< what `options.weights` held; empty without
  std::optional<ImageSet> train, test;  ///< loaded on demand
  std::vector<at::Tensor> norm_means;   ///< before anything was folded into them
};

/// Reads the weights and builds the network with the data's size. `part` is the part that tells it;
/// `built` is called before weights are loaded into the network.
Job prepare(const JobOptions& options, DataPart part,
            const std::function<void(const Network&)>& built = {});

/// What the network will be called, as far as the options tell: a built-in one's name, or that of a
/// module's file without folder and extension.
std::string network_name(const JobOptions& options);

/// The part of the data under limit or test_limit (evenly spaced images of it).
const ImageSet& train_images(Job& job);
const ImageSet& test_images(Job& job);
/// Whether that part can be had at all; no error where it is missing.
bool has_test_images(Job& job);

/// Mirroring and shifting by 4 pixels for photographs, nothing for digits and clothes.
Augmentation usual_augmentation(const DataSpec& spec);
/// The one asked for, else the usual one.
Augmentation chosen_augmentation(const Job& job);
/// The one asked for, else the weights' own, else sign-magnitude. Throws UsageError AX952.
TableEncoding chosen_encoding(const Job& job);

/// `count` training images, evenly spaced: for calibration, folding, tracing.
ImageSet sample_images(Job& job, std::size_t count);

/// After a search, while the layers are noisy: sigma_l of every layer with the cautious curvature
/// of the loss, measured on up to 4096 training images.
std::vector<LayerSigma> measured_sigmas(Job& job, const SearchOptions& options,
                                        const Progress& progress = {});

/// Sets encoding and weight scales on all layers, calibrating unless the weights carry ranges.
void quantize_network(Job& job);

/// "exact" layers have none.
struct LayerChoice {
  std::string layer;
  std::shared_ptr<const Multiplier> multiplier;
};
using Assignment = std::vector<LayerChoice>;

/// How mean errors are folded.
struct FoldChoice {
  std::size_t images = kFoldImages;
  FoldOperands operands = FoldOperands::exact;
  bool into_norms = false;  ///< else into the biases
};

/// Makes the chosen layers approximate but for `exact_layers`, all others 8-bit, and folds. Call
/// quantize_network() first.
void apply_assignment(Job& job, const Assignment& assignment,
                      const std::vector<std::string>& exact_layers,
                      const std::optional<FoldChoice>& fold);

/// Whether there are weights to start from: those given, or those a module brings.
inline bool has_weights(const Job& job) { return job.network.script || job.options.weights; }

/// Of a network that the user brought: writes FOLDER/model.pt, the module with its present weights,
/// in float, and, where layers are quantised or approximate, FOLDER/model.axmul.pt with axmul's
/// operators. Returns the files written; none for a built-in network.
std::vector<std::string> write_modules(const Job& job, const std::string& folder);

/// Metadata that weights files of this job carry.
void describe_weights(const Job& job, StateDict& state);

/// "0.1,0.2". Throws UsageError AX950, which says what the text is of.
std::vector<double> parse_numbers(const std::string& text, const std::string& what);

}  // namespace axmul::train
