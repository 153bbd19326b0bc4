// Recorded runs priced anew: their assignments under the energies of this day, without retraining.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/model/pareto.hpp"
#include "axmul/tables/energy.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/circuit_options.hpp"
#include "cli/cost_layers.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct RecordedLayer {
  std::string layer, multiplier, sha256;
  double ops = 0;
};

struct RecordedPoint {
  std::string run, name;
  double recorded = kUnknown, top1 = kUnknown, difference = kUnknown, standard_error = kUnknown;
  bool chosen = false;
  std::vector<RecordedLayer> layers;
  std::map<EnergyBasis, double> energy;
  std::vector<EnergyBasis> front;  // the ways in which no other point has less energy and accuracy
};

std::vector<RecordedPoint> read_points(const std::string& path) {
  try {
    const Json json = parse_json(read_file(path));
    if (json.at("schema") != "axmul.run/1")
      throw Json::other_error::create(501, "its schema is no \"axmul.run/1\"", nullptr);
    std::vector<RecordedPoint> points;
    for (const Json& from : json.at("points")) {
      RecordedPoint point;
      point.run = path;
      point.name = from.at("name");
      point.recorded = real_between(from, "relative_energy", 0, 1e9);
      point.chosen = from.value("chosen", false);
      const Json& report = from.at("report");
      point.top1 = real_between(report, "top1", 0, 1);
      point.difference = real_between(report, "difference", -1, 1);
      point.standard_error = real_between(report, "standard_error", 0, 1);
      for (const Json& layer : from.at("layers"))
        point.layers.push_back({layer.at("layer"), layer.at("multiplier"),
                                layer.value("sha256", std::string()),
                                real_between(layer, "ops", 0, 1e18)});
      points.push_back(std::move(point));
    }
    return points;
  } catch (const Json::exception& error) {
    throw InputError(1017, Place{path}, std::string("is no record of a run: ") + error.what());
  }
}

using Circuits = std::vector<std::shared_ptr<const PricedCircuit>>;

// By the function's hash: a name may be another circuit's, or the transposed one's. By name only
// where the record has no hash.
std::size_t find_circuit(const Circuits& circuits, const RecordedLayer& layer) {
  for (std::size_t j = 0; j < circuits.size(); ++j)
    if (layer.sha256.empty() ? circuits[j]->name == layer.multiplier
                             : circuits[j]->sha256 == layer.sha256)
      return j;
  throw InputError(1018, "no circuit of --circuits is " + layer.multiplier + " (" +
                             layer.sha256.substr(0, 12) + "), which a record names");
}

void price_points(std::vector<RecordedPoint>& points, std::span<const LayerOperands> layers,
                  const Circuits& circuits, const EnergyPrices& prices) {
  std::map<std::string, std::size_t> layer_of;
  for (std::size_t l = 0; l < layers.size(); ++l) layer_of[layers[l].name] = l;
  for (RecordedPoint& point : points)
    for (const EnergyBasis basis : kEnergyBases) {
      double energy = 0, exact = 0;
      for (const RecordedLayer& recorded : point.layers) {
        const auto found = layer_of.find(recorded.layer);
        if (found == layer_of.end()) continue;
        const std::size_t l = found->second;
        const double one = recorded.ops * prices.exact(basis, l);
        exact += one;
        energy += recorded.multiplier == "exact"
                      ? one
                      : one * prices.relative(basis, l, find_circuit(circuits, recorded));
      }
      point.energy[basis] = energy / exact;
    }
}

// Energy against the accuracy on the images that report, in each way.
void find_fronts(std::vector<RecordedPoint>& points) {
  for (const EnergyBasis basis : kEnergyBases) {
    std::vector<ParetoPoint> places;
    for (const RecordedPoint& point : points)
      places.push_back({point.energy.at(basis), -point.top1});
    const std::vector<ParetoPlace> found = pareto(places);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (found[i].comparable && found[i].rank == 1) points[i].front.push_back(basis);
  }
}

std::string front_text(const RecordedPoint& point) {
  std::string text;
  for (const EnergyBasis basis : point.front)
    text += (text.empty() ? "" : ", ") + std::string(to_string(basis));
  return text;
}

