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

namespace {

// The row of a node's wave at a time; it stays what it was after its last change.
inline const std::uint64_t* row_at(const WaveNode& node, std::int64_t time,
                                   const std::uint64_t* waves) {
  const auto before = static_cast<std::int64_t>(node.first) - 1;
  const auto last = static_cast<std::int64_t>(node.last);
  const std::int64_t at = time < before ? before : time > last ? last : time;
  return waves + (node.wave + static_cast<std::size_t>(at - before)) * kWaveWords;
}

}  // namespace

AXMUL_CLONES void run_waves(const WaveNode* nodes, std::size_t count, std::uint64_t* waves,
                            std::uint64_t* glitches) {
  for (std::size_t i = 0; i < count; ++i) {
    const WaveNode& gate = nodes[i];
    const ActivityNode& node = gate.node;
    if (node.kind != NodeKind::land && node.kind != NodeKind::lxor) continue;
    const std::uint64_t x = node.invert_a, y = node.invert_b;
    std::uint64_t* d = waves + gate.wave * kWaveWords;
    const std::uint64_t* const initial = d;
    std::uint64_t transitions = 0;
    for (std::int64_t time = static_cast<std::int64_t>(gate.first) - 1; time <= gate.last;
         ++time, d += kWaveWords) {
      const std::uint64_t* a = row_at(nodes[node.a], time - gate.delay, waves);
      const std::uint64_t* b = row_at(nodes[node.b], time - gate.delay, waves);
      if (node.kind == NodeKind::land) {
#pragma GCC ivdep
        for (std::size_t w = 0; w < kWaveWords; ++w) d[w] = (a[w] ^ x) & (b[w] ^ y);
      } else {
#pragma GCC ivdep
        for (std::size_t w = 0; w < kWaveWords; ++w) d[w] = a[w] ^ b[w] ^ x ^ y;
      }
      if (d == initial) continue;
      for (std::size_t w = 0; w < kWaveWords; ++w)
        transitions += static_cast<std::uint64_t>(std::popcount(d[w] ^ d[w - kWaveWords]));
    }
    const std::uint64_t* last = d - kWaveWords;
    for (std::size_t w = 0; w < kWaveWords; ++w)
      transitions -= static_cast<std::uint64_t>(std::popcount(last[w] ^ initial[w]));
    glitches[i] += transitions;
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
