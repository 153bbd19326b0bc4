// The basic figures alone, in one sweep over the products.
//
// The same sums as in metrics_weighted.cpp (row centres are integers, see there), without the
// figures that need the error map as a whole.
#include <algorithm>
#include <cmath>

#include "stats/workspace.hpp"

namespace axmul::detail::stats {
namespace {

/// Rows of products to sweep: the table's own where every column occurs, else copies of those that
/// do, padded with the first.
void choose_rows(const Lut& lut, std::span<const std::uint16_t> rows,
                 std::span<const std::uint16_t> cols, std::size_t width, Workspace& ws) {
  const std::int32_t* products = lut.products().data();
  ws.product_rows.clear();
  if (cols.size() == kOperandCount) {
    for (std::uint16_t row : rows) ws.product_rows.push_back(products + 256 * std::size_t{row});
    return;
  }
  ws.e.resize(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t* from = products + 256 * std::size_t{rows[i]};
    std::int32_t* to = ws.e.data() + i * width;
    copy_columns(from, cols, width, to);
    ws.product_rows.push_back(to);
  }
}

/// The first pair of non-zero probability with |e| = wce, ascending (a, b).
void find_wce(const Lut& lut, std::span<const BasicRow> rows, std::span<const int> a,
              std::span<const int> b, ErrorMetrics& m) {
  for (const BasicRow& r : rows)
    m.wce = std::max({m.wce, std::int64_t{r.max}, -std::int64_t{r.min}});
  std::size_t i = 0;
  while (rows[i].max < m.wce && -rows[i].min < m.wce) ++i;
  std::size_t j = 0;
  while (std::abs(lut.error(a[i], b[j])) != m.wce) ++j;
  m.wce_a = a[i];
  m.wce_b = b[j];
}

void add_rows(std::span<const BasicRow> rows, std::span<const double> p, double row_total,
              double excess, ErrorMetrics& m) {
  double rough = 0;
  m.mae = m.error_rate = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    m.mae += p[i] * rows[i].abs;
    m.error_rate += p[i] * rows[i].nonzero;
    rough += p[i] * (rows[i].centre * row_total + rows[i].x1);
  }
  const auto centre = static_cast<std::int32_t>(std::lround(rough));
  double residual = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    residual += p[i] * (rows[i].x1 + row_total * (rows[i].centre - centre));
  residual += centre * excess;
  m.bias = centre + residual;
  m.mse = m.variance = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const BasicRow& r = rows[i];
    const double c = r.centre, t = (r.centre - centre) - residual;
    m.mse += p[i] * (r.x2 + c * (2 * r.x1 + c * row_total));
    m.variance += p[i] * (r.x2 + t * (2 * r.x1 + t * row_total));
  }
  if (m.variance < 0) m.variance = 0;
}

}  // namespace

void basic_weighted(const Lut& lut, const Probabilities& pa, const Probabilities& pb, Workspace& ws,
                    ErrorMetrics& m) {
  std::vector<std::uint16_t>&rows = ws.row_index, &cols = ws.col_index;
  occurring(pa, rows);
  occurring(pb, cols);
  const Shape shape{rows.size(), (cols.size() + 7) / 8 * 8};
  choose_rows(lut, rows, cols, shape.cols, ws);
  std::array<std::int32_t, kOperandCount> a{}, b{};
  std::array<double, kOperandCount> p{}, q{};
  CompensatedSum sum_a, sum_b;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    a[i] = a_min(lut.type()) + rows[i];
    p[i] = pa[rows[i]];
    sum_a.add(p[i]);
  }
  for (std::size_t j = 0; j < shape.cols; ++j) {
    b[j] = b_min(lut.type()) + cols[j < cols.size() ? j : 0];
    if (j >= cols.size()) continue;
    q[j] = pb[cols[j]];
    sum_b.add(q[j]);
  }
  std::array<BasicRow, kOperandCount> out;
  basic_rows(ws.product_rows.data(), a.data(), b.data(), shape, q.data(), sum_b.value(),
             out.data());
  const std::span used(out.data(), rows.size());
  const double da = sum_a.minus_one(), db = sum_b.minus_one();
  add_rows(used, p, sum_b.value(), da + db + da * db, m);
  find_wce(lut, used, a, b, m);
  if (std::all_of(used.begin(), used.end(),
                  [&](const BasicRow& r) { return r.min == used[0].min && r.max == used[0].min; }))
    constant_error(used[0].min, m);
  derive(m, lut.sized_type(), Convention::evoapproxlib, 0);
}

}  // namespace axmul::detail::stats
