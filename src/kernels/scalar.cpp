// The reference kernel: one look-up in the table itself per product. All others must equal it.
#include <algorithm>

#include "axmul/core/parallel.hpp"
#include "kernels/engine.hpp"

namespace axmul::detail {

namespace {

void scalar_row(const Problem& problem, std::size_t row) {
  const Weights& weights = *problem.weights;
  const std::int32_t* products = weights.lut.products().data();
  std::int32_t* y = problem.y + row * problem.y_stride;
  std::fill_n(y, weights.m, 0);
  const std::uint8_t* a_row = problem.a->base + problem.a->offset_of(row);
  for (const Segment& segment : problem.a->segments) {
    const std::size_t begin = std::max(segment.k, problem.k_begin);
    const std::size_t end = std::min(segment.k + segment.length, problem.k_end);
    for (std::size_t k = begin; k < end; ++k) {
      const std::uint8_t bits = a_row[segment.offset + static_cast<std::ptrdiff_t>(k - segment.k)];
      const std::int32_t* table_row = products + std::size_t{256} * (bits ^ weights.a_flip);
      const std::uint8_t* column = weights.column.row(k).data();
      for (std::size_t m = 0; m < weights.m; ++m) y[m] += table_row[column[m]];
    }
  }
}

}  // namespace

void run_scalar(const Problem& problem) {
  constexpr std::size_t kRows = 32;
  set_last_kernel("scalar");
  const std::size_t rows = problem.a->rows;
  parallel_for((rows + kRows - 1) / kRows, problem.threads, [&](std::size_t block) {
    const std::size_t end = std::min(rows, (block + 1) * kRows);
    for (std::size_t row = block * kRows; row < end; ++row) scalar_row(problem, row);
  });
}

}  // namespace axmul::detail
