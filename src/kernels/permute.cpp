// Byte-permute driver: a table column is 128 or 256 entries of two bytes, small enough to be held
// in vector registers, so rows lie in lanes and no table is laid out per tap.
#include "kernels/permute.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "axmul/core/parallel.hpp"
#include "axmul/kernels/decomposition.hpp"
#include "kernels/digits.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kSliceTaps = 2048;  // a tile of them stays in the second-level cache
constexpr std::size_t kChannels = 16;     // stored together
constexpr std::uint16_t kNoColumn = 256;  // all entries 0
constexpr std::size_t kHalf = 128;        // activations 0 … 127, by bit pattern

/// LUT - slope * x per column, over all activations and over the bit patterns 0 … 127.
struct ColumnRanges {
  std::array<std::int32_t, 256> slope{};
  std::array<std::int32_t, 256> floor_small{}, floor_large{};
  /// Range above the floor, in units of a factor that all have in common.
  std::array<std::uint32_t, 256> small{}, large{};
  std::int32_t small_factor = 1, large_factor = 1;
  std::shared_ptr<const DigitProducts> lines;  // null: the slopes are one, of sums over rows
};

/// Which entries: those above the floor of the bit patterns 0 … 127 or 0 … 255, or, for large
/// activations that have been taken for what they are without their highest bit, the difference.
enum class Entries { small, large, mend };

constexpr std::uint32_t kMendOffset = 32768;  // added to differences

/// Entries as one byte, or two: low_bits and the rest.
struct PermuteTables {
  Entries entries = Entries::small;
  const ColumnRanges* ranges = nullptr;
  unsigned low_bits = 8, planes = 2;
  Bytes bytes;  // [257 columns][planes][128 or 256]
};

/// What is prepared of a table, whatever the weights.
struct PermuteFacts {
  std::vector<ColumnRanges> ranges;  // without a slope, with the table's own
  std::vector<ColumnRanges> rests;   // with each column's own, best for few activations and for all
  std::vector<std::shared_ptr<const PermuteTables>> tables;
  std::mutex mutex;
};

/// A number of taps, each channel's in the order of their high bytes.
struct PermuteSlice {
  std::size_t begin = 0, end = 0;
  std::size_t padded = 0;                        // a channel's taps, at most, in multiples of four
  std::vector<PermuteStep> steps;                // [m, padded]
  std::vector<std::array<std::size_t, 3>> ends;  // [m], in taps: high bytes below 64, 128, 256
  std::vector<std::int32_t> small_constant;      // [m] sum of small floors, modulo 2^32
  std::vector<std::int32_t> large_constant;      // [m] the same of large ones
};

/// What is prepared of the weights: how entries are cut, and, when first needed, the steps.
struct PermutePlan {
  bool fits = false;
  double work = 0;  // of a look-up: Cut::work
  PermuteKind small_kind = kPermuteSmall8, large_kind = kPermuteLarge8;
  bool sorted = false;  // each channel's taps by their high bytes; else all in one order
  const ColumnRanges* ranges = nullptr;
  std::shared_ptr<PermuteFacts> facts;
  std::shared_ptr<const PermuteTables> small, large, mend;
  mutable std::once_flag once;
  mutable Array2<std::uint8_t> column;       // [m, k], where entries are mended
  mutable std::vector<PermuteSlice> slices;  // over all taps
};

std::int32_t activation(const Lut& lut, std::size_t index) {
  return static_cast<std::int32_t>(index) - (a_is_signed(lut.type()) ? 128 : 0);
}

/// The median of the columns' own slopes: near the zero point of unsigned weights.
std::int32_t middle_slope(const Lut& lut) {
  std::array<std::int32_t, 256> slopes;
  for (std::size_t w = 0; w < 256; ++w)
    slopes[w] = (lut.products()[255 * 256 + w] - lut.products()[w]) / 255;
  std::nth_element(slopes.begin(), slopes.begin() + 128, slopes.end());
  return slopes[128];
}

