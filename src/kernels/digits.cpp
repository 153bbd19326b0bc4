// Digit-product driver: y is a sum of exact GEMMs of unsigned by signed bytes, one for each pair of
// digits of a table's factors.
#include "kernels/digits.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "axmul/core/parallel.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kChannels = 16;          // that panels are multiples of
constexpr std::size_t kTileBytes = 24 * 1024;  // of factors, which stay in the first-level cache
constexpr std::size_t kMostRows = 192;

/// One digit u of the activations; several products may have it. Turned, it is u − 128 as a signed
/// byte.
struct Factor {
  bool turned = false;
  DigitMap map = kDigitAny;
  std::uint8_t flip = 0;
  std::array<std::uint8_t, 16> low{}, high{};
  std::array<std::uint8_t, 256> table{};
  std::uint32_t row = 0;  // what the sum over u counts, modulo 2^32
};

Factor make_factor(std::array<std::uint8_t, 256> u, bool turned) {
  Factor f;
  f.turned = turned;
  if (turned)
    for (std::uint8_t& x : u) x ^= 0x80;
  f.table = u;
  f.flip = u[0];
  bool flips = true, adds = true;
  for (std::size_t i = 0; i < 16; ++i) {
    f.low[i] = u[i];
    f.high[i] = static_cast<std::uint8_t>(u[16 * i] - u[0]);
  }
  for (std::size_t x = 0; x < 256; ++x) {
    flips = flips && u[x] == (x ^ f.flip);
    adds = adds && u[x] == static_cast<std::uint8_t>(f.low[x & 15] + f.high[x >> 4]);
  }
  f.map = flips ? kDigitFlip : adds ? kDigitNibbles : kDigitAny;
  return f;
}

/// Output channels side by side in one panel.
struct Panel {
  std::size_t m = 0, vectors = 1;
};

std::vector<Panel> make_panels(std::size_t m, const DigitKernel& kernel) {
  std::size_t most = 1;
  while (most < 4 && kernel.run[most] != nullptr) ++most;
  std::vector<Panel> panels;
  for (std::size_t vectors = (m + kChannels - 1) / kChannels, first = 0; first < vectors;) {
    const std::size_t some = std::min(most, vectors - first);
    panels.push_back({first * kChannels, some});
    first += some;
  }
  return panels;
}

/// Weights packed for a range of taps.
struct DigitPlan {
  std::shared_ptr<const DigitProducts> products;
  const DigitKernel* kernel = nullptr;
  std::size_t k_begin = 0, k_end = 0, quads = 0;
  std::vector<Factor> factors;
  std::vector<std::size_t> factor_of;  // of each product
  std::vector<Panel> panels;
  std::vector<std::uint8_t> b;         // [products][panels][quads][channels][4]
  std::vector<std::int32_t> constant;  // [m rounded up]
  std::size_t product_bytes() const { return quads * 4 * constant.size(); }
};

/// v + 128 are unsigned bytes, and u·v + 128·u = (u − 128)·(v + 128) + 128·(v + 128): what would be
/// a sum for each row becomes a constant for each channel.
bool is_turned(const DigitProduct& p) { return p.row == std::int64_t{128} * p.scale; }

void find_factors(DigitPlan& plan) {
  for (const DigitProduct& p : plan.products->products) {
    const Factor factor = make_factor(p.u, is_turned(p));
    std::size_t i = 0;
    while (i < plan.factors.size() &&
           (plan.factors[i].table != factor.table || plan.factors[i].turned != factor.turned))
      ++i;
    if (i == plan.factors.size()) plan.factors.push_back(factor);
    if (!factor.turned) plan.factors[i].row += static_cast<std::uint32_t>(p.row);
    plan.factor_of.push_back(i);
  }
}

/// v by the weights' columns, so that packing is one look-up a weight.
void pack_weights(DigitPlan& plan, const Weights& w) {
  const std::uint8_t flip = b_is_signed(w.lut.type()) ? 0x80 : 0;
  plan.b.assign(plan.products->products.size() * plan.product_bytes(), 0);
  std::uint8_t* out = plan.b.data();
  for (const DigitProduct& p : plan.products->products) {
    const std::uint8_t turn = is_turned(p) ? 0x80 : 0;
    std::array<std::uint8_t, 256> v;
    for (std::size_t i = 0; i < 256; ++i)
      v[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(p.v[i ^ flip]) ^ turn);
    for (const Panel& panel : plan.panels) {
      const std::size_t wide = panel.vectors * kChannels, some = std::min(wide, w.m - panel.m);
      for (std::size_t k = plan.k_begin; k < plan.k_end; ++k) {
        const std::size_t tap = k - plan.k_begin;
        const std::uint8_t* columns = w.column.row(k).data() + panel.m;
        std::uint8_t* to = out + tap / 4 * 4 * wide + tap % 4;
        for (std::size_t c = 0; c < some; ++c) to[4 * c] = v[columns[c]];
      }
      out += plan.quads * 4 * wide;
    }
  }
}

