// Published approximate-multiplier architectures, generated from a text such as "drum(k=6)".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"

namespace axmul {

/// One parameter of a design family: an integer, or a word when `choices` is not empty.
struct AXMUL_API DesignParameter {
  std::string name;
  int min = 0, max = 0;                ///< allowed values at 8 bits, both ends included
  int default_value = 0;               ///< taken where the text leaves the parameter out
  std::string help;                    ///< one line
  int max_per_extra_bit = 0;           ///< what each operand bit beyond 8 adds to max
  std::vector<std::string> choices{};  ///< words for min, min+1, …; empty for a plain integer
};

/// Whether the circuit is the one its paper draws, or fills in what the paper leaves open.
enum class Topology : std::uint8_t { paper, ours };

/// A family of designs: what `axmul generate --list` shows.
struct AXMUL_API Design {
  std::string name;         ///< as in the text, e.g. "drum"
  std::string description;  ///< one line
  std::string source;       ///< who published it, where, when
  Topology topology = Topology::paper;
  std::string topology_note;                ///< what is ours, or what the figures compare with
  std::vector<DesignParameter> parameters;  ///< in canonical order
  std::vector<OperandType> types;  ///< operand types it is defined for; the first is the default
  bool has_circuit = false;        ///< a gate-level definition exists (generate_verilog)
};

/// All families, in the order of the registry.
AXMUL_API std::span<const Design> design_families();
/// The family of that name, or nullptr.
AXMUL_API const Design* find_design_family(std::string_view name);
/// "k=3…8 (default 6)" or "design=1|2 (default 1)" for each parameter, comma-separated, for help.
AXMUL_API std::string parameter_text(const Design& family);

/// One member of a family, at any operand width: what a text stands for. Immutable.
class AXMUL_API DesignInstance {
 public:
  struct State;
  explicit DesignInstance(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  const Design& family() const;
  OperandType type() const;
  int width() const;  ///< bits per operand; the larger of the two where they differ
  SizedType sized_type() const;
  /// Value of each parameter, in the family's order.
  std::span<const int> parameters() const;
  /// Canonical text: every parameter in the family's order, the type unless it is the default:
  /// "drum(k=6)", "broken_array(h=2,v=5,type=s8s8)", "exact". Parsing it gives this instance again.
  const std::string& text() const;
  /// Approximate product of operand values within the range of `width` bits (unchecked).
  std::int64_t operator()(std::int64_t a, std::int64_t b) const;

 private:
  std::shared_ptr<const State> state_;
};

/// Reads NAME, NAME() or NAME(parameter=value, …, type=u8u8|s8s8|u8s8); a type of other widths
/// ("type=u12u12") sets width; operands of different widths ("u8u3") only exact has. Spaces are
/// ignored, left-out parameters take their defaults. width: bits per operand, 4 … 16, even; it is
/// not part of the text: papers print figures for 4 and 16 bits, and the operand types then mean
/// that many bits. Throws UsageError: AX500 unknown family (with the nearest name), AX501 syntax,
/// AX502 unknown or repeated parameter, AX503 value that is no integer, no choice or out of range
/// (names the range), AX504 type the family is not defined for, AX505 width, AX506 parameters that
/// exclude each other.
AXMUL_API DesignInstance parse_design(std::string_view text, int width = 8);

/// The multiplier of that text, 8 bits: its name and provenance.generator are the canonical text,
/// provenance.format is "generator", provenance.reference the family's source. The cost is
/// estimated from the circuit (estimate_cost(), uniform operands; source "estimated") unless told
/// otherwise: it takes about as long as the table. Throws as parse_design().
AXMUL_API Multiplier generate(std::string_view text, bool with_cost = true);

/// True when the text looks like a generator's (a known family name, or NAME(…)), not like a path.
AXMUL_API bool looks_like_design(std::string_view text);

/// The generator texts of the shipped library luts/axmul-library.h5, canonical, in its order.
AXMUL_API std::span<const std::string> library_designs();

}  // namespace axmul
