// Expressions and assignment targets as nets and gates.
#include "netlist/verilog/expressions.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "axmul/core/errors.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

constexpr std::uint64_t kMaxBits = std::uint64_t{1} << 28;  // of all expressions

}  // namespace

// Nets of a name or a constant select, least significant first, pushed onto stack_.
void VerilogExpressions::push_select(std::uint32_t scope, const Node& node) {
  const VerilogFile& file = *scopes_[scope].file;
  const Signal& signal = scopes_[scope].module->signals[node.a];
  if (signal.is_parameter)
    fail(202, file.path, node.line,
         "a select of parameter " + in_quotes(signal.name) + " is not structural Verilog" +
             kSynthesizeHint);
  const ModuleInfo::Range& r = scopes_.range(scope, node.a);
  const NetId first = scopes_.base(scope, node.a);
  spend(scope, node, r.width);
  if (node.kind == NodeKind::name) {
    for (std::uint32_t i = 0; i < r.width; ++i) stack_.push_back(first + i);
    return;
  }
  std::int64_t high = scopes_.constant(scope, node.b), low = high;
  const bool up = r.msb >= r.lsb;
  if (node.kind == NodeKind::part) low = scopes_.constant(scope, node.c);
  if (node.kind == NodeKind::part_up || node.kind == NodeKind::part_down) {
    const std::int64_t width = scopes_.constant(scope, node.c);
    const std::int64_t other = node.kind == NodeKind::part_up ? high + width - 1 : high - width + 1;
    low = up ? std::min(high, other) : std::max(high, other);
    high = up ? std::max(high, other) : std::min(high, other);
  }
  if (signal.msb == kNothing)
    fail(209, file.path, node.line, "scalar " + in_quotes(signal.name) + " has no bits to select");
  if ((up ? high < low : high > low))
    fail(209, file.path, node.line,
         "part-select of " + in_quotes(signal.name) + " runs against its range");
  for (std::int64_t i = low;; i += up ? 1 : -1) {
    const std::int64_t k = up ? i - r.lsb : r.lsb - i;
    if (k < 0 || k >= r.width)
      fail(209, file.path, node.line,
           in_quotes(std::string(signal.name) + "[" + std::to_string(i) + "]") +
               " is outside its range [" + std::to_string(r.msb) + ":" + std::to_string(r.lsb) +
               "]");
    stack_.push_back(first + static_cast<NetId>(k));
    if (i == high) break;
  }
}

// --- expressions: eval pushes `width` nets, least significant first
void VerilogExpressions::eval(std::uint32_t scope, std::uint32_t n, std::uint32_t width,
                              bool is_signed) {
  const VerilogFile& file = *scopes_[scope].file;
  const Node& node = file.nodes[n];
  const std::size_t mark = stack_.size();
  spend(scope, node, width);
  switch (node.kind) {
    case NodeKind::name:
      if (scopes_[scope].module->signals[node.a].is_parameter) {
        const std::int64_t value = scopes_.constant(scope, n);
        for (std::uint32_t i = 0; i < 32; ++i)
          stack_.push_back((value >> i & 1) != 0 ? kNetOne : kNetZero);
        return fit(mark, width, is_signed);
      }
      [[fallthrough]];
    case NodeKind::bit:
    case NodeKind::part:
    case NodeKind::part_up:
    case NodeKind::part_down:
      push_select(scope, node);
      return fit(mark, width, is_signed);
    case NodeKind::constant: {
      const Constant& c = file.constants[node.a];
      for (std::uint32_t i = 0; i < c.width && i < width; ++i)
        stack_.push_back((file.words[c.first_word + i / 64] >> (i % 64) & 1) != 0 ? kNetOne
                                                                                  : kNetZero);
      return fit(mark, width, is_signed);
    }
    case NodeKind::concat:
      for (std::uint32_t i = node.b; i-- > 0;) {
        const std::uint32_t part = file.lists[node.a + i];
        check_sized(file, part);
        self_eval(scope, part);
      }
      return fit(mark, width, false);
    case NodeKind::replicate: {
      const std::int64_t count = scopes_.constant(scope, node.a);
      shape(scope, n);  // checks the count
      self_eval(scope, node.b);
      const std::size_t part = stack_.size() - mark;
      for (std::int64_t k = 1; k < count; ++k)
        for (std::size_t i = 0; i < part; ++i) stack_.push_back(stack_[mark + i]);
      return fit(mark, width, false);
    }
    default:
      return eval_operator(scope, node, mark, width, is_signed);
  }
}

