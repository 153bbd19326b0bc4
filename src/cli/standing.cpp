// axmul pareto, and the standing of new designs in a library.
#include "cli/standing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"
#include "axmul/model/pareto.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/terminal.hpp"
#include "io/json.hpp"

namespace axmul::cli {

std::vector<std::string> axis_names() {
  std::vector<std::string> names{"power_rel", "power_mw", "area_um2", "delay_ns"};
  for (const MetricField& field : metric_fields()) names.emplace_back(field.name);
  return names;
}

Axis axis(const Session& session, const char* option, const char* fallback) {
  const std::string name = session.args.text_or(option, fallback);
  if (name == "power_rel") return {name, [](const auto& row) { return row.cost.power_rel; }};
  if (name == "power_mw") return {name, [](const auto& row) { return row.cost.power_mw; }};
  if (name == "area_um2") return {name, [](const auto& row) { return row.cost.area_um2; }};
  if (name == "delay_ns") return {name, [](const auto& row) { return row.cost.delay_ns; }};
  if (has_own_figure(session, name))
    return {name, [name](const CharacterizationRow& row) {
              const auto found = row.published.find(name);
              return found == row.published.end() ? std::numeric_limits<double>::quiet_NaN()
                                                  : found->second;
            }};
  const bool is_bias = name == "bias";
  for (const MetricField& field : metric_fields())
    if (field.name == name)
      return {name,
              [&field, is_bias](const CharacterizationRow& row) {
                const ErrorMetrics& metrics = row.distributions.front().metrics;
                if (field.name == "snr_db" && metrics.mse == 0)
                  return std::numeric_limits<double>::infinity();
                const double value = output_figure(field, metrics);
                return is_bias ? std::abs(value) : value;
              },
              name == "snr_db" || name == "is_symmetric" || name == "sign_preserved" ? -1.0 : 1.0};
  std::string names, best;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& known : axis_names()) {
    names += (names.empty() ? "" : ", ") + known;
    const bool starts = name.size() >= 3 && known.starts_with(name);
    if (const std::size_t d = starts ? 1 : edit_distance(name, known); d < distance) {
      distance = d;
      best = known;
    }
  }
  throw UsageError(1030, "--" + std::string(option) + " \"" + name + "\" is no figure" +
                             (best.empty() ? "" : "; did you mean " + best + "?") + "; one of " +
                             names);
}

namespace {

struct Entry {
  const CharacterizationRow* row;
  double x, y;  ///< as measured
  bool is_new;
  ParetoPlace place{};
};

std::vector<Entry> places(const std::vector<CharacterizationRow>& fresh,
                          const std::vector<CharacterizationRow>& known, const Axis& x,
                          const Axis& y) {
  std::vector<Entry> entries;
  for (const auto& row : fresh) entries.push_back({&row, x.get(row), y.get(row), true});
  for (const auto& row : known) {
    const bool repeated = std::ranges::any_of(fresh, [&](const CharacterizationRow& other) {
      return row.sha256.empty() ? other.name == row.name : other.sha256 == row.sha256;
    });
    if (!repeated) entries.push_back({&row, x.get(row), y.get(row), false});
  }
  std::set<SizedType> types;  // errors of different types have different scales
  for (const Entry& entry : entries) types.insert(entry.row->type);
  for (const SizedType& type : types) {
    std::vector<std::size_t> members;
    std::vector<ParetoPoint> points;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].row->type != type) continue;
      members.push_back(i);
      points.push_back({x.sign * entries[i].x, y.sign * entries[i].y});
    }
    const std::vector<ParetoPlace> result = pareto(points);
    for (std::size_t k = 0; k < members.size(); ++k) {
      entries[members[k]].place = result[k];
      if (result[k].dominated_by != ParetoPlace::npos)
        entries[members[k]].place.dominated_by = members[result[k].dominated_by];
    }
  }
  return entries;
}

