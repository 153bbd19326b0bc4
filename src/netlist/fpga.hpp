// Primitives of FPGAs: look-up tables with INIT, carry chains, wide multiplexers (AMD 7-series and
// UltraScale: UG953, UG974; Lattice iCE40).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netlist/assembler.hpp"

namespace axmul::detail {

struct FpgaPin {
  std::string_view name;
  int width;
  bool is_output;
};

struct FpgaPrimitive {
  enum Kind : std::uint8_t {
    lut,
    lut6_2,
    carry,
    mux,
    muxcy,
    xorcy,
    majority,
    wire,
    inverter,
    one,
    zero
  };
  std::string_view name;
  Kind kind;
  std::string_view init;  ///< name of the parameter with the table, empty without one
  std::vector<FpgaPin> pins;
};

/// The primitive of that name, or nullptr.
const FpgaPrimitive* fpga_primitive(std::string_view name);

/// The names that such cells have in a netlist: "LUT2" … "LUT6", "CARRY", "MUXF", counted as such.
bool is_fpga_cell(std::string_view type_name);

/// Cells of look-up tables, whose types must outlive the assembler.
class FpgaCells {
 public:
  FpgaCells() = default;
  FpgaCells(const FpgaCells&) = delete;
  FpgaCells& operator=(const FpgaCells&) = delete;

  /// A table of up to six inputs, the first the lowest bit of its index, on a fresh net.
  NetId lut(Assembler& out, std::uint64_t table, std::span<const NetId> inputs, std::size_t line);
  /// A primitive. pins: nets of each of its pins, in their order; inputs that are left open are 0,
  /// outputs that are (empty, or Assembler::kNoNet) are not made.
  void place(Assembler& out, const FpgaPrimitive& primitive, std::uint64_t init,
             const std::vector<std::vector<NetId>>& pins, std::size_t line);

 private:
  const CellType& type(std::string_view name, int inputs, std::vector<std::uint64_t> functions);

  struct Placing;  // one primitive being placed

  std::map<std::pair<std::string, std::vector<std::uint64_t>>, CellType> types_;
};

}  // namespace axmul::detail
