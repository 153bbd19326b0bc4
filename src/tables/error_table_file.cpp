// Reads error tables and libraries: entries first, products when asked.
#include <cmath>
#include <map>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "tables/group_writer.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

namespace {

constexpr auto kFormats = {"axmul-error-table", "axmul-library"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// One operand type's group, its per-entry columns in memory.
struct Group {
  std::string path;
  std::uint64_t count = 0;
  std::uint64_t a = 0, b = 0;  // operand values
  std::optional<h5::Dataset> product;
  std::vector<std::string> name, sha256, cost_source, technology, source_file, source_format,
      source_order, source_index, source_type_from, source_order_from, source_index_from,
      source_decoding, source_warning, generator, reference, aliases, transpose_of, published,
      alias_published;
  std::vector<double> power_mw, area_um2, delay_ns, power_rel, source_output_shift,
      source_resemblance;
};

void check_operands(const h5::File& file, const std::string& dataset, int first,
                    std::uint64_t count) {
  if (!file.exists(dataset)) return;
  const h5::Dataset operands = file.dataset(dataset);
  operands.expect_shape({count});
  const auto values = operands.read<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != first + static_cast<int>(i))
      throw InputError(821, Place{file.path()},
                       dataset + ": entry " + std::to_string(i) + " is " +
                           std::to_string(values[i]) + ", not " +
                           std::to_string(first + static_cast<int>(i)) +
                           "; operand values must ascend over the whole type");
}

std::vector<std::string> texts(const h5::File& file, const Group& group, const std::string& name) {
  const std::string dataset = group.path + "/" + name;
  if (!file.exists(dataset)) return std::vector<std::string>(group.count);
  const h5::Dataset column = file.dataset(dataset);
  column.expect_shape({group.count});
  return column.read_text();
}

std::vector<double> reals(const h5::File& file, const Group& group, const std::string& name) {
  const std::string dataset = group.path + "/" + name;
  if (!file.exists(dataset)) return std::vector<double>(group.count, std::nan(""));
  const h5::Dataset column = file.dataset(dataset);
  column.expect_shape({group.count});
  return column.read<double>();
}

Group open_group(const h5::File& file, const SizedType& type) {
  Group group;
  group.path = "/" + to_string(type);
  group.a = std::uint64_t{1} << type.bits.a;
  group.b = std::uint64_t{1} << type.bits.b;
  const h5::Dataset names = file.dataset(group.path + "/multiplier");
  if (names.shape().size() != 1)
    throw InputError(821, Place{file.path()}, names.path() + ": is not a list of names");
  group.name = names.read_text();
  group.count = group.name.size();
  check_operands(file, group.path + "/operand_a", a_min(type), group.a);
  check_operands(file, group.path + "/operand_b", b_min(type), group.b);
  if (file.exists(group.path + "/product")) {
    group.product = file.dataset(group.path + "/product");
    if (group.product->shape() != h5::Shape{group.count, group.a, group.b})
      throw InputError(821, Place{file.path()},
                       group.product->path() + ": has shape " +
                           h5::to_string(group.product->shape()) + " for " +
                           std::to_string(group.count) + " multipliers of " +
                           std::to_string(group.a) + " x " + std::to_string(group.b) + " products");
  }
  group.sha256 = texts(file, group, "sha256");
  group.cost_source = texts(file, group, "cost_source");
  group.technology = texts(file, group, "technology");
  group.source_file = texts(file, group, "source_file");
  group.source_format = texts(file, group, "source_format");
  group.source_order = texts(file, group, "source_order");
  group.source_index = texts(file, group, "source_index");
  group.source_type_from = texts(file, group, "source_type_from");
  group.source_order_from = texts(file, group, "source_order_from");
  group.source_index_from = texts(file, group, "source_index_from");
  group.source_decoding = texts(file, group, "source_decoding");
  group.source_resemblance = reals(file, group, "source_resemblance");
  group.source_warning = texts(file, group, "source_warning");
  group.generator = texts(file, group, "generator");
  group.reference = texts(file, group, "reference");
  group.aliases = texts(file, group, "aliases");
  group.transpose_of = texts(file, group, "transpose_of");
  group.published = texts(file, group, "published");
  group.alias_published = texts(file, group, "alias_published");
  group.power_mw = reals(file, group, "power_mw");
  group.area_um2 = reals(file, group, "area_um2");
  group.delay_ns = reals(file, group, "delay_ns");
  group.power_rel = reals(file, group, "power_rel");
  group.source_output_shift = reals(file, group, "source_output_shift");
  return group;
}

Cost cost_of(const Group& group, std::size_t row) {
  return {group.power_mw[row],  group.area_um2[row],    group.delay_ns[row],
          group.power_rel[row], group.cost_source[row], group.technology[row]};
}

Provenance provenance_of(const Group& group, std::size_t row) {
  Provenance p;
  p.source_file = group.source_file[row];
  p.format = group.source_format[row];
  p.order = group.source_order[row] == "ba" ? OperandOrder::ba : OperandOrder::ab;
  p.index = group.source_index[row] == "bits" ? OperandIndex::bits : OperandIndex::value;
  p.type_from = group.source_type_from[row];
  const double shift = group.source_output_shift[row];
  p.output_shift = shift >= 0 && shift < 32 ? static_cast<int>(shift) : 0;
  p.order_from = group.source_order_from[row];
  p.index_from = group.source_index_from[row];
  p.decoding = group.source_decoding[row];
  p.resemblance = group.source_resemblance[row];
  p.warning = group.source_warning[row];
  p.generator = group.generator[row];
  p.reference = group.reference[row];
  return p;
}

}  // namespace

