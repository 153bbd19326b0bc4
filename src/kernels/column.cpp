// Column-table driver: derives 16-bit tables, cuts taps into chunks that cannot wrap, and lets a
// micro-kernel stream the rows past one group of tables at a time.
#include "kernels/column.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <memory>

#include "axmul/core/parallel.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

namespace {

// Entries per derived column: 256 levels and a pad, because columns a power of two apart would
// share their cache sets.
constexpr std::size_t kColumnStride = 272;
constexpr std::size_t kGroupTaps = kColumnGroupTaps;
constexpr std::size_t kMostChannels = 32;  // of one block
constexpr std::size_t kTileRows = 16384;
constexpr std::size_t kLeastTileRows = 256;

using ChannelBounds = std::array<std::uint32_t, kMostChannels>;
using Uses = std::array<std::uint32_t, 256>;  // how often a table column occurs in the weights

Workspace& tables_of_this_thread() {
  thread_local Workspace workspace;
  return workspace;
}
Workspace& sums_of_this_thread() {
  thread_local Workspace workspace;
  return workspace;
}

/// What the activations of a product are: per tap the largest table row, and the least of all.
struct Levels {
  std::vector<std::uint8_t> largest;  // [taps], ascending-value index
  std::uint8_t least = 255;
  std::uint8_t top = 0;
  std::vector<std::uint32_t> sum;  // [rows], of index
  std::size_t count() const { return std::size_t{top} - least + 1; }
};

/// T' = LUT - slope * (x - least) - floor[w] for the columns that occur, as 16-bit planes.
struct Derived {
  std::size_t least = 0, top = 0;      // activations it holds, as table rows
  std::size_t k_begin = 0, k_end = 0;  // taps whose weights it holds
  std::int32_t slope = 0;
  unsigned planes = 1, plane_bits = 16;
  std::uint32_t limit = 65535;  // what a 16-bit sum may reach
  std::uint32_t most = 0;       // largest entry of any plane (of |T'| where entries are signed)
  std::array<std::int32_t, 256> floor{};
  std::vector<std::uint32_t> constant;           // [m] sum of floors over the taps, modulo 2^32
  std::array<std::uint32_t, 256> range_above{};  // of T'
  /// [planes][256][kColumnStride], by x - least; and the largest entry up to x. Shared by all
  /// products of a table that derive the same.
  std::shared_ptr<std::vector<std::uint16_t>> columns, reach;
  const std::uint16_t* column(unsigned plane, std::size_t w) const {
    return columns->data() + (plane * 256 + w) * kColumnStride;
  }
  std::uint32_t range(unsigned plane, std::size_t w, std::size_t level) const {
    return (*reach)[(plane * 256 + w) * kColumnStride + level];
  }
};

/// The slope that keeps the derived ranges small: the weighted median of the columns' own slopes.
std::int32_t choose_slope(const Lut& lut, const Uses& uses, std::size_t least, std::size_t levels) {
  if (levels < 2) return 0;
  const std::int32_t* first = lut.products().data() + least * 256;
  const std::int32_t* last = first + (levels - 1) * 256;
  std::array<std::pair<std::int32_t, std::uint32_t>, 256> slopes;
  std::size_t count = 0;
  std::uint64_t total = 0;
  for (std::size_t w = 0; w < 256; ++w) {
    if (uses[w] == 0) continue;
    slopes[count++] = {(last[w] - first[w]) / static_cast<std::int32_t>(levels - 1), uses[w]};
    total += uses[w];
  }
  std::sort(slopes.begin(), slopes.begin() + static_cast<std::ptrdiff_t>(count));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    seen += slopes[i].second;
    if (2 * seen >= total) return slopes[i].first;
  }
  return 0;
}

/// LUT - slope * (x - least), [levels, 256], and its extremes per column.
struct Sheared {
  std::vector<std::int32_t> table;
  std::array<std::int32_t, 256> bottom, top;
};

