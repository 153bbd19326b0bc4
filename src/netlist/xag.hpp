// A netlist as AND and XOR nodes with inverted edges: the common form in which circuits are costed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "axmul/netlist/netlist.hpp"

namespace axmul::detail {

/// Edge: 2·node + (1 when inverted). Node 0 is the constant 0.
using Edge = std::uint32_t;

class Xag {
 public:
  enum class Kind : std::uint8_t { constant, input, land, lxor };
  struct Node {
    Kind kind;
    int level;
    Edge a, b;
  };

  /// Constants propagated, equal nodes shared, in topological order; inputs are a's bits, then b's.
  Xag(const Netlist& netlist, std::span<const NetId> a, std::span<const NetId> b,
      std::span<const NetId> product);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Edge>& outputs() const { return outputs_; }
  /// Whether a node reaches an output.
  std::vector<char> live() const;

 private:
  Edge land(Edge a, Edge b);
  Edge lor(Edge a, Edge b) { return land(a ^ 1, b ^ 1) ^ 1; }
  Edge lxor(Edge a, Edge b);
  Edge mux(Edge zero, Edge one, Edge select);
  Edge add(Kind kind, Edge a, Edge b);
  std::optional<Edge> plain_xor(Edge a, Edge b);
  std::pair<Edge, Edge> full_adder(Edge a, Edge b, Edge c);
  Edge function(std::uint64_t table, std::vector<Edge> inputs);
  void cell(const Netlist& netlist, const Cell& cell, std::vector<Edge>& edges);
  bool before(Edge x, Edge y) const;

  std::vector<Node> nodes_;
  std::vector<Edge> outputs_;
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

}  // namespace axmul::detail
