// axmul list and axmul info: what designs a file, folder or library holds, and what it says of
// itself.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/io/csv.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/plot/run_story.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/open_design.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

const char* order_text(OperandOrder order) { return order == OperandOrder::ab ? "ab" : "ba"; }
const char* index_text(OperandIndex index) {
  return index == OperandIndex::value ? "value" : "bits";
}

std::string formats_text(const Session& session, const OutputTarget& target) {
  if (target.format == "json") {
    Json json{{"schema", "axmul.formats/1"}, {"formats", Json::array()}};
    for (const TableFormat& f : table_formats())
      json["formats"].push_back(Json{{"name", f.name},
                                     {"extensions", f.extensions},
                                     {"description", f.description},
                                     {"layout", f.layout},
                                     {"order", order_text(f.order)},
                                     {"index", index_text(f.index)},
                                     {"dtypes", f.dtypes}});
    return json.dump(2) + "\n";
  }
  TextTable table({"format", "extensions", "order", "index", "description"}, "lllll");
  for (const TableFormat& f : table_formats()) {
    std::string extensions;
    for (const std::string& e : f.extensions) extensions += (extensions.empty() ? "" : " ") + e;
    table.row({f.name, extensions, order_text(f.order), index_text(f.index), f.description});
  }
  return table_text(session, target, std::move(table));
}

/// What the list says of a design; its table is not kept.
struct ListRow {
  std::string text;  ///< opens the design alone
  std::string name, type, sha256, source, format, reference;
  double power_rel = 0;
};

ListRow list_row(const std::string& text, const Multiplier& m) {
  const Provenance& p = m.provenance;
  return {text,
          m.name,
          to_string(m.lut.sized_type()),
          m.lut.sha256(),
          p.source_file.empty() ? p.generator : p.source_file,
          p.format,
          p.reference,
          m.cost.power_rel};
}

ListRow list_row(const DesignRef& ref, const WideMultiplier& m) {
  const Provenance& p = m.provenance;
  return {ref.source,
          ref.name,
          to_string(m.type()),
          "",
          p.source_file.empty() ? p.generator : p.source_file,
          p.format,
          p.reference,
          m.cost.power_rel};
}

std::string list_json(const std::vector<ListRow>& designs) {
  Json json{{"schema", "axmul.list/1"}, {"designs", Json::array()}};
  for (const ListRow& row : designs)
    json["designs"].push_back(
        Json{{"name", row.name},
             {"text", row.text},
             {"type", row.type},
             {"sha256", row.sha256.empty() ? Json(nullptr) : Json(row.sha256)},
             {"source", row.source},
             {"format", row.format},
             {"power_rel", number(row.power_rel)}});
  return json.dump(2) + "\n";
}

/// The start of a text, whole characters, for a table's last column.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 60;
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

TextTable list_table(const std::vector<ListRow>& designs) {
  TextTable table({"multiplier", "type", "sha256", "power_rel", "format", "reference"}, "lllrll");
  for (const ListRow& row : designs)
    table.add({row.name, row.type, row.sha256.substr(0, 12), Cell::of(row.power_rel), row.format,
               shortened(row.reference)});
  return table;
}

int run_list(Session& session) {
  const OutputTarget target = output_target(session);
  if (session.args.has("formats")) {
    write_output(session, target, formats_text(session, target));
    return 0;
  }
  if (session.args.positional(0).empty())
    throw UsageError(1060, "name a file, folder or library to list, or --formats");
  const DesignList list = session_designs(session);
  std::vector<ListRow> designs;
  UnreadDesigns unread;
  for (const DesignRef& ref : list.designs) {
    poll_interrupt();
    try {
      designs.push_back(list_row(ref.source, ref.load()));
    } catch (const InputError& why) {
      if (is_wide(why)) {
        designs.push_back(list_row(ref, open_wide(ref.source, wide_open_options(session))));
        continue;
      }
      if (list.designs.size() == 1) throw;
      unread.add(ref, why);
    }
  }
  unread.say(session, designs.size());
  write_output(session, target,
               target.format == "json" ? list_json(designs)
                                       : table_text(session, target, list_table(designs)));
  return unread.exit_code();
}

/// Label and value lines, aligned; the same pairs as JSON.
class Facts {
 public:
  void add(const std::string& key, const std::string& label, const Json& value) {
    json_[key] = value;
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (!text.empty() && text != "null") lines_.emplace_back(label, std::move(text));
  }
  std::string text() const {
    std::string out;
    for (const auto& [label, value] : lines_) out += fmt::format("{:<18}{}\n", label, value);
    return out;
  }
  std::string csv() const {
    std::string out = "key,value\n";
    for (const auto& [key, value] : json_.items()) {
      append_field(out, key);
      out += ',';
      append_field(out, value.is_string() ? value.get<std::string>() : value.dump());
      out += '\n';
    }
    return out;
  }
  Json& json() { return json_; }

