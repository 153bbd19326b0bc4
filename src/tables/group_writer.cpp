// What the groups of error tables and libraries share: axes, product tables, costs and origins.
#include "tables/group_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "io/json.hpp"

namespace axmul::detail {

/// A dataset with one figure, or one text, of every multiplier.
struct Fact {
  const char* name;
  Meaning meaning;
  double (*number)(const Multiplier&);
  std::string (*text)(const GroupWriter::Row&);
};

namespace {

using Row = GroupWriter::Row;

const Provenance& origin(const Row& row) { return row.multiplier.provenance; }

std::string lines(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : "\n") + text;
  return joined;
}

constexpr Fact number_fact(const char* name, const Meaning& meaning,
                           double (*get)(const Multiplier&)) {
  return {name, meaning, get, nullptr};
}
constexpr Fact text_fact(const char* name, const Meaning& meaning, std::string (*get)(const Row&)) {
  return {name, meaning, nullptr, get};
}

// In the order in which the file has them.
constexpr Fact kFacts[] = {
    number_fact("power_mw", {"mW", "power", "NaN = unknown"},
                [](const Multiplier& m) { return m.cost.power_mw; }),
    number_fact("area_um2", {"um2", "cell area", "NaN = unknown"},
                [](const Multiplier& m) { return m.cost.area_um2; }),
    number_fact("delay_ns", {"ns", "critical path delay", "NaN = unknown"},
                [](const Multiplier& m) { return m.cost.delay_ns; }),
    number_fact("power_rel",
                {"1", "relative power",
                 "power / power of the exact multiplier of the same source and technology"},
                [](const Multiplier& m) { return m.cost.power_rel; }),
    text_fact("cost_source", {"", "where the cost comes from", "published, estimated or empty"},
              [](const Row& row) { return row.multiplier.cost.source; }),
    text_fact("technology", {"", "technology of the cost", ""},
              [](const Row& row) { return row.multiplier.cost.technology; }),
    text_fact("sha256",
              {"", "identity of the function",
               "SHA-256 of the operand type's name and the 65536 products as little-endian "
               "int32, a slow, b fast, ascending values"},
              [](const Row& row) { return row.sha256; }),
    text_fact("sha256_swapped", {"", "sha256 with operands swapped", ""},
              [](const Row& row) { return row.sha256_swapped; }),
    text_fact("source_file", {"", "file that was read", "empty for a generator"},
              [](const Row& row) { return stored_path(origin(row).source_file); }),
    text_fact("source_format", {"", "reader or generator", ""},
              [](const Row& row) { return origin(row).format; }),
    text_fact("source_order", {"", "operand order assumed on reading", "ab or ba"},
              [](const Row& row) {
                return std::string(origin(row).order == OperandOrder::ab ? "ab" : "ba");
              }),
    text_fact("source_index", {"", "operand index assumed on reading", "value or bits"},
              [](const Row& row) {
                return std::string(origin(row).index == OperandIndex::value ? "value" : "bits");
              }),
    text_fact("source_type_from", {"", "what decided the operand type", ""},
              [](const Row& row) { return origin(row).type_from; }),
    text_fact("source_order_from", {"", "what decided the operand order", ""},
              [](const Row& row) { return origin(row).order_from; }),
    text_fact("source_index_from", {"", "what decided the operand index", ""},
              [](const Row& row) { return origin(row).index_from; }),
    text_fact("source_decoding",
              {"", "unusual decoding of the file", "e.g. big-endian; empty for the usual one"},
              [](const Row& row) { return origin(row).decoding; }),
    number_fact("source_resemblance",
                {"1", "resemblance to the exact product",
                 "as the file was read; 1 = exact, NaN = not asked"},
                [](const Multiplier& m) { return m.provenance.resemblance; }),
    text_fact("source_warning", {"", "why the file may be read wrongly", "or empty"},
              [](const Row& row) { return origin(row).warning; }),
    text_fact("generator", {"", "design text", "empty unless generated"},
              [](const Row& row) { return origin(row).generator; }),
    text_fact("reference", {"", "publication of the design", ""},
              [](const Row& row) { return origin(row).reference; }),
};

constexpr Fact kLibraryFacts[] = {
    text_fact("aliases", {"", "other names of the same function", "one per line"},
              [](const Row& row) { return lines(row.multiplier.aliases); }),
    text_fact("transpose_of", {"", "entry whose operands swapped give this one", "or empty"},
              [](const Row& row) { return row.multiplier.transpose_of; }),
    text_fact(
        "published",
        {"", "published figures by their printed keys", "JSON object; empty where there are none"},
        [](const Row& row) { return figures_text(row.multiplier); }),
};

}  // namespace

