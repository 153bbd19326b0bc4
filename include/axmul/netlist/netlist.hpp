// Combinational gate netlists: nets by number, cells with truth tables, ports as ordered bits; a
// builder for generators and the bit-parallel simulation that turns a netlist into a product table.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"

namespace axmul {

/// Number of a net. Nets 0 and 1 are the constants 0 and 1 of every netlist.
using NetId = std::uint32_t;
inline constexpr NetId kNetZero = 0;
inline constexpr NetId kNetOne = 1;

/// Inputs a cell may have: one 64-bit truth table per output describes it.
inline constexpr int kMaxCellInputs = 6;

/// What a cell computes and, where a library says so, what it costs.
struct AXMUL_API CellType {
  std::string name;  ///< e.g. "AND2X1"; a label, the truth tables decide
  int inputs = 0;    ///< 0 … kMaxCellInputs
  /// One truth table per output: bit i is the output for input pattern i; input j is bit j of i.
  std::vector<std::uint64_t> functions{};

  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double area = kUnknown;                   ///< in the unit of its library
  double leakage = kUnknown;                ///< likewise
  std::vector<double> input_capacitance{};  ///< per input, in fF; empty when unknown
  bool is_register = false;                 ///< a register of a pipeline: simulated as a wire
};

/// The generic gates: what expressions, primitives and generators are made of. Input order is that
/// of the names' usual ports: mux2 is (A, B, S) → S ? B : A; aoi21 is !(A·B + C); half_adder is
/// (A, B) → (sum, carry); full_adder is (A, B, C) → (sum, carry).
enum class Gate : std::uint8_t {
  buf,
  inv,
  and2,
  or2,
  xor2,
  nand2,
  nor2,
  xnor2,
  and3,
  or3,
  nand3,
  nor3,
  xor3,
  and4,
  or4,
  nand4,
  nor4,
  mux2,
  aoi21,
  aoi22,
  oai21,
  oai22,
  half_adder,
  full_adder
};
inline constexpr int kGateCount = static_cast<int>(Gate::full_adder) + 1;

/// The cell type of a generic gate ("AND2", "FA" …).
AXMUL_API const CellType& gate_type(Gate gate);

/// An instance of types[type]; its nets are pins[first_pin …]: inputs, then outputs.
struct AXMUL_API Cell {
  std::uint32_t type = 0;
  std::uint32_t first_pin = 0;
};

/// An ordered bundle of nets; nets[0] is the least significant bit.
struct AXMUL_API Port {
  std::string name;
  bool is_output = false;
  std::vector<NetId> nets;
  bool is_signed = false;  ///< declared so; others may be two's complement all the same
};

/// A combinational netlist. Invariant kept by every reader and by the builder: each net has exactly
/// one driver (a constant, an input port bit or a cell output), and cells are in topological order.
struct AXMUL_API Netlist {
  std::string name;
  std::vector<CellType> types;
  std::vector<Cell> cells;
  std::vector<NetId> pins;
  std::vector<Port> ports;      ///< in declaration order
  std::uint32_t net_count = 2;  ///< ids 0 … net_count−1
  std::string technology;       ///< library that gave the cells' areas, empty without one
  int stages = 0;               ///< most registers on a path from an input to an output

  std::span<const NetId> inputs(const Cell& cell) const {
    return {pins.data() + cell.first_pin, static_cast<std::size_t>(types[cell.type].inputs)};
  }
  std::span<const NetId> outputs(const Cell& cell) const {
    const CellType& type = types[cell.type];
    return {pins.data() + cell.first_pin + type.inputs, type.functions.size()};
  }
  /// The port of that name, or nullptr.
  const Port* find_port(std::string_view port_name) const;
};

/// Builds a netlist gate by gate: a gate's inputs must exist already, so the order is topological
/// by construction. Misuse (an unknown net) throws InternalError.
class AXMUL_API NetlistBuilder {
 public:
  explicit NetlistBuilder(std::string name);

  /// Declares an input port; returns its nets, least significant first.
  std::vector<NetId> input(std::string name, int width);
  /// Declares an output port driven by these nets, least significant first.
  void output(std::string name, std::span<const NetId> nets);
  static constexpr NetId constant(bool one) { return one ? kNetOne : kNetZero; }

