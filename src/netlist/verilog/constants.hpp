// Constant expressions: ranges, indices, replication counts, parameters.
#pragma once

#include <cstdint>

#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

/// Values of constant expressions; bounds the work of all that it is asked for together.
class VerilogConstants {
 public:
  /// The value of expression n of a module of the file. Throws AX209 (not constant, beyond 31 bits,
  /// division by zero), AX210 (too long).
  std::int64_t value(const VerilogFile& file, const Module& module, std::uint32_t n) {
    return value(file, module, n, 0);
  }

 private:
  std::int64_t value(const VerilogFile& file, const Module& module, std::uint32_t n, int depth);

  std::uint64_t steps_ = 0;
};

}  // namespace axmul::detail
