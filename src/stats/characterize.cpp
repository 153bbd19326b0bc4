// The public entry points: check, cut the problem down to what occurs, pick the exact or the
// weighted path.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "axmul/core/errors.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/error_ids.hpp"
#include "stats/workspace.hpp"

namespace axmul {
namespace detail::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_probabilities(std::span<const double> p, const std::string& what) {
  double sum[4] = {};
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] >= 0 && p[i] <= 2))
      throw UsageError(kBadDistribution, what + ": probability " + std::to_string(p[i]) +
                                             " at index " + std::to_string(i) +
                                             "; probabilities lie in 0 … 1");
    sum[i % 4] += p[i];
  }
  const double total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  if (!(std::abs(total - 1) <= 1e-9))
    throw UsageError(kBadDistribution, what + ": probabilities sum to " + std::to_string(total) +
                                           ", not to 1 ± 1e-9");
}

void check_levels(const CharacterizeOptions& options) {
  for (double level : options.quantile_levels)
    if (!(level > 0 && level <= 1))
      throw UsageError(kQuantileLevel, "quantile level " + number_text(level) +
                                           " lies outside (0, 1]; give levels such as 0.5");
}

void check_signedness(const Lut& lut, bool a_signed, bool b_signed) {
  const OperandType type = lut.type();
  const auto kind = [](bool is_signed) { return is_signed ? "signed" : "unsigned"; };
  if (a_signed != a_is_signed(type))
    throw UsageError(kSignedness, std::string("distribution of a is ") + kind(a_signed) +
                                      " but the table is " + std::string(to_string(type)));
  if (b_signed != b_is_signed(type))
    throw UsageError(kSignedness, std::string("distribution of b is ") + kind(b_signed) +
                                      " but the table is " + std::string(to_string(type)));
}

void check_widths(const Lut& lut, const OperandDistribution& a, const OperandDistribution& b) {
  const SizedType type = lut.sized_type();
  if (a.bits != type.bits.a || b.bits != type.bits.b)
    throw UsageError(405, "distributions of " + std::to_string(a.bits) + "- and " +
                              std::to_string(b.bits) + "-bit operands do not fit a table " +
                              to_string(type));
}

bool is_uniform(std::span<const double> p) {
  return std::all_of(p.begin(), p.end(), [](double x) { return x == 1.0 / 256; });
}

std::size_t padded(std::size_t n) { return (n + 7) / 8 * 8; }

/// Operand values of the chosen rows and columns, and |a|, |b| for relative errors.
void set_values(Problem& problem, OperandType type, std::span<const std::uint16_t> rows,
                std::span<const std::uint16_t> cols) {
  problem.shape = {rows.size(), padded(cols.size())};
  problem.real_cols = cols.size();
  problem.a_value.clear();
  problem.b_value.clear();
  problem.abs_a.clear();
  problem.abs_b.assign(problem.shape.cols, kInfinity);
  for (std::uint16_t row : rows) {
    problem.a_value.push_back(a_min(type) + row);
    problem.abs_a.push_back(std::abs(problem.a_value.back()));
  }
  for (std::size_t j = 0; j < cols.size(); ++j) {
    problem.b_value.push_back(b_min(type) + cols[j]);
    if (problem.b_value[j] != 0) problem.abs_b[j] = std::abs(problem.b_value[j]);
  }
}