std::vector<std::byte> pack_table(const SizedType& type, std::span<const std::int32_t> values) {
  if (type.is_8x8()) return h5::deflate_chunk(values);
  std::vector<std::int32_t> used;
  for (int a = a_min(type); a <= a_max(type); ++a) {
    const int first = (a - a_min(type.kind)) * kOperandCount + b_min(type) - b_min(type.kind);
    const auto row = values.subspan(static_cast<std::size_t>(first), std::size_t{1} << type.bits.b);
    used.insert(used.end(), row.begin(), row.end());
  }
  return h5::deflate_chunk(std::span<const std::int32_t>(used));
}

GroupWriter::GroupWriter(h5::File& file, const SizedType& type, std::uint64_t rows)
    : file_(file),
      type_(type),
      a_(std::uint64_t{1} << type.bits.a),
      b_(std::uint64_t{1} << type.bits.b),
      group_("/" + to_string(type)),
      rows_(rows) {
  file_.create_group(group_);
  name_ = TextColumn(file_, path("multiplier"), rows_,
                     {"", "name of the multiplier", "a label; sha256 is the identity"});
  file_.make_scale(path("multiplier"));
  if (!type.has_table()) return;
  write_operands("operand_a", a_min(type), a_, "operand a (activation, row of the table)");
  write_operands("operand_b", b_min(type), b_, "operand b (weight, column of the table)");
}

void GroupWriter::write_operands(const std::string& name, int first, std::uint64_t count,
                                 const char* long_name) {
  std::vector<std::int16_t> values;
  for (int i = 0; i < static_cast<int>(count); ++i)
    values.push_back(static_cast<std::int16_t>(first + i));
  file_.write<std::int16_t>(path(name), {count}, values);
  file_.make_scale(path(name));
  set_meaning(file_, path(name), {"1", long_name, "operand value, ascending"});
}

void GroupWriter::scales(const std::string& dataset, std::initializer_list<const char*> axes) {
  unsigned axis = 0;
  for (const char* scale : axes) file_.attach_scale(path(dataset), axis++, path(scale));
}

Column<double> GroupWriter::real_column(const std::string& name, const h5::Shape& row,
                                        std::initializer_list<const char*> axes,
                                        const Meaning& meaning) {
  Column<double> column(file_, path(name), row, rows_, meaning);
  scales(name, axes);
  return column;
}

TextColumn GroupWriter::text_column(const std::string& name, const Meaning& meaning) {
  TextColumn column(file_, path(name), rows_, meaning);
  scales(name, {"multiplier"});
  return column;
}

void GroupWriter::create_products(bool with_error) {
  has_products_ = true;
  has_errors_ = with_error;
  const h5::Shape empty{0, a_, b_};
  h5::DatasetOptions table;
  table.chunk = {1, a_, b_};
  table.extendible = table.deflate = true;
  product_ = file_.create_dataset(path("product"), h5::Type::int32, empty, table);
  set_meaning(file_, path("product"),
              {"product", "approximate product", "of operand values a and b"});
  scales("product", {"multiplier", "operand_a", "operand_b"});
  if (!with_error) return;
  error_ = file_.create_dataset(path("error"), h5::Type::int32, empty, table);
  set_meaning(file_, path("error"), {"product", "error", "approximate - exact product"});
  scales("error", {"multiplier", "operand_a", "operand_b"});
}

void GroupWriter::create_circuits() {
  has_circuits_ = true;
  circuit_ = text_column("circuit", {"", "circuit of the multiplier",
                                     "structural Verilog, operand ports A and B, product port O"});
}

void GroupWriter::create_columns(std::span<const Fact> facts) {
  for (const Fact& fact : facts)
    if (fact.number != nullptr)
      numbers_.push_back(real_column(fact.name, {}, {"multiplier"}, fact.meaning));
    else
      texts_.push_back(text_column(fact.name, fact.meaning));
}

void GroupWriter::create_facts() { create_columns(kFacts); }

void GroupWriter::create_library_facts() {
  is_library_ = true;
  create_columns(kLibraryFacts);
}

void GroupWriter::add_products(const Row& row) {
  const Lut& lut = row.multiplier.lut;
  const h5::Shape at{count_, 0, 0};
  product_.resize(count_ + 1);
  if (row.packed_product.empty())
    product_.write_filtered_chunk(at, pack_table(type_, lut.products()));
  else
    product_.write_filtered_chunk(at, row.packed_product);
  if (!has_errors_) return;
  error_.resize(count_ + 1);
  if (row.packed_error.empty())
    error_.write_filtered_chunk(at, pack_table(type_, ErrorMap(lut).values()));
  else
    error_.write_filtered_chunk(at, row.packed_error);
}