Sheared shear(const Lut& lut, std::int32_t slope, std::size_t least, std::size_t levels) {
  Sheared s;
  s.table.resize(levels * 256);
  s.bottom.fill(std::numeric_limits<std::int32_t>::max());
  s.top.fill(std::numeric_limits<std::int32_t>::min());
  const std::int32_t* products = lut.products().data() + least * 256;
  for (std::size_t x = 0; x < levels; ++x) {
    const std::int32_t line = slope * static_cast<std::int32_t>(x);
    for (std::size_t w = 0; w < 256; ++w) {
      const std::int32_t value = products[x * 256 + w] - line;
      s.table[x * 256 + w] = value;
      s.bottom[w] = std::min(s.bottom[w], value);
      s.top[w] = std::max(s.top[w], value);
    }
  }
  return s;
}

void fill_planes(Derived& d, const Sheared& sheared, std::size_t levels, const Uses& uses,
                 bool with_sign) {
  const std::size_t size = d.planes * 256 * kColumnStride;
  d.columns = std::make_shared<std::vector<std::uint16_t>>(size);
  d.reach = std::make_shared<std::vector<std::uint16_t>>(size);
  const std::uint32_t mask = (1u << d.plane_bits) - 1;
  for (unsigned plane = 0; plane < d.planes; ++plane)
    for (std::size_t w = 0; w < 256; ++w) {
      if (uses[w] == 0) continue;
      std::uint16_t* column = d.columns->data() + (plane * 256 + w) * kColumnStride;
      std::uint16_t* reach = d.reach->data() + (plane * 256 + w) * kColumnStride;
      std::uint32_t so_far = 0;
      for (std::size_t x = 0; x < levels; ++x) {
        const std::int32_t value = sheared.table[x * 256 + w] - d.floor[w];
        const std::uint32_t entry =
            (static_cast<std::uint32_t>(value) >> (plane * d.plane_bits)) & mask;
        column[x] = static_cast<std::uint16_t>(entry);
        so_far = std::max(so_far, with_sign ? static_cast<std::uint32_t>(std::abs(value)) : entry);
        reach[x] = static_cast<std::uint16_t>(so_far);
      }
      d.most = std::max(d.most, so_far);
    }
}

/// Two planes where one product does not fit 16 bits, or so few that widening would dominate.
unsigned count_planes(const Derived& d, const Uses& uses) {
  std::uint64_t weighted = 0, total = 0;
  std::uint32_t largest = 0;
  for (std::size_t w = 0; w < 256; ++w) {
    if (uses[w] == 0) continue;
    largest = std::max(largest, d.range_above[w]);
    weighted += std::uint64_t{d.range_above[w]} * uses[w];
    total += uses[w];
  }
  return largest > d.limit || weighted > total * (d.limit / 3) ? 2 : 1;
}

/// All columns, whatever the weights; planes as these weights need them.
std::shared_ptr<const Derived> derive(const Lut& lut, const Uses& uses, std::int32_t slope,
                                      std::size_t least, std::size_t top) {
  auto d = std::make_shared<Derived>();
  d->slope = slope;
  d->least = least;
  d->top = top;
  const Sheared sheared = shear(lut, slope, least, top - least + 1);
  d->floor = sheared.bottom;
  for (std::size_t w = 0; w < 256; ++w)
    d->range_above[w] = static_cast<std::uint32_t>(sheared.top[w] - sheared.bottom[w]);
  d->planes = count_planes(*d, uses);
  const std::uint32_t largest = *std::max_element(d->range_above.begin(), d->range_above.end());
  if (d->planes == 2) d->plane_bits = static_cast<unsigned>(std::bit_width(largest) + 1) / 2;
  Uses all;
  all.fill(1);
  fill_planes(*d, sheared, top - least + 1, all, false);
  return d;
}

/// What was derived of the table for about that slope and range, or is now: weights that change
/// from step to step move both a little. Another slope costs shorter chunks, no exactness.
std::shared_ptr<const Derived> derived_of(const LutFacts& facts, const Uses& uses,
                                          std::size_t least, std::size_t top) {
  constexpr std::int32_t kNear = 4;   // of slopes
  constexpr std::size_t kWider = 48;  // activations
  constexpr std::size_t kRemembered = 2;
  const std::int32_t slope = choose_slope(facts.lut, uses, least, top - least + 1);
  const std::lock_guard lock(facts.column_mutex);
  for (const auto& known : facts.columns) {
    auto old = std::static_pointer_cast<const Derived>(known);
    if (std::abs(old->slope - slope) <= kNear && old->least <= least && top <= old->top &&
        old->top - old->least <= top - least + kWider && old->planes == count_planes(*old, uses))
      return old;
  }
  auto fresh = derive(facts.lut, uses, slope, least, top);
  if (facts.columns.size() == kRemembered) facts.columns.erase(facts.columns.begin());
  facts.columns.push_back(fresh);
  return fresh;
}