void sum_constants(DigitPlan& plan, const Weights& w) {
  const std::uint8_t flip = b_is_signed(w.lut.type()) ? 0x80 : 0;
  std::array<std::uint32_t, 256> column;
  for (std::size_t i = 0; i < 256; ++i) {
    column[i] = static_cast<std::uint32_t>(plan.products->column[i ^ flip]);
    for (const DigitProduct& p : plan.products->products)
      if (is_turned(p))
        column[i] += 128 * static_cast<std::uint32_t>(p.scale) *
                     static_cast<std::uint32_t>(p.v[i ^ flip] + 128);
  }
  std::vector<std::uint32_t> sums(plan.constant.size(), 0);
  for (std::size_t k = plan.k_begin; k < plan.k_end; ++k) {
    const std::uint8_t* columns = w.column.row(k).data();
    for (std::size_t m = 0; m < w.m; ++m) sums[m] += column[columns[m]];
  }
  for (std::size_t m = 0; m < sums.size(); ++m)
    plan.constant[m] = static_cast<std::int32_t>(sums[m]);
}

std::shared_ptr<const DigitPlan> make_plan(const Problem& p, const DigitKernel& kernel,
                                           const std::shared_ptr<const DigitProducts>& products) {
  auto plan = std::make_shared<DigitPlan>();
  plan->products = products;
  plan->kernel = &kernel;
  plan->k_begin = p.k_begin;
  plan->k_end = p.k_end;
  plan->quads = (p.k_end - p.k_begin + 3) / 4;
  plan->panels = make_panels(p.weights->m, kernel);
  plan->constant.resize((p.weights->m + kChannels - 1) / kChannels * kChannels);
  find_factors(*plan);
  pack_weights(*plan, *p.weights);
  sum_constants(*plan, *p.weights);
  return plan;
}

std::shared_ptr<const DigitPlan> plan_of(const Problem& p, const DigitKernel& kernel,
                                         const std::shared_ptr<const DigitProducts>& products) {
  const Weights& w = *p.weights;
  const bool whole = p.k_begin == 0 && p.k_end == w.k;
  if (whole) {
    const std::lock_guard lock(w.derived_mutex);
    const auto old = std::static_pointer_cast<const DigitPlan>(w.digits);
    if (old != nullptr && old->products == products && old->kernel == &kernel) return old;
  }
  auto fresh = make_plan(p, kernel, products);
  if (!whole) return fresh;
  const std::lock_guard lock(w.derived_mutex);
  w.digits = fresh;
  return fresh;
}

/// What one tile of rows is computed in.
struct DigitTile {
  std::uint8_t* a;          // [factors][rows, 4 quads]
  std::int32_t* row_sums;   // [rows]
  std::uint32_t* sums;      // [rows], of one factor
  std::ptrdiff_t* offsets;  // [rows]
  std::int32_t* y;          // [rows, 64], of panels that the product is too narrow for
};

class DigitRun {
 public:
  DigitRun(const Problem& problem, const DigitKernel& kernel,
           const std::shared_ptr<const DigitProducts>& products)
      : p_(problem), kernel_(kernel), plan_(plan_of(problem, kernel, products)) {}
  void run() const;

 private:
  DigitTile make_tile(std::size_t rows) const;
  void pack(std::size_t first, std::size_t rows, std::size_t room, const DigitTile& tile) const;
  void panel(const Panel& panel, std::size_t first, std::size_t rows, std::size_t room,
             const DigitTile& tile) const;
  /// With room for what packing writes behind a run of bytes, which would else be the next row's.
  std::size_t stride() const {
    return (4 * plan_->quads + 63) / 64 * 64 + (p_.a->segments.size() > 1 ? 64 : 0);
  }

  const Problem& p_;
  const DigitKernel& kernel_;
  std::shared_ptr<const DigitPlan> plan_;
};

