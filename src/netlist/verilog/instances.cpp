// Flattens the top module of a parsed Verilog file: every signal bit becomes a net, every operator
// bit a gate; widths and signs follow IEEE 1364-2001, 4.4 and 4.5.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "axmul/core/errors.hpp"
#include "netlist/cells.hpp"
#include "netlist/source.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

namespace {

constexpr int kMaxHierarchy = 64;
constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 28;  // expression bits
constexpr std::uint64_t kMaxConstantSteps = std::uint64_t{1} << 26;

// Ranges of a module's signals, computed once: an instance only adds net numbers.
struct ModuleInfo {
  struct Range {
    std::int64_t msb = 0, lsb = 0;
    std::uint32_t width = 1;
    std::uint32_t offset = 0;  // of its first net in the scope's block
  };
  std::vector<Range> ranges;
  std::uint32_t nets = 0;
};

struct Scope {
  const VerilogFile* file;
  const Module* module;
  const ModuleInfo* info;
  NetId first;
  std::uint32_t parent;  // index of the enclosing scope
  std::string_view instance;
};

class Elaborator {
 public:
  Elaborator(const VerilogFile& file, const NetlistOptions& options)
      : main_(file), options_(options), out_(file.path, options.max_cells) {}

  Netlist run(const Module& top) {
    const std::uint32_t scope = open_scope(main_, top, 0, {});
    for (const std::uint32_t index : top.ports) {
      const Signal& signal = top.signals[index];
      check_direction(main_, top, signal);
      std::vector<NetId> nets;
      for (std::uint32_t i = 0; i < range(scope, index).width; ++i)
        nets.push_back(base(scope, index) + i);
      if (signal.is_input)
        for (const NetId net : nets) out_.drive_input(net, signal.line);
      out_.port(std::string(signal.name), signal.is_output, std::move(nets), signal.line);
    }
    body(scope, 0);
    Netlist netlist =
        out_.finish(std::string(top.name), [this](NetId net) { return net_name(net); });
    if (options_.library) use_library(netlist, *options_.library);
    return netlist;
  }

 private:
  // --- scopes and names
  std::uint32_t open_scope(const VerilogFile& file, const Module& module, std::uint32_t parent,
                           std::string_view instance) {
    if (!module.unsupported.empty())
      fail(module.unsupported_id, file.path, module.unsupported_line,
           "module " + in_quotes(module.name) + ": " + module.unsupported +
               (module.unsupported_id == 211
                    ? " has state; only combinational circuits have a table"
                    : " is not structural Verilog; --synthesize lets yosys map it to gates"));
    if (scopes_.size() >= options_.max_cells)
      fail(210, file.path, module.line, "too many instances");
    const ModuleInfo& info = module_info(file, module);
    const NetId first = out_.new_nets(info.nets, module.line);
    scopes_.push_back({&file, &module, &info, first, parent, instance});
    for (std::uint32_t i = 0; i < module.signals.size(); ++i) {
      const Signal& signal = module.signals[i];
      if (signal.is_supply0 || signal.is_supply1)
        for (std::uint32_t k = 0; k < info.ranges[i].width; ++k)
          out_.alias(first + info.ranges[i].offset + k, signal.is_supply1 ? kNetOne : kNetZero,
                     signal.line);
    }
    return static_cast<std::uint32_t>(scopes_.size() - 1);
  }

  static void check_direction(const VerilogFile& file, const Module& module, const Signal& signal) {
    if (signal.is_input || signal.is_output) return;
    fail(201, file.path, signal.line,
         "port " + in_quotes(signal.name) + " of module " + in_quotes(module.name) +
             " is neither input nor output");
  }

  const ModuleInfo& module_info(const VerilogFile& file, const Module& module) {
    const auto [found, is_new] = infos_.try_emplace(&module);
    ModuleInfo& info = found->second;
    if (!is_new) return info;
    info.ranges.resize(module.signals.size());
    for (std::size_t i = 0; i < module.signals.size(); ++i) {
      const Signal& signal = module.signals[i];
      ModuleInfo::Range& range = info.ranges[i];
      if (signal.is_parameter) continue;
      if (signal.msb != kNothing) {
        range.msb = constant_value(file, module, signal.msb, 0);
        range.lsb = constant_value(file, module, signal.lsb, 0);
        const std::int64_t width = std::abs(range.msb - range.lsb) + 1;
        if (width > kMaxVectorWidth)
          fail(210, file.path, signal.line,
               in_quotes(signal.name) + " has " + std::to_string(width) + " bits; at most " +
                   std::to_string(kMaxVectorWidth) + " are possible");
        range.width = static_cast<std::uint32_t>(width);
      }
      range.offset = info.nets;
      info.nets += range.width;
      if (info.nets > options_.max_cells) fail(210, file.path, signal.line, "too many nets");
    }
    return info;
  }

