// The models of independent multiplications: global, monte-carlo and multi-population.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"
#include "model/arithmetic.hpp"
#include "model/prepared_layer.hpp"

namespace axmul::detail {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double dot(std::span<const double> x, std::span<const double> y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

// u = E q and w = E² q for the rows that occur, about the error of the likeliest pair of operands.
// That pair has a probability of at least 2^-16, so the squared distance of the shift from the mean
// is at most 2^16 variances: the variance loses no more than 16 of 52 bits to cancellation,
// whatever the bias.
struct RowErrors {
  double shift = 0;
  std::vector<double> u, w;
};

RowErrors row_errors(const EncodedMultiplier& multiplier, std::span<const std::uint16_t> rows,
                     std::span<const double> p, std::span<const double> q) {
  RowErrors r;
  r.u.resize(rows.size());
  r.w.resize(rows.size());
  const std::int32_t* errors = multiplier.values().data();
  const auto likeliest = [](std::span<const double> x) {
    return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
  };
  std::size_t first = 0, last = q.size();
  while (q[first] == 0 && first + 1 < q.size()) ++first;
  while (q[last - 1] == 0 && last > first + 1) --last;
  const std::int32_t shift = errors[std::size_t{rows[likeliest(p)]} * kOperandCount + likeliest(q)];
  weighted_rows(errors, rows.data(), rows.size(), q.data(), first / 8 * 8, (last + 7) / 8 * 8,
                shift, r.u.data(), r.w.data());
  r.shift = shift;
  return r;
}

std::vector<std::uint16_t> occurring_rows(std::span<const double> p, std::vector<double>& values) {
  std::vector<std::uint16_t> rows;
  for (std::size_t a = 0; a < p.size(); ++a)
    if (p[a] > 0) {
      rows.push_back(static_cast<std::uint16_t>(a));
      values.push_back(p[a]);
    }
  return rows;
}

}  // namespace

void predict_global(const PreparedLayer& layer, std::span<const EncodedMultiplier* const> batch,
                    std::span<Prediction> cells) {
  std::vector<double> p;
  const std::vector<std::uint16_t> rows = occurring_rows(layer.p_pooled, p);
  const double k = static_cast<double>(layer.fan_in);
  const ScaleMoments scales = scale_moments(layer.channel_scale);
  for (std::size_t j = 0; j < batch.size(); ++j) {
    const RowErrors r = row_errors(*batch[j], rows, p, layer.q_pooled);
    const double mean = dot(p, r.u);
    set_shared_figures(scales, k * (r.shift + mean), k * std::max(0.0, dot(p, r.w) - mean * mean),
                       cells[j]);
    finish_prediction(layer, cells[j]);
  }
}

namespace {

// Walker's alias method over 256 values: one 64-bit word a draw.
struct AliasTable {
  std::array<std::uint64_t, kOperandCount> keep{};  ///< of 2^56
  std::array<std::uint16_t, kOperandCount> other{};

  explicit AliasTable(std::span<const double> p) {
    std::array<double, kOperandCount> scaled{};
    std::vector<std::size_t> small, large;
    for (std::size_t i = 0; i < kOperandCount; ++i) {
      scaled[i] = p[i] * kOperandCount;
      (scaled[i] < 1 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
      const std::size_t s = small.back(), l = large.back();
      small.pop_back();
      set(s, scaled[s], l);
      scaled[l] -= 1 - scaled[s];
      if (scaled[l] < 1) {
        large.pop_back();
        small.push_back(l);
      }
    }
    // What is left over is full up to rounding; a value that cannot occur is never left here
    // unless all mass was handed out, so it is sent to the most likely value.
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    for (const std::size_t i : large) set(i, 1, i);
    for (const std::size_t i : small) set(i, p[i] > 0 ? 1 : 0, p[i] > 0 ? i : best);
  }
  void set(std::size_t i, double probability, std::size_t alias) {
    keep[i] = static_cast<std::uint64_t>(probability * 0x1.0p56);
    other[i] = static_cast<std::uint16_t>(alias);
  }
  std::uint16_t draw(std::uint64_t word) const {
    const std::size_t i = word & 255;
    return (word >> 8) < keep[i] ? static_cast<std::uint16_t>(i) : other[i];
  }
};

__extension__ using Int128 = __int128;

// Mean and variance of draws that are not kept. Integers about the first draw: nothing is rounded
// before the end. |draw − first| < 2^42 and 2^30 draws fit.
class DrawMoments {
 public:
  void add(std::int64_t x) {
    if (count_++ == 0) first_ = x;
    const std::int64_t d = x - first_;
    sum_ += d;
    square_ += static_cast<Int128>(d) * d;
  }
  double mean() const { return static_cast<double>(static_cast<long double>(first_) + centre()); }
  double variance() const {
    const long double square = static_cast<long double>(square_) / static_cast<long double>(count_);
    return static_cast<double>(std::max(0.0L, square - centre() * centre()));
  }

