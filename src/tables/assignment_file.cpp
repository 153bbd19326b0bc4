// Assignment files, both ways. The figures of a layer are one table, so that none is forgotten.
#include "axmul/tables/assignment_file.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "tables/coverage_output.hpp"

namespace axmul {
namespace {

constexpr const char* kSchema = "axmul.match/1";
constexpr double kMost = std::numeric_limits<double>::max();

struct Figure {
  const char* key;
  double LayerMatch::*value;
};
constexpr Figure kFigures[] = {
    {"sigma_rel", &LayerMatch::sigma_rel},
    {"sigma_corrected_rel", &LayerMatch::sigma_corrected_rel},
    {"sigma_compared", &LayerMatch::sigma_compared},
    {"threshold", &LayerMatch::threshold},
    {"effective_fields", &LayerMatch::effective_fields},
    {"fields_90", &LayerMatch::fields_90},
    {"power_rel", &LayerMatch::power_rel},
    {"exact_energy", &LayerMatch::exact_energy},
    {"ops", &LayerMatch::ops},
};

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw InputError(
      954, Place{path},
      R"(is no assignment, {"layers": [{"layer": NAME, "multiplier": NAME}, …]}: )" + why);
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f');
         });
}

// The text under that key; empty where it is missing or null.
std::string text_of(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it == json.end() || it->is_null() ? std::string() : it->get<std::string>();
}

LayerMatch layer_from(const Json& entry, std::size_t number, const std::string& path) {
  LayerMatch layer;
  const char* key = entry.contains("layer") ? "layer" : "name";
  if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string())
    refuse(path,
           "entry " + std::to_string(number) + R"( of "layers" has no "layer", the name of one)");
  layer.layer = entry[key].get<std::string>();
  const std::string name = "layer \"" + layer.layer + "\"";
  const auto multiplier = entry.find("multiplier");
  if (multiplier == entry.end() || !(multiplier->is_string() || multiplier->is_null()))
    refuse(path, name + R"( has no "multiplier": the name of one, or "exact")");
  if (multiplier->is_string()) layer.multiplier = multiplier->get<std::string>();
  layer.sha256 = text_of(entry, "sha256");
  if (!layer.sha256.empty() && !is_sha256(layer.sha256))
    refuse(path, name + R"( has a "sha256" that is not 64 digits of 0 … 9, a … f)");
  layer.none_fits = entry.value("none_fits", false);
  for (const Figure& figure : kFigures)
    layer.*figure.value = real_between(entry, figure.key, 0, kMost);
  // Files of one energy for all layers do not say it.
  if (!entry.contains("exact_energy")) layer.exact_energy = 1;
  return layer;
}

AssignmentFile assignment_from(const Json& json, const std::string& path) {
  AssignmentFile file;
  if (!json.is_object() || !json.contains("layers") || !json["layers"].is_array())
    refuse(path, R"(it has no list "layers")");
  if (json.contains("schema") && json["schema"] != kSchema)
    refuse(path, "\"schema\" is " + json["schema"].dump() + ", not \"" + kSchema + '"');
  file.model = text_of(json, "model");
  file.rule = text_of(json, "rule");
  file.bias_folding = json.value("bias_folding", false);
  file.pessimistic = json.value("pessimistic", false);
  file.energy = json.value("energy", "published");
  file.energy_scope = json.value("energy_scope", "multiplier");
  MatchReport& report = file.report;
  report.source = text_of(json, "cost_source");
  report.technology = text_of(json, "technology");
  std::set<std::string> names;
  for (const Json& entry : json["layers"]) {
    report.layers.push_back(layer_from(entry, report.layers.size() + 1, path));
    if (!names.insert(report.layers.back().layer).second)
      refuse(path, "layer \"" + report.layers.back().layer + "\" is there twice");
  }
  report.coverage = coverage_from(json);
  report.relative_energy = real_between(json, "relative_energy", 0, kMost);
  report.loss_rise = real_between(json, "loss_rise", -kMost, kMost);
  report.loss_budget = real_between(json, "loss_budget", -kMost, kMost);
  if (json.contains("without_cost")) report.without_cost = natural(json, "without_cost");
  return file;
}

}  // namespace

AssignmentFile read_assignment(const std::string& path) {
  try {
    return assignment_from(parse_json(read_file(path)), path);
  } catch (const Json::exception& error) {
    refuse(path, error.what());
  }
}

std::string assignment_text(const AssignmentFile& file) {
  const MatchReport& report = file.report;
  Json json{{"schema", kSchema},
            {"model", file.model},
            {"rule", file.rule},
            {"bias_folding", file.bias_folding},
            {"pessimistic", file.pessimistic},
            {"cost_source", report.source},
            {"technology", report.technology},
            {"energy", file.energy},
            {"energy_scope", file.energy_scope},
            {"layers", Json::array()}};
  for (const LayerMatch& m : report.layers) {
    Json entry{{"layer", m.layer},
               {"multiplier", m.multiplier},
               {"sha256", m.sha256},
               {"none_fits", m.none_fits},
               {"rare_events", m.has_rare_events()}};
    for (const Figure& figure : kFigures)
      if (figure.value != &LayerMatch::exact_energy || file.energy != "published")
        entry[figure.key] = number(m.*figure.value);
    json["layers"].push_back(std::move(entry));
  }
  add_energy(json, report.relative_energy, report.coverage);
  json["loss_rise"] = number(report.loss_rise);
  json["loss_budget"] = number(report.loss_budget);
  json["without_cost"] = report.without_cost;
  return json.dump(1) + "\n";
}

void write_assignment(const std::string& path, const AssignmentFile& assignment) {
  write_file(path, assignment_text(assignment), true);
}

}  // namespace axmul
