// Column-table micro-kernels for AVX2: one byte load and 16 exact products per 256-bit load-add.
#include <immintrin.h>

#include "kernels/micro.hpp"
#include "kernels/x86_column_rows.hpp"

namespace axmul::detail {

namespace {

struct Vector256 {
  using Type = __m256i;
  typedef uint32_t Wide __attribute__((vector_size(32)));
  static constexpr int kBytes = 32;
  static Type zero() { return _mm256_setzero_si256(); }
  static Type add(Type a, Type b) { return _mm256_add_epi32(a, b); }
  static Type sub(Type a, Type b) { return _mm256_sub_epi32(a, b); }
  static Type upper(Type a) { return (Type)((Wide)a >> 16); }
  static Type shift_left(Type a, uint32_t bits) { return (Type)((Wide)a << bits); }
  static void add_lanes(Type& sum, const unsigned char* entry) {
    sum = _mm256_add_epi16(sum, _mm256_load_si256(reinterpret_cast<const Type*>(entry)));
    // No code, but it keeps the compiler from regrouping additions, which parts them from loads.
    asm("" : "+x"(sum));
  }
  static void add_to(int32_t* y, Type a) {
    _mm256_storeu_si256(reinterpret_cast<Type*>(y),
                        add(_mm256_loadu_si256(reinterpret_cast<const Type*>(y)), a));
  }
};

void scan(const ScanTask& task) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(task.flip));
  const __m256i zero = _mm256_setzero_si256();
  __m256i least = _mm256_set1_epi8(static_cast<char>(*task.least));
  __m128i least8 = _mm256_castsi256_si128(least);  // its lower 8 bytes count
  uint8_t scalar_least = *task.least;
  const size_t whole = task.length / 32 * 32;
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* a = task.base + task.row_offset[row];
    __m256i sum = zero;
    size_t i = 0;
    for (; i < whole; i += 32) {
      const __m256i x =
          _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)), flip);
      __m256i* largest = reinterpret_cast<__m256i*>(task.largest + i);
      _mm256_storeu_si256(largest, _mm256_max_epu8(_mm256_loadu_si256(largest), x));
      least = _mm256_min_epu8(least, x);
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(x, zero));
    }
    for (; i + 8 <= task.length; i += 8) {
      const __m128i x = _mm_xor_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(a + i)),
                                      _mm256_castsi256_si128(flip));
      __m128i* largest = reinterpret_cast<__m128i*>(task.largest + i);
      _mm_storel_epi64(largest, _mm_max_epu8(_mm_loadl_epi64(largest), x));
      least8 = _mm_min_epu8(least8, x);
      sum = _mm256_add_epi64(
          sum, _mm256_zextsi128_si256(_mm_sad_epu8(_mm_move_epi64(x), _mm_setzero_si128())));
    }
    uint32_t tail = 0;
    for (; i < task.length; ++i) {
      const uint8_t x = static_cast<uint8_t>(a[i] ^ task.flip);
      if (x > task.largest[i]) task.largest[i] = x;
      if (x < scalar_least) scalar_least = x;
      tail += x;
    }
    const __m128i half =
        _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    task.sum[row] += tail + static_cast<uint32_t>(_mm_cvtsi128_si32(half)) +
                     static_cast<uint32_t>(_mm_extract_epi32(half, 2));
  }
  alignas(32) uint8_t bytes[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), least);
  for (int i = 0; i < 32; ++i)
    if (bytes[i] < scalar_least) scalar_least = bytes[i];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), least8);
  for (int i = 0; i < 8; ++i)
    if (bytes[i] < scalar_least) scalar_least = bytes[i];
  *task.least = scalar_least;
}

/// Transposes 16 columns 8 levels at a time: two 8x8 blocks of 16-bit, one per 128-bit half.
void build(const BuildTask& task) {
  for (size_t level = 0; level < task.levels; level += 8) {
    __m256i c[8], t[8];
    for (int i = 0; i < 8; ++i)
      c[i] = _mm256_inserti128_si256(
          _mm256_castsi128_si256(
              _mm_loadu_si128(reinterpret_cast<const __m128i*>(task.columns[i] + level))),
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(task.columns[8 + i] + level)), 1);
    for (int i = 0; i < 4; ++i) {
      t[2 * i] = _mm256_unpacklo_epi16(c[2 * i], c[2 * i + 1]);
      t[2 * i + 1] = _mm256_unpackhi_epi16(c[2 * i], c[2 * i + 1]);
    }
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) {
        c[4 * i + 2 * j] = _mm256_unpacklo_epi32(t[4 * i + j], t[4 * i + 2 + j]);
        c[4 * i + 2 * j + 1] = _mm256_unpackhi_epi32(t[4 * i + j], t[4 * i + 2 + j]);
      }
    unsigned char* out = task.table + level * task.row_stride;
    for (int j = 0; j < 4; ++j) {
      _mm256_store_si256(
          reinterpret_cast<__m256i*>(out + static_cast<size_t>(2 * j) * task.row_stride),
          _mm256_unpacklo_epi64(c[j], c[4 + j]));
      _mm256_store_si256(
          reinterpret_cast<__m256i*>(out + static_cast<size_t>(2 * j + 1) * task.row_stride),
          _mm256_unpackhi_epi64(c[j], c[4 + j]));
    }
  }
}

}  // namespace

extern const ColumnKernel kColumnAvx2;
const ColumnKernel kColumnAvx2 = {
    16,
    {{column<Vector256, false, 4, 1>, column<Vector256, false, 2, 2>, nullptr},
     {column<Vector256, true, 4, 1>, column<Vector256, true, 2, 2>, nullptr}},
    scan,
    build,
};

}  // namespace axmul::detail