Uses count_uses(const Weights& weights, std::size_t k_begin, std::size_t k_end) {
  Uses uses{};
  for (std::size_t tap = k_begin; tap < k_end; ++tap)
    for (const std::uint8_t w : weights.column.row(tap)) ++uses[w];
  return uses;
}

/// The slope of signed entries must not depend on the activations, or sparse_fits could not tell.
std::int32_t sparse_slope(const Weights& weights) {
  return choose_slope(weights.lut, count_uses(weights, 0, weights.k), 0, 256);
}

/// Entries relative to those of activation `skip` (an index), which become 0: signed.
Derived derive_sparse(const Weights& weights, std::size_t least, std::size_t levels,
                      std::size_t skip) {
  Derived d;
  d.limit = 32767;
  d.slope = sparse_slope(weights);
  const Sheared sheared = shear(weights.lut, d.slope, least, levels);
  std::copy_n(sheared.table.data() + (skip - least) * 256, 256, d.floor.data());
  fill_planes(d, sheared, levels, count_uses(weights, 0, weights.k), true);
  return d;
}

void sum_floors(Derived& d, const Weights& w, std::size_t k_begin, std::size_t k_end) {
  d.constant.assign(w.m, 0);
  for (std::size_t tap = k_begin; tap < k_end; ++tap) {
    const auto columns = w.column.row(tap);
    for (std::size_t c = 0; c < w.m; ++c)
      d.constant[c] += static_cast<std::uint32_t>(d.floor[columns[c]]);
  }
}

/// The table derived for the activations at hand, or what an earlier run derived for a wider range.
std::shared_ptr<const Derived> derive_or_recall(const Problem& p, std::size_t least,
                                                std::size_t top) {
  const Weights& w = *p.weights;
  {
    const std::lock_guard lock(w.derived_mutex);
    const auto old = std::static_pointer_cast<const Derived>(w.derived);
    if (old != nullptr && old->least <= least && top <= old->top && old->k_begin == p.k_begin &&
        old->k_end == p.k_end)
      return old;
  }
  const Uses uses = count_uses(w, p.k_begin, p.k_end);
  auto fresh = std::make_shared<Derived>(*derived_of(w.facts, uses, least, top));
  fresh->most = 0;
  for (unsigned plane = 0; plane < fresh->planes; ++plane)
    for (std::size_t x = 0; x < 256; ++x)
      if (uses[x] != 0)
        fresh->most = std::max(fresh->most, fresh->range(plane, x, fresh->top - fresh->least));
  fresh->k_begin = p.k_begin;
  fresh->k_end = p.k_end;
  sum_floors(*fresh, w, p.k_begin, p.k_end);
  const std::lock_guard lock(w.derived_mutex);
  w.derived = fresh;
  return fresh;
}

/// A block of output channels that one micro-kernel call computes.
struct Block {
  std::size_t m = 0, channels = 0;
};

class ColumnRun {
 public:
  ColumnRun(const Problem& problem, const ColumnKernel& kernel, ColumnChunks chunks)
      : p_(problem), kernel_(kernel), chunks_(chunks) {}
  void run();

 private:
  void scan();
  void scan_rows(std::size_t first, std::size_t rows, Levels& levels);
  void order_lanes();
  void row_tile(std::size_t first, std::size_t rows, const Block& block) const;
  void start_sums(std::size_t first, std::size_t rows, const Block& block, std::int32_t* y,
                  std::size_t y_stride) const;
  std::vector<ColumnPiece> plan_group(std::size_t k, std::size_t end, const Block& block) const;
  void append_pieces(std::size_t k, std::size_t end, unsigned plane, const Block& block,
                     std::vector<ColumnPiece>& pieces) const;
  bool chunk_is_full(const ChannelBounds& run, const ChannelBounds* ranges,
                     std::size_t ahead) const;
  void build_group(std::size_t k, std::size_t end, const Block& block, unsigned char* table) const;
  std::size_t width() const { return kernel_.lanes * vectors_; }
  std::size_t row_bytes() const { return 2 * width(); }
  std::size_t tap_stride() const {
    return static_cast<std::size_t>(column_tap_stride(row_bytes()));
  }
  std::size_t level(std::size_t k) const {
    return std::size_t{levels_.largest[k - p_.k_begin]} - levels_.least;
  }
  const std::uint8_t* columns_of(std::size_t tap, const Block& block) const {
    return p_.weights->column.row(tap).data() + block.m;
  }

