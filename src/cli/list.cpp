// axmul list and axmul info: what designs a file, folder or library holds, and what it says of
// itself.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/open_design.hpp"
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

std::string formats_text(const OutputTarget& target, bool color) {
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
  return table.render(color);
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

std::string list_table(const std::vector<ListRow>& designs, bool color) {
  TextTable table({"multiplier", "type", "sha256", "power_rel", "format", "reference"}, "lllrll");
  for (const ListRow& row : designs)
    table.row({row.name, row.type, row.sha256.substr(0, 12), short_number(row.power_rel),
               row.format, shortened(row.reference)});
  return table.render(color);
}

int run_list(Session& session) {
  const OutputTarget target = output_target(session);
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  if (session.args.has("formats")) {
    write_output(session, target, formats_text(target, color));
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
               target.format == "json" ? list_json(designs) : list_table(designs, color));
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
  Json& json() { return json_; }

 private:
  Json json_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

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
  for (const auto& [key, label, value] : {std::tuple{"power_mw", "power, mW", m.cost.power_mw},
                                          std::tuple{"area_um2", "area, µm²", m.cost.area_um2},
                                          std::tuple{"delay_ns", "delay, ns", m.cost.delay_ns},
                                          std::tuple{"power_rel", "power_rel", m.cost.power_rel}})
    facts.add(key, label, number(value));
  facts.add("cost_source", "cost source", m.cost.source);
  facts.add("technology", "technology", m.cost.technology);
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
    std::string text = fmt::format("{} multipliers", count);
    if (file.has_products(type)) text += ", products";
    if (!file.metrics(type).empty()) text += fmt::format(", {} metrics", file.metrics(type).size());
    for (const std::string& d : file.distributions(type)) text += "; " + d;
    facts.add(name, name, text);
  }
  return facts;
}

int run_info(Session& session) {
  const OutputTarget target = output_target(session);
  const std::string text = session.args.positional(0).front();
  const bool is_h5 = std::filesystem::is_regular_file(text) && ErrorTableFile::is_one(text);
  Facts facts;
  if (is_h5) {
    facts = file_facts(text);
  } else {
    const DesignList list = session_designs(session);
    if (list.designs.size() != 1)
      throw InputError(1061, Place{text}, "holds several designs; axmul list shows them");
    facts = design_facts(list.designs.front().load());
  }
  if (target.format == "json") {
    Json json{{"schema", is_h5 ? "axmul.file-info/1" : "axmul.design-info/1"}};
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
  for (OptionSpec& option : output_options({"table", "json"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run_list;
  return spec;
}

CommandSpec info_command() {
  CommandSpec spec;
  spec.name = "info";
  spec.purpose = "Say what one design, error table or library is, and how it was read.";
  spec.examples = {{"axmul info mul8u_2AC.bin", "identity, operand order and where they come from"},
                   {"axmul info luts/axmul-library.h5", "what an axmul HDF5 file holds"},
                   {"axmul info 'luts/axmul-library.h5:drum(k=6)'", "one entry of it"}};
  spec.positionals = {designs_positional(1, 1)};
  spec.options = output_options({"table", "json"});
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run_info;
  return spec;
}

}  // namespace axmul::cli
