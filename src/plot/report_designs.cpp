// Sections of designs: identity, cost, figures under each distribution, pictures.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/tables/characterization.hpp"
#include "plot/axes.hpp"
#include "plot/colors.hpp"
#include "plot/page.hpp"
#include "plot/report_parts.hpp"

namespace axmul::plot {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string facts_html(const Facts& facts) {
  std::string out = "<dl class=\"facts\">\n";
  for (const auto& [label, value] : facts)
    if (!value.empty())
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", xml_text(label), xml_text(value));
  return out + "</dl>\n";
}

std::string cost_text(const Cost& cost) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (std::isfinite(cost.power_rel))
    add(fmt::format("power_rel {} (power over that of the exact multiplier)",
                    figure_text(cost.power_rel)));
  if (std::isfinite(cost.power_mw)) add(figure_text(cost.power_mw) + " mW");
  if (std::isfinite(cost.area_um2)) add(figure_text(cost.area_um2) + " µm²");
  if (std::isfinite(cost.delay_ns)) add(figure_text(cost.delay_ns) + " ns");
  if (text.empty()) return "not known";
  return text + "; " + cost.source + (cost.technology.empty() ? "" : ", " + cost.technology);
}

Facts identity(const Multiplier& m) {
  const Provenance& p = m.provenance;
  Facts facts{
      {"operand type", std::string(to_string(m.lut.type()))},
      {"SHA-256", m.lut.sha256()},
      {"operands swapped",
       m.lut.sha256() == m.lut.sha256_swapped() ? "the same function" : m.lut.sha256_swapped()},
      {"file", p.source_file},
      {"generator", p.generator},
      {"format", p.format},
      {"source", p.reference},
      {"cost", cost_text(m.cost)}};
  if (!p.source_file.empty())
    facts.push_back(
        {"read as", std::string("operand ") + (p.order == OperandOrder::ab ? "a" : "b") +
                        " first, " +
                        (p.index == OperandIndex::value ? "ascending by value" : "by bits")});
  facts.push_back({"warning", p.warning});
  return facts;
}

/// Figures down, distributions across, what each means behind.
std::string metrics_table(const ReportDesign& design) {
  std::vector<std::string> header{"figure"};
  std::string alignment = "l";
  for (const DesignFigures& f : design.figures) {
    header.push_back(f.a == f.b ? f.a : "a ~ " + f.a + ", b ~ " + f.b);
    alignment += 'r';
  }
  header.emplace_back("meaning");
  alignment += 'w';
  std::vector<std::vector<std::string>> rows;
  for (const MetricField& field : metric_fields()) {
    // mred and wcre are one of the two conventions, which both stand below.
    if (field.name == "mred" || field.name == "wcre") continue;
    std::vector<std::string> row{std::string(field.name)};
    bool is_known = false;
    for (const DesignFigures& f : design.figures) {
      const double value = output_figure(field, f.report.metrics);
      is_known |= std::isfinite(value);
      row.push_back(field.is_integer && std::isfinite(value) ? fmt::format("{:.0f}", value)
                                                             : figure_text(value, 5));
    }
    if (!is_known) continue;
    row.push_back(std::string(field.definition) + (field.units == "1" || field.units.empty()
                                                       ? ""
                                                       : " [" + std::string(field.units) + "]"));
    rows.push_back(std::move(row));
  }
  return html_table("Error figures; e = approximate − exact", header, alignment, rows);
}

/// The errors for the pointer: int32, little-endian, zlib, base64.
std::string packed_errors(const ErrorMap& errors) {
  std::string bytes;
  for (const std::int32_t e : errors.values())
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(static_cast<std::uint32_t>(e) >> shift & 0xff);
  std::string packed(compressBound(static_cast<uLong>(bytes.size())), '\0');
  uLongf length = static_cast<uLongf>(packed.size());
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()),
                6) != Z_OK)
    throw InternalError("zlib cannot compress errors");
  packed.resize(length);
  return fmt::format("<script type=\"text/plain\" data-a=\"{}\" data-b=\"{}\">{}</script>\n",
                     a_min(errors.type()), b_min(errors.type()), base64(packed));
}

/// Mean errors of 4 × 4 operand pairs, the largest a on top, as an image of 64 × 64.
std::string small_png(const ErrorMap& errors) {
  constexpr std::size_t kSide = 64, kBlock = kOperandCount / kSide;
  std::vector<double> means(kSide * kSide, 0);
  const auto values = errors.values();
  double most = 0;
  for (std::size_t a = 0; a < kOperandCount; ++a)
    for (std::size_t b = 0; b < kOperandCount; ++b)
      means[(kSide - 1 - a / kBlock) * kSide + b / kBlock] +=
          values[a * kOperandCount + b] / static_cast<double>(kBlock * kBlock);
  for (const double mean : means) most = std::max(most, std::abs(mean));
  std::vector<Rgb> palette;
  for (int i = -31; i <= 31; ++i) palette.push_back(diverging_color(i / 31.0));
  std::vector<std::uint8_t> pixels;
  for (const double mean : means)
    pixels.push_back(static_cast<std::uint8_t>(31 + std::lround(most > 0 ? 31 * mean / most : 0)));
  return palette_png(kSide, kSide, pixels, palette);
}

}  // namespace

std::string figure_html(const Picture& picture, bool zoom, const std::string& inside) {
  return fmt::format("<figure{}>\n{}{}</figure>\n", zoom ? " data-zoom" : "", inline_svg(picture),
                     inside);
}

std::string design_section(const ReportDesign& design, std::size_t index) {
  const Multiplier& m = design.multiplier;
  std::string out =
      fmt::format("<section id=\"design-{}\">\n<h2>{}</h2>\n", index, xml_text(m.name)) +
      facts_html(identity(m)) + metrics_table(design);
  const ErrorMap errors(m.lut);
  out += "<div class=\"pictures\">\n";
  for (std::size_t i = 0; i < design.figures.size(); ++i) {
    const DesignFigures& f = design.figures[i];
    if (i == 0) out += figure_html(heatmap(f, errors), true, packed_errors(errors));
    out += figure_html(pmf(f)) + figure_html(conditional(f));
    if (i == 0) out += figure_html(bits(f));
  }
  return out + "</div>\n</section>\n";
}

std::string small_maps(const std::vector<ReportDesign>& designs) {
  std::string out =
      "<section id=\"maps\">\n<h2>Error maps</h2>\n<p>Operand a upwards, b to the right, means of "
      "4 "
      "× 4 pairs; red above the exact product, blue below, each map in its own range.</p>\n"
      "<div class=\"pictures small\">\n";
  for (const ReportDesign& d : designs) {
    const ErrorMetrics& metrics = d.figures.front().report.metrics;
    out += fmt::format(
        "<figure><img alt=\"error map of {0}\" width=\"64\" height=\"64\" "
        "src=\"data:image/png;base64,{1}\"><figcaption>{0}<br>MAE {2}, WCE {3}</figcaption>"
        "</figure>\n",
        xml_text(d.multiplier.name), base64(small_png(ErrorMap(d.multiplier.lut))),
        figure_text(metrics.mae), metrics.wce);
  }
  return out + "</div>\n</section>\n";
}

}  // namespace axmul::plot
