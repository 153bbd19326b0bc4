// Gaussian elimination modulo p with Montgomery products; exact integers, so any clone agrees.
#include "stats/rank_simd.hpp"

#include <utility>

#if defined(__x86_64__)
#define AXMUL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail::stats {
namespace {

std::uint32_t power(std::uint32_t x, std::uint32_t exponent, std::uint32_t p) {
  std::uint64_t result = 1, square = x;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * square % p;
    square = square * square % p;
  }
  return static_cast<std::uint32_t>(result);
}

/// −1/p modulo 2^32 by Newton's iteration.
std::uint32_t negative_inverse(std::uint32_t p) {
  std::uint32_t x = p;  // right to 3 bits
  for (int i = 0; i < 4; ++i) x *= 2 - p * x;
  return ~x + 1;
}

}  // namespace

// target -= factor·source, with factor given as factor·2^32 mod p: one Montgomery product each.
AXMUL_CLONES
void subtract_multiple(std::uint32_t* target, const std::uint32_t* source, std::size_t n,
                       std::uint32_t factor, std::uint32_t p, std::uint32_t inverse) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::uint64_t t = std::uint64_t{factor} * source[j];
    const std::uint32_t q = static_cast<std::uint32_t>(t) * inverse;
    std::uint32_t u = static_cast<std::uint32_t>((t + std::uint64_t{q} * p) >> 32);  // < 2p
    u = u < u - p ? u : u - p;
    const std::uint32_t d = target[j] - u;
    target[j] = d < d + p ? d : d + p;
  }
}

AXMUL_CLONES
void reduce_modulo(const std::int32_t* from, std::size_t n, std::uint32_t p, std::uint32_t* to) {
  // |from| < 2^25 < p for every prime used here; a general remainder keeps the contract.
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t r = from[i] % static_cast<std::int32_t>(p);
    to[i] = r < 0 ? static_cast<std::uint32_t>(r) + p : static_cast<std::uint32_t>(r);
  }
}

std::size_t modular_rank(std::uint32_t* matrix, std::size_t rows, std::size_t cols,
                         std::uint32_t p) {
  const std::uint32_t inverse = negative_inverse(p);
  std::size_t rank = 0;
  for (std::size_t col = 0; col < cols && rank < rows; ++col) {
    std::size_t pivot = rank;
    while (pivot < rows && matrix[pivot * cols + col] == 0) ++pivot;
    if (pivot == rows) continue;
    std::uint32_t* top = matrix + rank * cols;
    if (pivot != rank)
      for (std::size_t j = col; j < cols; ++j) std::swap(top[j], matrix[pivot * cols + j]);
    const std::uint64_t reciprocal = power(top[col], p - 2, p);
    for (std::size_t i = rank + 1; i < rows; ++i) {
      std::uint32_t* row = matrix + i * cols;
      if (row[col] == 0) continue;
      const std::uint64_t factor = row[col] * reciprocal % p;
      subtract_multiple(row + col, top + col, cols - col,
                        static_cast<std::uint32_t>((factor << 32) % p), p, inverse);
    }
    ++rank;
  }
  return rank;
}

}  // namespace axmul::detail::stats
