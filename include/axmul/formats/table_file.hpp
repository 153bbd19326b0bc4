// Product tables in everyone's file formats: one registry, one reader, one writer.
//
// What a file does not say is settled in this order, and recorded in Provenance:
//   type   option, the file's own statement, operand columns, the file's name (mul8u_…, mul8s_…, a
//          part u8u8, s8s8 or u8s8), dtype (unsigned: u8u8), the products, the format's default
//   index  option, the file's own statement, operand columns, the products, the format's default
//   order  option, the file's own statement, operand columns, the format's default; the products
//          only where one operand is signed
// A decoding other than the usual one (big-endian …) is taken only where the usual one makes no
// product. src/formats/README.md#how-a-file-is-read has the rule, and what resembles a product.
//
// ids of layer formats: 300-309 choosing a format, 310-319 type, order and index, 320-349 contents,
// 350-359 writing. axmul's own HDF5 files are read by layer tables.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"

namespace axmul {

/// What is known of a table format.
struct AXMUL_API TableFormat {
  std::string name;                       ///< "bin", "npy", "csv" …
  std::vector<std::string> extensions;    ///< with the dot, lower case; the first is the usual one
  std::string description;                ///< one line
  std::string layout;                     ///< one line: dtype, shape, what the index is
  OperandOrder order = OperandOrder::ab;  ///< assumed where nothing says else
  OperandIndex index = OperandIndex::value;
  OperandType type = OperandType::u8u8;  ///< assumed where nothing says else
  bool text = false;                     ///< readable text with comments
  std::vector<std::string>
      dtypes;  ///< element types it can be written with, in order of preference
};

/// All formats, in the order in which they are tried.
AXMUL_API std::span<const TableFormat> table_formats();
/// By name; nullptr when there is none.
AXMUL_API const TableFormat* find_table_format(std::string_view name);
/// By the path's extension (case ignored); nullptr when none has it.
AXMUL_API const TableFormat* table_format_of_extension(std::string_view path);
/// By content alone; the path only helps to tell texts apart that look alike. nullptr when the
/// content is no table's, e.g. for a CSV of something else.
AXMUL_API const TableFormat* sniff_table_format(std::string_view content, std::string_view path);
/// By content, then by extension; throws InputError AX300 where neither helps.
AXMUL_API const TableFormat& detect_table_format(std::string_view content, std::string_view path);

/// What the caller knows better than the file.
struct AXMUL_API ReadOptions {
  std::optional<OperandType> type{};
  std::optional<OperandOrder> order{};
  std::optional<OperandIndex> index{};
  std::optional<std::string> format{};
  /// Of a list with several columns of products the header's name of the one to take; of an .npz
  /// archive the array's.
  std::optional<std::string> column{};
  std::optional<OperandWidths> width{};  ///< else by shape or name, else 8x8 bits
};

/// What a file of a kind that is recognised but not read holds, and what to do with it: "Xilinx
/// memory coefficients (.coe); …"; empty where nobody knows it.
AXMUL_API std::string kind_not_read(std::string_view content, std::string_view path);

/// Reads a table; its name is the file's without folder and extension. Throws UsageError AX301
/// (unknown format), InputError AX100-102 (cannot be read), AX300 (unknown content), AX310-319
/// (type, order, index or name contradict the file) and AX320-349 (contents: line or byte, value,
/// what is wrong).
AXMUL_API Multiplier read_table(const std::string& path, const ReadOptions& options = {});
/// The same from bytes; path is used for messages, the name and the extension.
AXMUL_API Multiplier parse_table(std::string_view content, const std::string& path,
                                 const ReadOptions& options = {});

struct AXMUL_API WriteOptions {
  std::optional<std::string> format{};  ///< else by the extension of the target
  std::optional<OperandOrder> order{};  ///< else the format's default
  std::optional<OperandIndex> index{};  ///< else the format's default
  std::optional<std::string> dtype{};   ///< else the format's first that holds the table
  bool force = false;                   ///< replace an existing file
};

/// The bytes of a table file. options.format is needed. A text format states type, order, index,
/// name and sha256 in its comments, so that it reads back without options. Throws UsageError AX301
/// (unknown or missing format) or AX351 (unknown dtype), InputError AX350 (a product does not fit
/// the dtype; names a, b and the product).
AXMUL_API std::string encode_table(const Multiplier& multiplier, const WriteOptions& options);

/// Writes a file through AtomicFile (its OutputErrors), else as encode_table.
AXMUL_API void write_table(const std::string& path, const Multiplier& multiplier,
                           const WriteOptions& options = {});

}  // namespace axmul
