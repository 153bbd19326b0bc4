// Factors by elimination: a triangular basis of the lattice of rows (a Hermite normal form), made
// short by subtracting basis vectors from one another.
#include "kernels/integer_factors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace axmul::detail {

namespace {

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 31) - 1;
constexpr std::int64_t kTooLarge = std::int64_t{1} << 40;

std::uint64_t power(std::uint64_t x, std::uint64_t exponent) {
  std::uint64_t out = 1;
  for (; exponent > 0; exponent /= 2, x = x * x % kPrime)
    if (exponent % 2 != 0) out = out * x % kPrime;
  return out;
}

/// Columns in which the rows are independent modulo a prime, so over the rationals; one more than
/// most_rank at most.
std::vector<std::size_t> pivot_columns(std::span<const std::int64_t> table, std::size_t most_rank) {
  std::vector<std::uint64_t> rows(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int64_t rest = table[i] % static_cast<std::int64_t>(kPrime);
    rows[i] =
        static_cast<std::uint64_t>(rest < 0 ? rest + static_cast<std::int64_t>(kPrime) : rest);
  }
  std::vector<std::size_t> columns;
  while (columns.size() <= most_rank) {
    const auto found = std::find_if(rows.begin(), rows.end(), [](auto x) { return x != 0; });
    if (found == rows.end()) return columns;
    const auto at = static_cast<std::size_t>(found - rows.begin());
    const std::size_t column = at % 256;
    columns.push_back(column);
    std::array<std::uint64_t, 256> pivot;
    const std::uint64_t inverse = power(*found, kPrime - 2);
    for (std::size_t b = 0; b < 256; ++b) pivot[b] = rows[at / 256 * 256 + b] * inverse % kPrime;
    for (std::size_t a = at / 256; a < 256; ++a) {
      std::uint64_t* row = rows.data() + a * 256;
      const std::uint64_t minus = row[column] == 0 ? 0 : kPrime - row[column];
      if (minus == 0) continue;
      for (std::size_t b = 0; b < 256; ++b) row[b] = (row[b] + minus * pivot[b]) % kPrime;
    }
  }
  return columns;
}

void subtract(Row256& from, const Row256& what, std::int64_t times) {
  for (std::size_t b = 0; b < 256; ++b) from[b] -= times * what[b];
}

bool too_large(const Row256& row) {
  return std::any_of(row.begin(), row.end(),
                     [](std::int64_t x) { return x >= kTooLarge || x <= -kTooLarge; });
}

/// A basis of the lattice that grows row by row; vector i is 0 in the pivots before its own.
class Lattice {
 public:
  explicit Lattice(const std::vector<std::size_t>& pivots)
      : pivots_(pivots), basis_(pivots.size()), filled_(pivots.size(), false) {}

  /// False where numbers have grown too large.
  bool insert(Row256 row) {
    for (std::size_t i = 0; i < pivots_.size(); ++i) {
      const std::size_t p = pivots_[i];
      if (row[p] == 0) continue;
      if (!filled_[i]) {
        basis_[i] = row;
        filled_[i] = true;
        return true;
      }
      while (row[p] != 0) {
        subtract(basis_[i], row, basis_[i][p] / row[p]);
        std::swap(basis_[i], row);
      }
      tidy();
      for (std::size_t j = i + 1; j < pivots_.size(); ++j) reduce(row, j);
      if (too_large(basis_[i]) || too_large(row)) return false;
    }
    return true;
  }
  const std::vector<Row256>& basis() const { return basis_; }
  bool complete() const {
    return std::find(filled_.begin(), filled_.end(), false) == filled_.end();
  }

 private:
  void reduce(Row256& row, std::size_t j) const {
    if (!filled_[j]) return;
    const std::int64_t q = row[pivots_[j]] / basis_[j][pivots_[j]];
    if (q != 0) subtract(row, basis_[j], q);
  }
  void tidy() {
    for (std::size_t i = pivots_.size(); i-- > 0;)
      for (std::size_t j = i + 1; j < pivots_.size() && filled_[i]; ++j) reduce(basis_[i], j);
  }

