// axmul library make: the library that axmul ships, or one of other generated designs.
#include <fmt/format.h>

#include <optional>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/netlist/cost.hpp"
#include "axmul/tables/error_table.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

/// A generated design with the cost of its gates, where it has a gate-level definition.
Multiplier costed_design(const std::string& text) {
  Multiplier multiplier = generate(text);
  if (!find_design_family(text.substr(0, text.find('(')))->has_circuit) return multiplier;
  const SizedType type = multiplier.lut.sized_type();
  multiplier.cost = estimated_cost(estimate_cost(generate_netlist(text), type));
  return multiplier;
}

int run_make(Session& session) {
  const auto path = session.args.text("output");
  if (!path) throw UsageError(1100, "name the library to write with --output LIB.h5");
  std::vector<std::string> texts = session.args.positional(0);
  if (texts.empty()) texts.assign(library_designs().begin(), library_designs().end());
  for (std::string& text : texts) text = parse_design(text).text();
  std::vector<std::optional<Multiplier>> made(texts.size());
  parallel_for(texts.size(), 0, [&](std::size_t i) { made[i] = costed_design(texts[i]); });
  std::vector<Multiplier> entries;
  entries.reserve(made.size());
  for (auto& multiplier : made) entries.push_back(std::move(*multiplier));
  const std::vector<std::string> warnings = fold_library(entries);
  for (const std::string& text : warnings) warn(session, text);
  LibraryOptions library;
  library.origin.title = session.args.text_or("title", "published approximate multipliers");
  library.origin.command = session.command_line;
  library.origin.reproducible_command = reproducible_command(session);
  library.force = session.args.has("force");
  write_library(*path, entries, library);
  if (!session.quiet)
    session.io.err << fmt::format("wrote {}: {} multipliers\n", *path, entries.size());
  return 0;
}

}  // namespace

CommandSpec library_make_command() {
  CommandSpec spec;
  spec.name = "library make";
  spec.purpose = "Make a library of generated designs, with costs estimated from their gates.";
  spec.examples = {
      {"axmul library make -o luts/axmul-library.h5 --force", "the shipped library anew"},
      {"axmul library make exact 'drum(k=5)' 'drum(k=6)' -o drums.h5", "designs of one's own"}};
  spec.positionals = {
      {"DESIGN", "generator texts; without any, those of the shipped library", 0, kMany}};
  spec.options = {
      {"output", "FILE", "The library to write.", "", false, {}, 'o'},
      {"force", "", "Replace an existing library."},
      {"title", "TEXT", "Title kept in the file.", "published approximate multipliers"}};
  spec.run = run_make;
  return spec;
}

}  // namespace axmul::cli
