// Uniform operands: exact integer sums and one division at the end.
#include <cmath>
#include <limits>

#include "stats/workspace.hpp"

namespace axmul::detail::stats {
namespace {

__extension__ using Int128 = __int128;

constexpr double kPairs = 65536;

struct Sums {
  Int128 error = 0, abs = 0, square = 0, cube = 0, fourth = 0;
  std::int64_t nonzero = 0;
  std::int32_t min = std::numeric_limits<std::int32_t>::max();
  std::int32_t max = std::numeric_limits<std::int32_t>::min();
};

Sums add_rows(std::span<const IntegerRowSums> rows) {
  Sums s;
  for (const IntegerRowSums& r : rows) {
    s.error += r.error;
    s.abs += r.abs;
    s.square += r.square;
    s.cube += (Int128{r.cube_high} << 24) + r.cube_low;
    s.fourth += (Int128{r.fourth_high} << 48) + (Int128{r.fourth_mid} << 25) + r.fourth_low;
    s.nonzero += r.nonzero;
    s.min = r.min < s.min ? r.min : s.min;
    s.max = r.max > s.max ? r.max : s.max;
  }
  return s;
}

/// N²·variance, exact.
Int128 scaled_variance(const Sums& s) { return (s.square << 16) - s.error * s.error; }

void moments(const Sums& s, ErrorMetrics& m) {
  const Int128 n2 = scaled_variance(s);
  m.bias = static_cast<double>(s.error) / kPairs;
  m.mae = static_cast<double>(s.abs) / kPairs;
  m.mse = static_cast<double>(s.square) / kPairs;
  m.variance = static_cast<double>(n2) / (kPairs * kPairs);
  m.error_rate = static_cast<double>(s.nonzero) / kPairs;
}

/// Third moment from exact raw sums; the fourth, whose numerator exceeds 128 bits, from sums about
/// the integer next to the mean, where cancellation costs at most a factor of about 40.
void higher_moments(const Sums& s, ErrorMetrics& m) {
  const Int128 n2 = scaled_variance(s);
  if (n2 == 0) return;
  const Int128 n3 =
      (s.cube << 32) - 3 * (s.error << 16) * s.square + 2 * s.error * s.error * s.error;
  const double d2 = static_cast<double>(n2);
  m.skewness = static_cast<double>(n3) / (d2 * std::sqrt(d2));

  const Int128 c = (s.error + (s.error >= 0 ? 32768 : -32768)) / 65536;
  const Int128 s1 = s.error - c * 65536;
  const Int128 s2 = s.square - 2 * c * s.error + c * c * 65536;
  const Int128 s3 = s.cube - 3 * c * s.square + 3 * c * c * s.error - c * c * c * 65536;
  const Int128 s4 = s.fourth - 4 * c * s.cube + 6 * c * c * s.square - 4 * c * c * c * s.error +
                    c * c * c * c * 65536;
  const double r = static_cast<double>(s1) / kPairs;
  const double fourth = static_cast<double>(s4) - 4 * r * static_cast<double>(s3) +
                        6 * r * r * static_cast<double>(s2) - 3 * kPairs * r * r * r * r;
  m.excess_kurtosis = fourth / kPairs / (m.variance * m.variance) - 3;
}

/// Exact: with D = Σ(256·R − S)², 2^40·variance splits into D_row + D_col + the rest.
void anova(const Sums& s, std::span<const IntegerRowSums> rows, const std::int64_t* col_sum,
           ErrorMetrics& m) {
  Int128 row = 0, col = 0;
  for (int i = 0; i < 256; ++i) {
    const Int128 r = Int128{rows[static_cast<std::size_t>(i)].error} * 256 - s.error;
    const Int128 c = Int128{col_sum[i]} * 256 - s.error;
    row += r * r;
    col += c * c;
  }
  const Int128 rest = (scaled_variance(s) << 8) - row - col;
  constexpr double scale = 256 * kPairs * kPairs;
  m.anova_row = static_cast<double>(row) / scale;
  m.anova_col = static_cast<double>(col) / scale;
  m.anova_interaction = static_cast<double>(rest) / scale;
}

double conditional_std(std::int64_t sum, std::int64_t square) {
  const Int128 n2 = (Int128{square} << 8) - Int128{sum} * sum;
  return std::sqrt(static_cast<double>(n2) / 65536);
}

void find_wce(const std::int32_t* e, std::span<const IntegerRowSums> rows, const Sums& s,
              const Problem& problem, ErrorMetrics& m) {
  m.wce = s.max > -s.min ? s.max : -s.min;
  std::size_t i = 0;
  while (rows[i].max < m.wce && -rows[i].min < m.wce) ++i;
  i *= 256;
  while (e[i] != m.wce && e[i] != -m.wce) ++i;
  m.wce_a = problem.a_value[i / 256];
  m.wce_b = problem.b_value[i % 256];
}

void relative_errors(Workspace& ws, ErrorMetrics& m) {
  Problem& problem = ws.problem;
  ws.w.assign(256, 1.0);
  ws.row_relative.resize(256);
  row_relative(problem.e, {256, 256}, {ws.w.data(), 0}, problem.abs_a.data(), problem.abs_b.data(),
               ws.row_relative.data());
  double sum = 0, worst = 0, worst_zero = 0;
  std::int64_t zero_sum = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    sum += ws.row_relative[i].sum;
    worst = std::fmax(worst, ws.row_relative[i].max);
  }
  for (std::size_t i = 0; i < 65536; ++i) {
    const std::size_t a = i / 256, b = i % 256;
    if (problem.a_value[a] != 0 && problem.b_value[b] != 0) continue;
    const std::int32_t magnitude = std::abs(problem.e[i]);
    zero_sum += magnitude;
    worst_zero = std::fmax(worst_zero, magnitude);
  }
  m.mred_exclude_zero = sum / 65025;
  m.mred_max_one = (sum + static_cast<double>(zero_sum)) / kPairs;
  m.wcre_exclude_zero = worst;
  m.wcre_max_one = std::fmax(worst, worst_zero);
}

double exact_square(const Problem& problem) {
  std::int64_t a = 0, b = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    a += problem.a_value[i] * problem.a_value[i];
    b += problem.b_value[i] * problem.b_value[i];
  }
  return static_cast<double>(a) * static_cast<double>(b) / kPairs;
}

}  // namespace