// Bounds the time that a short text can ask for, e.g. by wide replications.
void VerilogExpressions::spend(std::uint32_t scope, const Node& node, std::uint64_t bits) {
  if ((work_ += bits + 1) > kMaxBits)
    fail(210, scopes_[scope].file->path, node.line,
         "the expressions of this design are too wide in total");
}

void VerilogExpressions::check_sized(const VerilogFile& file, std::uint32_t n) const {
  const Node& node = file.nodes[n];
  if (node.kind == NodeKind::constant && !file.constants[node.a].is_sized)
    fail(209, file.path, node.line, "a constant in a concatenation needs a width, such as 1'b0");
}

void VerilogExpressions::self_eval(std::uint32_t scope, std::uint32_t n) {
  const Shape s = shape(scope, n);
  eval(scope, n, s.width, s.is_signed);
}

// The value above mark as one bit: is any bit set?
NetId VerilogExpressions::truth(std::uint32_t scope, std::uint32_t n, std::uint32_t line) {
  const std::size_t mark = stack_.size();
  self_eval(scope, n);
  const NetId net = reduce(Gate::or2, mark, false, line);
  stack_.resize(mark);
  return net;
}

NetId VerilogExpressions::reduce(Gate gate, std::size_t mark, bool invert, std::uint32_t line) {
  const std::span<const NetId> bits(stack_.data() + mark, stack_.size() - mark);
  if (bits.size() == 1) return invert ? out_.gate(Gate::inv, bits, line) : bits[0];
  return out_.tree(gate, {bits.begin(), bits.end()}, invert, line);
}

void VerilogExpressions::push_bit(NetId net, std::size_t mark, std::uint32_t width) {
  stack_.resize(mark);
  stack_.push_back(net);
  fit(mark, width, false);
}

void VerilogExpressions::eval_operator(std::uint32_t scope, const Node& node, std::size_t mark,
                                       std::uint32_t width, bool is_signed) {
  const VerilogFile& file = *scopes_[scope].file;
  switch (node.kind) {
    case NodeKind::ternary:
      return eval_ternary(scope, node, mark, width, is_signed);
    case NodeKind::plus_sign:
      return eval(scope, node.a, width, is_signed);
    case NodeKind::bit_not:
      eval(scope, node.a, width, is_signed);
      for (std::uint32_t i = 0; i < width; ++i)
        stack_[mark + i] = out_.gate(Gate::inv, {stack_[mark + i]}, node.line);
      return;
    case NodeKind::bit_and:
      return eval_bitwise(scope, node, Gate::and2, mark, width, is_signed);
    case NodeKind::bit_or:
      return eval_bitwise(scope, node, Gate::or2, mark, width, is_signed);
    case NodeKind::bit_xor:
      return eval_bitwise(scope, node, Gate::xor2, mark, width, is_signed);
    case NodeKind::bit_xnor:
      return eval_bitwise(scope, node, Gate::xnor2, mark, width, is_signed);
    case NodeKind::add:
      eval(scope, node.a, width, is_signed);
      eval(scope, node.b, width, is_signed);
      return add(mark, width, kNetZero, node.line);
    case NodeKind::subtract:
    case NodeKind::negate:
      return eval_subtract(scope, node, mark, width, is_signed);
    case NodeKind::reduce_and:
    case NodeKind::reduce_nand:
      return eval_reduce(scope, node, Gate::and2, mark, width);
    case NodeKind::reduce_or:
    case NodeKind::reduce_nor:
      return eval_reduce(scope, node, Gate::or2, mark, width);
    case NodeKind::reduce_xor:
    case NodeKind::reduce_xnor:
      return eval_reduce(scope, node, Gate::xor2, mark, width);
    case NodeKind::logic_not:
      return push_bit(out_.gate(Gate::inv, {truth(scope, node.a, node.line)}, node.line), mark,
                      width);
    case NodeKind::logic_and:
    case NodeKind::logic_or: {
      const NetId left = truth(scope, node.a, node.line), right = truth(scope, node.b, node.line);
      const Gate gate = node.kind == NodeKind::logic_and ? Gate::and2 : Gate::or2;
      return push_bit(out_.gate(gate, {left, right}, node.line), mark, width);
    }
    case NodeKind::equal:
    case NodeKind::not_equal:
      return eval_equal(scope, node, mark, width);
    case NodeKind::shift_left:
    case NodeKind::shift_right:
      return eval_shift(scope, node, mark, width, is_signed);
    default:
      fail(202, file.path, node.line,
           std::string("this operator is not structural Verilog") + kSynthesizeHint);
  }
}

