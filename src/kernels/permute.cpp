// Byte-permute driver: a table column is 128 or 256 entries of two bytes, small enough to be held
// in vector registers, so rows lie in lanes and no table is laid out per tap.
#include "kernels/permute.hpp"

#include <algorithm>
#include <array>

#include "axmul/core/parallel.hpp"
#include "kernels/digits.hpp"
#include "kernels/permute_plan.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kChannels = 16;  // stored together

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
        plan_(complete_permute_plan_of(*problem.weights, terms)),
        slices_(plan_->slices) {
    if (p_.k_begin == 0 && p_.k_end == p_.weights->k) return;
    own_slices_ = make_permute_slices(*plan_, *p_.weights, p_.k_begin, p_.k_end);
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
  const Tile tile = make_tile(std::min(kPermuteSliceTaps, p_.k_end - p_.k_begin));
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
  const auto plan = complete_permute_plan_of(weights, PermuteTerms::entries);
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
  return permute_plan_of(weights, terms)->work;
}

bool permute_fits(const Weights& weights) {
  return permute_plan_of(weights, PermuteTerms::entries)->fits;
}

void run_permute(const Problem& problem, const PermuteKernel& kernel) {
  PermuteRun(problem, kernel, PermuteTerms::entries).run();
}

void run_rest(const Problem& problem, const PermuteKernel& kernel, const DigitKernel& digits) {
  constexpr std::size_t kRows = 4096;  // whose sums stay in the second-level cache
  const PermuteTerms terms = PermuteTerms::rests;
  const auto plan = complete_permute_plan_of(*problem.weights, terms);
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
