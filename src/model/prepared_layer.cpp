// Prepares a layer: which operand values occur, how often, and how often together.
#include "model/prepared_layer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/kernels/lut_gemm.hpp"
#include "model/arithmetic.hpp"

namespace axmul::detail {

namespace {

using Histogram = std::array<std::uint32_t, kOperandCount>;

Histogram count_bytes(const std::uint8_t* bytes, std::size_t count, std::size_t step,
                      bool is_signed) {
  Histogram histogram{};
  for (std::size_t i = 0; i < count; ++i) ++histogram[operand_index(bytes[i * step], is_signed)];
  return histogram;
}

std::vector<Histogram> weight_histograms(const LayerOperands& layer, std::size_t g) {
  const std::size_t m_group = layer.channels_per_group();
  std::vector<Histogram> histograms;
  for (std::size_t m = 0; m < m_group; ++m) {
    if (layer.has_weights()) {
      histograms.push_back(count_bytes(layer.weights.data() + g * layer.fan_in * m_group + m,
                                       layer.fan_in, m_group, b_is_signed(layer.type)));
    } else {
      Histogram& h = histograms.emplace_back();
      std::copy_n(layer.hist_b.data() + (g * m_group + m) * kOperandCount, kOperandCount,
                  h.begin());
    }
  }
  return histograms;
}

std::vector<std::uint16_t> occurring(const std::vector<Histogram>& histograms) {
  std::vector<std::uint16_t> values;
  for (std::size_t v = 0; v < kOperandCount; ++v)
    if (std::any_of(histograms.begin(), histograms.end(),
                    [v](const Histogram& h) { return h[v] != 0; }))
      values.push_back(static_cast<std::uint16_t>(v));
  return values;
}

std::array<std::uint16_t, kOperandCount> inverse(const std::vector<std::uint16_t>& values) {
  std::array<std::uint16_t, kOperandCount> position{};
  for (std::size_t i = 0; i < values.size(); ++i)
    position[values[i]] = static_cast<std::uint16_t>(i);
  return position;
}

// Counts of one receptive field, and a bit for each value that occurs.
struct PatchCounts {
  Histogram counts{};
  std::array<std::uint64_t, 4> seen{};