/// Ranges for given slopes, in units of the common factors.
ColumnRanges ranges_of(const Lut& lut, const std::array<std::int32_t, 256>& slope) {
  ColumnRanges r;
  r.slope = slope;
  std::array<std::int32_t, 256> top_small, top_large;
  r.floor_small.fill(std::numeric_limits<std::int32_t>::max());
  top_small.fill(std::numeric_limits<std::int32_t>::min());
  r.floor_large = r.floor_small;
  top_large = top_small;
  const bool is_signed = a_is_signed(lut.type());
  const auto is_small = [&](std::size_t x) { return is_signed ? x >= kHalf : x < kHalf; };
  for (std::size_t x = 0; x < 256; ++x) {
    const std::int32_t* products = lut.products().data() + x * 256;
    const std::int32_t value = activation(lut, x);
    auto& floor = is_small(x) ? r.floor_small : r.floor_large;
    auto& top = is_small(x) ? top_small : top_large;
    for (std::size_t w = 0; w < 256; ++w) {
      floor[w] = std::min(floor[w], products[w] - slope[w] * value);
      top[w] = std::max(top[w], products[w] - slope[w] * value);
    }
  }
  std::int32_t small_common = 0, large_common = 0;
  for (std::size_t w = 0; w < 256; ++w) {
    r.floor_large[w] = std::min(r.floor_large[w], r.floor_small[w]);
    top_large[w] = std::max(top_large[w], top_small[w]);
    for (std::size_t x = 0; x < 256 && (small_common != 1 || large_common != 1); ++x) {
      const std::int32_t sheared = lut.products()[x * 256 + w] - slope[w] * activation(lut, x);
      if (is_small(x)) small_common = std::gcd(small_common, sheared - r.floor_small[w]);
      large_common = std::gcd(large_common, sheared - r.floor_large[w]);
    }
  }
  r.small_factor = std::max(1, small_common);
  r.large_factor = std::max(1, large_common);
  for (std::size_t w = 0; w < 256; ++w) {
    r.small[w] = static_cast<std::uint32_t>((top_small[w] - r.floor_small[w]) / r.small_factor);
    r.large[w] = static_cast<std::uint32_t>((top_large[w] - r.floor_large[w]) / r.large_factor);
  }
  return r;
}

/// The columns' lines as one digit product of the activations' ascending value.
std::shared_ptr<const DigitProducts> lines_of(const Lut& lut, const ProductRest& rest) {
  auto lines = std::make_shared<DigitProducts>();
  lines->rank = 1;
  DigitProduct& p = lines->products.emplace_back();
  const std::size_t flip_a = a_is_signed(lut.type()) ? 0x80 : 0;
  const std::size_t flip_b = b_is_signed(lut.type()) ? 0x80 : 0;
  p.scale = rest.factor;
  const auto [least, most] = std::minmax_element(rest.slope.begin(), rest.slope.end());
  const std::int32_t offset = *least >= -128 && *most <= 127 ? 0
                              : *least >= 0 && *most <= 255  ? 128
                                                             : *least + 128;
  p.row = rest.factor * offset;
  for (std::size_t i = 0; i < 256; ++i) {
    p.u[i ^ flip_a] = static_cast<std::uint8_t>(i);
    p.v[i ^ flip_b] = static_cast<std::int8_t>(rest.slope[i] - offset);
    // u counts from a_min on, entries from 0.
    lines->column[i ^ flip_b] = rest.factor * rest.slope[i] * a_min(lut.type());
  }
  return lines;
}

ColumnRanges ranges_beside_lines(const Lut& lut, const ProductRest& rest) {
  std::array<std::int32_t, 256> slope;
  for (std::size_t w = 0; w < 256; ++w) slope[w] = rest.factor * rest.slope[w];
  ColumnRanges ranges = ranges_of(lut, slope);
  ranges.lines = lines_of(lut, rest);
  return ranges;
}