  const Problem& p_;
  const ColumnKernel& kernel_;
  ColumnChunks chunks_;
  Levels levels_;
  std::shared_ptr<const Derived> derived_;
  std::size_t vectors_ = 1;
  std::uint32_t fixed_taps_ = 0;
  std::uint8_t skip_ = 0;
  std::array<std::uint8_t, kMostChannels> channel_{};  // of each lane of a table row
  std::vector<std::ptrdiff_t> offsets_;
};

void ColumnRun::scan_rows(std::size_t first, std::size_t rows, Levels& levels) {
  const Activations& a = *p_.a;
  levels.largest.assign(p_.k_end - p_.k_begin, 0);
  for (const Segment& s : a.segments) {
    const std::size_t begin = std::max(s.k, p_.k_begin), end = std::min(s.k + s.length, p_.k_end);
    if (begin >= end) continue;
    kernel_.scan({a.base + s.offset + static_cast<std::ptrdiff_t>(begin - s.k),
                  offsets_.data() + first, rows, end - begin, p_.weights->a_flip,
                  levels.largest.data() + (begin - p_.k_begin), &levels.least,
                  levels_.sum.data() + first});
  }
}

void ColumnRun::scan() {
  const std::size_t rows = p_.a->rows;
  const int wanted = p_.threads > 0 ? p_.threads : default_threads();
  const std::size_t share = rows / static_cast<std::size_t>(wanted) + 1;
  const std::size_t each = std::clamp<std::size_t>(share, kLeastTileRows, 4096);
  levels_.sum.assign(rows, 0);
  levels_.largest.assign(p_.k_end - p_.k_begin, 0);
  std::vector<Levels> parts((rows + each - 1) / each);
  parallel_for(parts.size(), p_.threads, [&](std::size_t i) {
    scan_rows(i * each, std::min(each, rows - i * each), parts[i]);
  });
  for (const Levels& part : parts) {
    levels_.least = std::min(levels_.least, part.least);
    for (std::size_t k = 0; k < part.largest.size(); ++k)
      levels_.largest[k] = std::max(levels_.largest[k], part.largest[k]);
  }
  for (const std::uint8_t largest : levels_.largest) levels_.top = std::max(levels_.top, largest);
}

/// Whether the chunk must end before this tap: `ranges` are the taps from it on, `ahead` of which
/// are taken together or not at all.
bool ColumnRun::chunk_is_full(const ChannelBounds& run, const ChannelBounds* ranges,
                              std::size_t ahead) const {
  ChannelBounds sum = run;
  for (std::size_t t = 0; t < ahead; ++t)
    for (std::size_t c = 0; c < kMostChannels; ++c) sum[c] += ranges[t][c];
  std::uint32_t over = 0;
  for (std::size_t c = 0; c < kMostChannels; ++c) over |= sum[c] > derived_->limit ? 1u : 0u;
  return over != 0;
}

