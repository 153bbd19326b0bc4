// axmul train baseline, quantize, search and retrain: the commands that change weights.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/tables/sigma_file.hpp"
#include "axmul/train/search.hpp"
#include "cli_train/commands.hpp"
#include "cli_train/job.hpp"
#include "cli_train/progress.hpp"
#include "command/output.hpp"
#include "tables/coverage_output.hpp"
#include "train/flow/run_folder.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;
using cli::Session;
using nlohmann::json;

std::vector<int> parse_epochs(const std::string& text) {
  std::vector<int> epochs;
  std::stringstream stream(text);
  std::string word;
  while (std::getline(stream, word, ',')) {
    std::size_t used = 0;
    int value = 0;
    try {
      value = std::stoi(word, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != word.size() || value < 0)
      throw UsageError(960, "--lr-drops: \"" + word + "\" is not an epoch");
    epochs.push_back(value);
  }
  return epochs;
}

Schedule chosen_schedule(const Session& session, TrainingKind kind, const std::string& network) {
  const cli::Arguments& args = session.args;
  const bool brief = args.text_or("schedule", "reference") == "short";
  Schedule s = usual_schedule(kind, network, brief);
  const double sigma_lr = args.number("sigma-lr", 0, 1e6).value_or(s.learning_rate * s.sigma_rate);
  if (const auto v = args.integer("epochs", 0, 100000)) s.epochs = static_cast<int>(*v);
  if (const auto v = args.number("lr", 0, 1e6)) s.learning_rate = *v;
  if (const auto v = args.text("lr-drops")) s.drops = parse_epochs(*v);
  if (const auto v = args.number("lr-factor", 0, 1)) s.factor = *v;
  s.sigma_rate = s.learning_rate > 0 ? sigma_lr / s.learning_rate : 0;
  if (const auto v = args.number("momentum", 0, 1)) s.momentum = *v;
  if (const auto v = args.number("weight-decay", 0, 1)) s.weight_decay = *v;
  return s;
}

// The folder of the run; refuses one that holds another run unless it is resumed or forced.
struct RunFolder {
  std::string path;
  FolderLock lock;
};

RunFolder run_folder(const Session& session, TrainingKind kind, const std::string& network) {
  const std::string folder =
      session.args.text_or("out", usual_folder(network + "-" + std::string(to_string(kind))));
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder))
    throw OutputError(961, folder + ": cannot be made a folder: " + error.message());
  FolderLock lock(folder);
  const bool used = fs::exists(fs::path(folder) / "checkpoint.safetensors") ||
                    fs::exists(fs::path(folder) / "weights.h5");
  if (used && !session.args.has("resume") && !session.args.has("force"))
    throw UsageError(962, folder +
                              " holds a run already; continue it with --resume, replace it "
                              "with --force, or choose another folder with --out");
  if (used && session.args.has("force") && !session.args.has("resume"))
    fs::remove(fs::path(folder) / "checkpoint.safetensors", error);
  return {folder, std::move(lock)};
}

// Options that must agree between a checkpoint and the run that continues it.
std::string settings_text(const Session& session, const Schedule& schedule) {
  json settings = {{"command", session.command.name}, {"network", session.args.positional(0)},
                   {"epochs", schedule.epochs},       {"lr", schedule.learning_rate},
                   {"drops", schedule.drops},         {"factor", schedule.factor},
                   {"momentum", schedule.momentum},   {"weight_decay", schedule.weight_decay}};
  for (const char* name :
       {"data",       "model",       "weights",    "mean",          "std",      "limit",
        "batch",      "seed",        "augment",    "validation",    "encoding", "per-channel",
        "calibrate",  "recalibrate", "multiplier", "assignment",    "library",  "exact-layers",
        "fold",       "fold-images", "fold-into",  "fold-operands", "lambda",   "sigma-max",
        "sigma-init", "sigma-lr"})
    if (session.args.has(name)) settings[name] = session.args.values(name);
  return settings.dump();
}

json number(double value) { return std::isfinite(value) ? json(value) : json(); }

