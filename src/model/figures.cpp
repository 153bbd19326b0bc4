// From channel and patch figures to a layer's prediction and its confidence intervals.
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "model/arithmetic.hpp"
#include "model/prepared_layer.hpp"

namespace axmul::detail {

namespace {

double non_negative(double x) { return x > 0 ? x : 0.0; }

struct Moments {
  double mean = 0, std = 0;
};

// Sample standard deviation (divided by n − 1): it estimates the population of receptive fields.
Moments sample_moments(std::span<const double> x) {
  Moments m;
  for (const double v : x) m.mean += v;
  m.mean /= static_cast<double>(x.size());
  double square = 0;
  for (const double v : x) square += (v - m.mean) * (v - m.mean);
  m.std = std::sqrt(square / static_cast<double>(x.size() - 1));
  return m;
}

double t_quantile(std::size_t draws) {
  const boost::math::students_t distribution(static_cast<double>(draws - 1));
  return boost::math::quantile(distribution, 0.975);
}

}  // namespace

void finish_prediction(const PreparedLayer& layer, Prediction& p) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  p.rmse_acc = std::sqrt(p.mean_acc * p.mean_acc + p.sigma_acc * p.sigma_acc);
  const bool known = layer.output_std > 0;
  p.sigma_rel = known ? p.sigma_acc / layer.output_std : kNan;
  p.sigma_corrected_rel = known ? p.sigma_corrected / layer.output_std : kNan;
}

Prediction combine_channels(const PreparedLayer& layer, ChannelFigures figures,
                            bool keep_channels) {
  Prediction p;
  const double channels = static_cast<double>(layer.channels);
  double within = 0, between = 0;
  for (std::size_t m = 0; m < layer.channels; ++m)
    p.mean_acc += layer.channel_weight[m] * figures.mean[m];
  p.mean_acc /= channels;
  for (std::size_t m = 0; m < layer.channels; ++m) {
    const double d = figures.mean[m] - p.mean_acc, w = layer.channel_weight[m];
    figures.variance[m] = non_negative(figures.variance[m]);
    within += w * figures.variance[m];
    between += w * (d * d);
  }
  p.sigma_corrected = std::sqrt(within / channels);
  p.sigma_acc = std::sqrt((within + between) / channels);
  if (keep_channels) {
    p.channel_mean = std::move(figures.mean);
    for (double& v : figures.variance) v = std::sqrt(v);
    p.channel_sigma = std::move(figures.variance);
  }
  finish_prediction(layer, p);
  return p;
}

void patch_intervals(std::span<const double> mean_of_patch, std::span<const double> square_of_patch,
                     std::size_t total, Prediction& p) {
  if (mean_of_patch.size() < 2) return;
  const double root = std::sqrt(static_cast<double>(total));
  const double t = t_quantile(mean_of_patch.size());
  const double mean_error = t * sample_moments(mean_of_patch).std / root;
  p.mean_interval = {p.mean_acc - mean_error, p.mean_acc + mean_error};
  const double variance = p.sigma_acc * p.sigma_acc;
  if (variance == 0) {
    p.sigma_interval = {0, 0};
    return;
  }
  // On the scale of log σ, where the estimate is closest to normal: d log σ = dσ² / 2σ².
  const double log_error = t * sample_moments(square_of_patch).std / root / (2 * variance);
  p.sigma_interval = {p.sigma_acc * std::exp(-log_error), p.sigma_acc * std::exp(log_error)};
}

void draw_intervals(std::size_t draws, double mean, double sigma, Prediction& p) {
  if (draws < 2) return;
  const double freedom = static_cast<double>(draws - 1);
  const double mean_error = t_quantile(draws) * sigma / std::sqrt(freedom);
  p.mean_interval = {mean - mean_error, mean + mean_error};
  const boost::math::chi_squared chi(freedom);
  const double square = static_cast<double>(draws) * sigma * sigma;
  p.sigma_interval = {std::sqrt(square / boost::math::quantile(chi, 0.975)),
                      std::sqrt(square / boost::math::quantile(chi, 0.025))};
}

Prediction predict_from_sums(const PreparedLayer& layer, const PredictOptions& options,
                             const std::vector<std::vector<double>>& y,
                             const std::vector<double>& extra_variance) {
  const std::size_t width = layer.group_channels;
  ChannelFigures figures{std::vector<double>(layer.channels), std::vector<double>(layer.channels)};
  for (std::size_t g = 0; g < y.size(); ++g)
    column_moments(y[g].data(), layer.patches, width, figures.mean.data() + g * width,
                   figures.variance.data() + g * width);
  for (std::size_t m = 0; m < layer.channels; ++m) figures.variance[m] += extra_variance[m];
  Prediction p = combine_channels(layer, std::move(figures), options.channels);
  if (!options.intervals) return p;
  double extra = 0;  // its own scatter between patches is left out: it is small beside the sums'
  for (std::size_t m = 0; m < layer.channels; ++m)
    extra += layer.channel_weight[m] * extra_variance[m] / static_cast<double>(layer.channels);
  std::vector<double> means(layer.patches, 0.0), squares(layer.patches, extra);
  for (std::size_t g = 0; g < y.size(); ++g)
    for (std::size_t s = 0; s < layer.patches; ++s)
      for (std::size_t m = 0; m < width; ++m) {
        const double w = layer.channel_weight[g * width + m] / static_cast<double>(layer.channels);
        const double d = y[g][s * width + m] - p.mean_acc;
        means[s] += w * y[g][s * width + m];
        squares[s] += w * (d * d);
      }
  patch_intervals(means, squares, layer.patches, p);
  return p;
}

}  // namespace axmul::detail
