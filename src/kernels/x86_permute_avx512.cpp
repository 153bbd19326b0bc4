// Byte-permute micro-kernel for AVX-512 VBMI: 64 activations at a time pick their products from
// tables that are held in registers.
// GCC 12 takes the operand that unmasked intrinsics leave undefined for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

inline __m512i load(const void* p) { return _mm512_load_si512(p); }

inline __attribute__((always_inline)) __m512i broadcast16(const uint8_t* p) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

/// 16 bytes of rows i, i + 16, i + 32 and i + 48; whole ones by loads that blend, which leave the
/// units for shuffles to the transpose.
template <bool kWhole>
inline __attribute__((always_inline)) __m512i four_rows(const uint8_t* a, const ptrdiff_t* row,
                                                        __mmask16 bytes) {
  if constexpr (kWhole) {
    __m512i v = broadcast16(a + row[0]);
    v = _mm512_mask_mov_epi32(v, 0x00F0, broadcast16(a + row[16]));
    v = _mm512_mask_mov_epi32(v, 0x0F00, broadcast16(a + row[32]));
    return _mm512_mask_mov_epi32(v, 0xF000, broadcast16(a + row[48]));
  }
  __m512i v = _mm512_zextsi128_si512(_mm_maskz_loadu_epi8(bytes, a + row[0]));
  v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi8(bytes, a + row[16]), 1);
  v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi8(bytes, a + row[32]), 2);
  return _mm512_inserti32x4(v, _mm_maskz_loadu_epi8(bytes, a + row[48]), 3);
}

/// Transposes 64 rows of up to 16 bytes: four times a perfect shuffle of 16 vectors is a 16x16
/// transpose of each 128-bit part. Returns the bytes or-ed.
template <bool kWhole>
inline __attribute__((always_inline)) __m512i pack16(const uint8_t* a, const ptrdiff_t* row,
                                                     size_t some, uint8_t* out) {
  const auto bytes = static_cast<__mmask16>((1u << some) - 1);
  __m512i v[16], t[16], all = _mm512_setzero_si512();
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) v[i] = four_rows<kWhole>(a, row + i, bytes);
#pragma GCC unroll 4
  for (int step = 0; step < 4; ++step) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_epi8(v[i], v[i + 8]);
      t[2 * i + 1] = _mm512_unpackhi_epi8(v[i], v[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) v[i] = t[i];
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) {
    all = _mm512_or_si512(all, v[i]);
    if (kWhole || i < some) _mm512_store_si512(out + i * kPermuteRows, v[i]);
  }
  return all;
}

int pack(const PermutePackTask& task) {
  __m512i all = _mm512_setzero_si512();
  for (size_t vector = 0; vector < task.vectors; ++vector) {
    const ptrdiff_t* row = task.row_offset + 64 * vector;
    uint8_t* out = task.out + 64 * vector;
    size_t tap = 0;
    for (; tap + 16 <= task.taps; tap += 16)
      all = _mm512_or_si512(all, pack16<true>(task.base + tap, row, 16, out + tap * kPermuteRows));
    if (tap < task.taps)
      all = _mm512_or_si512(
          all, pack16<false>(task.base + tap, row, task.taps - tap, out + tap * kPermuteRows));
  }
  return _mm512_movepi8_mask(all) != 0;
}

int copy(const PermuteCopyTask& task) {
  __m512i all = _mm512_setzero_si512();
  for (size_t tap = 0; tap < task.taps; ++tap) {
    const uint8_t* from = task.plane + task.offsets[tap];
    uint8_t* out = task.out + tap * kPermuteRows;
    for (size_t i = 0; i < 64 * task.vectors; i += 64) {
      const __m512i x = _mm512_loadu_si512(from + i);
      all = _mm512_or_si512(all, x);
      _mm512_store_si512(out + i, x);
    }
  }
  return _mm512_movepi8_mask(all) != 0;
}

void look(PermuteLookTask& task) {
  for (size_t vector = 0; vector < task.vectors; ++vector) {
    uint16_t* large = task.large + vector * task.taps;
    size_t count = 0;
    for (size_t tap = 0; tap < task.taps; ++tap) {
      large[count] = static_cast<uint16_t>(tap);
      count += _mm512_movepi8_mask(load(task.x + tap * kPermuteRows + 64 * vector)) != 0;
    }
    task.counts[vector] = count;
  }
}