struct ErrorTableFile::State {
  h5::File file;
  std::string format;
  std::map<SizedType, Group> groups;
  std::vector<TableEntry> entries;

  const Group& group(const SizedType& type) const {
    const auto found = groups.find(type);
    if (found == groups.end())
      throw InputError(821, Place{file.path()}, "has no group /" + to_string(type));
    return found->second;
  }
};

ErrorTableFile::ErrorTableFile(const std::string& path)
    : state_(std::make_unique<State>(State{h5::File::open(path), {}, {}, {}})) {
  State& state = *state_;
  state.format = detail::check_root(state.file, kFormats);
  for (const h5::Entry& entry : state.file.list("/")) {
    const auto type = parse_sized_type(entry.name);
    if (!type) continue;
    if (entry.kind != h5::Kind::group)
      throw InputError(821, Place{path},
                       "/" + entry.name +
                           ": is no group that can be opened; the file is damaged, "
                           "or another object has the name of an operand type");
    Group group = open_group(state.file, *type);
    for (std::size_t row = 0; row < group.count; ++row)
      state.entries.push_back({group.name[row], *type, row});
    state.groups.emplace(*type, std::move(group));
  }
}

ErrorTableFile::~ErrorTableFile() = default;
ErrorTableFile::ErrorTableFile(ErrorTableFile&&) noexcept = default;
ErrorTableFile& ErrorTableFile::operator=(ErrorTableFile&&) noexcept = default;

bool ErrorTableFile::is_one(const std::string& path) {
  if (!h5::File::is_hdf5(path)) return false;
  try {
    const auto format = h5::File::open(path).attribute_text("/", "format");
    for (const char* name : kFormats)
      if (format == name) return true;
  } catch (const InputError&) {
  }
  return false;
}

const std::string& ErrorTableFile::path() const { return state_->file.path(); }
std::string ErrorTableFile::format() const { return state_->format; }
std::string ErrorTableFile::format_version() const {
  return state_->file.attribute_text("/", "format_version").value_or("");
}
std::string ErrorTableFile::title() const {
  return state_->file.attribute_text("/", "title").value_or("");
}
bool ErrorTableFile::complete() const {
  return state_->file.attribute_int("/", "complete").value_or(1) != 0;
}
const std::vector<TableEntry>& ErrorTableFile::entries() const { return state_->entries; }

bool ErrorTableFile::has_products(const SizedType& type) const {
  const auto group = state_->groups.find(type);
  return group != state_->groups.end() && group->second.product;
}

bool ErrorTableFile::holds(const TableEntry& entry) const {
  const auto found = state_->groups.find(entry.type);
  if (found == state_->groups.end()) return false;
  const Group& group = found->second;
  return entry.row < group.count && group.name[entry.row] == entry.name;
}

