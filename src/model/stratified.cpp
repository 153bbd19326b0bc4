// The stratified model: random pairing inside groups of taps. The sampled model: no pairing is
// random, the errors of the traced receptive fields are summed exactly.
#include <algorithm>
#include <cmath>

#include "axmul/kernels/lut_gemm.hpp"
#include "model/arithmetic.hpp"
#include "model/prepared_layer.hpp"

namespace axmul::detail {

namespace {

// A stratum of one tap pairs nothing at random: its errors are added as they are, exactly.
void add_single_tap(const Stratum& stratum, const std::int32_t* errors, std::size_t patches,
                    std::size_t channels, std::vector<double>& y) {
  std::vector<std::size_t> column(channels);
  for (std::size_t m = 0; m < channels; ++m) column[m] = stratum.b_values[stratum.b_index[m]];
  for (std::size_t s = 0; s < patches; ++s) {
    const std::int32_t* row = errors + std::size_t{stratum.a_values[stratum.a_index[s]]} * 256;
    for (std::size_t m = 0; m < channels; ++m) y[s * channels + m] += row[column[m]];
  }
}

// A stratum of n > 1 taps: adds the expected sums to y and the variance of the pairing, averaged
// over the receptive fields, to variance[m]. As in permutation the additive part of the error is
// taken out first.
class RandomStratum {
 public:
  RandomStratum(const Stratum& stratum, const std::int32_t* errors, std::size_t channels)
      : stratum_(stratum), channels_(channels), n_(stratum.taps.size()) {
    const std::size_t a_count = stratum.a_values.size(), b_count = stratum.b_values.size();
    d_.resize(a_count * b_count);
    r_.resize(a_count);
    c_.resize(b_count);
    column_square_.resize(b_count);
    std::vector<double> row_square(a_count);
    gather_errors(errors, stratum.a_values.data(), a_count, stratum.b_values.data(), b_count,
                  b_count, 0, stratum.p_bar.data(), stratum.q_bar.data(), d_.data(), r_.data(),
                  c_.data());
    double mean = 0;
    for (std::size_t a = 0; a < a_count; ++a) mean += stratum.p_bar[a] * r_[a];
    center_errors(d_.data(), a_count, b_count, b_count, r_.data(), c_.data(), mean,
                  stratum.p_bar.data(), stratum.q_bar.data(), column_square_.data(),
                  row_square.data());
    for (double& r : r_) r -= mean;
    sum_filters();
    pack();
  }

  void add(std::size_t patches, std::vector<double>& y, double* variance) const {
    const std::size_t b_count = c_.size(), a_count = r_.size();
    const double n = static_cast<double>(n_), factor = 1 / (n - 1) / n / n;
    std::vector<double> v3(panels_for(b_count) * kLanes, 0.0), filter(channels_, 0.0);
    std::vector<double> sums(patches * kLanes), row_sum(patches, 0.0), ones(patches * n_, 1.0);
    std::vector<std::uint32_t> offset(patches + 1);
    for (std::size_t s = 0; s <= patches; ++s) offset[s] = static_cast<std::uint32_t>(s * n_);
    const auto multiply = [&](const double* panel) {
      sparse_times_panel(offset.data(), stratum_.a_index.data(), ones.data(), patches, panel,
                         sums.data());
    };
    for (std::size_t j = 0; j < panels_for(b_count); ++j) {
      multiply(d_panels_.data() + j * a_count * kLanes);
      for (std::size_t s = 0; s < patches; ++s)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
          v3[j * kLanes + lane] += sums[s * kLanes + lane] * sums[s * kLanes + lane];
    }
    for (std::size_t s = 0; s < patches; ++s)
      for (std::size_t i = 0; i < n_; ++i) row_sum[s] += r_[stratum_.a_index[s * n_ + i]];
    for (std::size_t m = 0; m < channels_; ++m)
      for (std::size_t i = 0; i < n_; ++i) filter[m] += c_[stratum_.b_index[i * channels_ + m]];
    const double s_count = static_cast<double>(patches);
    for (std::size_t j = 0; j < panels_for(channels_); ++j) {
      multiply(g_panels_.data() + j * a_count * kLanes);
      for (std::size_t lane = 0; lane < kLanes && j * kLanes + lane < channels_; ++lane) {
        const std::size_t m = j * kLanes + lane;
        double v4 = 0;
        for (std::size_t s = 0; s < patches; ++s) {
          const double x = sums[s * kLanes + lane];
          v4 += x * x;
          y[s * channels_ + m] += x / n + row_sum[s] + filter[m];
        }
        double v1 = 0, v2 = 0, v3_sum = 0;
        for (std::size_t i = 0; i < n_; ++i) {
          const std::size_t b = stratum_.b_index[i * channels_ + m];
          v1 += column_square_[b];
          v3_sum += v3[b];
        }
        for (std::size_t a = 0; a < a_count; ++a) {
          const double x = g_panels_[(j * a_count + a) * kLanes + lane];
          v2 += stratum_.p_bar[a] * (x * x);
        }
        // n²/(n−1)·(v1 − v2 − v3 + v4) with sums over taps in place of probabilities.
        const double pairing = n * n * n * v1 - n * n * v2 - n * v3_sum / s_count + v4 / s_count;
        variance[m] += factor * std::max(0.0, pairing);
      }
    }
  }