  const ModuleInfo::Range& range(std::uint32_t scope, std::uint32_t signal) const {
    return scopes_[scope].info->ranges[signal];
  }
  NetId base(std::uint32_t scope, std::uint32_t signal) const {
    return scopes_[scope].first + range(scope, signal).offset;
  }

  std::string net_name(NetId net) const {
    if (net <= kNetOne) return net == kNetOne ? "1" : "0";
    auto found = std::upper_bound(scopes_.begin(), scopes_.end(), net,
                                  [](NetId n, const Scope& s) { return n < s.first; });
    while (found != scopes_.begin()) {
      const Scope& scope = *--found;
      if (net >= scope.first + scope.info->nets) break;
      for (std::size_t i = 0; i < scope.module->signals.size(); ++i) {
        const ModuleInfo::Range& r = scope.info->ranges[i];
        if (scope.module->signals[i].is_parameter || net < scope.first + r.offset ||
            net >= scope.first + r.offset + r.width)
          continue;
        std::string name(scope.module->signals[i].name);
        const auto k = static_cast<std::int64_t>(net - scope.first - r.offset);
        if (scope.module->signals[i].msb != kNothing)
          name += "[" + std::to_string(r.msb >= r.lsb ? r.lsb + k : r.lsb - k) + "]";
        const Scope* at = &scope;
        for (int depth = 0; !at->instance.empty() && depth < kMaxHierarchy; ++depth) {
          name = std::string(at->instance) + "." + name;
          at = &scopes_[at->parent];
        }
        return name;
      }
    }
    return Assembler::kUnnamed;
  }

  // --- constant expressions: ranges, indices, replication counts, parameters
  std::int64_t constant_value(const VerilogFile& file, const Module& module, std::uint32_t n,
                              int depth) const {
    const Node& node = file.nodes[n];
    const auto value = [&](std::uint32_t child) {
      return constant_value(file, module, child, depth + 1);
    };
    if (++constant_steps_ > kMaxConstantSteps || depth > 200)
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
          fail(209, file.path, node.line,
               in_quotes(module.signals[node.a].name) +
                   " is not constant; an index or range must be");
        return value(module.signals[node.a].value);
      case NodeKind::plus_sign:
        return value(node.a);
      case NodeKind::negate:
        return -value(node.a);
      case NodeKind::add:
        return check(value(node.a) + value(node.b));
      case NodeKind::subtract:
        return check(value(node.a) - value(node.b));
      case NodeKind::multiply:
        return check(static_cast<__int128>(value(node.a)) * value(node.b));
      case NodeKind::divide:
      case NodeKind::modulo: {
        const std::int64_t divisor = value(node.b);
        if (divisor == 0) fail(209, file.path, node.line, "division by zero");
        return node.kind == NodeKind::divide ? value(node.a) / divisor : value(node.a) % divisor;
      }
      case NodeKind::shift_left:
      case NodeKind::shift_right: {
        const std::int64_t by = value(node.b);
        if (by < 0 || by > 31) fail(209, file.path, node.line, "shift out of range");
        const std::int64_t left = value(node.a);
        return node.kind == NodeKind::shift_right ? left >> by
                                                  : check(static_cast<__int128>(left) << by);
      }
      default:
        fail(209, file.path, node.line, "a constant is expected here");
    }
  }
  std::int64_t constant_value(std::uint32_t scope, std::uint32_t n) const {
    return constant_value(*scopes_[scope].file, *scopes_[scope].module, n, 0);
  }

  // --- widths and signs
  struct Shape {
    std::uint32_t width = 0;
    bool is_signed = false;
  };

  std::vector<Shape>& shapes(const VerilogFile& file) {
    if (&file == &main_) {
      if (main_shapes_.empty()) main_shapes_.resize(file.nodes.size());
      return main_shapes_;
    }
    std::vector<Shape>& result = other_shapes_[&file];
    if (result.empty()) result.resize(file.nodes.size());
    return result;
  }

  Shape shape(std::uint32_t scope, std::uint32_t n) {
    std::vector<Shape>& memo = shapes(*scopes_[scope].file);
    if (memo[n].width == 0) {
      const Shape result = compute_shape(scope, n);
      if (result.width > kMaxVectorWidth)
        fail(210, scopes_[scope].file->path, scopes_[scope].file->nodes[n].line,
             "expression of more than " + std::to_string(kMaxVectorWidth) + " bits");
      memo[n] = result;
    }
    return memo[n];
  }

