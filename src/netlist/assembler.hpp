// From what a reader saw, in any order, to a valid netlist: drivers, aliases, order, errors.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "axmul/netlist/netlist.hpp"

namespace axmul::detail {

/// Collects nets, cells and aliases in any order; finish() resolves them. Raw net 0 and 1 are the
/// constants.
class Assembler {
 public:
  /// limit: most nets and most cells; past it AX210 is thrown.
  Assembler(std::string path, std::size_t limit);

  /// `count` fresh nets, consecutive; returns the first.
  NetId new_nets(std::size_t count, std::size_t line);
  /// target is driven by source.
  void alias(NetId target, NetId source, std::size_t line);
  void drive_input(NetId net, std::size_t line);
  /// A cell that drives existing nets (kNoNet: output not connected).
  void cell(std::uint32_t type, std::span<const NetId> inputs, std::span<const NetId> outputs,
            std::size_t line);
  /// A generic gate that drives a fresh net.
  NetId gate(Gate gate, std::span<const NetId> inputs, std::size_t line);
  NetId gate(Gate kind, std::initializer_list<NetId> inputs, std::size_t line) {
    return gate(kind, std::span<const NetId>(inputs.begin(), inputs.size()), line);
  }
  /// A two-output generic gate on fresh nets: (sum, carry).
  std::pair<NetId, NetId> adder(Gate gate, std::initializer_list<NetId> inputs, std::size_t line);
  /// AND, OR or XOR (inverted: NAND, NOR, XNOR) of any number of nets, as a tree.
  NetId tree(Gate gate, std::vector<NetId> inputs, bool invert, std::size_t line);

  std::uint32_t type_index(Gate gate);
  /// Index of a type, by address (types must outlive the assembler) and then by content.
  std::uint32_t type_index(const CellType& type);
  const CellType& type(std::uint32_t index) const { return netlist_.types[index]; }

  /// line: where it is declared, 0 unknown.
  void port(std::string name, bool is_output, std::vector<NetId> nets, std::size_t line,
            bool is_signed = false) {
    port_lines_.emplace_back(nets.size(), line);
    netlist_.ports.push_back({std::move(name), is_output, std::move(nets), is_signed});
  }

  /// What name_of returns for nets inside expressions.
  static constexpr const char* kUnnamed = "(expression)";
  static constexpr NetId kNoNet = ~NetId{0};
  using NameOf = std::function<std::string(NetId)>;
  /// The netlist in topological order with compact net numbers. name_of gives a raw net's name for
  /// messages. Throws AX206 (undriven and needed), AX207, AX208.
  Netlist finish(std::string name, const NameOf& name_of);
  std::size_t cell_count() const { return cells_.size(); }
  /// A register that a wire may stand for: a loop through one is AX211.
  void reg(NetId d, NetId q, std::size_t line);

 private:
  enum class Driver : std::uint8_t { none, constant, input, alias, cell };
  struct Source {
    Driver driver = Driver::none;
    std::uint32_t ref = 0;  // alias: the source net; cell: its number
    std::uint32_t line = 0;
    std::uint32_t other_line = 0;  // where a second driver was seen
  };
  struct RawCell {
    std::uint32_t type, first_pin, line;
  };

  void drive(NetId net, Driver driver, std::uint32_t ref, std::size_t line);
  NetId resolve(NetId net, const NameOf& name_of);
  void resolve_all(const NameOf& name_of);
  void mark_needed();
  std::vector<std::uint32_t> order(const NameOf& name_of);
  [[noreturn]] void fail_loop(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& stack,
                              std::uint32_t cell, const NameOf& name_of) const;
  std::string known_name(NetId net, const NameOf& name_of) const;
  void check_driven(const NameOf& name_of) const;
  std::span<NetId> pins(const RawCell& cell) {
    const CellType& type = netlist_.types[cell.type];
    return {pins_.data() + cell.first_pin,
            static_cast<std::size_t>(type.inputs) + type.functions.size()};
  }
  std::size_t input_count(const RawCell& cell) const {
    return static_cast<std::size_t>(netlist_.types[cell.type].inputs);
  }

  std::string path_;
  std::size_t limit_;
  Netlist netlist_;
  std::array<std::uint32_t, kGateCount> gate_index_;
  std::vector<std::pair<const CellType*, std::uint32_t>> type_cache_;
  std::vector<Source> nets_;
  std::vector<RawCell> cells_;
  std::vector<NetId> pins_;
  std::vector<char> needed_;
  std::vector<std::vector<std::size_t>> port_lines_;  // by port and bit: assignment or declaration
  NetId doubly_driven_ = kNoNet;
};

}  // namespace axmul::detail
