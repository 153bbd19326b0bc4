// axmul characterize: error statistics of designs under operand distributions, and where they
// stand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "axmul/tables/characterization.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "cli/standing.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

/// "acts" of "acts=file(h.csv)": tables show the short name.
std::string short_name(const std::string& distribution) {
  const std::size_t equals = distribution.find('=');
  return equals < distribution.find_first_of("(*") ? distribution.substr(0, equals) : distribution;
}

/// A column: how it is headed, how it is called in --sort and --columns, what it shows.
struct Column {
  std::string header, key;
  std::function<double(const CharacterizationRow&, const CharacterizationRow::Figures&)> get;
};

Column figure_column(const MetricField& field, std::string header, double factor = 1) {
  return {std::move(header), std::string(field.name),
          [&field, factor](const auto&, const CharacterizationRow::Figures& f) {
            return factor * output_figure(field, f.metrics);
          }};
}

std::vector<Column> usual_columns(const CharacterizationOptions& options) {
  std::vector<Column> columns;
  const std::vector<std::tuple<const char*, const char*, double>> usual{
      {"MAE", "mae", 1},           {"MAE %", "mae_pct_fullscale", 1},
      {"WCE", "wce", 1},           {"WCE %", "wce_pct_fullscale", 1},
      {"EP %", "error_rate", 100}, {"MRED %", "mred", 100},
      {"bias", "bias", 1},         {"σ", "error_std", 1}};
  for (const auto& [header, key, factor] : usual)
    for (const MetricField& field : metric_fields())
      if (field.name == key) columns.push_back(figure_column(field, header, factor));
  columns.push_back({"power_rel", "power_rel", [](const CharacterizationRow& row, const auto&) {
                       return row.cost.power_rel;
                     }});
  if (options.metrics.rank)
    for (const MetricField& field : metric_fields())
      if (field.name.starts_with("rank_"))
        columns.push_back(figure_column(field, std::string(field.name)));
  return columns;
}

/// Quantiles of |e| that were asked for.
void add_quantiles(const Session& session, const CharacterizationOptions& options,
                   std::vector<Column>& columns) {
  if (!session.args.has("quantile")) return;
  for (std::size_t i = 0; i < options.metrics.quantile_levels.size(); ++i) {
    const std::string level = short_number(options.metrics.quantile_levels[i]);
    columns.push_back({"|e| q" + level, "abs_error_q" + level,
                       [i](const auto&, const CharacterizationRow::Figures& f) {
                         return i < f.quantiles.size() ? f.quantiles[i].abs_error : std::nan("");
                       }});
  }
}

/// The usual columns, and every other figure that --columns or --sort names.
std::vector<Column> table_columns(const Session& session, const CharacterizationOptions& options) {
  std::vector<Column> columns = usual_columns(options);
  add_quantiles(session, options, columns);
  std::string wanted = "," + session.args.text_or("sort", "") + ",";
  if (wanted.starts_with(",-")) wanted.erase(1, 1);
  for (const std::string& names : session.args.values("columns")) wanted += names + ",";
  for (const std::string& name : axis_names()) {
    const bool is_there =
        std::ranges::any_of(columns, [&](const Column& c) { return c.key == name; });
    if (is_there || wanted.find("," + name + ",") == std::string::npos) continue;
    for (const MetricField& field : metric_fields())
      if (field.name == name) columns.push_back(figure_column(field, name));
    for (const auto& [key, cost] :
         {std::pair{"power_mw", &Cost::power_mw}, std::pair{"area_um2", &Cost::area_um2},
          std::pair{"delay_ns", &Cost::delay_ns}})
      if (name == key)
        columns.push_back({name, name, [cost = cost](const CharacterizationRow& row, const auto&) {
                             return row.cost.*cost;
                           }});
  }
  return columns;
}

TextTable results_table(const Session& session, const std::vector<CharacterizationRow>& rows,
                        const CharacterizationOptions& options) {
  const bool several = options.distributions.size() > 1;
  std::vector<std::string> header{"multiplier", "type"};
  std::string alignment = "ll";
  if (several) {
    header.insert(header.end(), {"a", "b"});
    alignment += "ll";
  }
  std::vector<std::string> keys = header;
  const std::vector<Column> columns = table_columns(session, options);
  for (const Column& column : columns) {
    header.push_back(column.header);
    keys.push_back(column.key);
    alignment += 'r';
  }
  TextTable table(header, alignment);
  table.keys(keys);
  for (const CharacterizationRow& row : rows)
    for (const auto& figures : row.distributions) {
      std::vector<Cell> cells{row.name, std::string(to_string(row.type))};
      if (several) {
        cells.emplace_back(short_name(figures.a));
        cells.emplace_back(short_name(figures.b));
      }
      for (const Column& column : columns) cells.push_back(Cell::of(column.get(row, figures)));
      table.add(std::move(cells));
    }
  return table;
}