Json entry_json(const std::vector<Entry>& entries, const Entry& e) {
  Json json{{"name", e.row->name},
            {"sha256", e.row->sha256.empty() ? Json() : Json(e.row->sha256)},
            {"x", number(e.x)},
            {"y", number(e.y)}};
  if (!e.place.comparable) {
    json["rank"] = nullptr;
    json["on_front"] = false;
    return json;
  }
  json["rank"] = e.place.rank;
  json["on_front"] = e.place.rank == 1;
  json["dominators"] = e.place.dominators;
  json["dominated_by"] = e.place.dominated_by == ParetoPlace::npos
                             ? Json(nullptr)
                             : Json(entries[e.place.dominated_by].row->name);
  return json;
}

std::vector<const Entry*> front_of(const std::vector<Entry>& entries) {
  std::vector<const Entry*> front;
  for (const Entry& e : entries)
    if (e.place.comparable && e.place.rank == 1) front.push_back(&e);
  std::ranges::stable_sort(front, [](const Entry* p, const Entry* q) {
    return p->row->type != q->row->type ? p->row->type < q->row->type : p->x < q->x;
  });
  return front;
}

std::string as_json(const char* schema, const std::vector<Entry>& entries, const Axis& x,
                    const Axis& y, bool only_new) {
  Json json{{"schema", schema},
            {"x", x.name},
            {"y", y.name},
            {"compared", entries.size()},
            {"designs", Json::array()},
            {"front", Json::array()}};
  for (const Entry& e : entries)
    if (e.is_new || !only_new) json["designs"].push_back(entry_json(entries, e));
  for (const Entry* e : front_of(entries)) json["front"].push_back(e->row->name);
  return json.dump(2) + "\n";
}

std::vector<Cell> cells(const std::vector<Entry>& entries, const Entry& e, const Axis& x,
                        const Axis& y) {
  std::string by = "no ";
  if (std::isnan(e.x)) by += x.name;
  if (std::isnan(e.y)) by += (std::isnan(e.x) ? " and no " : "") + y.name;
  if (e.place.comparable) {
    by = e.place.dominated_by == ParetoPlace::npos ? "on the front"
                                                   : entries[e.place.dominated_by].row->name;
    if (e.place.dominators > 1) by += fmt::format(" and {} more", e.place.dominators - 1);
  }
  const double rank = e.place.comparable ? static_cast<double>(e.place.rank) : std::nan("");
  return {e.row->name, Cell::of(e.x), Cell::of(e.y), Cell::of(rank), by};
}

std::string as_table(const Session& session, const OutputTarget& target,
                     const std::vector<Entry>& entries, const Axis& x, const Axis& y,
                     bool only_new) {
  std::string out;
  if (only_new || target.format == "csv") {
    TextTable table({"design", x.name, y.name, "rank", "dominated by"}, "lrrrl");
    table.keys({"design", x.name, y.name, "rank", "dominated_by"});
    for (const Entry& e : entries)
      if (e.is_new || !only_new) table.add(cells(entries, e, x, y));
    const std::string text = table_text(session, target, std::move(table));
    if (target.format == "csv") return text;
    out = fmt::format("among {}, by {} and {}:\n", counted(entries.size(), "design"), x.name,
                      y.name) +
          text + "\n";
  }
  const auto front = front_of(entries);
  out += fmt::format("Pareto front ({} of {}):\n", front.size(), counted(entries.size(), "design"));
  TextTable table({"design", "type", x.name, y.name}, "llrr");
  for (const Entry* e : front)
    table.add({e->row->name, std::string(to_string(e->row->type)), Cell::of(e->x), Cell::of(e->y)});
  // --sort and --columns are for what was asked about: the new designs, else the front.
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  out += only_new ? table.render(color, target.is_stdout() ? terminal_columns() : 0)
                  : table_text(session, target, std::move(table));
  const bool above = std::ranges::any_of(entries, [&](const Entry& e) {
    return (x.name == "power_rel" && e.x > 1) || (y.name == "power_rel" && e.y > 1);
  });
  if (above && !session.quiet)
    out +=
        "power_rel above 1: more power than the exact multiplier of\n"
        "the same source and technology\n";
  return out;
}

