// The vectorised loops against plain loops over the same lanes: the same bits, whichever clone
// runs.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "axmul/core/philox.hpp"
#include "stats/rank_simd.hpp"
#include "stats/sums_simd.hpp"
#include "support/support.hpp"

using namespace axmul::detail::stats;

namespace {

struct Data {
  Shape shape;
  std::vector<std::int32_t> e, centre, col_centre, products, a, b;
  std::vector<std::uint16_t> flips;
  std::vector<double> w, p, abs_a, abs_b, offset;
};

Data make(std::size_t rows, std::size_t cols, bool joint, std::uint64_t seed) {
  axmul::Philox random(seed);
  Data d;
  d.shape = {rows, cols};
  for (std::size_t i = 0; i < rows * cols; ++i) {
    d.e.push_back(static_cast<std::int32_t>(random.next_below(1 << 25)) - (1 << 24));
    d.products.push_back(static_cast<std::int32_t>(random.next_below(1 << 24)) - (1 << 23));
    d.flips.push_back(static_cast<std::uint16_t>(random.next_u32()));
  }
  for (std::size_t i = 0; i < (joint ? rows * cols : cols); ++i)
    d.w.push_back(random.next_below(5) == 0 ? 0 : random.next_double());
  for (std::size_t i = 0; i < rows; ++i) {
    d.centre.push_back(static_cast<std::int32_t>(random.next_below(2001)) - 1000);
    d.p.push_back(random.next_double());
    d.abs_a.push_back(static_cast<double>(random.next_below(4)));
    d.a.push_back(static_cast<std::int32_t>(random.next_below(256)) - 128);
  }
  for (std::size_t j = 0; j < cols; ++j) {
    d.col_centre.push_back(static_cast<std::int32_t>(random.next_below(2001)) - 1000);
    d.abs_b.push_back(j % 7 == 0 ? std::numeric_limits<double>::infinity()
                                 : static_cast<double>(1 + random.next_below(255)));
    d.b.push_back(static_cast<std::int32_t>(random.next_below(256)) - 128);
    d.offset.push_back(random.next_double() - 0.5);
  }
  return d;
}

/// Eight running sums, lane j mod 8, added in the order that sums_simd.hpp fixes.
struct Lanes {
  std::array<double, 8> lane{};
  void add(std::size_t j, double x) { lane[j % 8] += x; }
  double total() const {
    std::array<double, 4> s{};
    for (std::size_t l = 0; l < 4; ++l) s[l] = lane[l] + lane[l + 4];
    return (s[0] + s[2]) + (s[1] + s[3]);
  }
};

constexpr std::array<std::array<std::size_t, 2>, 5> kShapes = {
    {{1, 8}, {3, 16}, {13, 248}, {256, 256}, {256, 8}}};

}  // namespace

TEST_CASE("row sums, moments, interaction and relative errors have fixed bits") {
  for (const auto& [rows, cols] : kShapes)
    for (bool joint : {false, true}) {
      const Data d = make(rows, cols, joint, rows + cols);
      const Weights weights{d.w.data(), joint ? cols : 0};
      std::vector<RowSums> sums(rows);
      std::vector<RowMoments> moments(rows);
      std::vector<RowRelative> relative(rows);
      std::vector<double> interaction(rows);
      row_sums(d.e.data(), d.shape, weights, sums.data());
      row_moments(d.e.data(), d.shape, weights, d.centre.data(), moments.data());
      row_relative(d.e.data(), d.shape, weights, d.abs_a.data(), d.abs_b.data(), relative.data());
      row_interaction(d.e.data(), d.shape, weights, 17, d.p.data(), d.offset.data(),
                      interaction.data());
      int wrong = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        Lanes s[4], x[4], r, y;
        double worst = 0;
        std::int32_t low = d.e[i * cols], high = low;
        for (std::size_t j = 0; j < cols; ++j) {
          const double w = d.w[joint ? i * cols + j : j], e = d.e[i * cols + j];
          low = std::min(low, d.e[i * cols + j]);
          high = std::max(high, d.e[i * cols + j]);
          s[0].add(j, w * e);
          s[1].add(j, std::abs(w * e));
          s[2].add(j, w * e * e);
          s[3].add(j, e != 0 ? w : 0);
          const double t = e - d.centre[i], t2 = t * t, wt = w * t, wt2 = wt * t;
          x[0].add(j, wt);
          x[1].add(j, wt2);
          x[2].add(j, wt2 * t);
          x[3].add(j, wt2 * t2);
          const double ratio =
              w != 0 && d.abs_a[i] != 0 ? std::abs(e) / (d.abs_a[i] * d.abs_b[j]) : 0;
          r.add(j, w * ratio);
          worst = std::max(worst, ratio);
          const double z = (e - 17 - d.p[i]) - d.offset[j];
          y.add(j, w * (z * z));
        }
        wrong += sums[i].error != s[0].total() || sums[i].abs != s[1].total() ||
                 sums[i].square != s[2].total() || sums[i].nonzero != s[3].total() ||
                 sums[i].min != low || sums[i].max != high;
        wrong += moments[i].x1 != x[0].total() || moments[i].x2 != x[1].total() ||
                 moments[i].x3 != x[2].total() || moments[i].x4 != x[3].total();
        wrong += relative[i].sum != r.total() || relative[i].max != worst;
        wrong += interaction[i] != y.total();
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("basic rows, column moments and bit rates have fixed bits") {
  for (const auto& [rows, cols] : kShapes) {
    const Data d = make(rows, cols, false, 5 * rows + cols);
    const Weights weights{d.w.data(), 0};
    std::vector<const std::int32_t*> products;
    for (std::size_t i = 0; i < rows; ++i) products.push_back(d.products.data() + i * cols);
    std::vector<BasicRow> basic(rows);
    double total = 0;
    for (double w : d.w) total += w;
    basic_rows(products.data(), d.a.data(), d.b.data(), d.shape, d.w.data(), total, basic.data());
    int wrong = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      Lanes s[3], x[2];
      for (std::size_t j = 0; j < cols; ++j) {
        const double e = products[i][j] - d.a[i] * d.b[j], w = d.w[j];
        s[0].add(j, w * e);
        s[1].add(j, std::abs(w * e));
        s[2].add(j, e != 0 ? w : 0);
      }
      const double mean = s[0].total() / total;
      const auto centre = static_cast<std::int32_t>(mean + (mean < 0 ? -0.5 : 0.5));
      for (std::size_t j = 0; j < cols; ++j) {
        const double t = products[i][j] - d.a[i] * d.b[j] - centre, w = d.w[j];
        x[0].add(j, w * t);
        x[1].add(j, w * t * t);
      }
      wrong += basic[i].abs != s[1].total() || basic[i].nonzero != s[2].total() ||
               basic[i].centre != centre || basic[i].x1 != x[0].total() ||
               basic[i].x2 != x[1].total();
    }
    CHECK(wrong == 0);

    std::vector<double> x1(cols), x2(cols);
    column_moments(d.e.data(), d.shape, d.p.data(), weights, d.col_centre.data(), x1.data(),
                   x2.data());
    wrong = 0;
    for (std::size_t j = 0; j < cols; ++j) {
      double y1 = 0, y2 = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        const double t = d.e[i * cols + j] - d.col_centre[j], wt = d.p[i] * t;
        y1 += wt;
        y2 += wt * t;
      }
      wrong += x1[j] != y1 || x2[j] != y2;
    }
    CHECK(wrong == 0);

    double rate[16];
    bit_rates(d.flips.data(), d.shape, d.p.data(), weights, rate);
    for (int k = 0; k < 16; ++k) {
      double lane[4] = {};
      for (std::size_t i = 0; i < rows; ++i) {
        double in_row[4] = {};
        for (std::size_t j = 0; j < cols; ++j)
          in_row[j % 4] += (d.flips[i * cols + j] >> k & 1) != 0 ? d.w[j] : 0;
        for (std::size_t l = 0; l < 4; ++l) lane[l] += d.p[i] * in_row[l];
      }
      CHECK(rate[k] == (lane[0] + lane[2]) + (lane[1] + lane[3]));
    }
  }
}