std::uint32_t entry(const Lut& lut, const ColumnRanges& ranges, Entries entries, std::size_t bits,
                    std::size_t column) {
  const std::size_t flip = a_is_signed(lut.type()) ? 0x80 : 0;
  const auto sheared = [&](std::size_t pattern) {
    const std::size_t x = pattern ^ flip;
    return lut.products()[x * 256 + column] - ranges.slope[column] * activation(lut, x);
  };
  switch (entries) {
    case Entries::small:
      return static_cast<std::uint32_t>(sheared(bits) - ranges.floor_small[column]) /
             static_cast<std::uint32_t>(ranges.small_factor);
    case Entries::large:
      return static_cast<std::uint32_t>(sheared(bits) - ranges.floor_large[column]) /
             static_cast<std::uint32_t>(ranges.large_factor);
    default:
      return static_cast<std::uint32_t>(sheared(bits + kHalf) - sheared(bits)) + kMendOffset;
  }
}

/// Sixteen columns at a time for the cache's sake.
Bytes lay_out(const Lut& lut, const ColumnRanges& ranges, Entries entries, unsigned low_bits,
              unsigned planes) {
  const std::size_t size = entries == Entries::large ? 2 * kHalf : kHalf;
  const std::size_t stride = planes * size;
  Bytes out(257 * stride);
  const std::uint32_t mask = (1u << low_bits) - 1;
  for (std::size_t first = 0; first < 256; first += 16)
    for (std::size_t x = 0; x < size; ++x)
      for (std::size_t w = first; w < first + 16; ++w) {
        const std::uint32_t value = entry(lut, ranges, entries, x, w);
        std::uint8_t* at = out.data() + w * stride + x;
        at[0] = static_cast<std::uint8_t>(value & mask);
        if (planes == 2) at[size] = static_cast<std::uint8_t>(value >> low_bits);
      }
  std::fill_n(out.data() + kNoColumn * stride, stride, std::uint8_t{0});
  return out;
}

std::shared_ptr<PermuteFacts> facts_of(const LutFacts& table) {
  const std::lock_guard lock(table.permute_mutex);
  if (table.permute == nullptr) {
    auto facts = std::make_shared<PermuteFacts>();
    std::array<std::int32_t, 256> slope{};
    facts->ranges.push_back(ranges_of(table.lut, slope));
    slope.fill(middle_slope(table.lut));
    facts->ranges.push_back(ranges_of(table.lut, slope));
    table.permute = facts;
  }
  return std::static_pointer_cast<PermuteFacts>(table.permute);
}

/// The candidates for tables of entries, or of rests beside lines.
std::span<const ColumnRanges> candidates(PermuteFacts& facts, const Lut& lut, PermuteTerms terms) {
  const std::lock_guard lock(facts.mutex);
  if (terms == PermuteTerms::entries) return facts.ranges;
  if (facts.rests.empty()) {
    const std::size_t first = a_is_signed(lut.type()) ? kHalf : 0;
    facts.rests.push_back(ranges_beside_lines(lut, product_and_rest(lut, first, kHalf)));
    facts.rests.push_back(ranges_beside_lines(lut, product_and_rest(lut)));
  }
  return facts.rests;
}

std::shared_ptr<const PermuteTables> tables_of(PermuteFacts& facts, const Lut& lut,
                                               const ColumnRanges& ranges, Entries entries,
                                               unsigned low_bits, unsigned planes) {
  const std::lock_guard lock(facts.mutex);
  for (const auto& old : facts.tables)
    if (old->entries == entries && old->ranges == &ranges && old->low_bits == low_bits &&
        old->planes == planes)
      return old;
  auto fresh = std::make_shared<PermuteTables>();
  fresh->entries = entries;
  fresh->ranges = &ranges;
  fresh->low_bits = low_bits;
  fresh->planes = planes;
  fresh->bytes = lay_out(lut, ranges, entries, low_bits, planes);
  facts.tables.push_back(fresh);
  return fresh;
}

/// Largest ranges of the columns that the weights use.
struct UsedRange {
  std::uint32_t small = 0, large = 0;
};

UsedRange used_range(const std::array<bool, 256>& used, const ColumnRanges& ranges) {
  UsedRange out;
  for (std::size_t w = 0; w < 256; ++w)
    if (used[w]) {
      out.small = std::max(out.small, ranges.small[w]);
      out.large = std::max(out.large, ranges.large[w]);
    }
  return out;
}

/// Modulo 2^32.
void add(std::int32_t& sum, std::int32_t term) {
  sum =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(term));
}