 private:
  Json json_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

void add_cost(Facts& facts, const Cost& cost) {
  for (const auto& [key, label, value] : {std::tuple{"power_mw", "power, mW", cost.power_mw},
                                          std::tuple{"area_um2", "area, µm²", cost.area_um2},
                                          std::tuple{"delay_ns", "delay, ns", cost.delay_ns},
                                          std::tuple{"power_rel", "power_rel", cost.power_rel}})
    facts.add(key, label, number(value));
  facts.add("cost_source", "cost source", cost.source);
  facts.add("technology", "technology", cost.technology);
}

/// Of more than 8x8 bits, which have no table and so no hash.
Facts wide_facts(const WideMultiplier& m) {
  Facts facts;
  const Provenance& p = m.provenance;
  facts.add("name", "name", m.name);
  facts.add("type", "operand type", to_string(m.type()));
  facts.add("format", "format", p.format);
  facts.add("source_file", "file", p.source_file);
  facts.add("generator", "generator", p.generator);
  facts.add("reference", "source", p.reference);
  if (!p.source_file.empty()) facts.add("order", "operand order", order_text(p.order));
  facts.add("type_from", "type known from", p.type_from);
  facts.add("order_from", "order known from", p.order_from);
  add_cost(facts, m.cost);
  return facts;
}

Facts design_facts(const Multiplier& m) {
  Facts facts;
  const Provenance& p = m.provenance;
  facts.add("name", "name", m.name);
  facts.add("type", "operand type", to_string(m.lut.sized_type()));
  facts.add("sha256", "sha256", m.lut.sha256());
  facts.add("sha256_swapped", "operands swapped", m.lut.sha256_swapped());
  facts.add("format", "format", p.format);
  facts.add("source_file", "file", p.source_file);
  facts.add("generator", "generator", p.generator);
  facts.add("reference", "source", p.reference);
  if (!p.source_file.empty()) {
    facts.add("order", "operand order", order_text(p.order));
    facts.add("index", "index order", index_text(p.index));
  }
  facts.add("type_from", "type known from", p.type_from);
  if (p.output_shift > 0) facts.add("output_shift", "output shift", p.output_shift);
  facts.add("order_from", "order known from", p.order_from);
  facts.add("index_from", "index known from", p.index_from);
  facts.add("decoding", "decoding", p.decoding);
  facts.add("resemblance", "resemblance", number(p.resemblance));
  facts.add("warning", "warning", p.warning.empty() ? Json(nullptr) : Json(p.warning));
  add_cost(facts, m.cost);
  facts.add("transpose_of", "transpose of", m.transpose_of);
  Json aliases = Json::array();
  std::string names;
  for (const std::string& alias : m.aliases) {
    aliases.push_back(alias);
    names += (names.empty() ? "" : ", ") + alias;
  }
  facts.add("also_known_as", "also known as", names);
  facts.json()["aliases"] = aliases;
  facts.json().erase("also_known_as");
  return facts;
}

Facts file_facts(const std::string& path) {
  const ErrorTableFile file(path);
  Facts facts;
  facts.add("file", "file", path);
  facts.add("format", "format", file.format());
  facts.add("format_version", "format version", file.format_version());
  facts.add("title", "title", file.title());
  facts.add("complete", "complete", file.complete() ? "yes" : "no: an interrupted run left it");
  std::map<SizedType, std::size_t> counts;
  for (const TableEntry& entry : file.entries()) ++counts[entry.type];
  for (const auto& [type, count] : counts) {
    const std::string name = to_string(type);
    std::string text = counted(count, "multiplier");
    if (file.has_products(type)) text += ", products";
    if (!file.metrics(type).empty()) text += ", " + counted(file.metrics(type).size(), "metric");
    for (const std::string& d : file.distributions(type)) text += "; " + d;
    facts.add(name, name, text);
  }
  return facts;
}

Facts trace_facts(const std::string& path) {
  const TraceFile file(path);
  Facts facts;
  facts.add("file", "file", path);
  facts.add("format", "format", "axmul-traces");
  for (const std::string& network : file.networks()) {
    double ops = 0;
    std::size_t fields = 0;
    const std::vector<std::string> layers = file.layers(network);
    for (const std::string& name : layers) {
      const LayerOperands layer = file.layer(name, network);
      ops += layer.ops;
      fields += layer.patch_count;
    }
    std::string text = counted(layers.size(), "layer") + ", " + counted(fields, "receptive field") +
                       fmt::format(", {:.0f} ", ops) + "multiplications per image";
    if (const double rest = file.ops_not_covered(network); rest > 0)
      text += fmt::format(" ({:.0f} more in no layer)", rest);
    facts.add(network, "network " + network, text);
  }
  return facts;
}

Facts run_facts(const std::string& path) {
  const plot::RunStory run = plot::read_run_story(path);
  Facts facts;
  facts.add("file", "file", run.path);
  facts.add("format", "format", "axmul.run/1, record of axmul train run");
  facts.add("network", "network", run.network);
  facts.add("data", "data", run.data);
  facts.add("schedule", "schedule", run.schedule);
  facts.add("seed", "seed",
            std::isnan(run.seed) ? Json() : Json(static_cast<std::uint64_t>(run.seed)));
  facts.add("points", "points", run.points.size());
  facts.add("quantized_top1", "8-bit accuracy", number(run.quantized_report.top1));
  if (const plot::StoryPoint* point = plot::chosen_point(run)) {
    facts.add("point", point->chosen ? "chosen" : "cheapest of search", point->name);
    facts.add("relative_energy", "relative energy", number(point->relative_energy));
    facts.add("top1", "accuracy", number(point->report.top1));
  }
  facts.add("command", "command", run.command);
  facts.add("source", "made by", run.source);
  return facts;
}

/// Sigma files, assignments and what commands print as JSON.
Facts json_facts(const std::string& path) {
  Facts facts;
  facts.add("file", "file", path);
  try {
    const Json json = parse_json(read_file(path));
    const std::string schema = json.is_object() ? json.value("schema", "") : "";
    if (!schema.starts_with("axmul."))
      throw InputError(1034, Place{path}, "is no JSON of axmul: it has no \"schema\": \"axmul.…\"");
    facts.add("format", "format", schema);
    for (const auto& [key, value] : json.items()) {
      if (key == "schema") continue;
      if (value.is_array())
        facts.add(key, key,
                  fmt::format("{} {}", value.size(), value.size() == 1 ? "entry" : "entries"));
      else if (!value.is_object())
        facts.add(key, key, value);
    }
  } catch (const Json::exception& e) {
    throw InputError(1034, Place{path}, std::string("is no JSON of axmul: ") + e.what());
  }
  return facts;
}

int run_info(Session& session) {
  const OutputTarget target = output_target(session);
  const std::string text = session.args.positional(0).front();
  const bool is_file = std::filesystem::is_regular_file(text);
  const bool is_h5 = is_file && ErrorTableFile::is_one(text);
  const bool is_traces = is_file && TraceFile::is_one(text);
  const bool is_run = plot::is_run(text);
  Facts facts;
  if (is_h5) {
    facts = file_facts(text);
  } else if (is_traces) {
    facts = trace_facts(text);
  } else if (is_run) {
    facts = run_facts(text);
  } else if (is_file && text.ends_with(".json")) {
    facts = json_facts(text);
  } else {
    const DesignList list = session_designs(session);
    if (list.designs.size() != 1)
      throw InputError(1061, Place{text}, "holds several designs; axmul list shows them");
    try {
      facts = design_facts(list.designs.front().load());
    } catch (const InputError& why) {
      if (!is_wide(why)) throw;
      facts = wide_facts(open_wide(list.designs.front().source, wide_open_options(session)));
    }
  }
  if (target.format == "csv") {
    write_output(session, target, facts.csv());
  } else if (target.format == "json") {
    const bool is_design = !is_h5 && !is_traces && !is_run && !text.ends_with(".json");
    Json json{{"schema", is_design ? "axmul.design-info/1" : "axmul.file-info/1"}};
    json.update(facts.json());
    write_output(session, target, json.dump(2) + "\n");
  } else {
    write_output(session, target, facts.text());
  }
  return 0;
}

}  // namespace

CommandSpec list_command() {
  CommandSpec spec;
  spec.name = "list";
  spec.purpose = "List the designs in files, folders and libraries, or the table formats.";
  spec.examples = {{"axmul list luts/axmul-library.h5", "the shipped library"},
                   {"axmul list circuits/ --format json", "with full hashes"},
                   {"axmul list --formats", "table formats, their operand and index order"}};
  spec.positionals = {designs_positional(0)};
  spec.options = {{"formats", "", "List the table formats instead."}};
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : table_option_specs()) spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run_list;
  return spec;
}

CommandSpec info_command() {
  CommandSpec spec;
  spec.name = "info";
  spec.purpose =
      "Say what a design or a file of axmul is (table, library, traces, run, assignment), and how "
      "it "
      "was read.";
  spec.examples = {{"axmul info mul8u_2AC.bin", "identity, operand order and where they come from"},
                   {"axmul info luts/axmul-library.h5", "what an axmul HDF5 file holds"},
                   {"axmul info 'luts/axmul-library.h5:drum(k=6)'", "one entry of it"}};
  spec.positionals = {designs_positional(1, 1)};
  spec.options = output_options({"table", "json", "csv"});
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run_info;
  return spec;
}

}  // namespace axmul::cli