void VerilogExpressions::eval_bitwise(std::uint32_t scope, const Node& node, Gate gate,
                                      std::size_t mark, std::uint32_t width, bool is_signed) {
  eval(scope, node.a, width, is_signed);
  eval(scope, node.b, width, is_signed);
  for (std::uint32_t i = 0; i < width; ++i)
    stack_[mark + i] = out_.gate(gate, {stack_[mark + i], stack_[mark + width + i]}, node.line);
  stack_.resize(mark + width);
}

void VerilogExpressions::eval_ternary(std::uint32_t scope, const Node& node, std::size_t mark,
                                      std::uint32_t width, bool is_signed) {
  const NetId select = truth(scope, node.a, node.line);
  eval(scope, node.b, width, is_signed);
  eval(scope, node.c, width, is_signed);
  for (std::uint32_t i = 0; i < width; ++i)
    stack_[mark + i] =
        out_.gate(Gate::mux2, {stack_[mark + width + i], stack_[mark + i], select}, node.line);
  stack_.resize(mark + width);
}

void VerilogExpressions::eval_subtract(std::uint32_t scope, const Node& node, std::size_t mark,
                                       std::uint32_t width, bool is_signed) {
  if (node.kind == NodeKind::negate)
    stack_.resize(mark + width, kNetZero);
  else
    eval(scope, node.a, width, is_signed);
  eval(scope, node.kind == NodeKind::negate ? node.a : node.b, width, is_signed);
  for (std::uint32_t i = 0; i < width; ++i)
    stack_[mark + width + i] = out_.gate(Gate::inv, {stack_[mark + width + i]}, node.line);
  add(mark, width, kNetOne, node.line);
}

void VerilogExpressions::eval_reduce(std::uint32_t scope, const Node& node, Gate gate,
                                     std::size_t mark, std::uint32_t width) {
  const bool invert = node.kind == NodeKind::reduce_nand || node.kind == NodeKind::reduce_nor ||
                      node.kind == NodeKind::reduce_xnor;
  self_eval(scope, node.a);
  push_bit(reduce(gate, mark, invert, node.line), mark, width);
}

void VerilogExpressions::eval_equal(std::uint32_t scope, const Node& node, std::size_t mark,
                                    std::uint32_t width) {
  const Shape s = wider(shape(scope, node.a), shape(scope, node.b));
  eval(scope, node.a, s.width, s.is_signed);
  eval(scope, node.b, s.width, s.is_signed);
  for (std::uint32_t i = 0; i < s.width; ++i)
    stack_[mark + i] =
        out_.gate(Gate::xor2, {stack_[mark + i], stack_[mark + s.width + i]}, node.line);
  stack_.resize(mark + s.width);
  push_bit(reduce(Gate::or2, mark, node.kind == NodeKind::equal, node.line), mark, width);
}

