// The registry at work: finding the format of a file, reading it, writing it.
#include "axmul/formats/table_file.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "formats/format.hpp"

namespace axmul {

namespace {

using detail::FormatEntry;

const std::vector<FormatEntry>& entries() {
#define AXMUL_ENTRY(name) detail::name##_format(),
  static const std::vector<FormatEntry> all = {AXMUL_TABLE_FORMATS(AXMUL_ENTRY)};
#undef AXMUL_ENTRY
  return all;
}

const FormatEntry& entry_of(const TableFormat& format) {
  return entries()[static_cast<std::size_t>(&format - table_formats().data())];
}

std::string format_names() {
  std::string names;
  for (const TableFormat& format : table_formats())
    names += (names.empty() ? "" : ", ") + format.name;
  return names;
}

const TableFormat& named_format(const std::string& name) {
  if (const TableFormat* format = find_table_format(name)) return *format;
  throw UsageError(301, "unknown table format \"" + name + "\"; there are " + format_names());
}

struct Limits {
  std::int64_t low, high;
};

std::optional<Limits> limits_of(std::string_view dtype) {
  if (dtype == "uint16") return Limits{0, 65535};
  if (dtype == "int16") return Limits{-32768, 32767};
  if (dtype == "int32" || dtype == "int64") return Limits{-kProductLimit, kProductLimit};
  return std::nullopt;
}

bool holds(std::string_view dtype, const Lut& lut) {
  const Limits limits = *limits_of(dtype);
  const auto [low, high] = std::ranges::minmax(lut.products());
  return low >= limits.low && high <= limits.high;
}

/// 16-bit elements of such a format are read as signed exactly when the type is signed.
bool sign_fits(const FormatEntry& entry, std::string_view dtype, OperandType type) {
  if (!entry.sign_from_type || dtype == "int32") return true;
  return (dtype == "uint16") == (type == OperandType::u8u8);
}

[[noreturn]] void refuse_product(const Multiplier& multiplier, const std::string& dtype,
                                 const TableFormat& format) {
  const Limits limits = *limits_of(dtype);
  const Lut& lut = multiplier.lut;
  const SizedType type = lut.sized_type();
  for (int a = a_min(type); a <= a_max(type); ++a)
    for (int b = b_min(type); b <= b_max(type); ++b)
      if (lut(a, b) < limits.low || lut(a, b) > limits.high)
        throw InputError(350, Place{multiplier.name},
                         "product " + std::to_string(lut(a, b)) + " of a = " + std::to_string(a) +
                             ", b = " + std::to_string(b) + " does not fit " + dtype + " (" +
                             std::to_string(limits.low) + " … " + std::to_string(limits.high) +
                             "); write " + format.name + " as int32");
  throw InternalError("no product was out of range");
}

std::string choose_dtype(const FormatEntry& entry, const Multiplier& multiplier,
                         const WriteOptions& options) {
  const std::vector<std::string>& dtypes = entry.info.dtypes;
  if (!options.dtype) {
    for (const std::string& dtype : dtypes)
      if (sign_fits(entry, dtype, multiplier.lut.type()) && holds(dtype, multiplier.lut))
        return dtype;
    throw InternalError("no dtype of " + entry.info.name + " holds the table");
  }
  const std::string& dtype = *options.dtype;
  if (std::ranges::find(dtypes, dtype) == dtypes.end()) {
    std::string known;
    for (const std::string& other : dtypes) known += (known.empty() ? "" : ", ") + other;
    throw UsageError(
        351, "format " + entry.info.name + " has no dtype \"" + dtype + "\"; it has " + known);
  }
  if (!holds(dtype, multiplier.lut)) refuse_product(multiplier, dtype, entry.info);
  if (!sign_fits(entry, dtype, multiplier.lut.type()))
    throw UsageError(351, "16-bit elements of format " + entry.info.name + " are read as " +
                              (dtype == "uint16" ? "int16" : "uint16") + " for type " +
                              std::string(to_string(multiplier.lut.type())) + ", so " + dtype +
                              " would be read wrongly; use int32");
  return dtype;
}

/// A name that may stand in a comment line of any format.
std::string comment_safe(std::string_view name) {
  std::string safe;
  for (const char c : name.substr(0, 200))
    safe += static_cast<unsigned char>(c) < 32 || c == 127 || c == '*' || c == '\\' ? '_' : c;
  return safe;
}

std::vector<std::int32_t> in_file_order(const Lut& lut, OperandOrder order, OperandIndex index) {
  std::vector<std::int32_t> products;
  const SizedType type = lut.sized_type();
  products.reserve(static_cast<std::size_t>(type.pairs()));
  const bool ab = order == OperandOrder::ab;
  const int rows = 1 << (ab ? type.bits.a : type.bits.b);
  const int cols = 1 << (ab ? type.bits.b : type.bits.a);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < cols; ++j)
      products.push_back(
          lut(detail::operand_value(ab ? i : j, a_is_signed(type), index, type.bits.a),
              detail::operand_value(ab ? j : i, b_is_signed(type), index, type.bits.b)));
  return products;
}

}  // namespace

