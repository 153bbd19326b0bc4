// AND-XOR graphs: construction with sharing and constant propagation.
#include "netlist/xag.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace axmul::detail {

namespace {
constexpr Edge kFalse = 0, kTrue = 1;
}

Xag::Xag(const Netlist& netlist, std::span<const NetId> a, std::span<const NetId> b,
         std::span<const NetId> product) {
  nodes_.push_back({Kind::constant, 0, 0, 0});
  std::vector<Edge> edges(netlist.net_count, kFalse);
  edges[kNetOne] = kTrue;
  for (const auto& operand : {a, b})
    for (const NetId net : operand) {
      edges[net] = static_cast<Edge>(2 * nodes_.size());
      nodes_.push_back({Kind::input, 0, 0, 0});
    }
  for (const Cell& one : netlist.cells) cell(netlist, one, edges);
  for (const NetId net : product) outputs_.push_back(edges[net]);
}

Edge Xag::add(Kind kind, Edge a, Edge b) {
  if (a > b) std::swap(a, b);
  const std::uint64_t key =
      (std::uint64_t{a} << 32 | b) * 2 + (kind == Kind::lxor ? 1u : 0u);  // edges fit 31 bits
  const auto [found, is_new] = known_.try_emplace(key, static_cast<std::uint32_t>(nodes_.size()));
  if (is_new)
    nodes_.push_back({kind, 1 + std::max(nodes_[a / 2].level, nodes_[b / 2].level), a, b});
  return 2 * found->second;
}

Edge Xag::land(Edge a, Edge b) {
  if (a == kFalse || b == kFalse || a == (b ^ 1)) return kFalse;
  if (a == kTrue || a == b) return b;
  if (b == kTrue) return a;
  // One level down: x(xy) = xy, x·!(xy) = x!y, x·!x y = 0, and x(x ^ y) = x!y.
  for (int turn = 0; turn < 2; ++turn, std::swap(a, b)) {
    const Node node = nodes_[b / 2];
    if (node.kind != Kind::land && node.kind != Kind::lxor) continue;
    for (const auto& [same, other] : {std::pair{node.a, node.b}, std::pair{node.b, node.a}}) {
      if (node.kind == Kind::lxor) {
        if (same == (a & ~Edge{1})) return land(a, other ^ 1 ^ (a & 1) ^ (b & 1));
      } else {
        if (same == a) return (b & 1) == 0 ? b : land(a, other ^ 1);
        if (same == (a ^ 1)) return (b & 1) == 0 ? kFalse : a;
      }
    }
  }
  return add(Kind::land, a, b);
}

// a ^ b where that takes no XOR node: constants, x ^ (x ^ y) = y, x ^ xy = x!y, x ^ !x y = x | y.
std::optional<Edge> Xag::plain_xor(Edge a, Edge b) {
  const Edge invert = (a & 1) ^ (b & 1);
  a &= ~Edge{1};
  b &= ~Edge{1};
  if (a == b) return invert;
  if (a == kFalse) return b ^ invert;
  if (b == kFalse) return a ^ invert;
  for (int turn = 0; turn < 2; ++turn, std::swap(a, b)) {
    const Node node = nodes_[b / 2];
    if (node.kind != Kind::land && node.kind != Kind::lxor) continue;
    for (const auto& [same, other] : {std::pair{node.a, node.b}, std::pair{node.b, node.a}}) {
      if (node.kind == Kind::lxor) {
        if (same == a) return other ^ invert;
      } else {
        if (same == a) return land(a, other ^ 1) ^ invert;
        if (same == (a ^ 1)) return lor(a, other) ^ invert;
      }
    }
  }
  return std::nullopt;
}

