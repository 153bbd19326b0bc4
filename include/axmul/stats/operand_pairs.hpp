// Operand pairs as a multiplier sees them one after another: what its switching energy depends on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace axmul {

/// Pairs of operands and what follows each of them, all as two's-complement bytes (magnitudes where
/// a circuit serves signed operands by sign and magnitude). Pair i is (a[i], b[i]); the pair after
/// it is (next_a[i], next_b[i]). Empty next_a and next_b: what follows is independent of it.
struct OperandPairs {
  std::vector<std::uint8_t> a, b;
  std::vector<std::uint8_t> next_a, next_b;

  std::size_t size() const { return a.size(); }
  bool are_ordered() const { return !next_a.empty(); }
};

}  // namespace axmul
