// Options of axmul train run, and the plan they make.
#include "cli_train/run_plan.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "cli_train/job.hpp"
#include "command/output.hpp"

namespace axmul::train {
namespace {

using cli::Session;

std::vector<std::string> split_values(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    std::stringstream stream(value);
    std::string part;
    while (std::getline(stream, part, ','))
      if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::vector<double> numbers_of(const Session& session, const char* option, int id) {
  std::vector<double> numbers;
  for (const std::string& text : split_values(session.args.values(option))) {
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(text, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used != text.size())
      throw UsageError(id, "--" + std::string(option) + ": \"" + text + "\" is not a number");
    numbers.push_back(value);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// None where none was asked for.
std::vector<ErrorModel> models_of(const Session& session) {
  std::vector<ErrorModel> models;
  for (const std::string& name : split_values(session.args.values("error-model"))) {
    const auto model = parse_error_model(name);
    if (!model) {
      std::string known;
      for (const ErrorModel m : kErrorModels)
        known += (known.empty() ? "" : ", ") + std::string(to_string(m));
      throw UsageError(977, "--error-model \"" + name + "\" is unknown; one of " + known);
    }
    if (std::find(models.begin(), models.end(), *model) == models.end()) models.push_back(*model);
  }
  return models;
}

std::vector<MatchRule> rules_of(const Session& session) {
  std::vector<MatchRule> rules;
  for (const std::string& name : split_values(session.args.values("rule"))) {
    const auto rule = parse_match_rule(name);
    if (!rule) throw UsageError(991, "--rule \"" + name + "\" is none of tolerance, budget");
    if (std::find(rules.begin(), rules.end(), *rule) == rules.end()) rules.push_back(*rule);
  }
  return rules;
}

// The usual schedule with what was asked of it.
Schedule stage_schedule(const Session& session, TrainingKind kind, const RunPlan& plan) {
  Schedule s = usual_schedule(kind, network_name(plan.job), plan.schedule == "short");
  const std::string prefix(to_string(kind));
  if (const auto v = session.args.integer(prefix + "-epochs", 0, 100000)) {
    // Drops keep their place in the course of the training.
    for (int& drop : s.drops)
      drop = static_cast<int>(
          std::lround(static_cast<double>(drop) * static_cast<double>(*v) / std::max(1, s.epochs)));
    s.epochs = static_cast<int>(*v);
  }
  const double before = s.learning_rate;
  if (const auto v = session.args.number(prefix + "-lr", 0, 1e6)) s.learning_rate = *v;
  if (kind == TrainingKind::search) {
    const double sigma_lr = session.args.number("sigma-lr", 0, 1e6).value_or(before * s.sigma_rate);
    s.sigma_rate = s.learning_rate > 0 ? sigma_lr / s.learning_rate : 0;
  }
  return s;
}

void count(const Session& session, const char* option, std::int64_t least, std::size_t& to) {
  if (const auto value = session.args.integer(option, least, 1 << 30))
    to = static_cast<std::size_t>(*value);
}

void number(const Session& session, const char* option, double least, double most, double& to) {
  to = session.args.number(option, least, most).value_or(to);
}

void read_baselines(const Session& session, RunPlan& plan) {
  plan.energies = numbers_of(session, "energy", 990);
  count(session, "greedy-images", 1, plan.greedy_images);
  plan.uniform_names = split_values(session.args.values("uniform"));
  for (const std::string& name : split_values(session.args.values("baselines"))) {
    if (name != "uniform" && name != "greedy")
      throw UsageError(978, "--baselines: \"" + name + "\" is none of uniform, greedy");
    (name == "uniform" ? plan.uniform : plan.greedy) = true;
  }
}

void read_matching(const Session& session, RunPlan& plan) {
  plan.libraries = session.args.values("library");
  plan.costs = session.args.text("costs");
  if (auto models = models_of(session); !models.empty()) plan.models = std::move(models);
  if (auto rules = rules_of(session); !rules.empty()) plan.rules = std::move(rules);
  plan.pessimistic = session.args.has("pessimistic");
  count(session, "max-multipliers", 1, plan.most);
  plan.exact_layers = split_values(session.args.values("exact-layers"));
  count(session, "patches", 2, plan.patches);
  count(session, "trace-images", 1, plan.trace_images);
  count(session, "fold-images", 1, plan.fold_images);
  count(session, "norm-images", 0, plan.norm_images);
  plan.fold = !session.args.has("no-fold");
}

void read_search(const Session& session, RunPlan& plan) {
  constexpr double kAny = 1e9;  // the search says what its figures may be
  number(session, "sigma-max", -kAny, kAny, plan.noise.sigma_max);
  number(session, "sigma-init", -kAny, kAny, plan.noise.sigma_init);
  plan.only_baselines = session.args.values("lambda") == std::vector<std::string>{"none"};
  if (!plan.only_baselines) plan.lambdas = numbers_of(session, "lambda", 970);
}

std::string shown(double value) { return cli::short_number(value); }

}  // namespace

RunPlan run_plan(const Session& session) {
  const cli::Arguments& args = session.args;
  RunPlan plan;
  plan.job = job_options(session);
  if (const auto folder = args.text("out")) {
    if (folder->empty()) throw OutputError(961, "--out is empty; name a folder");
    plan.folder = *folder;
  }
  plan.resume = args.has("resume");
  plan.force = args.has("force");
  plan.schedule = args.text_or("schedule", plan.schedule);
  plan.baseline = stage_schedule(session, TrainingKind::baseline, plan);
  plan.quantize = stage_schedule(session, TrainingKind::quantize, plan);
  plan.search = stage_schedule(session, TrainingKind::search, plan);
  plan.retrain = stage_schedule(session, TrainingKind::retrain, plan);
  read_search(session, plan);
  read_matching(session, plan);
  read_baselines(session, plan);
  count(session, "selection", 1, plan.selection_images);
  if (const auto points = args.number("max-loss", 0, 100)) plan.max_loss = *points / 100;
  number(session, "checkpoint-minutes", 0, 1e9, plan.checkpoint_minutes);
  plan.command = session.command_line;
  for (const std::string& name : run_setting_names())
    if (args.has(name)) plan.typed[name] = args.values(name);
  return plan;
}

std::vector<cli::OptionSpec> run_options() {
  const RunPlan usual;
  return {
      {"library", "LIB", "Multipliers: HDF5 library, folder, tables or generator texts.",
       "the shipped library", true},
      {"costs", "CSV", "Costs to join by name or sha256 (power_mw or PDK45_PWR_mW …)."},
      {"lambda", "L,…", "What noise is worth in the search, one point each; none: only baselines.",
       "0.1,0.2,0.4; short 0.1,0.3", true},
      {"sigma-max", "X", "Noise beyond this share of a layer's output earns nothing.",
       shown(usual.noise.sigma_max)},
      {"sigma-init", "X", "Noise level at the start.", shown(usual.noise.sigma_init)},
      {"error-model", "NAME,…",
       "Error models of the matching, a point each: sampled, permutation, multi-population …",
       std::string(to_string(usual.models.front())), true},
      {"rule", "RULE,…",
       "Rules of the matching, a point each: tolerance (each layer by itself), budget (all "
       "together, within the same rise of the loss).",
       std::string(to_string(usual.rules.front())), true},
      {"pessimistic", "",
       "Match by an upper bound: the larger σ of the models sampled and permutation. For "
       "multipliers that err rarely."},
      {"patches", "N", "Receptive fields traced per layer.", std::to_string(usual.patches)},
      {"trace-images", "N", "Training images that are traced.", std::to_string(usual.trace_images)},
      {"fold-images", "N", "Training images that measure the errors, and their means.",
       std::to_string(usual.fold_images)},
      {"no-fold", "", "Leave the mean errors in."},
      {"norm-images", "N", "Training images that batch-norm statistics are taken anew from.",
       std::to_string(usual.norm_images)},
      {"max-multipliers", "N", "At most N distinct multipliers.", "any number"},
      {"exact-layers", "A,B", "Layers that stay exact.", "", true},
      {"baselines", "WHICH", "Compare with uniform and greedy assignments.", "", true},
      {"uniform", "NAME,…", "Multipliers of the uniform baseline.", "near the search's energies",
       true},
      {"energy", "E,…", "Energies of the baselines' points.", "the search's", true},
      {"greedy-images", "N", "Training images that measure the sensitivities.",
       std::to_string(usual.greedy_images)},
      {"selection", "N", "Evenly spaced test images that points are chosen on; the others report.",
       "a fifth"},
      {"max-loss", "PP", "The chosen point loses at most this on the selection images.",
       shown(100 * usual.max_loss)},
      {"schedule",
       "NAME",
       "Epochs and learning rates of all stages.",
       usual.schedule,
       false,
       {"reference", "short"}},
      {"baseline-epochs", "N", "Epochs of the float training (without --weights).",
       "the schedule's"},
      {"baseline-lr", "X", "Its learning rate.", "the schedule's"},
      {"quantize-epochs", "N", "Epochs in 8-bit arithmetic; 0: find activation ranges only.",
       "the schedule's"},
      {"quantize-lr", "X", "Its learning rate.", "the schedule's"},
      {"search-epochs", "N", "Epochs of every search.", "the schedule's"},
      {"search-lr", "X", "Its learning rate of the weights.", "the schedule's"},
      {"sigma-lr", "X", "Its learning rate of the noise levels.", "0.1; short 0.03"},
      {"retrain-epochs", "N", "Epochs on approximate multipliers.", "the schedule's"},
      {"retrain-lr", "X", "Its learning rate.", "the schedule's"},
      {"augment",
       "WHAT",
       "Random changes of training images.",
       "flip+crop for photographs",
       false,
       {"none", "flip", "crop", "flip+crop"}},
      {"checkpoint-minutes", "X", "Time between checkpoints inside an epoch.",
       shown(usual.checkpoint_minutes)},
      {"out", "DIR", "Folder of the run.", "runs/<date>-<network>"},
      {"resume", "", "Go on with the run in --out; finished stages are read back."},
      {"force", "", "Replace a run that --out holds."}};
}

}  // namespace axmul::train
