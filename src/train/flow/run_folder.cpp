// settings.json, and what a run does with a folder that holds another.
#include "train/flow/run_folder.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "train/data/number_text.hpp"
#include "train/flow/job.hpp"
#include "train/flow/stage_file.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;

Json schedule_json(const Schedule& s) {
  return {{"epochs", s.epochs},        {"lr", s.learning_rate},  {"drops", s.drops},
          {"factor", s.factor},        {"momentum", s.momentum}, {"weight_decay", s.weight_decay},
          {"sigma_rate", s.sigma_rate}};
}

std::string augmentation_text(const Augmentation& a) {
  const std::string crop = "crop" + (a.crop == 4 ? std::string() : std::to_string(a.crop));
  if (a.crop == 0) return a.flip ? "flip" : "none";
  return a.flip ? "flip+" + crop : crop;
}

// What the value of that name is, as somebody would type it; nothing where it is the usual one.
std::vector<std::string> value_texts(const RunPlan& plan, const std::string& name) {
  using Texts = std::vector<std::string>;
  const JobOptions usual;
  const JobOptions& job = plan.job;
  const auto text = [](const std::optional<std::string>& t) { return t ? Texts{*t} : Texts{}; };
  const auto count = [](std::uint64_t value, std::uint64_t otherwise) {
    return value == otherwise ? Texts{} : Texts{std::to_string(value)};
  };
  const auto flag = [](bool set) { return set ? Texts{"true"} : Texts{}; };
  if (name == "data") return job.data == usual.data ? Texts{} : Texts{job.data};
  if (name == "weights") return text(job.weights);
  if (name == "mean") return job.mean ? Texts{detail::join_numbers(*job.mean)} : Texts{};
  if (name == "std") return job.std ? Texts{detail::join_numbers(*job.std)} : Texts{};
  if (name == "limit") return count(job.limit, usual.limit);
  if (name == "test-limit") return count(job.test_limit, usual.test_limit);
  if (name == "batch") return count(job.batch, usual.batch);
  if (name == "seed") return count(job.seed, usual.seed);
  if (name == "augment")
    return job.augmentation ? Texts{augmentation_text(*job.augmentation)} : Texts{};
  if (name == "encoding")
    return job.encoding ? Texts{std::string(to_string(*job.encoding))} : Texts{};
  if (name == "per-channel") return flag(job.per_channel);
  if (name == "calibrate") return count(job.calibration_images, usual.calibration_images);
  if (name == "recalibrate") return flag(job.recalibrate);
  if (name == "library") return plan.libraries;
  if (name == "costs") return text(plan.costs);
  if (name == "model") return text(job.model);
  throw InternalError("no setting of a run is named " + name);
}

// The settings of the run that the folder holds. Without them its stages may be of any run.
Json held_settings(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(946, {path},
                     why +
                         ", so the options of this run are not known and it cannot be continued; "
                         "put the file back, or start the run anew with --force");
  };
  try {
    Json held = parse_json(read_file(path));
    const Seal found = take_checksum(held);
    if (found == Seal::none) refuse("carries no checksum");
    if (found == Seal::broken) refuse("was changed or damaged: its checksum is wrong");
    return held;
  } catch (const Json::exception& error) {
    refuse(std::string("is damaged: ") + error.what());
  } catch (const InputError& error) {
    if (error.id() == 946) throw;
    refuse(std::string("cannot be read: ") + error.what());
  }
  return {};
}

// Names what differs from the run that the folder holds.
void refuse_other_settings(const std::string& path, const std::string& settings) {
  const Json wanted = Json::parse(settings), held = held_settings(path);
  if (held == wanted) return;
  std::string differ;
  const auto show = [](const Json& j, const std::string& key) {
    return j.is_object() && j.contains(key) ? j[key].dump() : std::string("not given");
  };
  for (const auto& [key, value] : wanted.items())
    if (!held.is_object() || !held.contains(key) || held[key] != value)
      differ += "; " + key + ": there " + show(held, key) + ", here " + value.dump();
  if (held.is_object())
    for (const auto& [key, value] : held.items())
      if (!wanted.contains(key))
        differ += "; " + key + ": there " + value.dump() + ", here not given";
  throw UsageError(
      973, path + " is of a run with other options, which --resume cannot continue" + differ);
}

