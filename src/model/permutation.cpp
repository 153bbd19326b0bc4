// The permutation model, fast form: a few quadratic forms per multiplier instead of one evaluation
// per receptive field and filter (Hoeffding 1951 for the variance of a combinatorial sum).
#include <algorithm>
#include <cmath>

#include "model/arithmetic.hpp"
#include "model/prepared_layer.hpp"

namespace axmul::detail {

namespace {

// The errors of one group, split into e = shift + mean + r(a) + c(b) + d(a,b) under p̄ and q̄. The
// random pairing only moves d, so its variance is free of cancellation against the rest.
struct Split {
  double shift = 0;
  std::vector<double> d;              // [padded, B]
  std::vector<double> d_panels;       // panels of [padded, 8]: columns of d
  std::vector<double> g_panels;       // the same for D q_m, a column per channel
  std::vector<double> r;              // [padded], p̄-mean 0
  std::vector<double> c;              // [B], mean included
  std::vector<double> column_square;  // p̄ᵀd² per b
  std::vector<double> row_square;     // d² q̄ per a
};

std::size_t argmax(std::span<const double> x) {
  return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
}

Split split_errors(const PreparedGroup& group, std::size_t channels,
                   const EncodedMultiplier& multiplier) {
  const std::size_t a_count = group.a_values.size(), b_count = group.b_values.size();
  const std::int32_t* errors = multiplier.values().data();
  Split split;
  const std::int32_t shift = errors[std::size_t{group.a_values[argmax(group.p_bar)]} * 256 +
                                    group.b_values[argmax(group.q_bar)]];
  split.shift = shift;
  split.d.assign(group.padded * b_count, 0.0);
  split.r.assign(group.padded, 0.0);
  split.c.resize(b_count);
  split.column_square.resize(b_count);
  split.row_square.resize(a_count);
  gather_errors(errors, group.a_values.data(), a_count, group.b_values.data(), b_count, b_count,
                shift, group.p_bar.data(), group.q_bar.data(), split.d.data(), split.r.data(),
                split.c.data());
  double mean = 0;
  for (std::size_t a = 0; a < a_count; ++a) mean += group.p_bar[a] * split.r[a];
  center_errors(split.d.data(), a_count, b_count, b_count, split.r.data(), split.c.data(), mean,
                group.p_bar.data(), group.q_bar.data(), split.column_square.data(),
                split.row_square.data());
  for (std::size_t a = 0; a < a_count; ++a) split.r[a] -= mean;

  const std::size_t panel = group.padded * kLanes;
  split.d_panels.assign(panels_for(b_count) * panel, 0.0);
  for (std::size_t j = 0; j < b_count; j += kLanes)
    for (std::size_t a = 0; a < a_count; ++a)
      std::copy_n(split.d.data() + a * b_count + j, std::min(kLanes, b_count - j),
                  split.d_panels.data() + j / kLanes * panel + a * kLanes);
  split.g_panels.resize(panels_for(channels) * panel);
  for (std::size_t i = 0; i < panels_for(channels); ++i)
    rows_times_panel(split.d.data(), group.padded, b_count, b_count,
                     group.q.data() + i * b_count * kLanes, split.g_panels.data() + i * panel);
  return split;
}

// C·r from the stored upper triangle.
std::vector<double> cooccurrence_times(const PreparedGroup& group, const std::vector<double>& r) {
  const std::size_t n = group.padded;
  std::vector<double> h(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double* row = group.upper.data() + i * n;
    double sum = 0;
    for (std::size_t j = i + 1; j < n; ++j) {
      sum += row[j] * r[j];
      h[j] += 0.5 * row[j] * r[i];
    }
    h[i] += row[i] * r[i] + 0.5 * sum;
  }
  return h;
}

void channel_figures(const PreparedGroup& group, const Split& split, double k, std::size_t channels,
                     double* means, double* variances) {
  const std::size_t a_count = group.a_values.size(), b_count = group.b_values.size();
  const std::size_t panel = group.padded * kLanes;
  std::vector<double> v3(panels_for(b_count) * kLanes);
  for (std::size_t i = 0; i < panels_for(b_count); ++i)
    quadratic_forms(group.upper.data(), group.padded, split.d_panels.data() + i * panel,
                    v3.data() + i * kLanes);
  const std::vector<double> h = cooccurrence_times(group, split.r);
  double rh = 0;
  for (std::size_t a = 0; a < a_count; ++a) rh += split.r[a] * h[a];
  for (std::size_t i = 0; i < panels_for(channels); ++i) {
    const double* g = split.g_panels.data() + i * panel;
    const double* q = group.q.data() + i * b_count * kLanes;
    double v4[kLanes], v13[kLanes] = {}, v2[kLanes] = {}, gh[kLanes] = {}, pg[kLanes] = {},
                       cq[kLanes] = {};
    quadratic_forms(group.upper.data(), group.padded, g, v4);
    for (std::size_t b = 0; b < b_count; ++b)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        v13[lane] += q[b * kLanes + lane] * (split.column_square[b] - v3[b]);
        cq[lane] += q[b * kLanes + lane] * split.c[b];
      }
    for (std::size_t a = 0; a < a_count; ++a)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const double x = g[a * kLanes + lane];
        v2[lane] += group.p_bar[a] * (x * x);
        gh[lane] += x * h[a];
        pg[lane] += group.p_bar[a] * x;
      }
    for (std::size_t lane = 0; lane < kLanes && i * kLanes + lane < channels; ++lane) {
      const double pairing = k > 1 ? k * k / (k - 1) * (v13[lane] - v2[lane] + v4[lane]) : 0.0;
      const double between = v4[lane] + 2 * gh[lane] + rh - pg[lane] * pg[lane];
      means[i * kLanes + lane] = k * (split.shift + cq[lane]);
      variances[i * kLanes + lane] = std::max(0.0, pairing) + k * k * std::max(0.0, between);
    }
  }
}

