// From channel and patch figures to a layer's prediction and its confidence intervals.
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <functional>

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

ScaleMoments scale_moments(std::span<const double> scales) {
  ScaleMoments moments{0, 0};
  const double count = static_cast<double>(scales.size());
  for (const double s : scales) moments.mean += s;
  moments.mean /= count;
  for (const double s : scales) moments.variance += (s - moments.mean) * (s - moments.mean);
  moments.variance /= count;
  return moments;
}

void set_shared_figures(const ScaleMoments& scales, double mean, double variance, Prediction& p) {
  p.mean_acc = scales.mean * mean;
  p.sigma_acc = std::sqrt(scales.square() * variance + scales.variance * mean * mean);
  p.sigma_corrected = std::numeric_limits<double>::quiet_NaN();
}

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
    p.mean_acc += layer.channel_scale[m] * figures.mean[m];
  p.mean_acc /= channels;
  for (std::size_t m = 0; m < layer.channels; ++m) {
    const double scale = layer.channel_scale[m], d = scale * figures.mean[m] - p.mean_acc;
    figures.variance[m] = non_negative(figures.variance[m]);
    within += scale * scale * figures.variance[m];
    between += d * d;
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

void count_fields(std::vector<double> square_of_patch, std::size_t total, Prediction& p) {
  double sum = 0, squares = 0;
  for (const double c : square_of_patch) {
    sum += c;
    squares += c * c;
  }
  if (!(squares > 0)) return;
  const double part =
      static_cast<double>(total) / static_cast<double>(square_of_patch.size());  // counted of all
  p.effective_fields = part * (sum / squares * sum);
  std::sort(square_of_patch.begin(), square_of_patch.end(), std::greater<>());
  std::size_t count = 0;
  for (double carried = 0; count < square_of_patch.size() && carried < 0.9 * sum; ++count)
    carried += square_of_patch[count];
  p.fields_90 = std::ceil(part * static_cast<double>(count));
}

// The two parts of σ² = square·v + variance·m² are estimated independently, and their intervals
// added as Zou and Donner (2008) do: where all scales are one the second part is none.
void draw_intervals(std::size_t draws, double mean, double sigma, const ScaleMoments& scales,
                    Prediction& p) {
  if (draws < 2) return;
  const double freedom = static_cast<double>(draws - 1);
  const double mean_error = t_quantile(draws) * sigma / std::sqrt(freedom);
  p.mean_interval = {scales.mean * (mean - mean_error), scales.mean * (mean + mean_error)};
  const boost::math::chi_squared chi(freedom);
  const double square = scales.square() * static_cast<double>(draws) * sigma * sigma;
  const double lower = square / boost::math::quantile(chi, 0.975);
  const double upper = square / boost::math::quantile(chi, 0.025);
  if (scales.variance == 0) {
    p.sigma_interval = {std::sqrt(lower), std::sqrt(upper)};
    return;
  }
  const double within = scales.square() * sigma * sigma, between = scales.variance * mean * mean;
  const double near = std::max(0.0, std::fabs(mean) - mean_error);
  const double far = std::fabs(mean) + mean_error;
  const double below = std::hypot(within - lower, between - scales.variance * near * near);
  const double above = std::hypot(upper - within, scales.variance * far * far - between);
  p.sigma_interval = {std::sqrt(non_negative(within + between - below)),
                      std::sqrt(within + between + above)};
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
  const std::vector<double> channel_mean = figures.mean;
  Prediction p = combine_channels(layer, std::move(figures), options.channels);
  const double channels = static_cast<double>(layer.channels);
  double extra = 0;  // its own scatter between patches is left out: it is small beside the sums'
  for (std::size_t m = 0; m < layer.channels; ++m)
    extra += layer.channel_scale[m] * layer.channel_scale[m] * extra_variance[m] / channels;
  std::vector<double> means(layer.patches, 0.0), squares(layer.patches, extra), within = squares;
  for (std::size_t g = 0; g < y.size(); ++g)
    for (std::size_t s = 0; s < layer.patches; ++s)
      for (std::size_t m = 0; m < width; ++m) {
        const double scale = layer.channel_scale[g * width + m], sum = y[g][s * width + m];
        const double d = scale * sum - p.mean_acc, c = scale * (sum - channel_mean[g * width + m]);
        means[s] += scale * sum / channels;
        squares[s] += d * d / channels;
        within[s] += c * c / channels;
      }
  if (options.intervals) patch_intervals(means, squares, layer.patches, p);
  count_fields(std::move(within), layer.patches, p);
  return p;
}

}  // namespace axmul::detail