std::span<const TableFormat> table_formats() {
  static const std::vector<TableFormat> formats = [] {
    std::vector<TableFormat> infos;
    for (const FormatEntry& entry : entries()) infos.push_back(entry.info);
    return infos;
  }();
  return formats;
}

const TableFormat* find_table_format(std::string_view name) {
  const auto formats = table_formats();
  const auto found = std::ranges::find(formats, name, &TableFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

const TableFormat* table_format_of_extension(std::string_view path) {
  const std::string extension = detail::lower_extension(path);
  for (const TableFormat& format : table_formats())
    if (std::ranges::find(format.extensions, extension) != format.extensions.end()) return &format;
  return nullptr;
}

const TableFormat* sniff_table_format(std::string_view content, std::string_view path) {
  const std::string extension = detail::lower_extension(path);
  for (const TableFormat& format : table_formats())
    if (entry_of(format).sniff(content, extension)) return &format;
  return nullptr;
}

const TableFormat& detect_table_format(std::string_view content, std::string_view path) {
  if (const TableFormat* format = sniff_table_format(content, path)) return *format;
  const TableFormat* by_extension = table_format_of_extension(path);
  const bool is_header = by_extension != nullptr && by_extension->name == "cheader";
  if (by_extension != nullptr && (is_header || kind_not_read(content, path).empty()))
    return *by_extension;
  const bool hdf5 = content.starts_with("\x89HDF\r\n\x1a\n");
  if (const std::string kind = kind_not_read(content, path); !kind.empty() && !content.empty())
    throw InputError(328, Place{std::string(path)}, "is " + kind);
  throw InputError(300, Place{std::string(path)},
                   hdf5 ? "is an HDF5 file, not a plain table file"
                   : content.empty()
                       ? "is empty"
                       : "is not a product table in a known format (" + format_names() +
                             "); say which with --input-format, or see what the file holds");
}

Multiplier parse_table(std::string_view content, const std::string& path,
                       const ReadOptions& options) {
  const TableFormat& format =
      options.format ? named_format(*options.format) : detect_table_format(content, path);
  if (content.empty()) throw InputError(320, Place{path}, "is empty");
  detail::Input input{content, path, options.format.has_value(), options.column, {}};
  input.bits = detail::expected_bits(input, format, options);
  return detail::resolve(entry_of(format).decode(input), format, path, options);
}

Multiplier read_table(const std::string& path, const ReadOptions& options) {
  return parse_table(read_file(path), path, options);
}

std::string encode_table(const Multiplier& multiplier, const WriteOptions& options) {
  if (!options.format)
    throw UsageError(301, "no table format is given; there are " + format_names());
  const TableFormat& format = named_format(*options.format);
  const FormatEntry& entry = entry_of(format);
  const OperandOrder order = options.order.value_or(format.order);
  const OperandIndex index = options.index.value_or(format.index);
  const std::string dtype = choose_dtype(entry, multiplier, options);
  const std::vector<std::int32_t> products = in_file_order(multiplier.lut, order, index);
  const OperandWidths bits = multiplier.lut.sized_type().bits;
  return entry.encode({.products = products,
                       .type = multiplier.lut.type(),
                       .order = order,
                       .index = index,
                       .dtype = dtype,
                       .name = comment_safe(multiplier.name),
                       .sha256 = multiplier.lut.sha256(),
                       .bits = order == OperandOrder::ab ? bits : OperandWidths{bits.b, bits.a}});
}

void write_table(const std::string& path, const Multiplier& multiplier,
                 const WriteOptions& options) {
  WriteOptions chosen = options;
  if (!chosen.format) {
    const TableFormat* format = table_format_of_extension(path);
    if (format == nullptr)
      throw UsageError(301, path +
                                ": the extension names no table format; say which with --format (" +
                                format_names() + ")");
    chosen.format = format->name;
  }
  const std::string bytes = encode_table(multiplier, chosen);
  write_file(path, bytes, options.force);
}

}  // namespace axmul