// What some receptive fields contribute to the layer's mean, its variance and the variance with
// channel means removed.
struct Contributions {
  std::vector<double> mean, square, within;
};

void add_contributions(const PreparedLayer& layer, std::size_t g, const Split& split,
                       const double* means, double mean_acc, Contributions& to) {
  const PreparedGroup& group = layer.groups[g];
  const SparsePatches& p = group.interval_sparse;
  const std::size_t a_count = group.a_values.size(), b_count = group.b_values.size();
  const std::size_t panel = group.padded * kLanes, channels = layer.group_channels;
  const std::size_t patches = to.mean.size();
  const double k = static_cast<double>(layer.fan_in), all = static_cast<double>(layer.channels);
  const double* scale = layer.channel_scale.data() + g * channels;
  double share = 0;
  for (std::size_t m = 0; m < channels; ++m) share += scale[m] * scale[m] / all;

  // two[a, 0]: q̄-weighted d² less the filters' G²; two[a, 1]: r(a). Neither depends on the pairing.
  std::vector<double> two(group.padded * kLanes, 0.0), sums(patches * kLanes), pairing(patches);
  for (std::size_t a = 0; a < a_count; ++a) {
    two[a * kLanes] = share * split.row_square[a];
    two[a * kLanes + 1] = split.r[a];
  }
  for (std::size_t m = 0; m < channels; ++m) {
    const double* x = split.g_panels.data() + m / kLanes * panel + m % kLanes;
    for (std::size_t a = 0; a < a_count; ++a)
      two[a * kLanes] -= scale[m] * scale[m] / all * (x[a * kLanes] * x[a * kLanes]);
  }
  const auto multiply = [&](const double* columns) {
    sparse_times_panel(p.offset.data(), p.index.data(), p.weight.data(), patches, columns,
                       sums.data());
  };
  multiply(two.data());
  std::vector<double> r(patches);
  for (std::size_t s = 0; s < patches; ++s) {
    pairing[s] = sums[s * kLanes];
    r[s] = sums[s * kLanes + 1];
  }
  for (std::size_t j = 0; j < b_count; j += kLanes) {
    double q[kLanes] = {};
    for (std::size_t lane = 0; lane < kLanes && j + lane < b_count; ++lane)
      q[lane] = share * group.q_bar[j + lane];
    multiply(split.d_panels.data() + j / kLanes * panel);
    for (std::size_t s = 0; s < patches; ++s)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        pairing[s] -= q[lane] * (sums[s * kLanes + lane] * sums[s * kLanes + lane]);
  }
  for (std::size_t m = 0; m < channels; m += kLanes) {
    multiply(split.g_panels.data() + m / kLanes * panel);
    for (std::size_t s = 0; s < patches; ++s)
      for (std::size_t lane = 0; lane < kLanes && m + lane < channels; ++lane) {
        const double c = scale[m + lane], x = sums[s * kLanes + lane];
        const double own = c * (k * (x + r[s])), sum = c * means[m + lane] + own;
        pairing[s] += c * c / all * (x * x);
        to.mean[s] += sum / all;
        to.square[s] += (sum - mean_acc) * (sum - mean_acc) / all;
        to.within[s] += own * own / all;
      }
  }
  const double factor = k > 1 ? k * k / (k - 1) : 0.0;
  for (std::size_t s = 0; s < patches; ++s) {
    to.square[s] += factor * pairing[s];
    to.within[s] += factor * pairing[s];
  }
}

}  // namespace

void predict_permutation(const PreparedLayer& layer, const PredictOptions& options,
                         const EncodedMultiplier& multiplier, Prediction& cell) {
  const double k = static_cast<double>(layer.fan_in);
  const std::size_t width = layer.group_channels;
  ChannelFigures figures{std::vector<double>(layer.channels), std::vector<double>(layer.channels)};
  std::vector<Split> splits;
  for (std::size_t g = 0; g < layer.groups.size(); ++g) {
    Split split = split_errors(layer.groups[g], width, multiplier);
    channel_figures(layer.groups[g], split, k, width, figures.mean.data() + g * width,
                    figures.variance.data() + g * width);
    if (options.intervals) splits.push_back(std::move(split));
  }
  const std::vector<double> means = options.intervals ? figures.mean : std::vector<double>();
  cell = combine_channels(layer, std::move(figures), options.channels);
  if (!options.intervals) return;
  const std::size_t step = interval_step(layer.patches);
  const std::size_t used = (layer.patches + step - 1) / step;
  const std::vector<double> none(used, 0.0);
  Contributions parts{none, none, none};
  for (std::size_t g = 0; g < splits.size(); ++g)
    add_contributions(layer, g, splits[g], means.data() + g * width, cell.mean_acc, parts);
  patch_intervals(parts.mean, parts.square, layer.patches, cell);
  count_fields(std::move(parts.within), layer.patches, cell);
}

}  // namespace axmul::detail
