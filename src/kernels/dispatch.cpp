// What the registry calls: each kernel's driver with its micro-kernel.
#include "kernels/column.hpp"
#include "kernels/permute.hpp"
#include "kernels/rank1.hpp"

namespace axmul::detail {

extern const ColumnKernel kColumnVector;

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

}  // namespace axmul::detail
