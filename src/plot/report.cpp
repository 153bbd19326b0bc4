// The page around the sections.
#include "axmul/plot/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "axmul/core/version.hpp"
#include "plot/axes.hpp"
#include "plot/page.hpp"
#include "plot/report_parts.hpp"

namespace axmul::plot {

std::string html_table(const std::string& caption, const std::vector<std::string>& header,
                       const std::string& alignment,
                       const std::vector<std::vector<std::string>>& rows) {
  const auto cls = [&](std::size_t column) {
    return alignment[column] == 'r'   ? " class=\"r\""
           : alignment[column] == 'w' ? " class=\"wrap\""
                                      : "";
  };
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">\n<table>\n"
      "<caption>{0}</caption>\n<thead><tr>",
      xml_text(caption));
  for (std::size_t c = 0; c < header.size(); ++c)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", cls(c), xml_text(header[c]));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c)
      out += c == 0 ? fmt::format("<th scope=\"row\">{}</th>", xml_text(row[c]))
                    : fmt::format("<td{}>{}</td>", cls(c), xml_text(row[c]));
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n</div>\n";
}

namespace {

std::string summary_table(const ReportInput& input) {
  std::vector<std::vector<std::string>> rows;
  for (const ReportDesign& d : input.designs) {
    const ErrorMetrics& m = d.figures.front().report.metrics;
    rows.push_back({d.multiplier.name, std::string(to_string(d.multiplier.lut.type())),
                    figure_text(m.mae, 4), figure_text(m.mae_pct_fullscale, 3),
                    fmt::format("{}", m.wce), figure_text(100 * m.error_rate, 4),
                    figure_text(100 * m.mred_exclude_zero, 3), figure_text(m.bias, 4),
                    figure_text(m.error_std, 4), figure_text(d.multiplier.cost.power_rel, 3)});
  }
  const DesignFigures& first = input.designs.front().figures.front();
  return html_table("Operands: a ~ " + first.a + ", b ~ " + first.b,
                    {"design", "type", "MAE", "MAE, % of 2¹⁶", "WCE", "EP, %", "MRED, %", "bias",
                     "σ", "power_rel"},
                    "llrrrrrrrr", rows);
}

std::string navigation(const ReportInput& input, bool in_full) {
  std::string out = "<nav aria-label=\"Contents\"><ul>\n";
  const auto link = [&](const std::string& target, const std::string& text) {
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", target, xml_text(text));
  };
  if (!input.designs.empty()) link("designs", "Designs");
  if (!input.front.empty()) link("front", "Pareto front");
  if (in_full)
    for (std::size_t i = 0; i < input.designs.size(); ++i)
      link(fmt::format("design-{}", i), input.designs[i].multiplier.name);
  else if (!input.designs.empty())
    link("maps", "Error maps");
  for (std::size_t i = 0; i < input.runs.size(); ++i)
    link(fmt::format("run-{}", i), "Run of " + input.runs[i].network);
  return out + "</ul></nav>\n";
}

std::string designs_overview(const ReportInput& input) {
  std::string out =
      "<section id=\"designs\">\n<h2>Designs</h2>\n<p>Error e = approximate − exact; MAE, WCE: "
      "mean "
      "and largest |e|; EP: how often e ≠ 0; MRED: mean of |e| over the exact product where that "
      "is "
      "not 0; power_rel: power over that of the exact multiplier of the same source and technology "
      "(above 1: costs more than the exact one).</p>\n" +
      summary_table(input);
  if (input.designs.size() > 1 && input.designs.size() <= kMostCompared) {
    std::vector<DesignFigures> figures;
    for (const ReportDesign& d : input.designs) figures.push_back(d.figures.front());
    out += "<div class=\"pictures\">\n" + figure_html(compare(figures)) + "</div>\n";
  }
  return out + "</section>\n";
}

std::string front_section(const ReportInput& input) {
  std::string out = "<section id=\"front\">\n<h2>Pareto front</h2>\n<div class=\"pictures\">\n" +
                    figure_html(pareto_front(input.front, input.front_x, input.front_y), true) +
                    "</div>\n";
  std::vector<std::vector<std::string>> rows;
  for (const FrontPoint& p : input.front)
    if (p.on_front || (p.is_own && input.designs.size() <= kMostInFull))
      rows.push_back({p.name, figure_text(p.x, 4), figure_text(p.y, 4),
                      p.on_front ? "on the front" : "dominated", p.is_own ? "" : "library"});
  std::ranges::sort(rows, {}, [](const auto& row) { return row[0]; });
  return out +
         html_table("Designs on the front, and those of this report",
                    {"design", input.front_x, input.front_y, "place", "from"}, "lrrll", rows) +
         "</section>\n";
}

}  // namespace

std::string report_page(const ReportInput& input) {
  const bool in_full = input.designs.size() <= kMostInFull;
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#content\">To the content</a>\n"
      "<header>\n<h1>{0}</h1>\n<p class=\"soft\">{2}, axmul {3}</p>\n{4}</header>\n"
      "<main id=\"content\">\n",
      xml_text(input.title), kPageStyle, xml_text(input.date), std::string(version()),
      navigation(input, in_full));
  if (!input.designs.empty()) out += designs_overview(input);
  if (!input.front.empty()) out += front_section(input);
  if (in_full)
    for (std::size_t i = 0; i < input.designs.size(); ++i)
      out += design_section(input.designs[i], i);
  else
    out += small_maps(input.designs);
  for (const ReportTraces& traces : input.traces) out += traces_section(traces);
  for (std::size_t i = 0; i < input.runs.size(); ++i) out += run_section(input.runs[i], i);
  return out + fmt::format(
                   "</main>\n<footer><p>Made by <code>{}</code></p></footer>\n"
                   "<script>{}</script>\n</body>\n</html>\n",
                   xml_text(input.command), kPageScript);
}

}  // namespace axmul::plot
