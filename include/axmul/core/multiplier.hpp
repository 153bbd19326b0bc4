// A named multiplier: its table, what it costs, and where it came from.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "axmul/core/lut.hpp"

namespace axmul {

/// What a circuit costs; NaN = unknown. power_rel is power over that of the exact multiplier of the
/// same source and technology, the only figure that matching compares.
struct AXMUL_API Cost {
  double power_mw = std::numeric_limits<double>::quiet_NaN();
  double area_um2 = std::numeric_limits<double>::quiet_NaN();
  double delay_ns = std::numeric_limits<double>::quiet_NaN();
  double power_rel = std::numeric_limits<double>::quiet_NaN();
  std::string source;      ///< "published", "estimated" or empty when unknown
  std::string technology;  ///< e.g. "PDK45"; empty when unknown
};

/// Which argument a file's or circuit's first operand is.
enum class OperandOrder : std::uint8_t { ab, ba };
/// How a file orders the operands of its rows and columns: ascending value, or two's-complement
/// byte.
enum class OperandIndex : std::uint8_t { value, bits };

/// Where a table came from and how it was read.
struct AXMUL_API Provenance {
  std::string source_file;  ///< path as given, or empty for a generator
  std::string format;  ///< name of the reader or generator: "bin", "npy", "generator", "verilog" …
  OperandOrder order = OperandOrder::ab;
  OperandIndex index = OperandIndex::value;
  /// What decided the type: "option", "file" (its own statement), "ports" (declared signed),
  /// "parameters" (of a C model), "operands" (listed in the file), "name", "dtype", "values" (the
  /// products resemble exact ones so), "format" (nothing told).
  std::string type_from;
  int output_shift = 0;   ///< products are the file's outputs times 2^output_shift: it gives only
                          ///< the upper bits of the product
  std::string generator;  ///< design text such as "drum(k=6)", or empty
  std::string reference;  ///< literature or library the design comes from
  std::string order_from{}, index_from{};  ///< in the same words; index: empty where it has no say
  std::string
      decoding{};  ///< what is unusual about it: "big-endian", "decimal", "two's complement"
  /// Resemblance::score() of the table as it was read; NaN where nobody asked (generators).
  double resemblance = std::numeric_limits<double>::quiet_NaN();
  std::string warning{};  ///< why the table may be read wrongly, or be no product; mostly empty
};

/// A multiplier is its function (lut); the name is only a label (src/README.md#words).
struct AXMUL_API Multiplier {
  std::string name;
  Lut lut;
  Cost cost{};
  Provenance provenance{};
  std::map<std::string, double>
      published{};                     ///< published figures by their printed keys, e.g. "MAE%"
  std::vector<std::string> aliases{};  ///< other names of the same function
  std::string transpose_of{};          ///< entry whose operands swapped give this one, if any
  /// The published figures as printed ("0.051", "72829.102e2"): their digits bound their accuracy.
  std::map<std::string, std::string> published_text{};
  /// What other files of the same function print where it differs: by alias, or by "NAME (FILE)"
  /// for another file of the same name. So that each published figure can be verified.
  std::map<std::string, std::map<std::string, std::string>> alias_published{};
};

/// NAME@<first 8 hex of sha256>, with 16, 24 … 64 digits as long as such a name is taken.
AXMUL_API std::string name_with_hash(const std::string& name, const std::string& sha256,
                                     const std::function<bool(const std::string&)>& is_taken);

/// Gives entries of one name but different functions distinct names, by name_with_hash.
/// Returns one warning text per new name, in order.
AXMUL_API std::vector<std::string> make_names_unique(std::vector<Multiplier>& multipliers);

}  // namespace axmul
