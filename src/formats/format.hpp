// What a table format is made of: sniffing, decoding into a raw table, encoding; and the registry.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "core/reading.hpp"

/// The registry: one line per format, in the order in which contents are tried. A format's name is
/// that of its source (src/formats/NAME.cpp), its page (src/formats/NAME.md) and its test
/// (tests/formats/NAME_test.cpp).
#define AXMUL_TABLE_FORMATS(FORMAT) \
  FORMAT(npy)                       \
  FORMAT(bin)                       \
  FORMAT(cheader)                   \
  FORMAT(hex)                       \
  FORMAT(triplets)                  \
  FORMAT(csv)                       \
  FORMAT(listing)

namespace axmul::detail {

/// What a file's own comment line "axmul-table: type=s8s8 order=ab index=bits" says.
struct Statement {
  std::optional<OperandType> type;
  std::optional<OperandOrder> order;
  std::optional<OperandIndex> index;
  std::optional<OperandWidths> bits{};  ///< of a and b
};

/// Contents of a file before type, order, index and decoding are settled.
struct RawTable {
  std::vector<std::int32_t> words;  ///< 65536, first operand of the file slow, second fast
  OperandWidths bits{};             ///< of the first and second operand; else 2^(first+second)
  unsigned wrap_bits = 0;  ///< words are patterns of so many bits, two's complement if the type is
                           ///< signed; 0: words are the products
  bool unsigned_dtype = false;  ///< the element type cannot hold a negative product
  /// Instead of words where the bytes may be decoded in several ways. They may refer to the
  /// content.
  Decodings decodings;
  /// Set where the file lists operand values: whether that operand takes negative values.
  std::optional<bool> first_signed, second_signed;
  Statement statement;
  std::string
      note{};  ///< what the reader should know: "more follows after line 65537"; mostly empty
};

/// What a decoder gets.
struct Input {
  std::string_view content;
  const std::string& path;              ///< for messages
  bool format_given = false;            ///< by the user, not told from content or extension
  std::optional<std::string> column{};  ///< ReadOptions::column
  /// Bits of the file's first and second operand, where the user or the file's name tells.
  std::optional<OperandWidths> bits{};

  OperandWidths bits_or_8x8() const { return bits.value_or(OperandWidths{}); }
  /// Words of a flat table.
  std::size_t words() const { return std::size_t{1} << (bits_or_8x8().a + bits_or_8x8().b); }
};

/// What an encoder gets: products already in the file's order.
struct Output {
  std::span<const std::int32_t> products;
  OperandType type;
  OperandOrder order;
  OperandIndex index;
  std::string dtype;  ///< one of TableFormat::dtypes
  std::string name;   ///< safe to stand in a comment line
  std::string sha256;
  OperandWidths bits{};  ///< of the file's first and second operand

  int rows() const { return 1 << bits.a; }
  int cols() const { return 1 << bits.b; }
};

struct FormatEntry {
  TableFormat info;
  bool sign_from_type = false;  ///< 16-bit elements are signed exactly when the type is
  bool (*sniff)(std::string_view content, std::string_view extension);
  RawTable (*decode)(const Input& input);
  std::string (*encode)(const Output& output);
};

#define AXMUL_DECLARE(name) FormatEntry name##_format();
AXMUL_TABLE_FORMATS(AXMUL_DECLARE)
#undef AXMUL_DECLARE

// Archives of arrays (npz.cpp).

/// True for a zip archive whose first file is called NAME.npy.
bool is_npz(std::string_view content);
/// The bytes of the one array with the shape of a table, or of the one that is named. Throws
/// InputError AX330.
std::string npz_array(const Input& input);

// Shared by the formats (common.cpp).

/// ".hex" of "dir/x.HEX"; empty when there is none.
std::string lower_extension(std::string_view path);
/// The first few KiB hold no control characters beyond white space.
bool looks_like_text(std::string_view content);
/// Reads the statement anywhere in the first 4 KiB. Throws InputError AX314 on an unknown value.
Statement parse_statement(const Input& input);
/// The comment lines of a text format, without comment marks: statement, name, sha256, layout.
std::vector<std::string> comment_lines(const Output& output);
/// "a", "b": what the file's first and second operand are.
std::string_view first_operand(OperandOrder order);
std::string_view second_operand(OperandOrder order);
/// Text of an input as it may stand in a message: short, in quotes, no control characters.
std::string quoted(std::string_view text);
/// |value| < 2^24.
constexpr bool is_product(std::int64_t value) {
  return value > -kProductLimit && value < kProductLimit;
}
/// Throws InputError AX321 for a value that is no product; `where` is e.g. "column 3" or "byte 17".
[[noreturn]] void refuse_product(std::int64_t value, const Place& place, const std::string& where);
/// A whole number of a text, decimal, also "3.0" or "1e3"; nothing when it is none.
std::optional<std::int64_t> parse_whole(std::string_view text);
/// The first line of a text that starts with a number, as its fields (split at white space, ',' and
/// ';'); empty when there is none among the first 1000 lines.
std::vector<std::string_view> first_numeric_line(std::string_view content);
/// Takes the next field off a line, split at white space, ',' and ';'; empty at its end.
std::string_view next_field(std::string_view& line);
/// True for a line that starts with a comment mark ('#', "//", '%') or INFO.
bool is_remark(std::string_view line);

/// Operand value of index 0 … 255 in a file.
int operand_value(int index, bool is_signed, OperandIndex convention, int bits = 8);

/// The bits of operands that take so many values, 2 … 256 each; nothing where these are no powers
/// of two.
std::optional<OperandWidths> bits_of_shape(std::size_t rows, std::size_t cols);

// Settling what the file does not say (resolve.cpp).

/// Bits of the file's first and second operand as the caller, the file's own statement or its name
/// tells them.
std::optional<OperandWidths> expected_bits(const Input& input, const TableFormat& info,
                                           const ReadOptions& options);
Multiplier resolve(RawTable raw, const TableFormat& info, const std::string& path,
                   const ReadOptions& options);

}  // namespace axmul::detail