json run_record(const Session& session, const Job& job, const Schedule& schedule,
                const TrainReport& report, const EvaluationReport* test) {
  json root = {{"schema", "axmul.training/1"},
               {"source", source_text()},
               {"command", session.command_line},
               {"network", job.network.architecture},
               {"data", job.spec.text},
               {"weights", job.options.weights.value_or("")},
               {"seed", job.options.seed},
               {"threads", default_threads()},
               {"schedule", session.args.text_or("schedule", "reference")},
               {"epochs", json::array()},
               {"layers", json::array()}};
  root["options"] = json::parse(settings_text(session, schedule));
  for (const EpochRecord& e : report.epochs)
    root["epochs"].push_back({{"epoch", e.epoch},
                              {"learning_rate", e.learning_rate},
                              {"loss", e.loss},
                              {"accuracy", e.accuracy},
                              {"validation_loss", number(e.validation_loss)},
                              {"validation_accuracy", number(e.validation_accuracy)},
                              {"seconds", e.seconds},
                              {"sigma_l", e.sigma_l}});
  for (const auto& layer : job.network.layers) {
    json entry = {{"layer", layer->name}, {"mode", to_string(layer->mode)}, {"ops", layer->ops}};
    if (layer->multiplier) {
      entry["multiplier"] = layer->multiplier->name;
      entry["sha256"] = layer->multiplier->lut.sha256();
    }
    root["layers"].push_back(std::move(entry));
  }
  add_energy(root, relative_energy(job.network), coverage_of(job.network));
  if (job.network.script) {
    root["model"] = session.args.text_or("model", "");
    root["not_covered"] = uncovered_json(job.network);
  }
  if (test != nullptr)
    root["test"] = {
        {"images", test->images}, {"top1", test->top1}, {"top5", test->top5}, {"loss", test->loss}};
  return root;
}

SearchOptions chosen_search(const Session& session) {
  SearchOptions options;
  constexpr double kAny = 1e9;  // the search says what its figures may be
  options.lambda = session.args.number("lambda", -kAny, kAny).value_or(options.lambda);
  options.sigma_max = session.args.number("sigma-max", -kAny, kAny).value_or(options.sigma_max);
  options.sigma_init = session.args.number("sigma-init", -kAny, kAny).value_or(options.sigma_init);
  check_search_options(options);
  return options;
}

void set_arithmetic(Session& session, Job& job, TrainingKind kind) {
  if (kind == TrainingKind::baseline) {
    set_mode(job.network, LayerMode::float32);
    return;
  }
  quantize_network(job);
  if (kind == TrainingKind::quantize) {
    for (const auto& layer : job.network.layers) layer->observe = true;
    return;
  }
  if (kind == TrainingKind::search) {
    start_search(job.network, chosen_search(session));
    return;
  }
  const auto assignments = requested_assignments(session, job);
  if (assignments.size() != 1)
    throw UsageError(963, "retrain needs one --multiplier DESIGN, or --assignment FILE");
  apply_assignment(session, job, assignments.front().layers);
}

// The user's own module with its new weights; in float it is evaluated too, as that is another
// arithmetic than the one just evaluated.
json write_modules_and_say(Session& session, Job& job, const std::string& folder) {
  const auto files = write_modules(job, folder);
  std::ostream& out = session.io.out;
  json written = {{"float", files.at(0)}};
  out << "module " << files[0];
  if (has_test_images(job)) {
    std::vector<LayerMode> modes;
    for (const auto& layer : job.network.layers) modes.push_back(layer->mode);
    set_mode(job.network, LayerMode::float32);
    const EvaluationReport test =
        evaluate(job.network, test_images(job), job.normalisation, job.options.batch);
    for (std::size_t i = 0; i < modes.size(); ++i) job.network.layers[i]->mode = modes[i];
    char text[64];
    std::snprintf(text, sizeof text, " (in float: top-1 %.2f %%)", 100 * test.top1);
    out << text;
    written["float_top1"] = test.top1;
  }
  out << '\n';
  if (files.size() > 1) {
    out << "module " << files[1] << " (the arithmetic evaluated above, as axmul operators)\n";
    written["axmul"] = files[1];
  }
  return written;
}

