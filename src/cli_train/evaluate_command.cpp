// axmul train evaluate: accuracy in float, quantised or approximate arithmetic, and comparisons.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "cli_train/commands.hpp"
#include "cli_train/job.hpp"
#include "command/output.hpp"
#include "tables/coverage_output.hpp"

namespace axmul::train {
namespace {

using cli::Session;
using nlohmann::json;

struct EvaluationRow {
  std::string name, mode;
  EvaluationReport result;
  double energy = 1;
  Coverage coverage;
  json layers;
  std::optional<PairedComparison> against;
};

json layer_list(const Network& network) {
  json list = json::array();
  for (const auto& layer : network.layers) {
    json entry = {{"layer", layer->name}, {"mode", to_string(layer->mode)}, {"ops", layer->ops}};
    if (layer->mode != LayerMode::float32) entry["type"] = to_string(layer->operand_type());
    if (layer->multiplier) {
      entry["multiplier"] = layer->multiplier->name;
      entry["sha256"] = layer->multiplier->lut.sha256();
      entry["folded"] = !layer->mean_acc.empty();
    }
    list.push_back(std::move(entry));
  }
  return list;
}

EvaluationRow measure(Session& session, Job& job, std::string name, std::string mode) {
  cli::ProgressBar bar(session, name.empty() ? mode : name);
  EvaluationRow row{
      std::move(name),
      std::move(mode),
      evaluate(job.network, test_images(job), job.normalisation, job.options.batch, bar.callback()),
      1,
      {},
      layer_list(job.network),
      {}};
  row.energy = relative_energy(job.network);
  row.coverage = coverage_of(job.network);
  return row;
}

double top1_error(const EvaluationReport& r) {
  return std::sqrt(r.top1 * (1 - r.top1) / std::max(1.0, static_cast<double>(r.images)));
}

EvaluationReport read_evaluation(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw InputError(957, {path}, "cannot be opened");
  try {
    const json root = json::parse(file);
    if (root.at("schema") != "axmul.evaluation/1")
      throw InputError(957, {path}, "is not an evaluation of axmul train");
    EvaluationReport report;
    report.labels = root.at("labels").get<std::vector<std::int32_t>>();
    report.predicted =
        root.at("evaluations").at(0).at("predicted").get<std::vector<std::int32_t>>();
    if (report.labels.size() != report.predicted.size())
      throw InputError(957, {path}, "has labels and predictions of different number");
    return report;
  } catch (const json::exception& error) {
    throw InputError(
        957, {path},
        std::string("is not an evaluation written by evaluate -o FILE.json: ") + error.what());
  }
}

json confusion_matrix(const EvaluationReport& result) {
  json matrix = json::array();
  for (std::size_t r = 0; r < result.confusion.rows(); ++r) {
    const auto row = result.confusion.row(r);
    matrix.push_back(std::vector<std::int64_t>(row.begin(), row.end()));
  }
  return matrix;
}

std::string as_json(const Session& session, const Job& job, const std::vector<EvaluationRow>& rows,
                    const std::vector<std::string>& classes) {
  json root = {{"schema", "axmul.evaluation/1"},
               {"source", source_text()},
               {"command", session.command_line},
               {"network", job.network.architecture},
               {"weights", job.options.weights.value_or("")},
               {"data", job.spec.text},
               {"images", rows.front().result.images},
               {"classes", classes},
               {"labels", rows.front().result.labels}};
  if (job.network.script) {
    root["model"] = session.args.text_or("model", "");
    root["not_covered"] = uncovered_json(job.network);
  }
  for (const EvaluationRow& row : rows) {
    json entry = {{"name", row.name},
                  {"mode", row.mode},
                  {"top1", row.result.top1},
                  {"top1_standard_error", top1_error(row.result)},
                  {"top5", row.result.top5},
                  {"loss", row.result.loss},
                  {"layers", row.layers},
                  {"confusion", confusion_matrix(row.result)},
                  {"predicted", row.result.predicted}};
    if (row.against)
      entry["against"] = {{"file", *session.args.text("against")},
                          {"difference", row.against->difference},
                          {"standard_error", row.against->standard_error},
                          {"only_this_right", row.against->only_first},
                          {"only_other_right", row.against->only_second},
                          {"mcnemar_p", row.against->p_value}};
    add_energy(entry, row.energy, row.coverage);
    root["evaluations"].push_back(std::move(entry));
  }
  return root.dump(1) + "\n";
}

std::string confusion_text(const EvaluationReport& result, const std::vector<std::string>& classes,
                           bool color) {
  std::vector<std::string> header = {"label \\ predicted"};
  header.insert(header.end(), classes.begin(), classes.end());
  cli::TextTable table(header, "l" + std::string(classes.size(), 'r'));
  for (std::size_t r = 0; r < classes.size(); ++r) {
    std::vector<std::string> cells = {classes[r]};
    for (const std::int64_t count : result.confusion.row(r)) cells.push_back(std::to_string(count));
    table.row(cells);
  }
  return table.render(color);
}

std::string as_table(const Session& session, const std::vector<EvaluationRow>& rows,
                     const std::vector<std::string>& classes) {
  const bool color = cli::use_color(session, session.io.out_is_tty);
  const bool compared = rows.front().against.has_value();
  std::vector<std::string> header = {"multiplier", "mode",    "images", "top-1 %",
                                     "± SE",       "top-5 %", "loss",   "energy"};
  if (compared) header.insert(header.end(), {"difference pp", "± SE", "McNemar p"});
  cli::TextTable table(header, "ll" + std::string(header.size() - 2, 'r'));
  for (const EvaluationRow& row : rows) {
    std::vector<std::string> cells = {
        row.name.empty() ? "–" : row.name,
        row.mode,
        std::to_string(row.result.images),
        cli::fixed(100 * row.result.top1, 2),
        cli::fixed(100 * top1_error(row.result), 2),
        cli::fixed(100 * row.result.top5, 2),
        cli::fixed(row.result.loss, 4),
        std::isnan(row.energy) ? "–" : energy_figure(row.energy, row.coverage)};
    if (compared)
      cells.insert(cells.end(), {cli::fixed(100 * row.against->difference, 2),
                                 cli::fixed(100 * row.against->standard_error, 2),
                                 cli::short_number(row.against->p_value)});
    table.row(cells);
  }
  std::string text = table.render(color);
  if (const std::string share = coverage_sentence(rows.front().coverage); !share.empty())
    text += "energy: " + share + "\n";
  if (session.args.has("confusion"))
    for (const EvaluationRow& row : rows) text += "\n" + confusion_text(row.result, classes, color);
  return text;
}

std::string as_csv(const std::vector<EvaluationRow>& rows) {
  std::string text = "name,mode,images,top1,top1_standard_error,top5,loss,relative_energy," +
                     std::string(kCoverageColumns) + "\n";
  for (const EvaluationRow& row : rows)
    text += '"' + row.name + "\"," + row.mode + ',' + std::to_string(row.result.images) + ',' +
            cli::fixed(row.result.top1, 8, "NaN") + ',' +
            cli::fixed(top1_error(row.result), 8, "NaN") + ',' +
            cli::fixed(row.result.top5, 8, "NaN") + ',' + cli::fixed(row.result.loss, 8, "NaN") +
            ',' + cli::fixed(row.energy, 8, "NaN") + ',' +
            coverage_cells(row.energy, row.coverage) + '\n';
  return text;
}

// The arithmetic asked for; without --mode what multipliers and weights suggest.
std::string chosen_mode(const Session& session, const Job& job) {
  const bool has_multiplier = session.args.has("multiplier") || session.args.has("assignment");
  const bool ranges = std::all_of(job.network.layers.begin(), job.network.layers.end(),
                                  [](const auto& layer) { return layer->observer.seen; });
  std::string mode = session.args.text_or("mode", has_multiplier ? "approximate"
                                                  : ranges       ? "quantized"
                                                                 : "float");
  if (has_multiplier != (mode == "approximate"))
    throw UsageError(958, has_multiplier ? "--mode " + mode +
                                               " uses no multiplier; leave out --multiplier and "
                                               "--assignment"
                                         : "--mode approximate needs --multiplier or --assignment");
  return mode;
}

int evaluate_command_body(Session& session) {
  const cli::OutputTarget target = cli::output_target(session);
  Job job = prepare(session, DataPart::test);
  if (!has_weights(job))
    throw UsageError(959, "evaluate needs --weights FILE; without, the network is random");
  const std::string mode = chosen_mode(session, job);
  std::optional<EvaluationReport> other;
  if (const auto path = session.args.text("against")) other = read_evaluation(*path);
  if (mode != "float") quantize_network(job);
  if (session.args.has("reestimate-norms") && job.network.script)
    throw UsageError(987,
                     "--reestimate-norms is for built-in networks; a module's batch norms are "
                     "its own");
  if (session.args.has("reestimate-norms"))
    reestimate_norms(
        job.network, sample_images(job, NormOptions{}.images), job.normalisation,
        {NormOptions{}.images, job.options.batch, usual_augmentation(job.spec), job.options.seed});
  std::vector<EvaluationRow> rows;
  if (mode == "approximate") {
    for (const NamedAssignment& assignment : requested_assignments(session, job)) {
      apply_assignment(session, job, assignment.layers);
      rows.push_back(measure(session, job, assignment.name,
                             session.args.has("fold") ? "approximate, folded" : "approximate"));
    }
  } else {
    rows.push_back(measure(session, job, "", mode));
  }
  if (other)
    for (EvaluationRow& row : rows) row.against = compare_predictions(row.result, *other);
  const auto& classes = test_images(job).class_names;
  const std::string text = target.format == "json"  ? as_json(session, job, rows, classes)
                           : target.format == "csv" ? as_csv(rows)
                                                    : as_table(session, rows, classes);
  cli::write_output(session, target, text);
  return 0;
}

}  // namespace

cli::CommandSpec evaluate_command() {
  cli::CommandSpec spec;
  spec.name = "evaluate";
  spec.purpose = "Measure a network's accuracy in float, quantised or approximate arithmetic.";
  spec.examples = {
      {"axmul train evaluate resnet20 --data cifar10:DIR --weights resnet20.h5", "in float"},
      {"axmul train evaluate resnet20 --data cifar10:DIR --weights resnet20.h5 --library "
       "evoapprox/ --multiplier mul8u_2AC --fold",
       "every layer on one multiplier, its mean error folded into the biases"},
      {"axmul train evaluate resnet20 --data cifar10:DIR --weights w.h5 --mode quantized "
       "--against float.json",
       "the paired difference to an earlier evaluation written with -o float.json"}};
  spec.positionals = {network_positional()};
  spec.options = data_options();
  const auto add = [&](std::vector<cli::OptionSpec> more) {
    spec.options.insert(spec.options.end(), more.begin(), more.end());
  };
  add({{"mode",
        "MODE",
        "Arithmetic.",
        "approximate with multipliers, quantized where the weights have ranges, else float",
        false,
        {"float", "quantized", "approximate"}},
       {"against", "FILE", "Evaluation (JSON) to compare with, image by image."},
       {"confusion", "", "Print the confusion matrix too (it is always in JSON)."},
       {"reestimate-norms", "",
        "Take batch-norm statistics anew from " + std::to_string(NormOptions{}.images) +
            " training images."}});
  add(arithmetic_options());
  add(multiplier_options());
  add(cli::output_options({"table", "json", "csv"}));
  spec.notes =
      "The JSON holds every prediction, so two evaluations can be compared: the difference of "
      "their\n"
      "accuracies with its standard error, and McNemar's exact test. Energy is relative to exact\n"
      "multipliers; – where a multiplier's power is unknown, ≥ or ≤ where it is a bound because "
      "the\n"
      "network multiplies in calls that nobody can count. Sign logic is not counted.";
  spec.run = evaluate_command_body;
  return spec;
}

}  // namespace axmul::train