void GroupWriter::add(const Row& row) {
  const Multiplier& m = row.multiplier;
  if (has_products_) add_products(row);
  if (has_circuits_) circuit_.push(row.circuit == nullptr ? "" : *row.circuit);
  name_.push(m.name);
  std::size_t number = 0, text = 0;
  const auto push = [&](std::span<const Fact> facts) {
    for (const Fact& fact : facts)
      if (fact.number != nullptr)
        numbers_[number++].push(fact.number(m));
      else
        texts_[text++].push(fact.text(row));
  };
  push(kFacts);
  output_shift_.push_back(m.provenance.output_shift);
  if (is_library_) {
    push(kLibraryFacts);
    alias_published_.push_back(alias_figures_text(m));
  }
  ++count_;
}

void GroupWriter::flush() {
  for (Column<double>& column : numbers_) column.flush();
  name_.flush();
  if (has_circuits_) circuit_.flush();
  for (TextColumn& column : texts_) column.flush();
  write_rare_facts();
}

void GroupWriter::write_rare_facts() {
  if (std::ranges::any_of(output_shift_, [](std::int32_t shift) { return shift != 0; })) {
    Column<std::int32_t> column(
        file_, path("source_output_shift"), {}, rows_,
        {"1", "places by which the file's outputs were shifted", "product = output * 2^shift"});
    scales("source_output_shift", {"multiplier"});
    column.push_all(output_shift_);
    column.flush();
  }
  const auto says_something = [](const std::string& text) { return !text.empty(); };
  if (std::ranges::any_of(alias_published_, says_something)) {
    TextColumn column =
        text_column("alias_published", {"", "published figures of other files of the function",
                                        "JSON object by alias; empty where there are none"});
    for (const std::string& text : alias_published_) column.push(text);
    column.flush();
  }
}

std::string alias_figures_text(const Multiplier& multiplier) {
  if (multiplier.alias_published.empty()) return "";
  Json json;
  for (const auto& [name, figures] : multiplier.alias_published)
    for (const auto& [key, printed] : figures)
      json[utf8_text(name)][utf8_text(key)] = utf8_text(printed);
  return json.dump();
}

void parse_alias_figures(const std::string& text, const std::string& path,
                         const std::string& dataset, Multiplier& multiplier) {
  if (text.empty()) return;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto refuse = [&] {
    throw InputError(
        821, Place{path},
        dataset + ": \"" + text + "\" is not a JSON object of objects of printed numbers");
  };
  if (!json.is_object()) refuse();
  for (const auto& [name, figures] : json.items()) {
    if (!figures.is_object()) refuse();
    for (const auto& [key, printed] : figures.items()) {
      const std::string number = printed.is_string() ? printed.get<std::string>() : "";
      double value = 0;
      const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
      if (result.ec != std::errc() || result.ptr != number.data() + number.size()) refuse();
      multiplier.alias_published[name][key] = number;
    }
  }
}

std::string figures_text(const Multiplier& multiplier) {
  if (multiplier.published.empty()) return "";
  Json json;
  for (const auto& [key, value] : multiplier.published) {
    const auto printed = multiplier.published_text.find(key);
    if (printed != multiplier.published_text.end())
      json[utf8_text(key)] = utf8_text(printed->second);
    else
      json[utf8_text(key)] = number(value);
  }
  return json.dump();
}

void parse_figures(const std::string& text, const std::string& path, const std::string& dataset,
                   Multiplier& multiplier) {
  if (text.empty()) return;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    throw InputError(821, Place{path}, dataset + ": \"" + text + "\" is not a JSON object");
  for (const auto& [key, value] : json.items()) {
    double figure = std::nan("");
    if (value.is_string()) {
      const auto printed = value.get<std::string>();
      const char* end = printed.data() + printed.size();
      const auto result = std::from_chars(printed.data(), end, figure);
      if (result.ec != std::errc() || result.ptr != end)
        throw InputError(821, Place{path},
                         dataset + ": \"" + key + "\" is \"" + printed + "\", not a number");
      multiplier.published_text[key] = printed;
    } else if (value.is_number()) {
      figure = value.get<double>();
    } else if (!value.is_null()) {
      throw InputError(821, Place{path}, dataset + ": \"" + key + "\" is not a number");
    }
    multiplier.published[key] = figure;
  }
}

}  // namespace axmul::detail
