// The inner loops of the error models. Lanes and their order are fixed, so every clone of a loop
// gives the same bits (src/README.md#numbers).
#pragma once

#include <cstddef>
#include <cstdint>

namespace axmul::detail {

inline constexpr std::size_t kLanes = 8;  // columns of a panel
constexpr std::size_t panels_for(std::size_t columns) { return (columns + kLanes - 1) / kLanes; }

/// out[i] = Σ_b (row[b] − shift)·q[b] and squares[i] = Σ_b (row[b] − shift)²·q[b] over the operand
/// indices first ≤ b < last (multiples of 8), for the given rows of an error map.
void weighted_rows(const std::int32_t* errors, const std::uint16_t* rows, std::size_t row_count,
                   const double* q, std::size_t first, std::size_t last, std::int32_t shift,
                   double* out, double* squares);

/// sums[s, 0…7] = Σ over the entries of patch s of weight·panel[index, 0…7].
void sparse_times_panel(const std::uint32_t* offsets, const std::uint16_t* indices,
                        const double* weights, std::size_t patches, const double* panel,
                        double* sums);

/// c[a, 0…7] = Σ_b rows[a, b]·panel[b, 0…7]; rows has `stride` elements a row, `count` a multiple
/// of 4 rows.
void rows_times_panel(const double* rows, std::size_t count, std::size_t stride, std::size_t inner,
                      const double* panel, double* c);

/// out[0…7] = xᵀ·U·x for each of the 8 columns x of the panel [size, 8]; U is upper triangular
/// [size, size], size a multiple of 4.
void quadratic_forms(const double* upper, std::size_t size, const double* panel, double* out);

/// values[a·stride + j] = errors[rows[a], columns[j]] − shift; row_mean[a] = Σ_j values·q[j];
/// column_mean[j] = Σ_a p[a]·values.
void gather_errors(const std::int32_t* errors, const std::uint16_t* rows, std::size_t row_count,
                   const std::uint16_t* columns, std::size_t column_count, std::size_t stride,
                   std::int32_t shift, const double* p, const double* q, double* values,
                   double* row_mean, double* column_mean);

/// values −= row_mean + column_mean − mean; column_square[j] = Σ_a p[a]·values²,
/// row_square[a] = Σ_j q[j]·values².
void center_errors(double* values, std::size_t row_count, std::size_t column_count,
                   std::size_t stride, const double* row_mean, const double* column_mean,
                   double mean, const double* p, const double* q, double* column_square,
                   double* row_square);

/// Per column m of y [rows, columns]: mean[m] and variance[m] (divided by rows, two passes).
void column_moments(const double* y, std::size_t rows, std::size_t columns, double* mean,
                    double* variance);

}  // namespace axmul::detail
