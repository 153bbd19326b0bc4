// Shared options of commands that read designs or write tables.
#include "cli/design_options.hpp"

#include <algorithm>
#include <filesystem>
#include <istream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/library_build.hpp"
#include "cli/circuit_options.hpp"
#include "command/output.hpp"
#include "tables/c_table.hpp"

namespace axmul::cli {
namespace {

// As read_standard_input(), from the session's stream, which tests replace.
std::string read_stream(std::istream& in, std::size_t limit) {
  std::string text;
  std::vector<char> part(1 << 16);
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())), in.gcount() > 0) {
    poll_interrupt();
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > limit)
      throw InputError(
          101, Place{"<stdin>"},
          "is larger than " + std::to_string(limit) + " bytes, the limit for this kind of input");
  }
  return text;
}

/// The rows of all files of --costs.
std::vector<CostRow> session_costs(const Session& session) {
  std::vector<CostRow> rows;
  for (const std::string& path : session.args.values("costs")) {
    const std::vector<CostRow> more = read_costs(path);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

/// Rows name a design as it is listed, after its file, or as its module is called.
Multiplier with_costs(const std::vector<CostRow>& rows, Multiplier multiplier,
                      const std::string& listed) {
  const std::string own = std::exchange(multiplier.name, listed);
  if (own != listed) multiplier.aliases.push_back(own);
  std::vector<Multiplier> one;
  one.push_back(std::move(multiplier));
  join_costs(rows, one);
  if (own != listed) one.front().aliases.pop_back();
  one.front().name = own;
  return std::move(one.front());
}

}  // namespace

PositionalSpec designs_positional(std::size_t min, std::size_t max) {
  return {"DESIGN",
          "a table file, a folder, an axmul HDF5 file (or FILE.h5:NAME), a generator text such as "
          "'drum(k=6)', or - for standard input",
          min, max};
}

std::vector<OptionSpec> open_option_specs() {
  std::vector<std::string> formats;
  for (const TableFormat& format : table_formats()) formats.push_back(format.name);
  std::vector<OptionSpec> specs{
      {"type", "TYPE",
       "Operand type of the design files: u8u8, s8s8, u8s8, or of other widths, such as u8u3.",
       "by name, dtype or content"},
      {"width", "AxB", "Bits of their operands a and b, such as 8x3.", "by shape, ports or name"},
      {"order",
       "ORDER",
       "First index of the design files: ab = operand a, ba = operand b.",
       "the format's",
       false,
       {"ab", "ba"}},
      {"index",
       "INDEX",
       "Their rows and columns ascend by value or by two's-complement bits.",
       "the format's",
       false,
       {"value", "bits"}},
      {"input-format", "NAME", "Format of the design files.", "by content, then extension", false,
       formats}};
  specs.push_back(
      {"costs", "FILE",
       "CSV of costs (separated by comma, semicolon or tab): name or sha256, power_mw or "
       "power_uw, power_rel, area_um2, delay_ns (or PDK45_PWR_mW …), published figures "
       "MAE_pct, WCE …, and columns of your own.",
       "", true});
  specs.push_back({"column", "NAME",
                   "Of lists with several product columns the one to take, of .npz the array."});
  for (OptionSpec& option : circuit_option_specs()) specs.push_back(std::move(option));
  return specs;
}

OpenOptions open_options(Session& session) {
  OpenOptions options;
  if (const auto type = type_option(session)) options.read.type = type->kind;
  options.read.width = width_option(session);
  if (const auto order = session.args.text("order"))
    options.read.order = *order == "ab" ? OperandOrder::ab : OperandOrder::ba;
  if (const auto index = session.args.text("index"))
    options.read.index = *index == "value" ? OperandIndex::value : OperandIndex::bits;
  options.read.format = session.args.text("input-format");
  options.read.column = session.args.text("column");
  accept_circuits(options, circuit_options(session));
  std::ptrdiff_t stdin_uses = std::ranges::count(session.args.values("library"), "-") +
                              std::ranges::count(session.args.values("lut"), "-");
  for (std::size_t i = 0; i < session.command.positionals.size(); ++i)
    stdin_uses += std::ranges::count(session.args.positional(i), "-");
  if (stdin_uses > 1) throw UsageError(1023, "\"-\" (standard input) can be read only once");
  if (stdin_uses == 1) options.standard_input = read_stream(session.io.in, kReadLimit);
  return options;
}

std::vector<OptionSpec> write_option_specs() {
  return {{"write-order",
           "ORDER",
           "First index of the table written.",
           "the format's",
           false,
           {"ab", "ba"}},
          {"write-index",
           "INDEX",
           "Order of its rows and columns.",
           "the format's",
           false,
           {"value", "bits"}},
          {"dtype", "DTYPE", "Element type of the table written, e.g. int32.",
           "the narrowest that holds the products"}};
}

WriteOptions write_options(const Session& session) {
  WriteOptions options;
  options.format = session.args.text("format");
  if (const auto order = session.args.text("write-order"))
    options.order = *order == "ab" ? OperandOrder::ab : OperandOrder::ba;
  if (const auto index = session.args.text("write-index"))
    options.index = *index == "value" ? OperandIndex::value : OperandIndex::bits;
  options.dtype = session.args.text("dtype");
  options.force = session.args.has("force");
  return options;
}

void write_design_file(const Session& session, const std::string& path,
                       const Multiplier& multiplier, const WriteOptions& options) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (options.format || (extension != ".h5" && extension != ".hdf5"))
    return write_table(path, multiplier, options);
  LibraryOptions library;
  library.origin.title = multiplier.name;
  library.origin.command = session.command_line;
  library.origin.reproducible_command = reproducible_command(session);
  library.force = options.force;
  write_library(path, std::span(&multiplier, 1), library);
}

