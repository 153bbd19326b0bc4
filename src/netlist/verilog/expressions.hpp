// Expressions as gates: every operator bit a gate, least significant bits first.
#pragma once

#include <cstdint>
#include <vector>

#include "netlist/assembler.hpp"
#include "netlist/fpga.hpp"
#include "netlist/verilog/scopes.hpp"
#include "netlist/verilog/shapes.hpp"

namespace axmul::detail {

/// Works on a stack of nets: what is evaluated is pushed, least significant bit first, and stays
/// until the caller takes it.
class VerilogExpressions {
 public:
  VerilogExpressions(const VerilogFile& main, VerilogScopes& scopes, Assembler& out)
      : scopes_(scopes), shapes_(main, scopes), out_(out) {}

  std::vector<NetId>& stack() { return stack_; }
  Shape shape(std::uint32_t scope, std::uint32_t n) { return shapes_.of(scope, n); }

  /// Pushes expression n as `width` nets, its operands extended by the sign given. Throws AX202,
  /// AX209, AX210.
  void eval(std::uint32_t scope, std::uint32_t n, std::uint32_t width, bool is_signed);
  /// As eval(), but only the lower `wanted` of the bits pushed will be used.
  void eval_lower(std::uint32_t scope, std::uint32_t n, std::uint32_t width, bool is_signed,
                  std::uint32_t wanted) {
    const VerilogFile& file = *scopes_[scope].file;
    if (file.nodes[n].kind == NodeKind::shift_right &&
        file.nodes[file.nodes[n].a].kind == NodeKind::constant)
      wanted_ = wanted;
    eval(scope, n, width, is_signed);
    wanted_ = kMaxVectorWidth;
  }
  /// The same in its own width and sign.
  void self_eval(std::uint32_t scope, std::uint32_t n);
  /// Pushes the nets of an assignment target. Throws AX201 (no target), AX202, AX209, AX210.
  void targets(std::uint32_t scope, std::uint32_t n);
  /// Cuts or extends what lies above mark to `width`.
  void fit(std::size_t mark, std::uint32_t width, bool is_signed) {
    const NetId top = stack_.size() > mark ? stack_.back() : kNetZero;
    stack_.resize(mark + width, is_signed ? top : kNetZero);
  }

 private:
  void push_select(std::uint32_t scope, const Node& node);
  void spend(std::uint32_t scope, const Node& node, std::uint64_t bits);
  void check_sized(const VerilogFile& file, std::uint32_t n) const;
  NetId truth(std::uint32_t scope, std::uint32_t n, std::uint32_t line);
  NetId reduce(Gate gate, std::size_t mark, bool invert, std::uint32_t line);
  void push_bit(NetId net, std::size_t mark, std::uint32_t width);
  void eval_operator(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                     bool is_signed);
  void eval_bitwise(std::uint32_t scope, const Node& node, Gate gate, std::size_t mark,
                    std::uint32_t width, bool is_signed);
  void eval_ternary(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                    bool is_signed);
  void eval_subtract(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                     bool is_signed);
  void eval_reduce(std::uint32_t scope, const Node& node, Gate gate, std::size_t mark,
                   std::uint32_t width);
  void eval_equal(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width);
  void eval_shift(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width,
                  bool is_signed);
  bool looked_up(std::uint32_t scope, const Node& node, std::size_t mark, std::uint32_t width);
  void add(std::size_t mark, std::uint32_t width, NetId carry, std::uint32_t line);

  VerilogScopes& scopes_;
  VerilogShapes shapes_;
  Assembler& out_;
  std::vector<NetId> stack_;
  FpgaCells luts_;
  std::uint32_t wanted_ = kMaxVectorWidth;  // of the bits of a value, the lower ones that are used
  std::uint64_t work_ = 0;
};

}  // namespace axmul::detail