void uniform_report(Workspace& ws, const CharacterizeOptions& options, bool basic,
                    ErrorReport& report) {
  ErrorMetrics& m = report.metrics;
  const Problem& problem = ws.problem;
  const bool full = !basic && options.distribution;
  std::array<IntegerRowSums, 256> rows;
  integer_row_sums(problem.e, full, rows.data());
  const Sums s = add_rows(rows);
  moments(s, m);
  find_wce(problem.e, rows, s, problem, m);
  if (!basic) relative_errors(ws, m);
  derive(m, ws.table->sized_type(), options.convention, exact_square(problem));
  if (!full) return;

  higher_moments(s, m);
  std::array<std::int64_t, 256> col_sum, col_square;
  integer_column_sums(problem.e, col_sum.data(), col_square.data());
  anova(s, rows, col_sum.data(), m);
  for (std::size_t i = 0; i < 256; ++i) {
    report.conditional.bias_given_a[i] = static_cast<double>(rows[i].error) / 256;
    report.conditional.std_given_a[i] = conditional_std(rows[i].error, rows[i].square);
    report.conditional.bias_given_b[i] = static_cast<double>(col_sum[i]) / 256;
    report.conditional.std_given_b[i] = conditional_std(col_sum[i], col_square[i]);
  }
  std::array<std::uint32_t, 16> flips{};
  ws.need_flips();
  bit_counts(ws.table_flips.data(), flips.data());
  std::uint32_t flipped = 0;
  for (std::size_t k = 0; k < 16; ++k) {
    m.bit_flip_rate[k] = flips[k] / kPairs;
    flipped += flips[k];
  }
  m.hamming_mean = flipped / kPairs;
  uniform_error_pmf(ws, s.min, s.max, report.pmf);
  report.quantiles = quantiles(ws, report.pmf, options.quantile_levels);
}

}  // namespace axmul::detail::stats