/// Copies the chosen rows and columns of the whole table's maps. Where pair_weight is given, pairs
/// of weight 0 get an error that occurs in their row.
void cut_maps(Workspace& ws, std::span<const std::uint16_t> rows,
              std::span<const std::uint16_t> cols, const double* pair_weight, bool with_flips) {
  Problem& problem = ws.problem;
  const std::size_t width = problem.shape.cols;
  ws.e.resize(rows.size() * width);
  if (with_flips) ws.flips.resize(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t* from = ws.table_e.data() + 256 * std::size_t{rows[i]};
    std::int32_t* to = ws.e.data() + i * width;
    copy_columns(from, cols, width, to);
    if (pair_weight != nullptr) {
      const double* w = pair_weight + i * width;
      std::size_t first = 0;
      while (w[first] == 0) ++first;
      const std::int32_t filler = from[cols[first]];
      for (std::size_t j = 0; j < width; ++j) to[j] = w[j] != 0 ? to[j] : filler;
    }
    if (with_flips)
      copy_columns(ws.table_flips.data() + 256 * std::size_t{rows[i]}, cols, width,
                   ws.flips.data() + i * width);
  }
  problem.e = ws.e.data();
  problem.flips = ws.flips.data();
}

void prepare_independent(Workspace& ws, const OperandDistribution& a, const OperandDistribution& b,
                         bool with_flips) {
  std::vector<std::uint16_t>&rows = ws.row_index, &cols = ws.col_index;
  occurring(a.p, rows);
  occurring(b.p, cols);
  Problem& problem = ws.problem;
  set_values(problem, ws.table->type(), rows, cols);
  ws.p.clear();
  ws.w.assign(problem.shape.cols, 0);
  CompensatedSum sum_a, sum_b;
  for (std::uint16_t row : rows) {
    ws.p.push_back(a.p[row]);
    sum_a.add(a.p[row]);
  }
  for (std::size_t j = 0; j < cols.size(); ++j) {
    ws.w[j] = b.p[cols[j]];
    sum_b.add(ws.w[j]);
  }
  problem.row_weight = ws.p.data();
  problem.weights = {ws.w.data(), 0};
  problem.row_total.assign(rows.size(), sum_b.value());
  problem.col_total = sum_a.value();
  problem.excess_a = sum_a.minus_one();
  problem.excess_b = sum_b.minus_one();
  problem.excess = problem.excess_a + problem.excess_b + problem.excess_a * problem.excess_b;
  if (rows.size() == 256 && cols.size() == 256) {
    problem.e = ws.table_e.data();
    problem.flips = ws.table_flips.data();
  } else {
    cut_maps(ws, rows, cols, nullptr, with_flips);
  }
}

/// Rows and columns in which anything has a probability above 0.
void occurring(const Array2<double>& p, std::vector<std::uint16_t>& rows,
               std::vector<std::uint16_t>& cols) {
  std::array<std::uint8_t, kOperandCount> in_col{};
  rows.clear();
  cols.clear();
  for (std::uint16_t i = 0; i < kOperandCount; ++i) {
    const std::span<const double> row = p.row(i);
    std::uint8_t in_row = 0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      const auto some = static_cast<std::uint8_t>(row[j] > 0);
      in_col[j] |= some;
      in_row |= some;
    }
    if (in_row != 0) rows.push_back(i);
  }
  for (std::uint16_t j = 0; j < kOperandCount; ++j)
    if (in_col[j] != 0) cols.push_back(j);
}

/// Four interleaved sums: one alone would wait for every addition.
CompensatedSum compensated_sum(const double* x, std::size_t n) {
  CompensatedSum lane[4];
  for (std::size_t j = 0; j < n; ++j) lane[j % 4].add(x[j]);
  for (std::size_t l = 1; l < 4; ++l) {
    lane[0].add(lane[l].sum);
    lane[0].add(lane[l].error);
  }
  return lane[0];
}

