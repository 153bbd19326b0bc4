// Compares the error models with the full behavioural simulation.
#include "axmul/model/validation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "axmul/core/errors.hpp"

namespace axmul {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kBatch = 8;  // multipliers simulated between two reports of progress

double quantile(const std::vector<double>& sorted, double level) {
  if (sorted.empty()) return kNan;
  const double place = level * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

ErrorSummary summarise(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return {quantile(x, 0.5), quantile(x, 0.9), x.empty() ? kNan : x.back()};
}

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const double n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kNan;
}

// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> ranks(const std::vector<double>& x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return x[i] < x[j]; });
  std::vector<double> rank(x.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && x[order[last + 1]] == x[order[first]]) ++last;
    for (std::size_t i = first; i <= last; ++i)
      rank[order[i]] = 1 + static_cast<double>(first + last) / 2;
    first = last + 1;
  }
  return rank;
}

std::vector<LayerOperands> half_of(std::span<const LayerOperands> layers, bool second) {
  std::vector<LayerOperands> result;
  for (const LayerOperands& layer : layers) {
    const std::size_t middle = layer.patch_count / 2;
    std::vector<std::size_t> rows(second ? layer.patch_count - middle : middle);
    std::iota(rows.begin(), rows.end(), second ? middle : std::size_t{0});
    result.push_back(select_patches(layer, rows));
  }
  return result;
}

PredictionMatrix simulate(std::span<const LayerOperands> layers, std::span<const Lut> multipliers,
                          const ValidationOptions& options) {
  PredictOptions full;
  full.model = ErrorModel::sampled;
  full.patches = 0;
  full.intervals = false;
  full.threads = options.predict.threads;
  const ErrorPredictor predictor(layers, full);
  PredictionMatrix truth;
  truth.model = ErrorModel::sampled;
  truth.layers = layers.size();
  truth.multipliers = multipliers.size();
  truth.cells.resize(truth.layers * truth.multipliers);
  double total_ns = 0;
  for (std::size_t first = 0; first < multipliers.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, multipliers.size() - first);
    PredictionMatrix part = predictor.predict(multipliers.subspan(first, count));
    total_ns += part.ns_per_prediction * static_cast<double>(part.cells.size());
    for (std::size_t l = 0; l < truth.layers; ++l)
      for (std::size_t j = 0; j < count; ++j)
        truth.cells[l * truth.multipliers + first + j] = std::move(part.cells[l * count + j]);
    if (options.progress) options.progress(first + count, multipliers.size());
  }
  if (!truth.cells.empty())
    truth.ns_per_prediction = total_ns / static_cast<double>(truth.cells.size());
  return truth;
}

ModelValidation compare(const PredictionMatrix& predicted, const PredictionMatrix& truth,
                        std::span<const LayerOperands> layers, std::span<const std::string> names) {
  ModelValidation result;
  result.model = predicted.model;
  std::vector<double> sigma, true_sigma, relative, mean_error, channel_error;
  double worst = -1;
  for (std::size_t l = 0; l < truth.layers; ++l)
    for (std::size_t j = 0; j < truth.multipliers; ++j) {
      const Prediction &p = predicted(l, j), &t = truth(l, j);
      if (t.sigma_acc == 0) continue;
      sigma.push_back(p.sigma_acc);
      true_sigma.push_back(t.sigma_acc);
      relative.push_back(std::fabs(p.sigma_acc - t.sigma_acc) / t.sigma_acc);
      mean_error.push_back(std::fabs(p.mean_acc - t.mean_acc) / t.sigma_acc);
      for (std::size_t m = 0; m < p.channel_sigma.size(); ++m)
        if (t.channel_sigma[m] > 0)
          channel_error.push_back(std::fabs(p.channel_sigma[m] - t.channel_sigma[m]) /
                                  t.channel_sigma[m]);
      if (p.has_rare_events())
        result.rare.push_back(
            {layers[l].name, names[j], p.effective_fields, p.fields_90, relative.back()});
      if (relative.back() <= worst) continue;
      worst = relative.back();
      result.max_layer = layers[l].name;
      result.max_multiplier = names[j];
    }
  std::ranges::stable_sort(result.rare, {}, &RarePair::effective_fields);
  result.pearson = pearson(sigma, true_sigma);
  result.spearman = pearson(ranks(sigma), ranks(true_sigma));
  result.rel_error = summarise(std::move(relative));
  result.mean_error = summarise(std::move(mean_error));
  result.channel_rel_error = summarise(std::move(channel_error));
  return result;
}

void check_arguments(std::span<const LayerOperands> layers, std::span<const Lut> multipliers,
                     std::span<const std::string> names, const ValidationOptions& options) {
  if (names.size() != multipliers.size())
    throw UsageError(706, std::to_string(names.size()) + " names for " +
                              std::to_string(multipliers.size()) + " multipliers");
  for (const LayerOperands& layer : layers) {
    check_layer(layer);
    if (!layer.has_patches() || !layer.has_weights())
      throw InputError(703, "layer \"" + layer.name +
                                "\": validation simulates in full and needs the datasets "
                                "\"patches\" and \"weights\"");
    if (options.split == ValidationSplit::half && layer.patch_count < 2)
      throw InputError(703, "layer \"" + layer.name + "\": dataset \"patches\" has " +
                                std::to_string(layer.patch_count) +
                                " receptive field, a split in halves needs 2; use --split none");
  }
}

}  // namespace

ValidationReport validate(std::span<const LayerOperands> layers, std::span<const Lut> multipliers,
                          std::span<const std::string> names, const ValidationOptions& options) {
  check_arguments(layers, multipliers, names, options);
  const bool split = options.split == ValidationSplit::half;
  const std::vector<LayerOperands> first =
      split ? half_of(layers, false) : std::vector<LayerOperands>();
  const std::vector<LayerOperands> second =
      split ? half_of(layers, true) : std::vector<LayerOperands>();
  const std::span<const LayerOperands> seen =
      split ? std::span<const LayerOperands>(first) : layers;
  const std::span<const LayerOperands> unseen =
      split ? std::span<const LayerOperands>(second) : layers;

  ValidationReport report;
  report.split = options.split;
  report.truth = simulate(unseen, multipliers, options);
  for (const Prediction& t : report.truth.cells)
    ++(t.sigma_acc == 0 ? report.excluded : report.pairs);
  for (const ErrorModel model : options.models) {
    PredictOptions predict_options = options.predict;
    predict_options.model = model;
    const ErrorPredictor predictor(seen, predict_options);
    const PredictionMatrix predicted = predictor.predict(multipliers);
    ModelValidation& result =
        report.models.emplace_back(compare(predicted, report.truth, layers, names));
    if (!predicted.cells.empty())
      result.ns_per_prediction =
          predicted.ns_per_prediction +
          predictor.preparation_ns() / static_cast<double>(predicted.cells.size());
  }
  return report;
}

}  // namespace axmul
