// axmul train pareto: points of one or more runs, and which of them no other beats.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/model/pareto.hpp"
#include "cli_train/commands.hpp"
#include "command/output.hpp"
#include "io/json.hpp"
#include "tables/coverage_output.hpp"
#include "train/flow/run_record.hpp"

namespace axmul::train {
namespace {

using cli::Session;

struct PointRow {
  std::string run;
  RunPoint point;
  Coverage coverage;         // of its run
  ParetoPlace overall, own;  // among all points, and among those of the same method, model and rule
};

std::string record_path(const std::string& text) {
  const bool folder = std::filesystem::is_directory(text);
  return folder ? text + "/run.json" : text;
}

std::string origin(const RunReport& r) {
  return (r.cost_source.empty() ? "unknown" : r.cost_source) + ", " +
         (r.technology.empty() ? "unknown" : r.technology);
}

// Energies count as relative to one exact multiplier: those of different costs do not compare, nor
// do accuracies on different images.
void check_comparable(const std::string& first_path, const RunReport& first,
                      const std::string& path, const RunReport& other) {
  if (origin(first) != origin(other))
    throw InputError(988, {path},
                     "has costs of another origin (" + origin(other) + ") than " + first_path +
                         " (" + origin(first) + "); energies of the two do not compare");
  if (first.network != other.network || first.data != other.data ||
      first.quantized_report.images != other.quantized_report.images)
    throw InputError(988, {path},
                     "is of another network or other test images (" + other.network + " on " +
                         other.data + ") than " + first_path);
}

const Accuracy& figures(const RunPoint& p, bool selection) {
  return selection ? p.selection : p.report;
}

bool same_kind(const RunPoint& x, const RunPoint& y) {
  return x.method == y.method && x.model == y.model && x.rule == y.rule;
}

void place(std::vector<PointRow>& rows, bool selection) {
  std::vector<ParetoPoint> all;
  for (const PointRow& row : rows)
    all.push_back({row.point.energy, -figures(row.point, selection).difference});
  const auto places = pareto(all);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].overall = places[i];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<ParetoPoint> same;
    std::size_t me = 0;
    for (std::size_t j = 0; j < rows.size(); ++j)
      if (same_kind(rows[j].point, rows[i].point)) {
        if (j == i) me = same.size();
        same.push_back(all[j]);
      }
    rows[i].own = pareto(same)[me];
  }
}

std::string as_json(const std::vector<PointRow>& rows, const RunReport& first, bool selection) {
  Json j{{"schema", "axmul.train-pareto/1"},
         {"source", source_text()},
         {"network", first.network},
         {"data", first.data},
         {"cost_source", first.cost_source},
         {"technology", first.technology},
         {"images", figures(rows.front().point, selection).images},
         {"points", Json::array()}};
  for (const PointRow& row : rows) {
    const Accuracy& a = figures(row.point, selection);
    Json entry{{"run", row.run},
               {"name", row.point.name},
               {"method", row.point.method},
               {"model", row.point.model},
               {"rule", row.point.rule},
               {"lambda", number(row.point.lambda)},
               {"top1", number(a.top1)},
               {"difference", number(a.difference)},
               {"standard_error", number(a.standard_error)},
               {"on_front", row.overall.comparable && row.overall.rank == 1},
               {"on_own_front", row.own.comparable && row.own.rank == 1},
               {"dominators", row.overall.dominators}};
    entry["dominated_by"] = row.overall.dominated_by == ParetoPlace::npos
                                ? Json()
                                : Json(rows[row.overall.dominated_by].point.name);
    add_energy(entry, row.point.energy, row.coverage);
    j["points"].push_back(std::move(entry));
  }
  return j.dump(1) + "\n";
}

std::string as_csv(const std::vector<PointRow>& rows, bool selection) {
  std::string text = "run,name,method,model,rule,lambda,relative_energy," +
                     std::string(kCoverageColumns) +
                     ",top1,difference,standard_error,on_front,on_own_front\n";
  for (const PointRow& row : rows) {
    const Accuracy& a = figures(row.point, selection);
    text += '"' + row.run + "\",\"" + row.point.name + "\"," + row.point.method + ',' +
            row.point.model + ',' + row.point.rule + ',' + cli::fixed(row.point.lambda, 6, "NaN") +
            ',' + cli::fixed(row.point.energy, 8, "NaN") + ',' +
            coverage_cells(row.point.energy, row.coverage) + ',' + cli::fixed(a.top1, 8, "NaN") +
            ',' + cli::fixed(a.difference, 8, "NaN") + ',' +
            cli::fixed(a.standard_error, 8, "NaN") + ',' + (row.overall.rank == 1 ? "1" : "0") +
            ',' + (row.own.rank == 1 ? "1" : "0") + '\n';
  }
  return text;
}

