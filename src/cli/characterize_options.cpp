// Distribution options, and streaming characterisations into HDF5.
#include "cli/characterize_options.hpp"

#include <charconv>
#include <ostream>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/design_options.hpp"

namespace axmul::cli {

namespace {

std::vector<double> quantile_levels(const Session& session) {
  std::vector<double> levels;
  for (const std::string& text : session.args.values("quantile")) {
    double level = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, level);
    if (result.ec != std::errc() || result.ptr != end || !(level > 0 && level <= 1))
      throw UsageError(1040, "--quantile takes a level above 0, up to 1, not \"" + text + "\"");
    levels.push_back(level);
  }
  return levels;
}

}  // namespace

std::vector<OptionSpec> distribution_option_specs() {
  return {
      {"a", "DIST", "Distribution of operand a (activations); the i-th goes with the i-th --b.",
       "uniform", true},
      {"b", "DIST", "Distribution of operand b (weights).", "uniform", true},
      {"joint", "FILE",
       "Joint 256x256 pmf or counts, row = a (CSV, NPY, HDF5); instead of --a and --b.", "", true},
      {"convention",
       "NAME",
       "Relative errors over non-zero exact products (evoapproxlib) or over max(1, |exact|) "
       "(evoapprox8b).",
       "evoapproxlib",
       false,
       {"evoapproxlib", "evoapprox8b"}},
      {"rank", "", "Also the exact rank of the table and of its error map (slower)."},
      {"quantile", "LEVEL", "Level of a quantile of e and |e|.",
       "0.01 0.05 0.25 0.5 0.75 0.95 0.99", true}};
}

CharacterizationOptions characterization_options(Session& session) {
  CharacterizationOptions options;
  options.context = trace_context();
  options.distributions = pair_distributions(session.args.values("a"), session.args.values("b"),
                                             session.args.values("joint"));
  if (session.args.text_or("convention", "evoapproxlib") == "evoapprox8b")
    options.metrics.convention = Convention::evoapprox8b;
  options.metrics.rank = session.args.has("rank");
  if (session.args.has("quantile")) options.metrics.quantile_levels = quantile_levels(session);
  return options;
}

std::string distribution_notes() {
  std::string text =
      "Distributions (DIST), also weighted sums such as 0.4*point(0)+0.6*halfnormal(std=30):\n";
  for (const DistributionFamily& family : distribution_families()) {
    std::string left =
        "  " + family.name + (family.parameters.empty() ? "" : "(" + family.parameters + ")");
    if (left.size() < 40) left.resize(40, ' ');
    text += left + "  " + family.description + "\n";
  }
  text.pop_back();
  return text;
}

namespace {

[[noreturn]] void throw_again(const Error& error) {
  if (const auto* other = dynamic_cast<const NotMultiplierError*>(&error)) throw *other;
  if (const auto* input = dynamic_cast<const InputError*>(&error)) throw *input;
  throw InternalError(error.what());
}

/// A design that was found to be too wide for a table, and its place among the rows.
struct WideDesign {
  const DesignRef* design;
  std::size_t row;
};

/// Fills the places of wide designs; those that fail, or are not reached, are taken out.
void characterize_wide_designs(Session& session, const std::vector<WideDesign>& designs,
                               const CharacterizationOptions& options, bool is_only,
                               UnreadDesigns& unread, bool& interrupted,
                               std::vector<CharacterizationRow>& rows) {
  const OpenOptions open = wide_open_options(session);
  std::vector<std::size_t> gone;
  for (const WideDesign& wide : designs) {
    if (interrupted) {
      gone.push_back(wide.row);
      continue;
    }
    try {
      ProgressBar bar(session, "characterizing " + wide.design->name);
      rows[wide.row] =
          characterize_wide_design(open_wide(wide.design->source, open), options, bar.callback());
      rows[wide.row].name = wide.design->name;
    } catch (const InterruptedError&) {
      interrupted = true;
      gone.push_back(wide.row);
    } catch (const InputError& why) {
      if (is_only) throw;
      unread.add(*wide.design, why);
      gone.push_back(wide.row);
    }
  }
  for (std::size_t i = gone.size(); i-- > 0;)
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(gone[i]));
}

}  // namespace

std::vector<CharacterizationRow> characterize_all(Session& session, const DesignList& list,
                                                  CharacterizationOptions options,
                                                  const DistributionSet& distributions,
                                                  const std::string& label, UnreadDesigns& unread,
                                                  bool& interrupted) {
  std::vector<CharacterizationRow> rows;
  std::vector<WideDesign> wide;
  options.failed = [&](const DesignRef& design, const Error& why) {
    if (is_wide(why)) {
      wide.push_back({&design, rows.size()});
      rows.emplace_back();
    } else if (list.designs.size() > 1) {
      unread.add(design, why);
    } else {
      throw_again(why);
    }
  };
  try {
    ProgressBar bar(session, label);
    characterize_designs(
        list.designs, options, distributions,
        [&](const Characterization& c) { rows.push_back(characterization_row(c, distributions)); },
        bar.callback());
  } catch (const InterruptedError&) {
    interrupted = true;
  }
  characterize_wide_designs(session, wide, options, list.designs.size() == 1, unread, interrupted,
                            rows);
  return rows;
}

int write_error_tables(Session& session, const OutputTarget& target, const DesignList& list,
                       const CharacterizationOptions& options, bool with_products) {
  ErrorTableOptions table;
  table.origin.title = with_products ? "axmul error tables" : "axmul error statistics";
  table.origin.command = session.command_line;
  table.origin.reproducible_command = reproducible_command(session);
  table.statistics = options.metrics;
  table.products = with_products;
  table.force = session.args.has("force");
  table.expected = list.designs.size();
  CharacterizationOptions run = options;
  if (with_products) run.prepare = pack_products;
  const DistributionSet distributions(run);
  ErrorTableWriter writer(target.path, distributions, table);
  std::size_t written = 0;
  UnreadDesigns unread;
  if (list.designs.size() > 1)
    run.failed = [&](const DesignRef& design, const Error& why) { unread.add(design, why); };
  try {
    ProgressBar bar(session, "writing " + target.path);
    characterize_designs(
        list.designs, run, distributions,
        [&](const Characterization& result) {
          writer.add(result);
          ++written;
        },
        bar.callback());
  } catch (const InterruptedError&) {
    session.io.err << "interrupted; what was finished is in " << writer.finish_partial() << '\n';
    throw;
  }
  unread.say(session, written);
  writer.finish();
  if (!session.quiet)
    session.io.err << "wrote " << target.path << ": " << written << " multipliers, "
                   << options.distributions.size() << " distribution"
                   << (options.distributions.size() == 1 ? "" : "s") << '\n';
  return unread.exit_code();
}

}  // namespace axmul::cli
