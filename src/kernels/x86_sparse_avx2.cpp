// Column-table micro-kernels for AVX2 that visit only the activations that differ from the
// commonest one, whose entries are all zero.
#include <immintrin.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

extern const ColumnKernel kColumnAvx2;
extern const ColumnKernel kSparseAvx2;

namespace {

/// Bit i of the result: taps[i] != skip; at most 64 taps.
inline __attribute__((always_inline)) uint64_t visit_mask(const uint8_t* taps, uint32_t count,
                                                          uint8_t skip) {
  uint64_t mask = 0;
  uint32_t i = 0;
  const __m256i same = _mm256_set1_epi8(static_cast<char>(skip));
  for (; i + 32 <= count; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(taps + i));
    const auto equal = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, same)));
    mask |= static_cast<uint64_t>(~equal) << i;
  }
  for (; i + 8 <= count; i += 8) {
    const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(taps + i));
    const auto equal =
        static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm256_castsi256_si128(same))));
    mask |= static_cast<uint64_t>(~equal & 0xFF) << i;
  }
  for (; i < count; ++i) mask |= static_cast<uint64_t>(taps[i] != skip) << i;
  return mask;
}

template <bool kSigned, int V>
void sparse(const ColumnTask& task) {
  constexpr size_t kStride = static_cast<size_t>(column_tap_stride(32 * V));
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* a = task.base + task.row_offset[row];
    if (row + 16 < task.rows)
      _mm_prefetch(reinterpret_cast<const char*>(task.base + task.row_offset[row + 16] +
                                                 task.pieces[0].offset),
                   _MM_HINT_T0);
    __m256i even[V], odd[V], sum[V];
    for (int v = 0; v < V; ++v) even[v] = odd[v] = sum[v] = _mm256_setzero_si256();
    for (const ColumnPiece* p = task.pieces; p != task.pieces + task.piece_count; ++p) {
      const uint8_t* taps = a + p->offset;
      const unsigned char* table = task.table + p->table;
      for (uint64_t mask = visit_mask(taps, p->taps, task.skip); mask != 0; mask &= mask - 1) {
        const auto i = static_cast<size_t>(__builtin_ctzll(mask));
        const ptrdiff_t x = kSigned ? static_cast<int8_t>(taps[i]) : taps[i];
        const __m256i* entry = reinterpret_cast<const __m256i*>(table + i * kStride + x * (32 * V));
        for (int v = 0; v < V; ++v) sum[v] = _mm256_add_epi16(sum[v], _mm256_load_si256(entry + v));
      }
      if (p->flush == 0) continue;
      for (int v = 0; v < V; ++v) {
        even[v] = _mm256_add_epi32(even[v], _mm256_srai_epi32(_mm256_slli_epi32(sum[v], 16), 16));
        odd[v] = _mm256_add_epi32(odd[v], _mm256_srai_epi32(sum[v], 16));
        sum[v] = _mm256_setzero_si256();
      }
    }
    __m256i* y = reinterpret_cast<__m256i*>(task.y + row * task.y_stride);
    for (int v = 0; v < V; ++v) {
      _mm256_storeu_si256(y + 2 * v, _mm256_add_epi32(_mm256_loadu_si256(y + 2 * v), even[v]));
      _mm256_storeu_si256(y + 2 * v + 1,
                          _mm256_add_epi32(_mm256_loadu_si256(y + 2 * v + 1), odd[v]));
    }
  }
}

}  // namespace

const ColumnKernel kSparseAvx2 = {16,
                                  {{sparse<false, 1>, sparse<false, 2>, sparse<false, 4>},
                                   {sparse<true, 1>, sparse<true, 2>, sparse<true, 4>}},
                                  nullptr,  // scan and build are the dense kernel's
                                  nullptr};

}  // namespace axmul::detail