// Layers of the records that the traces do not have: they are not priced.
std::vector<std::string> untraced(const std::vector<RecordedPoint>& points,
                                  std::span<const LayerOperands> layers) {
  std::set<std::string> names;
  for (const RecordedPoint& point : points)
    for (const RecordedLayer& layer : point.layers)
      if (std::ranges::none_of(layers, [&](const auto& l) { return l.name == layer.layer; }))
        names.insert(layer.layer);
  return {names.begin(), names.end()};
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const std::vector<RecordedPoint>& points, const PriceOptions& options) {
  TextTable table({"point", "recorded", "published", "traced",
                   "held " + std::string(to_string(options.held)), "accuracy", "on the front by"},
                  "lrrrrrl");
  table.keys({"point", "recorded", "published", "traced", "held", "accuracy", "on_the_front_by"});
  for (const RecordedPoint& point : points)
    table.add({point.name + (point.chosen ? " (chosen)" : ""), Cell::of(point.recorded),
               Cell::of(point.energy.at(EnergyBasis::published)),
               Cell::of(point.energy.at(EnergyBasis::traced)),
               Cell::of(point.energy.at(EnergyBasis::held)),
               Cell::of(point.difference, fmt::format("{:+.2f} ± {:.2f} pp", 100 * point.difference,
                                                      100 * point.standard_error)),
               front_text(point)});
  return table_text(session, target, std::move(table)) +
         "energies: " + energy_text(EnergyBasis::published, options) +
         "\n          traced: " + energy_text(EnergyBasis::traced, options) +
         "\n          held: " + energy_text(EnergyBasis::held, options) + "\n";
}

std::string as_json(const std::vector<RecordedPoint>& points, const PriceOptions& options) {
  Json json{{"schema", "axmul.record_costs/1"},
            {"hold", std::string(to_string(options.held))},
            {"scope", std::string(to_string(options.scope))},
            {"reference", std::string(to_string(options.reference))}};
  for (const EnergyBasis basis : kEnergyBases)
    json["energies"][std::string(to_string(basis))] = energy_text(basis, options);
  json["points"] = Json::array();
  for (const RecordedPoint& point : points) {
    Json one{{"run", point.run},
             {"name", point.name},
             {"chosen", point.chosen},
             {"recorded", number(point.recorded)}};
    for (const auto& [basis, energy] : point.energy)
      one[std::string(to_string(basis))] = number(energy);
    one["top1"] = number(point.top1);
    one["difference"] = number(point.difference);
    one["standard_error"] = number(point.standard_error);
    one["on_front"] = Json::array();
    for (const EnergyBasis basis : point.front)
      one["on_front"].push_back(std::string(to_string(basis)));
    json["points"].push_back(std::move(one));
  }
  return json.dump(1) + "\n";
}

std::string as_csv(const std::vector<RecordedPoint>& points, const PriceOptions& options) {
  std::string text =
      "run,name,recorded,published,traced,held,hold,scope,reference,difference,standard_error\n";
  for (const RecordedPoint& point : points) {
    append_field(text, point.run);
    append_field(text += ',', point.name);
    append_number(text += ',', point.recorded);
    for (const EnergyBasis basis : kEnergyBases) append_number(text += ',', point.energy.at(basis));
    text += fmt::format(",{},{},{}", to_string(options.held), to_string(options.scope),
                        to_string(options.reference));
    append_number(text += ',', point.difference);
    append_number(text += ',', point.standard_error);
    text += '\n';
  }
  return text;
}

}  // namespace

int run_cost_record(Session& session) {
  const OutputTarget target = output_target(session);
  check_table_options(session, target);
  if (!session.args.has("circuits"))
    throw UsageError(1019, "--run needs --circuits: the gates of the multipliers that it names");
  const std::vector<LayerOperands> layers = session_layers(session);
  std::vector<RecordedPoint> points;
  for (const std::string& path : session.args.values("run"))
    for (RecordedPoint& point : read_points(path)) points.push_back(std::move(point));
  PricedCircuits read =
      read_priced_circuits(session.args.values("circuits"), circuit_options(session));
  std::set<std::string> used;  // only what the records name is priced
  for (const RecordedPoint& point : points)
    for (const RecordedLayer& layer : point.layers) {
      used.insert(layer.sha256.empty() ? layer.multiplier : layer.sha256);
    }
  Circuits circuits;
  for (const PricedCircuit& circuit : read.circuits) {
    if (used.contains(circuit.name) || used.contains(circuit.sha256))
      circuits.push_back(std::make_shared<PricedCircuit>(circuit));
    if (circuit.sha256 != circuit.sha256_swapped && used.contains(circuit.sha256_swapped))
      circuits.push_back(std::make_shared<PricedCircuit>(with_swapped_operands(circuit)));
  }
  const std::vector<std::string> left_out = untraced(points, layers);
  if (!left_out.empty())
    warn(session, "not priced, since the traces do not have them: " + first_few(left_out));
  const PriceOptions options = price_options(session);
  price_points(points, layers, circuits, price(layers, circuits, options));
  find_fronts(points);
  write_output(session, target,
               target.format == "json"  ? as_json(points, options)
               : target.format == "csv" ? as_csv(points, options)
                                        : as_table(session, target, points, options));
  return 0;
}

}  // namespace axmul::cli