/// 16-bit sums of bytes: `whole` adds up even + 256 odd bytes modulo 2^16, `odd` the odd ones.
struct ByteSums {
  __m512i whole, odd;
};

/// No code, but it keeps the compiler from moving a sum to other registers or to memory.
inline __attribute__((always_inline)) void stay(__m512i& v) { asm("" : "+v"(v)); }

inline __attribute__((always_inline)) void add_bytes(ByteSums& sums, __m512i bytes) {
  sums.whole = _mm512_add_epi16(sums.whole, bytes);
  stay(sums.whole);
  sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(bytes, 8));
  stay(sums.odd);
}

/// Adds the bytes of tap t of four to those of the taps before it in its group of kGroup, and
/// those of a whole group to the 16-bit sums.
template <int kGroup>
inline __attribute__((always_inline)) void add_group(ByteSums& sums, __m512i& group, __m512i bytes,
                                                     int t) {
  if (kGroup == 1) {
    add_bytes(sums, bytes);
    return;
  }
  group = t % kGroup == 0 ? bytes : _mm512_add_epi8(group, bytes);
  stay(group);
  if (t % kGroup == kGroup - 1) add_bytes(sums, group);
}

/// One plane of a tap's table: 128 or 256 bytes.
template <bool kLarge>
struct Plane {
  __m512i part[kLarge ? 4 : 2];
  inline __attribute__((always_inline)) explicit Plane(const uint8_t* p) {
    part[0] = load(p);
    part[1] = load(p + 64);
    if constexpr (kLarge) {
      part[2] = load(p + 128);
      part[3] = load(p + 192);
    }
  }
  inline __attribute__((always_inline)) __m512i operator()(__m512i x) const {
    const __m512i lower = _mm512_permutex2var_epi8(part[0], x, part[1]);
    if constexpr (!kLarge) return lower;
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), lower,
                                  _mm512_permutex2var_epi8(part[2], x, part[3]));
  }
};

/// Adds 16 sums of rows 4 j + i to those of the tile, i = 0 ... 3.
inline __attribute__((always_inline)) void widen(const ByteSums& low, const ByteSums& high,
                                                 unsigned low_bits, bool first, int32_t* out) {
  const __m512i ones = _mm512_set1_epi32(0xFFFF);
  const auto even = [](const ByteSums& s) {
    return _mm512_sub_epi16(s.whole, _mm512_slli_epi16(s.odd, 8));
  };
  const __m512i parts[2][2] = {{even(low), low.odd}, {even(high), high.odd}};
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512i lo = parts[0][i % 2], hi = parts[1][i % 2];
    const __m512i l = i < 2 ? _mm512_and_si512(lo, ones) : _mm512_srli_epi32(lo, 16);
    const __m512i h = i < 2 ? _mm512_and_si512(hi, ones) : _mm512_srli_epi32(hi, 16);
    __m512i sum = _mm512_add_epi32(l, _mm512_slli_epi32(h, low_bits));
    if (!first) sum = _mm512_add_epi32(sum, load(out + 16 * i));
    _mm512_store_si512(out + 16 * i, sum);
  }
}

/// Four taps over R vectors of rows; low and high bytes of kLow and kHigh taps may be added, kHigh
/// = 0: there are no high ones.
template <int R, bool kLarge, int kLow, int kHigh>
inline __attribute__((always_inline)) void four_taps(const PermuteTask& task,
                                                     const PermuteStep* steps, ByteSums (&low)[R],
                                                     ByteSums (&high)[R]) {
  constexpr size_t kPlane = kLarge ? 256 : 128, kPlanes = kHigh > 0 ? 2 : 1;
  __m512i low_group[R], high_group[R];
#pragma GCC unroll 4
  for (int t = 0; t < 4; ++t) {
    const uint8_t* x = task.x + size_t{steps[t].tap} * kPermuteRows;
    const uint8_t* table = task.tables + size_t{steps[t].column} * (kPlanes * kPlane);
    const Plane<kLarge> low_plane(table), high_plane(table + (kPlanes - 1) * kPlane);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      __m512i a = load(x + 64 * r);
      stay(a);
      add_group<kLow>(low[r], low_group[r], low_plane(a), t);
      if constexpr (kHigh > 0) add_group<kHigh>(high[r], high_group[r], high_plane(a), t);
    }
  }
}

