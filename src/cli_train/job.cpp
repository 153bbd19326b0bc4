// From options to data, network, quantisation and multipliers.
#include "cli_train/job.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/train/script.hpp"
#include "command/output.hpp"
#include "train/multipliers.hpp"
#include "train/torch_types.hpp"

namespace axmul::train {
namespace {

using cli::Session;

std::vector<double> parse_numbers(const std::string& text, const std::string& option) {
  std::vector<double> values;
  std::stringstream stream(text);
  std::string word;
  while (std::getline(stream, word, ',')) {
    double value = 0;
    const auto end = std::from_chars(word.data(), word.data() + word.size(), value);
    if (end.ec != std::errc() || end.ptr != word.data() + word.size())
      throw UsageError(950, option + ": \"" + word + "\" is not a number");
    values.push_back(value);
  }
  return values;
}

std::string join(const std::vector<double>& values) {
  std::string text;
  for (const double v : values) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    text += (text.empty() ? "" : ",") + std::string(buffer, end);
  }
  return text;
}

// --mean/--std, else what the weights say, else what is customary for the data.
Normalisation choose_normalisation(const Session& session, const StateDict& loaded,
                                   const std::string& kind, int channels) {
  Normalisation norm = default_normalisation(kind, channels);
  const auto set = [&](std::vector<double>& to, const char* option, const char* key) {
    if (const auto it = loaded.metadata.find(key); it != loaded.metadata.end())
      to = parse_numbers(it->second, std::string("attribute ") + key);
    if (const auto text = session.args.text(option))
      to = parse_numbers(*text, std::string("--") + option);
    if (to.size() == 1) to.resize(static_cast<std::size_t>(channels), to[0]);
    if (to.size() != static_cast<std::size_t>(channels))
      throw UsageError(951, std::string("--") + option + " has " + std::to_string(to.size()) +
                                " values for " + std::to_string(channels) + " channels");
  };
  set(norm.mean, "mean", "norm_mean");
  set(norm.std, "std", "norm_std");
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

ImageSet load_limited(const Session& session, const Job& job, DataPart part, const char* option) {
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
  if (const auto limit = session.args.integer(option, 1, std::int64_t{1} << 40))
    images = select_images(images, evenly_spaced(images.size(), static_cast<std::size_t>(*limit)));
  return images;
}

TableEncoding chosen_encoding(const Session& session, const Job& job) {
  std::string text = "sign-magnitude";
  if (const auto it = job.loaded.metadata.find("encoding"); it != job.loaded.metadata.end())
    text = it->second;
  text = session.args.text_or("encoding", text);
  const auto encoding = parse_table_encoding(text);
  if (!encoding) throw UsageError(952, "unknown encoding \"" + text + "\"");
  return *encoding;
}

bool chosen_per_channel(const Session& session, const Job& job) {
  const auto it = job.loaded.metadata.find("per_channel");
  return session.args.has("per-channel") ||
         (it != job.loaded.metadata.end() && it->second == "true");
}

NamedAssignment read_assignment(const Session& session, const Job& job, const std::string& path) {
  using nlohmann::json;
  const auto bytes = read_maybe_compressed(path);
  NamedAssignment result{path, {}};
  std::map<std::string, std::shared_ptr<const Multiplier>> cache;
  try {
    const json root = json::parse(bytes.begin(), bytes.end());
    for (const json& entry : root.at("layers")) {
      const std::string layer = entry.contains("layer") ? entry.at("layer") : entry.at("name");
      const json& chosen = entry.at("multiplier");
      const bool known = std::any_of(job.network.layers.begin(), job.network.layers.end(),
                                     [&](const auto& own) { return own->name == layer; });
      if (!known)
        throw InputError(954, {path},
                         "layer \"" + layer + "\" is not one of " + job.network.architecture);
      if (chosen.is_null() || chosen == "exact") {
        result.layers.push_back({layer, nullptr});
        continue;
      }
      const auto name = chosen.get<std::string>();
      auto& multiplier = cache[name];
      if (!multiplier) multiplier = find_multiplier(name, session.args.text("library"));
      if (entry.contains("sha256") && entry["sha256"].is_string() &&
          !entry["sha256"].get_ref<const std::string&>().empty() &&
          entry["sha256"] != multiplier->lut.sha256())
        throw InputError(954, {path},
                         "\"" + name + "\" of layer " + layer +
                             " is another function than the assignment's (sha256 "
                             "differs); give the library it was made with");
      result.layers.push_back({layer, multiplier});
    }
  } catch (const json::exception& error) {
    throw InputError(954, {path},
                     std::string("is not an assignment, {\"layers\":[{\"layer\":…,\"multiplier\":…}"
                                 "]}: ") +
                         error.what());
  }
  return result;
}

// NETWORK by name, or the module that --model names.
Network chosen_network(const Session& session, const NetworkOptions& options, std::uint64_t seed) {
  const auto& names = session.args.positional(0);
  const auto model = session.args.text("model");
  if (model && !names.empty())
    throw UsageError(987,
                     "give either NETWORK (\"" + names[0] + "\") or --model FILE.pt, not both");
  const ScriptTrust trust =
      session.args.has("allow-native-code") ? ScriptTrust::any_operator : ScriptTrust::allow_list;
  if (model) return load_script_network(*model, options, seed, trust);
  if (!names.empty() && names[0].ends_with(".pt"))
    return load_script_network(names[0], options, seed, trust);
  if (names.empty())
    throw UsageError(987,
                     "give the NETWORK, or your own TorchScript module with --model FILE.pt; "
                     "see axmul train " +
                         session.command.name + " --help");
  return make_network(names[0], options, seed);
}

std::vector<std::string> exact_layers(const Session& session, const Job& job) {
  std::vector<std::string> names;
  for (const std::string& text : session.args.values("exact-layers")) {
    std::stringstream stream(text);
    std::string name;
    while (std::getline(stream, name, ',')) {
      if (std::none_of(job.network.layers.begin(), job.network.layers.end(),
                       [&](const auto& layer) { return layer->name == name; }))
        throw UsageError(
            955, "--exact-layers: " + job.network.architecture + " has no layer \"" + name + "\"");
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::vector<cli::OptionSpec> data_options() {
  return {
      {"data", "SPEC",
       "Images: cifar10:DIR, cifar100:DIR, mnist:DIR, fashion-mnist[:DIR] or folder:DIR; "
       ",train=FILE and ,test=FILE name files.",
       "fashion-mnist"},
      {"model", "FILE.pt",
       "Your own network instead of NETWORK: a TorchScript module (torch.jit.script or trace). Its "
       "code is run, with operators that reach no file, process or network."},
      {"allow-native-code", "",
       "Let the module's code use every operator of libtorch, files included: for modules you "
       "trust."},
      {"weights", "FILE",
       "Weights to start from: .h5, .safetensors or .pt, PyTorch's names. Read as data; nothing in "
       "the file is run."},
      {"mean", "X,…", "Mean of each channel, pixels in 0 … 1.", "the weights' or the data's own"},
      {"std", "X,…", "Standard deviation of each channel.", "the weights' or the data's own"},
      {"limit", "N", "Use only N training images, evenly spaced."},
      {"test-limit", "N", "Use only N test images, evenly spaced."},
      {"batch", "N", "Images per batch.", "128"},
      {"seed", "N", "Seed of initial weights, shuffling and augmentation.", "1"}};
}

std::vector<cli::OptionSpec> arithmetic_options() {
  return {{"encoding",
           "NAME",
           "How unsigned tables are used (s8s8 tables are always used as s8s8).",
           "the weights' own, else sign-magnitude",
           false,
           {"sign-magnitude", "affine", "s8s8"}},
          {"per-channel", "", "One weight scale per output channel instead of one per layer."},
          {"calibrate", "N", "Training images that set the activation ranges.", "512"},
          {"recalibrate", "", "Set them anew even where the weights file has them."}};
}

std::vector<cli::OptionSpec> multiplier_options() {
  return {{"multiplier", "DESIGN",
           "Multiplier of all layers: a name in --library, a table file, a "
           "generator text such as drum(k=6).",
           "", true},
          {"assignment", "FILE", "JSON with one multiplier for each layer."},
          {"library", "LIB", "Where names of multipliers are looked up: HDF5 file or folder."},
          {"exact-layers", "A,B", "Layers that stay exact.", "", true},
          {"fold", "", "Take the mean accumulated error out through the layers' biases."},
          {"fold-into",
           "WHAT",
           "Where it goes: the layers' biases, or the means of the batch norms behind them.",
           "bias",
           false,
           {"bias", "norm"}},
          {"fold-operands",
           "WHOSE",
           "Activations it is measured on: the exact network's, or the approximate one's own.",
           "exact",
           false,
           {"exact", "approximate"}},
          {"fold-images", "N", "Training images that measure it.", "128"}};
}

cli::PositionalSpec network_positional() {
  return {"NETWORK",
          "One of the built-in networks (axmul train baseline --help), unless --model "
          "gives one.",
          0, 1};
}

Job prepare(Session& session, DataPart part) {
  const auto threads = static_cast<int>(session.args.integer("threads", 0, 4096).value_or(0));
  set_training_threads(threads);
  Job job;
  job.spec = parse_data_spec(session.args.text_or("data", "fashion-mnist"));
  job.seed = static_cast<std::uint64_t>(
      session.args.integer("seed", 0, std::numeric_limits<std::int64_t>::max()).value_or(1));
  job.batch = static_cast<std::size_t>(session.args.integer("batch", 1, 1 << 20).value_or(128));
  if (const auto path = session.args.text("weights")) {
    job.weights_path = *path;
    job.loaded = read_state_dict(*path);
  }
  const ImageSet& images =
      part == DataPart::train ? train_images(session, job) : test_images(session, job);
  const NetworkOptions options{images.classes(), images.channels, images.height, images.width};
  job.network = chosen_network(session, options, job.seed);
  if (job.network.script && job.loaded.metadata.empty())
    job.loaded.metadata = script_metadata(job.network);
  say_uncovered(session, job.network);
  if (!job.weights_path.empty()) load_state(job.network, job.loaded, job.weights_path);
  job.normalisation = choose_normalisation(session, job.loaded, job.spec.kind, images.channels);
  return job;
}

const ImageSet& train_images(Session& session, Job& job) {
  if (!job.train) job.train = load_limited(session, job, DataPart::train, "limit");
  return *job.train;
}

const ImageSet& test_images(Session& session, Job& job) {
  if (!job.test) job.test = load_limited(session, job, DataPart::test, "test-limit");
  return *job.test;
}

bool has_test_images(Session& session, Job& job) {
  try {
    test_images(session, job);
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

ImageSet sample_images(Session& session, Job& job, std::size_t count) {
  const ImageSet& images = train_images(session, job);
  return select_images(images, evenly_spaced(images.size(), count));
}

std::vector<LayerSigma> measured_sigmas(Session& session, Job& job, const SearchOptions& options) {
  constexpr std::size_t kImages = 4096, kBatches = 16;  // at least: their scatter is the error
  // Where multipliers worth having lie; the gradient's own noise counts for less at higher levels.
  constexpr double kLevel = 0.15;
  std::vector<LayerSigma> sigmas = learned_sigmas(job.network, options);
  const ImageSet images = sample_images(session, job, kImages);
  cli::ProgressBar bar(session, "effect of noise");
  const auto curvatures = noise_curvatures(
      job.network, images, job.normalisation, kLevel,
      std::clamp<std::size_t>(images.size() / kBatches, 1, job.batch), job.seed, bar.callback());
  for (std::size_t l = 0; l < sigmas.size(); ++l)
    sigmas[l].loss_curvature = cautious(curvatures[l]);
  return sigmas;
}

void quantize_network(Session& session, Job& job) {
  if (job.network.layers.empty())
    throw InputError(985, {session.args.text_or("model", job.network.architecture)},
                     "has no layer that axmul can replace, so it can only be evaluated in float");
  const TableEncoding encoding = chosen_encoding(session, job);
  const bool per_channel = chosen_per_channel(session, job);
  bool seen = true;
  for (const auto& layer : job.network.layers) {
    layer->encoding = encoding;
    layer->per_channel = per_channel;
    layer->mode = LayerMode::float32;
    seen = seen && layer->observer.seen;
  }
  if (!seen || session.args.has("recalibrate")) {
    const auto count =
        static_cast<std::size_t>(session.args.integer("calibrate", 1, 1 << 30).value_or(512));
    calibrate(job.network, sample_images(session, job, count), job.normalisation,
              {count, job.batch});
  }
  set_mode(job.network, LayerMode::quantized);
}

std::vector<NamedAssignment> requested_assignments(Session& session, const Job& job) {
  const auto& names = session.args.values("multiplier");
  const auto file = session.args.text("assignment");
  if (file && !names.empty())
    throw UsageError(956, "give either --multiplier or --assignment, not both");
  if (file) return {read_assignment(session, job, *file)};
  std::vector<NamedAssignment> result;
  for (const std::string& name : names) {
    const auto multiplier = find_multiplier(name, session.args.text("library"));
    NamedAssignment uniform{multiplier->name, {}};
    for (const auto& layer : job.network.layers)
      uniform.layers.push_back({layer->name, multiplier});
    result.push_back(std::move(uniform));
  }
  return result;
}

namespace {

// Several assignments may be applied one after the other.
void restore_norm_means(Job& job) {
  const at::NoGradGuard guard;
  if (job.norm_means.empty())
    for (const auto& norm : job.network.norms) job.norm_means.push_back(norm->running_mean.clone());
  for (std::size_t i = 0; i < job.norm_means.size(); ++i)
    job.network.norms[i]->running_mean.copy_(job.norm_means[i]);
}

void fold(Session& session, Job& job) {
  const auto count =
      static_cast<std::size_t>(session.args.integer("fold-images", 1, 1 << 30).value_or(128));
  fold_bias(job.network, sample_images(session, job, count), job.normalisation, {count, job.batch},
            session.args.text_or("fold-operands", "exact") == "exact" ? FoldOperands::exact
                                                                      : FoldOperands::approximate);
  if (session.args.text_or("fold-into", "bias") == "norm") fold_into_norms(job.network);
}

void say_unknown_power(Session& session, const Job& job) {
  std::string names;
  for (const auto& layer : job.network.layers) {
    if (!layer->multiplier || !std::isnan(layer->multiplier->cost.power_rel)) continue;
    const std::string& name = layer->multiplier->name;
    if ((", " + names + ", ").find(", " + name + ", ") == std::string::npos)
      names += (names.empty() ? "" : ", ") + name;
  }
  if (!names.empty() && !session.quiet)
    session.io.err << "note: relative energy is unknown: no power relative to an exact multiplier "
                      "for "
                   << names << "; see axmul library build --costs\n";
}

}  // namespace

void apply_assignment(Session& session, Job& job, const Assignment& assignment) {
  const TableEncoding encoding = chosen_encoding(session, job);
  const auto exact = exact_layers(session, job);
  bool any = false;
  restore_norm_means(job);
  for (const auto& layer : job.network.layers) {
    layer->mode = LayerMode::quantized;
    layer->encoding = encoding;
    layer->multiplier = nullptr;
    layer->table.reset();
  }
  for (const LayerChoice& choice : assignment) {
    if (!choice.multiplier || std::find(exact.begin(), exact.end(), choice.layer) != exact.end())
      continue;
    MultiplyLayer& layer = *find_layer(job.network, choice.layer);
    set_multiplier(layer, choice.multiplier, encoding);
    // What weights of an earlier retraining carry belongs to the multiplier they were made with.
    if (!layer.mean_acc_of.empty() && layer.mean_acc_of != layer.table->sha256())
      layer.mean_acc.clear();
    any = true;
  }
  if (any && session.args.has("fold")) fold(session, job);
  say_unknown_power(session, job);
}

void say_uncovered(Session& session, const Network& network) {
  if (network.uncovered.empty() || session.quiet) return;
  const Coverage coverage = coverage_of(network);
  std::ostream& err = session.io.err;
  err << "not covered, so exact (counted at 1 in the energy):\n";
  std::vector<std::string> not_reached;
  for (const UncoveredCall& call : network.uncovered) {
    const std::string text = call.name + " (" + call.call + ")";
    if (!call.reached) {
      not_reached.push_back(text);
      continue;
    }
    err << "  " << text << ": " << call.reason;
    if (std::isnan(call.ops))
      err << ", multiplications unknown and not counted\n";
    else
      err << ", " << cli::short_number(call.ops) << " multiplications per image\n";
  }
  if (!not_reached.empty())
    err << "  " << not_reached.size() << (not_reached.size() == 1 ? " call is" : " calls are")
        << " not reached in evaluation: " << cli::first_few(not_reached) << '\n';
  const std::string share = coverage_sentence(coverage);
  if (!share.empty()) err << "  " << share << '\n';
}

nlohmann::json uncovered_json(const Network& network) {
  nlohmann::json list = nlohmann::json::array();
  for (const UncoveredCall& call : network.uncovered)
    list.push_back(
        {{"name", call.name},
         {"call", call.call},
         {"reason", call.reason},
         {"ops", std::isfinite(call.ops) ? nlohmann::json(call.ops) : nlohmann::json()}});
  return list;
}

std::vector<std::string> write_modules(const Session& session, const Job& job,
                                       const std::string& folder) {
  if (!job.network.script) return {};
  StateDict state;
  describe_weights(session, job, state);
  std::vector<std::string> files = {folder + "/model.pt"};
  save_script_network(job.network, files[0], ScriptOutput::float32, state.metadata);
  if (std::any_of(job.network.layers.begin(), job.network.layers.end(),
                  [](const auto& layer) { return layer->mode != LayerMode::float32; })) {
    files.push_back(folder + "/model.axmul.pt");
    save_script_network(job.network, files[1], ScriptOutput::axmul, state.metadata);
  }
  return files;
}

void describe_weights(const Session& session, const Job& job, StateDict& state) {
  state.metadata["norm_mean"] = join(job.normalisation.mean);
  state.metadata["norm_std"] = join(job.normalisation.std);
  state.metadata["data"] = job.spec.kind;
  const bool quantised = std::any_of(job.network.layers.begin(), job.network.layers.end(),
                                     [](const auto& layer) { return layer->observer.seen; });
  if (!quantised) return;
  state.metadata["encoding"] = to_string(chosen_encoding(session, job));
  state.metadata["per_channel"] = chosen_per_channel(session, job) ? "true" : "false";
}

}  // namespace axmul::train