  /// Adds a gate with one output.
  NetId add(Gate gate, std::initializer_list<NetId> inputs);
  /// Adds a cell of any type; returns its outputs in the type's order.
  std::vector<NetId> add_cell(const CellType& type, std::span<const NetId> inputs);

  NetId inv(NetId a) { return add(Gate::inv, {a}); }
  NetId and2(NetId a, NetId b) { return add(Gate::and2, {a, b}); }
  NetId or2(NetId a, NetId b) { return add(Gate::or2, {a, b}); }
  NetId xor2(NetId a, NetId b) { return add(Gate::xor2, {a, b}); }
  NetId nand2(NetId a, NetId b) { return add(Gate::nand2, {a, b}); }
  NetId nor2(NetId a, NetId b) { return add(Gate::nor2, {a, b}); }
  NetId xnor2(NetId a, NetId b) { return add(Gate::xnor2, {a, b}); }
  NetId mux2(NetId when_zero, NetId when_one, NetId select) {
    return add(Gate::mux2, {when_zero, when_one, select});
  }
  struct Sum {
    NetId sum, carry;
  };
  Sum half_adder(NetId a, NetId b);
  Sum full_adder(NetId a, NetId b, NetId c);

  /// The netlist; the builder is empty afterwards.
  Netlist take();

 private:
  std::uint32_t type_index(const CellType& type);
  NetId add_pins(std::uint32_t type, std::span<const NetId> inputs);
  Netlist netlist_;
  std::vector<std::uint32_t> gate_index_;
};

/// Which ports are the operands and the product; empty fields are found by name (case ignored):
/// a: A, X, IN1, OPA …; b: B, Y (beside X), IN2 …; product: O, Z, P, Y, PRODUCT, OUT, RESULT, R, C.
struct AXMUL_API PortMap {
  std::string a, b, product;
  /// Further inputs that are tied to a number: "mode=1" is port mode, value 1.
  std::vector<std::pair<std::string, std::uint64_t>> ties{};
};

/// Reads "a=X,b=Y,p=O" (any subset, any order) and further inputs with a number,
/// "mode=1,mask=0x7f". Throws UsageError AX250 naming the bad part.
AXMUL_API PortMap parse_port_map(std::string_view text);

/// The ports of a multiplier with every field filled; where names say nothing, two inputs of 8 bits
/// (the first is a) and the widest of the outputs tell. Throws InputError AX251 (names the ports
/// there are) when one cannot be found or is of the wrong direction.
AXMUL_API PortMap find_multiplier_ports(const Netlist& netlist, const PortMap& given = {});

/// The complete product table of an 8x8 netlist: operand a from port ports.a, b from ports.b, both
/// 8 bits wide in two's complement where signed; the product port (1 … 32 bits) is read as two's
/// complement unless type is u8u8. Throws InputError AX251 on ports that do not fit, AX10 on a
/// product that reaches ±2^24.
AXMUL_API Lut simulate(const Netlist& netlist, OperandType type, const PortMap& ports = {});

/// The same of a netlist whose operands have at most 8 bits; type.bits are those of its ports.
AXMUL_API Lut simulate_narrow(const Netlist& netlist, const SizedType& type,
                              const PortMap& ports = {});

/// Widths of the operand ports of a multiplier. Throws as find_multiplier_ports().
AXMUL_API OperandWidths operand_widths(const Netlist& netlist, const PortMap& ports = {});

/// Outputs of a netlist for all 2^n input patterns, n ≤ 24 input bits in all.
struct AXMUL_API TruthPlanes {
  int inputs = 0;
  std::size_t words = 0;              ///< 64-bit words per plane; patterns beyond 2^n repeat
  std::vector<std::uint64_t> planes;  ///< one plane per requested net, in order
  /// Value of the k-th net for input pattern i.
  bool operator()(std::size_t k, std::size_t i) const {
    return (planes[k * words + i / 64] >> (i % 64) & 1) != 0;
  }
};

/// Values of the given nets under every pattern of `inputs`: bit j of the pattern number drives
/// inputs[j]; input port bits that are not listed are 0. Throws UsageError AX253 above 24 inputs.
AXMUL_API TruthPlanes simulate_planes(const Netlist& netlist, std::span<const NetId> inputs,
                                      std::span<const NetId> nets);

/// The netlist as structural Verilog (assignments and instances of modules in the same text), which
/// read_verilog() and every Verilog tool read back.
AXMUL_API std::string to_verilog(const Netlist& netlist);

}  // namespace axmul