  Shape compute_shape(std::uint32_t scope, std::uint32_t n) {
    const VerilogFile& file = *scopes_[scope].file;
    const Node& node = file.nodes[n];
    const Module& module = *scopes_[scope].module;
    switch (node.kind) {
      case NodeKind::name: {
        const Signal& signal = module.signals[node.a];
        if (signal.is_parameter) return {std::max(32u, 1u), true};
        return {range(scope, node.a).width, signal.is_signed};
      }
      case NodeKind::bit:
        return {1, false};
      case NodeKind::part: {
        const std::int64_t width =
            std::abs(constant_value(scope, node.b) - constant_value(scope, node.c)) + 1;
        return {static_cast<std::uint32_t>(std::min<std::int64_t>(width, kMaxVectorWidth + 1)),
                false};
      }
      case NodeKind::part_up:
      case NodeKind::part_down: {
        const std::int64_t width = constant_value(scope, node.c);
        if (width < 1) fail(209, file.path, node.line, "part-select of no bits");
        return {static_cast<std::uint32_t>(std::min<std::int64_t>(width, kMaxVectorWidth + 1)),
                false};
      }
      case NodeKind::constant:
        return {file.constants[node.a].width, file.constants[node.a].is_signed};
      case NodeKind::concat: {
        std::uint64_t width = 0;
        for (std::uint32_t i = 0; i < node.b; ++i)
          width += shape(scope, file.lists[node.a + i]).width;
        return {static_cast<std::uint32_t>(std::min<std::uint64_t>(width, kMaxVectorWidth + 1)),
                false};
      }
      case NodeKind::replicate: {
        const std::int64_t count = constant_value(scope, node.a);
        if (count < 1)
          fail(209, file.path, node.line, "replication of " + std::to_string(count) + " times");
        const std::uint64_t width = static_cast<std::uint64_t>(count) * shape(scope, node.b).width;
        return {static_cast<std::uint32_t>(std::min<std::uint64_t>(width, kMaxVectorWidth + 1)),
                false};
      }
      case NodeKind::ternary:
        return wider(shape(scope, node.b), shape(scope, node.c));
      case NodeKind::bit_not:
      case NodeKind::negate:
      case NodeKind::plus_sign:
      case NodeKind::shift_left:
      case NodeKind::shift_right:
        return shape(scope, node.a);
      case NodeKind::bit_and:
      case NodeKind::bit_or:
      case NodeKind::bit_xor:
      case NodeKind::bit_xnor:
      case NodeKind::add:
      case NodeKind::subtract:
        return wider(shape(scope, node.a), shape(scope, node.b));
      case NodeKind::multiply:
      case NodeKind::divide:
      case NodeKind::modulo:
        fail(202, file.path, node.line,
             "* / % on nets is not structural; --synthesize lets yosys map it to gates");
      default:
        return {1, false};
    }
  }

  static Shape wider(Shape x, Shape y) {
    return {std::max(x.width, y.width), x.is_signed && y.is_signed};
  }