// Whose multiplications the energies speak of: once for each answer.
std::string coverage_lines(const std::vector<PointRow>& rows) {
  std::vector<std::string> lines;
  for (const PointRow& row : rows) {
    std::string line = coverage_sentence(row.coverage);
    if (!line.empty() && std::find(lines.begin(), lines.end(), line) == lines.end())
      lines.push_back(std::move(line));
  }
  std::string text;
  for (const std::string& line : lines) text += "energy: " + line + "\n";
  return text;
}

std::string as_table(const std::vector<PointRow>& rows, bool selection, bool color) {
  cli::TextTable table({"front", "point", "method", "model", "rule", "energy", "saved %", "top-1 %",
                        "difference pp", "± SE", "dominated by"},
                       "lllllrrrrrl");
  for (const PointRow& row : rows) {
    const Accuracy& a = figures(row.point, selection);
    const std::string by = row.overall.dominated_by == ParetoPlace::npos
                               ? ""
                               : rows[row.overall.dominated_by].point.name;
    table.row({row.overall.rank == 1 ? "*"
               : row.own.rank == 1   ? "+"
                                     : "",
               row.point.name, row.point.method, row.point.model, row.point.rule,
               energy_figure(row.point.energy, row.coverage),
               saving_figure(row.point.energy, row.coverage), cli::fixed(100 * a.top1, 2),
               cli::fixed(100 * a.difference, 2), cli::fixed(100 * a.standard_error, 2), by});
  }
  return table.render(color) +
         "* on the front of all points, + on that of its method, model and rule; " +
         std::to_string(figures(rows.front().point, selection).images) +
         " images, differences to the 8-bit network\n" + coverage_lines(rows);
}

int pareto_command_body(Session& session) {
  const cli::OutputTarget target = cli::output_target(session);
  const bool selection = session.args.text_or("images", "report") == "selection";
  std::vector<PointRow> rows;
  std::optional<RunReport> first;
  std::string first_path;
  for (const std::string& text : session.args.positional(0)) {
    const std::string path = record_path(text);
    RunReport record = run_record_from_json(read_file(path), path);
    if (first)
      check_comparable(first_path, *first, path, record);
    else
      first_path = path;
    for (RunPoint& point : record.points)
      rows.push_back({text, std::move(point), record.coverage, {}, {}});
    record.points.clear();
    if (!first) first = std::move(record);
  }
  if (rows.empty()) throw InputError(989, {first_path}, "has no points yet");
  std::stable_sort(rows.begin(), rows.end(), [](const PointRow& x, const PointRow& y) {
    return x.point.energy > y.point.energy;
  });
  place(rows, selection);
  const bool color = target.is_stdout() && cli::use_color(session, session.io.out_is_tty);
  cli::write_output(session, target,
                    target.format == "json"  ? as_json(rows, *first, selection)
                    : target.format == "csv" ? as_csv(rows, selection)
                                             : as_table(rows, selection, color));
  return 0;
}

}  // namespace

cli::CommandSpec pareto_command() {
  cli::CommandSpec spec;
  spec.name = "pareto";
  spec.purpose = "Energy against accuracy of the points of runs, and which of them no other beats.";
  spec.examples = {{"axmul train pareto runs/2026-01-31-resnet20", "the points of one run"},
                   {"axmul train pareto runs/a runs/b -o front.csv", "of two, as CSV"}};
  spec.positionals = {{"RUN", "Folder of a run, or its run.json.", 1, cli::kMany}};
  spec.options = {{"images",
                   "WHICH",
                   "Test images whose figures count.",
                   "report",
                   false,
                   {"report", "selection"}}};
  for (cli::OptionSpec& option : cli::output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  spec.notes =
      "Runs compare only with costs of the same source and technology, and on the same images. "
      "Energies\nwith ≥ or ≤ are bounds: the network multiplies in calls that nobody can count.";
  spec.run = pareto_command_body;
  return spec;
}

}  // namespace axmul::train