// Fours after which 16-bit sums of bytes are widened: 256 bytes add up to less than 65536.
constexpr size_t kFours = 64;

void multiply(int32_t* sums, size_t vectors, int32_t factor) {
  const __m512i f = _mm512_set1_epi32(factor);
  for (size_t i = 0; i < 4 * vectors; ++i)
    _mm512_store_si512(sums + 16 * i, _mm512_mullo_epi32(load(sums + 16 * i), f));
}

/// High bytes are added in groups where there are 6 low bits, as the task says; else one by one.
template <int R, bool kLarge, int kLowBits, int kPlanes>
void channel(const PermuteTask& task) {
  constexpr int kLow = 1 << (8 - kLowBits), kOne = kPlanes - 1;
  const size_t fours = task.ends[2];
  for (size_t begin = 0; begin < fours; begin += kFours) {
    const size_t end = begin + kFours < fours ? begin + kFours : fours;
    ByteSums low[R], high[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
      low[r].whole = low[r].odd = high[r].whole = high[r].odd = _mm512_setzero_si512();
    size_t i = begin;
    if (kLowBits == 6 && kPlanes == 2) {
      for (; i < end && i < task.ends[0]; ++i)
        four_taps<R, kLarge, kLow, 4 * kOne>(task, task.steps + 4 * i, low, high);
      for (; i < end && i < task.ends[1]; ++i)
        four_taps<R, kLarge, kLow, 2 * kOne>(task, task.steps + 4 * i, low, high);
    }
    for (; i < end; ++i) four_taps<R, kLarge, kLow, kOne>(task, task.steps + 4 * i, low, high);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
      widen(low[r], high[r], kLowBits, task.first != 0 && begin == 0, task.sums + 64 * r);
  }
  if (task.factor != 1) multiply(task.sums, task.vectors, task.factor);
}

/// Two channels of 128 entries of one byte over R vectors: activations are loaded once for both.
template <int R, int kLowBits>
void channel_pair(const PermuteTask& task) {
  constexpr int kLow = 1 << (8 - kLowBits);
  const size_t fours = task.ends[2];
  for (size_t begin = 0; begin < fours; begin += kFours) {
    const size_t end = begin + kFours < fours ? begin + kFours : fours;
    ByteSums sums[2][R];
#pragma GCC unroll 8
    for (int i = 0; i < 2 * R; ++i)
      sums[i / R][i % R].whole = sums[i / R][i % R].odd = _mm512_setzero_si512();
    for (size_t i = 4 * begin; i < 4 * end; i += 4) {
      __m512i group[2][R];
#pragma GCC unroll 4
      for (int t = 0; t < 4; ++t) {
        const PermuteStep* steps = task.steps + i + t;
        const uint8_t* x = task.x + size_t{steps->tap} * kPermuteRows;
        __m512i a[R];
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) a[r] = load(x + 64 * r);
#pragma GCC unroll 2
        for (int c = 0; c < 2; ++c) {
          const size_t column = steps[c == 0 ? 0 : task.next_steps].column;
          const Plane<false> plane(task.tables + column * 128);
#pragma GCC unroll 4
          for (int r = 0; r < R; ++r) add_group<kLow>(sums[c][r], group[c][r], plane(a[r]), t);
        }
      }
    }
    const ByteSums none = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 8
    for (int i = 0; i < 2 * R; ++i)
      widen(sums[i / R][i % R], none, 8, task.first != 0 && begin == 0,
            task.sums + static_cast<size_t>(i / R) * task.next_sums + 64 * (i % R));
  }
  if (task.factor == 1) return;
  multiply(task.sums, task.vectors, task.factor);
  multiply(task.sums + task.next_sums, task.vectors, task.factor);
}