  void add(std::size_t value, std::uint32_t count) {
    counts[value] += count;
    seen[value / 64] |= std::uint64_t{1} << value % 64;
  }
  // Calls f(value, count) in ascending order and starts afresh.
  template <class F>
  void drain(F&& f) {
    for (std::size_t word = 0; word < 4; ++word)
      for (; seen[word] != 0; seen[word] &= seen[word] - 1) {
        const std::size_t value =
            word * 64 + static_cast<std::size_t>(std::countr_zero(seen[word]));
        f(value, counts[value]);
        counts[value] = 0;
      }
  }
};

// Activation histograms of the used receptive fields of group g.
void prepare_activations(const LayerOperands& layer, const std::vector<std::size_t>& rows,
                         std::size_t g, PreparedGroup& group) {
  const double fan_in = static_cast<double>(layer.fan_in);
  const bool is_signed = a_is_signed(layer.type);
  std::array<std::uint64_t, kOperandCount> total{};
  PatchCounts patch;
  SparsePatches& sparse = group.sparse;
  sparse.offset.push_back(0);
  for (const std::size_t s : rows) {
    const std::size_t row = g * layer.patch_count + s;
    if (layer.has_patches())
      for (std::size_t k = 0; k < layer.fan_in; ++k)
        patch.add(operand_index(layer.patches[row * layer.fan_in + k], is_signed), 1);
    else
      for (std::size_t v = 0; v < kOperandCount; ++v)
        if (const std::uint32_t n = layer.hist_a[row * kOperandCount + v]; n != 0) patch.add(v, n);
    patch.drain([&](std::size_t value, std::uint32_t count) {
      sparse.index.push_back(static_cast<std::uint16_t>(value));
      sparse.weight.push_back(count / fan_in);
      total[value] += count;
    });
    sparse.offset.push_back(static_cast<std::uint32_t>(sparse.index.size()));
  }
  for (std::size_t v = 0; v < kOperandCount; ++v)
    if (total[v] != 0) {
      group.a_values.push_back(static_cast<std::uint16_t>(v));
      group.p_bar.push_back(static_cast<double>(total[v]) /
                            (fan_in * static_cast<double>(rows.size())));
    }
  const auto position = inverse(group.a_values);
  for (std::uint16_t& v : sparse.index) v = position[v];
}

// Every step-th receptive field, for the intervals of the permutation model.
void prepare_interval_patches(PreparedGroup& group, std::size_t patches) {
  const SparsePatches& from = group.sparse;
  SparsePatches& to = group.interval_sparse;
  to.offset.push_back(0);
  for (std::size_t s = 0; s < patches; s += interval_step(patches)) {
    to.index.insert(to.index.end(), from.index.begin() + from.offset[s],
                    from.index.begin() + from.offset[s + 1]);
    to.weight.insert(to.weight.end(), from.weight.begin() + from.offset[s],
                     from.weight.begin() + from.offset[s + 1]);
    to.offset.push_back(static_cast<std::uint32_t>(to.index.size()));
  }
}

void prepare_weights(const std::vector<Histogram>& histograms, double fan_in,
                     std::span<const double> channel_scale, PreparedGroup& group) {
  group.b_values = occurring(histograms);
  const std::size_t channels = histograms.size(), b_count = group.b_values.size();
  group.q.assign(panels_for(channels) * b_count * kLanes, 0.0);
  group.q_bar.assign(b_count, 0.0);
  group.q_pooled.assign(kOperandCount, 0.0);
  double square_sum = 0;
  for (const double s : channel_scale) square_sum += s * s;
  for (std::size_t j = 0; j < b_count; ++j) {
    double pooled = 0;
    for (std::size_t m = 0; m < channels; ++m) {
      const double q = histograms[m][group.b_values[j]] / fan_in;
      group.q[(m / kLanes * b_count + j) * kLanes + m % kLanes] = q;
      group.q_bar[j] += channel_scale[m] * channel_scale[m] * q;
      pooled += q;
    }
    group.q_bar[j] /= square_sum;
    group.q_pooled[group.b_values[j]] = pooled / static_cast<double>(channels);
  }
}

// C = PᵀP/S, stored so that xᵀ·upper·x = xᵀCx: half the work of the full form.
void prepare_cooccurrence(std::size_t patches, PreparedGroup& group) {
  group.padded = (group.a_values.size() + 3) / 4 * 4;
  group.upper.assign(group.padded * group.padded, 0.0);
  const SparsePatches& p = group.sparse;
  for (std::size_t s = 0; s < patches; ++s)
    for (std::uint32_t i = p.offset[s]; i < p.offset[s + 1]; ++i) {
      double* row = group.upper.data() + p.index[i] * group.padded;
      const double weight = p.weight[i];
      for (std::uint32_t j = i; j < p.offset[s + 1]; ++j) row[p.index[j]] += weight * p.weight[j];
    }
  const double count = static_cast<double>(patches);
  for (std::size_t i = 0; i < group.padded; ++i)
    for (std::size_t j = i; j < group.padded; ++j)
      group.upper[i * group.padded + j] *= (i == j ? 1.0 : 2.0) / count;
}

std::vector<std::uint32_t> tap_groups(const LayerOperands& layer, const PredictOptions& options) {
  if (options.strata == Strata::given) {
    if (options.tap_group.size() != layer.fan_in)
      throw UsageError(704, "layer \"" + layer.name + "\": tap_group has " +
                                std::to_string(options.tap_group.size()) +
                                " entries, it must have one per tap (" +
                                std::to_string(layer.fan_in) + ")");
    return options.tap_group;
  }
  const std::size_t area = layer.kernel_h * layer.kernel_w;
  if (area == 0 || layer.fan_in % area != 0)
    throw InputError(703, "layer \"" + layer.name + "\": stratified needs fan_in (" +
                              std::to_string(layer.fan_in) +
                              ") to be a multiple of kernel_h * kernel_w (" + std::to_string(area) +
                              ")");
  if (layer.tap_order != "c,kh,kw")
    throw InputError(703, "layer \"" + layer.name + "\": stratified knows the tap_order " +
                              "\"c,kh,kw\", not \"" + layer.tap_order + "\"");
  std::vector<std::uint32_t> groups(layer.fan_in);
  for (std::size_t k = 0; k < layer.fan_in; ++k)
    groups[k] =
        static_cast<std::uint32_t>(options.strata == Strata::input_channel ? k / area : k % area);
  return groups;
}

Stratum prepare_stratum(const LayerOperands& layer, const PreparedGroup& group, std::size_t patches,
                        std::vector<std::uint32_t> taps, std::size_t channels) {
  Stratum stratum;
  stratum.taps = std::move(taps);
  const std::size_t n = stratum.taps.size();
  std::array<double, kOperandCount> p{}, q{};
  stratum.a_index.resize(patches * n);
  stratum.b_index.resize(n * channels);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t s = 0; s < patches; ++s) {
      const std::size_t v =
          operand_index(group.patches[s * layer.fan_in + stratum.taps[i]], a_is_signed(layer.type));
      stratum.a_index[s * n + i] = static_cast<std::uint16_t>(v);
      p[v] += 1.0;
    }
    for (std::size_t m = 0; m < channels; ++m) {
      const std::size_t v =
          operand_index(group.weights[stratum.taps[i] * channels + m], b_is_signed(layer.type));
      stratum.b_index[i * channels + m] = static_cast<std::uint16_t>(v);
      q[v] += 1.0;
    }
  }
  const auto compact = [](const auto& pmf, double total, auto& values, auto& probability,
                          auto& index) {
    for (std::size_t v = 0; v < kOperandCount; ++v)
      if (pmf[v] > 0) {
        values.push_back(static_cast<std::uint16_t>(v));
        probability.push_back(pmf[v] / total);
      }
    const auto position = inverse(values);
    for (std::uint16_t& v : index) v = position[v];
  };
  const double count = static_cast<double>(n);
  compact(p, count * static_cast<double>(patches), stratum.a_values, stratum.p_bar,
          stratum.a_index);
  compact(q, count * static_cast<double>(channels), stratum.b_values, stratum.q_bar,
          stratum.b_index);
  return stratum;
}

