// The run record as JSON (both ways) and HDF5.
#include "train/flow/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "io/json.hpp"
#include "tables/coverage_output.hpp"
#include "train/flow/stage_file.hpp"

namespace axmul::train {
namespace {

constexpr double kMost = std::numeric_limits<double>::max();

double real(const Json& j, const char* key) { return real_between(j, key, -kMost, kMost); }
double positive(const Json& j, const char* key) { return real_between(j, key, 0, kMost); }
double share(const Json& j, const char* key) { return real_between(j, key, 0, 1); }

[[noreturn]] void complain(const std::string& what) {
  throw Json::other_error::create(501, what, nullptr);
}

Json accuracy_json(const Accuracy& a) {
  return {{"images", a.images},
          {"top1", number(a.top1)},
          {"difference", number(a.difference)},
          {"standard_error", number(a.standard_error)},
          {"mcnemar_p", number(a.p_value)}};
}

Accuracy accuracy_from(const Json& j) {
  return {natural(j, "images"), share(j, "top1"), real_between(j, "difference", -1, 1),
          share(j, "standard_error"), share(j, "mcnemar_p")};
}

Json epochs_json(const std::vector<EpochRecord>& epochs) {
  Json list = Json::array();
  for (const EpochRecord& e : epochs) {
    Json entry{{"epoch", e.epoch},
               {"learning_rate", e.learning_rate},
               {"loss", number(e.loss)},
               {"accuracy", number(e.accuracy)},
               {"seconds", number(e.seconds)}};
    if (!e.sigma_l.empty()) entry["sigma_l"] = e.sigma_l;
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<EpochRecord> epochs_from(const Json& list) {
  std::vector<EpochRecord> epochs;
  if (!list.is_array()) complain("epochs are no list");
  for (const Json& j : list) {
    EpochRecord e;
    if (natural(j, "epoch") != epochs.size() + 1) complain("\"epoch\" does not count from 1");
    e.epoch = static_cast<int>(epochs.size() + 1);
    e.learning_rate = positive(j, "learning_rate");
    e.loss = positive(j, "loss");
    e.accuracy = share(j, "accuracy");
    e.validation_loss = e.validation_accuracy = kUnknown;
    e.seconds = positive(j, "seconds");
    if (j.contains("sigma_l")) e.sigma_l = j["sigma_l"].get<std::vector<double>>();
    for (const double sigma : e.sigma_l)
      if (!(sigma >= 0)) complain("\"sigma_l\" is negative");
    epochs.push_back(std::move(e));
  }
  return epochs;
}

// The numbers of a layer under their names, for both formats.
struct LayerFigure {
  const char* name;
  double PointLayer::*value;
  const char* units;
  const char* meaning;
};
constexpr LayerFigure kLayerFigures[] = {
    {"ops", &PointLayer::ops, "1", "multiplications per image, padded taps included"},
    {"power_rel", &PointLayer::power_rel, "1", "power over that of the exact multiplier"},
    {"output_std", &PointLayer::output_std, "accumulator units",
     "standard deviation of the layer's outputs"},
    {"sigma_l", &PointLayer::sigma_l, "1", "learned noise level, relative to output_std"},
    {"loss_curvature", &PointLayer::loss_curvature, "1",
     "rise of the loss per squared relative noise level, as matching uses it"},
    {"sigma_rel", &PointLayer::sigma_rel, "1", "predicted_sigma / output_std"},
    {"sigma_corrected_rel", &PointLayer::sigma_corrected_rel, "1",
     "predicted_corrected / output_std"},
    {"sigma_compared", &PointLayer::sigma_compared, "1",
     "what the matching compared with sigma_l: one of the two, or its upper bound"},
    {"effective_fields", &PointLayer::effective_fields, "1",
     "receptive fields that the prediction rests on in effect; under 25: rare events"},
    {"fields_90", &PointLayer::fields_90, "1",
     "receptive fields that carry 90 % of the predicted variance"},
    {"predicted_mean", &PointLayer::predicted_mean, "accumulator units", "mean_acc of the model"},
    {"predicted_sigma", &PointLayer::predicted_sigma, "accumulator units",
     "sigma_acc of the model"},
    {"predicted_corrected", &PointLayer::predicted_corrected, "accumulator units",
     "sigma_corrected of the model"},
    {"interval_lower", &PointLayer::interval_lower, "accumulator units",
     "lower bound of predicted_sigma, 95 %"},
    {"interval_upper", &PointLayer::interval_upper, "accumulator units",
     "upper bound of predicted_sigma, 95 %"},
    {"measured_mean", &PointLayer::measured_mean, "accumulator units",
     "mean_acc over all positions of the folding images"},
    {"measured_sigma", &PointLayer::measured_sigma, "accumulator units",
     "sigma_acc over all positions of the folding images"},
    {"measured_corrected", &PointLayer::measured_corrected, "accumulator units",
     "sigma_corrected over all positions of the folding images"}};

Json layer_json(const PointLayer& l) {
  Json j{{"layer", l.layer},
         {"multiplier", l.is_exact() ? "exact" : l.multiplier},
         {"sha256", l.sha256},
         {"type", l.type}};
  for (const LayerFigure& f : kLayerFigures) j[f.name] = number(l.*f.value);
  return j;
}

PointLayer layer_from(const Json& j) {
  PointLayer l;
  l.layer = j.at("layer").get<std::string>();
  l.multiplier = j.at("multiplier").get<std::string>();
  l.sha256 = j.at("sha256").get<std::string>();
  l.type = j.value("type", "");
  for (const LayerFigure& f : kLayerFigures) l.*f.value = real(j, f.name);
  if (!j.contains("sigma_compared")) {  // a record that calls it sigma_rel
    l.sigma_compared = l.sigma_rel;
    l.sigma_rel = l.predicted_sigma / l.output_std;
    l.sigma_corrected_rel = l.predicted_corrected / l.output_std;
  }
  for (const double PointLayer::*figure :
       {&PointLayer::ops, &PointLayer::power_rel, &PointLayer::output_std, &PointLayer::sigma_l})
    if (l.*figure < 0) complain("a figure of layer " + l.layer + " is negative");
  return l;
}

Json point_json(const RunPoint& p, const Coverage& coverage) {
  const IntervalShare share = interval_share(p);
  Json j{{"method", p.method},
         {"name", p.name},
         {"model", p.model},
         {"rule", p.rule},
         {"lambda", number(p.lambda)},
         {"relative_energy", number(p.energy)},
         {"energy_bound", to_string(energy_bound(p.energy, coverage))},
         {"loss_rise", number(p.loss_rise)},
         {"loss_budget", number(p.loss_budget)},
         {"chosen", p.chosen},
         {"selection_untrained", accuracy_json(p.selection_untrained)},
         {"selection", accuracy_json(p.selection)},
         {"report", accuracy_json(p.report)},
         {"sigma_in_interval", share.inside},
         {"sigma_intervals", share.of},
         {"layers", Json::array()},
         {"search_epochs", epochs_json(p.search_epochs)},
         {"retrain_epochs", epochs_json(p.retrain_epochs)}};
  for (const PointLayer& l : p.layers) j["layers"].push_back(layer_json(l));
  return j;
}

RunPoint point_from(const Json& j) {
  RunPoint p;
  p.method = j.at("method").get<std::string>();
  p.name = j.at("name").get<std::string>();
  p.model = j.at("model").get<std::string>();
  // Records of before there were rules.
  p.rule = j.value("rule", p.method == "search" ? "tolerance" : "");
  p.lambda = positive(j, "lambda");
  p.loss_rise = real(j, "loss_rise");
  p.loss_budget = real(j, "loss_budget");
  p.energy = positive(j, "relative_energy");
  p.chosen = j.at("chosen").get<bool>();
  p.selection_untrained = accuracy_from(j.at("selection_untrained"));
  p.selection = accuracy_from(j.at("selection"));
  p.report = accuracy_from(j.at("report"));
  for (const Json& l : j.at("layers")) p.layers.push_back(layer_from(l));
  p.search_epochs = epochs_from(j.at("search_epochs"));
  p.retrain_epochs = epochs_from(j.at("retrain_epochs"));
  return p;
}

// Records of before it was told: a built-in network multiplies in its layers only.
Coverage stored_coverage(const Json& record) {
  Coverage coverage = coverage_from(record);
  const Json options = record.value("options", Json::object());
  const Json names = options.value("network", Json::array());
  const bool own = options.contains("model") ||
                   std::any_of(names.begin(), names.end(), [](const Json& name) {
                     return name.is_string() && name.get<std::string>().ends_with(".pt");
                   });
  if (!record.contains("calls_not_counted") && !own) coverage.calls_not_counted = 0;
  return coverage;
}

// --- HDF5 ----------------------------------------------------------------------------------------

void write_figures(h5::File& file, const std::string& path, const h5::Shape& shape,
                   std::span<const double> values, const char* units, const char* meaning,
                   std::span<const char* const> scales) {
  file.write<double>(path, shape, values);
  file.set_attribute(path, "units", units);
  file.set_attribute(path, "long_name", meaning);
  unsigned axis = 0;
  for (const char* scale : scales) file.attach_scale(path, axis++, scale);
}

void write_texts(h5::File& file, const std::string& path, std::vector<std::string> texts,
                 const char* meaning, bool is_scale) {
  file.write_text(path, texts);
  file.set_attribute(path, "long_name", meaning);
  if (is_scale) file.make_scale(path);
}

template <class Get>
std::vector<double> of_points(const RunReport& record, const Get& get) {
  std::vector<double> values;
  for (const RunPoint& p : record.points) values.push_back(get(p));
  return values;
}

void write_points(h5::File& file, const RunReport& record) {
  const h5::Shape shape{record.points.size()};
  const char* const scales[] = {"/point"};
  const auto write = [&](const std::string& name, const std::vector<double>& values,
                         const char* units, const char* meaning) {
    write_figures(file, "/" + name, shape, values, units, meaning, scales);
  };
  write("lambda", of_points(record, [](const RunPoint& p) { return p.lambda; }), "1",
        "what noise is worth in the loss of the search");
  write("relative_energy", of_points(record, [](const RunPoint& p) { return p.energy; }), "1",
        "energy of the multiplications that are counted over that of exact ones");
  write("loss_rise", of_points(record, [](const RunPoint& p) { return p.loss_rise; }), "1",
        "predicted rise of the loss before retraining");
  write("loss_budget", of_points(record, [](const RunPoint& p) { return p.loss_budget; }), "1",
        "rise of the loss that the learned noise levels cost");
  struct Part {
    const char* name;
    Accuracy RunPoint::*accuracy;
  };
  for (const Part& part :
       {Part{"selection_untrained", &RunPoint::selection_untrained},
        Part{"selection", &RunPoint::selection}, Part{"report", &RunPoint::report}}) {
    const std::string name = part.name;
    const auto figure = [&](double Accuracy::*value) {
      return of_points(record, [&](const RunPoint& p) { return p.*part.accuracy.*value; });
    };
    write("top1_" + name, figure(&Accuracy::top1), "1", "top-1 accuracy, a fraction");
    write("difference_" + name, figure(&Accuracy::difference), "1",
          "top-1 accuracy less that of the 8-bit network, same images");
    write("standard_error_" + name, figure(&Accuracy::standard_error), "1",
          "standard error of the difference");
  }
}

void write_layers(h5::File& file, const RunReport& record) {
  const h5::Shape shape{record.points.size(), record.layer_names.size()};
  const char* const scales[] = {"/point", "/layer"};
  for (const LayerFigure& figure : kLayerFigures) {
    std::vector<double> values;
    for (const RunPoint& p : record.points)
      for (const PointLayer& l : p.layers) values.push_back(l.*figure.value);
    write_figures(file, std::string("/") + figure.name, shape, values, figure.units, figure.meaning,
                  scales);
  }
  std::vector<std::string> multipliers, hashes;
  for (const RunPoint& p : record.points)
    for (const PointLayer& l : p.layers) {
      multipliers.push_back(l.multiplier);
      hashes.push_back(l.sha256);
    }
  write_texts(file, "/multiplier", std::move(multipliers),
              "multiplier of every layer, all layers of the first point first", false);
  write_texts(file, "/sha256", std::move(hashes), "identity of the multiplier, empty for exact",
              false);
}

void write_curves(h5::File& file, const std::string& group, const std::vector<EpochRecord>& epochs,
                  std::size_t layers) {
  if (epochs.empty()) return;
  file.create_group(group);
  const h5::Shape shape{epochs.size()};
  const auto write = [&](const char* name, double EpochRecord::*value, const char* meaning) {
    std::vector<double> values;
    for (const EpochRecord& e : epochs) values.push_back(e.*value);
    write_figures(file, group + "/" + name, shape, values, "1", meaning, {});
  };
  write("learning_rate", &EpochRecord::learning_rate, "learning rate of the weights");
  write("loss", &EpochRecord::loss, "mean cross-entropy of the epoch");
  write("accuracy", &EpochRecord::accuracy, "training accuracy, a fraction");
  if (epochs.front().sigma_l.size() != layers) return;
  std::vector<double> sigmas;
  for (const EpochRecord& e : epochs)
    sigmas.insert(sigmas.end(), e.sigma_l.begin(), e.sigma_l.end());
  write_figures(file, group + "/sigma_l", {epochs.size(), layers}, sigmas, "1",
                "noise level after the epoch", {});
  file.attach_scale(group + "/sigma_l", 1, "/layer");
}

}  // namespace

IntervalShare interval_share(const RunPoint& point) {
  IntervalShare share;
  for (const PointLayer& l : point.layers) {
    if (l.is_exact() || std::isnan(l.interval_lower) || std::isnan(l.measured_sigma)) continue;
    ++share.of;
    share.inside += l.measured_sigma >= l.interval_lower && l.measured_sigma <= l.interval_upper;
  }
  return share;
}

void choose_point(RunReport& record) {
  RunPoint* best = nullptr;
  for (RunPoint& p : record.points) {
    p.chosen = false;
    if (p.method != "search" || !(p.selection.difference >= -record.max_loss)) continue;
    if (best == nullptr || p.energy < best->energy) best = &p;
  }
  if (best != nullptr) best->chosen = true;
}

Json epochs_to_json(const std::vector<EpochRecord>& epochs) {
  return {{"schema", "axmul.epochs/1"}, {"epochs", epochs_json(epochs)}};
}

std::vector<EpochRecord> epochs_from_json(const Json& json, const std::string& path) {
  try {
    return epochs_from(json.at("epochs"));
  } catch (const nlohmann::json::exception& error) {
    throw InputError(972, {path}, std::string("is no list of epochs: ") + error.what());
  }
}

std::string to_json(const RunReport& r) {
  Json j{{"schema", "axmul.run/1"},
         {"source", source_text()},
         {"command", r.command},
         {"network", r.network},
         {"data", r.data},
         {"weights", r.weights},
         {"schedule", r.schedule},
         {"encoding", r.encoding},
         {"libraries", r.libraries},
         {"cost_source", r.cost_source},
         {"technology", r.technology},
         {"without_cost", r.without_cost},
         {"energy_counts", "multiplications only; sign logic, adders and memory are not counted"},
         {"seed", r.seed},
         {"threads", r.threads},
         {"sigma_max", number(r.sigma_max)},
         {"max_loss", number(r.max_loss)},
         {"options", r.options_json.empty() ? Json::object() : Json::parse(r.options_json)},
         {"layers", r.layer_names},
         {"float_report", accuracy_json(r.float_report)},
         {"quantized_selection", accuracy_json(r.quantized_selection)},
         {"quantized_report", accuracy_json(r.quantized_report)},
         {"baseline_epochs", epochs_json(r.baseline_epochs)},
         {"quantize_epochs", epochs_json(r.quantize_epochs)},
         {"control_epochs", epochs_json(r.control_epochs)}};
  add_coverage(j, r.coverage);
  j["points"] = Json::array();
  for (const RunPoint& p : r.points) j["points"].push_back(point_json(p, r.coverage));
  add_checksum(j);
  return j.dump(1) + "\n";
}

RunReport run_record_from_json(const std::string& text, const std::string& path) {
  try {
    Json j = parse_json(text);
    if (take_checksum(j) == Seal::broken)
      throw InputError(972, {path},
                       "was changed or damaged after axmul wrote it: its checksum is wrong; fetch "
                       "it again, or let --resume write it anew");
    if (j.at("schema") != "axmul.run/1")
      throw InputError(972, {path},
                       "is not a record of axmul train run (schema " + j.at("schema").dump() +
                           ", wanted \"axmul.run/1\")");
    RunReport r;
    r.command = j.at("command").get<std::string>();
    r.network = j.at("network").get<std::string>();
    r.data = j.at("data").get<std::string>();
    r.weights = j.at("weights").get<std::string>();
    r.schedule = j.at("schedule").get<std::string>();
    r.encoding = j.at("encoding").get<std::string>();
    r.libraries = j.at("libraries").get<std::vector<std::string>>();
    r.cost_source = j.at("cost_source").get<std::string>();
    r.technology = j.at("technology").get<std::string>();
    r.without_cost = natural(j, "without_cost");
    r.coverage = stored_coverage(j);
    r.seed = natural(j, "seed");
    r.threads = static_cast<int>(natural(j, "threads"));
    r.sigma_max = real(j, "sigma_max");
    r.max_loss = real(j, "max_loss");
    r.options_json = j.at("options").dump();
    r.layer_names = j.at("layers").get<std::vector<std::string>>();
    r.float_report = accuracy_from(j.at("float_report"));
    r.quantized_selection = accuracy_from(j.at("quantized_selection"));
    r.quantized_report = accuracy_from(j.at("quantized_report"));
    r.baseline_epochs = epochs_from(j.at("baseline_epochs"));
    r.quantize_epochs = epochs_from(j.at("quantize_epochs"));
    r.control_epochs = epochs_from(j.at("control_epochs"));
    for (const Json& p : j.at("points")) r.points.push_back(point_from(p));
    if (!j.contains("ops_covered") && !r.points.empty())
      for (const PointLayer& l : r.points.front().layers) r.coverage.ops_covered += l.ops;
    for (const RunPoint& p : r.points)
      if (!std::equal(p.layers.begin(), p.layers.end(), r.layer_names.begin(), r.layer_names.end(),
                      [](const PointLayer& l, const std::string& name) { return l.layer == name; }))
        complain("point " + p.name + " is not of these layers");
    return r;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(972, {path},
                     std::string("is not a record of axmul train run: ") + error.what());
  }
}

void write_run_h5(const std::string& path, const RunReport& record) {
  AtomicFile target(path, true);
  h5::File file = h5::File::create(target.path());
  file.set_display_path(path);
  FileOrigin origin;
  origin.command = record.command;
  origin.reproducible_command = "axmul train run " + record.network;
  const std::pair<const char*, std::string> texts[] = {
      {"format", "axmul-run"},
      {"format_version", "1.0"},
      {"title", "Approximate multipliers in " + record.network},
      {"source", source_text()},
      {"history", history_text(origin)},
      {"references", "E. Trommer, B. Waschneck, A. Kumar, ICCAD 2022, arXiv 2208.07265"},
      {"network", record.network},
      {"data", record.data},
      {"weights", record.weights},
      {"schedule", record.schedule},
      {"encoding", record.encoding},
      {"cost_source", record.cost_source},
      {"technology", record.technology},
      {"options", record.options_json}};
  for (const auto& [name, text] : texts) file.set_attribute("/", name, text);
  file.set_attribute("/", "seed", static_cast<std::int64_t>(record.seed));
  file.set_attribute("/", "sigma_max", record.sigma_max);
  file.set_attribute("/", "ops_covered", record.coverage.ops_covered);
  file.set_attribute("/", "ops_not_covered", record.coverage.ops_not_covered);
  if (record.coverage.calls_not_counted)
    file.set_attribute("/", "calls_not_counted",
                       static_cast<std::int64_t>(*record.coverage.calls_not_counted));
  file.set_attribute("/", "top1_quantized_report", record.quantized_report.top1);
  file.set_attribute("/", "top1_quantized_selection", record.quantized_selection.top1);
  std::vector<std::string> points, methods, models, rules, bounds;
  for (const RunPoint& p : record.points) {
    points.push_back(p.name);
    methods.push_back(p.method);
    models.push_back(p.model);
    rules.push_back(p.rule);
    bounds.emplace_back(to_string(energy_bound(p.energy, record.coverage)));
  }
  write_texts(file, "/point", points, "assignment", true);
  write_texts(file, "/layer", record.layer_names, "layer, in order of execution", true);
  write_texts(file, "/method", methods, "how the assignment was found", false);
  write_texts(file, "/model", models, "error model of the matching", false);
  write_texts(file, "/rule", rules, "rule of the matching", false);
  write_texts(file, "/energy_bound", bounds,
              "what relative_energy is of all multiplications: exact, lower or upper bound", false);
  for (const char* name : {"/method", "/model", "/rule", "/energy_bound"})
    file.attach_scale(name, 0, "/point");
  write_points(file, record);
  write_layers(file, record);
  file.create_group("/epochs");
  for (const RunPoint& p : record.points) {
    if (p.search_epochs.empty() && p.retrain_epochs.empty()) continue;
    file.create_group("/epochs/" + p.name);
    write_curves(file, "/epochs/" + p.name + "/search", p.search_epochs, record.layer_names.size());
    write_curves(file, "/epochs/" + p.name + "/retrain", p.retrain_epochs,
                 record.layer_names.size());
  }
  file.close();
  target.commit();
}

}  // namespace axmul::train

namespace axmul {

const RunPoint* chosen_point(const RunReport& report) {
  const auto chosen = std::find_if(report.points.begin(), report.points.end(),
                                   [](const RunPoint& p) { return p.chosen; });
  return chosen == report.points.end() ? nullptr : &*chosen;
}

}  // namespace axmul