// Writes weights and record, evaluates on the test images where there are any, and says it.
void finish(Session& session, Job& job, const std::string& folder, const Schedule& schedule,
            const TrainReport& report) {
  for (const auto& layer : job.network.layers) layer->observe = false;
  StateDict state = state_of(job.network);
  describe_weights(job, state);
  const std::string weights = folder + "/weights.h5";
  write_state_dict(state, weights);
  if (const auto copy = session.args.text("weights-out")) write_state_dict(state, *copy);
  std::optional<EvaluationReport> test;
  if (has_test_images(job)) {
    cli::ProgressBar bar(session, "test");
    test = evaluate(job.network, test_images(job), job.normalisation, job.options.batch,
                    bar.callback());
  }
  json record = run_record(session, job, schedule, report, test ? &*test : nullptr);
  std::ostream& out = session.io.out;
  if (session.args.text_or("schedule", "reference") == "short")
    out << "schedule short: a first look, not the reference\n";
  if (test) {
    char text[128];
    std::snprintf(text, sizeof text, "top-1 %.2f %%  top-5 %.2f %%  of %zu test images\n",
                  100 * test->top1, 100 * test->top5, test->images);
    out << text;
  } else {
    out << "no test images in --data " << job.spec.text << ": not evaluated\n";
  }
  if (job.network.script) record["modules"] = write_modules_and_say(session, job, folder);
  write_file(folder + "/run.json", record.dump(1) + "\n", true);
  out << "weights " << weights << "\nrecord " << folder << "/run.json\n";
}

int training_command_body(Session& session, TrainingKind kind) {
  Job job = prepare(session, DataPart::train);
  if (kind != TrainingKind::baseline && !has_weights(job))
    throw UsageError(959, session.command.name + " needs --weights FILE to start from");
  if (const auto copy = session.args.text("weights-out"))
    if (!copy->ends_with(".h5") && !copy->ends_with(".safetensors"))
      throw UsageError(968,
                       "--weights-out " + *copy + ": the name must end in .h5 or .safetensors");
  const Schedule schedule = chosen_schedule(session, kind, job.network.architecture);
  const RunFolder held = run_folder(session, kind, job.network.architecture);
  const std::string& folder = held.path;
  set_arithmetic(session, job, kind);
  const double fraction = session.args.number("validation", 0, 1).value_or(0);
  TrainValidation split = split_validation(train_images(job), fraction, job.options.seed);

  EpochPrinter printer(session, schedule.epochs);
  TrainOptions options;
  options.schedule = schedule;
  options.batch = job.options.batch;
  options.augmentation = chosen_augmentation(job);
  options.seed = job.options.seed;
  options.checkpoint = folder + "/checkpoint.safetensors";
  if (const auto minutes = session.args.number("checkpoint-minutes", 0, 1e9))
    options.checkpoint_minutes = *minutes;
  options.checkpoint_steps =
      static_cast<std::size_t>(session.args.integer("checkpoint-steps", 0, 1 << 30).value_or(0));
  options.resume = session.args.has("resume");
  options.settings = settings_text(session, schedule);
  if (kind == TrainingKind::search)
    options.extra_loss = [noise = chosen_search(session)](const Network& network) {
      return noise_reward(network, noise);
    };
  options.on_epoch = [&](const EpochRecord& r) { printer.epoch(r); };
  options.on_step = [&](const StepRecord& r) { printer.step(r); };
  if (options.resume && !fs::exists(options.checkpoint) && !session.quiet)
    session.io.err << folder << " has no checkpoint yet: starting from the beginning\n";
  try {
    const TrainReport report =
        train_network(job.network, split.train, &split.validation, job.normalisation, options);
    if (kind == TrainingKind::search) {
      cli::ProgressBar bar(session, "effect of noise");
      write_sigmas(folder + "/sigma.json",
                   measured_sigmas(job, chosen_search(session), bar.callback()));
      set_mode(job.network, LayerMode::quantized);
    }
    finish(session, job, folder, schedule, report);
  } catch (const InterruptedError&) {
    session.io.err << (session.io.err_is_tty ? "\r\033[K" : "")
                   << "interrupted; the same command with --out " << folder
                   << " --resume continues\n";
    throw;
  }
  return 0;
}

