// Self-determined widths and signs of expressions (IEEE 1364-2001, 4.4 and 4.5).
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "netlist/verilog/scopes.hpp"

namespace axmul::detail {

struct Shape {
  std::uint32_t width = 0;
  bool is_signed = false;
};

inline Shape wider(Shape x, Shape y) {
  return {std::max(x.width, y.width), x.is_signed && y.is_signed};
}

/// Shapes of expressions, each computed once.
class VerilogShapes {
 public:
  VerilogShapes(const VerilogFile& main, VerilogScopes& scopes)
      : main_(main), scopes_(scopes), main_shapes_(main.nodes.size()) {}

  /// The shape of expression n in a scope. Throws AX202 (* / % on nets), AX209, AX210 (too wide).
  Shape of(std::uint32_t scope, std::uint32_t n) {
    const VerilogFile& file = *scopes_[scope].file;
    Shape& known = (&file == &main_ ? main_shapes_ : shapes_of(file))[n];
    if (known.width == 0) known = checked(scope, n);
    return known;
  }

 private:
  std::vector<Shape>& shapes_of(const VerilogFile& other);
  Shape checked(std::uint32_t scope, std::uint32_t n);
  Shape compute(std::uint32_t scope, std::uint32_t n);
  Shape select(std::uint32_t scope, const Node& node);

  const VerilogFile& main_;
  VerilogScopes& scopes_;
  std::vector<Shape> main_shapes_;
  std::unordered_map<const VerilogFile*, std::vector<Shape>> other_shapes_;
};

}  // namespace axmul::detail
