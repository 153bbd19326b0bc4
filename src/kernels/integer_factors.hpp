// Integer factors of an integer matrix of low rank.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace axmul::detail {

using Row256 = std::array<std::int64_t, 256>;

/// table(a, b) = Σ over i of u[i][a]·v[i][b]; as many pairs as the rank.
struct IntegerFactors {
  std::vector<Row256> u, v;
};

/// Factors of `table` [256, 256], v a short basis of the lattice of its rows; nothing where the
/// rank is above `most_rank` or numbers grow too large. The caller compares.
std::optional<IntegerFactors> integer_factors(std::span<const std::int64_t> table,
                                              std::size_t most_rank);

}  // namespace axmul::detail
