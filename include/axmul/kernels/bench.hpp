// How fast LUT simulation is on this machine: LUT GEMM beside the loops that research tools use and
// beside exact matrix products, all in one run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/kernels/lut_gemm.hpp"

namespace axmul {

/// Operands of one layer to measure with; rows are tiled up to a shape's n.
struct AXMUL_API BenchOperands {
  std::size_t k = 0, m = 0;
  std::vector<std::uint8_t> activations;  ///< [rows, k] bytes
  std::vector<std::uint8_t> weights;      ///< [k, m] bytes
};

struct AXMUL_API BenchLut {
  std::string name;
  Lut lut;
};

struct AXMUL_API BenchOptions {
  std::vector<BenchLut> luts;     ///< empty: a broken-array-like table and an exact one, u8u8
  std::vector<GemmShape> shapes;  ///< empty: bench_default_shapes()
  /// Used for shapes with the same k and m (u8u8 bytes, recoded by -128 where a table's weights are
  /// signed); other shapes get synthetic operands of the same statistics.
  std::vector<BenchOperands> operands;
  int levels = 256;          ///< activations are clipped to 0 … levels − 1
  int threads = 1;           ///< of every contestant
  std::string kernel;        ///< force one; empty: AXMUL_KERNEL, else the selector's
  double min_seconds = 0.5;  ///< per shape and table, divided among all contestants
  bool yardsticks = true;
  std::uint64_t seed = 1;
};

/// A figure over the rounds of a run. Every contestant has a turn in every round, and a ratio is
/// formed within each round, so that what other programs did to both cancels.
struct AXMUL_API BenchSpread {
  double median = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();   ///< a tenth of the rounds is below
  double high = std::numeric_limits<double>::quiet_NaN();  ///< a tenth of the rounds is above
  /// (high - low) / median: 0.1 where rounds lie within ±5 %.
  double difference() const;
};

/// Rounds that differ by more than this are called disturbed.
inline constexpr double kBenchDisturbed = 0.25;

/// Speed of LUT GEMM over that of a yardstick in the same round. NaN where a yardstick is not there
/// (library not installed, CPU without AVX2, products that do not fit 16 bits).
struct AXMUL_API BenchRatios {
  BenchSpread triple_loop;  ///< int32 table, one sum
  BenchSpread adapt_loop;   ///< 16-bit table, 8 sums
  BenchSpread gather;       ///< AVX2 gather, 8 channels
  BenchSpread sgemm;        ///< exact: OpenBLAS, float
  BenchSpread int8;         ///< exact: oneDNN, u8·s8
};

/// A yardstick by name ("sgemm") and as a heading ("× sgemm").
struct AXMUL_API BenchYardstick {
  const char* name;
  const char* label;
  BenchSpread BenchRatios::*field;
};
AXMUL_API std::span<const BenchYardstick> bench_yardsticks();

struct AXMUL_API BenchResult {
  GemmShape shape;
  std::string lut;
  std::string kernel;
  int threads = 1;
  bool real_operands = false;  ///< traced, not synthetic
  BenchSpread mac_per_second;
  /// By the clock of the same round: a chain of dependent additions, one a cycle.
  BenchSpread mac_per_cycle;
  /// Of the yardsticks themselves: multiply-accumulates a cycle.
  BenchRatios yardstick_mac_per_cycle;
  BenchRatios ratio_to;
  int rounds = 0;
  double largest_difference = 0;  ///< of mac_per_second, mac_per_cycle and the ratios
  std::string differs_most;       ///< that figure's heading
  bool disturbed = false;         ///< largest_difference > kBenchDisturbed
};

struct AXMUL_API BenchReport {
  double clock_ghz = 0;                     ///< median over all rounds
  std::string sgemm_library, int8_library;  ///< what was found, empty = nothing
  std::string blas_core;      ///< that OpenBLAS computes with, e.g. "Haswell"; empty = unknown
  std::string blas_own_core;  ///< that it would take by itself, where variables force another
  /// Variables of the environment that steer the libraries or axmul, "OPENBLAS_CORETYPE=Haswell".
  std::vector<std::string> environment;
  std::vector<BenchResult> results;  ///< shapes fast, tables slow
  bool disturbed() const;            ///< any result is
};

/// n, k, m of three ResNet-20 layers: 4096 rows of 144×16, 288×32 and 576×64.
AXMUL_API std::vector<GemmShape> bench_default_shapes();

/// Measures every table on every shape, in at least 7 rounds, in each of which every contestant has
/// one turn of a millisecond or more. The time is that of a prepared plan's run, everything done
/// to the activations included; the exact library calls include their own packing. One thread is
/// timed by the CPU time it takes, so that other programs disturb less; several by the clock.
/// Verifies each product against the scalar kernel on some rows and throws InternalError where they
/// differ. Throws as lut_gemm for a kernel that is not available; UsageError AX610 for levels
/// outside 2 … 256 or an empty shape. Loads libopenblas and libdnnl at run time where they are
/// installed.
AXMUL_API BenchReport run_bench(const BenchOptions& options = {});

/// "4096×144×16": n×k×m, as every table and option has it.
AXMUL_API std::string bench_shape_text(const GemmShape& shape);

/// A shape from "4096,144,16", n,k,m. Throws UsageError AX612 for anything else.
AXMUL_API GemmShape parse_bench_shape(const std::string& text);

/// The results as CSV, a line each, medians: n, k, m, table, operands, kernel, threads, rounds,
/// mac_per_second, mac_per_cycle, then ratio_to_… and …_mac_per_cycle of each yardstick, disturbed
/// (0 or 1). Figures that are not there are NaN.
AXMUL_API std::string bench_csv(const BenchReport& report);

}  // namespace axmul
