// Circuit files as multipliers: tables by simulation or by running a C model, published figures
// from header comments, and the check of those figures against the table.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/errors.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/netlist/readers.hpp"
#include "axmul/stats/metrics.hpp"

namespace axmul {

/// A circuit or C model that can be read but is no multiplier of at most 8x8 bits: an adder, a
/// multiplier of more bits, another function. id AX254.
class AXMUL_API NotMultiplierError : public InputError {
 public:
  NotMultiplierError(std::string kind, const Place& place, const std::string& message);
  /// What such designs are counted as: "adders: 9 output bits", "multipliers of other widths".
  const std::string& kind() const noexcept { return kind_; }

 private:
  std::string kind_;
};

/// True for files that read_design_circuit() reads: .v .vl .sv .vhd .vhdl .blif .aag .aig .cgp .chr
/// .c .cc .cpp .cxx, and .json that Yosys wrote.
AXMUL_API bool is_circuit_file(const std::string& path);
/// True for C and C++ sources by their extension; is there a function of two integers or more in
/// it?
AXMUL_API bool is_c_model_file(const std::string& path);
AXMUL_API bool has_c_model(const std::string& path);

/// Reads a circuit or C model of a multiplier of at most 8x8 bits: its table, name (of the module,
/// model or function), provenance, published figures and cost. Whether it is one at all is decided
/// by names
/// ("add8u…", "mul12s…"), port widths, parameter types and comments, and where a circuit has not 16
/// output bits (a C model returns 8) by its values: they, or they shifted to the product's upper
/// bits, must resemble products; Provenance::output_shift says which. Else NotMultiplierError.
/// The type is options.type, else what ports or parameters declare, else told by the name of module
/// or file, else by the products (src/formats/README.md#how-a-file-is-read); provenance.warning
/// says where these resemble none. Without a published power a netlist's cost is estimated. Throws
/// InputError of the reader, AX252 where the name contradicts the products, UsageError AX260 for a
/// C model without allow_native_code.
AXMUL_API Multiplier read_design_circuit(const std::string& path,
                                         const NetlistOptions& options = {});

/// What a design called so is if not an 8x8 multiplier ("add8u_0FP", "mul12s_2J2"), as
/// NotMultiplierError::kind() says it; empty where the name does not say that.
AXMUL_API std::string kind_by_name(const std::string& name);

/// What a table or C model is that its values show to be no 8x8 multiplier, as
/// NotMultiplierError::kind() says it; empty where it may be one: its name says so ("mul8u…"), its
/// values need 16 bits, or they resemble products (Resemblance::is_product).
AXMUL_API std::string kind_by_values(const Multiplier& multiplier);

/// What header comments say: "// KEY[%] = value [unit]" and "/// KEY = value". A "%" after the
/// value belongs to the key ("MRE = 1.99 %" is "MRE%").
struct AXMUL_API PublishedFigures {
  std::map<std::string, double> values;        ///< as printed, in the unit that is printed
  std::map<std::string, std::string> text;     ///< the value as printed
  std::string library;                         ///< "EvoApproxLib", "EvoApprox8b" or empty
  std::map<std::string, std::string> units{};  ///< lower case, where printed: "mw", "um2", "ns" …
};
AXMUL_API PublishedFigures read_published_figures(std::string_view source_text);

/// Power (mW), area (µm²), delay (ns) among published figures; source "published". Without a unit
/// they are in mW, µm² and ns, but powers of EvoApprox8b ("Power (45) = 428.70") in µW. power_rel
/// is relative to EvoApproxLib's own exact multiplier for technology PDK45 (0.391 mW mul8u_1JFF,
/// 0.425 mW mul8s_1KV8), unknown otherwise.
AXMUL_API Cost published_cost(const PublishedFigures& figures, const SizedType& type);

/// Sets power_rel of every multiplier with a published power from the exact multiplier of the same
/// type, source and technology in the list (the one of least power), where there is one. The list
/// may hold several designs of one function, in any order.
AXMUL_API void fill_power_rel(std::span<Multiplier> multipliers);

enum class FigureVerdict : std::uint8_t {
  agrees,     ///< within half a unit of the last printed digit
  rounding,   ///< up to 1.1 units: how the header rounded
  disagrees,  ///< more
};
AXMUL_API std::string_view to_string(FigureVerdict verdict);

/// One published error figure against the table.
struct AXMUL_API FigureCheck {
  std::string key, printed;
  double published = 0, computed = 0;
  double unit = 0;                                   ///< of the last printed digit
  double deviation = 0;                              ///< |published − computed| / unit
  Convention convention = Convention::evoapproxlib;  ///< the one that fits better
  FigureVerdict verdict = FigureVerdict::agrees;
};

struct AXMUL_API VerifyReport {
  std::vector<FigureCheck> checks;  ///< one per published error figure, by key
  std::size_t agreeing = 0, rounded = 0, disagreeing = 0;
};

/// Recomputes MAE, WCE, EP, MRE, WCRE, MSE (with or without "%") under uniform operands in both
/// conventions (src/README.md#metrics) and compares. Trailing zeros of values printed with six
/// decimals (as the legacy EvoApprox8b headers are) count as padding. Other figures are ignored.
AXMUL_API VerifyReport verify_published(const std::map<std::string, std::string>& published_text,
                                        const Lut& lut);

}  // namespace axmul
