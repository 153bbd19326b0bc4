// The vectorised inner loops of the statistics, in fixed lanes: both clones give the same bits.
#include "stats/sums_simd.hpp"

#include <cstring>
#include <limits>

// Vector types never cross an object file's boundary, so their calling convention does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

#if defined(__x86_64__)
#define AXMUL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail::stats {
namespace {

using F64x4 = double __attribute__((vector_size(32)));
using I64x4 = std::int64_t __attribute__((vector_size(32)));
using U16x4 = std::uint16_t __attribute__((vector_size(8)));
using U16x16 = std::uint16_t __attribute__((vector_size(32)));

template <class V, class T>
[[gnu::always_inline]] inline V load(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class V, class T>
[[gnu::always_inline]] inline void store(T* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}

[[gnu::always_inline]] inline F64x4 splat(double x) { return F64x4{x, x, x, x}; }
/// x[j] = e[j] − centre, exact. A loop of its own, which becomes one conversion of four lanes;
/// g++ 12 makes six instructions of __builtin_convertvector.
[[gnu::always_inline]] inline void widen(const std::int32_t* e, std::size_t n, std::int32_t centre,
                                         double* __restrict x) {
  for (std::size_t j = 0; j < n; ++j) x[j] = e[j] - centre;
}
[[gnu::always_inline]] inline F64x4 keep(F64x4 x, I64x4 mask) {
  return reinterpret_cast<F64x4>(reinterpret_cast<I64x4>(x) & mask);
}
[[gnu::always_inline]] inline F64x4 absolute(F64x4 x) {
  constexpr std::int64_t m = std::numeric_limits<std::int64_t>::max();
  return keep(x, I64x4{m, m, m, m});
}
template <class F>
[[gnu::always_inline]] inline void add_to_columns(const std::int32_t* e, const std::int32_t* centre,
                                                  std::size_t n, F&& weight, double* __restrict x1,
                                                  double* __restrict x2) {
  for (std::size_t j = 0; j < n; ++j) {
    const double x = e[j] - centre[j];
    const double wx = weight(j) * x;
    x1[j] += wx;
    x2[j] += wx * x;
  }
}

[[gnu::always_inline]] inline void extremes(const std::int32_t* e, std::size_t n, std::int32_t& min,
                                            std::int32_t& max) {
  std::int32_t low = e[0], high = e[0];
  for (std::size_t j = 0; j < n; ++j) {
    low = e[j] < low ? e[j] : low;
    high = e[j] > high ? e[j] : high;
  }
  min = low;
  max = high;
}

/// Lanes 0-3 and 4-7 to one number, always in this order.
[[gnu::always_inline]] inline double total(F64x4 low, F64x4 high) {
  const F64x4 s = low + high;
  return (s[0] + s[2]) + (s[1] + s[3]);
}

}  // namespace

AXMUL_CLONES
void row_sums(const std::int32_t* e, Shape shape, Weights weights, RowSums* out) {
  alignas(32) double buffer[256];
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int32_t* er = e + row * shape.cols;
    const double* wr = weights.data + row * weights.stride;
    F64x4 error[2] = {}, abs[2] = {}, square[2] = {}, nonzero[2] = {};
    RowSums& r = out[row];
    extremes(er, shape.cols, r.min, r.max);
    widen(er, shape.cols, 0, buffer);
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 w = load<F64x4>(wr + j + 4 * h), x = load<F64x4>(buffer + j + 4 * h);
        const F64x4 wx = w * x;
        error[h] += wx;
        abs[h] += absolute(wx);
        square[h] += wx * x;
        nonzero[h] += keep(w, x != splat(0.0));
      }
    r.error = total(error[0], error[1]);
    r.abs = total(abs[0], abs[1]);
    r.square = total(square[0], square[1]);
    r.nonzero = total(nonzero[0], nonzero[1]);
  }
}

AXMUL_CLONES
void row_moments(const std::int32_t* e, Shape shape, Weights weights, const std::int32_t* centre,
                 RowMoments* out) {
  alignas(32) double buffer[256];
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int32_t* er = e + row * shape.cols;
    const double* wr = weights.data + row * weights.stride;
    widen(er, shape.cols, centre[row], buffer);
    F64x4 x1[2] = {}, x2[2] = {}, x3[2] = {}, x4[2] = {};
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 w = load<F64x4>(wr + j + 4 * h), x = load<F64x4>(buffer + j + 4 * h);
        const F64x4 square = x * x, wx = w * x, wsquare = wx * x;
        x1[h] += wx;
        x2[h] += wsquare;
        x3[h] += wsquare * x;
        x4[h] += wsquare * square;
      }
    out[row] = {total(x1[0], x1[1]), total(x2[0], x2[1]), total(x3[0], x3[1]), total(x4[0], x4[1])};
  }
}

