// Weighted operands: fixed-order sums, the second pass about integers next to the means.
//
// Errors are integers. With c = round(mean) the differences e − c are exact, and turning moments
// about c into central ones loses at most a small factor (|mean − c| ≤ ½ while E(e−c)² ≥ |mean−c|),
// also where σ is tiny against the bias.
#include <algorithm>
#include <cmath>

#include "stats/workspace.hpp"

namespace axmul::detail::stats {
namespace {

constexpr double kNaN = ErrorMetrics::kNaN;

std::int32_t nearest(double x) { return static_cast<std::int32_t>(std::lround(x)); }

struct Extremes {
  std::int32_t min, max;
};

/// First pass: bias (rough), mae, mse, error rate; extremes over pairs of non-zero probability.
Extremes first_pass(Workspace& ws, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  ws.row_sums.resize(problem.shape.rows);
  row_sums(problem.e, problem.shape, problem.weights, ws.row_sums.data());
  Extremes x{ws.row_sums[0].min, ws.row_sums[0].max};
  m.bias = m.mae = m.mse = m.error_rate = 0;
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    const RowSums& r = ws.row_sums[i];
    const double p = problem.weight_of_row(i);
    m.bias += p * r.error;
    m.mae += p * r.abs;
    m.mse += p * r.square;
    m.error_rate += p * r.nonzero;
    x.min = r.min < x.min ? r.min : x.min;
    x.max = r.max > x.max ? r.max : x.max;
  }
  return x;
}

/// The first pair of non-zero probability with |e| = wce, ascending (a, b).
void find_wce(const Workspace& ws, Extremes x, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  m.wce = x.max > -x.min ? x.max : -x.min;
  std::size_t row = 0;
  while (ws.row_sums[row].max < m.wce && -ws.row_sums[row].min < m.wce) ++row;
  const std::int32_t* e = problem.e + row * problem.shape.cols;
  const double* w = problem.weights.data + row * problem.weights.stride;
  std::size_t col = 0;
  while (w[col] == 0 || (e[col] != m.wce && e[col] != -m.wce)) ++col;
  m.wce_a = problem.a_value[row];
  m.wce_b = problem.b_value[col];
}

/// The bias in two parts: an integer and what is left, |residual| ≤ ½ or so.
struct Mean {
  std::int32_t centre;
  double residual;
};

/// Central moments of the whole from row moments about the rows' own integer centres. Σp differs
/// from 1 by a rounding error; times a large centre it would show, hence `excess`.
Mean second_pass(Workspace& ws, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  const std::size_t n = problem.shape.rows;
  const std::int32_t centre = nearest(m.bias);
  ws.row_centre.resize(n);
  ws.row_moments.resize(n);
  for (std::size_t i = 0; i < n; ++i)
    ws.row_centre[i] =
        problem.row_total[i] > 0 ? nearest(ws.row_sums[i].error / problem.row_total[i]) : centre;
  row_moments(problem.e, problem.shape, problem.weights, ws.row_centre.data(),
              ws.row_moments.data());
  double residual = 0;
  for (std::size_t i = 0; i < n; ++i)
    residual += problem.weight_of_row(i) *
                (ws.row_moments[i].x1 + problem.row_total[i] * (ws.row_centre[i] - centre));
  residual += centre * problem.excess;
  m.bias = centre + residual;
  double m2 = 0, m3 = 0, m4 = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const RowMoments& r = ws.row_moments[i];
    const double p = problem.weight_of_row(i), w = problem.row_total[i];
    const double t = (ws.row_centre[i] - centre) - residual;
    m2 += p * (r.x2 + t * (2 * r.x1 + t * w));
    m3 += p * (r.x3 + t * (3 * r.x2 + t * (3 * r.x1 + t * w)));
    m4 += p * (r.x4 + t * (4 * r.x3 + t * (6 * r.x2 + t * (4 * r.x1 + t * w))));
  }
  m.variance = m2 > 0 ? m2 : 0;
  if (m2 > 0) {
    m.skewness = m3 / (m2 * std::sqrt(m2));
    m.excess_kurtosis = m4 / (m2 * m2) - 3;
  }
  return {centre, residual};
}

