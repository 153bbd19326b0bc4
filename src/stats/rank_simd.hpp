// Elimination modulo a 31-bit prime.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail::stats {

/// Rank modulo p (an odd prime below 2^31) of a row-major rows x cols matrix of residues below p;
/// the matrix is destroyed.
std::size_t modular_rank(std::uint32_t* matrix, std::size_t rows, std::size_t cols,
                         std::uint32_t p);

/// to[i] = from[i] mod p, in 0 … p−1; |from[i]| < 2^31.
void reduce_modulo(const std::int32_t* from, std::size_t n, std::uint32_t p, std::uint32_t* to);

}  // namespace axmul::detail::stats