/// What the readers assumed, each kind once with a count.
void say_assumptions(Session& session, const std::vector<CharacterizationRow>& rows) {
  if (session.quiet) return;
  std::map<std::string, std::size_t> counts;
  for (const CharacterizationRow& row : rows) {
    if (row.provenance.source_file.empty()) continue;
    ++counts[assumptions(row.type, row.provenance)];
  }
  for (const auto& [text, count] : counts)
    session.io.err << "read " << counted(count, "design") << ": " << text << '\n';
}

/// All figures, or those of the table where it is arranged.
std::string arranged_csv(const Session& session, const std::vector<CharacterizationRow>& rows,
                         const CharacterizationOptions& options, const OutputTarget& target) {
  const auto top = session.args.text("top");  // a number of rows, or the name of a module
  const bool arranged = session.args.has("sort") || session.args.has("columns") ||
                        (top && top->find_first_not_of("0123456789") == std::string::npos);
  return arranged ? table_text(session, target, results_table(session, rows, options))
                  : characterization_csv(rows);
}

/// --x and --y belong to --against, which goes out as table, JSON or CSV for one distribution.
void check_standing_options(const Session& session, CharacterizationOptions& options,
                            const OutputTarget& target) {
  if (!session.args.has("against")) {
    if (session.args.has("x") || session.args.has("y"))
      throw UsageError(1041, "--x and --y belong to --against LIBRARY");
    return;
  }
  if (target.format == "h5")
    throw UsageError(1042, "--against goes out as table, json or csv, not " + target.format);
  check_axes(session, options);
}

/// FILE.partial.ext, replaced if it is there: what an interrupted run keeps.
OutputTarget partial_target(Session& session, OutputTarget target) {
  const std::filesystem::path path = target.path;
  target.path =
      (path.parent_path() / path.stem()).string() + ".partial" + path.extension().string();
  session.args.set("force", {"true"});
  session.io.err << "interrupted; what was finished goes to " << target.path << '\n';
  return target;
}

int run(Session& session) {
  OutputTarget target = output_target(session);
  CharacterizationOptions options = characterization_options(session);
  check_standing_options(session, options, target);
  const DesignList list = session_designs(session);
  const DistributionSet distributions(options);
  if (target.format == "h5") return write_error_tables(session, target, list, options, false);

  bool interrupted = false;
  UnreadDesigns unread;
  const auto rows = characterize_all(session, list, options, distributions, "characterizing",
                                     unread, interrupted);
  say_assumptions(session, rows);
  unread.say(session, rows.size());
  if (interrupted && !target.is_stdout()) target = partial_target(session, target);
  std::string text;
  if (const auto library = session.args.text("against"); library && !interrupted)
    text = standing(session, rows, *library, options, target);
  else if (target.format == "json")
    text = characterization_json(rows, options.metrics.convention, unread.list());
  else if (target.format == "csv")
    text = arranged_csv(session, rows, options, target);
  else
    text = table_text(session, target, results_table(session, rows, options));
  write_output(session, target, text);
  if (interrupted) throw InterruptedError();
  return unread.exit_code();
}

}  // namespace

CommandSpec characterize_command() {
  CommandSpec spec;
  spec.name = "characterize";
  spec.purpose = "Compute the error statistics of designs under the operand distributions given.";
  spec.examples = {
      {"axmul characterize 'drum(k=6)' mul8u_2AC.bin", "two designs, uniform operands"},
      {"axmul characterize circuits/ --a 'normal(mean=100,std=30)' --b 'file(weights.csv)' -o "
       "out.json",
       "a folder under the distributions of a network"},
      {"axmul characterize new.npy --against luts/axmul-library.h5 --x power_rel --y mae",
       "where a new design stands"},
      {"axmul characterize library.h5 --format csv", "every entry of a library"},
      {"axmul characterize library.h5 --sort mred --columns mred,wce,power_rel --top 10",
       "the ten smallest relative errors"}};
  spec.positionals = {designs_positional()};
  spec.options = distribution_option_specs();
  for (OptionSpec& option : output_options({"table", "json", "csv", "h5"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  spec.options.push_back({"against", "LIBRARY", "Show where the designs stand in that library."});
  for (OptionSpec& option : standing_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "Of several designs one that cannot be read is told, the rest goes on, and the exit code is "
      "1.\n"
      "What a folder holds that is no multiplier (adders) is counted and left out.\n"
      "Designs of 9 to 16 bits are streamed: no quantiles, moments, ranks and bits, but bins of "
      "|e|\n"
      "and profiles (JSON).\n\n" +
      distribution_notes();
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