DigitTile DigitRun::make_tile(std::size_t rows) const {
  thread_local Workspace workspace;
  const std::size_t factors = plan_->factors.size() * rows * stride() + 64;  // the last store's end
  const std::size_t four = (4 * rows + 63) / 64 * 64;
  unsigned char* at = workspace.at_least(factors + 4 * four + 4 * rows * 4 * kChannels);
  const auto take = [&](std::size_t bytes) { return std::exchange(at, at + bytes); };
  DigitTile tile{};
  tile.a = take(factors);
  tile.row_sums = reinterpret_cast<std::int32_t*>(take(four));
  tile.sums = reinterpret_cast<std::uint32_t*>(take(four));
  tile.offsets = reinterpret_cast<std::ptrdiff_t*>(take(2 * four));
  tile.y = reinterpret_cast<std::int32_t*>(at);
  return tile;
}

void DigitRun::pack(std::size_t first, std::size_t rows, std::size_t room,
                    const DigitTile& tile) const {
  std::fill_n(tile.row_sums, rows, 0);
  for (std::size_t r = 0; r < rows; ++r) tile.offsets[r] = p_.a->offset_of(first + r);
  std::uint8_t* out = tile.a;
  for (const Factor& f : plan_->factors) {
    std::fill_n(tile.sums, rows, 0u);
    for (const Segment& s : p_.a->segments) {
      const std::size_t from = std::max(s.k, p_.k_begin);
      const std::size_t to = std::min(s.k + s.length, p_.k_end);
      if (from >= to) continue;
      kernel_.pack({p_.a->base + s.offset + static_cast<std::ptrdiff_t>(from - s.k), tile.offsets,
                    rows, to - from, f.map, f.flip, f.low.data(), f.high.data(), f.table.data(),
                    out + (from - p_.k_begin), stride(), f.row != 0 ? tile.sums : nullptr});
    }
    out += room * stride();
    for (std::size_t r = 0; r < rows && f.row != 0; ++r)
      tile.row_sums[r] = static_cast<std::int32_t>(static_cast<std::uint32_t>(tile.row_sums[r]) +
                                                   f.row * tile.sums[r]);
  }
}

void DigitRun::panel(const Panel& panel, std::size_t first, std::size_t rows, std::size_t room,
                     const DigitTile& tile) const {
  const std::size_t wide = panel.vectors * kChannels,
                    some = std::min(wide, p_.weights->m - panel.m);
  const bool direct = some == wide;
  std::int32_t* y = p_.y + first * p_.y_stride + panel.m;
  std::int32_t* to = direct ? y : tile.y;
  const std::size_t to_stride = direct ? p_.y_stride : wide;
  const auto& products = plan_->products->products;
  if (products.empty())
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(plan_->constant.data() + panel.m, wide, to + r * to_stride);
  for (std::size_t i = 0; i < products.size(); ++i)
    kernel_.run[panel.vectors - 1](
        {tile.a + plan_->factor_of[i] * room * stride(), stride(), rows,
         plan_->b.data() + i * plan_->product_bytes() + panel.m * 4 * plan_->quads, plan_->quads,
         products[i].scale, is_turned(products[i]) ? 1 : 0, to, to_stride, tile.row_sums,
         plan_->constant.data() + panel.m, i == 0 ? 0 : 1});
  if (direct) return;
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(to + r * wide, some, y + r * p_.y_stride);
}

void DigitRun::run() const {
  const std::size_t rows = p_.a->rows;
  const std::size_t row_bytes = std::max<std::size_t>(1, plan_->factors.size()) * stride();
  const std::size_t some = std::clamp<std::size_t>(kTileBytes / row_bytes, 1, kMostRows);
  const std::size_t tile_rows = std::max<std::size_t>(some / kernel_.rows, 1) * kernel_.rows;
  const std::size_t tiles = (rows + tile_rows - 1) / tile_rows;
  parallel_for(tiles, p_.threads, [&](std::size_t t) {
    const std::size_t first = t * tile_rows, count = std::min(tile_rows, rows - first);
    const DigitTile tile = make_tile(tile_rows);
    pack(first, count, tile_rows, tile);
    for (const Panel& one : plan_->panels) panel(one, first, count, tile_rows, tile);
  });
}

}  // namespace

void run_digits(const Problem& problem, const DigitKernel& kernel,
                const std::shared_ptr<const DigitProducts>& products) {
  DigitRun(problem, kernel, products).run();
}

}  // namespace axmul::detail