void prepare_joint(Workspace& ws, const JointDistribution& joint, bool with_flips) {
  std::vector<std::uint16_t>&rows = ws.row_index, &cols = ws.col_index;
  occurring(joint.p, rows, cols);
  Problem& problem = ws.problem;
  set_values(problem, ws.table->type(), rows, cols);
  const std::size_t width = problem.shape.cols;
  ws.w.assign(rows.size() * width, 0);
  problem.row_total.assign(rows.size(), 0);
  CompensatedSum sum;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double* w = ws.w.data() + i * width;
    const std::span<const double> p = joint.p.row(rows[i]);
    for (std::size_t j = 0; j < cols.size(); ++j) w[j] = p[cols[j]];
    const CompensatedSum in_row = compensated_sum(w, width);
    problem.row_total[i] = in_row.value();
    sum.add(in_row.sum);
    sum.add(in_row.error);
  }
  problem.row_weight = nullptr;
  problem.weights = {ws.w.data(), width};
  problem.col_total = problem.excess_a = problem.excess_b = 0;
  problem.excess = sum.minus_one();
  cut_maps(ws, rows, cols, ws.w.data(), with_flips);
}

void prepare_uniform(Workspace& ws) {
  std::array<std::uint16_t, 256> all;
  for (std::uint16_t i = 0; i < 256; ++i) all[i] = i;
  set_values(ws.problem, ws.table->type(), all, all);
  ws.problem.e = ws.table_e.data();
  ws.problem.row_weight = nullptr;
  ws.problem.weights = {};
}

/// What is not computed is undefined, not 0.
ErrorReport empty_report() {
  constexpr double nan = ErrorMetrics::kNaN;
  ErrorReport report;
  ErrorMetrics& m = report.metrics;
  m.mred = m.wcre = m.mred_exclude_zero = m.mred_max_one = nan;
  m.wcre_exclude_zero = m.wcre_max_one = m.hamming_mean = nan;
  m.bit_flip_rate.fill(nan);
  ConditionalErrors& c = report.conditional;
  for (auto* values : {&c.bias_given_a, &c.std_given_a, &c.bias_given_b, &c.std_given_b})
    values->fill(nan);
  return report;
}

void add_facts(Workspace& ws, bool rank, ErrorMetrics& m) {
  const TableFacts& facts = ws.need_facts(rank);
  m.is_symmetric = facts.is_symmetric;
  m.sign_preserved = facts.sign_preserved;
  m.zero_violations = facts.zero_violations;
  if (rank) {
    m.rank_error = facts.rank_error;
    m.rank_lut = facts.rank_lut;
  }
}

ErrorReport independent(const Lut& lut, const OperandDistribution& a, const OperandDistribution& b,
                        const CharacterizeOptions& options, bool basic, Workspace& ws) {
  check_signedness(lut, a.is_signed, b.is_signed);
  check_widths(lut, a, b);
  check_probabilities(a.p, "distribution of a (" + a.text + ")");
  check_probabilities(b.p, "distribution of b (" + b.text + ")");
  check_levels(options);
  ws.set_table(lut);
  ErrorReport report = empty_report();
  if (is_uniform(a.p) && is_uniform(b.p)) {
    ws.need_errors();
    prepare_uniform(ws);
    uniform_report(ws, options, basic, report);
  } else if (basic) {
    basic_weighted(lut, a.p, b.p, ws, report.metrics);
  } else {
    ws.need_errors();
    if (options.distribution) ws.need_flips();
    prepare_independent(ws, a, b, options.distribution);
    weighted_report(ws, options, report);
  }
  if (!basic) add_facts(ws, options.rank, report.metrics);
  return report;
}

}  // namespace

void occurring(const Probabilities& p, std::vector<std::uint16_t>& out) {
  out.clear();
  for (std::uint16_t i = 0; i < kOperandCount; ++i)
    if (p[i] > 0) out.push_back(i);
}

void derive(ErrorMetrics& m, const SizedType& type, Convention convention, double exact_square) {
  const auto full_scale = static_cast<double>(type.pairs());
  m.nmed = m.mae / static_cast<double>(max_abs_product(type));
  m.mae_pct_fullscale = 100 * m.mae / full_scale;
  m.wce_pct_fullscale = 100 * static_cast<double>(m.wce) / full_scale;
  m.rmse = std::sqrt(m.mse);
  m.error_std = std::sqrt(m.variance);
  const bool exclude_zero = convention == Convention::evoapproxlib;
  m.mred = exclude_zero ? m.mred_exclude_zero : m.mred_max_one;
  m.wcre = exclude_zero ? m.wcre_exclude_zero : m.wcre_max_one;
  m.snr_db = exact_square > 0 && m.mse > 0 ? decibel(exact_square / m.mse) : ErrorMetrics::kNaN;
}