/// Calls f(tap, channel, column) for the weights of taps begin … end − 1.
template <class F>
void for_own_weights(const Weights& w, std::size_t begin, std::size_t end, F&& f) {
  for (std::size_t tap = begin; tap < end; ++tap) {
    const std::uint8_t* columns = w.column.row(tap).data();
    const auto [first, last] = w.groups.channels_of(tap, w.m);
    for (std::size_t m = first; m < last; ++m) f(tap, m, columns[m]);
  }
}

/// Taps begin … end − 1 of all channels, those with small high bytes first.
PermuteSlice make_slice(const PermutePlan& plan, const Weights& w, std::size_t begin,
                        std::size_t end) {
  PermuteSlice slice{begin, end, 0, {}, {}, {}, {}};
  std::array<std::uint8_t, 256> group;
  for (std::size_t column = 0; column < 256; ++column) {
    const std::uint32_t large = plan.large_kind == kPermuteLarge6 ? plan.ranges->large[column] : 0;
    const std::uint32_t high = std::max(plan.ranges->small[column], large) >> 6;
    group[column] = !plan.sorted || high < 64 ? 0 : high < 128 ? 1 : 2;
  }
  slice.ends.assign(w.m, {0, 0, 0});
  slice.small_constant.assign(w.m, 0);
  slice.large_constant.assign(w.m, 0);
  for_own_weights(w, begin, end, [&](std::size_t, std::size_t m, std::uint8_t column) {
    ++slice.ends[m][group[column]];
    add(slice.small_constant[m], plan.ranges->floor_small[column]);
    add(slice.large_constant[m], plan.ranges->floor_large[column]);
  });
  std::vector<std::array<std::size_t, 3>> place(w.m);  // in the channel's steps
  std::size_t most = 0;
  for (std::size_t m = 0; m < w.m; ++m) {
    auto& ends = slice.ends[m];
    place[m] = {0, ends[0], ends[0] + ends[1]};
    ends = {ends[0], ends[0] + ends[1], ends[0] + ends[1] + ends[2]};
    most = std::max(most, ends[2]);
  }
  slice.padded = std::max<std::size_t>(4, (most + 3) / 4 * 4);
  slice.steps.assign(w.m * slice.padded, {0, kNoColumn});
  for_own_weights(w, begin, end, [&](std::size_t tap, std::size_t m, std::uint8_t column) {
    slice.steps[m * slice.padded + place[m][group[column]]++] = {
        static_cast<std::uint16_t>(tap - begin), column};
  });
  return slice;
}

std::vector<PermuteSlice> make_slices(const PermutePlan& plan, const Weights& w, std::size_t begin,
                                      std::size_t end) {
  std::vector<PermuteSlice> slices;
  for (std::size_t k = begin; k < end; k += kSliceTaps)
    slices.push_back(make_slice(plan, w, k, std::min(end, k + kSliceTaps)));
  return slices;
}

/// How entries are cut into bytes, and what a look-up of them costs, as measured, the dearest of
/// activations below 128 being 8: loads count most, then permutes, blends, and additions of bytes
/// one by one, in twos or in fours.
struct Cut {
  PermuteKind kind;
  unsigned bits, low_bits, planes;
  double work;
};
constexpr Cut kSmallCuts[] = {{kPermuteSmallOne6, 6, 6, 1, 3.4}, {kPermuteSmallOne7, 7, 7, 1, 3.7},
                              {kPermuteSmallOne8, 8, 8, 1, 4.2}, {kPermuteSmall6, 12, 6, 2, 7.3},
                              {kPermuteSmall6, 14, 6, 2, 7.5},   {kPermuteSmall7, 15, 7, 2, 7.6},
                              {kPermuteSmall8, 16, 8, 2, 8}};
constexpr Cut kLargeCuts[] = {{kPermuteLargeOne6, 6, 6, 1, 7},  {kPermuteLargeOne7, 7, 7, 1, 7.2},
                              {kPermuteLargeOne8, 8, 8, 1, 8},  {kPermuteLarge6, 12, 6, 2, 12},
                              {kPermuteLarge6, 14, 6, 2, 12.4}, {kPermuteLarge7, 15, 7, 2, 12.8},
                              {kPermuteLarge8, 16, 8, 2, 13.2}};

