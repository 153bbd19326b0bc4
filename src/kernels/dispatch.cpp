// What the registry calls: each kernel's driver with its micro-kernel.
#include "kernels/column.hpp"
#include "kernels/digits.hpp"
#include "kernels/permute.hpp"
#include "kernels/rank1.hpp"
#include "kernels/registry.hpp"

namespace axmul::detail {

extern const ColumnKernel kColumnVector;
extern const DigitKernel kDigitsVector;

void run_digits_vector(const Problem& problem) {
  set_last_kernel("digits_vector");
  run_digits(problem, kDigitsVector, problem.weights->facts.digits());
}

void run_column_vector(const Problem& problem) {
  set_last_kernel("column_vector");
  run_column(problem, kColumnVector, ColumnChunks::bounded);
}

#if defined(__x86_64__)
extern const ColumnKernel kColumnAvx2;
extern const ColumnKernel kColumnAvx512;
extern const ColumnKernel kSparseAvx2;
extern const PermuteKernel kPermuteAvx512;
extern const Rank1Kernel kRank1Avx2;
extern const DigitKernel kDigitsAvx512;
extern const DigitKernel kDigitsAvxVnni;
extern void (*const kPackDigitsVbmi)(const DigitPackTask&);

namespace {

/// With VBMI any function of a byte is two permutes.
void pack_digits_by_permutes(const DigitPackTask& task) {
  (task.map == kDigitAny ? kPackDigitsVbmi : kDigitsAvx512.pack)(task);
}

const DigitKernel& digits_avx512() {
  static const DigitKernel with_permutes = [] {
    DigitKernel kernel = kDigitsAvx512;
    kernel.pack = pack_digits_by_permutes;
    return kernel;
  }();
  return (cpu_features() & kVbmi) != 0 ? with_permutes : kDigitsAvx512;
}

}  // namespace

void run_digits_avx512(const Problem& problem) {
  set_last_kernel("digits_avx512");
  run_digits(problem, digits_avx512(), problem.weights->facts.digits());
}

void run_digits_avxvnni(const Problem& problem) {
  set_last_kernel("digits_avxvnni");
  run_digits(problem, kDigitsAvxVnni, problem.weights->facts.digits());
}

void run_rest_avx512(const Problem& problem) {
  set_last_kernel("rest_avx512");
  run_rest(problem, kPermuteAvx512, digits_avx512());
}

void run_column_avx512(const Problem& problem) {
  set_last_kernel("column_avx512");
  // Up to 16 channels fill 256 bits only.
  ColumnKernel kernel = problem.weights->m <= kColumnAvx2.lanes ? kColumnAvx2 : kColumnAvx512;
  kernel.scan = kColumnAvx2.scan;
  kernel.build = kColumnAvx2.build;
  run_column(problem, kernel, ColumnChunks::bounded);
}

void run_column_avx2(const Problem& problem) {
  set_last_kernel("column_avx2");
  run_column(problem, kColumnAvx2, ColumnChunks::bounded);
}

void run_column_avx2_fixed(const Problem& problem) {
  set_last_kernel("column_avx2_fixed");
  run_column(problem, kColumnAvx2, ColumnChunks::fixed);
}

void run_permute_avx512(const Problem& problem) {
  set_last_kernel("permute_avx512");
  run_permute(problem, kPermuteAvx512);
}

void run_sparse_avx2(const Problem& problem) {
  set_last_kernel("sparse_avx2");
  ColumnKernel kernel = kSparseAvx2;
  kernel.scan = kColumnAvx2.scan;
  kernel.build = kColumnAvx2.build;
  run_column(problem, kernel, ColumnChunks::skipping);
}

void run_rank1_avx2(const Problem& problem) {
  set_last_kernel("rank1_avx2");
  run_rank1(problem, kRank1Avx2);
}
#endif

#if defined(__aarch64__)
extern const DigitKernel kDigitsNeon;

void run_digits_neon(const Problem& problem) {
  set_last_kernel("digits_neon");
  run_digits(problem, kDigitsNeon, problem.weights->facts.digits());
}
#endif

}  // namespace axmul::detail
