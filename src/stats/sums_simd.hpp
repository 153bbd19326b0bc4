// Row and column sums over a 256x256 problem: the vectorised inner loops of the statistics.
//
// Matrices are row-major with `cols` columns, a multiple of 8. Floating sums run in 8 fixed lanes
// (column j belongs to lane j mod 8) that are added in one fixed order, so the AVX2 and the default
// clone give the same bits. `weights` has one row of weights that every row shares (w_stride 0) or
// one per row (w_stride = cols).
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail::stats {

struct Shape {
  std::size_t rows = 0, cols = 0;
};

struct Weights {
  const double* data = nullptr;
  std::size_t stride = 0;
};

/// Weighted sums over one row of e, |e|, e², [e ≠ 0]; plain minimum and maximum.
struct RowSums {
  double error, abs, square, nonzero;
  std::int32_t min, max;
};
void row_sums(const std::int32_t* e, Shape shape, Weights weights, RowSums* out);

/// The basic figures of one row in one sweep, straight from products: row i holds the products of
/// operand value a[i] with b[0 … cols−1], e = product − a·b. `centre` is the integer next to the
/// row's mean error, x1 and x2 are weighted sums of (e − centre)^k.
struct BasicRow {
  double abs, nonzero, x1, x2;
  std::int32_t centre, min, max;
};
void basic_rows(const std::int32_t* const* products, const std::int32_t* a, const std::int32_t* b,
                Shape shape, const double* weights, double total_weight, BasicRow* out);

/// Weighted sums over one row of (e − centre)^k, k = 1 … 4; rows have their own centre.
struct RowMoments {
  double x1, x2, x3, x4;
};
void row_moments(const std::int32_t* e, Shape shape, Weights weights, const std::int32_t* centre,
                 RowMoments* out);

/// Per column Σ over rows of weight·(e − centre[col])^k, k = 1, 2. The weight is row_weight[row]
/// or, where that is null, the element of `weights`.
void column_moments(const std::int32_t* e, Shape shape, const double* row_weight, Weights weights,
                    const std::int32_t* centre, double* x1, double* x2);

/// Per row Σ weight·((e − centre) − row_offset − col_offset)².
void row_interaction(const std::int32_t* e, Shape shape, Weights weights, std::int32_t centre,
                     const double* row_offset, const double* col_offset, double* out);

/// Per row Σ weight·|e|/(|a|·|b|) and the largest such ratio of non-zero weight; abs_b is +inf
/// where b = 0, rows with a = 0 give 0.
struct RowRelative {
  double sum, max;
};
void row_relative(const std::int32_t* e, Shape shape, Weights weights, const double* abs_a,
                  const double* abs_b, RowRelative* out);

/// rate[k] = Σ_rows row_weight·Σ_cols weight·bit k of flips, k = 0 … 15.
void bit_rates(const std::uint16_t* flips, Shape shape, const double* row_weight, Weights weights,
               double* rate);

/// e = product − a·b and flips = low 16 bits of product XOR a·b for a whole table.
void error_map(const std::int32_t* products, int a_min, int b_min, std::int32_t* e);
void flip_map(const std::int32_t* products, int a_min, int b_min, std::uint16_t* flips);

/// Exact sums over one row of 256 errors, |e| < 2^25: e², e³ and e⁴ are split at 2^24.
struct IntegerRowSums {
  std::int64_t error, abs, square, nonzero;
  std::int64_t cube_high, cube_low;  // e³ = Σ e·(e² >> 24)·2^24 + Σ e·(e² mod 2^24)
  std::int64_t fourth_high, fourth_mid, fourth_low;  // high², high·low, low² of e²
  std::int32_t min, max;
};
void integer_row_sums(const std::int32_t* e, bool higher, IntegerRowSums* out);
/// Per column Σ e and Σ e² over 256 rows.
void integer_column_sums(const std::int32_t* e, std::int64_t* sum, std::int64_t* square);
/// How often bit k is set in 65536 words.
void bit_counts(const std::uint16_t* flips, std::uint32_t* count);

}  // namespace axmul::detail::stats