/// Pieces of one plane of taps k … end − 1: cut at segment ends, flushed before a sum could wrap.
void ColumnRun::append_pieces(std::size_t k, std::size_t end, unsigned plane, const Block& block,
                              std::vector<ColumnPiece>& pieces) const {
  std::vector<ChannelBounds> ranges(end - k);
  for (std::size_t tap = k; tap < end; ++tap)
    for (std::size_t c = 0; c < block.channels; ++c)
      ranges[tap - k][c] = derived_->range(plane, columns_of(tap, block)[c], level(tap));
  ChannelBounds run{};      // of the 16-bit sum of each channel
  std::uint32_t taps = 0;   // in the chunk so far
  std::size_t granted = 0;  // taps to come that are known to fit
  const std::size_t plane_start = plane * (end - k) * tap_stride();
  for (const Segment& s : p_.a->segments) {
    const std::size_t from = std::max(s.k, k), to = std::min(s.k + s.length, end);
    for (std::size_t tap = from; tap < to; ++tap) {
      // Micro-kernels are unrolled by four, so a chunk of whole fours takes four more or none.
      bool full = false;
      if (fixed_taps_ != 0) {
        full = taps == fixed_taps_;
      } else if (granted == 0) {
        granted = taps % 4 == 0 && tap + 4 <= to ? 4 : 1;
        full = chunk_is_full(run, ranges.data() + (tap - k), granted);
        if (full) granted = 1;  // of a new chunk the first tap always fits
        full = full && taps > 0;
      }
      if (granted > 0) --granted;
      if (full) {
        run = {};
        taps = 0;
        pieces.back().flush = 1;
      }
      if (full || tap == from)
        pieces.push_back({s.offset + static_cast<std::ptrdiff_t>(tap - s.k),
                          plane_start + (tap - k) * tap_stride(), 0, plane * derived_->plane_bits,
                          0});
      for (std::size_t c = 0; c < kMostChannels; ++c) run[c] += ranges[tap - k][c];
      ++pieces.back().taps;
      ++taps;
    }
  }
  pieces.back().flush = 1;
}

std::vector<ColumnPiece> ColumnRun::plan_group(std::size_t k, std::size_t end,
                                               const Block& block) const {
  std::vector<ColumnPiece> pieces;
  for (unsigned plane = 0; plane < derived_->planes; ++plane)
    append_pieces(k, end, plane, block, pieces);
  return pieces;
}

void ColumnRun::build_group(std::size_t k, std::size_t end, const Block& block,
                            unsigned char* table) const {
  BuildTask task{};
  task.row_stride = row_bytes();
  for (unsigned plane = 0; plane < derived_->planes; ++plane)
    for (std::size_t tap = k; tap < end; ++tap) {
      const std::uint8_t* weights = columns_of(tap, block);
      task.levels = level(tap) + 1;
      for (std::size_t lane = 0; lane < width(); lane += 16) {
        for (std::size_t i = 0; i < 16; ++i)
          task.columns[i] = derived_->column(
              plane, weights[std::min<std::size_t>(channel_[lane + i], block.channels - 1)]);
        task.table = table + (plane * (end - k) + (tap - k)) * tap_stride() + lane * 2;
        kernel_.build(task);
      }
    }
}

/// y = what the derived entries leave out: sum of floors + slope * sum of (x - least).
void ColumnRun::start_sums(std::size_t first, std::size_t rows, const Block& block, std::int32_t* y,
                           std::size_t y_stride) const {
  std::array<std::uint32_t, kMostChannels> constant{};
  std::copy_n(derived_->constant.data() + block.m, block.channels, constant.data());
  const auto taps = static_cast<std::uint32_t>(p_.k_end - p_.k_begin);
  const auto slope = static_cast<std::uint32_t>(derived_->slope);
  const std::size_t wide = width();
  for (std::size_t r = 0; r < rows; ++r) {
    const std::uint32_t line = slope * (levels_.sum[first + r] - taps * levels_.least);
    std::int32_t* out = y + r * y_stride;
    for (std::size_t c = 0; c < wide; ++c) out[c] = static_cast<std::int32_t>(constant[c] + line);
  }
}

void ColumnRun::row_tile(std::size_t first, std::size_t rows, const Block& block) const {
  const bool is_signed = p_.weights->a_flip != 0;
  const bool direct = block.channels == width();
  std::int32_t* y = p_.y + first * p_.y_stride + block.m;
  std::size_t y_stride = p_.y_stride;
  if (!direct) {
    y_stride = width();
    y = reinterpret_cast<std::int32_t*>(
        sums_of_this_thread().at_least(rows * y_stride * sizeof(std::int32_t)));
  }
  unsigned char* table =
      tables_of_this_thread().at_least(derived_->planes * kGroupTaps * tap_stride());
  start_sums(first, rows, block, y, y_stride);
  // The table's row of the activation with bit pattern 0.
  const std::ptrdiff_t zero_row = (is_signed ? 128 : 0) - std::ptrdiff_t{levels_.least};
  for (std::size_t k = p_.k_begin, end = 0; k < p_.k_end; k = end) {
    end = std::min(p_.k_end, k + kGroupTaps);
    const std::vector<ColumnPiece> pieces = plan_group(k, end, block);
    build_group(k, end, block, table);
    kernel_.run[is_signed][vectors_ / 2](
        {p_.a->base, offsets_.data() + first, rows,
         table + zero_row * static_cast<std::ptrdiff_t>(row_bytes()), pieces.data(), pieces.size(),
         y, y_stride, skip_});
  }
  if (direct) return;
  for (std::size_t r = 0; r < rows; ++r)
    std::copy_n(y + r * y_stride, block.channels, p_.y + (first + r) * p_.y_stride + block.m);
}