  std::vector<std::size_t> pivots_;
  std::vector<Row256> basis_;
  std::vector<bool> filled_;
};

double dot(const Row256& x, const Row256& y) {
  double sum = 0;
  for (std::size_t b = 0; b < 256; ++b)
    sum += static_cast<double>(x[b]) * static_cast<double>(y[b]);
  return sum;
}

/// Subtracts multiples of basis vectors from one another while that makes them shorter.
void shorten(std::vector<Row256>& basis) {
  bool shorter = basis.size() > 1;
  for (int round = 0; shorter && round < 1000; ++round) {
    shorter = false;
    for (std::size_t i = 0; i < basis.size(); ++i)
      for (std::size_t j = 0; j < basis.size(); ++j) {
        if (i == j) continue;
        const double length = dot(basis[j], basis[j]);
        const double times = std::nearbyint(dot(basis[i], basis[j]) / length);
        if (times == 0 || std::abs(times) > 1e12) continue;
        const double before = dot(basis[i], basis[i]);
        Row256 fresh = basis[i];
        subtract(fresh, basis[j], static_cast<std::int64_t>(times));
        if (dot(fresh, fresh) >= before) continue;
        basis[i] = fresh;
        shorter = true;
      }
  }
}

/// Coefficients of a row in the basis by Gaussian elimination over the pivot columns, rounded.
std::vector<std::int64_t> coefficients(const std::vector<Row256>& basis,
                                       const std::vector<std::size_t>& pivots,
                                       const std::int64_t* row) {
  const std::size_t rank = pivots.size();
  std::vector<std::vector<long double>> m(rank, std::vector<long double>(rank + 1));
  for (std::size_t i = 0; i < rank; ++i) {
    for (std::size_t j = 0; j < rank; ++j) m[i][j] = static_cast<long double>(basis[j][pivots[i]]);
    m[i][rank] = static_cast<long double>(row[pivots[i]]);
  }
  for (std::size_t i = 0; i < rank; ++i) {
    std::size_t best = i;
    for (std::size_t j = i; j < rank; ++j)
      if (std::abs(m[j][i]) > std::abs(m[best][i])) best = j;
    std::swap(m[i], m[best]);
    if (m[i][i] == 0) return std::vector<std::int64_t>(rank, 0);  // the comparison will fail
    for (std::size_t j = 0; j < rank; ++j) {
      if (j == i) continue;
      const long double times = m[j][i] / m[i][i];
      for (std::size_t c = i; c <= rank; ++c) m[j][c] -= times * m[i][c];
    }
  }
  std::vector<std::int64_t> out(rank);
  for (std::size_t i = 0; i < rank; ++i)
    out[i] = static_cast<std::int64_t>(std::llroundl(m[i][rank] / m[i][i]));
  return out;
}

}  // namespace

std::optional<IntegerFactors> integer_factors(std::span<const std::int64_t> table,
                                              std::size_t most_rank) {
  const std::vector<std::size_t> pivots = pivot_columns(table, most_rank);
  if (pivots.size() > most_rank) return std::nullopt;
  Lattice lattice(pivots);
  for (std::size_t a = 0; a < 256; ++a) {
    Row256 row;
    std::copy_n(table.data() + a * 256, 256, row.begin());
    if (!lattice.insert(row)) return std::nullopt;
  }
  if (!lattice.complete()) return std::nullopt;
  IntegerFactors factors;
  factors.v = lattice.basis();
  shorten(factors.v);
  factors.u.resize(pivots.size());
  for (std::size_t a = 0; a < 256; ++a) {
    const auto c = coefficients(factors.v, pivots, table.data() + a * 256);
    for (std::size_t i = 0; i < pivots.size(); ++i) factors.u[i][a] = c[i];
  }
  return factors;
}

}  // namespace axmul::detail
