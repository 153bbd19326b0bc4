// Digit products for AVX-VNNI: 32 products of unsigned by signed bytes an instruction.
#include <immintrin.h>
#include <string.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

inline __attribute__((always_inline)) __m256i sixteen(const uint8_t* bytes) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

/// 32 activation bytes as factors u(a) that are a flip or a sum over nibbles.
inline __attribute__((always_inline)) __m256i map_bytes(const DigitPackTask& task, __m256i x) {
  if (task.map == kDigitFlip)
    return _mm256_xor_si256(x, _mm256_set1_epi8(static_cast<char>(task.flip)));
  const __m256i mask = _mm256_set1_epi8(15);
  return _mm256_add_epi8(
      _mm256_shuffle_epi8(sixteen(task.low), _mm256_and_si256(x, mask)),
      _mm256_shuffle_epi8(sixteen(task.high), _mm256_and_si256(_mm256_srli_epi16(x, 4), mask)));
}

void pack(const DigitPackTask& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    uint8_t* out = task.out + row * task.stride;
    size_t i = 0;
    __m256i sums = _mm256_setzero_si256();
    for (; task.map != kDigitAny && i + 32 <= task.taps; i += 32) {
      const __m256i u =
          map_bytes(task, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), u);
      sums = _mm256_add_epi64(sums, _mm256_sad_epu8(u, _mm256_setzero_si256()));
    }
    const __m128i half =
        _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    uint32_t sum = static_cast<uint32_t>(_mm_cvtsi128_si32(half)) +
                   static_cast<uint32_t>(_mm_extract_epi32(half, 2));
    for (; i < task.taps; ++i) sum += out[i] = task.table[bytes[i]];
    if (task.sums != nullptr) task.sums[row] += sum;
  }
}

/// The instruction itself: GCC 12 copies the sums to and fro around its intrinsic.
inline __attribute__((always_inline)) void add_products(__m256i& sum, __m256i u, __m256i v) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(u), "x"(v));
}

/// R rows from `row` on times 16 channels.
template <int R, bool kTurned>
inline __attribute__((always_inline)) void some_rows(const DigitTask& task, size_t row) {
  __m256i sum[R][2];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const uint8_t* a = task.a + row * task.a_stride;
  const uint8_t* b = task.b;
  for (size_t quad = 0; quad < task.quads; ++quad, a += 4, b += 64) {
    const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 32));
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      int four;
      memcpy(&four, a + static_cast<size_t>(r) * task.a_stride, sizeof four);
      const __m256i x = _mm256_set1_epi32(four);
      add_products(sum[r][0], kTurned ? w0 : x, kTurned ? x : w0);
      add_products(sum[r][1], kTurned ? w1 : x, kTurned ? x : w1);
    }
  }
  const __m256i scale = _mm256_set1_epi32(task.scale);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
    for (int half = 0; half < 2; ++half) {
      const size_t at = row + static_cast<size_t>(r);
      __m256i* y = reinterpret_cast<__m256i*>(task.y + at * task.y_stride + 8 * half);
      const __m256i constant =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(task.column + 8 * half));
      const __m256i start = task.add != 0
                                ? _mm256_loadu_si256(y)
                                : _mm256_add_epi32(_mm256_set1_epi32(task.row[at]), constant);
      _mm256_storeu_si256(y, _mm256_add_epi32(start, _mm256_mullo_epi32(sum[r][half], scale)));
    }
}

template <bool kTurned>
void rows_of(const DigitTask& task) {
  size_t row = 0;
  for (; row + 6 <= task.rows; row += 6) some_rows<6, kTurned>(task, row);
  for (; row + 2 <= task.rows; row += 2) some_rows<2, kTurned>(task, row);
  for (; row < task.rows; ++row) some_rows<1, kTurned>(task, row);
}

void panel(const DigitTask& task) {
  return task.turned != 0 ? rows_of<true>(task) : rows_of<false>(task);
}

}  // namespace

extern const DigitKernel kDigitsAvxVnni;
const DigitKernel kDigitsAvxVnni = {24, pack, {panel, nullptr, nullptr, nullptr}};

}  // namespace axmul::detail
