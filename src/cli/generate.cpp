// axmul generate: lists the published architectures and writes one of them as a table or as
// Verilog.
#include <algorithm>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/formats/table_file.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

std::string types_text(const Design& family) {
  std::string text;
  for (OperandType type : family.types)
    text += (text.empty() ? "" : ", ") + std::string(to_string(type));
  return text;
}

Json parameter_json(const DesignParameter& p) {
  Json json{{"name", p.name},
            {"min", p.min},
            {"max", p.max},
            {"default", p.default_value},
            {"help", p.help}};
  if (!p.choices.empty()) json["choices"] = p.choices;
  return json;
}

std::string families_json() {
  Json json{{"schema", "axmul.designs/1"}, {"designs", Json::array()}};
  for (const Design& family : design_families()) {
    Json entry{{"name", family.name},
               {"description", family.description},
               {"source", family.source},
               {"topology", family.topology == Topology::paper ? "paper" : "ours"},
               {"topology_note", family.topology_note},
               {"has_circuit", family.has_circuit}};
    for (OperandType type : family.types) entry["types"].push_back(to_string(type));
    entry["parameters"] = Json::array();
    for (const DesignParameter& p : family.parameters)
      entry["parameters"].push_back(parameter_json(p));
    json["designs"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

std::string families_table(bool color) {
  std::string out;
  for (const Design& family : design_families()) {
    out += (color ? "\033[1m" + family.name + "\033[0m" : family.name);
    if (!family.parameters.empty()) out += "(" + parameter_text(family) + ")";
    out += "\n    " + family.description + "\n    types: " + types_text(family);
    if (family.has_circuit) out += "; Verilog";
    out += "\n    source: " + family.source;
    if (!family.topology_note.empty() || family.topology == Topology::ours)
      out += std::string("\n    topology: ") +
             (family.topology == Topology::ours ? "ours" : "the paper's") +
             (family.topology_note.empty() ? "" : ", " + family.topology_note);
    out += "\n";
    for (const DesignParameter& p : family.parameters)
      out += "    " + p.name + ": " + p.help + "\n";
    out += "\n";
  }
  return out;
}

int list_families(Session& session) {
  OutputTarget target{session.args.text_or("output", "-"), "table"};
  const std::string format =
      session.args.text_or("format", target.path.ends_with(".json") ? "json" : "table");
  if (format != "json" && format != "table")
    throw UsageError(1012, "--list goes out as table or json, not \"" + format + "\"");
  if (format == "json")
    write_output(session, target, families_json());
  else
    write_output(session, target,
                 families_table(target.is_stdout() && use_color(session, session.io.out_is_tty)));
  return 0;
}

int write_verilog(Session& session) {
  OutputTarget target{session.args.text_or("output", "-"), "verilog"};
  write_output(session, target, generate_verilog(session.args.positional(0).front()));
  return 0;
}

/// A table goes out in any table format; the format is --format or the extension.
int write_design(Session& session) {
  const Multiplier multiplier = generate(session.args.positional(0).front());
  const std::string path = session.args.text_or("output", "-");
  WriteOptions options = write_options(session);
  options.force = session.args.has("force");
  if (path == "-") {
    if (!options.format)
      throw UsageError(1010, "name a file with --output, or a --format for standard output");
    session.io.out << encode_table(multiplier, options);
    return 0;
  }
  write_design_file(session, path, multiplier, options);
  if (!session.quiet)
    session.io.err << "wrote " << path << ": " << multiplier.name << ", "
                   << to_string(multiplier.lut.sized_type()) << ", sha256 "
                   << multiplier.lut.sha256().substr(0, 16) << "…\n";
  return 0;
}

int run(Session& session) {
  if (session.args.has("list")) return list_families(session);
  if (session.args.positional(0).empty())
    throw UsageError(1011,
                     "name a design, e.g. axmul generate 'drum(k=6)' -o drum6.npy, or --list");
  if (session.args.has("verilog") || session.args.text_or("output", "-").ends_with(".v"))
    return write_verilog(session);
  return write_design(session);
}

}  // namespace

CommandSpec generate_command() {
  CommandSpec spec;
  spec.name = "generate";
  spec.purpose = "Write a published architecture as a product table, or list the architectures.";
  spec.examples = {
      {"axmul generate --list", "what can be generated, with sources"},
      {"axmul generate 'drum(k=6)' -o drum6.npy", "a table; the extension decides"},
      {"axmul generate 'momeni(design=2,columns=7)' --verilog -o momeni.v", "its gates"},
      {"axmul generate 'truncated(k=4,type=s8s8)' -o t4.h --force",
       "a C header of a signed design"}};
  spec.positionals = {{"DESIGN", "generator text such as 'drum(k=6)'", 0, 1}};
  spec.options = {
      {"list", "", "List the architectures, their parameters and sources."},
      {"verilog", "", "Write structural Verilog of its gates; implied by an output FILE.v."},
      {"output",
       "FILE",
       "The table to write; its extension decides the format.",
       "-",
       false,
       {},
       'o'},
      {"format", "FORMAT", "Table format (axmul list --formats shows them), or json with --list."},
      {"force", "", "Replace an existing output file."}};
  for (OptionSpec& option : write_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
