// The inner loops of the error models, cloned for AVX2; compiled without contraction to FMA.
#include <algorithm>

#include "model/arithmetic.hpp"

#if defined(__x86_64__)
#define AXMUL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail {

namespace {
typedef double V4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef std::int32_t I4 __attribute__((vector_size(16), aligned(4), may_alias));
}  // namespace

AXMUL_CLONES
void weighted_rows(const std::int32_t* errors, const std::uint16_t* rows, std::size_t row_count,
                   const double* q, std::size_t first, std::size_t last, std::int32_t shift,
                   double* out, double* squares) {
  const I4 shifts = {shift, shift, shift, shift};
  for (std::size_t i = 0; i < row_count; ++i) {
    const std::int32_t* row = errors + std::size_t{rows[i]} * 256;
    V4 s0 = {}, s1 = {}, t0 = {}, t1 = {};
    for (std::size_t b = first; b < last; b += 8) {
      const V4 e0 = __builtin_convertvector(*reinterpret_cast<const I4*>(row + b) - shifts, V4);
      const V4 e1 = __builtin_convertvector(*reinterpret_cast<const I4*>(row + b + 4) - shifts, V4);
      const V4 w0 = e0 * *reinterpret_cast<const V4*>(q + b);
      const V4 w1 = e1 * *reinterpret_cast<const V4*>(q + b + 4);
      s0 += w0;
      s1 += w1;
      t0 += w0 * e0;
      t1 += w1 * e1;
    }
    s0 += s1;
    t0 += t1;
    out[i] = (s0[0] + s0[1]) + (s0[2] + s0[3]);
    squares[i] = (t0[0] + t0[1]) + (t0[2] + t0[3]);
  }
}

AXMUL_CLONES
void sparse_times_panel(const std::uint32_t* offsets, const std::uint16_t* indices,
                        const double* weights, std::size_t patches, const double* panel,
                        double* sums) {
  for (std::size_t s = 0; s < patches; ++s) {
    V4 x0 = {}, x1 = {};
    for (std::uint32_t i = offsets[s]; i < offsets[s + 1]; ++i) {
      const double* row = panel + std::size_t{indices[i]} * kLanes;
      const double w = weights[i];
      x0 += *reinterpret_cast<const V4*>(row) * w;
      x1 += *reinterpret_cast<const V4*>(row + 4) * w;
    }
    *reinterpret_cast<V4*>(sums + s * kLanes) = x0;
    *reinterpret_cast<V4*>(sums + s * kLanes + 4) = x1;
  }
}

AXMUL_CLONES
void rows_times_panel(const double* rows, std::size_t count, std::size_t stride, std::size_t inner,
                      const double* panel, double* c) {
  for (std::size_t a = 0; a < count; a += 4) {
    const double *r0 = rows + a * stride, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;
    V4 x00 = {}, x01 = {}, x10 = {}, x11 = {}, x20 = {}, x21 = {}, x30 = {}, x31 = {};
    for (std::size_t b = 0; b < inner; ++b) {
      const V4 y0 = *reinterpret_cast<const V4*>(panel + b * kLanes);
      const V4 y1 = *reinterpret_cast<const V4*>(panel + b * kLanes + 4);
      x00 += y0 * r0[b];
      x01 += y1 * r0[b];
      x10 += y0 * r1[b];
      x11 += y1 * r1[b];
      x20 += y0 * r2[b];
      x21 += y1 * r2[b];
      x30 += y0 * r3[b];
      x31 += y1 * r3[b];
    }
    V4* to = reinterpret_cast<V4*>(c + a * kLanes);
    to[0] = x00;
    to[1] = x01;
    to[2] = x10;
    to[3] = x11;
    to[4] = x20;
    to[5] = x21;
    to[6] = x30;
    to[7] = x31;
  }
}

