// Exact rational rank: ranks modulo primes, and as many primes as Hadamard's bound asks for.
//
// rank mod p never exceeds the rational rank, so the largest r seen is a lower bound. If the
// rational rank were larger, some (r+1)-minor would be a non-zero integer that every prime used
// divides, hence so would their product; once the product exceeds Hadamard's bound on all
// (r+1)-minors that is impossible, and r is the rank. No step is probabilistic.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "axmul/stats/metrics.hpp"
#include "stats/rank_simd.hpp"

namespace axmul {
namespace {

using Rows = std::vector<std::vector<std::int32_t>>;

/// Divides rows by their content, gives them a positive leading entry, drops zero and repeated
/// ones: the rank stays, the minors (and with them the number of primes) shrink.
Rows primitive_rows(Rows rows) {
  for (auto& row : rows) {
    std::int32_t content = 0, leading = 0;
    for (std::int32_t x : row) {
      content = std::gcd(content, x);
      if (leading == 0) leading = x;
    }
    if (content == 0) {
      row.clear();
      continue;
    }
    if (leading < 0) content = -content;
    for (std::int32_t& x : row) x /= content;
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  if (!rows.empty() && rows.front().empty()) rows.erase(rows.begin());
  return rows;
}

Rows transposed(const Rows& rows) {
  if (rows.empty()) return {};
  Rows out(rows[0].size(), std::vector<std::int32_t>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) out[j][i] = rows[i][j];
  return out;
}

/// bits[k] ≥ log2 of every k-minor's magnitude: the k largest row norms (Hadamard), rounded up.
std::vector<double> minor_bits(const Rows& rows) {
  std::vector<double> norm;
  for (const auto& row : rows) {
    double square = 0;
    for (std::int32_t x : row) square += static_cast<double>(x) * x;
    norm.push_back(0.5 * std::log2(square) + 1e-9);
  }
  std::sort(norm.begin(), norm.end(), std::greater<>());
  std::vector<double> bits(norm.size() + 1, 0);
  for (std::size_t k = 0; k < norm.size(); ++k) bits[k + 1] = bits[k] + norm[k];
  return bits;
}

/// Miller-Rabin with bases 2, 3, 5, 7 decides every n below 3.2e9 (Pomerance, Selfridge, Wagstaff
/// 1980).
bool is_prime(std::uint32_t n) {
  for (std::uint32_t d : {2u, 3u, 5u, 7u, 11u, 13u, 17u, 19u, 23u, 29u, 31u, 37u})
    if (n % d == 0) return n == d;
  const int twos = __builtin_ctz(n - 1);
  for (std::uint64_t base : {2u, 3u, 5u, 7u}) {
    std::uint64_t x = 1, square = base;
    for (std::uint32_t e = (n - 1) >> twos; e != 0; e >>= 1) {
      if ((e & 1) != 0) x = x * square % n;
      square = square * square % n;
    }
    if (x == 1 || x == n - 1) continue;
    int i = 1;
    for (; i < twos && x != n - 1; ++i) x = x * x % n;
    if (x != n - 1) return false;
  }
  return true;
}

}  // namespace

int exact_rank(std::span<const std::int32_t, kLutSize> table) {
  Rows rows(kOperandCount);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = table.subspan(i * kOperandCount, kOperandCount);
    rows[i].assign(row.begin(), row.end());
  }
  rows = primitive_rows(transposed(primitive_rows(std::move(rows))));
  if (rows.empty()) return 0;
  const Rows columns = transposed(rows);
  const std::vector<double> row_bits = minor_bits(rows), column_bits = minor_bits(columns);

  const std::size_t height = rows.size(), width = rows[0].size(), full = std::min(height, width);
  std::vector<std::uint32_t> residues(height * width);
  std::size_t rank = 0;
  double bits = 0;  // below log2 of the product of the primes used
  for (std::uint32_t p = (1u << 31) - 1; rank < full; p -= 2) {
    if (!is_prime(p)) continue;
    for (std::size_t i = 0; i < height; ++i)
      detail::stats::reduce_modulo(rows[i].data(), width, p, residues.data() + i * width);
    rank = std::max(rank, detail::stats::modular_rank(residues.data(), height, width, p));
    bits += std::log2(p) - 1e-9;
    if (rank < full && bits > std::min(row_bits[rank + 1], column_bits[rank + 1]) + 1) break;
  }
  return static_cast<int>(rank);
}

}  // namespace axmul
