// Column-table micro-kernels for AVX2: one byte load and 16 exact products per 256-bit load-add.
#include <immintrin.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

/// Sums of R rows over V vectors of 16 channels. 16-bit sums are exact because the caller ends a
/// chunk before they could wrap; the even and odd lanes of a table row hold channels 0-7 and 8-15.
template <bool kSigned, int R, int V>
inline __attribute__((always_inline)) void column_rows(const ColumnTask& task, size_t row) {
  const uint8_t* a[R];
  for (int r = 0; r < R; ++r) a[r] = task.base + task.row_offset[row + static_cast<size_t>(r)];
  const __m256i low = _mm256_set1_epi32(0xFFFF);
  __m256i even[R][V], odd[R][V], sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) even[r][v] = odd[r][v] = sum[r][v] = _mm256_setzero_si256();
  constexpr ptrdiff_t stride = column_tap_stride(32 * V);
  const auto add_tap = [&](const unsigned char* table, const uint8_t* const* taps, ptrdiff_t i)
      __attribute__((always_inline)) {
    for (int r = 0; r < R; ++r) {
      const ptrdiff_t x = kSigned ? static_cast<int8_t>(taps[r][i]) : taps[r][i];
      const unsigned char* entry = table + x * (32 * V);
      for (int v = 0; v < V; ++v)
        sum[r][v] = _mm256_add_epi16(
            sum[r][v], _mm256_load_si256(reinterpret_cast<const __m256i*>(entry) + v));
    }
  };
  for (const ColumnPiece* piece = task.pieces; piece != task.pieces + task.piece_count; ++piece) {
    const unsigned char* table = task.table + piece->table;
    const uint8_t* taps[R];
    for (int r = 0; r < R; ++r) taps[r] = a[r] + piece->offset;
    uint32_t left = piece->taps;
    for (; left >= 4; left -= 4) {
      add_tap(table, taps, 0);
      add_tap(table + stride, taps, 1);
      add_tap(table + 2 * stride, taps, 2);
      add_tap(table + 3 * stride, taps, 3);
      table += 4 * stride;
      for (int r = 0; r < R; ++r) taps[r] += 4;
    }
    for (; left > 0; --left) {
      add_tap(table, taps, 0);
      table += stride;
      for (int r = 0; r < R; ++r) taps[r] += 1;
    }
    if (piece->flush == 0) continue;
    const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(piece->shift));
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) {
        const __m256i e = _mm256_and_si256(sum[r][v], low), o = _mm256_srli_epi32(sum[r][v], 16);
        even[r][v] = _mm256_add_epi32(even[r][v], _mm256_sll_epi32(e, shift));
        odd[r][v] = _mm256_add_epi32(odd[r][v], _mm256_sll_epi32(o, shift));
        sum[r][v] = _mm256_setzero_si256();
      }
  }
  for (int r = 0; r < R; ++r) {
    __m256i* y =
        reinterpret_cast<__m256i*>(task.y + (row + static_cast<size_t>(r)) * task.y_stride);
    for (int v = 0; v < V; ++v) {
      _mm256_storeu_si256(y + 2 * v, _mm256_add_epi32(_mm256_loadu_si256(y + 2 * v), even[r][v]));
      _mm256_storeu_si256(y + 2 * v + 1,
                          _mm256_add_epi32(_mm256_loadu_si256(y + 2 * v + 1), odd[r][v]));
    }
  }
}

template <bool kSigned, int R, int V>
void column(const ColumnTask& task) {
  // Rows far apart in memory are no pattern for the hardware: their bytes are asked for in time.
  constexpr size_t kAhead = 16;
  const ptrdiff_t first = task.pieces[0].offset;
  const ptrdiff_t last = task.pieces[task.piece_count - 1].offset +
                         static_cast<ptrdiff_t>(task.pieces[task.piece_count - 1].taps) - 1;
  size_t row = 0;
  for (; row + R <= task.rows; row += R) {
    if (row + kAhead + R <= task.rows)
      for (size_t r = row + kAhead; r < row + kAhead + R; ++r) {
        _mm_prefetch(reinterpret_cast<const char*>(task.base + task.row_offset[r] + first),
                     _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(task.base + task.row_offset[r] + last),
                     _MM_HINT_T0);
        for (int v = 0; v < V; ++v)
          _mm_prefetch(reinterpret_cast<const char*>(task.y + r * task.y_stride + 16 * v),
                       _MM_HINT_T0);
      }
    column_rows<kSigned, R, V>(task, row);
  }
  for (; row < task.rows; ++row) column_rows<kSigned, 1, V>(task, row);
}

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
    {{column<false, 4, 1>, column<false, 2, 2>, column<false, 1, 4>},
     {column<true, 4, 1>, column<true, 2, 2>, column<true, 1, 4>}},
    scan,
    build,
};

}  // namespace axmul::detail