void copy_operands(const LayerOperands& layer, const std::vector<std::size_t>& rows, std::size_t g,
                   PreparedGroup& group) {
  const std::size_t k = layer.fan_in, block = k * layer.channels_per_group();
  for (const std::size_t s : rows) {
    const std::uint8_t* row = layer.patches.data() + (g * layer.patch_count + s) * k;
    group.patches.insert(group.patches.end(), row, row + k);
  }
  const std::uint8_t* first = layer.weights.data() + g * block;
  group.weights.assign(first, first + block);
}

void pool_groups(PreparedLayer& layer) {
  layer.p_pooled.assign(kOperandCount, 0.0);
  layer.q_pooled.assign(kOperandCount, 0.0);
  const double groups = static_cast<double>(layer.groups.size());
  for (const PreparedGroup& group : layer.groups) {
    for (std::size_t i = 0; i < group.a_values.size(); ++i)
      layer.p_pooled[group.a_values[i]] += group.p_bar[i] / groups;
    for (std::size_t b = 0; b < kOperandCount; ++b) layer.q_pooled[b] += group.q_pooled[b] / groups;
  }
}

template <class Sum>
std::vector<Sum> exact_products(const LutGemmPlan& plan, const PreparedLayer& prepared,
                                const PreparedGroup& group) {
  std::vector<Sum> sums(prepared.patches * prepared.group_channels);
  LutGemmOptions options;
  options.threads = 1;
  plan.run(prepared.patches, group.patches, std::span<Sum>(sums), options);
  return sums;
}

// Σ(a−z_a)(b−z_b) of one group, [S, M/G], from Σab.
std::vector<double> exact_sums(const LayerOperands& layer, const PreparedLayer& prepared,
                               const PreparedGroup& group, std::size_t g) {
  const std::size_t k = layer.fan_in, width = prepared.group_channels;
  const LutGemmPlan plan(Lut::exact(layer.type), k, width, group.weights);
  std::vector<double> y(prepared.patches * width);
  const auto take = [&](const auto& sums) { std::copy(sums.begin(), sums.end(), y.begin()); };
  if (plan.accumulator() == Accumulator::int32)
    take(exact_products<std::int32_t>(plan, prepared, group));
  else
    take(exact_products<std::int64_t>(plan, prepared, group));
  const auto value = [](std::uint8_t byte, bool is_signed) {
    return static_cast<double>(is_signed ? static_cast<std::int8_t>(byte) : int{byte});
  };
  std::vector<double> of_filter(width, 0.0);
  for (std::size_t i = 0; i < k * width; ++i)
    of_filter[i % width] += value(group.weights[i], b_is_signed(layer.type));
  for (std::size_t s = 0; s < prepared.patches; ++s) {
    double of_patch = 0;
    for (std::size_t i = 0; i < k; ++i)
      of_patch += value(group.patches[s * k + i], a_is_signed(layer.type));
    for (std::size_t m = 0; m < width; ++m) {
      const std::size_t channel = layer.b_zero_point.size() == 1 ? 0 : g * width + m;
      const double z_a = layer.a_zero_point, z_b = layer.b_zero_point[channel];
      y[s * width + m] += static_cast<double>(k) * z_a * z_b - z_b * of_patch - z_a * of_filter[m];
    }
  }
  return y;
}