DesignList session_designs(Session& session) {
  return session_designs(session, session.args.positional(0));
}

DesignList session_designs(Session& session, const std::vector<std::string>& texts) {
  OpenOptions options = open_options(session);
  for (const std::string& text : texts)
    if (is_c_model_file(text) && !session.args.has("allow-native-code") &&
        std::filesystem::is_regular_file(text) && !detail::is_c_table(text))
      throw UsageError(1022,
                       text +
                           " is a C or C++ model, which would be compiled and run; allow that with "
                           "--allow-native-code");
  const std::vector<std::string> one = one_design(session, texts);
  options.as_one = !one.empty();
  DesignList list = find_designs(one.empty() ? texts : one, options);
  for (const std::string& text : list.warnings) warn(session, text);
  const auto costs = std::make_shared<const std::vector<CostRow>>(session_costs(session));
  for (DesignRef& ref : list.designs)
    ref.load = [&session, costs, load = ref.load, source = ref.source, name = ref.name] {
      Multiplier multiplier = load();
      if (!costs->empty()) multiplier = with_costs(*costs, std::move(multiplier), name);
      if (const std::string& doubt = multiplier.provenance.warning; !doubt.empty())
        session.late_warnings->add(source, doubt);
      return multiplier;
    };
  if (session.quiet) return list;
  if (session.args.has("synthesize"))
    session.io.err << "Verilog goes through yosys (--synthesize)\n";
  if (session.args.has("simulate"))
    session.io.err << "Verilog goes through Icarus Verilog (--simulate), without cost\n";
  if (list.native_skipped > 0)
    session.io.err << "skipped " << list.native_skipped
                   << " C or C++ models: they are compiled and run only with --allow-native-code\n";
  if (list.skipped > list.native_skipped)
    session.io.err << "skipped " << list.skipped - list.native_skipped
                   << " files of the folders that are no designs\n";
  return list;
}

bool has_own_figure(const Session& session, const std::string& name) {
  return std::ranges::any_of(session_costs(session),
                             [&](const CostRow& row) { return row.published.contains(name); });
}

bool is_wide(const Error& error) {
  const auto* other = dynamic_cast<const NotMultiplierError*>(&error);
  return other != nullptr && other->kind() == wide_kind();
}

OpenOptions wide_open_options(Session& session) {
  OpenOptions options;
  accept_circuits(options, circuit_options(session));
  return options;
}

std::string failure_text(const std::string& path, const std::string& message) {
  const bool says_path = message.find(path) != std::string::npos;
  return "failed: " + (says_path ? "" : path + ": ") + message;
}

void UnreadDesigns::add(const DesignRef& design, const Error& error) {
  const auto* other = dynamic_cast<const NotMultiplierError*>(&error);
  const bool is_left_out = other != nullptr && design.from_folder;
  list_.push_back({design.source, error.what(), is_left_out ? other->kind() : ""});
  failed_ += !is_left_out;
}

void UnreadDesigns::say(Session& session, std::size_t read) const {
  std::map<std::string, std::vector<const UnreadDesign*>> left_out;
  for (const UnreadDesign& design : list_)
    if (!design.kind.empty())
      left_out[design.kind].push_back(&design);
    else
      session.io.err << failure_text(design.source, design.message) << '\n';
  if (!session.quiet)
    for (const auto& [kind, designs] : left_out)
      session.io.err << "left out: " << designs.size() << " " << kind << "; "
                     << designs.front()->source << " for one\n";
  if (read == 0 && !list_.empty())
    throw InputError(804, "none of " + std::to_string(list_.size()) + " designs could be used; " +
                              list_.front().message);
}

std::string assumptions(const SizedType& type, const Provenance& p) {
  std::string text = "type " + to_string(type);
  if (!p.type_from.empty()) text += " (from " + p.type_from + ")";
  if (p.source_file.empty()) return text;
  const auto from = [](const std::string& what) {
    return what.empty() || what == "format" ? "" : " (from " + what + ")";
  };
  text += (p.order == OperandOrder::ab ? ", order ab" : ", order ba") + from(p.order_from);
  text += (p.index == OperandIndex::value ? ", index value" : ", index bits") + from(p.index_from);
  if (!p.decoding.empty()) text += ", " + p.decoding;
  if (p.output_shift > 0)
    text += ", outputs are the product's upper bits: times " + std::to_string(1 << p.output_shift);
  return text;
}

}  // namespace axmul::cli
