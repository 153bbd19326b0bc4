// Sections of traces and runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/axes.hpp"
#include "plot/page.hpp"
#include "plot/report_parts.hpp"

namespace axmul::plot {

namespace {

std::string percent_text(double fraction, int digits = 4) {
  return std::isnan(fraction) ? "–" : figure_text(100 * fraction, digits) + " %";
}

std::string fact(const std::string& label, const std::string& value) {
  return value.empty() ? ""
                       : fmt::format("<dt>{}</dt><dd>{}</dd>\n", xml_text(label), xml_text(value));
}

/// Which share of the network's multiplications the energy speaks of.
std::string covered_text(const RunStory& run) {
  if (!std::isfinite(run.ops_covered) || run.ops_covered <= 0)
    return "not told by this record; the energy counts the multiplications of its layers";
  const double rest = std::isfinite(run.ops_not_covered) ? run.ops_not_covered : 0;
  std::string text = fmt::format("{} of the multiplications that are counted ({} of {} per image)",
                                 percent_text(run.ops_covered / (run.ops_covered + rest)),
                                 figure_text(run.ops_covered), figure_text(run.ops_covered + rest));
  if (std::isnan(run.calls_not_counted)) return text + "; whether others exist is not known";
  if (run.calls_not_counted > 0)
    text += fmt::format("; {} calls multiply nobody knows how often", run.calls_not_counted);
  return text;
}

std::string points_table(const RunStory& run) {
  std::vector<std::vector<std::string>> rows;
  for (const StoryPoint& p : run.points)
    rows.push_back({p.name + (p.chosen ? " (chosen)" : ""), p.method,
                    figure_text(p.relative_energy, 4), percent_text(p.report.top1),
                    std::isnan(p.report.difference)
                        ? "–"
                        : fmt::format("{:+.2f} ± {:.2f}", 100 * p.report.difference,
                                      100 * p.report.standard_error)});
  return html_table(
      "All points; the difference is to exact 8-bit arithmetic on the same images, "
      "with its standard error, in percentage points",
      {"point", "method", "relative energy", "accuracy", "difference"}, "llrrr", rows);
}

std::string layers_table(const StoryPoint& point) {
  std::vector<std::vector<std::string>> rows;
  for (const StoryLayer& l : point.layers)
    rows.push_back({l.layer, l.multiplier, figure_text(l.power_rel), figure_text(l.ops, 4),
                    figure_text(l.sigma_l), figure_text(l.sigma_compared),
                    figure_text(l.predicted_sigma, 4), figure_text(l.measured_sigma, 4)});
  return html_table("Layers of " + point.name,
                    {"layer", "multiplier", "power_rel", "multiplications", "σ_l tolerated",
                     "σ as matched", "σ predicted", "σ measured"},
                    "llrrrrrr", rows);
}

}  // namespace

std::string traces_section(const ReportTraces& traces) {
  std::string out = fmt::format("<section>\n<h2>Layers of {}</h2>\n", xml_text(traces.path));
  if (traces.ops_not_covered > 0)
    out += fmt::format("<p>{} of {} multiplications per image are in these layers.</p>\n",
                       figure_text(traces.ops_covered, 4),
                       figure_text(traces.ops_covered + traces.ops_not_covered, 4));
  std::vector<std::vector<std::string>> rows;
  for (const ReportLayer& l : traces.layers)
    rows.push_back({l.name, l.type, figure_text(l.fan_in), figure_text(l.out_channels),
                    figure_text(l.receptive_fields, 5), figure_text(l.ops, 4),
                    figure_text(l.output_std, 4)});
  out += html_table(
      "Traced layers",
      {"layer", "type", "K", "channels", "receptive fields", "multiplications", "output σ"},
      "llrrrrr", rows);
  if (!traces.predictions.values.empty())
    out += "<div class=\"pictures\">\n" + figure_html(layer_heatmap(traces.predictions), true) +
           "</div>\n";
  return out + "</section>\n";
}

std::string run_section(const RunStory& run, std::size_t index) {
  std::string out =
      fmt::format("<section id=\"run-{}\">\n<h2>Run of {}</h2>\n<dl class=\"facts\">\n", index,
                  xml_text(run.network));
  out += fact("data", run.data) + fact("schedule", run.schedule) + fact("encoding", run.encoding);
  out += fact("seed", std::isnan(run.seed) ? "" : fmt::format("{}", run.seed));
  out += fact("float accuracy", percent_text(run.float_report.top1));
  out += fact("8-bit accuracy",
              percent_text(run.quantized_report.top1) +
                  (run.quantized_report.images > 0 ? fmt::format(" on {} images that chose nothing",
                                                                 run.quantized_report.images)
                                                   : ""));
  out += fact("covered", covered_text(run)) + fact("energy", run.energy_counts);
  out += fact("cost", run.cost_source + (run.technology.empty() ? "" : ", " + run.technology));
  out += fact("record", run.path) + fact("made by", run.source) + fact("command", run.command);
  out += "</dl>\n";
  const StoryPoint* chosen = chosen_point(run);
  if (chosen != nullptr)
    out += fmt::format(
        "<p>Point <strong>{}</strong> needs {} of the exact multipliers' energy at {} "
        "accuracy{}.</p>\n",
        xml_text(chosen->name), percent_text(chosen->relative_energy),
        percent_text(chosen->report.top1),
        std::isnan(chosen->report.difference)
            ? "; its difference from exact 8-bit arithmetic was not measured"
            : fmt::format(", {:+.2f} ± {:.2f} percentage points from exact 8-bit arithmetic",
                          100 * chosen->report.difference, 100 * chosen->report.standard_error));
  out += "<div class=\"pictures\">\n" + figure_html(run_energy(run), true);
  if (chosen != nullptr && !chosen->layers.empty()) out += figure_html(run_layers(run));
  if (!run.epochs.empty() || (chosen != nullptr && !chosen->epochs.empty()))
    out += figure_html(run_curves(run));
  out += "</div>\n" + points_table(run);
  if (chosen != nullptr && !chosen->layers.empty()) out += layers_table(*chosen);
  return out + "</section>\n";
}

}  // namespace axmul::plot
