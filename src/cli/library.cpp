// axmul library build | verify: libraries from trees of files, published figures recomputed.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/library_build.hpp"
#include "cli/circuit_options.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

FileOrigin origin(const Session& session, const char* title) {
  FileOrigin origin;
  origin.title = session.args.text_or("title", title);
  origin.command = session.command_line;
  origin.reproducible_command = reproducible_command(session);
  return origin;
}

struct EntryCounts {
  std::size_t aliases = 0, transposes = 0, costs = 0;
};

EntryCounts count_entries(const LibraryBuildReport& report) {
  EntryCounts counts;
  for (const Multiplier& m : report.entries) {
    counts.aliases += m.aliases.size();
    counts.transposes += !m.transpose_of.empty();
    counts.costs += !std::isnan(m.cost.power_rel);
  }
  return counts;
}

void say_report(Session& session, const LibraryBuildReport& report) {
  for (const std::string& text : report.warnings) warn(session, text);
  for (const auto& failure : report.failures)
    session.io.err << failure_text(failure.path, failure.message) << '\n';
  const EntryCounts counts = count_entries(report);
  session.io.err << fmt::format(
      "{} designs read, {} failed; {} distinct functions, {} aliases, {} transposes, {} with "
      "power_rel\n",
      report.files, report.failures.size(), report.entries.size(), counts.aliases,
      counts.transposes, counts.costs);
  if (!report.wide.empty())
    session.io.err << fmt::format("{} circuits of more than 8x8 bits, kept as gates\n",
                                  report.wide.size());
  for (const auto& [kind, files] : report.left_out)
    session.io.err << fmt::format("left out: {} {}; {} for one\n", files.size(), kind,
                                  files.front().path);
  if (report.native_skipped > 0)
    session.io.err << fmt::format(
        "{} C models left alone: they are compiled and run only with --allow-native-code\n",
        report.native_skipped);
  if (report.other_skipped > 0)
    session.io.err << fmt::format("{} files of the folders are no designs\n", report.other_skipped);
}

