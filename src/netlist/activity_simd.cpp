// The inner loops of the activity counts, compiled for AVX2 with POPCNT and for any machine.
#include <bit>
#include <cstring>

#include "netlist/activity.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define AXMUL_CLONES __attribute__((target_clones("arch=haswell", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail {

AXMUL_CLONES void run_nodes(const ActivityNode* nodes, std::size_t count, std::uint64_t* values) {
  for (std::size_t i = 0; i < count; ++i) {
    const ActivityNode& node = nodes[i];
    std::uint64_t* d = values + i * kActivityWords;
    const std::uint64_t* a = values + node.a * kActivityWords;
    const std::uint64_t* b = values + node.b * kActivityWords;
    const std::uint64_t x = node.invert_a, y = node.invert_b;
    if (node.kind == NodeKind::land) {
#pragma GCC ivdep
      for (std::size_t w = 0; w < kActivityWords; ++w) d[w] = (a[w] ^ x) & (b[w] ^ y);
    } else if (node.kind == NodeKind::lxor) {
#pragma GCC ivdep
      for (std::size_t w = 0; w < kActivityWords; ++w) d[w] = a[w] ^ b[w] ^ x ^ y;
    } else if (node.kind == NodeKind::zero) {
      for (std::size_t w = 0; w < kActivityWords; ++w) d[w] = 0;
    }
  }
}

AXMUL_CLONES void count_ones(const std::uint64_t* values, std::size_t nodes,
                             std::uint64_t* counts) {
  for (std::size_t i = 0; i < nodes; ++i, values += kActivityWords) {
    std::uint64_t sum = 0;
    for (std::size_t w = 0; w < kActivityWords; ++w)
      sum += static_cast<std::uint64_t>(std::popcount(values[w]));
    counts[i] += sum;
  }
}

AXMUL_CLONES void count_changes(const std::uint64_t* values, const std::uint64_t* next,
                                std::size_t nodes, std::uint64_t* counts) {
  for (std::size_t i = 0; i < nodes; ++i, values += kActivityWords, next += kActivityWords) {
    std::uint64_t sum = 0;
    for (std::size_t w = 0; w < kActivityWords; ++w)
      sum += static_cast<std::uint64_t>(std::popcount(values[w] ^ next[w]));
    counts[i] += sum;
  }
}

AXMUL_CLONES void to_planes(const std::uint8_t* bytes, std::size_t n, int bits,
                            std::size_t words_per_plane, std::uint64_t* planes) {
  // A word's eight bytes become eight bits a plane: gathering by multiplication.
  for (std::size_t word = 0; word < n / 64; ++word)
    for (int bit = 0; bit < bits; ++bit) {
      std::uint64_t gathered = 0;
      for (std::size_t part = 0; part < 8; ++part) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, bytes + 64 * word + 8 * part, 8);
        if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
        eight = eight >> bit & 0x0101010101010101u;
        gathered |= eight * 0x0102040810204080u >> 56 << (8 * part);
      }
      planes[static_cast<std::size_t>(bit) * words_per_plane + word] = gathered;
    }
}

}  // namespace axmul::detail