/// The first cut that holds the range, or null.
const Cut* cut_for(std::span<const Cut> cuts, std::uint32_t range) {
  for (const Cut& cut : cuts)
    if (range >> cut.bits == 0) return &cut;
  return nullptr;
}

/// The candidate that takes the least work, with the cuts of its entries. Unsigned activations are
/// mostly small, signed ones are not.
const ColumnRanges* choose_ranges(std::span<const ColumnRanges> all, const PermutePlan& plan,
                                  const std::array<bool, 256>& used, bool grouped, bool is_signed,
                                  const Cut*& small, const Cut*& large) {
  const ColumnRanges* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const ColumnRanges& ranges : all) {
    if (grouped && ranges.slope != plan.facts->ranges[0].slope) continue;  // row sums: of all taps
    const UsedRange range = used_range(used, ranges);
    const Cut* s = cut_for(kSmallCuts, range.small);
    const Cut* l = cut_for(kLargeCuts, range.large);
    if (s == nullptr || l == nullptr) continue;
    const double work = is_signed ? 0.2 * s->work + 0.8 * l->work : 0.9 * s->work + 0.1 * l->work;
    if (work >= least) continue;
    least = work;
    best = &ranges;
    small = s;
    large = l;
  }
  return best;
}

std::shared_ptr<const PermutePlan> make_plan(const Weights& w, PermuteTerms terms) {
  auto plan = std::make_shared<PermutePlan>();
  plan->facts = facts_of(w.facts);
  std::array<bool, 256> used{};
  for_own_weights(w, 0, w.k,
                  [&](std::size_t, std::size_t, std::uint8_t column) { used[column] = true; });
  const bool grouped = w.groups.count > 1 || w.groups.apart, is_signed = w.a_flip != 0;
  const Cut *small = nullptr, *large = nullptr;
  plan->ranges = choose_ranges(candidates(*plan->facts, w.lut, terms), *plan, used, grouped,
                               is_signed, small, large);
  plan->fits = plan->ranges != nullptr;
  if (!plan->fits) return plan;
  plan->work = is_signed ? large->work : small->work;
  // Taps in the order of large entries could not be shared by channels.
  if (!is_signed && small->planes == 1 && large->kind == kPermuteLarge6) large = &kLargeCuts[5];
  plan->small_kind = small->kind;
  plan->large_kind = large->kind;
  plan->sorted = small->kind == kPermuteSmall6 || large->kind == kPermuteLarge6;
  const auto tables = [&](Entries entries, const Cut& cut) {
    return tables_of(*plan->facts, w.lut, *plan->ranges, entries, cut.low_bits, cut.planes);
  };
  plan->small = tables(Entries::small, *small);
  plan->large = tables(Entries::large, *large);
  // Differences of entries, in units of 1, must fit 15 bits and a sign.
  const auto largest =
      static_cast<std::int64_t>(used_range(used, *plan->ranges).large) * plan->ranges->large_factor;
  if (largest < kMendOffset && !grouped)
    plan->mend = tables(Entries::mend, {kPermuteSmall8, 16, 8, 2, 8});
  return plan;
}

std::shared_ptr<const PermutePlan> plan_of(const Weights& w, PermuteTerms terms) {
  const std::lock_guard lock(w.derived_mutex);
  auto& plan = terms == PermuteTerms::entries ? w.permuted : w.permuted_rests;
  if (plan == nullptr) plan = make_plan(w, terms);
  return std::static_pointer_cast<const PermutePlan>(plan);
}

/// The plan with its steps.
std::shared_ptr<const PermutePlan> complete_plan_of(const Weights& w, PermuteTerms terms) {
  const auto plan = plan_of(w, terms);
  std::call_once(plan->once, [&] {
    plan->slices = make_slices(*plan, w, 0, w.k);
    if (plan->mend == nullptr) return;
    plan->column = Array2<std::uint8_t>(w.m, w.k);
    for (std::size_t tap = 0; tap < w.k; ++tap)
      for (std::size_t m = 0; m < w.m; ++m) plan->column(m, tap) = w.column(tap, m);
  });
  return plan;
}

