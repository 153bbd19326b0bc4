// Counts how often the nodes of an AND-XOR graph are 1 and change, 64 operand pairs a word. Free of
// allocation and exceptions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail {

/// Words that a node holds while one block of pairs runs: a thousand nodes stay in the L2 cache.
inline constexpr std::size_t kActivityWords = 32;

enum class NodeKind : std::uint8_t { zero, input, land, lxor };

/// A node: its sources a and b by number, each inverted where its bit is set in all words.
struct ActivityNode {
  NodeKind kind = NodeKind::zero;
  std::uint32_t a = 0, b = 0;
  std::uint64_t invert_a = 0, invert_b = 0;  ///< 0 or all ones
};

/// Fills values[node][kActivityWords]; those of the inputs are there already.
void run_nodes(const ActivityNode* nodes, std::size_t count, std::uint64_t* values);

/// counts[node] += bits set in values[node].
void count_ones(const std::uint64_t* values, std::size_t nodes, std::uint64_t* counts);

/// counts[node] += bits in which values and next differ.
void count_changes(const std::uint64_t* values, const std::uint64_t* next, std::size_t nodes,
                   std::uint64_t* counts);

/// Words of a node at one time: waves of all nodes together stay in the L2 cache.
inline constexpr std::size_t kWaveWords = 8;

/// A node with the times at which it may change: first … last, 0 for inputs. Its wave is
/// last − first + 2 rows of kWaveWords from row `wave`: before, and at each of these times.
struct WaveNode {
  ActivityNode node;
  std::uint32_t delay = 0, first = 0, last = 0;
  std::size_t wave = 0;
};

/// Fills the waves of all gates, each what its sources were `delay` before; those of inputs are
/// there already. counts[node] += transitions beyond one for each pair whose value changes.
void run_waves(const WaveNode* nodes, std::size_t count, std::uint64_t* waves,
               std::uint64_t* glitches);

/// planes[bit][i / 64] gets bit i of `bits` bit planes of n bytes; n is a multiple of 64.
void to_planes(const std::uint8_t* bytes, std::size_t n, int bits, std::size_t words_per_plane,
               std::uint64_t* planes);

}  // namespace axmul::detail
