// axmul characterize: error statistics of designs under operand distributions, and where they
// stand.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/characterization.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "cli/standing.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

std::string results_table(const std::vector<CharacterizationRow>& rows, bool several, bool color) {
  std::vector<std::string> header{"multiplier", "type"};
  std::string alignment = "ll";
  if (several) {
    header.insert(header.end(), {"a", "b"});
    alignment += "ll";
  }
  header.insert(header.end(),
                {"MAE", "MAE %", "WCE", "WCE %", "EP %", "MRED %", "bias", "σ", "power_rel"});
  alignment += "rrrrrrrrr";
  TextTable table(header, alignment);
  for (const CharacterizationRow& row : rows)
    for (const auto& figures : row.distributions) {
      const ErrorMetrics& m = figures.metrics;
      std::vector<std::string> cells{row.name, to_string(row.type)};
      if (several) cells.insert(cells.end(), {figures.a, figures.b});
      for (double value :
           {m.mae, m.mae_pct_fullscale, static_cast<double>(m.wce), m.wce_pct_fullscale,
            100 * m.error_rate, 100 * m.mred, m.bias, m.error_std, row.cost.power_rel})
        cells.push_back(short_number(value));
      table.row(std::move(cells));
    }
  return table.render(color);
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
    session.io.err << "read " << count << (count == 1 ? " design" : " designs") << ": " << text
                   << '\n';
}

/// --x and --y belong to --against, which goes out as table or JSON for one distribution.
void check_standing_options(const Session& session, CharacterizationOptions& options,
                            const OutputTarget& target) {
  if (!session.args.has("against")) {
    if (session.args.has("x") || session.args.has("y"))
      throw UsageError(1041, "--x and --y belong to --against LIBRARY");
    return;
  }
  if (target.format != "table" && target.format != "json")
    throw UsageError(1042, "--against goes out as table or json, not " + target.format);
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
    text = characterization_csv(rows);
  else
    text = results_table(rows, options.distributions.size() > 1,
                         target.is_stdout() && use_color(session, session.io.out_is_tty));
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
      {"axmul characterize library.h5 --format csv", "every entry of a library"}};
  spec.positionals = {designs_positional()};
  spec.options = distribution_option_specs();
  for (OptionSpec& option : output_options({"table", "json", "csv", "h5"}))
    spec.options.push_back(std::move(option));
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
