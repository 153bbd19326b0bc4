// axmul report: one page about designs, traces and runs.
#include "axmul/plot/report.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/plot_data.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

/// What each text on the command line is.
struct Subjects {
  std::vector<std::string> designs, traces, runs;
};

Subjects sorted(const std::vector<std::string>& texts) {
  Subjects subjects;
  for (const std::string& text : texts) {
    const bool is_file = std::filesystem::is_regular_file(text);
    if (plot::is_run(text))
      subjects.runs.push_back(text);
    else if (is_file && TraceFile::is_one(text))
      subjects.traces.push_back(text);
    else
      subjects.designs.push_back(text);
  }
  return subjects;
}

std::vector<plot::ReportDesign> report_designs(Session& session, const DesignList& list,
                                               const CharacterizationOptions& options,
                                               UnreadDesigns& unread) {
  CharacterizationOptions run = options;
  if (list.designs.size() > 1)
    run.failed = [&](const DesignRef& design, const Error& why) { unread.add(design, why); };
  const DistributionSet distributions(run);
  std::vector<plot::ReportDesign> designs;
  std::vector<std::string> other_widths;
  ProgressBar bar(session, "characterizing");
  characterize_designs(
      list.designs, run, distributions,
      [&](const Characterization& c) {
        plot::ReportDesign design{c.multiplier, {}};
        if (!c.multiplier.lut.is_8x8()) {
          if (list.designs.size() == 1) require_8x8(c.multiplier.lut, "reports take");
          other_widths.push_back(c.multiplier.name);
          return;
        }
        const OperandType type = c.multiplier.lut.type();
        for (std::size_t i = 0; i < c.reports.size(); ++i) {
          const ResolvedDistribution& d = distributions.of(type)[i];
          design.figures.push_back({c.multiplier.name, type, d.text_a, d.text_b, c.reports[i]});
        }
        designs.push_back(std::move(design));
      },
      bar.callback());
  if (!other_widths.empty())
    warn(session,
         "left out, because reports take multipliers of 8x8 bits: " + first_few(other_widths));
  return designs;
}

/// Layers as the models take them; the tables of the report and of --against as multipliers.
plot::ReportTraces report_traces(Session& session, const std::string& path,
                                 const std::vector<Multiplier>& multipliers) {
  const TraceFile file(path);
  plot::ReportTraces traces{path, {}, 0, file.ops_not_covered(), {}};
  std::vector<LayerOperands> layers;
  for (const LayerOperands& layer : read_traces(path))
    layers.push_back(recode(layer, Encoding::sign_magnitude));
  for (const LayerOperands& l : layers) {
    traces.layers.push_back({l.name, std::string(to_string(l.type)), static_cast<double>(l.fan_in),
                             static_cast<double>(l.out_channels),
                             static_cast<double>(l.patch_count), l.ops, l.output_std});
    traces.ops_covered += l.ops;
  }
  if (!multipliers.empty()) traces.predictions = predicted_matrix(session, layers, multipliers);
  return traces;
}

std::string date_text() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t now = epoch != nullptr
                              ? static_cast<std::time_t>(std::strtoll(epoch, nullptr, 10))
                              : std::time(nullptr);
  char text[32];
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

std::string title_text(const plot::ReportInput& input, const Subjects& subjects) {
  if (input.designs.size() == 1) return "Multiplier " + input.designs.front().multiplier.name;
  if (input.designs.empty() && input.runs.size() == 1)
    return "Run of " + input.runs.front().network;
  if (input.designs.empty() && input.traces.size() == 1)
    return "Traces " + std::filesystem::path(subjects.traces.front()).filename().string();
  return std::to_string(input.designs.size()) + " multipliers";
}

int run_report(Session& session) {
  OutputTarget target = output_target(session);
  const Subjects subjects = sorted(session.args.positional(0));
  const CharacterizationOptions options = characterization_options(session);
  plot::ReportInput input;
  UnreadDesigns unread;
  if (!subjects.designs.empty()) {
    input.designs =
        report_designs(session, session_designs(session, subjects.designs), options, unread);
    unread.say(session, input.designs.size());
  }
  std::vector<Multiplier> multipliers;
  for (const plot::ReportDesign& d : input.designs) multipliers.push_back(d.multiplier);
  std::vector<Multiplier> behind;
  if (const auto library = session.args.text("against")) {
    for (DesignRef& ref : session_designs(session, {*library}).designs) {
      behind.push_back(ref.load());
      behind.back().name = ref.name;
    }
  }
  if (input.designs.size() + behind.size() > 1 && !input.designs.empty() &&
      options.distributions.size() == 1) {
    const Axis x = axis(session, "x", "power_rel"), y = axis(session, "y", "mae");
    try {
      input.front = front_points(session, x, y, subjects.designs);
      input.front_x = axis_title(x.name);
      input.front_y = axis_title(y.name);
    } catch (const InputError& why) {
      if (why.id() != 1031) throw;
      warn(session, std::string("no Pareto front: ") + why.what());
    }
  }
  multipliers.insert(multipliers.end(), behind.begin(), behind.end());
  for (const std::string& path : subjects.traces)
    input.traces.push_back(report_traces(session, path, multipliers));
  for (const std::string& path : subjects.runs) input.runs.push_back(plot::read_run_story(path));
  input.title = session.args.text_or("title", title_text(input, subjects));
  input.command = session.command_line;
  input.date = date_text();
  write_output(session, target, plot::report_page(input));
  return unread.exit_code();
}

}  // namespace

CommandSpec report_command() {
  CommandSpec spec;
  spec.name = "report";
  spec.purpose =
      "Write one HTML page about designs, libraries, traces or runs: figures, pictures, where they "
      "stand.";
  spec.examples = {{"axmul report mine.csv --against luts/axmul-library.h5 -o report.html",
                    "a table of your own beside the shipped library"},
                   {"axmul report luts/axmul-library.h5 -o library.html", "a whole library"},
                   {"axmul report runs/lenet5 -o run.html", "what axmul train run found"}};
  spec.positionals = {{"SUBJECT",
                       "designs as everywhere (table, circuit, folder, axmul HDF5 file, generator "
                       "text), trace files, folders of runs or their run.json",
                       1, kMany}};
  spec.options = output_options({"html"});
  spec.options.push_back({"title", "TEXT", "Title of the page.", "what it is about"});
  spec.options.push_back(
      {"against", "LIBRARY",
       "Show where the designs stand in that library; with traces, predict its errors there."});
  for (OptionSpec& option : standing_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : distribution_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "The page needs no other file and no network. Up to 8 designs have all pictures; of more "
      "there\nis a table, the front and a small error map each.";
  spec.run = run_report;
  return spec;
}

}  // namespace axmul::cli