/// Σ over rows of the weights of each column.
const std::vector<double>& column_totals(Workspace& ws) {
  const Problem& problem = ws.problem;
  const std::size_t n = problem.shape.cols;
  ws.row_value.assign(n, problem.col_total);
  if (problem.row_weight != nullptr) return ws.row_value;
  for (std::size_t i = 0; i < problem.shape.rows; ++i)
    for (std::size_t j = 0; j < n; ++j) ws.row_value[j] += problem.weights.data[i * n + j];
  return ws.row_value;
}

/// Bias and σ given b; also leaves Σ weight·(e − col_centre) in ws.col_sum.
void conditional_on_columns(Workspace& ws, ConditionalErrors& out) {
  const Problem& problem = ws.problem;
  const std::size_t n = problem.shape.cols;
  ws.col_centre.assign(n, 0);
  ws.col_sum.resize(n);
  ws.col_square.resize(n);
  ws.col_offset.assign(n, 0);
  column_moments(problem.e, problem.shape, problem.row_weight, problem.weights,
                 ws.col_centre.data(), ws.col_sum.data(), ws.col_square.data());
  const std::vector<double>& total = column_totals(ws);
  for (std::size_t j = 0; j < problem.real_cols; ++j)
    if (total[j] > 0) ws.col_centre[j] = nearest(ws.col_sum[j] / total[j]);
  column_moments(problem.e, problem.shape, problem.row_weight, problem.weights,
                 ws.col_centre.data(), ws.col_sum.data(), ws.col_square.data());
  const int b_first = b_min(ws.table->type());
  for (std::size_t j = 0; j < problem.real_cols; ++j) {
    if (!(total[j] > 0)) continue;
    const double r = ws.col_sum[j] / total[j];
    const double variance = ws.col_square[j] / total[j] - r * r;
    const auto b = static_cast<std::size_t>(problem.b_value[j] - b_first);
    out.bias_given_b[b] = ws.col_centre[j] + r;
    out.std_given_b[b] = variance > 0 ? std::sqrt(variance) : 0;
  }
}

void conditional_on_rows(const Workspace& ws, ConditionalErrors& out) {
  const Problem& problem = ws.problem;
  const int a_first = a_min(ws.table->type());
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    if (!(problem.row_total[i] > 0)) continue;
    const double r = ws.row_moments[i].x1 / problem.row_total[i];
    const double variance = ws.row_moments[i].x2 / problem.row_total[i] - r * r;
    const auto a = static_cast<std::size_t>(problem.a_value[i] - a_first);
    out.bias_given_a[a] = ws.row_centre[i] + r;
    out.std_given_a[a] = variance > 0 ? std::sqrt(variance) : 0;
  }
}

/// Splits the variance (src/README.md#metrics); means are kept relative to an integer as above.
void anova(Workspace& ws, Mean mean, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  const std::size_t rows = problem.shape.rows, cols = problem.shape.cols;
  ws.row_offset.resize(rows);
  for (std::size_t i = 0; i < rows; ++i)
    ws.row_offset[i] = ws.row_moments[i].x1 +
                       problem.row_total[i] * (ws.row_centre[i] - mean.centre) +
                       mean.centre * problem.excess_b;
  m.anova_row = m.anova_col = m.anova_interaction = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double r = ws.row_offset[i] - mean.residual;
    m.anova_row += problem.row_weight[i] * r * r;
  }
  for (std::size_t j = 0; j < problem.real_cols; ++j) {
    const double c = ws.col_sum[j] + problem.col_total * (ws.col_centre[j] - mean.centre) +
                     mean.centre * problem.excess_a - mean.residual;
    ws.col_offset[j] = c;
    m.anova_col += problem.weights.data[j] * c * c;
  }
  for (std::size_t j = problem.real_cols; j < cols; ++j) ws.col_offset[j] = 0;
  ws.row_value.resize(rows);
  row_interaction(problem.e, problem.shape, problem.weights, mean.centre, ws.row_offset.data(),
                  ws.col_offset.data(), ws.row_value.data());
  for (std::size_t i = 0; i < rows; ++i)
    m.anova_interaction += problem.row_weight[i] * ws.row_value[i];
}

