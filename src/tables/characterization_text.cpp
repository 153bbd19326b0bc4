// Characterisations as JSON and CSV, driven by metric_fields().
#include <charconv>
#include <cmath>

#include "axmul/core/version.hpp"
#include "axmul/tables/characterization.hpp"
#include "io/json.hpp"

namespace axmul {

namespace {

Json metrics_json(const SizedType& type, const ErrorMetrics& metrics) {
  Json json;
  for (const MetricField& field : metric_fields()) {
    const double value = type.has_table() || has_wide_figure(field.name)
                             ? output_figure(field, metrics)
                             : std::nan("");
    if (field.is_integer && std::isfinite(value))
      json[std::string(field.name)] = static_cast<std::int64_t>(value);
    else
      json[std::string(field.name)] = number(value);
  }
  Json bits = Json::array();
  if (!type.has_table()) return json;
  const auto count = static_cast<std::size_t>(type.bits.a + type.bits.b);
  for (double rate : std::span(metrics.bit_flip_rate).first(count)) bits.push_back(number(rate));
  json["bit_flip_rate"] = std::move(bits);
  return json;
}

/// What only streamed designs have: exact sums, bins of |e|, profiles over operand values.
Json wide_json(const SizedType& type, const WideReport& report) {
  Json json;
  json["sums"] = report.sum_error.empty() ? Json(nullptr)
                                          : Json{{"pairs", std::to_string(type.pairs())},
                                                 {"error", report.sum_error},
                                                 {"abs_error", report.sum_abs},
                                                 {"squared_error", report.sum_square},
                                                 {"nonzero", report.count_nonzero}};
  json["abs_error_bins"] = Json::array();
  for (std::size_t k = 0; k < kErrorBins; ++k)
    if (report.abs_error_bins[k] > 0)
      json["abs_error_bins"].push_back(
          Json{{"from", k == 0 ? std::int64_t{0} : std::int64_t{1} << (k - 1)},
               {"below", std::int64_t{1} << k},
               {"probability", report.abs_error_bins[k]}});
  const ConditionalErrors& profile = report.profile;
  const auto add = [&](const char* name, int bits,
                       const std::array<double, kOperandCount>& values) {
    json[name] = Json::array();
    const std::size_t bins = std::min(kProfileBins, std::size_t{1} << bits);
    for (std::size_t k = 0; k < bins; ++k) json[name].push_back(number(values[k]));
  };
  add("bias_given_a", type.bits.a, profile.bias_given_a);
  add("std_given_a", type.bits.a, profile.std_given_a);
  add("bias_given_b", type.bits.b, profile.bias_given_b);
  add("std_given_b", type.bits.b, profile.std_given_b);
  return json;
}

Json figures_json(const SizedType& type, const CharacterizationRow::Figures& figures) {
  Json json{{"a", figures.a}, {"b", figures.b}, {"metrics", metrics_json(type, figures.metrics)}};
  if (figures.wide) {
    json["wide"] = wide_json(type, *figures.wide);
    return json;
  }
  Json quantiles = Json::array();
  for (const Quantile& q : figures.quantiles)
    quantiles.push_back(
        Json{{"level", q.level}, {"error", number(q.error)}, {"abs_error", number(q.abs_error)}});
  json["quantiles"] = std::move(quantiles);
  return json;
}

Json row_json(const CharacterizationRow& row) {
  Json json{{"name", row.name},
            {"sha256", row.sha256.empty() ? Json(nullptr) : Json(row.sha256)},
            {"type", to_string(row.type)}};
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
    json["distributions"].push_back(figures_json(row.type, figures));
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
      out += csv_text(row.name) + "," + row.sha256 + "," + to_string(row.type) + "," +
             csv_text(figures.a) + "," + csv_text(figures.b);
      for (const MetricField& field : metric_fields())
        out += "," + csv_number(row.type.has_table() || has_wide_figure(field.name)
                                    ? output_figure(field, figures.metrics)
                                    : std::nan(""));
      for (int bit = 0; bit < 16; ++bit)  // beyond the product there are none
        out += "," + csv_number(row.type.has_table() && bit < row.type.bits.a + row.type.bits.b
                                    ? figures.metrics.bit_flip_rate[static_cast<std::size_t>(bit)]
                                    : std::nan(""));
      for (double cost :
           {row.cost.power_mw, row.cost.area_um2, row.cost.delay_ns, row.cost.power_rel})
        out += "," + csv_number(cost);
      out += "," + csv_text(row.cost.source) + "," + csv_text(row.cost.technology) + "," +
             csv_text(stored_path(row.provenance.source_file)) + "\n";
    }
  return out;
}

}  // namespace axmul