void VerilogExpressions::eval_shift(std::uint32_t scope, const Node& node, std::size_t mark,
                                    std::uint32_t width, bool is_signed) {
  std::int64_t by = 0;
  try {
    by = scopes_.constant(scope, node.b);
  } catch (const InputError& error) {
    if (error.id() != 209) throw;
    if (node.kind == NodeKind::shift_right && looked_up(scope, node, mark, width)) return;
    fail(202, scopes_[scope].file->path, node.line,
         std::string("a shift by a signal is not structural Verilog") + kSynthesizeHint);
  }
  if (by < 0) fail(209, scopes_[scope].file->path, node.line, "shift by a negative count");
  eval(scope, node.a, width, is_signed);
  const std::vector<NetId> bits(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(width); ++i) {
    const std::int64_t source = node.kind == NodeKind::shift_left ? i - by : i + by;
    const bool inside = source >= 0 && source < static_cast<std::int64_t>(width);
    stack_[mark + static_cast<std::size_t>(i)] =
        inside ? bits[static_cast<std::size_t>(source)] : kNetZero;
  }
}

// 4'h8 >> {b, a}: a look-up table as yosys writes it. Its lowest bit is a cell; the upper ones,
// which such netlists cut off, are only made where they are asked for.
bool VerilogExpressions::looked_up(std::uint32_t scope, const Node& node, std::size_t mark,
                                   std::uint32_t width) {
  const VerilogFile& file = *scopes_[scope].file;
  const Node& left = file.nodes[node.a];
  const std::uint32_t inputs = shape(scope, node.b).width;
  if (left.kind != NodeKind::constant || inputs > kMaxCellInputs) return false;
  const Constant& constant = file.constants[left.a];
  const std::uint32_t bits = std::min(constant.width, width);
  if (!constant.is_sized || bits > 64 || (constant.is_signed && bits > 1)) return false;
  const std::uint32_t wanted = std::exchange(wanted_, kMaxVectorWidth);
  self_eval(scope, node.b);
  const std::vector<NetId> select(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
  stack_.resize(mark);
  const std::uint64_t word = file.words[constant.first_word] &
                             (bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1);
  for (std::uint32_t i = 0; i < std::min(width, wanted); ++i)
    stack_.push_back(i < 64 && word >> i != 0 ? luts_.lut(out_, word >> i, select, node.line)
                                              : kNetZero);
  fit(mark, width, false);
  return true;
}

// Ripple-carry sum of the two width-bit values above mark; the carry out of the top is dropped.
void VerilogExpressions::add(std::size_t mark, std::uint32_t width, NetId carry,
                             std::uint32_t line) {
  for (std::uint32_t i = 0; i < width; ++i) {
    const NetId x = stack_[mark + i], y = stack_[mark + width + i];
    const bool last = i + 1 == width;
    if (carry == kNetZero) {
      if (last) {
        stack_[mark + i] = out_.gate(Gate::xor2, {x, y}, line);
      } else {
        std::tie(stack_[mark + i], carry) = out_.adder(Gate::half_adder, {x, y}, line);
      }
    } else if (last) {
      stack_[mark + i] = out_.gate(Gate::xor3, {x, y, carry}, line);
    } else {
      std::tie(stack_[mark + i], carry) = out_.adder(Gate::full_adder, {x, y, carry}, line);
    }
  }
  stack_.resize(mark + width);
}

// --- assignment targets: pushes their nets, least significant first
void VerilogExpressions::targets(std::uint32_t scope, std::uint32_t n) {
  const VerilogFile& file = *scopes_[scope].file;
  const Node& node = file.nodes[n];
  switch (node.kind) {
    case NodeKind::name:
    case NodeKind::bit:
    case NodeKind::part:
    case NodeKind::part_up:
    case NodeKind::part_down:
      return push_select(scope, node);
    case NodeKind::concat:
      for (std::uint32_t i = node.b; i-- > 0;) targets(scope, file.lists[node.a + i]);
      return;
    default:
      fail(201, file.path, node.line,
           "an assignment target must be a net, a select of it or a concatenation of those");
  }
}

}  // namespace axmul::detail
