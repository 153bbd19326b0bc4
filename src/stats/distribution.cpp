// The distributions that need no text: uniform operands and counts.
#include "axmul/stats/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "axmul/core/errors.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/error_ids.hpp"

namespace axmul {

OperandDistribution uniform_distribution(bool is_signed, int bits) {
  OperandDistribution d;
  d.text = "uniform";
  d.is_signed = is_signed;
  d.bits = bits;
  const std::size_t count = std::size_t{1} << bits;
  std::fill_n(d.p.begin() + (is_signed ? 128 - static_cast<int>(count / 2) : 0), count,
              1.0 / static_cast<double>(count));
  return d;
}

OperandDistribution distribution_from_counts(std::string text, bool is_signed,
                                             std::array<double, kOperandCount> counts) {
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!(counts[i] >= 0) || std::isinf(counts[i]))
      throw InputError(detail::stats::kMeasuredValue,
                       text + ": count " + std::to_string(counts[i]) + " for operand value " +
                           std::to_string(static_cast<int>(i) - (is_signed ? 128 : 0)) +
                           "; counts are finite and not negative");
    total += counts[i];
  }
  if (!(total > 0)) throw InputError(detail::stats::kMeasuredSum, text + ": every count is 0");
  OperandDistribution d;
  d.text = std::move(text);
  d.is_signed = is_signed;
  for (std::size_t i = 0; i < counts.size(); ++i) d.p[i] = counts[i] / total;
  return d;
}

}  // namespace axmul
