// The record of a run as pictures and reports need it: a stranger's file, so every field may lack.
#include "axmul/plot/run_story.hpp"

#include <algorithm>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"
#include "io/json.hpp"

namespace axmul::plot {

namespace {

std::string record_path(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  return fs::is_directory(path, error) ? (fs::path(path) / "run.json").string() : path;
}

double figure(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number() ? it->get<double>() : kNotKnown;
}

std::string words(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

StoryAccuracy accuracy(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_object()) return {};
  return {figure(*it, "images"), figure(*it, "top1"), figure(*it, "difference"),
          figure(*it, "standard_error")};
}

void add_epochs(const Json& json, const char* key, const std::string& stage,
                std::vector<StoryEpoch>& to) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_array()) return;
  for (const Json& e : *it)
    to.push_back({stage, figure(e, "epoch"), figure(e, "loss"), figure(e, "accuracy")});
}

StoryPoint point(const Json& json) {
  StoryPoint p;
  p.method = words(json, "method");
  p.name = words(json, "name");
  p.model = words(json, "model");
  p.rule = words(json, "rule");
  p.chosen = json.value("chosen", false);
  p.lambda = figure(json, "lambda");
  p.relative_energy = figure(json, "relative_energy");
  p.selection = accuracy(json, "selection");
  p.report = accuracy(json, "report");
  for (const Json& l : json.value("layers", Json::array()))
    p.layers.push_back({words(l, "layer"), words(l, "multiplier"), figure(l, "ops"),
                        figure(l, "power_rel"), figure(l, "sigma_l"), figure(l, "sigma_rel"),
                        figure(l, "sigma_compared"), figure(l, "predicted_sigma"),
                        figure(l, "measured_sigma")});
  add_epochs(json, "search_epochs", "search", p.epochs);
  add_epochs(json, "retrain_epochs", "retrain", p.epochs);
  return p;
}

RunStory story(const Json& json, const std::string& path) {
  RunStory run;
  run.path = path;
  run.source = words(json, "source");
  run.command = words(json, "command");
  run.network = words(json, "network");
  run.data = words(json, "data");
  run.schedule = words(json, "schedule");
  run.encoding = words(json, "encoding");
  run.cost_source = words(json, "cost_source");
  run.technology = words(json, "technology");
  run.energy_counts = words(json, "energy_counts");
  run.seed = figure(json, "seed");
  run.ops_covered = figure(json, "ops_covered");
  run.ops_not_covered = figure(json, "ops_not_covered");
  run.calls_not_counted = figure(json, "calls_not_counted");
  run.float_report = accuracy(json, "float_report");
  run.quantized_report = accuracy(json, "quantized_report");
  for (const Json& p : json.at("points")) run.points.push_back(point(p));
  add_epochs(json, "baseline_epochs", "baseline", run.epochs);
  add_epochs(json, "quantize_epochs", "quantize", run.epochs);
  add_epochs(json, "control_epochs", "control", run.epochs);
  return run;
}

}  // namespace

RunStory read_run_story(const std::string& path) {
  const std::string record = record_path(path);
  std::error_code error;
  if (!std::filesystem::exists(record, error))
    throw InputError(1133, Place{record},
                     "does not exist; name the folder of a run (axmul train run --out) or its "
                     "run.json");
  try {
    const Json json = parse_json(read_file(record));
    if (!json.is_object() || json.value("schema", "") != "axmul.run/1")
      throw InputError(1133, Place{record}, "is no record of a run (schema axmul.run/1)");
    return story(json, record);
  } catch (const Json::exception& e) {
    throw InputError(1133, Place{record},
                     std::string("is no record of a run (schema axmul.run/1): ") + e.what());
  }
}

bool is_run(const std::string& path) {
  const std::string record = record_path(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(record, error) || !record.ends_with(".json")) return false;
  const std::string text = read_file(record);
  return text.find("\"axmul.run/1\"") < 200;
}

const StoryPoint* chosen_point(const RunStory& run) {
  const StoryPoint* best = nullptr;
  for (const StoryPoint& p : run.points) {
    if (p.chosen) return &p;
    if (p.method == "search" && (best == nullptr || p.relative_energy < best->relative_energy))
      best = &p;
  }
  return best;
}

}  // namespace axmul::plot