AXMUL_CLONES
void basic_rows(const std::int32_t* const* products, const std::int32_t* a, const std::int32_t* b,
                Shape shape, const double* weights, double total_weight, BasicRow* out) {
  alignas(32) std::int32_t e[256];  // one row stays in the first-level cache for every sweep
  alignas(32) double buffer[256];
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int32_t *f = products[row], ai = a[row];
    for (std::size_t j = 0; j < shape.cols; ++j) {
      e[j] = f[j] - ai * b[j];
      buffer[j] = e[j];
    }
    BasicRow& r = out[row];
    extremes(e, shape.cols, r.min, r.max);
    F64x4 error[2] = {}, abs[2] = {}, nonzero[2] = {};
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 w = load<F64x4>(weights + j + 4 * h), x = load<F64x4>(buffer + j + 4 * h);
        const F64x4 wx = w * x;
        error[h] += wx;
        abs[h] += absolute(wx);
        nonzero[h] += keep(w, x != splat(0.0));
      }
    const double mean = total(error[0], error[1]) / total_weight;
    r.centre = static_cast<std::int32_t>(mean + (mean < 0 ? -0.5 : 0.5));
    const F64x4 centre = splat(static_cast<double>(r.centre));
    F64x4 x1[2] = {}, x2[2] = {};
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 x = load<F64x4>(buffer + j + 4 * h) - centre;
        const F64x4 wx = load<F64x4>(weights + j + 4 * h) * x;
        x1[h] += wx;
        x2[h] += wx * x;
      }
    r.abs = total(abs[0], abs[1]);
    r.nonzero = total(nonzero[0], nonzero[1]);
    r.x1 = total(x1[0], x1[1]);
    r.x2 = total(x2[0], x2[1]);
  }
}

AXMUL_CLONES
void column_moments(const std::int32_t* e, Shape shape, const double* row_weight, Weights weights,
                    const std::int32_t* centre, double* x1, double* x2) {
  // Every column is its own sum over ascending rows, so these loops have no order to lose.
  for (std::size_t j = 0; j < shape.cols; ++j) x1[j] = x2[j] = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int32_t* er = e + row * shape.cols;
    if (row_weight != nullptr)
      add_to_columns(
          er, centre, shape.cols, [w = row_weight[row]](std::size_t) { return w; }, x1, x2);
    else
      add_to_columns(
          er, centre, shape.cols,
          [w = weights.data + row * weights.stride](std::size_t j) { return w[j]; }, x1, x2);
  }
}

AXMUL_CLONES
void row_interaction(const std::int32_t* e, Shape shape, Weights weights, std::int32_t centre,
                     const double* row_offset, const double* col_offset, double* out) {
  alignas(32) double buffer[256];
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int32_t* er = e + row * shape.cols;
    const double* wr = weights.data + row * weights.stride;
    const F64x4 offset = splat(row_offset[row]);
    widen(er, shape.cols, centre, buffer);
    F64x4 square[2] = {};
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 y =
            (load<F64x4>(buffer + j + 4 * h) - offset) - load<F64x4>(col_offset + j + 4 * h);
        square[h] += load<F64x4>(wr + j + 4 * h) * (y * y);
      }
    out[row] = total(square[0], square[1]);
  }
}

AXMUL_CLONES
void row_relative(const std::int32_t* e, Shape shape, Weights weights, const double* abs_a,
                  const double* abs_b, RowRelative* out) {
  alignas(32) double buffer[256];
  for (std::size_t row = 0; row < shape.rows; ++row) {
    out[row] = {0, 0};
    if (abs_a[row] == 0) continue;
    const std::int32_t* er = e + row * shape.cols;
    const double* wr = weights.data + row * weights.stride;
    const F64x4 a = splat(abs_a[row]);
    widen(er, shape.cols, 0, buffer);
    F64x4 sum[2] = {}, max[2] = {};
    for (std::size_t j = 0; j < shape.cols; j += 8)
      for (std::size_t h = 0; h < 2; ++h) {
        const F64x4 w = load<F64x4>(wr + j + 4 * h);
        const F64x4 x = absolute(load<F64x4>(buffer + j + 4 * h));
        const F64x4 exact = a * load<F64x4>(abs_b + j + 4 * h);
        const F64x4 ratio = keep(x / exact, w != splat(0.0));
        sum[h] += w * ratio;
        max[h] = ratio > max[h] ? ratio : max[h];
      }
    out[row].sum = total(sum[0], sum[1]);
    for (int l = 0; l < 8; ++l)
      if (max[l / 4][l % 4] > out[row].max) out[row].max = max[l / 4][l % 4];
  }
}