Edge Xag::lxor(Edge a, Edge b) {
  if (const std::optional<Edge> plain = plain_xor(a, b)) return *plain;
  const Edge invert = (a & 1) ^ (b & 1);
  a &= ~Edge{1};
  b &= ~Edge{1};
  // xy ^ xz = x(y ^ z) where y ^ z is plain.
  Node first = nodes_[a / 2], second = nodes_[b / 2];
  if (first.kind == Kind::land && second.kind == Kind::land)
    for (int turn = 0; turn < 2; ++turn, std::swap(first.a, first.b))
      for (int other = 0; other < 2; ++other, std::swap(second.a, second.b))
        if (first.a == second.a)
          if (const std::optional<Edge> rest = plain_xor(first.b, second.b))
            return land(first.a, *rest) ^ invert;
  return add(Kind::lxor, a, b) ^ invert;
}

Edge Xag::mux(Edge zero, Edge one, Edge select) {
  if (zero == one) return zero;
  if (zero == (one ^ 1)) return lxor(select, zero);
  if (zero <= kTrue || one <= kTrue) {
    const bool high = zero <= kTrue;  // which of the two is data
    const Edge s = high ? select : select ^ 1, data = high ? one : zero;
    return (high ? zero : one) == kFalse ? land(s, data) : lor(s ^ 1, data);
  }
  return lor(land(select, one), land(select ^ 1, zero));
}

bool Xag::before(Edge x, Edge y) const {
  const int p = nodes_[x / 2].level, q = nodes_[y / 2].level;
  return p != q ? p < q : x < y;
}

// The two inputs that arrive first meet first, whatever order the cell lists them in.
std::pair<Edge, Edge> Xag::full_adder(Edge a, Edge b, Edge c) {
  std::array<Edge, 3> in = {a, b, c};
  std::sort(in.begin(), in.end(), [this](Edge x, Edge y) { return before(x, y); });
  if (in[0] == kFalse) return {lxor(in[1], in[2]), land(in[1], in[2])};
  if (in[0] == kTrue) return {lxor(in[1], in[2]) ^ 1, lor(in[1], in[2])};
  const Edge half = lxor(in[0], in[1]);
  return {lxor(half, in[2]), lor(land(in[0], in[1]), land(half, in[2]))};
}

Edge Xag::function(std::uint64_t table, std::vector<Edge> inputs) {
  while (!inputs.empty()) {
    const std::size_t half = std::size_t{1} << (inputs.size() - 1);
    const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
    const std::uint64_t low = table & mask, high = table >> half & mask;
    const Edge select = inputs.back();
    inputs.pop_back();
    if (select > kTrue && low != high) {
      if (low == (~high & mask)) return lxor(function(low, inputs), select);
      if (inputs.size() == 2 && low == 0x8 && high == 0xE)
        return full_adder(inputs[0], inputs[1], select).second;
      return mux(function(low, inputs), function(high, inputs), select);
    }
    table = select == kTrue ? high : low;
  }
  return (table & 1) != 0 ? kTrue : kFalse;
}

void Xag::cell(const Netlist& netlist, const Cell& one, std::vector<Edge>& edges) {
  const CellType& type = netlist.types[one.type];
  std::vector<Edge> in;
  for (const NetId net : netlist.inputs(one)) in.push_back(edges[net]);
  const auto out = netlist.outputs(one);
  if (type.inputs == 3 && type.functions.size() == 2) {
    const std::uint64_t first = type.functions[0] & 0xFF, second = type.functions[1] & 0xFF;
    if ((first == 0x96 && second == 0xE8) || (first == 0xE8 && second == 0x96)) {
      const auto [sum, carry] = full_adder(in[0], in[1], in[2]);
      edges[out[0]] = first == 0x96 ? sum : carry;
      edges[out[1]] = first == 0x96 ? carry : sum;
      return;
    }
  }
  for (std::size_t k = 0; k < out.size(); ++k) edges[out[k]] = function(type.functions[k], in);
}

std::vector<char> Xag::live() const {
  std::vector<char> live(nodes_.size(), 0);
  for (const Edge edge : outputs_) live[edge / 2] = 1;
  for (std::size_t i = nodes_.size(); i-- > 0;)
    if (live[i] != 0 && (nodes_[i].kind == Kind::land || nodes_[i].kind == Kind::lxor))
      live[nodes_[i].a / 2] = live[nodes_[i].b / 2] = 1;
  return live;
}

}  // namespace axmul::detail
