// What LUT GEMM is measured against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "axmul/kernels/lut_gemm.hpp"

namespace axmul::detail {

/// Operands of a yardstick. b is [k, m], b_by_channel [m, k]; index = byte ^ flip.
struct YardstickTask {
  GemmShape shape;
  const std::uint8_t* a;
  const std::uint8_t* b;
  const std::uint8_t* b_by_channel;
  const std::int32_t* table;        ///< [256, 256] by bit pattern
  const std::int16_t* short_table;  ///< the same in 16 bits
  std::int32_t* y;
};

/// Seconds that work takes: by the clock, or for one thread its CPU time, which other programs
/// disturb less.
double seconds_of(const std::function<void()>& work, int threads);

/// Three nested loops over an int32 table and one sum, as torchapprox's CPU path does it.
void triple_loop(const YardstickTask& task);
/// Eight sums over a 16-bit table, as AdaPT's inner loop does it.
void adapt_loop(const YardstickTask& task);
/// Eight channels a time by AVX2 gathers from the int32 table.
void gather_loop(const YardstickTask& task);

/// Exact products of libraries that are loaded at run time; functions are empty where not found.
struct ExactLibraries {
  std::string sgemm_name, int8_name;
  std::string blas_core, blas_own_core;  ///< as BenchReport has them
  /// c[n,m] = a[n,k]·b[k,m]
  std::function<void(const GemmShape&, const float* a, const float* b, float* c)> sgemm;
  std::function<void(const GemmShape&, const std::uint8_t* a, const std::int8_t* b,
                     std::int32_t* c)>
      int8;
};
ExactLibraries load_exact_libraries(int threads);

/// Those variables of the environment that steer these libraries, OpenMP or axmul and are set, each
/// "NAME=VALUE".
std::vector<std::string> steering_variables();

}  // namespace axmul::detail