/// Buffers of one thread, all within one workspace.
struct Tile {
  std::uint8_t* x;           // [taps, kPermuteRows]
  std::int32_t* sums;        // [kChannels, kPermuteRows]
  std::int32_t* row_sums;    // [kPermuteRows]
  std::int32_t* large_rows;  // [kPermuteRows], large activations of each row
  std::ptrdiff_t* offsets;   // [kPermuteRows]
  std::uint16_t* large;      // [kPermuteRows / 64, taps]
};

Tile make_tile(std::size_t taps) {
  thread_local Workspace workspace;
  const std::size_t x = taps * kPermuteRows, sums = 4 * kChannels * kPermuteRows;
  const std::size_t large = 2 * (kPermuteRows / 64) * (taps + 1);
  unsigned char* at = workspace.at_least(x + sums + 16 * kPermuteRows + large);
  const auto take = [&](std::size_t bytes) { return std::exchange(at, at + bytes); };
  Tile t{};
  t.x = take(x);
  t.sums = reinterpret_cast<std::int32_t*>(take(sums));
  t.row_sums = reinterpret_cast<std::int32_t*>(take(4 * kPermuteRows));
  t.large_rows = reinterpret_cast<std::int32_t*>(take(4 * kPermuteRows));
  t.offsets = reinterpret_cast<std::ptrdiff_t*>(take(8 * kPermuteRows));
  t.large = reinterpret_cast<std::uint16_t*>(take(large));
  return t;
}

class PermuteRun {
 public:
  PermuteRun(const Problem& problem, const PermuteKernel& kernel, PermuteTerms terms)
      : p_(problem),
        kernel_(kernel),
        plan_(complete_plan_of(*problem.weights, terms)),
        slices_(plan_->slices) {
    if (p_.k_begin == 0 && p_.k_end == p_.weights->k) return;
    own_slices_ = make_slices(*plan_, *p_.weights, p_.k_begin, p_.k_end);
    slices_ = own_slices_;
  }
  void run() const;

 private:
  /// Rows of one tile and channels to compute of them.
  struct Part {
    std::size_t first, rows, vectors, m, m_end;
  };
  void compute(const Part& part) const;
  bool pack(const Part& part, const PermuteSlice& slice, const Tile& tile) const;
  void sum_rows(const Part& part, const PermuteSlice& slice, const Tile& tile) const;
  Entries choose_entries(const Part& part, const PermuteLookTask& look) const;
  void count_large(const Part& part, const Tile& tile, const PermuteLookTask& look) const;
  void channels(const Part& part, const PermuteSlice& slice, const Tile& tile,
                const PermuteLookTask& look, Entries entries, std::size_t m,
                std::size_t count) const;
  bool takes_pairs(Entries entries) const {
    const PermuteKind kind = plan_->small_kind;
    return entries != Entries::large && !plan_->sorted && p_.weights->groups.count == 1 &&
           (kind == kPermuteSmallOne6 || kind == kPermuteSmallOne7 || kind == kPermuteSmallOne8);
  }

  const Problem& p_;
  const PermuteKernel& kernel_;
  std::shared_ptr<const PermutePlan> plan_;
  std::vector<PermuteSlice> own_slices_;
  std::span<const PermuteSlice> slices_;
};

/// Whether there are large activations.
bool PermuteRun::pack(const Part& part, const PermuteSlice& slice, const Tile& tile) const {
  int large = 0;
  for (std::size_t r = 0; r < part.vectors * 64; ++r)
    tile.offsets[r] = p_.a->offset_of(part.first + std::min(r, part.rows - 1));
  for (const Segment& s : p_.a->segments) {
    const std::size_t from = std::max(s.k, slice.begin), to = std::min(s.k + s.length, slice.end);
    if (from >= to) continue;
    large |=
        kernel_.pack({p_.a->base + s.offset + static_cast<std::ptrdiff_t>(from - s.k), tile.offsets,
                      part.vectors, to - from, tile.x + (from - slice.begin) * kPermuteRows});
  }
  return large != 0;
}

