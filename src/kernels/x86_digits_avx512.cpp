// Digit products for AVX-512 VNNI: 64 products of unsigned by signed bytes an instruction.
// GCC 12 takes the operand that unmasked intrinsics leave undefined for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#include <string.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

inline __attribute__((always_inline)) __m512i sixteen(const uint8_t* bytes) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

/// How 64 activation bytes become factors.
struct Flip {
  __m512i flip;
  explicit Flip(const DigitPackTask& task) : flip(_mm512_set1_epi8(static_cast<char>(task.flip))) {}
  inline __attribute__((always_inline)) __m512i operator()(__m512i x) const {
    return _mm512_xor_si512(x, flip);
  }
};

struct Nibbles {
  __m512i low, high;
  explicit Nibbles(const DigitPackTask& task) : low(sixteen(task.low)), high(sixteen(task.high)) {}
  inline __attribute__((always_inline)) __m512i operator()(__m512i x) const {
    const __m512i mask = _mm512_set1_epi8(15);
    return _mm512_add_epi8(
        _mm512_shuffle_epi8(low, _mm512_and_si512(x, mask)),
        _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(x, 4), mask)));
  }
};

/// Whole vectors are written; only the last one of a run is read by halves.
template <class Map, bool kSums>
inline __attribute__((always_inline)) void pack_by(const DigitPackTask& task) {
  const Map map(task);
  const size_t whole = task.taps / 64 * 64, left = task.taps % 64;
  const __mmask64 some = (uint64_t{1} << left) - 1;
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    uint8_t* out = task.out + row * task.stride;
    __m512i sum = _mm512_setzero_si512();
    const auto count = [&](__m512i u) __attribute__((always_inline)) {
      if (kSums) sum = _mm512_add_epi64(sum, _mm512_sad_epu8(u, _mm512_setzero_si512()));
    };
    for (size_t i = 0; i < whole; i += 64) {
      const __m512i u = map(_mm512_loadu_si512(bytes + i));
      _mm512_storeu_si512(out + i, u);
      count(u);
    }
    if (left > 0) {
      const __m512i u = map(_mm512_maskz_loadu_epi8(some, bytes + whole));
      _mm512_storeu_si512(out + whole, u);
      count(_mm512_maskz_mov_epi8(some, u));
    }
    if (kSums) task.sums[row] += static_cast<uint32_t>(_mm512_reduce_add_epi64(sum));
  }
}

template <class Map>
void pack_map(const DigitPackTask& task) {
  if (task.sums != nullptr) return pack_by<Map, true>(task);
  pack_by<Map, false>(task);
}

void pack(const DigitPackTask& task) {
  if (task.map == kDigitFlip) return pack_map<Flip>(task);
  if (task.map == kDigitNibbles) return pack_map<Nibbles>(task);
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    uint8_t* out = task.out + row * task.stride;
    uint32_t sum = 0;
    for (size_t i = 0; i < task.taps; ++i) sum += out[i] = task.table[bytes[i]];
    if (task.sums != nullptr) task.sums[row] += sum;
  }
}

inline __attribute__((always_inline)) __m512i broadcast(const uint8_t* a) {
  int32_t four;
  memcpy(&four, a, sizeof four);
  return _mm512_set1_epi32(four);
}

/// The instruction itself: GCC 12 copies the sums to and fro around its intrinsic.
inline __attribute__((always_inline)) void add_products(__m512i& sum, __m512i u, __m512i v) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(v));
}

/// R rows from `row` on times V vectors of 16 channels.
template <int R, int V, bool kTurned>
inline __attribute__((always_inline)) void some_rows(const DigitTask& task, size_t row) {
  __m512i sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = _mm512_setzero_si512();
  // Every fourth row has a pointer of its own; the others are 1, 2 and 3 strides on.
  constexpr int kPointers = (R + 3) / 4;
  const uint8_t* a[kPointers];
  const size_t stride = task.a_stride, three = 3 * stride;
  for (int i = 0; i < kPointers; ++i) a[i] = task.a + (row + 4 * static_cast<size_t>(i)) * stride;
  const uint8_t* b = task.b;
  for (size_t quad = 0; quad < task.quads; ++quad, b += 64 * V) {
    __m512i w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(b + 64 * v);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const size_t on = r % 4 == 0 ? 0 : r % 4 == 1 ? stride : r % 4 == 2 ? 2 * stride : three;
      const __m512i x = broadcast(a[r / 4] + on);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) add_products(sum[r][v], kTurned ? w[v] : x, kTurned ? x : w[v]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kPointers; ++i) a[i] += 4;
  }
  const __m512i scale = _mm512_set1_epi32(task.scale);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const size_t at = row + static_cast<size_t>(r);
    int32_t* y = task.y + at * task.y_stride;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const __m512i start = task.add != 0
                                ? _mm512_loadu_si512(y + 16 * v)
                                : _mm512_add_epi32(_mm512_set1_epi32(task.row[at]),
                                                   _mm512_loadu_si512(task.column + 16 * v));
      const __m512i all = task.scale == 1 ? sum[r][v] : _mm512_mullo_epi32(sum[r][v], scale);
      _mm512_storeu_si512(y + 16 * v, _mm512_add_epi32(start, all));
    }
  }
}

template <int R, int V, bool kTurned>
void rows_of(const DigitTask& task) {
  size_t row = 0;
  for (; row + R <= task.rows; row += R) some_rows<R, V, kTurned>(task, row);
  for (; row + 4 <= task.rows; row += 4) some_rows<4, V, kTurned>(task, row);
  for (; row < task.rows; ++row) some_rows<1, V, kTurned>(task, row);
}

template <int R, int V>
void panel(const DigitTask& task) {
  return task.turned != 0 ? rows_of<R, V, true>(task) : rows_of<R, V, false>(task);
}

}  // namespace

extern const DigitKernel kDigitsAvx512;
const DigitKernel kDigitsAvx512 = {
    24, pack, {panel<12, 1>, panel<12, 2>, panel<8, 3>, panel<6, 4>}};

}  // namespace axmul::detail
