// Error metrics of multipliers whose operands have more than 8 bits: products come as a stream, a
// table of them never exists.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/operand.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/stats/metrics.hpp"

namespace axmul {

/// Operand pairs of one block of products; pairs are numbered a slow, b fast, both ascending by
/// value, and block k holds the pairs from 4096·k on.
inline constexpr std::size_t kProductBlock = 4096;

/// Computes blocks; one thread at a time.
class AXMUL_API ProductBlocks {
 public:
  virtual ~ProductBlocks() = default;
  /// product i of the block is low[i] + 65536·high[i], 0 ≤ low[i] < 65536, |high[i]| < 2^24.
  virtual void block(std::uint64_t index, std::int32_t* low, std::int32_t* high) = 0;
};

/// A multiplier of any widths as a stream of products. Thread-safe.
class AXMUL_API ProductSource {
 public:
  explicit ProductSource(const SizedType& type) : type_(type) {}
  virtual ~ProductSource() = default;
  const SizedType& type() const { return type_; }
  /// What one thread computes with.
  virtual std::unique_ptr<ProductBlocks> blocks() const = 0;

 private:
  SizedType type_;
};

/// p(a) or p(b) of an operand of 1 … 16 bits: 2^bits probabilities by ascending value, sum 1.
struct AXMUL_API WideDistribution {
  std::string text;  ///< as OperandDistribution::text
  bool is_signed = false;
  int bits = 16;
  std::vector<double> p;
};

/// As parse_distribution(), for operands of any width; trace(…) is of 8 bits and refused.
AXMUL_API WideDistribution parse_wide_distribution(std::string_view text, bool is_signed, int bits);

/// How many bins conditional profiles have: operand values in equal shares, ascending.
inline constexpr std::size_t kProfileBins = 256;
/// Bins of |e|: bin 0 is e = 0, bin k is 2^(k−1) ≤ |e| < 2^k.
inline constexpr std::size_t kErrorBins = 48;

struct AXMUL_API WideReport {
  /// Bias, mae, nmed, percentages, mse, rmse, variance, error_std, error_rate, wce with its
  /// operands, mred and wcre in both conventions, snr_db, zero_violations (−1 unless uniform); the
  /// rest is NaN, false or −1.
  ErrorMetrics metrics;
  /// Exact sums over all pairs as decimal texts, where both operands are uniform; else empty.
  std::string sum_error, sum_abs, sum_square, count_nonzero;
  std::array<double, kErrorBins> abs_error_bins{};  ///< P(|e| in the bin)
  /// Bias and standard deviation of e given a value of the bin; NaN where p = 0.
  ConditionalErrors profile;
};

/// Whether wide reports have that figure.
AXMUL_API bool has_wide_figure(std::string_view metric);

/// All figures of one multiplier under independent operands p(a)·p(b), exact integer sums where
/// both are uniform (the same bits on every machine and for every thread count). Memory does not
/// depend on the widths. threads: 0 = default. Throws UsageError AX405 where a distribution does
/// not fit the type, InterruptedError.
AXMUL_API WideReport characterize_wide(const ProductSource& source, const WideDistribution& a,
                                       const WideDistribution& b,
                                       Convention convention = Convention::evoapproxlib,
                                       int threads = 0, const Progress& progress = {});
/// Where two multipliers of one type differ.
struct AXMUL_API WideDifferences {
  struct Pair {
    int a, b;
    std::int64_t first, second;
  };
  std::uint64_t count = 0;
  std::int64_t largest = 0;  ///< |first − second|
  std::vector<Pair> pairs;   ///< the first `limit`, ascending (a, b)
};
/// Compares every product of two multipliers of one type. Throws UsageError AX406 where the types
/// differ, InterruptedError.
AXMUL_API WideDifferences compare_wide(const ProductSource& x, const ProductSource& y,
                                       std::size_t limit, int threads = 0,
                                       const Progress& progress = {});

/// Uniform operands.
AXMUL_API WideReport characterize_wide(const ProductSource& source,
                                       Convention convention = Convention::evoapproxlib,
                                       int threads = 0, const Progress& progress = {});

}  // namespace axmul