AXMUL_CLONES
void quadratic_forms(const double* upper, std::size_t size, const double* panel, double* out) {
  V4 total0 = {}, total1 = {};
  for (std::size_t a = 0; a < size; a += 4) {
    const double *r0 = upper + a * size, *r1 = r0 + size, *r2 = r1 + size, *r3 = r2 + size;
    V4 x00 = {}, x01 = {}, x10 = {}, x11 = {}, x20 = {}, x21 = {}, x30 = {}, x31 = {};
    for (std::size_t b = a; b < size; ++b) {
      const V4 y0 = *reinterpret_cast<const V4*>(panel + b * kLanes);
      const V4 y1 = *reinterpret_cast<const V4*>(panel + b * kLanes + 4);
      x00 += y0 * r0[b];
      x01 += y1 * r0[b];
      x10 += y0 * r1[b];
      x11 += y1 * r1[b];
      x20 += y0 * r2[b];
      x21 += y1 * r2[b];
      x30 += y0 * r3[b];
      x31 += y1 * r3[b];
    }
    const V4* x = reinterpret_cast<const V4*>(panel + a * kLanes);
    total0 += (x00 * x[0] + x10 * x[2]) + (x20 * x[4] + x30 * x[6]);
    total1 += (x01 * x[1] + x11 * x[3]) + (x21 * x[5] + x31 * x[7]);
  }
  *reinterpret_cast<V4*>(out) = total0;
  *reinterpret_cast<V4*>(out + 4) = total1;
}

AXMUL_CLONES
void gather_errors(const std::int32_t* errors, const std::uint16_t* rows, std::size_t row_count,
                   const std::uint16_t* columns, std::size_t column_count, std::size_t stride,
                   std::int32_t shift, const double* p, const double* q, double* values,
                   double* row_mean, double* column_mean) {
  std::fill(column_mean, column_mean + column_count, 0.0);
  for (std::size_t a = 0; a < row_count; ++a) {
    const std::int32_t* row = errors + std::size_t{rows[a]} * 256;
    double* to = values + a * stride;
    for (std::size_t j = 0; j < column_count; ++j)
      to[j] = static_cast<double>(row[columns[j]] - shift);
    const double weight = p[a];
    double partial[4] = {};
    std::size_t j = 0;
    for (; j + 4 <= column_count; j += 4)
      for (std::size_t lane = 0; lane < 4; ++lane) partial[lane] += to[j + lane] * q[j + lane];
    for (; j < column_count; ++j) partial[0] += to[j] * q[j];
    row_mean[a] = (partial[0] + partial[1]) + (partial[2] + partial[3]);
    for (std::size_t b = 0; b < column_count; ++b) column_mean[b] += weight * to[b];
  }
}

AXMUL_CLONES
void center_errors(double* values, std::size_t row_count, std::size_t column_count,
                   std::size_t stride, const double* row_mean, const double* column_mean,
                   double mean, const double* p, const double* q, double* column_square,
                   double* row_square) {
  std::fill(column_square, column_square + column_count, 0.0);
  for (std::size_t a = 0; a < row_count; ++a) {
    double* row = values + a * stride;
    const double offset = row_mean[a] - mean, weight = p[a];
    for (std::size_t j = 0; j < column_count; ++j) {
      row[j] = (row[j] - column_mean[j]) - offset;
      column_square[j] += weight * (row[j] * row[j]);
    }
    double partial[4] = {};
    std::size_t j = 0;
    for (; j + 4 <= column_count; j += 4)
      for (std::size_t lane = 0; lane < 4; ++lane)
        partial[lane] += q[j + lane] * (row[j + lane] * row[j + lane]);
    for (; j < column_count; ++j) partial[0] += q[j] * (row[j] * row[j]);
    row_square[a] = (partial[0] + partial[1]) + (partial[2] + partial[3]);
  }
}

AXMUL_CLONES
void column_moments(const double* y, std::size_t rows, std::size_t columns, double* mean,
                    double* variance) {
  std::fill(mean, mean + columns, 0.0);
  std::fill(variance, variance + columns, 0.0);
  for (std::size_t s = 0; s < rows; ++s)
    for (std::size_t m = 0; m < columns; ++m) mean[m] += y[s * columns + m];
  const double count = static_cast<double>(rows);
  for (std::size_t m = 0; m < columns; ++m) mean[m] /= count;
  for (std::size_t s = 0; s < rows; ++s)
    for (std::size_t m = 0; m < columns; ++m) {
      const double d = y[s * columns + m] - mean[m];
      variance[m] += d * d;
    }
  for (std::size_t m = 0; m < columns; ++m) variance[m] /= count;
}

}  // namespace axmul::detail
