// Error metrics of a multiplier under uniform, independent or joint operand distributions
// (src/README.md#metrics).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/stats/distribution.hpp"

namespace axmul {

/// How mred and wcre treat exact products of 0; *_exclude_zero and *_max_one are always given too.
enum class Convention : std::uint8_t { evoapproxlib, evoapprox8b };

/// All scalar figures; meanings as in src/README.md#metrics. Undefined figures are NaN: skewness
/// and kurtosis at σ = 0; snr_db at mse = 0 or E[(ab)²] = 0; *_exclude_zero where no pair with a
/// non-zero exact product occurs; the ANOVA split under a joint pmf; what was not asked for.
struct AXMUL_API ErrorMetrics {
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  double bias = 0, mae = 0, nmed = 0, mae_pct_fullscale = 0, wce_pct_fullscale = 0;
  double mse = 0, rmse = 0, error_std = 0, variance = 0, error_rate = 0;
  double mred = 0, wcre = 0;
  double mred_exclude_zero = 0, mred_max_one = 0, wcre_exclude_zero = 0, wcre_max_one = 0;
  double skewness = kNaN, excess_kurtosis = kNaN, snr_db = kNaN, hamming_mean = 0;
  double anova_row = kNaN, anova_col = kNaN, anova_interaction = kNaN;
  std::array<double, 16> bit_flip_rate{};
  std::int64_t wce = 0;                         ///< max |e| over pairs of non-zero probability
  int wce_a = 0, wce_b = 0;                     ///< first such pair, ascending (a, b)
  bool is_symmetric = false;                    ///< f(a,b) = f(b,a) wherever both pairs exist
  std::int32_t zero_violations = 0;             ///< operand pairs with a·b = 0 and f(a,b) ≠ 0
  bool sign_preserved = false;                  ///< sign(f) = sign(ab) or f = 0, for every pair
  std::int32_t rank_error = -1, rank_lut = -1;  ///< exact rational rank; −1 = not computed
};

/// One scalar figure for outputs: JSON key, HDF5 dataset, CSV column.
struct AXMUL_API MetricField {
  std::string_view name, units, long_name, definition;
  double (*get)(const ErrorMetrics&);
  bool is_integer = false;
};
/// Every scalar of ErrorMetrics but bit_flip_rate, in output order.
AXMUL_API std::span<const MetricField> metric_fields();

struct AXMUL_API Quantile {
  double level, error, abs_error;  ///< smallest value whose CDF reaches the level
};

/// The error pmf: distinct errors, ascending, with their probabilities.
struct AXMUL_API ErrorPmf {
  std::vector<std::int32_t> value;
  std::vector<double> probability;
};

/// Bias and standard deviation of e given one operand's value (NaN where that value has p = 0).
struct AXMUL_API ConditionalErrors {
  std::array<double, kOperandCount> bias_given_a{}, std_given_a{}, bias_given_b{}, std_given_b{};
};

struct AXMUL_API CharacterizeOptions {
  Convention convention = Convention::evoapproxlib;
  bool rank = false;         ///< exact ranks (the only slow part)
  bool distribution = true;  ///< pmf, quantiles, conditional figures, higher moments, bits, ANOVA
  std::vector<double> quantile_levels = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
};

struct AXMUL_API ErrorReport {
  ErrorMetrics metrics;
  ErrorPmf pmf;
  std::vector<Quantile> quantiles;
  ConditionalErrors conditional;
};

namespace detail::stats {
struct Workspace;
}

/// Buffers that calls reuse, and what they have found out about the last table: one table under
/// many distributions, or many tables, go faster with one. One thread at a time; results never
/// depend on what it was used for before.
class AXMUL_API CharacterizeWorkspace {
 public:
  CharacterizeWorkspace();
  ~CharacterizeWorkspace();
  CharacterizeWorkspace(CharacterizeWorkspace&&) noexcept;
  CharacterizeWorkspace& operator=(CharacterizeWorkspace&&) noexcept;
  detail::stats::Workspace& state() { return *state_; }  ///< for the library itself

 private:
  std::unique_ptr<detail::stats::Workspace> state_;
};

/// All figures of one table under independent operands p(a)·p(b). When both are uniform, integer
/// sums give the same bits everywhere (src/README.md#numbers). Runs on one thread. Throws
/// UsageError AX420 when signedness does not match, AX421 when probabilities are negative, NaN or
/// do not sum to 1 ± 1e-9, AX422 when a quantile level is outside (0, 1].
AXMUL_API ErrorReport characterize(const Lut& lut, const OperandDistribution& a,
                                   const OperandDistribution& b,
                                   const CharacterizeOptions& options = {});
AXMUL_API ErrorReport characterize(const Lut& lut, const OperandDistribution& a,
                                   const OperandDistribution& b, const CharacterizeOptions& options,
                                   CharacterizeWorkspace& workspace);
/// The same under a joint pmf; the ANOVA split is NaN.
AXMUL_API ErrorReport characterize(const Lut& lut, const JointDistribution& joint,
                                   const CharacterizeOptions& options = {});
AXMUL_API ErrorReport characterize(const Lut& lut, const JointDistribution& joint,
                                   const CharacterizeOptions& options,
                                   CharacterizeWorkspace& workspace);
/// Uniform operands.
AXMUL_API ErrorReport characterize(const Lut& lut, const CharacterizeOptions& options = {});

/// The basic figures alone, for searches over many tables or distributions: bias, mae, nmed,
/// mae_pct_fullscale, mse, rmse, variance, error_std, error_rate, wce with its place and
/// percentage. The rest stays NaN, false or −1.
AXMUL_API ErrorMetrics basic_metrics(const Lut& lut, const OperandDistribution& a,
                                     const OperandDistribution& b,
                                     CharacterizeWorkspace& workspace);
AXMUL_API ErrorMetrics basic_metrics(const Lut& lut, const OperandDistribution& a,
                                     const OperandDistribution& b);

/// Exact rational rank of a 256x256 integer table.
AXMUL_API int exact_rank(std::span<const std::int32_t, kLutSize> table);

}  // namespace axmul
