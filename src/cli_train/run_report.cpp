// The report of a run as text.
#include "cli_train/run_report.hpp"

#include <cmath>
#include <cstdio>

#include "command/output.hpp"
#include "train/flow/run_record.hpp"

namespace axmul::train {
namespace {

std::string signed_points(double fraction) {
  if (std::isnan(fraction)) return "–";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%+.2f", 100 * fraction);
  return buffer;
}

std::string point_table(const RunReport& record, bool color) {
  cli::TextTable table({"", "point", "model", "rule", "energy", "saved %", "selection pp",
                        "report pp", "± SE", "top-1 %", "σ in interval"},
                       "llllrrrrrrr");
  for (const RunPoint& p : record.points) {
    const IntervalShare share = interval_share(p);
    table.row({p.chosen ? "*" : "", p.name, p.model, p.rule,
               energy_figure(p.energy, record.coverage), saving_figure(p.energy, record.coverage),
               signed_points(p.selection.difference), signed_points(p.report.difference),
               cli::fixed(100 * p.report.standard_error, 2), cli::fixed(100 * p.report.top1, 2),
               std::to_string(share.inside) + "/" + std::to_string(share.of)});
  }
  return table.render(color);
}

std::string layer_table(const RunPoint& point, const Coverage& coverage, bool color) {
  const double ops = coverage.ops_covered + coverage.ops_not_covered;
  cli::TextTable table({"layer", "multiplier", "power", "share of ops", "σ_l", "σ of multiplier",
                        "σ predicted", "σ measured"},
                       "llrrrrrr");
  for (const PointLayer& l : point.layers)
    table.row({l.layer, l.is_exact() ? "exact" : l.multiplier, cli::fixed(l.power_rel, 3),
               cli::percent(l.ops / ops), cli::fixed(l.sigma_l, 3), cli::fixed(l.sigma_compared, 3),
               cli::short_number(l.predicted_sigma), cli::short_number(l.measured_sigma)});
  if (coverage.ops_not_covered > 0)
    table.row({"(in no layer)", "exact", "1.000", cli::percent(coverage.share_not_covered()), "–",
               "–", "–", "–"});
  return table.render(color);
}

}  // namespace

std::string report_text(const RunReport& r, bool color) {
  std::string text;
  if (r.schedule == "short") text += "schedule short: a first look, not the reference\n";
  text += "float " + cli::fixed(100 * r.float_report.top1, 2) + " %, 8 bit " +
          cli::fixed(100 * r.quantized_report.top1, 2) + " % of " +
          std::to_string(r.quantized_report.images) + " test images; points are chosen on " +
          std::to_string(r.quantized_selection.images) +
          " others.\nDifferences are to the 8-bit network, image by image.\n\n";
  text += point_table(r, color);
  if (const std::string share = coverage_sentence(r.coverage); !share.empty())
    text += "energy: " + share + "\n";
  IntervalShare all;
  for (const RunPoint& p : r.points) {
    const IntervalShare share = interval_share(p);
    all.inside += share.inside;
    all.of += share.of;
  }
  if (all.of > 0)
    text += "measured σ within the model's 95 % interval: " + std::to_string(all.inside) + " of " +
            std::to_string(all.of) + " (" +
            cli::percent(static_cast<double>(all.inside) / static_cast<double>(all.of)) + ")\n";
  const RunPoint* chosen = chosen_point(r);
  if (chosen == nullptr)
    return text + "no search point loses at most " + signed_points(r.max_loss).substr(1) +
           " pp on the selection images\n";
  text += "\nchosen: " + chosen->name + ", " + signed_points(chosen->report.difference) + " ± " +
          cli::fixed(100 * chosen->report.standard_error, 2) +
          " pp\nmultiplications: " + energy_sentence(chosen->energy, r.coverage) + " (costs " +
          r.cost_source + (r.technology.empty() ? "" : ", " + r.technology) +
          "; sign logic is not counted)\nrise of the loss before retraining: predicted " +
          cli::fixed(chosen->loss_rise, 4) + ", tolerated " + cli::fixed(chosen->loss_budget, 4) +
          "\n";
  return text + layer_table(*chosen, r.coverage, color);
}

}  // namespace axmul::train
