// The gather yardstick: eight look-ups an instruction.
#include <immintrin.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

void gather_avx2(const GatherTask& t) {
  for (size_t n = 0; n < t.n; ++n) {
    const uint8_t* a = t.a + n * t.k;
    size_t m = 0;
    for (; m + 8 <= t.m; m += 8) {
      __m256i sum = _mm256_setzero_si256();
      for (size_t k = 0; k < t.k; ++k) {
        const __m256i column = _mm256_cvtepu8_epi32(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(t.b + k * t.m + m)));
        sum = _mm256_add_epi32(sum, _mm256_i32gather_epi32(t.table + (a[k] << 8), column, 4));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(t.y + n * t.m + m), sum);
    }
    for (; m < t.m; ++m) {
      int32_t sum = 0;
      for (size_t k = 0; k < t.k; ++k) sum += t.table[a[k] << 8 | t.b[k * t.m + m]];
      t.y[n * t.m + m] = sum;
    }
  }
}

}  // namespace axmul::detail