std::string build_json(const std::string& path, const LibraryBuildReport& report) {
  const EntryCounts counts = count_entries(report);
  Json json{{"schema", "axmul.library-build/1"},
            {"library", path},
            {"designs_read", report.files},
            {"functions", report.entries.size()},
            {"aliases", counts.aliases},
            {"transposes", counts.transposes},
            {"with_power_rel", counts.costs},
            {"left_out", Json::array()},
            {"failed", Json::array()},
            {"native_skipped", report.native_skipped},
            {"other_skipped", report.other_skipped},
            {"warnings", report.warnings}};
  if (!report.wide.empty()) json["circuits"] = report.wide.size();
  for (const auto& [kind, files] : report.left_out) {
    Json paths = Json::array();
    for (const auto& file : files)
      paths.push_back(Json{{"path", file.path}, {"why", file.message}});
    json["left_out"].push_back(
        Json{{"kind", kind}, {"count", files.size()}, {"files", std::move(paths)}});
  }
  for (const auto& failure : report.failures)
    json["failed"].push_back(Json{{"path", failure.path}, {"message", failure.message}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int run_build(Session& session) {
  const auto path = session.args.text("output");
  if (!path) throw UsageError(1100, "name the library to write with --output LIB.h5");
  LibraryBuildOptions options;
  options.tables = open_options(session).read;
  options.circuits = circuit_options(session);
  options.costs = session.args.text("costs");
  options.pack = true;
  ProgressBar bar(session, "reading");
  options.progress = bar.callback();
  const LibraryBuildReport report = build_library(session.args.positional(0), options);
  LibraryOptions library;
  library.origin = origin(session, "library of approximate multipliers");
  library.force = session.args.has("force");
  write_library(*path, report, library);
  if (!session.quiet) say_report(session, report);
  if (!session.quiet) session.io.err << "wrote " << *path << '\n';
  if (session.args.text_or("format", "table") == "json")
    session.io.out << build_json(*path, report);
  return report.failures.empty() ? 0 : 1;
}

struct Verified {
  std::string name;
  VerifyReport report;
};

Json figure_json(const FigureCheck& check) {
  return Json{
      {"key", check.key},
      {"printed", check.printed},
      {"computed", check.computed},
      {"deviation_units", check.deviation},
      {"convention", check.convention == Convention::evoapproxlib ? "evoapproxlib" : "evoapprox8b"},
      {"verdict", to_string(check.verdict)}};
}

std::string verify_json(const std::vector<Verified>& all, std::size_t without) {
  Json json{
      {"schema", "axmul.verification/1"}, {"without_figures", without}, {"designs", Json::array()}};
  for (const Verified& v : all) {
    Json entry{{"name", v.name},
               {"agreeing", v.report.agreeing},
               {"rounded", v.report.rounded},
               {"disagreeing", v.report.disagreeing},
               {"figures", Json::array()}};
    for (const FigureCheck& check : v.report.checks) entry["figures"].push_back(figure_json(check));
    json["designs"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

std::string verify_table(const std::vector<Verified>& all, std::size_t without, bool color) {
  std::size_t agreeing = 0, rounded = 0, disagreeing = 0;
  TextTable table({"design", "figure", "published", "computed", "units off", "verdict"}, "llrrrl");
  for (const Verified& v : all) {
    agreeing += v.report.agreeing;
    rounded += v.report.rounded;
    disagreeing += v.report.disagreeing;
    for (const FigureCheck& check : v.report.checks)
      if (check.verdict != FigureVerdict::agrees)
        table.row({v.name, check.key, check.printed, fmt::format("{:.8g}", check.computed),
                   fmt::format("{:.2f}", check.deviation), std::string(to_string(check.verdict))});
  }
  std::string out = rounded + disagreeing > 0 ? table.render(color) : "";
  out += fmt::format(
      "{} designs with published figures ({} without): {} figures agree, {} differ by the header's "
      "rounding, {} disagree\n",
      all.size(), without, agreeing, rounded, disagreeing);
  return out;
}

/// A design as a table; nothing where it is too wide, or met in a folder and no multiplier.
std::optional<Multiplier> load_table(const DesignRef& design, char& is_too_wide, char& is_none) {
  try {
    return design.load();
  } catch (const NotMultiplierError& error) {
    is_too_wide = is_wide(error) ? 1 : 0;
    is_none = is_too_wide == 0 && design.from_folder ? 1 : 0;
    if (is_too_wide == 0 && is_none == 0) throw;
  }
  return std::nullopt;
}

std::vector<Verified> verify_wide(Session& session, const DesignRef& design) {
  const WideMultiplier m = open_wide(design.source, wide_open_options(session));
  if (m.published_text.empty()) return {};
  ProgressBar bar(session, "streaming " + design.name);
  const WideReport report =
      characterize_wide(*m.products, Convention::evoapproxlib, 0, bar.callback());
  Verified verified{design.name, verify_published(m.published_text, report.metrics)};
  if (verified.report.checks.empty()) return {};
  return {verified};
}

int run_verify(Session& session) {
  const OutputTarget target = output_target(session);
  const DesignList list = session_designs(session);
  std::vector<std::vector<Verified>> results(list.designs.size());
  std::vector<char> is_too_wide(results.size(), 0), is_none(results.size(), 0);
  parallel_for(results.size(), 0, [&](std::size_t i) {
    const std::string& name = list.designs[i].name;
    const std::optional<Multiplier> loaded =
        load_table(list.designs[i], is_too_wide[i], is_none[i]);
    if (!loaded) return;
    const Multiplier& m = *loaded;
    if (!m.published_text.empty())
      results[i].push_back({name, verify_published(m.published_text, m.lut)});
    for (const auto& [alias, figures] : m.alias_published)
      results[i].push_back({alias + " = " + name, verify_published(figures, m.lut)});
    std::erase_if(results[i], [](const Verified& v) { return v.report.checks.empty(); });
  });
  for (std::size_t i = 0; i < results.size(); ++i)
    if (is_too_wide[i] != 0) results[i] = verify_wide(session, list.designs[i]);
  const auto others = std::ranges::count(is_none, 1);
  if (others > 0 && !session.quiet)
    session.io.err << others << " designs of folders are no multipliers, left out\n";
  std::vector<Verified> all;
  std::size_t without = 0, disagreeing = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto& result = results[i];
    if (is_none[i] != 0) continue;
    without += result.empty();
    for (Verified& v : result) {
      disagreeing += v.report.disagreeing;
      all.push_back(std::move(v));
    }
  }
  if (all.empty())
    throw InputError(1101,
                     "no design has published error figures; build the library from circuits "
                     "with header comments, or join them with --costs");
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  write_output(
      session, target,
      target.format == "json" ? verify_json(all, without) : verify_table(all, without, color));
  return disagreeing == 0 ? 0 : 1;
}

}  // namespace

CommandSpec library_build_command() {
  CommandSpec spec;
  spec.name = "library build";
  spec.purpose =
      "Make a library of a tree of circuits, C models and tables: one entry per function, with "
      "cost.";
  spec.examples = {
      {"axmul library build evoapproxlib/ --allow-native-code -o evo.h5", "a mixed tree"},
      {"axmul library build tables/*.bin --costs facts.csv -o evo.h5",
       "plain tables, published costs from CSV"}};
  spec.positionals = {designs_positional()};
  spec.options = {
      {"output", "FILE", "The library to write.", "", false, {}, 'o'},
      {"force", "", "Replace an existing library."},
      {"title", "TEXT", "Title kept in the file.", "library of approximate multipliers"},
      {"format",
       "FORMAT",
       "json also writes what was read, left out and warned of to stdout.",
       "table",
       false,
       {"table", "json"}}};
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "A file that fails is reported, the rest goes on, and the exit code is 1. What is no\n"
      "multiplier (adders) is counted and left out; circuits of 9 to 16 bits are kept as\n"
      "gates. Names that stand for several functions become NAME@HEX; then entries of one function "
      "become one, of the least published\n"
      "power, the other names its aliases; transposes are kept and marked. The order of files "
      "does\n"
      "not matter.";
  spec.run = run_build;
  return spec;
}

CommandSpec library_verify_command() {
  CommandSpec spec;
  spec.name = "library verify";
  spec.purpose =
      "Recompute the published error figures of designs; exit code 1 when one disagrees.";
  spec.examples = {{"axmul library verify evo.h5", "every figure that headers or CSV published"}};
  spec.positionals = {designs_positional()};
  spec.options = output_options({"table", "json"});
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "Both conventions of relative errors are tried. Within half a unit of the last printed digit "
      "a\n"
      "figure agrees; up to 1.1 units it is listed as the header's rounding; more disagrees.";
  spec.run = run_verify;
  return spec;
}

}  // namespace axmul::cli