  // --- selects
  // Nets of a name or a constant select, least significant first, pushed onto stack_.
  void push_select(std::uint32_t scope, const Node& node) {
    const VerilogFile& file = *scopes_[scope].file;
    const Signal& signal = scopes_[scope].module->signals[node.a];
    if (signal.is_parameter)
      fail(202, file.path, node.line,
           "select of parameter " + in_quotes(signal.name) + " is not supported");
    const ModuleInfo::Range& r = range(scope, node.a);
    const NetId first = base(scope, node.a);
    spend(scope, node, r.width);
    if (node.kind == NodeKind::name) {
      for (std::uint32_t i = 0; i < r.width; ++i) stack_.push_back(first + i);
      return;
    }
    std::int64_t high = constant_value(scope, node.b), low = high;
    const bool up = r.msb >= r.lsb;
    if (node.kind == NodeKind::part) low = constant_value(scope, node.c);
    if (node.kind == NodeKind::part_up || node.kind == NodeKind::part_down) {
      const std::int64_t width = constant_value(scope, node.c);
      const std::int64_t other =
          node.kind == NodeKind::part_up ? high + width - 1 : high - width + 1;
      low = up ? std::min(high, other) : std::max(high, other);
      high = up ? std::max(high, other) : std::min(high, other);
    }
    if (signal.msb == kNothing)
      fail(209, file.path, node.line,
           "scalar " + in_quotes(signal.name) + " has no bits to select");
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
  void eval(std::uint32_t scope, std::uint32_t n, std::uint32_t width, bool is_signed) {
    const VerilogFile& file = *scopes_[scope].file;
    const Node& node = file.nodes[n];
    const std::size_t mark = stack_.size();
    spend(scope, node, width);
    switch (node.kind) {
      case NodeKind::name:
        if (scopes_[scope].module->signals[node.a].is_parameter) {
          const std::int64_t value = constant_value(scope, n);
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
        const std::int64_t count = constant_value(scope, node.a);
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
  void spend(std::uint32_t scope, const Node& node, std::uint64_t bits) {
    if ((work_ += bits + 1) > kMaxWork)
      fail(210, scopes_[scope].file->path, node.line,
           "the expressions of this design are too wide in total");
  }

  void check_sized(const VerilogFile& file, std::uint32_t n) const {
    const Node& node = file.nodes[n];
    if (node.kind == NodeKind::constant && !file.constants[node.a].is_sized)
      fail(209, file.path, node.line, "a constant in a concatenation needs a width, such as 1'b0");
  }

  void self_eval(std::uint32_t scope, std::uint32_t n) {
    const Shape s = shape(scope, n);
    eval(scope, n, s.width, s.is_signed);
  }

  // Cuts or extends what lies above mark to `width`.
  void fit(std::size_t mark, std::uint32_t width, bool is_signed) {
    const NetId top = stack_.size() > mark ? stack_.back() : kNetZero;
    stack_.resize(mark + width, is_signed ? top : kNetZero);
  }

  // The value above mark as one bit: is any bit set?
  NetId truth(std::uint32_t scope, std::uint32_t n, std::uint32_t line) {
    const std::size_t mark = stack_.size();
    self_eval(scope, n);
    const NetId net = reduce(Gate::or2, mark, false, line);
    stack_.resize(mark);
    return net;
  }

  NetId reduce(Gate gate, std::size_t mark, bool invert, std::uint32_t line) {
    const std::span<const NetId> bits(stack_.data() + mark, stack_.size() - mark);
    if (bits.size() == 1) return invert ? out_.gate(Gate::inv, bits, line) : bits[0];
    return out_.tree(gate, {bits.begin(), bits.end()}, invert, line);
  }

  void push_bit(NetId net, std::size_t mark, std::uint32_t width) {
    stack_.resize(mark);
    stack_.push_back(net);
    fit(mark, width, false);
  }

  void eval_operator(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                     bool is_signed) {
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
        if (node.kind == NodeKind::negate)
          stack_.resize(mark + width, kNetZero);
        else
          eval(scope, node.a, width, is_signed);
        eval(scope, node.kind == NodeKind::negate ? node.a : node.b, width, is_signed);
        for (std::uint32_t i = 0; i < width; ++i)
          stack_[mark + width + i] = out_.gate(Gate::inv, {stack_[mark + width + i]}, node.line);
        return add(mark, width, kNetOne, node.line);
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
        fail(202, file.path, node.line, "operator is not supported in a netlist");
    }
  }

  void eval_bitwise(std::uint32_t scope, const Node& node, Gate gate, std::size_t mark,
                    std::uint32_t width, bool is_signed) {
    eval(scope, node.a, width, is_signed);
    eval(scope, node.b, width, is_signed);
    for (std::uint32_t i = 0; i < width; ++i)
      stack_[mark + i] = out_.gate(gate, {stack_[mark + i], stack_[mark + width + i]}, node.line);
    stack_.resize(mark + width);
  }

  void eval_ternary(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                    bool is_signed) {
    const NetId select = truth(scope, node.a, node.line);
    eval(scope, node.b, width, is_signed);
    eval(scope, node.c, width, is_signed);
    for (std::uint32_t i = 0; i < width; ++i)
      stack_[mark + i] =
          out_.gate(Gate::mux2, {stack_[mark + width + i], stack_[mark + i], select}, node.line);
    stack_.resize(mark + width);
  }

  void eval_reduce(std::uint32_t scope, const Node& node, Gate gate, std::size_t mark,
                   std::uint32_t width) {
    const bool invert = node.kind == NodeKind::reduce_nand || node.kind == NodeKind::reduce_nor ||
                        node.kind == NodeKind::reduce_xnor;
    self_eval(scope, node.a);
    push_bit(reduce(gate, mark, invert, node.line), mark, width);
  }

  void eval_equal(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width) {
    const Shape s = wider(shape(scope, node.a), shape(scope, node.b));
    eval(scope, node.a, s.width, s.is_signed);
    eval(scope, node.b, s.width, s.is_signed);
    for (std::uint32_t i = 0; i < s.width; ++i)
      stack_[mark + i] =
          out_.gate(Gate::xor2, {stack_[mark + i], stack_[mark + s.width + i]}, node.line);
    stack_.resize(mark + s.width);
    push_bit(reduce(Gate::or2, mark, node.kind == NodeKind::equal, node.line), mark, width);
  }

  void eval_shift(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                  bool is_signed) {
    const std::int64_t by = constant_value(scope, node.b);
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

  // Ripple-carry sum of the two width-bit values above mark; the carry out of the top is dropped.
  void add(std::size_t mark, std::uint32_t width, NetId carry, std::uint32_t line) {
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
  void targets(std::uint32_t scope, std::uint32_t n) {
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

  // --- a module's contents
  void body(std::uint32_t scope, int depth) {
    const Module& module = *scopes_[scope].module;
    const VerilogFile& file = *scopes_[scope].file;
    if (depth > kMaxHierarchy)
      fail(210, file.path, module.line,
           "module " + in_quotes(module.name) + " is nested deeper than " +
               std::to_string(kMaxHierarchy) + " levels; does it instantiate itself?");
    for (const Assign& assign : module.assigns) {
      targets(scope, assign.target);
      connect_value(scope, 0, assign.value, assign.line);
    }
    for (const Primitive& primitive : module.primitives) gate(scope, primitive);
    for (const Instance& instance : module.instances) place(scope, instance, depth);
  }

  // Drives the nets above mark from an expression and pops them.
  void connect_value(std::uint32_t scope, std::size_t mark, std::uint32_t value,
                     std::uint32_t line) {
    const auto count = static_cast<std::uint32_t>(stack_.size() - mark);
    const Shape s = shape(scope, value);
    eval(scope, value, std::max(count, s.width), s.is_signed);
    for (std::uint32_t i = 0; i < count; ++i)
      out_.alias(stack_[mark + i], stack_[mark + count + i], line);
    stack_.resize(mark);
  }

  NetId single(std::uint32_t scope, std::uint32_t n, bool is_target) {
    const VerilogFile& file = *scopes_[scope].file;
    if (is_target)
      targets(scope, n);
    else
      self_eval(scope, n);
    if (stack_.size() != 1)
      fail(205, file.path, file.nodes[n].line,
           "a gate terminal has one bit, this has " + std::to_string(stack_.size()));
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  void gate(std::uint32_t scope, const Primitive& primitive) {
    const VerilogFile& file = *scopes_[scope].file;
    const std::uint32_t* terminals = file.lists.data() + primitive.first;
    if (primitive.gate == Gate::buf || primitive.gate == Gate::inv) {
      const NetId input = single(scope, terminals[primitive.count - 1], false);
      for (std::uint32_t i = 0; i + 1 < primitive.count; ++i) {
        const NetId target = single(scope, terminals[i], true);
        out_.cell(out_.type_index(primitive.gate), {&input, 1}, {&target, 1}, primitive.line);
      }
      return;
    }
    const NetId target = single(scope, terminals[0], true);
    std::vector<NetId> inputs;
    for (std::uint32_t i = 1; i < primitive.count; ++i)
      inputs.push_back(single(scope, terminals[i], false));
    const Gate gate = widened(primitive.gate, inputs.size());
    if (gate_type(gate).inputs == static_cast<int>(inputs.size())) {
      out_.cell(out_.type_index(gate), inputs, {&target, 1}, primitive.line);
      return;
    }
    const bool invert = primitive.gate == Gate::nand2 || primitive.gate == Gate::nor2 ||
                        primitive.gate == Gate::xnor2;
    const Gate plain = primitive.gate == Gate::nand2   ? Gate::and2
                       : primitive.gate == Gate::nor2  ? Gate::or2
                       : primitive.gate == Gate::xnor2 ? Gate::xor2
                                                       : primitive.gate;
    out_.alias(target, out_.tree(plain, std::move(inputs), invert, primitive.line), primitive.line);
  }

  static Gate widened(Gate gate, std::size_t inputs) {
    if (inputs == 3) {
      if (gate == Gate::and2) return Gate::and3;
      if (gate == Gate::or2) return Gate::or3;
      if (gate == Gate::nand2) return Gate::nand3;
      if (gate == Gate::nor2) return Gate::nor3;
      if (gate == Gate::xor2) return Gate::xor3;
    }
    if (inputs == 4) {
      if (gate == Gate::and2) return Gate::and4;
      if (gate == Gate::or2) return Gate::or4;
      if (gate == Gate::nand2) return Gate::nand4;
      if (gate == Gate::nor2) return Gate::nor4;
    }
    return gate;
  }

  // --- instances
  struct Found {
    const VerilogFile* file = nullptr;
    const Module* module = nullptr;
    const LibraryCell* cell = nullptr;
  };

  const Module* find_module(const VerilogFile& file, std::string_view name) {
    auto& index = indices_[&file];
    if (index.empty())
      for (const Module& module : file.modules) index.emplace(module.name, &module);
    const auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
  }

  Found find(const VerilogFile& here, std::string_view name) {
    // Instances of one cell come in runs: the last few answers are remembered.
    const auto known = found_.find({&here, name});
    if (known != found_.end()) return known->second;
    Found result = look_up(here, name);
    if (result.module != nullptr && result.cell == nullptr)
      result.cell = recognise(*result.file, *result.module);
    found_.emplace(std::pair{&here, name}, result);
    return result;
  }

  Found look_up(const VerilogFile& here, std::string_view name) {
    if (const Module* module = find_module(here, name)) return {&here, module, nullptr};
    if (&here != &main_)
      if (const Module* module = find_module(main_, name)) return {&main_, module, nullptr};
    if (options_.library) {
      const CellLibrary::Impl& library = options_.library->impl();
      for (const auto& file : library.verilog)
        if (const Module* module = find_module(*file, name)) return {file.get(), module, nullptr};
      if (const LibraryCell* cell = library.find(name)) return {nullptr, nullptr, cell};
    }
    if (const LibraryCell* cell = builtin_cell(name)) return {nullptr, nullptr, cell};
    return {};
  }

  // A module that defines a cell of a known name with the known function is that cell, so that a
  // circuit costs the same whether its file defines FAX1 or not.
  const LibraryCell* recognise(const VerilogFile& file, const Module& module) {
    const LibraryCell* cell = builtin_cell(module.name);
    if (cell == nullptr || module.udp || !module.unsupported.empty() ||
        module.ports.size() != cell->positional.size() || module.instances.size() > 16)
      return nullptr;
    try {
      NetlistOptions plain;
      plain.max_cells = 10000;
      plain.library = options_.library;
      const Netlist netlist = Elaborator(file, plain).run(module);
      std::vector<NetId> inputs, outputs;
      for (const std::string& pin : cell->positional) {
        const Port* port = netlist.find_port(pin);
        const bool is_output =
            std::find(cell->outputs.begin(), cell->outputs.end(), pin) != cell->outputs.end();
        if (port == nullptr || port->nets.size() != 1 || port->is_output != is_output)
          return nullptr;
        (is_output ? outputs : inputs).push_back(port->nets[0]);
      }
      const TruthPlanes planes = simulate_planes(netlist, inputs, outputs);
      for (std::size_t k = 0; k < outputs.size(); ++k)
        for (std::size_t i = 0; i < std::size_t{1} << inputs.size(); ++i)
          if (planes(k, i) != ((cell->type.functions[k] >> i & 1) != 0)) return nullptr;
      return cell;
    } catch (const InputError&) {
      return nullptr;  // flattening it will say what is wrong
    }
  }

  void place(std::uint32_t scope, const Instance& instance, int depth) {
    const VerilogFile& file = *scopes_[scope].file;
    const Found found = find(file, instance.cell);
    if (found.cell == nullptr && found.module == nullptr)
      fail(203, file.path, instance.line,
           "unknown cell " + in_quotes(instance.cell) +
               "; give its function with --liberty FILE.lib or --cells FILE.v");
    if (instance.has_parameters && found.module != nullptr && !found.module->udp)
      fail(202, file.path, instance.line,
           "parameters on instance " + in_quotes(instance.name) + " are not supported");
    if (found.cell != nullptr) return place_cell(scope, instance, *found.cell);
    if (found.module->udp) return place_udp(scope, instance, *found.file, *found.module);
    place_module(scope, instance, found, depth);
  }

  [[noreturn]] void bad_port(std::uint32_t scope, const Instance& instance,
                             const std::string& text) {
    fail(205, scopes_[scope].file->path, instance.line,
         "instance " + in_quotes(instance.name) + " of " + in_quotes(instance.cell) + ": " + text);
  }

  // Which of `ports` each connection belongs to: result[port] is the expression or kNothing.
  template <class NameOf>
  void match(std::uint32_t scope, const Instance& instance, std::size_t ports, NameOf&& name_of) {
    const Connection* list = scopes_[scope].file->connections.data() + instance.first;
    matched_.assign(ports, kNothing);
    if (!instance.by_name) {
      if (instance.count > ports)
        bad_port(
            scope, instance,
            std::to_string(instance.count) + " connections to " + std::to_string(ports) + " ports");
      for (std::uint32_t i = 0; i < instance.count; ++i) matched_[i] = list[i].value;
      return;
    }
    connected_.assign(ports, 0);
    for (std::uint32_t i = 0; i < instance.count; ++i) {
      std::size_t port = 0;
      while (port < ports && name_of(port) != list[i].port) ++port;
      if (port == ports) bad_port(scope, instance, "there is no port " + in_quotes(list[i].port));
      if (connected_[port] != 0)
        bad_port(scope, instance, "port " + in_quotes(list[i].port) + " is connected twice");
      connected_[port] = 1;
      matched_[port] = list[i].value;
    }
  }

  void place_cell(std::uint32_t scope, const Instance& instance, const LibraryCell& cell) {
    if (!cell.unusable.empty())
      fail(cell.unusable_id, scopes_[scope].file->path, instance.line,
           "cell " + in_quotes(instance.cell) + " " + cell.unusable);
    match(scope, instance, cell.positional.size(),
          [&](std::size_t i) { return std::string_view(cell.positional[i]); });
    std::array<NetId, kMaxCellInputs> inputs{};
    std::array<NetId, 8> few{};
    std::vector<NetId> many;
    if (cell.outputs.size() > few.size()) many.resize(cell.outputs.size());
    const std::span<NetId> outputs =
        many.empty() ? std::span<NetId>(few.data(), cell.outputs.size()) : std::span<NetId>(many);
    for (std::size_t p = 0; p < cell.positional.size(); ++p) {
      const std::string& pin = cell.positional[p];
      const std::uint32_t value = matched_[p];
      const auto input = std::find(cell.inputs.begin(), cell.inputs.end(), pin);
      if (input != cell.inputs.end()) {
        NetId& net = inputs[static_cast<std::size_t>(input - cell.inputs.begin())];
        net = value == kNothing ? out_.new_nets(1, instance.line)
                                : pin_value(scope, instance, value, pin);
      } else {
        const auto output = std::find(cell.outputs.begin(), cell.outputs.end(), pin);
        outputs[static_cast<std::size_t>(output - cell.outputs.begin())] =
            value == kNothing ? Assembler::kNoNet : pin_target(scope, instance, value, pin);
      }
    }
    out_.cell(out_.type_index(cell.type), {inputs.data(), cell.inputs.size()}, outputs,
              instance.line);
  }

  NetId pin_value(std::uint32_t scope, const Instance& instance, std::uint32_t value,
                  std::string_view pin) {
    stack_.clear();
    const Shape s = shape(scope, value);
    const VerilogFile& file = *scopes_[scope].file;
    const bool unsized = file.nodes[value].kind == NodeKind::constant &&
                         !file.constants[file.nodes[value].a].is_sized;
    if (s.width != 1 && !unsized)
      bad_port(scope, instance,
               "pin " + in_quotes(pin) + " has one bit, its connection " + std::to_string(s.width));
    eval(scope, value, s.width, s.is_signed);
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  NetId pin_target(std::uint32_t scope, const Instance& instance, std::uint32_t value,
                   std::string_view pin) {
    stack_.clear();
    targets(scope, value);
    if (stack_.size() != 1)
      bad_port(scope, instance,
               "pin " + in_quotes(pin) + " has one bit, its connection " +
                   std::to_string(stack_.size()));
    const NetId net = stack_[0];
    stack_.clear();
    return net;
  }

  void place_udp(std::uint32_t scope, const Instance& instance, const VerilogFile& file,
                 const Module& udp) {
    if (!udp.unsupported.empty())
      fail(udp.unsupported_id, scopes_[scope].file->path, instance.line,
           "primitive " + in_quotes(udp.name) + " (" + file.path + ":" + std::to_string(udp.line) +
               ") is " + udp.unsupported);
    match(scope, instance, udp.ports.size(),
          [&](std::size_t i) { return udp.signals[udp.ports[i]].name; });
    if (matched_[0] == kNothing) return;
    CellType& type = udp_types_[&udp];
    if (type.name.empty()) {
      type.name = std::string(udp.name);
      type.inputs = udp.udp->inputs;
      type.functions = {udp.udp->table};
    }
    const std::vector<std::uint32_t> values = matched_;
    const NetId target = pin_target(scope, instance, values[0], udp.signals[udp.ports[0]].name);
    std::vector<NetId> inputs;
    for (std::size_t i = 1; i < values.size(); ++i)
      inputs.push_back(values[i] == kNothing
                           ? out_.new_nets(1, instance.line)
                           : pin_value(scope, instance, values[i], udp.signals[udp.ports[i]].name));
    out_.cell(out_.type_index(type), inputs, {&target, 1}, instance.line);
  }

  void place_module(std::uint32_t scope, const Instance& instance, const Found& found, int depth) {
    const Module& module = *found.module;
    match(scope, instance, module.ports.size(),
          [&](std::size_t i) { return module.signals[module.ports[i]].name; });
    const std::vector<std::uint32_t> values = matched_;
    const std::uint32_t inner = open_scope(*found.file, module, scope,
                                           instance.name.empty() ? instance.cell : instance.name);
    for (std::size_t p = 0; p < module.ports.size(); ++p) {
      const Signal& signal = module.signals[module.ports[p]];
      check_direction(*found.file, module, signal);
      if (values[p] == kNothing) continue;
      const NetId first = base(inner, module.ports[p]);
      const std::uint32_t width = range(inner, module.ports[p]).width;
      stack_.clear();
      if (signal.is_input) {
        // Self-determined, then cut or extended to the port's width, as Icarus Verilog does.
        const Shape s = shape(scope, values[p]);
        eval(scope, values[p], s.width, s.is_signed);
        fit(0, width, s.is_signed);
        for (std::uint32_t i = 0; i < width; ++i) out_.alias(first + i, stack_[i], instance.line);
      } else {
        targets(scope, values[p]);
        const std::size_t count = std::min<std::size_t>(stack_.size(), width);
        for (std::size_t i = 0; i < count; ++i)
          out_.alias(stack_[i], first + static_cast<NetId>(i), instance.line);
      }
      stack_.clear();
    }
    body(inner, depth + 1);
  }

  struct HashPair {
    std::size_t operator()(const std::pair<const VerilogFile*, std::string_view>& key) const {
      return std::hash<std::string_view>()(key.second) ^ std::hash<const void*>()(key.first);
    }
  };

  const VerilogFile& main_;
  const NetlistOptions& options_;
  Assembler out_;
  std::vector<Scope> scopes_;
  std::unordered_map<const Module*, ModuleInfo> infos_;
  std::vector<Shape> main_shapes_;
  std::unordered_map<const VerilogFile*, std::vector<Shape>> other_shapes_;
  std::unordered_map<const VerilogFile*, std::unordered_map<std::string_view, const Module*>>
      indices_;
  std::unordered_map<std::pair<const VerilogFile*, std::string_view>, Found, HashPair> found_;
  std::map<const Module*, CellType> udp_types_;
  std::uint64_t work_ = 0;
  mutable std::uint64_t constant_steps_ = 0;
  std::vector<NetId> stack_;
  std::vector<std::uint32_t> matched_;
  std::vector<char> connected_;
};

// --- the top module

const Module* module_named(const VerilogFile& file, std::string_view name) {
  for (const Module& module : file.modules)
    if (module.name == name && !module.udp) return &module;
  return nullptr;
}

std::string list_names(const std::vector<const Module*>& modules) {
  std::string text;
  for (std::size_t i = 0; i < modules.size() && i < 10; ++i)
    text += (i == 0 ? "" : ", ") + std::string(modules[i]->name);
  return modules.size() > 10 ? text + ", …" : text;
}

const Module& find_top(const VerilogFile& file, const NetlistOptions& options) {
  std::vector<const Module*> all;
  for (const Module& module : file.modules)
    if (!module.udp) all.push_back(&module);
  if (!options.top.empty()) {
    if (const Module* module = module_named(file, options.top)) return *module;
    fail(
        204, file.path, 0,
        "there is no module " + in_quotes(options.top) + " (--top); there are: " + list_names(all));
  }
  if (all.empty()) fail(204, file.path, 0, "there is no module in this file");
  std::string stem = std::filesystem::path(file.path).stem().string();
  if (const Module* module = module_named(file, stem)) return *module;
  for (const std::string_view suffix : {"_pdk45", "_gen"})
    if (stem.ends_with(suffix))
      if (const Module* module = module_named(file, stem.substr(0, stem.size() - suffix.size())))
        return *module;
  std::unordered_set<std::string_view> used;
  for (const Module& module : file.modules)
    for (const Instance& instance : module.instances) used.insert(instance.cell);
  std::vector<const Module*> roots;
  for (const Module* module : all)
    if (!used.contains(module->name)) roots.push_back(module);
  if (roots.size() > 1) {
    // Definitions of known cells that happen to be unused are no candidates.
    std::vector<const Module*> circuits;
    for (const Module* module : roots)
      if (builtin_cell(module->name) == nullptr) circuits.push_back(module);
    if (circuits.size() == 1) return *circuits[0];
  }
  if (roots.size() == 1) return *roots[0];
  if (roots.empty())
    fail(204, file.path, all[0]->line,
         "every module is instantiated by another; choose one with --top");
  fail(204, file.path, roots[1]->line,
       "which module is the circuit? candidates: " + list_names(roots) + "; choose one with --top");
}

}  // namespace

Netlist elaborate_verilog(const VerilogFile& file, const NetlistOptions& options) {
  return Elaborator(file, options).run(find_top(file, options));
}

}  // namespace axmul::detail

namespace axmul {

Netlist read_verilog_text(std::string_view text, const std::string& path,
                          const NetlistOptions& options) {
  return detail::elaborate_verilog(*detail::parse_verilog(std::string(text), path), options);
}

Netlist read_verilog(const std::string& path, const NetlistOptions& options) {
  return detail::elaborate_verilog(
      *detail::parse_verilog(detail::read_source(path, options.max_file_bytes), path), options);
}

void CellLibrary::add_verilog(const std::string& path) {
  impl_->verilog.push_back(
      detail::parse_verilog(detail::read_source(path, std::size_t{64} << 20), path));
}

}  // namespace axmul