bool is_stage(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_directory() && (name == "baseline" || name == "quantized" || name == "control" ||
                                  name.starts_with("lambda-") || name.starts_with("uniform-") ||
                                  name.starts_with("greedy-"));
}

bool has_stages(const std::string& folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  return !error && std::any_of(begin(entries), end(entries), is_stage);
}

// What an earlier run left, so that --resume after an interrupted --force finds none of it.
void remove_run(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool record = name == "run.json" || name == "run.h5" || name == "report.txt";
    if (!(is_stage(entry) || (record && !entry.is_directory()))) continue;
    std::error_code error;
    fs::remove_all(entry.path(), error);
    if (error)
      throw OutputError(961, entry.path().string() + ": cannot be removed: " + error.message());
  }
}

}  // namespace

std::string usual_folder(const std::string& what) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return "runs/" + std::string(text) + "-" + what;
}

std::string settings_text(const RunPlan& plan, const Network& network) {
  const std::string& name = plan.job.make ? network.architecture : plan.job.network;
  Json j{{"network", name.empty() ? std::vector<std::string>{} : std::vector{name}},
         {"baseline", schedule_json(*plan.baseline)},
         {"quantize", schedule_json(*plan.quantize)},
         {"search", schedule_json(*plan.search)},
         {"retrain", schedule_json(*plan.retrain)},
         {"sigma_max", plan.noise.sigma_max},
         {"sigma_init", plan.noise.sigma_init},
         {"patches", plan.patches},
         {"trace_images", plan.trace_images},
         {"fold_images", plan.fold_images},
         {"norm_images", plan.norm_images},
         {"fold", plan.fold},
         {"max_multipliers", plan.most},
         {"selection_images", plan.selection_images},
         {"greedy_images", plan.greedy_images},
         {"exact_layers", plan.exact_layers},
         {"first_error_model", to_string(plan.models.front())},
         {"first_rule", to_string(plan.rules.front())}};
  if (plan.pessimistic) j["pessimistic"] = true;
  for (const std::string& setting : run_setting_names()) {
    const auto typed = plan.typed.find(setting);
    const auto texts = typed == plan.typed.end() ? value_texts(plan, setting) : typed->second;
    if (!texts.empty()) j[setting] = texts;
  }
  // Whoever brings these in memory has no name for them that would tell.
  if (plan.job.make) j["initial_state"] = checksum_of(state_of(network));
  for (const Multiplier& m : plan.multipliers)
    j["multipliers"].push_back(Json{
        {"name", m.name}, {"sha256", m.lut.sha256()}, {"power_rel", number(m.cost.power_rel)}});
  return j.dump();
}

FolderLock claim_folder(const RunPlan& plan, const std::string& settings) {
  std::error_code error;
  fs::create_directories(plan.folder, error);
  if (error || !fs::is_directory(plan.folder))
    throw OutputError(961, plan.folder + ": cannot be made a folder: " + error.message());
  FolderLock lock(plan.folder);
  const std::string path = plan.folder + "/settings.json";
  const bool known = fs::exists(path);
  if (!known && plan.resume && has_stages(plan.folder))
    throw InputError(946, {path},
                     "is missing, so it is not known which run the stages in this folder are of; "
                     "put it back, or start the run anew with --force");
  if (known || (plan.force && has_stages(plan.folder))) {
    if (!plan.resume && !plan.force)
      throw UsageError(962, plan.folder +
                                " holds a run already; continue it with --resume, replace it with "
                                "--force, or choose another folder with --out");
    // Points differ in lambda, error model, rule and baselines only, so a run may grow by these;
    // the first model and rule have points without a suffix, so they stay.
    if (plan.resume)
      refuse_other_settings(path, settings);
    else
      remove_run(plan.folder);
  }
  Json json = Json::parse(settings);
  add_checksum(json);
  write_file(path, json.dump() + "\n", true);
  return lock;
}

}  // namespace axmul::train

namespace axmul {

const std::vector<std::string>& run_setting_names() {
  static const std::vector<std::string> names = {
      "data",        "weights", "mean",    "std",      "limit",       "test-limit",
      "batch",       "seed",    "augment", "encoding", "per-channel", "calibrate",
      "recalibrate", "library", "costs",   "model"};
  return names;
}

}  // namespace axmul