 private:
  long double centre() const {
    return static_cast<long double>(sum_) / static_cast<long double>(count_);
  }
  std::int64_t first_ = 0, count_ = 0;
  Int128 sum_ = 0, square_ = 0;
};

}  // namespace

void predict_monte_carlo(const PreparedLayer& layer, std::size_t layer_number,
                         const PredictOptions& options,
                         std::span<const EncodedMultiplier* const> batch,
                         std::span<Prediction> cells) {
  const AliasTable a(layer.p_pooled), b(layer.q_pooled);
  const std::size_t draws = options.monte_carlo_draws, count = batch.size();
  const ScaleMoments scales = scale_moments(layer.channel_scale);
  // The draws depend on seed and layer only, so that a multiplier's figures do not depend on the
  // batch that it comes in.
  Philox random(options.seed, layer_number);
  std::vector<std::uint32_t> pairs(layer.fan_in);
  std::vector<DrawMoments> moments(count);
  for (std::size_t i = 0; i < draws; ++i) {
    if (i % 64 == 0) poll_interrupt();
    for (std::uint32_t& pair : pairs) {
      const std::uint32_t row = a.draw(random.next_u64());
      pair = row * kOperandCount + b.draw(random.next_u64());
    }
    for (std::size_t j = 0; j < count; ++j) {
      const std::int32_t* errors = batch[j]->values().data();
      std::int64_t sum = 0;
      for (const std::uint32_t pair : pairs) sum += errors[pair];
      moments[j].add(sum);
    }
  }
  for (std::size_t j = 0; j < count; ++j) {
    const double mean = moments[j].mean(), variance = moments[j].variance();
    set_shared_figures(scales, mean, variance, cells[j]);
    finish_prediction(layer, cells[j]);
    if (options.intervals) draw_intervals(draws, mean, std::sqrt(variance), scales, cells[j]);
  }
}

namespace {

// Population figures of up to 8 multipliers in one group: per receptive field μ_s (about the shift)
// and, for intervals, p_sᵀE²q.
struct Populations {
  std::array<double, kLanes> shift{}, mean_square{};  // mean_square: p̄ᵀE²q
  std::vector<double> mu, square;                     // [S, 8]
};

Populations populations(const PreparedLayer& layer, const PreparedGroup& group, bool squares,
                        std::span<const EncodedMultiplier* const> batch) {
  Populations result;
  const std::size_t a_count = group.a_values.size();
  std::vector<double> u(a_count * kLanes), w(a_count * kLanes);
  for (std::size_t j = 0; j < batch.size(); ++j) {
    const RowErrors r = row_errors(*batch[j], group.a_values, group.p_bar, group.q_pooled);
    result.shift[j] = r.shift;
    result.mean_square[j] = dot(group.p_bar, r.w);
    for (std::size_t a = 0; a < a_count; ++a) {
      u[a * kLanes + j] = r.u[a];
      w[a * kLanes + j] = r.w[a];
    }
  }
  const SparsePatches& p = group.sparse;
  const auto multiply = [&](const std::vector<double>& panel, std::vector<double>& sums) {
    sums.resize(layer.patches * kLanes);
    sparse_times_panel(p.offset.data(), p.index.data(), p.weight.data(), layer.patches,
                       panel.data(), sums.data());
  };
  multiply(u, result.mu);
  if (squares) multiply(w, result.square);
  return result;
}

// What one group's sums are taken for: all its channels alike, but for their scales.
struct GroupFigures {
  double mean = 0, variance = 0;  // of the integer sum
  ScaleMoments scales;
};

GroupFigures group_figures(const PreparedLayer& layer, std::size_t g, const Populations& part,
                           std::size_t j) {
  const double k = static_cast<double>(layer.fan_in), s = static_cast<double>(layer.patches);
  double mean = 0, between = 0;
  for (std::size_t i = 0; i < layer.patches; ++i) mean += part.mu[i * kLanes + j];
  mean /= s;
  for (std::size_t i = 0; i < layer.patches; ++i) {
    const double d = part.mu[i * kLanes + j] - mean;
    between += d * d;
  }
  between /= s;
  // mean_s v_s = mean_s p_sᵀE²q − mean_s μ_s², and mean_s μ_s² = mean² + Var_s(μ_s).
  const double within = part.mean_square[j] - mean * mean - between;
  return {
      k * (part.shift[j] + mean), k * std::max(0.0, within) + k * k * between,
      scale_moments(
          std::span(layer.channel_scale).subspan(g * layer.group_channels, layer.group_channels))};
}

// The groups are mixed in equal shares: in group g, s_m·sum has mean s_m·mean_g and variance
// s_m²·variance_g.
void mix_groups(const std::vector<GroupFigures>& groups, Prediction& cell) {
  const double share = 1 / static_cast<double>(groups.size());
  for (const GroupFigures& group : groups) cell.mean_acc += share * group.scales.mean * group.mean;
  double variance = 0;
  for (const GroupFigures& group : groups) {
    const double d = group.scales.mean * group.mean - cell.mean_acc;
    variance += share * (group.scales.square() * group.variance +
                         (d * d + group.scales.variance * group.mean * group.mean));
  }
  cell.sigma_acc = std::sqrt(variance);
  cell.sigma_corrected = kNan;
}

void add_contributions(const PreparedLayer& layer, const Populations& part,
                       const ScaleMoments& scales, std::size_t j, double mean_acc,
                       std::vector<double>& mean_of_patch, std::vector<double>& square_of_patch) {
  const double k = static_cast<double>(layer.fan_in);
  const double share = 1 / static_cast<double>(layer.groups.size());
  for (std::size_t s = 0; s < layer.patches; ++s) {
    const double mu = part.mu[s * kLanes + j], sum = k * (part.shift[j] + mu);
    const double d = scales.mean * sum - mean_acc;
    mean_of_patch[s] += share * scales.mean * sum;
    square_of_patch[s] += share * (scales.square() * k * (part.square[s * kLanes + j] - mu * mu) +
                                   d * d + scales.variance * sum * sum);
  }
}

}  // namespace

void predict_multi_population(const PreparedLayer& layer, const PredictOptions& options,
                              std::span<const EncodedMultiplier* const> batch,
                              std::span<Prediction> cells) {
  std::vector<Populations> parts;
  for (const PreparedGroup& group : layer.groups)
    parts.push_back(populations(layer, group, options.intervals, batch));
  for (std::size_t j = 0; j < batch.size(); ++j) {
    Prediction& cell = cells[j];
    std::vector<GroupFigures> groups;
    for (std::size_t g = 0; g < parts.size(); ++g)
      groups.push_back(group_figures(layer, g, parts[g], j));
    mix_groups(groups, cell);
    finish_prediction(layer, cell);
    if (!options.intervals) continue;
    std::vector<double> mean_of_patch(layer.patches, 0.0), square_of_patch(layer.patches, 0.0);
    for (std::size_t g = 0; g < parts.size(); ++g)
      add_contributions(layer, parts[g], groups[g].scales, j, cell.mean_acc, mean_of_patch,
                        square_of_patch);
    patch_intervals(mean_of_patch, square_of_patch, layer.patches, cell);
    count_fields(std::move(square_of_patch), layer.patches, cell);
  }
}

}  // namespace axmul::detail
