// The scalar figures as data: what JSON, CSV and HDF5 write about each (src/README.md#metrics).
#include "axmul/stats/metrics.hpp"

namespace axmul {
namespace {

#define AXMUL_FIELD(name, units, long_name, definition)                          \
  {                                                                              \
#name, units, long_name, definition,                                         \
        [](const ErrorMetrics& m) { return static_cast<double>(m.name); }, false \
  }
#define AXMUL_INTEGER_FIELD(name, units, long_name, definition)                 \
  {                                                                             \
#name, units, long_name, definition,                                        \
        [](const ErrorMetrics& m) { return static_cast<double>(m.name); }, true \
  }

constexpr MetricField kFields[] = {
    AXMUL_FIELD(bias, "product", "mean error", "E[e], e = approximate - exact product"),
    AXMUL_FIELD(mae, "product", "mean absolute error", "E|e|"),
    AXMUL_FIELD(nmed, "1", "normalised mean error distance",
                "mae / largest |exact product| (65025 u8u8, 16384 s8s8, 32640 u8s8)"),
    AXMUL_FIELD(mae_pct_fullscale, "percent", "mean absolute error of full scale",
                "100 mae / 2^16"),
    AXMUL_INTEGER_FIELD(wce, "product", "worst-case error",
                        "max |e| over operand pairs of non-zero probability"),
    AXMUL_INTEGER_FIELD(wce_a, "1", "operand a of the worst case",
                        "a of the first such pair, ascending (a, b)"),
    AXMUL_INTEGER_FIELD(wce_b, "1", "operand b of the worst case",
                        "b of the first such pair, ascending (a, b)"),
    AXMUL_FIELD(wce_pct_fullscale, "percent", "worst-case error of full scale", "100 wce / 2^16"),
    AXMUL_FIELD(error_rate, "1", "error rate", "P(e != 0)"),
    AXMUL_FIELD(mse, "product^2", "mean squared error", "E[e^2]"),
    AXMUL_FIELD(rmse, "product", "root mean squared error", "sqrt(E[e^2])"),
    AXMUL_FIELD(error_std, "product", "standard deviation of the error", "sqrt(variance)"),
    AXMUL_FIELD(variance, "product^2", "variance of the error", "E[(e - bias)^2]"),
    AXMUL_FIELD(mred, "1", "mean relative error distance",
                "mred_exclude_zero (convention evoapproxlib) or mred_max_one (evoapprox8b)"),
    AXMUL_FIELD(wcre, "1", "worst-case relative error",
                "wcre_exclude_zero (convention evoapproxlib) or wcre_max_one (evoapprox8b)"),
    AXMUL_FIELD(mred_exclude_zero, "1", "mean relative error over non-zero exact products",
                "E[|e|/|exact|; exact != 0] / P(exact != 0)"),
    AXMUL_FIELD(mred_max_one, "1", "mean relative error over all products",
                "E[|e| / max(1, |exact|)]"),
    AXMUL_FIELD(wcre_exclude_zero, "1", "worst relative error over non-zero exact products",
                "max |e|/|exact| over pairs of non-zero probability with exact != 0"),
    AXMUL_FIELD(wcre_max_one, "1", "worst relative error over all products",
                "max |e|/max(1, |exact|) over pairs of non-zero probability"),
    AXMUL_FIELD(skewness, "1", "skewness of the error", "E[(e - bias)^3] / variance^1.5"),
    AXMUL_FIELD(excess_kurtosis, "1", "excess kurtosis of the error",
                "E[(e - bias)^4] / variance^2 - 3"),
    AXMUL_FIELD(snr_db, "dB", "signal-to-noise ratio", "10 log10(E[exact^2] / mse)"),
    AXMUL_FIELD(hamming_mean, "bit", "mean Hamming distance",
                "mean number of differing bits among the low 16, two's complement"),
    AXMUL_FIELD(anova_row, "product^2", "variance explained by operand a",
                "Var of E[e|a]; anova_row + anova_col + anova_interaction = variance"),
    AXMUL_FIELD(anova_col, "product^2", "variance explained by operand b", "Var of E[e|b]"),
    AXMUL_FIELD(anova_interaction, "product^2", "variance of the interaction of a and b",
                "E[(e - E[e|a] - E[e|b] + bias)^2]"),
    AXMUL_INTEGER_FIELD(is_symmetric, "1", "symmetric table",
                        "1 if f(a,b) = f(b,a) wherever both pairs exist"),
    AXMUL_INTEGER_FIELD(zero_violations, "1", "operand pairs that break 0 x = 0",
                        "number of operand pairs with a b = 0 and f(a,b) != 0"),
    AXMUL_INTEGER_FIELD(sign_preserved, "1", "sign preserved",
                        "1 if f = 0 or sign(f) = sign(a b) for every pair"),
    AXMUL_INTEGER_FIELD(rank_error, "1", "rank of the error map",
                        "exact rational rank; missing (NaN, null) where not computed"),
    AXMUL_INTEGER_FIELD(rank_lut, "1", "rank of the product table",
                        "exact rational rank; missing (NaN, null) where not computed"),
};

#undef AXMUL_FIELD
#undef AXMUL_INTEGER_FIELD

}  // namespace

std::span<const MetricField> metric_fields() { return kFields; }

}  // namespace axmul