WideMultiplier ErrorTableFile::wide(const TableEntry& entry) const {
  const Group& group = state_->group(entry.type);
  const std::size_t row = entry.row;
  const std::string dataset = group.path + "/circuit";
  if (row >= group.count || !state_->file.exists(dataset))
    throw InputError(822, Place{path()}, group.path + ": holds no circuit of " + entry.name);
  const std::string verilog = texts(state_->file, group, "circuit").at(row);
  WideMultiplier multiplier =
      wide_multiplier(read_verilog_text(verilog, path() + ":" + entry.name + ".v"), entry.type,
                      {.a = "A", .b = "B", .product = "O"});
  multiplier.name = entry.name;
  multiplier.cost = cost_of(group, row);
  multiplier.provenance = provenance_of(group, row);
  multiplier.verilog = verilog;
  Multiplier figures{entry.name, Lut::exact(OperandType::u8u8)};
  detail::parse_figures(group.published[row], path(), group.path + "/published", figures);
  multiplier.published = figures.published;
  multiplier.published_text = figures.published_text;
  return multiplier;
}

Multiplier ErrorTableFile::multiplier(const TableEntry& entry) const {
  const Group& group = state_->group(entry.type);
  if (!entry.type.has_table())
    throw NotMultiplierError(
        wide_kind(), Place{path()},
        entry.name + " is " + to_string(entry.type) + ", so there is no table of it");
  const std::size_t row = entry.row;
  if (row >= group.count) throw InternalError("no such row in " + path());
  if (!group.product)
    throw InputError(822, Place{path()},
                     group.path + ": holds statistics but no products; axmul export writes both");
  std::vector<std::int32_t> products(group.a * group.b);
  group.product->read<std::int32_t>({row, 0, 0}, {1, group.a, group.b}, products);
  const std::string place =
      group.path + "/product[" + std::to_string(row) + "] (" + entry.name + ")";
  std::optional<Lut> lut;
  try {
    lut = Lut::of_size(entry.type, products);
  } catch (const InputError& error) {
    throw InputError(821, Place{path()}, place + ": " + error.what());
  }
  if (!group.sha256[row].empty() && group.sha256[row] != lut->sha256())
    throw InputError(821, Place{path()},
                     place + ": the products have sha256 " + lut->sha256().substr(0, 8) +
                         "…, the file says " + group.sha256[row].substr(0, 8) +
                         "…; the file is damaged or was edited");
  Multiplier multiplier{entry.name, *lut};
  multiplier.cost = cost_of(group, row);
  multiplier.provenance = provenance_of(group, row);
  multiplier.aliases = lines_of(group.aliases[row]);
  multiplier.transpose_of = group.transpose_of[row];
  detail::parse_figures(group.published[row], path(), group.path + "/published", multiplier);
  detail::parse_alias_figures(group.alias_published[row], path(), group.path + "/alias_published",
                              multiplier);
  return multiplier;
}

std::string ErrorTableFile::sha256(const TableEntry& entry) const {
  return state_->group(entry.type).sha256.at(entry.row);
}

std::vector<std::string> ErrorTableFile::aliases(const TableEntry& entry) const {
  return lines_of(state_->group(entry.type).aliases.at(entry.row));
}

std::vector<std::string> ErrorTableFile::distributions(const SizedType& type) const {
  const std::string dataset = state_->group(type).path + "/distribution";
  if (!state_->file.exists(dataset)) return {};
  return state_->file.dataset(dataset).read_text();
}

std::vector<std::string> ErrorTableFile::metrics(const SizedType& type) const {
  std::vector<std::string> names;
  for (const MetricField& field : metric_fields())
    if (state_->file.exists(state_->group(type).path + "/" + std::string(field.name)))
      names.emplace_back(field.name);
  return names;
}

std::vector<double> ErrorTableFile::metric(const SizedType& type, const std::string& name) const {
  const Group& group = state_->group(type);
  const h5::Dataset column = state_->file.dataset(group.path + "/" + name);
  column.expect_shape({group.count, 0});
  return column.read<double>();
}

}  // namespace axmul