AXMUL_CLONES
void bit_rates(const std::uint16_t* flips, Shape shape, const double* row_weight, Weights weights,
               double* rate) {
  for (int half = 0; half < 2; ++half) {  // 8 accumulators at a time stay in registers
    F64x4 sum[8] = {};
    for (std::size_t row = 0; row < shape.rows; ++row) {
      const std::uint16_t* fr = flips + row * shape.cols;
      const double* wr = weights.data + row * weights.stride;
      F64x4 in_row[8] = {};
      for (std::size_t j = 0; j < shape.cols; j += 4) {
        const I64x4 x = __builtin_convertvector(load<U16x4>(fr + j), I64x4);
        const F64x4 w = load<F64x4>(wr + j);
        for (int k = 0; k < 8; ++k) {
          const std::int64_t bit = std::int64_t{1} << (8 * half + k);
          in_row[k] += keep(w, (x & bit) == I64x4{bit, bit, bit, bit});
        }
      }
      const F64x4 p = splat(row_weight != nullptr ? row_weight[row] : 1.0);
      for (int k = 0; k < 8; ++k) sum[k] += p * in_row[k];
    }
    for (int k = 0; k < 8; ++k) rate[8 * half + k] = total(sum[k], F64x4{});
  }
}

AXMUL_CLONES
void error_map(const std::int32_t* products, int a_min, int b_min, std::int32_t* e) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b)
      e[256 * a + b] = products[256 * a + b] - (a_min + a) * (b_min + b);
}

AXMUL_CLONES
void flip_map(const std::int32_t* products, int a_min, int b_min, std::uint16_t* flips) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b)
      flips[256 * a + b] = static_cast<std::uint16_t>(
          static_cast<std::uint32_t>(products[256 * a + b] ^ ((a_min + a) * (b_min + b))) &
          0xFFFFu);
}

AXMUL_CLONES
void integer_row_sums(const std::int32_t* e, bool higher, IntegerRowSums* out) {
  for (int row = 0; row < 256; ++row) {
    const std::int32_t* er = e + 256 * row;
    IntegerRowSums r{};
    r.min = r.max = er[0];
    for (int j = 0; j < 256; ++j) {
      const std::int64_t x = er[j];
      r.error += x;
      r.abs += er[j] < 0 ? -er[j] : er[j];
      r.square += static_cast<std::int64_t>(er[j]) * er[j];
      r.nonzero += er[j] != 0;
      r.min = er[j] < r.min ? er[j] : r.min;
      r.max = er[j] > r.max ? er[j] : r.max;
    }
    for (int j = 0; j < (higher ? 256 : 0); ++j) {
      const std::int64_t square = static_cast<std::int64_t>(er[j]) * er[j];
      const auto high = static_cast<std::int32_t>(square >> 24);
      const auto low = static_cast<std::int32_t>(square & 0xFFFFFF);
      r.cube_high += static_cast<std::int64_t>(er[j]) * high;
      r.cube_low += static_cast<std::int64_t>(er[j]) * low;
      r.fourth_high += static_cast<std::int64_t>(high) * high;
      r.fourth_mid += static_cast<std::int64_t>(high) * low;
      r.fourth_low += static_cast<std::int64_t>(low) * low;
    }
    out[row] = r;
  }
}

AXMUL_CLONES
void integer_column_sums(const std::int32_t* e, std::int64_t* sum, std::int64_t* square) {
  for (int j = 0; j < 256; ++j) sum[j] = square[j] = 0;
  for (int row = 0; row < 256; ++row)
    for (int j = 0; j < 256; ++j) {
      const std::int32_t x = e[256 * row + j];
      sum[j] += x;
      square[j] += static_cast<std::int64_t>(x) * x;
    }
}

AXMUL_CLONES
void bit_counts(const std::uint16_t* flips, std::uint32_t* count) {
  for (int half = 0; half < 2; ++half) {
    U16x16 sum[8] = {};  // 4096 words per lane: no overflow
    for (int j = 0; j < 65536; j += 16) {
      const U16x16 x = load<U16x16>(flips + j) >> (8 * half);
      for (int k = 0; k < 8; ++k) sum[k] += (x >> k) & 1;
    }
    for (int k = 0; k < 8; ++k) {
      std::uint32_t n = 0;
      for (int l = 0; l < 16; ++l) n += sum[k][l];
      count[8 * half + k] = n;
    }
  }
}

}  // namespace axmul::detail::stats
