// From a plan to a record: the plan is checked and completed, then its stages run.
#include "axmul/train/run.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"
#include "train/flow/candidates.hpp"
#include "train/flow/run_folder.hpp"
#include "train/flow/run_points.hpp"

namespace axmul {
namespace train {
namespace {

void at_least(std::size_t least, std::size_t value, const char* name) {
  if (value < least)
    throw UsageError(992, std::string("RunPlan: ") + name + " must be at least " +
                              std::to_string(least) + ", not " + std::to_string(value));
}

template <class T>
void remove_repeated(std::vector<T>& values) {
  std::vector<T> once;
  for (const T& value : values)
    if (std::find(once.begin(), once.end(), value) == once.end()) once.push_back(value);
  values = std::move(once);
}

// What the plan leaves to its schedule.
void complete(RunPlan& plan) {
  const bool brief = plan.schedule == "short";
  if (plan.only_baselines)
    plan.lambdas.clear();
  else if (plan.lambdas.empty())
    plan.lambdas = brief ? std::vector<double>{0.1, 0.3} : std::vector<double>{0.1, 0.2, 0.4};
  remove_repeated(plan.models);
  remove_repeated(plan.rules);
  plan.uniform = plan.uniform || !plan.uniform_names.empty();
}

// What can be said before data and network are there.
void check(const RunPlan& plan) {
  for (const double lambda : plan.lambdas) {
    SearchOptions noise = plan.noise;
    noise.lambda = lambda;
    check_search_options(noise);
  }
  for (const double e : plan.energies)
    if (!(e > 0 && e < 1)) throw UsageError(990, "--energy must lie between 0 and 1");
  if (plan.models.empty()) throw UsageError(977, "no error model is named");
  if (plan.rules.empty()) throw UsageError(991, "no rule of the matching is named");
  if (plan.pessimistic && plan.models != std::vector{ErrorModel::sampled})
    throw UsageError(969,
                     "--pessimistic compares the larger σ of the models sampled and "
                     "permutation; leave --error-model at sampled");
  if (plan.only_baselines && plan.energies.empty() && plan.uniform_names.empty())
    throw UsageError(978,
                     "--lambda none needs baselines: --uniform NAMES, or --baselines with "
                     "--energy");
  if (plan.schedule != "reference" && plan.schedule != "short")
    throw UsageError(992,
                     "RunPlan: schedule must be reference or short, not \"" + plan.schedule + "\"");
  at_least(2, plan.patches, "patches");
  at_least(1, plan.trace_images, "trace_images");
  at_least(1, plan.fold_images, "fold_images");
  at_least(1, plan.greedy_images, "greedy_images");
  at_least(1, plan.job.calibration_images, "calibration_images");
  at_least(1, plan.job.batch, "batch");
  if (!(plan.max_loss >= 0 && plan.max_loss <= 1))
    throw UsageError(
        992, "RunPlan: max_loss must lie between 0 and 1, not " + std::to_string(plan.max_loss));
  if (!(plan.checkpoint_minutes >= 0))
    throw UsageError(992, "RunPlan: checkpoint_minutes must be 0 or more, not " +
                              std::to_string(plan.checkpoint_minutes));
}

// What the plan leaves to the network and the data.
void complete(RunPlan& plan, Job& job) {
  const std::string& network = job.network.architecture;
  const bool brief = plan.schedule == "short";
  if (plan.folder.empty()) plan.folder = usual_folder(network);
  std::sort(plan.lambdas.begin(), plan.lambdas.end());
  remove_repeated(plan.lambdas);
  const auto set = [&](std::optional<Schedule>& schedule, TrainingKind kind) {
    if (!schedule) schedule = usual_schedule(kind, network, brief);
  };
  set(plan.baseline, TrainingKind::baseline);
  set(plan.quantize, TrainingKind::quantize);
  set(plan.search, TrainingKind::search);
  set(plan.retrain, TrainingKind::retrain);
  for (const std::string& name : plan.exact_layers)
    if (find_layer(job.network, name) == nullptr)
      throw UsageError(955, "--exact-layers: " + network + " has no layer \"" + name + "\"");
  const std::size_t tests = test_images(job).size();
  if (plan.selection_images == 0) plan.selection_images = std::max<std::size_t>(1, tests / 5);
  if (plan.selection_images >= tests)
    throw UsageError(979, "--selection " + std::to_string(plan.selection_images) +
                              " leaves none of the " + std::to_string(tests) +
                              " test images for the report");
}

void load_library(Run& run) {
  RunPlan& plan = run.plan;
  run.record.libraries = plan.libraries;
  if (plan.libraries.empty() && plan.multipliers.empty())
    run.record.libraries = {shipped_library()};
  run.library =
      load_candidates(run.record.libraries, plan.multipliers, plan.costs ? &*plan.costs : nullptr,
                      [&](const std::string& text) { run.events.warning(text); });
}

void begin_record(Run& run) {
  RunReport& record = run.record;
  record.folder = run.plan.folder;
  record.network = run.job.network.architecture;
  record.data = run.job.spec.text;
  record.weights = run.plan.job.weights.value_or("");
  record.schedule = run.plan.schedule;
  record.command = run.plan.command;
  record.options_json = run.settings;
  record.seed = run.plan.job.seed;
  record.threads = default_threads();
  record.sigma_max = run.plan.noise.sigma_max;
  record.max_loss = run.plan.max_loss;
}

}  // namespace
}  // namespace train

RunReport run(const RunPlan& plan, RunEvents& events) {
  using namespace train;
  Run work{plan, events, {}, {}, {}, {}, {}, {}};
  complete(work.plan);
  check(work.plan);
  work.job = prepare(plan.job, DataPart::test, [&](const Network& net) { events.built(net); });
  complete(work.plan, work.job);
  work.settings = settings_text(work.plan, work.job.network);
  load_library(work);
  const FolderLock lock = claim_folder(work.plan, work.settings);
  begin_record(work);
  events.started(work.plan.folder);
  prepare_network(work);
  for (const double lambda : work.plan.lambdas) search_points(work, lambda);
  baseline_points(work);
  return std::move(work.record);
}

RunReport run(const RunPlan& plan) {
  RunEvents nobody;
  return run(plan, nobody);
}

}  // namespace axmul