template <bool kLarge, int kLowBits, int kPlanes>
void run(const PermuteTask& task) {
  if constexpr (!kLarge && kPlanes == 1) {
    if (task.next_steps != 0)
      return task.vectors == 4   ? channel_pair<4, kLowBits>(task)
             : task.vectors == 3 ? channel_pair<3, kLowBits>(task)
             : task.vectors == 2 ? channel_pair<2, kLowBits>(task)
                                 : channel_pair<1, kLowBits>(task);
  }
  switch (task.vectors) {
    case 1:
      return channel<1, kLarge, kLowBits, kPlanes>(task);
    case 2:
      return channel<2, kLarge, kLowBits, kPlanes>(task);
    case 3:
      return channel<3, kLarge, kLowBits, kPlanes>(task);
    default:
      return channel<4, kLarge, kLowBits, kPlanes>(task);
  }
}

void mend(const PermuteMendTask& task) {
  for (size_t begin = 0; begin < task.count; begin += 4 * kFours) {
    const size_t end = begin + 4 * kFours < task.count ? begin + 4 * kFours : task.count;
    ByteSums low, high;
    low.whole = low.odd = high.whole = high.odd = _mm512_setzero_si512();
    for (size_t i = begin; i < end; ++i) {
      const size_t tap = task.large[i];
      const __m512i x = load(task.x + tap * kPermuteRows);
      const __mmask64 rows = _mm512_movepi8_mask(x);
      const uint8_t* t = task.tables + size_t{task.columns[tap]} * 256;
      add_bytes(low, _mm512_maskz_permutex2var_epi8(rows, load(t), x, load(t + 64)));
      add_bytes(high, _mm512_maskz_permutex2var_epi8(rows, load(t + 128), x, load(t + 192)));
    }
    widen(low, high, 8, false, task.sums);
  }
}

void count_large(const PermuteMendTask& task) {
  for (size_t begin = 0; begin < task.count; begin += 4 * kFours) {
    const size_t end = begin + 4 * kFours < task.count ? begin + 4 * kFours : task.count;
    ByteSums low;
    low.whole = low.odd = _mm512_setzero_si512();
    const ByteSums high = low;
    for (size_t i = begin; i < end; ++i) {
      const __m512i x = load(task.x + size_t{task.large[i]} * kPermuteRows);
      add_bytes(low, _mm512_maskz_set1_epi8(_mm512_movepi8_mask(x), 1));
    }
    widen(low, high, 8, false, task.sums);
  }
}

void row_sums(const PermuteRowSumTask& task) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(task.flip));
  const ByteSums none = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t vector = 0; vector < task.vectors; ++vector)
    for (size_t begin = 0; begin < task.taps; begin += 4 * kFours) {
      const size_t end = begin + 4 * kFours < task.taps ? begin + 4 * kFours : task.taps;
      ByteSums sums = none;
      for (size_t tap = begin; tap < end; ++tap)
        add_bytes(sums, _mm512_xor_si512(load(task.x + tap * kPermuteRows + 64 * vector), flip));
      widen(sums, none, 8, begin == 0, task.sums + 64 * vector);
    }
}

/// 16 sums of one row and of up to 16 channels.
inline __attribute__((always_inline)) void store_row(const PermuteStoreTask& task, __m512i sum,
                                                     size_t part, size_t i, __m512i constant,
                                                     __mmask16 channels) {
  int32_t* y = task.y + (part / 4 * 64 + 4 * i + part % 4) * task.y_stride;
  sum = _mm512_add_epi32(sum, constant);
  sum = _mm512_add_epi32(sum, _mm512_set1_epi32(task.row_sums[part * 16 + i]));
  if (task.accumulate != 0) sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(channels, y));
  _mm512_mask_storeu_epi32(y, channels, sum);
}