 private:
  // G[a, m] = Σ_{taps} D[a, b(tap, m)].
  void sum_filters() {
    const std::size_t a_count = r_.size(), b_count = c_.size();
    g_panels_.assign(panels_for(channels_) * a_count * kLanes, 0.0);
    for (std::size_t a = 0; a < a_count; ++a) {
      const double* row = d_.data() + a * b_count;
      for (std::size_t m = 0; m < channels_; ++m) {
        double sum = 0;
        for (std::size_t i = 0; i < n_; ++i) sum += row[stratum_.b_index[i * channels_ + m]];
        g_panels_[(m / kLanes * a_count + a) * kLanes + m % kLanes] = sum;
      }
    }
  }
  void pack() {
    const std::size_t a_count = r_.size(), b_count = c_.size();
    d_panels_.assign(panels_for(b_count) * a_count * kLanes, 0.0);
    for (std::size_t j = 0; j < b_count; j += kLanes)
      for (std::size_t a = 0; a < a_count; ++a)
        std::copy_n(d_.data() + a * b_count + j, std::min(kLanes, b_count - j),
                    d_panels_.data() + (j / kLanes * a_count + a) * kLanes);
  }

  const Stratum& stratum_;
  std::size_t channels_, n_;
  std::vector<double> d_, r_, c_, column_square_, d_panels_, g_panels_;
};

}  // namespace

void predict_stratified(const PreparedLayer& layer, const PredictOptions& options,
                        const EncodedMultiplier& multiplier, Prediction& cell) {
  if (layer.groups.front().strata.empty()) {  // one stratum: that is the permutation model
    predict_permutation(layer, options, multiplier, cell);
    return;
  }
  const std::int32_t* errors = multiplier.values().data();
  const std::size_t width = layer.group_channels;
  std::vector<std::vector<double>> y(layer.groups.size());
  std::vector<double> variance(layer.channels, 0.0);
  for (std::size_t g = 0; g < layer.groups.size(); ++g) {
    y[g].assign(layer.patches * width, 0.0);
    for (const Stratum& stratum : layer.groups[g].strata) {
      if (stratum.taps.size() == 1)
        add_single_tap(stratum, errors, layer.patches, width, y[g]);
      else
        RandomStratum(stratum, errors, width).add(layer.patches, y[g], variance.data() + g * width);
    }
  }
  cell = predict_from_sums(layer, options, y, variance);
}

namespace {

// Errors can only leave a Lut's range when products nearly do; then products are summed instead.
bool fits_lut(const EncodedMultiplier& multiplier) {
  return std::all_of(multiplier.values().begin(), multiplier.values().end(),
                     [](std::int32_t e) { return std::abs(e) < kProductLimit; });
}

template <class Sum>
void add_sums(const LutGemmPlan& plan, std::size_t patches, std::span<const std::uint8_t> a,
              double sign, std::vector<double>& y) {
  std::vector<Sum> sums(y.size());
  LutGemmOptions options;
  options.threads = 1;
  plan.run(patches, a, std::span<Sum>(sums), options);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += sign * static_cast<double>(sums[i]);
}

void add_product(const Lut& lut, const PreparedLayer& layer, const PreparedGroup& group,
                 double sign, std::vector<double>& y) {
  const LutGemmPlan plan(lut, layer.fan_in, layer.group_channels, group.weights);
  if (plan.accumulator() == Accumulator::int32)
    add_sums<std::int32_t>(plan, layer.patches, group.patches, sign, y);
  else
    add_sums<std::int64_t>(plan, layer.patches, group.patches, sign, y);
}

}  // namespace

void predict_sampled(const PreparedLayer& layer, const PredictOptions& options,
                     const EncodedMultiplier& multiplier, Prediction& cell) {
  std::vector<std::vector<double>> y(layer.groups.size());
  const bool direct = fits_lut(multiplier);
  const Lut table = direct ? Lut(multiplier.lut.type(), multiplier.values()) : multiplier.lut;
  for (std::size_t g = 0; g < layer.groups.size(); ++g) {
    y[g].assign(layer.patches * layer.group_channels, 0.0);
    add_product(table, layer, layer.groups[g], 1, y[g]);
    if (!direct) add_product(Lut::exact(table.type()), layer, layer.groups[g], -1, y[g]);
  }
  cell = predict_from_sums(layer, options, y, std::vector<double>(layer.channels, 0.0));
}

}  // namespace axmul::detail
