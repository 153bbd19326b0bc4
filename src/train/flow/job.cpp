// From options to data, network and quantisation.
#include "train/flow/job.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "train/data/number_text.hpp"
#include "train/torch_types.hpp"

namespace axmul::train {
namespace {

// The options, else what the weights say, else what is customary for the data.
Normalisation choose_normalisation(const Job& job, int channels) {
  Normalisation norm = default_normalisation(job.spec.kind, channels);
  const auto& metadata = job.loaded.metadata;
  const auto set = [&](std::vector<double>& to, const std::optional<std::vector<double>>& given,
                       const char* option, const char* key) {
    if (const auto it = metadata.find(key); it != metadata.end())
      to = parse_numbers(it->second, std::string("attribute ") + key);
    if (given) to = *given;
    if (to.size() == 1) to.resize(static_cast<std::size_t>(channels), to[0]);
    if (to.size() != static_cast<std::size_t>(channels))
      throw UsageError(951, std::string("--") + option + " has " + std::to_string(to.size()) +
                                " values for " + std::to_string(channels) + " channels");
  };
  set(norm.mean, job.options.mean, "mean", "norm_mean");
  set(norm.std, job.options.std, "std", "norm_std");
  for (const double s : norm.std)
    if (!(s > 0)) throw UsageError(951, "--std must be positive");
  return norm;
}

std::vector<std::uint32_t> evenly_spaced(std::size_t size, std::size_t count) {
  count = std::min(size, count);
  std::vector<std::uint32_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = static_cast<std::uint32_t>(i * size / count);
  return indices;
}

ImageSet load_limited(const Job& job, DataPart part, std::size_t limit) {
  ImageSet images = load_images(job.spec, part);
  const NetworkOptions& net = job.network.options;
  if (job.network.body && (images.channels != net.channels || images.height != net.height ||
                           images.width != net.width || images.classes() != net.classes)) {
    const auto text = [](int channels, int height, int width, int classes) {
      return std::to_string(width) + "x" + std::to_string(height) + " pixels, " +
             std::to_string(channels) + (channels == 1 ? " channel, " : " channels, ") +
             std::to_string(classes) + " classes";
    };
    throw InputError(905, {job.spec.text},
                     std::string("the ") + (part == DataPart::train ? "training" : "test") +
                         " images (" +
                         text(images.channels, images.height, images.width, images.classes()) +
                         ") are not of the kind of the other part's (" +
                         text(net.channels, net.height, net.width, net.classes) + ")");
  }
  if (limit > 0) images = select_images(images, evenly_spaced(images.size(), limit));
  return images;
}

bool chosen_per_channel(const Job& job) {
  const auto it = job.loaded.metadata.find("per_channel");
  return job.options.per_channel || (it != job.loaded.metadata.end() && it->second == "true");
}

Network chosen_network(const JobOptions& job, const NetworkOptions& options) {
  if (job.make) return job.make(options, job.seed);
  if (job.model && !job.network.empty())
    throw UsageError(987,
                     "give either NETWORK (\"" + job.network + "\") or --model FILE.pt, not both");
  if (job.model) return load_script_network(*job.model, options, job.seed, job.trust);
  if (job.network.ends_with(".pt"))
    return load_script_network(job.network, options, job.seed, job.trust);
  if (job.network.empty())
    throw UsageError(987, "no network is named, no TorchScript module, and none is made");
  return make_network(job.network, options, job.seed);
}

// Several assignments may be applied one after the other.
void restore_norm_means(Job& job) {
  const at::NoGradGuard guard;
  if (job.norm_means.empty())
    for (const auto& norm : job.network.norms) job.norm_means.push_back(norm->running_mean.clone());
  for (std::size_t i = 0; i < job.norm_means.size(); ++i)
    job.network.norms[i]->running_mean.copy_(job.norm_means[i]);
}

}  // namespace

std::vector<double> parse_numbers(const std::string& text, const std::string& what) {
  std::vector<double> values;
  std::stringstream stream(text);
  std::string word;
  while (std::getline(stream, word, ',')) {
    double value = 0;
    const auto end = std::from_chars(word.data(), word.data() + word.size(), value);
    if (end.ec != std::errc() || end.ptr != word.data() + word.size())
      throw UsageError(950, what + ": \"" + word + "\" is not a number");
    values.push_back(value);
  }
  return values;
}

std::string network_name(const JobOptions& options) {
  if (!options.model && !options.network.ends_with(".pt")) return options.network;
  return std::filesystem::path(options.model.value_or(options.network)).stem().string();
}

Job prepare(const JobOptions& options, DataPart part,
            const std::function<void(const Network&)>& built) {
  Job job;
  job.options = options;
  job.spec = parse_data_spec(options.data);
  if (options.weights) job.loaded = read_state_dict(*options.weights);
  const ImageSet& images = part == DataPart::train ? train_images(job) : test_images(job);
  job.network =
      chosen_network(options, {images.classes(), images.channels, images.height, images.width});
  if (job.network.script && job.loaded.metadata.empty())
    job.loaded.metadata = script_metadata(job.network);
  if (built) built(job.network);
  if (options.weights) load_state(job.network, job.loaded, *options.weights);
  job.normalisation = choose_normalisation(job, images.channels);
  return job;
}

const ImageSet& train_images(Job& job) {
  if (!job.train) job.train = load_limited(job, DataPart::train, job.options.limit);
  return *job.train;
}

const ImageSet& test_images(Job& job) {
  if (!job.test) job.test = load_limited(job, DataPart::test, job.options.test_limit);
  return *job.test;
}

bool has_test_images(Job& job) {
  try {
    test_images(job);
    return true;
  } catch (const InputError& error) {
    if (error.id() != 901) throw;
    return false;
  }
}

Augmentation usual_augmentation(const DataSpec& spec) {
  const bool photographs =
      spec.kind == "cifar10" || spec.kind == "cifar100" || spec.kind == "folder";
  return photographs ? Augmentation{true, 4} : Augmentation{};
}

Augmentation chosen_augmentation(const Job& job) {
  return job.options.augmentation.value_or(usual_augmentation(job.spec));
}

TableEncoding chosen_encoding(const Job& job) {
  if (job.options.encoding) return *job.options.encoding;
  const auto it = job.loaded.metadata.find("encoding");
  if (it == job.loaded.metadata.end()) return TableEncoding::sign_magnitude;
  const auto encoding = parse_table_encoding(it->second);
  if (!encoding) throw UsageError(952, "unknown encoding \"" + it->second + "\"");
  return *encoding;
}

ImageSet sample_images(Job& job, std::size_t count) {
  const ImageSet& images = train_images(job);
  return select_images(images, evenly_spaced(images.size(), count));
}

std::vector<LayerSigma> measured_sigmas(Job& job, const SearchOptions& options,
                                        const Progress& progress) {
  constexpr std::size_t kImages = 4096, kBatches = 16;  // at least: their scatter is the error
  // Where multipliers worth having lie; the gradient's own noise counts for less at higher levels.
  constexpr double kLevel = 0.15;
  std::vector<LayerSigma> sigmas = learned_sigmas(job.network, options);
  const ImageSet images = sample_images(job, kImages);
  const auto curvatures =
      noise_curvatures(job.network, images, job.normalisation, kLevel,
                       std::clamp<std::size_t>(images.size() / kBatches, 1, job.options.batch),
                       job.options.seed, progress);
  for (std::size_t l = 0; l < sigmas.size(); ++l)
    sigmas[l].loss_curvature = cautious(curvatures[l]);
  return sigmas;
}

void quantize_network(Job& job) {
  if (job.network.layers.empty())
    throw InputError(985, {job.options.model.value_or(job.network.architecture)},
                     "has no layer that axmul can replace, so it can only be evaluated in float");
  const TableEncoding encoding = chosen_encoding(job);
  const bool per_channel = chosen_per_channel(job);
  bool seen = true;
  for (const auto& layer : job.network.layers) {
    layer->encoding = encoding;
    layer->per_channel = per_channel;
    layer->mode = LayerMode::float32;
    seen = seen && layer->observer.seen;
  }
  if (!seen || job.options.recalibrate) {
    const std::size_t count = job.options.calibration_images;
    calibrate(job.network, sample_images(job, count), job.normalisation,
              {count, job.options.batch});
  }
  set_mode(job.network, LayerMode::quantized);
}

void apply_assignment(Job& job, const Assignment& assignment,
                      const std::vector<std::string>& exact_layers,
                      const std::optional<FoldChoice>& fold) {
  const TableEncoding encoding = chosen_encoding(job);
  bool any = false;
  restore_norm_means(job);
  for (const auto& layer : job.network.layers) {
    layer->mode = LayerMode::quantized;
    layer->encoding = encoding;
    layer->multiplier = nullptr;
    layer->table.reset();
  }
  for (const LayerChoice& choice : assignment) {
    if (!choice.multiplier ||
        std::find(exact_layers.begin(), exact_layers.end(), choice.layer) != exact_layers.end())
      continue;
    MultiplyLayer& layer = *find_layer(job.network, choice.layer);
    set_multiplier(layer, choice.multiplier, encoding);
    // What weights of an earlier retraining carry belongs to the multiplier they were made with.
    if (!layer.mean_acc_of.empty() && layer.mean_acc_of != layer.table->sha256())
      layer.mean_acc.clear();
    any = true;
  }
  if (!any || !fold) return;
  fold_bias(job.network, sample_images(job, fold->images), job.normalisation,
            {fold->images, job.options.batch}, fold->operands);
  if (fold->into_norms) fold_into_norms(job.network);
}

std::vector<std::string> write_modules(const Job& job, const std::string& folder) {
  if (!job.network.script) return {};
  StateDict state;
  describe_weights(job, state);
  std::vector<std::string> files = {folder + "/model.pt"};
  save_script_network(job.network, files[0], ScriptOutput::float32, state.metadata);
  if (std::any_of(job.network.layers.begin(), job.network.layers.end(),
                  [](const auto& layer) { return layer->mode != LayerMode::float32; })) {
    files.push_back(folder + "/model.axmul.pt");
    save_script_network(job.network, files[1], ScriptOutput::axmul, state.metadata);
  }
  return files;
}

void describe_weights(const Job& job, StateDict& state) {
  state.metadata["norm_mean"] = detail::join_numbers(job.normalisation.mean);
  state.metadata["norm_std"] = detail::join_numbers(job.normalisation.std);
  state.metadata["data"] = job.spec.kind;
  const bool quantised = std::any_of(job.network.layers.begin(), job.network.layers.end(),
                                     [](const auto& layer) { return layer->observer.seen; });
  if (!quantised) return;
  state.metadata["encoding"] = to_string(chosen_encoding(job));
  state.metadata["per_channel"] = chosen_per_channel(job) ? "true" : "false";
}

}  // namespace axmul::train
