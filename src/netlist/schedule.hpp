// The simulation's program: word operations on reused slots, and the loops that run it (vectorised,
// chosen at run time). Free of allocation and exceptions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail {

/// Words a slot holds while one block of patterns runs: 64 words = 4096 patterns.
inline constexpr std::size_t kBlockWords = 64;
inline constexpr std::size_t kBlockPatterns = kBlockWords * 64;

enum class WordOp : std::uint8_t {
  zero,
  ones,
  copy,
  inv,
  and2,
  or2,
  xor2,
  nand2,
  nor2,
  xnor2,
  andn,
  orn,
  xor3,
  maj,
  mux
};

/// dst ← op(a, b, c), all slot numbers. andn = a & ~b, orn = a | ~b, mux = c ? b : a.
struct Step {
  WordOp op;
  std::uint32_t dst, a, b, c;
};

/// Runs the steps in order on slots[slot][kBlockWords].
void run_steps(const Step* steps, std::size_t count, std::uint64_t* slots);

/// out[i] = Σ_p bit(planes[p], i)·2^p for the block's 4096 patterns and 16 planes;
/// sign_extend: bit 15 weighs −2^15.
void transpose16(const std::uint64_t* const planes[16], bool sign_extend, std::int32_t* out);

}  // namespace axmul::detail
