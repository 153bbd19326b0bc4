// Values of constant expressions.
#include "netlist/verilog/constants.hpp"

#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

constexpr std::uint64_t kMaxSteps = std::uint64_t{1} << 26;

}  // namespace

std::int64_t VerilogConstants::value(const VerilogFile& file, const Module& module, std::uint32_t n,
                                     int depth) {
  const Node& node = file.nodes[n];
  const auto operand = [&](std::uint32_t child) { return value(file, module, child, depth + 1); };
  if (++steps_ > kMaxSteps || depth > 200)
    fail(210, file.path, node.line, "constant expression is too long");
  const auto check = [&](__int128 v) {
    if (v > 0x7FFFFFFF || v < -0x7FFFFFFF)
      fail(209, file.path, node.line, "constant exceeds 31 bits");
    return static_cast<std::int64_t>(v);
  };
  switch (node.kind) {
    case NodeKind::constant: {
      const Constant& c = file.constants[node.a];
      for (std::uint32_t w = 1; w < (c.width + 63) / 64; ++w)
        if (file.words[c.first_word + w] != 0)
          fail(209, file.path, node.line, "constant exceeds 31 bits");
      if (file.words[c.first_word] > 0x7FFFFFFF)
        fail(209, file.path, node.line, "constant exceeds 31 bits");
      return static_cast<std::int64_t>(file.words[c.first_word]);
    }
    case NodeKind::name:
      if (!module.signals[node.a].is_parameter)
        fail(
            209, file.path, node.line,
            in_quotes(module.signals[node.a].name) +
                " is not constant; an index or range must be, or let yosys read it (--synthesize)");
      return operand(module.signals[node.a].value);
    case NodeKind::plus_sign:
      return operand(node.a);
    case NodeKind::negate:
      return -operand(node.a);
    case NodeKind::add:
      return check(operand(node.a) + operand(node.b));
    case NodeKind::subtract:
      return check(operand(node.a) - operand(node.b));
    case NodeKind::multiply:
      return check(static_cast<__int128>(operand(node.a)) * operand(node.b));
    case NodeKind::divide:
    case NodeKind::modulo: {
      const std::int64_t divisor = operand(node.b);
      if (divisor == 0) fail(209, file.path, node.line, "division by zero");
      return node.kind == NodeKind::divide ? operand(node.a) / divisor : operand(node.a) % divisor;
    }
    case NodeKind::shift_left:
    case NodeKind::shift_right: {
      const std::int64_t by = operand(node.b);
      if (by < 0 || by > 31) fail(209, file.path, node.line, "shift out of range");
      const std::int64_t left = operand(node.a);
      return node.kind == NodeKind::shift_right ? left >> by
                                                : check(static_cast<__int128>(left) << by);
    }
    default:
      fail(209, file.path, node.line,
           "a constant is expected here, or let yosys read it (--synthesize)");
  }
}

}  // namespace axmul::detail