/// Tiles of rows so that all threads have the same work where there is enough.
std::size_t count_tiles(std::size_t rows, std::size_t blocks, std::size_t threads) {
  std::size_t tiles = (rows + kTileRows - 1) / kTileRows;
  if (tiles * blocks % threads == 0) return tiles;
  tiles = (tiles + threads - 1) / threads * threads;
  return std::max<std::size_t>(1, std::min(tiles, rows / kLeastTileRows));
}

/// Lane 2i of a vector holds channel i of its lower half of channels, lane 2i + 1 of its upper.
void ColumnRun::order_lanes() {
  const std::size_t lanes = kernel_.lanes;
  for (std::size_t lane = 0; lane < width(); ++lane) {
    const std::size_t place = lane % lanes;
    channel_[lane] = static_cast<std::uint8_t>(lane - place + place / 2 + place % 2 * (lanes / 2));
  }
}

void ColumnRun::run() {
  const std::size_t rows = p_.a->rows, m = p_.weights->m;
  offsets_.resize(rows);
  for (std::size_t r = 0; r < rows; ++r) offsets_[r] = p_.a->offset_of(r);
  scan();
  if (chunks_ == ColumnChunks::skipping) {
    const std::uint8_t flip = p_.weights->a_flip;
    const std::size_t wanted = p_.skip ^ flip;
    const bool occurs = wanted >= levels_.least && wanted <= levels_.top;
    skip_ = occurs ? p_.skip : static_cast<std::uint8_t>(levels_.least ^ flip);
    auto fresh = std::make_shared<Derived>(
        derive_sparse(*p_.weights, levels_.least, levels_.count(), skip_ ^ flip));
    sum_floors(*fresh, *p_.weights, p_.k_begin, p_.k_end);
    derived_ = std::move(fresh);
  } else {
    derived_ = derive_or_recall(p_, levels_.least, levels_.top);
    levels_.least = static_cast<std::uint8_t>(derived_->least);
  }
  if (chunks_ == ColumnChunks::fixed) fixed_taps_ = derived_->limit / std::max(1u, derived_->most);
  vectors_ = m > kernel_.lanes && kernel_.run[0][1] != nullptr ? 2 : 1;
  order_lanes();
  std::vector<Block> blocks;
  for (std::size_t c = 0; c < m; c += width()) blocks.push_back({c, std::min(width(), m - c)});
  const int threads = p_.threads > 0 ? p_.threads : default_threads();
  const std::size_t tiles = count_tiles(rows, blocks.size(), static_cast<std::size_t>(threads));
  const std::size_t tile = (rows + tiles - 1) / tiles;
  parallel_for(tiles * blocks.size(), threads, [&](std::size_t unit) {
    const std::size_t first = unit / blocks.size() * tile;
    if (first >= rows) return;
    row_tile(first, std::min(tile, rows - first), blocks[unit % blocks.size()]);
  });
}

}  // namespace

void run_column(const Problem& problem, const ColumnKernel& kernel, ColumnChunks chunks) {
  ColumnRun(problem, kernel, chunks).run();
}

bool sparse_fits(const Weights& weights, std::uint8_t skip) {
  const Sheared sheared = shear(weights.lut, sparse_slope(weights), 0, 256);
  const Uses uses = count_uses(weights, 0, weights.k);
  const std::int32_t* zero = sheared.table.data() + std::size_t{256} * (skip ^ weights.a_flip);
  for (std::size_t w = 0; w < 256; ++w)
    if (uses[w] != 0 && (sheared.top[w] - zero[w] > 32767 || zero[w] - sheared.bottom[w] > 32767))
      return false;
  return true;
}

}  // namespace axmul::detail