TEST_CASE("integer sums are exact at the largest errors") {
  // |e| just below 2^24 + 65025, the largest that a table allows, in every entry: e² · 65536
  // exceeds 64 bits.
  const std::int64_t e = (1 << 24) - 1 + 65025;
  for (int sign : {1, -1}) {
    const std::vector<std::int32_t> map(65536, static_cast<std::int32_t>(sign * e));
    std::vector<IntegerRowSums> rows(256);
    integer_row_sums(map.data(), true, rows.data());
    const std::int64_t high = e * e >> 24, low = e * e & 0xFFFFFF;
    for (const IntegerRowSums& r : {rows[0], rows[255]}) {
      CHECK(r.error == 256 * sign * e);
      CHECK(r.abs == 256 * e);
      CHECK(r.square == 256 * e * e);
      CHECK(r.nonzero == 256);
      CHECK(r.cube_high == 256 * sign * e * high);
      CHECK(r.cube_low == 256 * sign * e * low);
      CHECK(r.fourth_high == 256 * high * high);
      CHECK(r.fourth_mid == 256 * high * low);
      CHECK(r.fourth_low == 256 * low * low);
      CHECK(r.min == sign * e);
      CHECK(r.max == sign * e);
    }
  }
}

TEST_CASE("modular elimination agrees with a plain one") {
  axmul::Philox random(11);
  for (const std::uint32_t p : {2147483647u, 2147483629u, 65537u, 3u}) {
    for (const auto& [rows, cols] : {std::pair<std::size_t, std::size_t>{5, 9}, {40, 33}}) {
      std::vector<std::uint32_t> m(rows * cols);
      std::vector<std::int32_t> raw(rows * cols);
      for (std::int32_t& x : raw) x = static_cast<std::int32_t>(random.next_below(21)) - 10;
      for (std::size_t j = 0; j < cols; ++j) raw[3 * cols + j] = raw[j] - 2 * raw[cols + j];
      reduce_modulo(raw.data(), raw.size(), p, m.data());
      std::vector<std::uint64_t> q(m.begin(), m.end());
      std::size_t rank = 0;  // textbook elimination without divisions: r·x − x_c·r
      for (std::size_t c = 0; c < cols && rank < rows; ++c) {
        std::size_t pivot = rank;
        while (pivot < rows && q[pivot * cols + c] == 0) ++pivot;
        if (pivot == rows) continue;
        for (std::size_t j = 0; j < cols; ++j) std::swap(q[pivot * cols + j], q[rank * cols + j]);
        for (std::size_t i = rank + 1; i < rows; ++i) {
          const std::uint64_t f = q[i * cols + c], g = q[rank * cols + c];
          for (std::size_t j = 0; j < cols; ++j)
            q[i * cols + j] = (g * q[i * cols + j] % p + (p - f) * q[rank * cols + j] % p) % p;
        }
        ++rank;
      }
      CHECK(modular_rank(m.data(), rows, cols, p) == rank);
    }
  }
}