double decibel(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // [0.5, 1)
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1), square = s * s;  // |s| < 0.172
  double series = 0;                                                 // ln(mantissa) = 2·artanh(s)
  for (int k = 27; k >= 1; k -= 2) series = series * square + 1.0 / k;
  return exponent * 3.0102999566398119521 + 2 * s * series * 4.3429448190325182765;
}

}  // namespace detail::stats

CharacterizeWorkspace::CharacterizeWorkspace()
    : state_(std::make_unique<detail::stats::Workspace>()) {}
CharacterizeWorkspace::~CharacterizeWorkspace() = default;
CharacterizeWorkspace::CharacterizeWorkspace(CharacterizeWorkspace&&) noexcept = default;
CharacterizeWorkspace& CharacterizeWorkspace::operator=(CharacterizeWorkspace&&) noexcept = default;

ErrorReport characterize(const Lut& lut, const OperandDistribution& a, const OperandDistribution& b,
                         const CharacterizeOptions& options, CharacterizeWorkspace& workspace) {
  return detail::stats::independent(lut, a, b, options, false, workspace.state());
}

ErrorReport characterize(const Lut& lut, const OperandDistribution& a, const OperandDistribution& b,
                         const CharacterizeOptions& options) {
  CharacterizeWorkspace workspace;
  return characterize(lut, a, b, options, workspace);
}

ErrorReport characterize(const Lut& lut, const JointDistribution& joint,
                         const CharacterizeOptions& options, CharacterizeWorkspace& workspace) {
  if (joint.type != lut.sized_type())
    throw UsageError(detail::stats::kSignedness, "joint distribution is " + to_string(joint.type) +
                                                     " but the table is " +
                                                     to_string(lut.sized_type()));
  if (joint.p.rows() != kOperandCount || joint.p.cols() != kOperandCount)
    throw UsageError(detail::stats::kBadDistribution, "joint distribution is not 256x256");
  detail::stats::check_probabilities(joint.p.flat(), "joint distribution (" + joint.text + ")");
  detail::stats::check_levels(options);
  detail::stats::Workspace& ws = workspace.state();
  ws.set_table(lut);
  ws.need_errors();
  if (options.distribution) ws.need_flips();
  detail::stats::prepare_joint(ws, joint, options.distribution);
  ErrorReport report = detail::stats::empty_report();
  detail::stats::weighted_report(ws, options, report);
  detail::stats::add_facts(ws, options.rank, report.metrics);
  return report;
}

ErrorReport characterize(const Lut& lut, const JointDistribution& joint,
                         const CharacterizeOptions& options) {
  CharacterizeWorkspace workspace;
  return characterize(lut, joint, options, workspace);
}

ErrorReport characterize(const Lut& lut, const CharacterizeOptions& options) {
  const SizedType type = lut.sized_type();
  return characterize(lut, uniform_distribution(a_is_signed(type), type.bits.a),
                      uniform_distribution(b_is_signed(type), type.bits.b), options);
}

ErrorMetrics basic_metrics(const Lut& lut, const OperandDistribution& a,
                           const OperandDistribution& b, CharacterizeWorkspace& workspace) {
  return detail::stats::independent(lut, a, b, {}, true, workspace.state()).metrics;
}

ErrorMetrics basic_metrics(const Lut& lut, const OperandDistribution& a,
                           const OperandDistribution& b) {
  CharacterizeWorkspace workspace;
  return basic_metrics(lut, a, b, workspace);
}

}  // namespace axmul
