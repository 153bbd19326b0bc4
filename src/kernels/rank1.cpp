// Rank-1 driver: y = sum of u(a)·v(b) is an exact integer GEMM of the two factors.
#include "kernels/rank1.hpp"

#include <algorithm>
#include <array>

#include "axmul/core/parallel.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kChannels = 16;  // per block

/// v(b) of a slice of taps as [blocks, pairs, 16 channels, 2], zero where taps or channels end.
std::vector<std::int16_t> pack_weights(const Weights& w, std::size_t k_begin, std::size_t k_end) {
  const std::size_t pairs = (k_end - k_begin + 1) / 2;
  const std::size_t blocks = (w.m + kChannels - 1) / kChannels;
  std::vector<std::int16_t> out(blocks * pairs * kChannels * 2, 0);
  for (std::size_t k = k_begin; k < k_end; ++k)
    for (std::size_t m = 0; m < w.m; ++m)
      out[((m / kChannels * pairs + (k - k_begin) / 2) * kChannels + m % kChannels) * 2 +
          (k - k_begin) % 2] = w.facts.v[w.column(k, m)];
  return out;
}

/// u as a sum over nibbles, where it is one (linear factors and masked operands are).
struct Nibbles {
  std::array<std::int16_t, 16> low{}, high{};
  int additive = 1;
};

Nibbles split(const std::vector<std::int16_t>& u) {
  Nibbles n;
  for (std::size_t i = 0; i < 16; ++i) {
    n.low[i] = u[i];
    n.high[i] = static_cast<std::int16_t>(u[16 * i] - u[0]);
  }
  for (std::size_t x = 0; x < 256; ++x)
    if (n.low[x & 15] + n.high[x >> 4] != u[x]) n.additive = 0;
  return n;
}

struct Rank1Run {
  const Problem& p;
  const Rank1Kernel& kernel;
  std::vector<std::int16_t> b;
  Nibbles nibbles;
  std::size_t pairs = 0;

  void pack_rows(std::size_t first, std::size_t rows, std::int16_t* out) const {
    for (std::size_t r = 0; r < rows; ++r, out += 2 * pairs) {
      const std::uint8_t* row = p.a->base + p.a->offset_of(first + r);
      for (const Segment& s : p.a->segments) {
        const std::size_t from = std::max(s.k, p.k_begin);
        const std::size_t to = std::min(s.k + s.length, p.k_end);
        if (from >= to) continue;
        kernel.factors({row + s.offset + static_cast<std::ptrdiff_t>(from - s.k), to - from,
                        p.weights->facts.u.data(), nibbles.low.data(), nibbles.high.data(),
                        nibbles.additive, out + (from - p.k_begin)});
      }
      if ((p.k_end - p.k_begin) % 2 != 0) out[2 * pairs - 1] = 0;
    }
  }

  void tile(std::size_t first, std::size_t rows, std::int16_t* a) const {
    pack_rows(first, rows, a);
    std::array<std::int32_t, 4 * kChannels> sums{};
    for (std::size_t m = 0; m < p.weights->m; m += kChannels) {
      const std::size_t channels = std::min(kChannels, p.weights->m - m);
      const std::int16_t* panel = b.data() + m * pairs * 2;
      for (std::size_t r = 0; r < rows; r += 4) {
        const std::size_t some = std::min<std::size_t>(4, rows - r);
        std::int32_t* y = p.y + (first + r) * p.y_stride + m;
        const bool direct = channels == kChannels;
        kernel.gemm({a + r * 2 * pairs, 2 * pairs, some, panel, pairs, direct ? y : sums.data(),
                     direct ? p.y_stride : kChannels});
        for (std::size_t i = 0; i < some && !direct; ++i)
          std::copy_n(sums.data() + i * kChannels, channels, y + i * p.y_stride);
      }
    }
  }
};

}  // namespace

void run_rank1(const Problem& problem, const Rank1Kernel& kernel) {
  const Weights& w = *problem.weights;
  const Rank1Run run{problem, kernel, pack_weights(w, problem.k_begin, problem.k_end),
                     split(w.facts.u), (problem.k_end - problem.k_begin + 1) / 2};
  // Packed rows of a tile stay in the first-level cache.
  const std::size_t rows = std::clamp<std::size_t>(8192 / (2 * run.pairs) / 4 * 4, 4, 256);
  const std::size_t tiles = (problem.a->rows + rows - 1) / rows;
  constexpr std::size_t kTogether = 16;
  parallel_for((tiles + kTogether - 1) / kTogether, problem.threads, [&](std::size_t unit) {
    std::vector<std::int16_t> a(rows * 2 * run.pairs + 32);
    for (std::size_t t = unit * kTogether; t < std::min(tiles, (unit + 1) * kTogether); ++t)
      run.tile(t * rows, std::min(rows, problem.a->rows - t * rows), a.data());
  });
}

}  // namespace axmul::detail
