// axmul convert: one design to a table file of another format.
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/tables/open_design.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

int run(Session& session) {
  const DesignList list = session_designs(session);
  if (list.designs.size() != 1)
    throw InputError(1020, Place{session.args.positional(0).front()},
                     "holds " + std::to_string(list.designs.size()) +
                         " designs; convert takes one (name it, e.g. FILE.h5:NAME)");
  const Multiplier multiplier = list.designs.front().load();
  const std::vector<std::string>& second = session.args.positional(1);
  if (!second.empty() && session.args.has("output"))
    throw UsageError(1024, "two files to write: \"" + second.front() + "\" and --output " +
                               session.args.text_or("output", ""));
  const std::string path = second.empty() ? session.args.text_or("output", "-") : second.front();
  const WriteOptions options = write_options(session);
  if (!session.quiet)
    session.io.err << multiplier.name << ": "
                   << assumptions(multiplier.lut.sized_type(), multiplier.provenance) << '\n';
  if (path == "-") {
    if (!options.format)
      throw UsageError(1021, "name a file with --output, or a --format for standard output");
    session.io.out << encode_table(multiplier, options);
    return 0;
  }
  write_design_file(session, path, multiplier, options);
  if (!session.quiet)
    session.io.err << "wrote " << path << ", sha256 " << multiplier.lut.sha256() << '\n';
  return 0;
}

}  // namespace

CommandSpec convert_command() {
  CommandSpec spec;
  spec.name = "convert";
  spec.purpose = "Write a design as a table file of another format.";
  spec.examples = {
      {"axmul convert mul8u_1JFF.bin -o mul8u_1JFF.npy", "the extension decides the format"},
      {"axmul convert lut.csv --order ba --type s8s8 -o lut.h", "say what the file does not"},
      {"axmul convert library.h5:mul8s_1KV8 --format hex", "one entry of a library, to stdout"}};
  spec.positionals = {designs_positional(1, 1),
                      {"FILE", "the table to write, instead of --output", 0, 1}};
  spec.options = open_option_specs();
  spec.options.push_back({"output", "FILE", "The table to write.", "-", false, {}, 'o'});
  std::vector<std::string> formats;
  for (const TableFormat& format : table_formats()) formats.push_back(format.name);
  spec.options.push_back(
      {"format", "FORMAT", "Format to write; else by the extension.", "", false, formats});
  spec.options.push_back({"force", "", "Replace an existing output file."});
  for (OptionSpec& option : write_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
