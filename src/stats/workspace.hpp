// What the statistics of one table and distribution share: the reduced problem and its buffers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "axmul/stats/metrics.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/sums_simd.hpp"

namespace axmul::detail::stats {

/// Figures of a table that no distribution changes.
struct TableFacts {
  bool is_symmetric = false, sign_preserved = false;
  std::int32_t zero_violations = 0;
  std::int32_t rank_error = -1, rank_lut = -1;
};

/// The table cut down to the rows and columns that occur. Columns are padded to a multiple of 8;
/// padding has weight 0 and an error that occurs in its row, so neither sums nor extremes see it.
/// In a joint problem every pair of weight 0 is treated like padding.
struct Problem {
  Shape shape;
  std::size_t real_cols = 0;
  const std::int32_t* e = nullptr;
  const std::uint16_t* flips = nullptr;
  const double* row_weight = nullptr;  // p(a); null in a joint problem
  Weights weights;                     // q(b), or the joint pmf
  std::vector<int> a_value, b_value;   // operand values of rows and (real) columns
  std::vector<double> abs_a, abs_b;    // abs_b: +inf where b = 0 and in the padding
  std::vector<double> row_total;       // Σ_b of the weights of one row (all equal unless joint)
  double col_total = 0;                // Σ p(a); 0 in a joint problem
  double excess_a = 0, excess_b = 0;   // Σ p(a) − 1, Σ p(b) − 1, to twice the precision
  double excess = 0;                   // Σ of all probabilities − 1, to twice the precision

  double weight_of_row(std::size_t row) const {
    return row_weight != nullptr ? row_weight[row] : 1.0;
  }
};

/// One bin of the error histogram: a compensated sum.
struct Bin {
  double sum = 0, lost = 0;
  void add(double x) {
    const double y = x - lost, t = sum + y;
    lost = (t - sum) - y;
    sum = t;
  }
};

/// Sum in the given order to about twice the precision of double.
struct CompensatedSum {
  double sum = 0, error = 0;
  void add(double x) {
    const double t = sum + x, z = t - sum;
    error += (sum - (t - z)) + (x - z);
    sum = t;
  }
  double value() const { return sum + error; }
  double minus_one() const { return (sum - 1) + error; }
};

struct Workspace {
  std::optional<Lut> table;  // whose error map, flips and facts are below
  bool have_errors = false, have_flips = false, have_facts = false, have_rank = false;
  TableFacts facts;
  std::vector<std::int32_t> table_e;
  std::vector<std::uint16_t> table_flips;

  Problem problem;
  std::vector<std::int32_t> e;
  std::vector<std::uint16_t> flips;
  std::vector<double> p, w;
  std::vector<RowSums> row_sums;
  std::vector<RowMoments> row_moments;
  std::vector<RowRelative> row_relative;
  std::vector<std::int32_t> row_centre, col_centre;
  std::vector<double> row_offset, col_offset, col_sum, col_square, row_value;

  std::vector<std::uint16_t> row_index, col_index;
  std::vector<const std::int32_t*> product_rows;

  std::vector<CompensatedSum> cdf;
  std::vector<Bin> bins;                // all zero between calls
  std::vector<std::uint32_t> counts;    // all zero between calls
  std::vector<std::uint64_t> occupied;  // all zero between calls
  std::vector<std::uint64_t> keys, sorted;

  void set_table(const Lut& lut);
  void need_errors();
  void need_flips();
  const TableFacts& need_facts(bool rank);
};

/// Indices with a probability above 0, ascending.
void occurring(const Probabilities& p, std::vector<std::uint16_t>& out);

/// The chosen columns of one row of 256, padded with the first of them to `width`. Operands mostly
/// occur in one stretch, which is a plain copy.
template <class T>
void copy_columns(const T* from, std::span<const std::uint16_t> cols, std::size_t width, T* to) {
  if (std::size_t{cols.back()} - cols.front() + 1 == cols.size())
    std::copy_n(from + cols.front(), cols.size(), to);
  else
    for (std::size_t j = 0; j < cols.size(); ++j) to[j] = from[cols[j]];
  std::fill(to + cols.size(), to + width, from[cols.front()]);
}

/// All of a report but the table's facts, for the problem prepared in ws.
void uniform_report(Workspace& ws, const CharacterizeOptions& options, bool basic,
                    ErrorReport& report);
void weighted_report(Workspace& ws, const CharacterizeOptions& options, ErrorReport& report);
/// The basic figures of independent operands.
void basic_weighted(const Lut& lut, const Probabilities& pa, const Probabilities& pb, Workspace& ws,
                    ErrorMetrics& m);

/// An error map that is constant where it counts has exactly that bias and no spread.
void constant_error(std::int32_t e, ErrorMetrics& m);

/// Figures that follow from others: nmed, percentages, rmse, std, the convention, SNR.
void derive(ErrorMetrics& m, const SizedType& type, Convention convention, double exact_square);

/// pmf of the problem's errors in lo … hi (fixed order: ascending (a, b) within each value).
void error_pmf(Workspace& ws, std::int32_t lo, std::int32_t hi, ErrorPmf& pmf);
/// The same with every pair equally likely; `count` receives the pairs per value.
void uniform_error_pmf(Workspace& ws, std::int32_t lo, std::int32_t hi, ErrorPmf& pmf);
std::vector<Quantile> quantiles(Workspace& ws, const ErrorPmf& pmf, std::span<const double> levels);

/// 10·log10(x) from IEEE operations alone, so that its bits do not depend on the C library.
double decibel(double x);

}  // namespace axmul::detail::stats
