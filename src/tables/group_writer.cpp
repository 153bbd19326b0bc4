// What the groups of error tables and libraries share: axes, product tables, costs and origins.
#include "tables/group_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "io/json.hpp"

namespace axmul::detail {

namespace {
constexpr std::uint64_t kOperands = kOperandCount;
}

GroupWriter::GroupWriter(h5::File& file, OperandType type, std::uint64_t rows)
    : file_(file), group_("/" + std::string(to_string(type))), rows_(rows) {
  file_.create_group(group_);
  name_ = TextColumn(file_, path("multiplier"), rows_,
                     {"", "name of the multiplier", "a label; sha256 is the identity"});
  file_.make_scale(path("multiplier"));
  write_operands("operand_a", a_min(type), "operand a (activation, row of the table)");
  write_operands("operand_b", b_min(type), "operand b (weight, column of the table)");
}

void GroupWriter::write_operands(const std::string& name, int first, const char* long_name) {
  std::vector<std::int16_t> values;
  for (int i = 0; i < kOperandCount; ++i) values.push_back(static_cast<std::int16_t>(first + i));
  file_.write<std::int16_t>(path(name), {kOperands}, values);
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
  const h5::Shape empty{0, kOperands, kOperands};
  h5::DatasetOptions table;
  table.chunk = {1, kOperands, kOperands};
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

void GroupWriter::create_facts() {
  const auto cost = [&](const char* name, const char* units, const char* text,
                        const char* definition) {
    return real_column(name, {}, {"multiplier"}, {units, text, definition});
  };
  power_ = cost("power_mw", "mW", "power", "NaN = unknown");
  area_ = cost("area_um2", "um2", "cell area", "NaN = unknown");
  delay_ = cost("delay_ns", "ns", "critical path delay", "NaN = unknown");
  power_rel_ = cost("power_rel", "1", "relative power",
                    "power / power of the exact multiplier of the same source and technology");
  cost_source_ = text_column("cost_source",
                             {"", "where the cost comes from", "published, estimated or empty"});
  technology_ = text_column("technology", {"", "technology of the cost", ""});
  sha256_ = text_column("sha256", {"", "identity of the function",
                                   "SHA-256 of the operand type's name and the 65536 products as "
                                   "little-endian int32, a slow, b fast, ascending values"});
  sha256_swapped_ = text_column("sha256_swapped", {"", "sha256 with operands swapped", ""});
  source_file_ = text_column("source_file", {"", "file that was read", "empty for a generator"});
  format_ = text_column("source_format", {"", "reader or generator", ""});
  order_ = text_column("source_order", {"", "operand order assumed on reading", "ab or ba"});
  index_ = text_column("source_index", {"", "operand index assumed on reading", "value or bits"});
  type_from_ = text_column("source_type_from", {"", "what decided the operand type", ""});
  order_from_ = text_column("source_order_from", {"", "what decided the operand order", ""});
  index_from_ = text_column("source_index_from", {"", "what decided the operand index", ""});
  decoding_ = text_column("source_decoding", {"", "unusual decoding of the file",
                                              "e.g. big-endian; empty for the usual one"});
  resemblance_ = real_column("source_resemblance", {}, {"multiplier"},
                             {"1", "resemblance to the exact product",
                              "as the file was read; 1 = exact, NaN = not asked"});
  warning_ = text_column("source_warning", {"", "why the file may be read wrongly", "or empty"});
  generator_ = text_column("generator", {"", "design text", "empty unless generated"});
  reference_ = text_column("reference", {"", "publication of the design", ""});
}

void GroupWriter::create_library_facts() {
  is_library_ = true;
  aliases_ = text_column("aliases", {"", "other names of the same function", "one per line"});
  transpose_of_ =
      text_column("transpose_of", {"", "entry whose operands swapped give this one", "or empty"});
  published_ = text_column("published", {"", "published figures by their printed keys",
                                         "JSON object; empty where there are none"});
}

void GroupWriter::add_products(const Row& row) {
  const Lut& lut = row.multiplier.lut;
  const h5::Shape at{count_, 0, 0};
  product_.resize(count_ + 1);
  if (row.packed_product.empty())
    product_.write_filtered_chunk(at, h5::deflate_chunk(lut.products()));
  else
    product_.write_filtered_chunk(at, row.packed_product);
  if (!has_errors_) return;
  error_.resize(count_ + 1);
  if (row.packed_error.empty())
    error_.write_filtered_chunk(at, h5::deflate_chunk(ErrorMap(lut).values()));
  else
    error_.write_filtered_chunk(at, row.packed_error);
}

void GroupWriter::add(const Row& row) {
  const Multiplier& m = row.multiplier;
  if (has_products_) add_products(row);
  name_.push(m.name);
  power_.push(m.cost.power_mw);
  area_.push(m.cost.area_um2);
  delay_.push(m.cost.delay_ns);
  power_rel_.push(m.cost.power_rel);
  cost_source_.push(m.cost.source);
  technology_.push(m.cost.technology);
  sha256_.push(row.sha256);
  sha256_swapped_.push(row.sha256_swapped);
  source_file_.push(stored_path(m.provenance.source_file));
  format_.push(m.provenance.format);
  order_.push(m.provenance.order == OperandOrder::ab ? "ab" : "ba");
  index_.push(m.provenance.index == OperandIndex::value ? "value" : "bits");
  type_from_.push(m.provenance.type_from);
  output_shift_.push_back(m.provenance.output_shift);
  order_from_.push(m.provenance.order_from);
  index_from_.push(m.provenance.index_from);
  decoding_.push(m.provenance.decoding);
  resemblance_.push(m.provenance.resemblance);
  warning_.push(m.provenance.warning);
  generator_.push(m.provenance.generator);
  reference_.push(m.provenance.reference);
  if (is_library_) {
    std::string aliases;
    for (const std::string& alias : m.aliases) aliases += (aliases.empty() ? "" : "\n") + alias;
    aliases_.push(aliases);
    transpose_of_.push(m.transpose_of);
    published_.push(figures_text(m));
    alias_published_.push_back(alias_figures_text(m));
  }
  ++count_;
}

void GroupWriter::flush() {
  for (Column<double>* column : {&power_, &area_, &delay_, &power_rel_, &resemblance_})
    column->flush();
  for (TextColumn* column : {&name_, &cost_source_, &technology_, &sha256_, &sha256_swapped_,
                             &source_file_, &format_, &order_, &index_, &type_from_, &order_from_,
                             &index_from_, &decoding_, &warning_, &generator_, &reference_})
    column->flush();
  if (is_library_)
    for (TextColumn* column : {&aliases_, &transpose_of_, &published_}) column->flush();
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
