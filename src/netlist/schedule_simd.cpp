// The simulation's inner loops, compiled for AVX2 and for any machine; the loader picks.
#include "netlist/schedule.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define AXMUL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail {

// dst may be one of the sources: each word depends on the words of the same number only.
#define AXMUL_WORDS(expression)                                                             \
  {                                                                                         \
    _Pragma("GCC ivdep") for (std::size_t i = 0; i < kBlockWords; ++i) d[i] = (expression); \
    break;                                                                                  \
  }

AXMUL_CLONES void run_steps(const Step* steps, std::size_t count, std::uint64_t* slots) {
  for (const Step* step = steps; step != steps + count; ++step) {
    std::uint64_t* d = slots + step->dst * kBlockWords;
    const std::uint64_t* a = slots + step->a * kBlockWords;
    const std::uint64_t* b = slots + step->b * kBlockWords;
    const std::uint64_t* c = slots + step->c * kBlockWords;
    switch (step->op) {
      case WordOp::zero:
        AXMUL_WORDS(0)
      case WordOp::ones:
        AXMUL_WORDS(~std::uint64_t{0})
      case WordOp::copy:
        AXMUL_WORDS(a[i])
      case WordOp::inv:
        AXMUL_WORDS(~a[i])
      case WordOp::and2:
        AXMUL_WORDS(a[i] & b[i])
      case WordOp::or2:
        AXMUL_WORDS(a[i] | b[i])
      case WordOp::xor2:
        AXMUL_WORDS(a[i] ^ b[i])
      case WordOp::nand2:
        AXMUL_WORDS(~(a[i] & b[i]))
      case WordOp::nor2:
        AXMUL_WORDS(~(a[i] | b[i]))
      case WordOp::xnor2:
        AXMUL_WORDS(~(a[i] ^ b[i]))
      case WordOp::andn:
        AXMUL_WORDS(a[i] & ~b[i])
      case WordOp::orn:
        AXMUL_WORDS(a[i] | ~b[i])
      case WordOp::xor3:
        AXMUL_WORDS(a[i] ^ b[i] ^ c[i])
      case WordOp::maj:
        AXMUL_WORDS((a[i] & b[i]) | (c[i] & (a[i] | b[i])))
      case WordOp::mux:
        AXMUL_WORDS((c[i] & b[i]) | (a[i] & ~c[i]))
    }
  }
}

namespace {

constexpr std::size_t kLanes = 4;  // consecutive words transposed together

// One step of the 16x16 bit transposition inside each 16-bit field: swaps the off-diagonal
// half x half blocks of rows r and r + half (H. S. Warren, Hacker's Delight, 7-3, on 4x4 fields).
template <std::size_t kHalf>
inline __attribute__((always_inline)) void swap_step(std::uint64_t rows[16][kLanes],
                                                     std::uint64_t mask) {
  for (std::size_t base = 0; base < 16; base += 2 * kHalf)
    for (std::size_t r = base; r < base + kHalf; ++r)
      for (std::size_t l = 0; l < kLanes; ++l) {
        const std::uint64_t t = ((rows[r][l] >> kHalf) ^ rows[r + kHalf][l]) & mask;
        rows[r][l] ^= t << kHalf;
        rows[r + kHalf][l] ^= t;
      }
}

}  // namespace

AXMUL_CLONES void transpose16(const std::uint64_t* const planes[16], bool sign_extend,
                              std::int32_t* out) {
  const std::int32_t flip = sign_extend ? 0x8000 : 0;
  for (std::size_t w = 0; w < kBlockWords; w += kLanes) {
    alignas(32) std::uint64_t rows[16][kLanes];
    for (std::size_t p = 0; p < 16; ++p)
      for (std::size_t l = 0; l < kLanes; ++l) rows[p][l] = planes[p][w + l];
    swap_step<8>(rows, 0x00FF00FF00FF00FFu);
    swap_step<4>(rows, 0x0F0F0F0F0F0F0F0Fu);
    swap_step<2>(rows, 0x3333333333333333u);
    swap_step<1>(rows, 0x5555555555555555u);
    // Row r now holds, in its 16-bit field f, the value of pattern 16 f + r.
    std::int32_t* block = out + w * 64;
    for (std::size_t l = 0; l < kLanes; ++l)
      for (std::size_t f = 0; f < 4; ++f)
        for (std::size_t r = 0; r < 16; ++r) {
          const auto value = static_cast<std::int32_t>(rows[r][l] >> (16 * f) & 0xFFFF);
          block[64 * l + 16 * f + r] = (value ^ flip) - flip;
        }
  }
}

}  // namespace axmul::detail
