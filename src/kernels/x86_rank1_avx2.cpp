// Integer GEMM micro-kernel for AVX2: 16-bit multiply-adds of two taps into 32-bit sums.
#include <immintrin.h>
#include <string.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

template <int R>
inline __attribute__((always_inline)) void gemm_rows(const Rank1Task& task) {
  __m256i sum[R][2];
  for (int r = 0; r < R; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const __m256i* b = reinterpret_cast<const __m256i*>(task.b);
  const int16_t* a = task.a;
  for (size_t pair = 0; pair < task.pairs; ++pair, b += 2, a += 2) {
    const __m256i b0 = _mm256_loadu_si256(b), b1 = _mm256_loadu_si256(b + 1);
    for (int r = 0; r < R; ++r) {
      int both;
      memcpy(&both, a + static_cast<size_t>(r) * task.a_stride, sizeof both);
      const __m256i x = _mm256_set1_epi32(both);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, b0));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, b1));
    }
  }
  for (int r = 0; r < R; ++r) {
    __m256i* y = reinterpret_cast<__m256i*>(task.y + static_cast<size_t>(r) * task.y_stride);
    _mm256_storeu_si256(y, sum[r][0]);
    _mm256_storeu_si256(y + 1, sum[r][1]);
  }
}

void gemm(const Rank1Task& task) {
  switch (task.rows) {
    case 1:
      return gemm_rows<1>(task);
    case 2:
      return gemm_rows<2>(task);
    case 3:
      return gemm_rows<3>(task);
    default:
      return gemm_rows<4>(task);
  }
}

/// Both bytes of 16 table entries, for byte shuffles in each 128-bit half.
inline void split_bytes(const int16_t* entries, __m256i& low, __m256i& high) {
  alignas(16) uint8_t bytes[2][16];
  for (int i = 0; i < 16; ++i) {
    bytes[0][i] = static_cast<uint8_t>(entries[i] & 0xFF);
    bytes[1][i] = static_cast<uint8_t>((entries[i] >> 8) & 0xFF);
  }
  low = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes[0])));
  high = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes[1])));
}

void factors(const FactorTask& task) {
  size_t i = 0;
  if (task.additive != 0 && task.count >= 32) {
    __m256i l0, l1, h0, h1;
    split_bytes(task.low, l0, l1);
    split_bytes(task.high, h0, h1);
    const __m256i mask = _mm256_set1_epi8(15);
    for (; i + 32 <= task.count; i += 32) {
      // 64-bit quarters 0 2 1 3, so that unpacking within halves gives ascending order.
      const __m256i x = _mm256_permute4x64_epi64(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(task.bytes + i)), 0xD8);
      const __m256i lo = _mm256_and_si256(x, mask);
      const __m256i hi = _mm256_and_si256(_mm256_srli_epi16(x, 4), mask);
      const __m256i a0 = _mm256_shuffle_epi8(l0, lo), a1 = _mm256_shuffle_epi8(l1, lo);
      const __m256i b0 = _mm256_shuffle_epi8(h0, hi), b1 = _mm256_shuffle_epi8(h1, hi);
      __m256i* out = reinterpret_cast<__m256i*>(task.out + i);
      _mm256_storeu_si256(
          out, _mm256_add_epi16(_mm256_unpacklo_epi8(a0, a1), _mm256_unpacklo_epi8(b0, b1)));
      _mm256_storeu_si256(
          out + 1, _mm256_add_epi16(_mm256_unpackhi_epi8(a0, a1), _mm256_unpackhi_epi8(b0, b1)));
    }
  }
  for (; i < task.count; ++i) task.out[i] = task.u[task.bytes[i]];
}

}  // namespace

extern const Rank1Kernel kRank1Avx2;
const Rank1Kernel kRank1Avx2 = {factors, gemm};

}  // namespace axmul::detail