/// Sums over the pairs whose exact product is zero, and the probability of all others.
struct ZeroProducts {
  double abs = 0, nonzero_probability = 0;
  std::int32_t worst = 0;
};
ZeroProducts zero_products(const Workspace& ws) {
  const Problem& problem = ws.problem;
  const bool joint = problem.row_weight == nullptr;
  const auto zero = std::find(problem.b_value.begin(), problem.b_value.end(), 0);
  const auto zero_col = static_cast<std::size_t>(zero - problem.b_value.begin());
  ZeroProducts z;
  double rest = 0;
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    const double* w = problem.weights.data + i * problem.weights.stride;
    const std::int32_t* e = problem.e + i * problem.shape.cols;
    const bool zero_row = problem.a_value[i] == 0;
    double abs = 0;
    for (std::size_t j = zero_row ? 0 : zero_col; j < (zero_row ? problem.real_cols : zero_col + 1);
         ++j) {
      if (j >= problem.real_cols || w[j] == 0) continue;
      abs += w[j] * std::abs(e[j]);
      z.worst = std::max(z.worst, std::abs(e[j]));
    }
    z.abs += problem.weight_of_row(i) * abs;
    if (zero_row) continue;
    if (joint || rest == 0) {  // Σ over b ≠ 0, the same for every row unless joint
      rest = 0;
      for (std::size_t j = 0; j < problem.real_cols; ++j) rest += j == zero_col ? 0 : w[j];
    }
    z.nonzero_probability += problem.weight_of_row(i) * rest;
  }
  return z;
}

void relative_errors(Workspace& ws, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  ws.row_relative.resize(problem.shape.rows);
  row_relative(problem.e, problem.shape, problem.weights, problem.abs_a.data(),
               problem.abs_b.data(), ws.row_relative.data());
  double sum = 0, worst = 0;
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    sum += problem.weight_of_row(i) * ws.row_relative[i].sum;
    worst = std::fmax(worst, ws.row_relative[i].max);
  }
  const ZeroProducts z = zero_products(ws);
  const bool some = z.nonzero_probability > 0;
  m.mred_exclude_zero = some ? sum / z.nonzero_probability : kNaN;
  m.mred_max_one = sum + z.abs;
  m.wcre_exclude_zero = some ? worst : kNaN;
  m.wcre_max_one = std::fmax(worst, z.worst);
}

double exact_square(const Problem& problem) {
  const bool joint = problem.row_weight == nullptr;
  double sum = 0, in_row = 0;
  for (std::size_t i = 0; i < problem.shape.rows; ++i) {
    const double* w = problem.weights.data + i * problem.weights.stride;
    if (joint || i == 0) {
      in_row = 0;
      for (std::size_t j = 0; j < problem.real_cols; ++j)
        in_row += w[j] * (problem.b_value[j] * problem.b_value[j]);
    }
    sum += problem.weight_of_row(i) * in_row * (problem.a_value[i] * problem.a_value[i]);
  }
  return sum;
}

void flips(Workspace& ws, ErrorMetrics& m) {
  const Problem& problem = ws.problem;
  bit_rates(problem.flips, problem.shape, problem.row_weight, problem.weights,
            m.bit_flip_rate.data());
  m.hamming_mean = 0;
  for (double rate : m.bit_flip_rate) m.hamming_mean += rate;
}

}  // namespace

void constant_error(std::int32_t e, ErrorMetrics& m) {
  m.bias = e;
  m.mae = std::abs(e);
  m.mse = static_cast<double>(e) * e;
  m.variance = 0;
  m.error_rate = e != 0;
  m.skewness = m.excess_kurtosis = kNaN;
}

void weighted_report(Workspace& ws, const CharacterizeOptions& options, ErrorReport& report) {
  ErrorMetrics& m = report.metrics;
  const Extremes x = first_pass(ws, m);
  find_wce(ws, x, m);
  const Mean mean = second_pass(ws, m);
  if (x.min == x.max) constant_error(x.min, m);
  relative_errors(ws, m);
  derive(m, ws.table->sized_type(), options.convention, exact_square(ws.problem));
  if (!options.distribution) {
    m.skewness = m.excess_kurtosis = kNaN;
    return;
  }
  conditional_on_rows(ws, report.conditional);
  conditional_on_columns(ws, report.conditional);
  if (ws.problem.row_weight != nullptr) anova(ws, mean, m);
  if (ws.problem.row_weight != nullptr && x.min == x.max)
    m.anova_row = m.anova_col = m.anova_interaction = 0;
  flips(ws, m);
  error_pmf(ws, x.min, x.max, report.pmf);
  report.quantiles = quantiles(ws, report.pmf, options.quantile_levels);
}

}  // namespace axmul::detail::stats
