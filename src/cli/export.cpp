// axmul export: products, errors and all statistics of designs as one HDF5 file.
#include "axmul/core/errors.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

int run(Session& session) {
  if (!session.args.has("output"))
    throw UsageError(1050, "name the HDF5 file to write with --output FILE.h5");
  const OutputTarget target = output_target(session);
  CharacterizationOptions options = characterization_options(session);
  options.metrics.rank = !session.args.has("no-rank");
  const DesignList list = session_designs(session);
  return write_error_tables(session, target, list, options, true);
}

}  // namespace

CommandSpec export_command() {
  CommandSpec spec;
  spec.name = "export";
  spec.purpose = "Write products, errors and all statistics of designs as one HDF5 file.";
  spec.examples = {
      {"axmul export circuits/ -o tables.h5", "everything about a folder of designs"},
      {"axmul export luts/axmul-library.h5 --a 'halfnormal(std=40)' -o tables.h5 --force",
       "a library under another distribution"}};
  spec.positionals = {designs_positional()};
  spec.options = distribution_option_specs();
  std::erase_if(spec.options, [](const OptionSpec& option) { return option.name == "rank"; });
  spec.options.push_back({"no-rank", "", "Leave out the exact ranks, the only slow figures."});
  for (OptionSpec& option : output_options({"h5"})) spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes = distribution_notes();
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
