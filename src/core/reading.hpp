// Which reading of a table of words is meant: what is declared, then the name, then the products.
// The one rule of tables, circuits and C models (src/formats/README.md#how-a-file-is-read).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/core/resemblance.hpp"

namespace axmul::detail {

/// Type of the operands, which of them is the first (slow) index, and how the indexes run.
struct Reading {
  OperandType type = OperandType::u8u8;
  OperandOrder order = OperandOrder::ab;
  OperandIndex index = OperandIndex::value;
  friend bool operator==(const Reading&, const Reading&) = default;
};

/// "s8s8 in order of bit pattern".
std::string text_of(const Reading& reading);

/// A file's words in one decoding, or what a circuit or model gives.
struct Words {
  std::vector<std::int32_t> words{};  ///< 65536, |word| < 2^25, first index slow
  /// Bits of the first and second index of a narrow table; then 2^(first+second) words.
  OperandWidths bits{};
  /// Words are patterns of so many bits, two's complement if an operand is signed; 0: they are
  /// products.
  unsigned wrap_bits = 0;
  std::string decoding{};  ///< what is unusual about it: "big-endian", "decimal" …; else empty
  std::optional<OperandType> only_type{};  ///< all it can be, e.g. u8u8 for unsigned elements
  std::string only_type_from{};            ///< why: "dtype" …
  std::optional<OperandIndex> only_index{};
};

/// What is known of a table before its products are asked. An empty `from` goes with an unset
/// value.
struct Known {
  std::vector<std::string> names{};  ///< the first that tells a type does so, where `type` is unset
  std::optional<OperandType> type{};
  std::string type_from{};
  std::optional<OperandOrder> order{};
  std::string order_from{};
  std::optional<OperandIndex> index{};
  std::string index_from{};
  /// Whether the first and second operand column of a list takes negative values.
  std::optional<bool> first_signed{}, second_signed{};
  Reading usual{};  ///< the format's, where nothing tells
};

struct Decision {
  Reading reading{};
  std::shared_ptr<const Words> words{};
  Resemblance resemblance{};  ///< of the words so read
  bool is_product = false;    ///< the resemblance will do: for a known type, or to tell the type
  /// "option", "file", "ports", "parameters", "operands", "name", "dtype", "values" (the products
  /// tell), "format" (nothing tells); index_from is empty where operands have one order only.
  std::string type_from{}, order_from{}, index_from{};
  /// Where the products resemble no product in this reading: one in which they do.
  std::optional<Reading> instead{};
};

/// mul8u_125K, mul8x3u → u8u8; mul8s_… → s8s8; a part u8u8, s8s8, u8s3 … of the name → that.
std::optional<OperandType> type_of_name(std::string_view name);

/// Operand bits that a name tells: mul8x3u_0C8 → 8 and 3, mul7u_… → 7 and 7, a part u8s3 → 8 and 3.
std::optional<OperandWidths> widths_of_name(std::string_view name);

/// Which operands a name says are signed, at any width: mul12s_2J2, mulu16s16_…; of "mul8u" as
/// type_of_name().
std::optional<OperandType> signs_of_name(std::string_view name);

/// The type that is declared or told by a name.
std::optional<OperandType> type_of(const Known& known);

/// How words may be decoded, the usual way first; each is called once at most, in order. What
/// throws InputError is passed over.
using Decodings = std::vector<std::function<Words()>>;

/// The first decoding that resembles a product in a reading that `known` allows, in the reading of
/// the greatest score. Where none does: the first decoding in the best or usual reading; its
/// InputError where it threw one.
Decision decide(const Known& known, const Decodings& decodings);

/// The same for words of other widths: every reading that is allowed is tried.
Decision decide_narrow(const Known& known, const Words& words);
Lut narrow_lut_of(const Decision& decision);

/// The table that the decision makes of the words. Throws InputError AX10.
Lut lut_of(const Decision& decision);

/// Why figures of this table mean little: it resembles no product; empty where it does. `options`
/// are those that would read it differently: "--type and --order".
std::string doubt(const Decision& decision, std::string_view options);

/// Records the decision.
void record(const Decision& decision, std::string_view options, Provenance& provenance);

}  // namespace axmul::detail
