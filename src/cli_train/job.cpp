// What all commands of axmul-train share: options, their values, what is said of networks.
#include "cli_train/job.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/assignment_file.hpp"
#include "command/output.hpp"
#include "train/multipliers.hpp"

namespace axmul::train {
namespace {

using cli::Session;

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

// The multipliers that an assignment file names. Layers that it leaves out stay exact, and that is
// said.
// The multiplier of that name; what makes doubt of its table is said at the end.
std::shared_ptr<const Multiplier> wanted_multiplier(Session& session, const std::string& name) {
  auto multiplier = find_multiplier(name, session.args.text("library"));
  if (const std::string& doubt = multiplier->provenance.warning; !doubt.empty())
    session.late_warnings->add(name, doubt);
  return multiplier;
}

NamedAssignment open_assignment(Session& session, const Job& job, const std::string& path) {
  const AssignmentFile file = read_assignment(path);
  NamedAssignment result{path, {}};
  std::map<std::string, std::shared_ptr<const Multiplier>> cache;
  std::vector<std::string> left_out;
  for (const auto& layer : job.network.layers) left_out.push_back(layer->name);
  const std::size_t layers = left_out.size();
  for (const LayerMatch& chosen : file.report.layers) {
    if (std::erase(left_out, chosen.layer) == 0)
      throw InputError(954, {path},
                       "layer \"" + chosen.layer + "\" is not one of " + job.network.architecture);
    if (chosen.multiplier == "exact") {
      result.layers.push_back({chosen.layer, nullptr});
      continue;
    }
    auto& multiplier = cache[chosen.multiplier];
    if (!multiplier) multiplier = wanted_multiplier(session, chosen.multiplier);
    if (!chosen.sha256.empty() && chosen.sha256 != multiplier->lut.sha256())
      throw InputError(954, {path},
                       "\"" + chosen.multiplier + "\" of layer " + chosen.layer +
                           " is another function than the assignment's (sha256 "
                           "differs); give the library it was made with");
    result.layers.push_back({chosen.layer, multiplier});
  }
  for (const std::string& name : exact_layers(session, job)) std::erase(left_out, name);
  if (!left_out.empty())
    cli::warn(session, path + " leaves out " + std::to_string(left_out.size()) + " of " +
                           std::to_string(layers) + " layers: " + cli::first_few(left_out) +
                           "; they stay exact, in 8 bits");
  return result;
}

}  // namespace

std::vector<cli::OptionSpec> data_options() {
  return {
      {"data", "SPEC",
       "Images: cifar10:DIR, cifar100:DIR, mnist:DIR, fashion-mnist[:DIR] or folder:DIR; "
       ",train=FILE and ,test=FILE name files.",
       JobOptions{}.data},
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
      {"batch", "N", "Images per batch.", std::to_string(JobOptions{}.batch)},
      {"seed", "N", "Seed of initial weights, shuffling and augmentation.",
       std::to_string(JobOptions{}.seed)}};
}

std::vector<cli::OptionSpec> arithmetic_options() {
  return {{"encoding",
           "NAME",
           "How unsigned tables are used (s8s8 tables are always used as s8s8).",
           "the weights' own, else sign-magnitude",
           false,
           {"sign-magnitude", "affine", "s8s8"}},
          {"per-channel", "", "One weight scale per output channel instead of one per layer."},
          {"calibrate", "N", "Training images that set the activation ranges.",
           std::to_string(JobOptions{}.calibration_images)},
          {"recalibrate", "", "Set them anew even where the weights file has them."}};
}

std::vector<cli::OptionSpec> multiplier_options() {
  return {{"multiplier", "DESIGN",
           "Multiplier of all layers: a name in --library, a table file, a "
           "generator text such as drum(k=6).",
           "", true},
          {"assignment", "FILE",
           "JSON with one multiplier for each layer; those that it leaves out stay exact."},
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
          {"fold-images", "N", "Training images that measure it.",
           std::to_string(FoldChoice{}.images)}};
}

cli::PositionalSpec network_positional() {
  return {"NETWORK",
          "One of the built-in networks (axmul train baseline --help), unless --model "
          "gives one.",
          0, 1};
}

JobOptions job_options(const Session& session) {
  const cli::Arguments& args = session.args;
  JobOptions o;
  const auto count = [&](const char* option, std::int64_t most, std::size_t& to) {
    if (const auto value = args.integer(option, 1, most)) to = static_cast<std::size_t>(*value);
  };
  const auto numbers = [&](const char* option, std::optional<std::vector<double>>& to) {
    if (const auto text = args.text(option)) to = parse_numbers(*text, std::string("--") + option);
  };
  if (!args.positional(0).empty()) o.network = args.positional(0)[0];
  o.model = args.text("model");
  if (o.network.empty() && !o.model)
    throw UsageError(987,
                     "give the NETWORK, or your own TorchScript module with --model FILE.pt; "
                     "see axmul train " +
                         session.command.name + " --help");
  if (args.has("allow-native-code")) o.trust = ScriptTrust::any_operator;
  o.data = args.text_or("data", o.data);
  o.weights = args.text("weights");
  numbers("mean", o.mean);
  numbers("std", o.std);
  count("limit", std::int64_t{1} << 40, o.limit);
  count("test-limit", std::int64_t{1} << 40, o.test_limit);
  count("batch", 1 << 20, o.batch);
  if (const auto seed = args.integer("seed", 0, std::numeric_limits<std::int64_t>::max()))
    o.seed = static_cast<std::uint64_t>(*seed);
  if (const auto text = args.text("augment"))
    o.augmentation = Augmentation{text->starts_with("flip"), text->ends_with("crop") ? 4 : 0};
  if (const auto text = args.text("encoding")) o.encoding = parse_table_encoding(*text);
  o.per_channel = args.has("per-channel");
  count("calibrate", 1 << 30, o.calibration_images);
  o.recalibrate = args.has("recalibrate");
  return o;
}

Job prepare(Session& session, DataPart part) {
  set_training_threads(static_cast<int>(session.args.integer("threads", 0, 4096).value_or(0)));
  return prepare(job_options(session), part,
                 [&](const Network& network) { say_uncovered(session, network); });
}

std::vector<NamedAssignment> requested_assignments(Session& session, const Job& job) {
  const auto& names = session.args.values("multiplier");
  const auto file = session.args.text("assignment");
  if (file && !names.empty())
    throw UsageError(956, "give either --multiplier or --assignment, not both");
  if (file) return {open_assignment(session, job, *file)};
  std::vector<NamedAssignment> result;
  for (const std::string& name : names) {
    const auto multiplier = wanted_multiplier(session, name);
    NamedAssignment uniform{multiplier->name, {}};
    for (const auto& layer : job.network.layers)
      uniform.layers.push_back({layer->name, multiplier});
    result.push_back(std::move(uniform));
  }
  return result;
}

namespace {

FoldChoice chosen_fold(const Session& session) {
  FoldChoice fold;
  if (const auto count = session.args.integer("fold-images", 1, 1 << 30))
    fold.images = static_cast<std::size_t>(*count);
  if (session.args.text_or("fold-operands", "exact") != "exact")
    fold.operands = FoldOperands::approximate;
  fold.into_norms = session.args.text_or("fold-into", "bias") == "norm";
  return fold;
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
  std::optional<FoldChoice> fold;
  if (session.args.has("fold")) fold = chosen_fold(session);
  apply_assignment(job, assignment, exact_layers(session, job), fold);
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

}  // namespace axmul::train