std::vector<cli::OptionSpec> training_options() {
  return {
      {"schedule",
       "NAME",
       "Epochs and learning rates to start from.",
       "reference",
       false,
       {"reference", "short"}},
      {"epochs", "N", "Epochs.", "the schedule's"},
      {"lr", "X", "Learning rate at the start.", "the schedule's"},
      {"lr-drops", "A,B", "Epochs after which it is multiplied by --lr-factor.", "the schedule's"},
      {"lr-factor", "X", "See --lr-drops.", "0.1"},
      {"momentum", "X", "Momentum of SGD.", "0.9"},
      {"weight-decay", "X", "Weight decay.", "1e-4"},
      {"augment",
       "WHAT",
       "Random changes of training images: mirrored, shifted by up to 4 pixels.",
       "flip+crop for photographs",
       false,
       {"none", "flip", "crop", "flip+crop"}},
      {"validation", "X", "Part of the training images held out and evaluated each epoch.", "0"},
      {"out", "DIR",
       "Folder of the run: weights.h5, run.json, checkpoint.safetensors; with --model also "
       "model.pt "
       "and model.axmul.pt.",
       "runs/<date>-<network>-<command>"},
      {"weights-out", "FILE", "Write the weights there too: .h5 or .safetensors."},
      {"resume", "", "Continue the run in --out from its checkpoint."},
      {"force", "", "Replace a run that --out holds."},
      {"checkpoint-minutes", "X", "Time between checkpoints inside an epoch.", "10"},
      {"checkpoint-steps", "N", "And a checkpoint after every N steps.", "0"}};
}

std::vector<cli::OptionSpec> search_options() {
  return {{"lambda", "L", "What noise is worth in the loss.", "0.2"},
          {"sigma-max", "X", "Noise beyond this share of a layer's output earns nothing.", "0.5"},
          {"sigma-init", "X", "Noise level at the start.", "0.1"},
          {"sigma-lr", "X", "Learning rate of the noise levels at the start.",
           "the schedule's: 0.1, short 0.03"}};
}

std::string network_list() {
  std::string text = "Networks:\n";
  for (const auto& [name, purpose] : network_names())
    text += "  " + std::string(name) +
            std::string(14 - std::min<std::size_t>(13, name.size()), ' ') + std::string(purpose) +
            "\n";
  return text;
}

cli::CommandSpec training_command(TrainingKind kind, std::string purpose,
                                  std::vector<cli::Example> examples) {
  cli::CommandSpec spec;
  spec.name = to_string(kind);
  spec.purpose = std::move(purpose);
  spec.examples = std::move(examples);
  spec.positionals = {network_positional()};
  spec.options = data_options();
  const auto add = [&](std::vector<cli::OptionSpec> more) {
    spec.options.insert(spec.options.end(), more.begin(), more.end());
  };
  if (kind != TrainingKind::baseline) add(arithmetic_options());
  if (kind == TrainingKind::retrain) add(multiplier_options());
  if (kind == TrainingKind::search) add(search_options());
  add(training_options());
  spec.notes =
      network_list() +
      "\nCtrl-C writes a checkpoint; --resume continues to the same bits as an undisturbed "
      "run with\nthe same number of threads.";
  spec.run = [kind](Session& session) { return training_command_body(session, kind); };
  return spec;
}

}  // namespace

cli::CommandSpec baseline_command() {
  return training_command(
      TrainingKind::baseline, "Train a network in float, from nothing or from given weights.",
      {{"axmul train baseline lenet5", "LeNet-5 on Fashion-MNIST (Debian's package)"},
       {"axmul train baseline resnet20 --data cifar10:DIR --out runs/base",
        "the reference schedule, 180 epochs"}});
}

cli::CommandSpec quantize_command() {
  return training_command(
      TrainingKind::quantize, "Train a network further in 8-bit arithmetic (quantisation-aware).",
      {{"axmul train quantize resnet20 --data cifar10:DIR --weights resnet20.h5", "30 epochs"},
       {"axmul train quantize resnet20 --data cifar10:DIR --weights resnet20.h5 --epochs 0",
        "only find the activation ranges"}});
}

cli::CommandSpec search_command() {
  return training_command(
      TrainingKind::search, "Learn how much noise each layer tolerates, together with the weights.",
      {{"axmul train search resnet20 --data cifar10:DIR --weights quantized.h5 --lambda 0.2",
        "weights.h5 and sigma.json, for axmul train trace and axmul match"}});
}

cli::CommandSpec retrain_command() {
  return training_command(
      TrainingKind::retrain, "Train a network further on approximate multipliers.",
      {{"axmul train retrain resnet20 --data cifar10:DIR --weights resnet20.h5 --library "
        "evoapprox/ --multiplier mul8u_185Q --fold",
        "all layers on one multiplier"},
       {"axmul train retrain resnet20 --data cifar10:DIR --weights w.h5 --library lib.h5 "
        "--assignment assignment.json --fold",
        "one multiplier a layer"}});
}

}  // namespace axmul::train
