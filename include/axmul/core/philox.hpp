// Philox4x32-10, the counter-based generator of Salmon et al., SC 2011: draw i depends on (key, i)
// only, so threads and order change nothing. No std distribution is used: those differ by library.
#pragma once

#include <array>
#include <cstdint>

#include "axmul/core/api.hpp"

namespace axmul {

/// One block: four 32-bit words for a 128-bit counter and a 64-bit key.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// A stream of numbers: (seed, stream) select it, draws advance it; seek() jumps anywhere.
class AXMUL_API Philox {
 public:
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// Continue with the 32-bit word number `index` of this stream.
  void seek(std::uint64_t index) {
    block_ = index / 4;
    used_ = 4;
    const unsigned skip = static_cast<unsigned>(index % 4);
    if (skip != 0) {
      refill();
      used_ = skip;
    }
  }

  std::uint32_t next_u32() {
    if (used_ == 4) refill();
    return words_[used_++];
  }
  std::uint64_t next_u64() {
    const std::uint64_t low = next_u32();
    return low | std::uint64_t{next_u32()} << 32;
  }
  /// Uniform in [0, 1), 53 bits.
  double next_double() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }
  /// Uniform in 0 … n−1 without bias (rejection); n ≥ 1.
  std::uint64_t next_below(std::uint64_t n) {
    const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % n + 1) % n;
    std::uint64_t x = next_u64();
    while (x > limit) x = next_u64();
    return x % n;
  }
  /// Standard normal (Box–Muller, two uniforms a draw).
  double next_normal();

 private:
  void refill() {
    words_ =
        philox4x32({static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32),
                    static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                   {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
    ++block_;
    used_ = 0;
  }

  std::uint64_t seed_, stream_, block_ = 0;
  std::array<std::uint32_t, 4> words_{};
  unsigned used_ = 4;
};

}  // namespace axmul