/// slope * sum of x per row.
void PermuteRun::sum_rows(const Part& part, const PermuteSlice& slice, const Tile& tile) const {
  const auto slope = static_cast<std::uint32_t>(plan_->ranges->slope[0]);
  if (slope == 0 || plan_->ranges->lines != nullptr) {
    std::fill_n(tile.row_sums, kPermuteRows, 0);
    return;
  }
  const std::size_t taps = slice.end - slice.begin;
  const std::uint8_t flip = p_.weights->a_flip;
  kernel_.row_sums({tile.x, part.vectors, taps, flip, tile.row_sums});
  const auto offset = static_cast<std::uint32_t>(taps * flip);
  for (std::size_t r = 0; r < part.vectors * 64; ++r)
    tile.row_sums[r] =
        static_cast<std::int32_t>(slope * (static_cast<std::uint32_t>(tile.row_sums[r]) - offset));
}

/// Small entries where there are no large activations, mended where there are few.
Entries PermuteRun::choose_entries(const Part& part, const PermuteLookTask& look) const {
  std::size_t large = 0;
  for (std::size_t v = 0; v < part.vectors; ++v) large += look.counts[v];
  if (large == 0) return Entries::small;
  return plan_->mend != nullptr && 2 * large <= look.taps * part.vectors ? Entries::mend
                                                                         : Entries::large;
}

/// What mended entries have too much in each row is taken off the row sums.
void PermuteRun::count_large(const Part& part, const Tile& tile,
                             const PermuteLookTask& look) const {
  std::fill_n(tile.large_rows, kPermuteRows, 0);
  for (std::size_t v = 0; v < part.vectors; ++v)
    kernel_.count_large({tile.x + 64 * v, look.large + v * look.taps, look.counts[v], nullptr,
                         nullptr, tile.large_rows + 64 * v});
  for (std::size_t r = 0; r < kPermuteRows; ++r)
    tile.row_sums[r] =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(tile.row_sums[r]) -
                                  kMendOffset * static_cast<std::uint32_t>(tile.large_rows[r]));
}

/// One channel, or two that have the same taps.
void PermuteRun::channels(const Part& part, const PermuteSlice& slice, const Tile& tile,
                          const PermuteLookTask& look, Entries entries, std::size_t m,
                          std::size_t count) const {
  const auto& ends = slice.ends[m];
  const bool large = entries == Entries::large;
  std::int32_t* sums = tile.sums + m % kChannels * kPermuteRows;
  kernel_.run[large ? plan_->large_kind : plan_->small_kind](
      {tile.x,
       part.vectors,
       slice.steps.data() + m * slice.padded,
       {ends[0] / 4, ends[1] / 4, std::max<std::size_t>(1, (ends[2] + 3) / 4)},
       (large ? plan_->large : plan_->small)->bytes.data(),
       sums,
       1,
       large ? plan_->ranges->large_factor : plan_->ranges->small_factor,
       count == 2 ? slice.padded : 0,
       kPermuteRows});
  if (entries != Entries::mend) return;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t v = 0; v < part.vectors; ++v)
      if (look.counts[v] > 0)
        kernel_.mend({tile.x + 64 * v, look.large + v * look.taps, look.counts[v],
                      plan_->column.row(m + i).data() + slice.begin, plan_->mend->bytes.data(),
                      sums + i * kPermuteRows + 64 * v});
}

void PermuteRun::compute(const Part& part) const {
  const Tile tile = make_tile(std::min(kSliceTaps, p_.k_end - p_.k_begin));
  for (const PermuteSlice& slice : slices_) {
    PermuteLookTask look{tile.x, part.vectors, slice.end - slice.begin, tile.large, {}};
    if (pack(part, slice, tile)) kernel_.look(look);
    sum_rows(part, slice, tile);
    const Entries entries = choose_entries(part, look);
    if (entries == Entries::mend) count_large(part, tile, look);
    const auto& all = entries == Entries::large ? slice.large_constant : slice.small_constant;
    for (std::size_t m = part.m; m < part.m_end; m += kChannels) {
      const std::size_t channels = std::min(kChannels, part.m_end - m);
      std::array<std::int32_t, kChannels> constants{};
      std::copy_n(all.data() + m, channels, constants.data());
      const bool pairs = takes_pairs(entries);
      for (std::size_t c = 0, some = 1; c < channels; c += some) {
        some = pairs && c + 2 <= channels ? 2 : 1;
        this->channels(part, slice, tile, look, entries, m + c, some);
      }
      kernel_.store({tile.sums, tile.row_sums, constants.data(), channels, part.rows,
                     p_.y + part.first * p_.y_stride + m, p_.y_stride,
                     &slice != slices_.data() || plan_->ranges->lines != nullptr});
    }
  }
}

