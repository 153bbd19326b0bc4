// Characterisations as JSON and CSV, driven by metric_fields().
#include <charconv>
#include <cmath>

#include "axmul/core/version.hpp"
#include "axmul/tables/characterization.hpp"
#include "io/json.hpp"

namespace axmul {

namespace {

Json metrics_json(const ErrorMetrics& metrics) {
  Json json;
  for (const MetricField& field : metric_fields()) {
    const double value = output_figure(field, metrics);
    if (field.is_integer && std::isfinite(value))
      json[std::string(field.name)] = static_cast<std::int64_t>(value);
    else
      json[std::string(field.name)] = number(value);
  }
  Json bits = Json::array();
  for (double rate : metrics.bit_flip_rate) bits.push_back(number(rate));
  json["bit_flip_rate"] = std::move(bits);
  return json;
}

Json figures_json(const CharacterizationRow::Figures& figures) {
  Json json{{"a", figures.a}, {"b", figures.b}, {"metrics", metrics_json(figures.metrics)}};
  Json quantiles = Json::array();
  for (const Quantile& q : figures.quantiles)
    quantiles.push_back(
        Json{{"level", q.level}, {"error", number(q.error)}, {"abs_error", number(q.abs_error)}});
  json["quantiles"] = std::move(quantiles);
  return json;
}

Json row_json(const CharacterizationRow& row) {
  Json json{{"name", row.name}, {"sha256", row.sha256}, {"type", to_string(row.type)}};
  json["cost"] = Json{{"power_mw", number(row.cost.power_mw)},
                      {"area_um2", number(row.cost.area_um2)},
                      {"delay_ns", number(row.cost.delay_ns)},
                      {"power_rel", number(row.cost.power_rel)},
                      {"source", row.cost.source},
                      {"technology", row.cost.technology}};
  const Provenance& p = row.provenance;
  json["provenance"] = Json{{"source_file", stored_path(p.source_file)},
                            {"format", p.format},
                            {"order", p.order == OperandOrder::ab ? "ab" : "ba"},
                            {"index", p.index == OperandIndex::value ? "value" : "bits"},
                            {"type_from", p.type_from},
                            {"output_shift", p.output_shift},
                            {"order_from", p.order_from},
                            {"index_from", p.index_from},
                            {"decoding", p.decoding},
                            {"resemblance", number(p.resemblance)},
                            {"warning", p.warning.empty() ? Json(nullptr) : Json(p.warning)},
                            {"generator", p.generator},
                            {"reference", p.reference}};
  json["distributions"] = Json::array();
  for (const auto& figures : row.distributions)
    json["distributions"].push_back(figures_json(figures));
  return json;
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(double value) {
  if (std::isnan(value)) return "NaN";
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace

std::string characterization_json(std::span<const CharacterizationRow> rows, Convention convention,
                                  std::span<const UnreadDesign> unread) {
  Json json{{"schema", "axmul.characterization/1"},
            {"source", source_text()},
            {"convention", convention == Convention::evoapproxlib ? "evoapproxlib" : "evoapprox8b"},
            {"multipliers", Json::array()}};
  for (const CharacterizationRow& row : rows) json["multipliers"].push_back(row_json(row));
  json["left_out"] = json["failed"] = Json::array();
  for (const UnreadDesign& design : unread)
    if (design.kind.empty())
      json["failed"].push_back(Json{{"path", design.source}, {"message", design.message}});
    else
      json["left_out"].push_back(
          Json{{"path", design.source}, {"kind", design.kind}, {"why", design.message}});
  // A file name need not be UTF-8; JSON must be.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string characterization_csv(std::span<const CharacterizationRow> rows) {
  std::string out = "name,sha256,type,a,b";
  for (const MetricField& field : metric_fields()) out += "," + std::string(field.name);
  for (int bit = 0; bit < 16; ++bit) out += ",bit_flip_rate_" + std::to_string(bit);
  out += ",power_mw,area_um2,delay_ns,power_rel,cost_source,technology,source_file\n";
  for (const CharacterizationRow& row : rows)
    for (const auto& figures : row.distributions) {
      out += csv_text(row.name) + "," + row.sha256 + "," + std::string(to_string(row.type)) + "," +
             csv_text(figures.a) + "," + csv_text(figures.b);
      for (const MetricField& field : metric_fields())
        out += "," + csv_number(output_figure(field, figures.metrics));
      for (double rate : figures.metrics.bit_flip_rate) out += "," + csv_number(rate);
      for (double cost :
           {row.cost.power_mw, row.cost.area_um2, row.cost.delay_ns, row.cost.power_rel})
        out += "," + csv_number(cost);
      out += "," + csv_text(row.cost.source) + "," + csv_text(row.cost.technology) + "," +
             csv_text(stored_path(row.provenance.source_file)) + "\n";
    }
  return out;
}

}  // namespace axmul
