// The column-table micro-kernel, for vectors of any width: what x86_column_*.cpp have in common.
// All in the unnamed namespace, so that each of them keeps its own; they include immintrin.h first.
#pragma once

#include "kernels/micro.hpp"

namespace axmul::detail {
namespace {

template <class Vector, int V>
constexpr int kRowBytes = Vector::kBytes* V;  // of a table

// Rows whose activations are turned into table offsets together, in the first-level cache.
constexpr size_t kBlockRows = 32;
// Offsets of one row: those of both planes' pieces, and what the last store may write beyond.
constexpr size_t kOffsets = 2 * kColumnGroupTaps + 16;
using Offsets = uint16_t[kOffsets];

/// Table offsets of `taps` activations: the byte times the bytes of a table row.
template <bool kSigned, int kRowBytes>
inline __attribute__((always_inline)) void scale(const uint8_t* a, size_t taps, uint16_t* out) {
  constexpr int kShift = kRowBytes == 32 ? 5 : kRowBytes == 64 ? 6 : 7;
  size_t i = 0;
  for (; i + 16 <= taps; i += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i));
    const __m256i wide = kSigned ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_slli_epi16(wide, kShift));
  }
  if (i + 8 <= taps) {
    const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(a + i));
    const __m128i wide = kSigned ? _mm_cvtepi8_epi16(x) : _mm_cvtepu8_epi16(x);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm_slli_epi16(wide, kShift));
    i += 8;
  }
  for (; i < taps; ++i) {
    const int x = kSigned ? static_cast<int8_t>(a[i]) : a[i];
    out[i] = static_cast<uint16_t>(x * kRowBytes);
  }
}

/// Table offsets of all pieces for a block of rows; pieces that follow one another are one run.
template <bool kSigned, int kRowBytes>
void scale_block(const ColumnTask& task, size_t first, size_t rows, Offsets* offsets) {
  const ColumnPiece* const end = task.pieces + task.piece_count;
  size_t place = 0;
  for (const ColumnPiece* piece = task.pieces; piece != end;) {
    const ptrdiff_t offset = piece->offset;
    size_t taps = 0;
    do taps += piece++->taps;
    while (piece != end && piece->offset == offset + static_cast<ptrdiff_t>(taps));
    for (size_t r = 0; r < rows; ++r)
      scale<kSigned, kRowBytes>(task.base + task.row_offset[first + r] + offset, taps,
                                offsets[r] + place);
    place += taps;
  }
}

/// Sums of R rows over V vectors of 16 or 32 channels. 16-bit sums are exact because the caller
/// ends a chunk before they could wrap; the even and odd lanes of a table row hold channels of the
/// lower and upper half.
template <class Vector, bool kSigned, int R, int V>
inline __attribute__((always_inline)) void column_rows(const ColumnTask& task,
                                                       const Offsets* offsets, size_t row) {
  // `whole` adds up even + 65536 odd modulo 2^32, `odd` the odd lanes: the even ones are the rest.
  typename Vector::Type whole[R][V], odd[R][V], sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) whole[r][v] = odd[r][v] = sum[r][v] = Vector::zero();
  constexpr ptrdiff_t stride = column_tap_stride(kRowBytes<Vector, V>);
  const uint16_t* x = offsets[0];
  const auto add_row = [&](int r, const unsigned char* table, uint16_t bits)
      __attribute__((always_inline)) {
    const unsigned char* entry =
        table + (kSigned ? ptrdiff_t{static_cast<int16_t>(bits)} : ptrdiff_t{bits});
    for (int v = 0; v < V; ++v) Vector::add_lanes(sum[r][v], entry + v * Vector::kBytes);
  };
  for (const ColumnPiece* piece = task.pieces; piece != task.pieces + task.piece_count; ++piece) {
    const unsigned char* table = task.table + piece->table;
    uint32_t left = piece->taps;
    for (; left >= 4; left -= 4, table += 4 * stride, x += 4)
      for (int t = 0; t < 4; t += 2)
        for (int r = 0; r < R; ++r) {
          const uint16_t* at = x + static_cast<size_t>(r) * kOffsets + static_cast<size_t>(t);
          if constexpr (V == 1) {
            add_row(r, table + t * stride, at[0]);
            add_row(r, table + (t + 1) * stride, at[1]);
          } else {  // one load for two offsets, as loads are what limits here
            uint32_t two;
            __builtin_memcpy(&two, at, sizeof two);
            add_row(r, table + t * stride, static_cast<uint16_t>(two));
            add_row(r, table + (t + 1) * stride, static_cast<uint16_t>(two >> 16));
          }
        }
    for (; left > 0; --left, table += stride, ++x)
      for (int r = 0; r < R; ++r) add_row(r, table, x[static_cast<size_t>(r) * kOffsets]);
    if (piece->flush == 0) continue;
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) {
        typename Vector::Type w = sum[r][v], o = Vector::upper(w);
        if (piece->shift != 0) {
          w = Vector::shift_left(w, piece->shift);
          o = Vector::shift_left(o, piece->shift);
        }
        whole[r][v] = Vector::add(whole[r][v], w);
        odd[r][v] = Vector::add(odd[r][v], o);
        sum[r][v] = Vector::zero();
      }
  }
  for (int r = 0; r < R; ++r) {
    int32_t* y = task.y + (row + static_cast<size_t>(r)) * task.y_stride;
    for (int v = 0; v < V; ++v, y += Vector::kBytes / 2) {
      Vector::add_to(y, Vector::sub(whole[r][v], Vector::shift_left(odd[r][v], 16)));
      Vector::add_to(y + Vector::kBytes / 4, odd[r][v]);
    }
  }
}

/// Asks for the activations and sums of rows to come: far apart in memory, they are no pattern for
/// the hardware.
template <class Vector, int V>
void prefetch_rows(const ColumnTask& task, size_t first, size_t end) {
  const ColumnPiece& last = task.pieces[task.piece_count - 1];
  const ptrdiff_t from = task.pieces[0].offset;
  const ptrdiff_t to = last.offset + static_cast<ptrdiff_t>(last.taps) - 1;
  for (size_t r = first; r < end; ++r) {
    const uint8_t* a = task.base + task.row_offset[r];
    _mm_prefetch(reinterpret_cast<const char*>(a + from), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(a + to), _MM_HINT_T0);
    for (int i = 0; i < kRowBytes<Vector, V> / 2; i += 16)
      _mm_prefetch(reinterpret_cast<const char*>(task.y + r * task.y_stride + i), _MM_HINT_T0);
  }
}

template <class Vector, bool kSigned, int R, int V>
void column(const ColumnTask& task) {
  alignas(64) Offsets offsets[kBlockRows];
  for (size_t first = 0; first < task.rows; first += kBlockRows) {
    const size_t rows = first + kBlockRows < task.rows ? kBlockRows : task.rows - first;
    scale_block<kSigned, kRowBytes<Vector, V>>(task, first, rows, offsets);
    const size_t next = first + rows;
    prefetch_rows<Vector, V>(task, next,
                             next + kBlockRows < task.rows ? next + kBlockRows : task.rows);
    size_t r = 0;
    for (; r + R <= rows; r += R) column_rows<Vector, kSigned, R, V>(task, offsets + r, first + r);
    for (; r < rows; ++r) column_rows<Vector, kSigned, 1, V>(task, offsets + r, first + r);
  }
}

}  // namespace
}  // namespace axmul::detail