Evidence find_evidence(const LayerOperands& layer, const PreparedLayer& prepared) {
  Evidence evidence;
  evidence.receptive_fields = prepared.patches;
  if (!layer.has_patches() || !layer.has_weights()) return evidence;
  evidence.outputs_vary = false;
  const std::size_t width = prepared.group_channels;
  ChannelFigures figures{std::vector<double>(layer.out_channels),
                         std::vector<double>(layer.out_channels)};
  for (std::size_t g = 0; g < layer.groups; ++g) {
    PreparedGroup group;
    copy_operands(layer, prepared.rows, g, group);
    const std::vector<double> y = exact_sums(layer, prepared, group, g);
    for (std::size_t i = width; i < y.size(); ++i)
      if (y[i] != y[i % width]) evidence.outputs_vary = true;
    column_moments(y.data(), prepared.patches, width, figures.mean.data() + g * width,
                   figures.variance.data() + g * width);
  }
  evidence.output_std = combine_channels(prepared, std::move(figures), false).sigma_acc;
  return evidence;
}

PreparedGroup prepare_group(const LayerOperands& layer, const PredictOptions& options,
                            const PreparedLayer& prepared, std::size_t g) {
  PreparedGroup group;
  const std::span<const double> scales(prepared.channel_scale.data() + g * prepared.group_channels,
                                       prepared.group_channels);
  const double fan_in = static_cast<double>(layer.fan_in);
  if (needs_patches(options.model)) copy_operands(layer, prepared.rows, g, group);
  if (options.model == ErrorModel::sampled) return group;
  const bool stratified = options.model == ErrorModel::stratified;
  if (stratified) {
    std::map<std::uint32_t, std::vector<std::uint32_t>> taps;
    const std::vector<std::uint32_t> of_tap = tap_groups(layer, options);
    for (std::uint32_t k = 0; k < of_tap.size(); ++k) taps[of_tap[k]].push_back(k);
    if (taps.size() > 1) {
      for (auto& [label, list] : taps)
        group.strata.push_back(
            prepare_stratum(layer, group, prepared.patches, std::move(list), scales.size()));
      return group;
    }
  }
  prepare_activations(layer, prepared.rows, g, group);
  prepare_weights(weight_histograms(layer, g), fan_in, scales, group);
  if (options.model == ErrorModel::permutation || stratified) {
    prepare_cooccurrence(prepared.patches, group);
    if (options.intervals) prepare_interval_patches(group, prepared.patches);
  }
  return group;
}

}  // namespace

PreparedLayer prepare_layer(const LayerOperands& layer, const PredictOptions& options) {
  check_layer(layer);
  if (needs_patches(options.model) && (!layer.has_patches() || !layer.has_weights()))
    throw InputError(703, "layer \"" + layer.name + "\": model " +
                              std::string(to_string(options.model)) +
                              " needs the datasets \"patches\" and \"weights\"; from histograms "
                              "alone use permutation");
  PreparedLayer prepared;
  prepared.name = layer.name;
  prepared.type = layer.type;
  prepared.fan_in = layer.fan_in;
  prepared.output_std = layer.output_std;
  prepared.channels = layer.out_channels;
  prepared.group_channels = layer.channels_per_group();
  prepared.rows = select_patch_rows(layer.patch_count, options);
  prepared.patches = prepared.rows.size();
  prepared.channel_scale = relative_scales(layer);
  prepared.evidence = find_evidence(layer, prepared);
  for (std::size_t g = 0; g < layer.groups; ++g)
    prepared.groups.push_back(prepare_group(layer, options, prepared, g));
  if (options.model == ErrorModel::global || options.model == ErrorModel::monte_carlo)
    pool_groups(prepared);
  return prepared;
}

}  // namespace axmul::detail
