// Widths and signs of expressions.
#include "netlist/verilog/shapes.hpp"

#include "netlist/source.hpp"

namespace axmul::detail {

std::vector<Shape>& VerilogShapes::shapes_of(const VerilogFile& other) {
  std::vector<Shape>& result = other_shapes_[&other];
  if (result.empty()) result.resize(other.nodes.size());
  return result;
}

Shape VerilogShapes::checked(std::uint32_t scope, std::uint32_t n) {
  const Shape result = compute(scope, n);
  if (result.width > kMaxVectorWidth)
    fail(210, scopes_[scope].file->path, scopes_[scope].file->nodes[n].line,
         "expression of more than " + std::to_string(kMaxVectorWidth) + " bits");
  return result;
}

Shape VerilogShapes::compute(std::uint32_t scope, std::uint32_t n) {
  const VerilogFile& file = *scopes_[scope].file;
  const Node& node = file.nodes[n];
  const Module& module = *scopes_[scope].module;
  switch (node.kind) {
    case NodeKind::name: {
      const Signal& signal = module.signals[node.a];
      if (signal.is_parameter) return {std::max(32u, 1u), true};
      return {scopes_.range(scope, node.a).width, signal.is_signed};
    }
    case NodeKind::bit:
      return {1, false};
    case NodeKind::part:
    case NodeKind::part_up:
    case NodeKind::part_down:
      return select(scope, node);
    case NodeKind::constant:
      return {file.constants[node.a].width, file.constants[node.a].is_signed};
    case NodeKind::concat: {
      std::uint64_t width = 0;
      for (std::uint32_t i = 0; i < node.b; ++i) width += of(scope, file.lists[node.a + i]).width;
      return {static_cast<std::uint32_t>(std::min<std::uint64_t>(width, kMaxVectorWidth + 1)),
              false};
    }
    case NodeKind::replicate: {
      const std::int64_t count = scopes_.constant(scope, node.a);
      if (count < 1)
        fail(209, file.path, node.line, "replication of " + std::to_string(count) + " times");
      const std::uint64_t width = static_cast<std::uint64_t>(count) * of(scope, node.b).width;
      return {static_cast<std::uint32_t>(std::min<std::uint64_t>(width, kMaxVectorWidth + 1)),
              false};
    }
    case NodeKind::ternary:
      return wider(of(scope, node.b), of(scope, node.c));
    case NodeKind::bit_not:
    case NodeKind::negate:
    case NodeKind::plus_sign:
    case NodeKind::shift_left:
    case NodeKind::shift_right:
      return of(scope, node.a);
    case NodeKind::bit_and:
    case NodeKind::bit_or:
    case NodeKind::bit_xor:
    case NodeKind::bit_xnor:
    case NodeKind::add:
    case NodeKind::subtract:
      return wider(of(scope, node.a), of(scope, node.b));
    case NodeKind::multiply:
    case NodeKind::divide:
    case NodeKind::modulo:
      fail(202, file.path, node.line,
           "* / % on nets is not structural; --synthesize lets yosys map it to gates");
    default:
      return {1, false};
  }
}

Shape VerilogShapes::select(std::uint32_t scope, const Node& node) {
  std::int64_t width = 0;
  if (node.kind == NodeKind::part) {
    width = std::abs(scopes_.constant(scope, node.b) - scopes_.constant(scope, node.c)) + 1;
  } else {
    width = scopes_.constant(scope, node.c);
    if (width < 1) fail(209, scopes_[scope].file->path, node.line, "part-select of no bits");
  }
  return {static_cast<std::uint32_t>(std::min<std::int64_t>(width, kMaxVectorWidth + 1)), false};
}

}  // namespace axmul::detail