std::vector<CharacterizationRow> library_rows(Session& session,
                                              const std::vector<std::string>& texts,
                                              const CharacterizationOptions& options,
                                              UnreadDesigns& unread) {
  const DesignList list = session_designs(session, texts);
  const DistributionSet distributions(options);
  bool interrupted = false;
  std::vector<CharacterizationRow> rows = characterize_all(
      session, list, options, distributions, "characterizing the library", unread, interrupted);
  if (interrupted) throw InterruptedError();
  unread.say(session, rows.size());
  return rows;
}

int run_pareto(Session& session) {
  const OutputTarget target = output_target(session);
  const Axis x = axis(session, "x", "power_rel"), y = axis(session, "y", "mae");
  CharacterizationOptions options = characterization_options(session);
  check_axes(session, options);
  UnreadDesigns unread;
  const auto rows = library_rows(session, session.args.positional(0), options, unread);
  const std::vector<Entry> entries = places({}, rows, x, y);
  if (front_of(entries).empty())
    throw InputError(1031, "no design has both " + x.name + " and " + y.name +
                               "; costs come with circuits, libraries or --costs FILE");
  write_output(session, target,
               target.format == "json" ? as_json("axmul.pareto/1", entries, x, y, false)
                                       : as_table(session, target, entries, x, y, false));
  return unread.exit_code();
}

}  // namespace

void check_axes(const Session& session, CharacterizationOptions& options) {
  const Axis x = axis(session, "x", "power_rel"), y = axis(session, "y", "mae");
  options.metrics.rank |= x.name.starts_with("rank_") || y.name.starts_with("rank_");
  if (options.distributions.size() > 1)
    throw UsageError(1032,
                     "a design stands in one place per distribution; give one --a and one --b");
}

std::vector<OptionSpec> standing_option_specs() {
  return {{"x", "FIGURE",
           "First figure: a metric (mae, wce, error_std …) or a cost (power_rel, "
           "power_mw, area_um2, delay_ns).",
           "power_rel"},
          {"y", "FIGURE", "Second figure.", "mae"}};
}

std::string standing(Session& session, const std::vector<CharacterizationRow>& rows,
                     const std::string& library, const CharacterizationOptions& options,
                     const OutputTarget& target) {
  const Axis x = axis(session, "x", "power_rel"), y = axis(session, "y", "mae");
  UnreadDesigns unread;
  auto known = library_rows(session, {library}, options, unread);
  // A u8u8 error says nothing beside an s8s8 one: only designs of the new ones' types compare.
  std::erase_if(known, [&](const CharacterizationRow& entry) {
    return std::ranges::none_of(rows, [&](const auto& row) { return row.type == entry.type; });
  });
  const std::vector<Entry> entries = places(rows, known, x, y);
  if (target.format == "json") return as_json("axmul.standing/1", entries, x, y, true);
  return as_table(session, target, entries, x, y, true);
}

CommandSpec pareto_command() {
  CommandSpec spec;
  spec.name = "pareto";
  spec.purpose = "Show the Pareto front of designs by two figures, lower being better.";
  spec.examples = {
      {"axmul pareto luts/axmul-library.h5 --x power_rel --y mred", "cost against error"},
      {"axmul pareto circuits/ --x power_rel --y wce --format json", "every design's rank"}};
  spec.positionals = {designs_positional()};
  spec.options = standing_option_specs();
  for (OptionSpec& option : distribution_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "A design dominates another when it is nowhere worse and somewhere better; snr_db counts "
      "the\n"
      "other way round, bias by its magnitude; operand types do not compete with each other. "
      "Designs without one of the figures take no part.";
  spec.run = run_pareto;
  return spec;
}

}  // namespace axmul::cli
