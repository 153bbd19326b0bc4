// The parsed form of a structural Verilog file; names are views into its text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/netlist/netlist.hpp"

namespace axmul::detail {

inline constexpr std::uint32_t kNothing = ~std::uint32_t{0};
inline constexpr std::uint32_t kMaxExpressionDepth = 2000;  // recursion while elaborating
inline constexpr std::uint32_t kMaxVectorWidth = 1u << 20;

enum class NodeKind : std::uint8_t {
  name,       // a: signal
  bit,        // a: signal, b: index
  part,       // a: signal, b: msb, c: lsb
  part_up,    // a: signal, b: base, c: width   [base +: width]
  part_down,  // a: signal, b: base, c: width   [base -: width]
  constant,   // a: index into constants
  concat,     // a: first in lists, b: count
  replicate,  // a: count, b: concat
  ternary,    // a ? b : c
  // unary, operand a
  bit_not,
  reduce_and,
  reduce_or,
  reduce_xor,
  reduce_nand,
  reduce_nor,
  reduce_xnor,
  logic_not,
  negate,
  plus_sign,
  // binary, operands a and b
  bit_and,
  bit_or,
  bit_xor,
  bit_xnor,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  shift_left,
  shift_right,
  logic_and,
  logic_or,
  equal,
  not_equal
};

struct Node {
  NodeKind kind;
  std::uint16_t depth;
  std::uint32_t line;
  std::uint32_t a, b, c;
};

struct Constant {
  std::uint32_t width;
  bool is_sized, is_signed;
  std::uint32_t first_word;  // bits in words, 64 each
};

struct Signal {
  std::string_view name;
  std::uint32_t line = 0;                        // of its declaration or first use
  std::uint32_t msb = kNothing, lsb = kNothing;  // range expressions
  bool is_input = false, is_output = false, is_declared = false, is_signed = false;
  bool is_parameter = false, is_variable = false, in_port_list = false;
  bool is_supply0 = false, is_supply1 = false, is_inout = false;
  std::uint32_t value = kNothing;  // of a parameter
};

struct Assign {
  std::uint32_t target, value, line;
};

struct Primitive {
  Gate gate;                         // and2 or2 xor2 nand2 nor2 xnor2 buf inv
  std::uint32_t first, count, line;  // terminals in lists
};

struct Connection {
  std::string_view port;  // empty: by position
  std::uint32_t value;    // kNothing: left open
};

struct Instance {
  std::string_view cell, name;
  std::uint32_t first, count, line;  // connections
  bool by_name, has_parameters;
  std::uint32_t first_parameter = 0, parameter_count = 0;  // in connections; by name or position
};

/// A combinational user-defined primitive.
struct Udp {
  std::uint64_t table = 0;
  int inputs = 0;
};

struct Module {
  std::string_view name;
  std::uint32_t line = 0;
  std::vector<std::uint32_t> ports;  // signals, in port order
  std::vector<Signal> signals;
  std::vector<Assign> assigns;
  std::vector<Primitive> primitives;
  std::vector<Instance> instances;
  std::optional<Udp> udp;
  bool has_header = false;  // its ports are known
  std::vector<std::string_view> mentioned;  // names in parts that were not parsed
  // What the module contains that a combinational netlist cannot; thrown where it is used.
  std::string unsupported;
  std::uint32_t unsupported_line = 0;
  int unsupported_id = 202;
};

struct VerilogFile {
  std::string path, text;
  std::vector<Module> modules;
  std::vector<Node> nodes;
  std::vector<Constant> constants;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> lists;
  std::vector<Connection> connections;
};

/// Parses text (moved in; views point into it) as it stands, without preprocessing. Throws AX201,
/// AX202, AX212, AX213.
std::shared_ptr<VerilogFile> parse_verilog(std::string text, const std::string& path);

/// What --synthesize is for, as the end of a message.
inline constexpr const char* kSynthesizeHint = "; --synthesize lets yosys map it to gates";

}  // namespace axmul::detail
