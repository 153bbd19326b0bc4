// Plans of the byte-permute kernels: tables of bytes that belong to a table, and which of them the
// weights' taps look up.
#include "kernels/permute_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

namespace axmul::detail {

namespace {

constexpr std::uint16_t kNoColumn = 256;  // all entries 0
constexpr std::size_t kHalf = 128;        // activations 0 … 127, by bit pattern

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

}  // namespace

std::vector<PermuteSlice> make_permute_slices(const PermutePlan& plan, const Weights& w,
                                              std::size_t begin, std::size_t end) {
  std::vector<PermuteSlice> slices;
  for (std::size_t k = begin; k < end; k += kPermuteSliceTaps)
    slices.push_back(make_slice(plan, w, k, std::min(end, k + kPermuteSliceTaps)));
  return slices;
}

std::shared_ptr<const PermutePlan> permute_plan_of(const Weights& w, PermuteTerms terms) {
  const std::lock_guard lock(w.derived_mutex);
  auto& plan = terms == PermuteTerms::entries ? w.permuted : w.permuted_rests;
  if (plan == nullptr) plan = make_plan(w, terms);
  return std::static_pointer_cast<const PermutePlan>(plan);
}

/// The plan with its steps.
std::shared_ptr<const PermutePlan> complete_permute_plan_of(const Weights& w, PermuteTerms terms) {
  const auto plan = permute_plan_of(w, terms);
  std::call_once(plan->once, [&] {
    plan->slices = make_permute_slices(*plan, w, 0, w.k);
    if (plan->mend == nullptr) return;
    plan->column = Array2<std::uint8_t>(w.m, w.k);
    for (std::size_t tap = 0; tap < w.k; ++tap)
      for (std::size_t m = 0; m < w.m; ++m) plan->column(m, tap) = w.column(tap, m);
  });
  return plan;
}

}  // namespace axmul::detail