/// Transposes 16 channels of 16 rows and adds what all channels or all rows have in common.
void store(const PermuteStoreTask& task) {
  const auto channels = static_cast<__mmask16>((1u << task.channels) - 1);
  const __m512i constant = _mm512_loadu_si512(task.constant);
  for (size_t part = 0; part * 16 < (task.rows + 63) / 64 * 64; ++part) {
    __m512i v[16], t[16];
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; ++i) v[i] = load(task.sums + i * kPermuteRows + part * 16);
      // Blocks of 4x4 sums are transposed: t[4 p + q] holds rows 4 j + q of channels 4 p … 4 p + 3.
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      const __m512i a = _mm512_unpacklo_epi32(v[4 * p], v[4 * p + 1]);
      const __m512i b = _mm512_unpackhi_epi32(v[4 * p], v[4 * p + 1]);
      const __m512i c = _mm512_unpacklo_epi32(v[4 * p + 2], v[4 * p + 3]);
      const __m512i d = _mm512_unpackhi_epi32(v[4 * p + 2], v[4 * p + 3]);
      t[4 * p] = _mm512_unpacklo_epi64(a, c);
      t[4 * p + 1] = _mm512_unpackhi_epi64(a, c);
      t[4 * p + 2] = _mm512_unpacklo_epi64(b, d);
      t[4 * p + 3] = _mm512_unpackhi_epi64(b, d);
    }
    // Then the blocks: v[4 q + j] is row 4 j + q of all channels.
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      const __m512i a = _mm512_shuffle_i32x4(t[q], t[4 + q], 0x44);
      const __m512i b = _mm512_shuffle_i32x4(t[q], t[4 + q], 0xEE);
      const __m512i c = _mm512_shuffle_i32x4(t[8 + q], t[12 + q], 0x44);
      const __m512i d = _mm512_shuffle_i32x4(t[8 + q], t[12 + q], 0xEE);
      v[4 * q] = _mm512_shuffle_i32x4(a, c, 0x88);
      v[4 * q + 1] = _mm512_shuffle_i32x4(a, c, 0xDD);
      v[4 * q + 2] = _mm512_shuffle_i32x4(b, d, 0x88);
      v[4 * q + 3] = _mm512_shuffle_i32x4(b, d, 0xDD);
    }
    if (part / 4 * 64 + 64 <= task.rows) {
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; ++i)
        store_row(task, v[i % 4 * 4 + i / 4], part, i, constant, channels);
      continue;
    }
    alignas(64) int32_t rows[16][16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) _mm512_store_si512(rows[i], v[i % 4 * 4 + i / 4]);
    for (size_t i = 0; i < 16 && part / 4 * 64 + 4 * i + part % 4 < task.rows; ++i)
      store_row(task, load(rows[i]), part, i, constant, channels);
  }
}

}  // namespace

extern const PermuteKernel kPermuteAvx512;
const PermuteKernel kPermuteAvx512 = {
    pack,
    copy,
    look,
    mend,
    count_large,
    row_sums,
    {run<false, 6, 2>, run<false, 7, 2>, run<false, 8, 2>, run<true, 6, 2>, run<true, 7, 2>,
     run<true, 8, 2>, run<false, 6, 1>, run<false, 7, 1>, run<false, 8, 1>, run<true, 6, 1>,
     run<true, 7, 1>, run<true, 8, 1>},
    store};

/// Factors of any function of the byte.
extern void (*const kPackDigitsVbmi)(const DigitPackTask&);

namespace {

void pack_digits(const DigitPackTask& task) {
  __m512i table[4];
  for (int i = 0; i < 4; ++i) table[i] = _mm512_loadu_si512(task.table + 64 * i);
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < task.taps; i += 64) {
      const size_t left = task.taps - i;
      const __mmask64 some = left < 64 ? (uint64_t{1} << left) - 1 : ~uint64_t{0};
      const __m512i x = _mm512_maskz_loadu_epi8(some, bytes + i);
      const __m512i u = _mm512_mask_blend_epi8(_mm512_movepi8_mask(x),
                                               _mm512_permutex2var_epi8(table[0], x, table[1]),
                                               _mm512_permutex2var_epi8(table[2], x, table[3]));
      _mm512_storeu_si512(task.out + row * task.stride + i, u);
      sum = _mm512_add_epi64(
          sum, _mm512_sad_epu8(_mm512_maskz_mov_epi8(some, u), _mm512_setzero_si512()));
    }
    if (task.sums != nullptr) task.sums[row] += static_cast<uint32_t>(_mm512_reduce_add_epi64(sum));
  }
}

}  // namespace

void (*const kPackDigitsVbmi)(const DigitPackTask&) = pack_digits;

}  // namespace axmul::detail