void PermuteRun::run() const {
  const std::size_t rows = p_.a->rows, m = p_.weights->m;
  const std::size_t tiles = (rows + kPermuteRows - 1) / kPermuteRows;
  const std::size_t blocks = (m + kChannels - 1) / kChannels;
  const int threads = p_.threads > 0 ? p_.threads : default_threads();
  const auto wanted = static_cast<std::size_t>(threads);
  // Few tiles: their channels are shared out as well.
  const std::size_t parts = tiles >= 4 * wanted ? 1 : std::min(blocks, wanted);
  const std::size_t part = (blocks + parts - 1) / parts * kChannels;
  parallel_for(tiles * parts, threads, [&](std::size_t unit) {
    const std::size_t first = unit / parts * kPermuteRows, begin = unit % parts * part;
    if (begin >= m) return;
    const std::size_t some = std::min(kPermuteRows, rows - first);
    compute({first, some, (some + 63) / 64, begin, std::min(m, begin + part)});
  });
}

}  // namespace

void run_permute_apart(const Weights& weights, const PermuteKernel& kernel,
                       const ApartChannels& channels, std::size_t first, std::size_t rows,
                       std::int32_t* sums) {
  const auto plan = complete_plan_of(weights, PermuteTerms::entries);
  const PermuteSlice& slice = plan->slices.front();
  const Tile tile = make_tile(weights.k);
  const std::size_t vectors = (rows + 63) / 64;
  std::array<std::int32_t, kChannels> constants{};
  for (std::size_t c = 0; c < channels.count; ++c) {
    const std::size_t m = channels.first + c;
    const std::uint8_t* plane = channels.planes + c * channels.size + first;
    const bool large =
        kernel.copy({plane, channels.offsets.data(), vectors, weights.k, tile.x}) != 0;
    const auto& ends = slice.ends[m];
    kernel.run[large ? plan->large_kind : plan->small_kind](
        {tile.x,
         vectors,
         slice.steps.data() + m * slice.padded,
         {ends[0] / 4, ends[1] / 4, std::max<std::size_t>(1, (ends[2] + 3) / 4)},
         (large ? plan->large : plan->small)->bytes.data(),
         tile.sums + c * kPermuteRows,
         1,
         large ? plan->ranges->large_factor : plan->ranges->small_factor,
         0,
         0});
    constants[c] = (large ? slice.large_constant : slice.small_constant)[m];
  }
  std::fill_n(tile.row_sums, kPermuteRows, 0);
  kernel.store({tile.sums, tile.row_sums, constants.data(), kChannels, rows, sums, kChannels, 0});
}

double permute_work(const Weights& weights, PermuteTerms terms) {
  return plan_of(weights, terms)->work;
}

bool permute_fits(const Weights& weights) { return plan_of(weights, PermuteTerms::entries)->fits; }

void run_permute(const Problem& problem, const PermuteKernel& kernel) {
  PermuteRun(problem, kernel, PermuteTerms::entries).run();
}

void run_rest(const Problem& problem, const PermuteKernel& kernel, const DigitKernel& digits) {
  constexpr std::size_t kRows = 4096;  // whose sums stay in the second-level cache
  const PermuteTerms terms = PermuteTerms::rests;
  const auto plan = complete_plan_of(*problem.weights, terms);
  for (std::size_t first = 0; first < problem.a->rows; first += kRows) {
    const Activations a = problem.a->part(first, std::min(kRows, problem.a->rows - first));
    Problem some = problem;
    some.a = &a;
    some.y += first * problem.y_stride;
    run_digits(some, digits, plan->ranges->lines);
    PermuteRun(some, kernel, terms).run();
  }
}

}  // namespace axmul::detail
