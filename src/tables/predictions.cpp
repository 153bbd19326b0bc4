// Predictions collected in batches and written as one HDF5 group.
#include "axmul/tables/predictions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "tables/h5_columns.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

NetworkPredictions::NetworkPredictions(std::span<const LayerOperands> network,
                                       std::vector<ErrorModel> error_models)
    : models(std::move(error_models)), ns_per_prediction(models.size(), 0.0) {
  for (const LayerOperands& layer : network)
    layers.push_back({layer.name, layer.type, layer.fan_in, layer.out_channels, layer.ops,
                      layer.output_std, axmul::acc_scale(layer)});
}

void NetworkPredictions::append(const std::vector<Name>& names,
                                std::vector<PredictionMatrix> batches) {
  if (batches.size() != models.size()) throw InternalError("one matrix per model is wanted");
  const auto before = static_cast<double>(multipliers.size());
  const auto added = static_cast<double>(names.size());
  for (std::size_t k = 0; k < models.size(); ++k)
    ns_per_prediction[k] =
        (ns_per_prediction[k] * before + batches[k].ns_per_prediction * added) / (before + added);
  for (std::size_t j = 0; j < names.size(); ++j)
    for (PredictionMatrix& batch : batches)
      for (std::size_t l = 0; l < layers.size(); ++l)
        cells_.push_back(std::move(batch.cells[l * batch.multipliers + j]));
  multipliers.insert(multipliers.end(), names.begin(), names.end());
}

namespace {

constexpr const char* kAcc = "accumulator units";
using P = Prediction;

constexpr PredictionFigure kFigures[] = {
    {"sigma_rel", "1", "sigma_acc relative to the layer's outputs", "sigma_acc / output_std",
     [](const P& p) { return p.sigma_rel; }, true},
    {"sigma_corrected_rel", "1", "relative standard deviation with channel means removed",
     "sigma_corrected / output_std", [](const P& p) { return p.sigma_corrected_rel; }, true},
    {"sigma_acc", kAcc, "standard deviation of the accumulated error",
     "over all outputs, about the layer mean; times acc_scale: in real units",
     [](const P& p) { return p.sigma_acc; }, true},
    {"sigma_corrected", kAcc, "standard deviation with each output channel's mean removed",
     "sqrt(mean over channels of (s_m sigma_m)^2), s_m = b_scale[m] / rms(b_scale)",
     [](const P& p) { return p.sigma_corrected; }, true},
    {"mean_acc", kAcc, "mean of the accumulated error", "mean over all outputs of s_m sum e(a,b)",
     [](const P& p) { return p.mean_acc; }, true},
    {"rmse_acc", kAcc, "root mean square of the accumulated error",
     "sqrt(mean_acc^2 + sigma_acc^2)", [](const P& p) { return p.rmse_acc; }, true},
    {"effective_fields", "1", "receptive fields that sigma rests on in effect",
     "(sum c)^2 / sum c^2, c = what each contributes to the variance",
     [](const P& p) { return p.effective_fields; }, true},
    {"fields_90", "1", "receptive fields that carry 90 % of the variance", "the fewest that do",
     [](const P& p) { return p.fields_90; }, true},
    {"rare_events", "1", "whether sigma rests on few receptive fields",
     "1 where effective_fields < 25: on other inputs sigma may be a multiple",
     [](const P& p) {
       return std::isnan(p.effective_fields) ? p.effective_fields : p.has_rare_events() ? 1.0 : 0.0;
     },
     true},
    {"sigma_bound", kAcc, "upper bound of sigma_acc",
     "the larger of what sampled and permutation predict", [](const P& p) { return p.sigma_bound; },
     false},
    {"sigma_corrected_bound", kAcc, "upper bound of sigma_corrected",
     "the larger of what sampled and permutation predict",
     [](const P& p) { return p.sigma_corrected_bound; }, false},
    {"mean_lower", kAcc, "lower end of the 95 % interval of mean_acc",
     "covers the choice of receptive fields, not the model",
     [](const P& p) { return p.mean_interval.lower; }, false},
    {"mean_upper", kAcc, "upper end of the 95 % interval of mean_acc",
     "covers the choice of receptive fields, not the model",
     [](const P& p) { return p.mean_interval.upper; }, false},
    {"sigma_lower", kAcc, "lower end of the 95 % interval of sigma_acc",
     "covers the choice of receptive fields, not the model",
     [](const P& p) { return p.sigma_interval.lower; }, false},
    {"sigma_upper", kAcc, "upper end of the 95 % interval of sigma_acc",
     "covers the choice of receptive fields, not the model",
     [](const P& p) { return p.sigma_interval.upper; }, false}};

void write_scale(h5::File& file, const std::string& path, const std::vector<std::string>& texts,
                 const char* long_name) {
  file.write_text(path, texts);
  file.make_scale(path);
  file.set_attribute(path, "long_name", long_name);
}

void write_layer_figures(h5::File& file, const std::string& group,
                         const NetworkPredictions& predictions) {
  std::vector<double> output_std, ops, scales;
  std::vector<std::int64_t> fan_in;
  for (const LayerSummary& layer : predictions.layers) {
    output_std.push_back(layer.output_std);
    ops.push_back(layer.ops);
    scales.push_back(layer.acc_scale);
    fan_in.push_back(static_cast<std::int64_t>(layer.fan_in));
  }
  const h5::Shape shape{predictions.layers.size()};
  const std::string scale = group + "/layer";
  file.write<double>(group + "/output_std", shape, output_std);
  detail::set_meaning(file, group + "/output_std",
                      {"accumulator units", "standard deviation of the layer's outputs",
                       "of s_m sum (a - z_a)(b - z_b) over all outputs"});
  file.write<double>(group + "/acc_scale", shape, scales);
  detail::set_meaning(
      file, group + "/acc_scale",
      {"1", "real value of one accumulator unit of the layer's figures", "a_scale * rms(b_scale)"});
  file.write<std::int64_t>(group + "/fan_in", shape, fan_in);
  detail::set_meaning(file, group + "/fan_in",
                      {"1", "multiplications accumulated per output", "K"});
  file.write<double>(group + "/ops", shape, ops);
  detail::set_meaning(file, group + "/ops",
                      {"1", "multiplications per input image", "padded taps included"});
  for (const char* name : {"/output_std", "/acc_scale", "/fan_in", "/ops"})
    file.attach_scale(group + name, 0, scale);
}

void write_figure(h5::File& file, const std::string& group, const NetworkPredictions& predictions,
                  const PredictionFigure& figure) {
  std::vector<double> values;
  for (std::size_t k = 0; k < predictions.models.size(); ++k)
    for (std::size_t l = 0; l < predictions.layers.size(); ++l)
      for (std::size_t j = 0; j < predictions.multipliers.size(); ++j)
        values.push_back(figure.get(predictions.cell(k, l, j)));
  if (!figure.always && std::ranges::all_of(values, [](double v) { return std::isnan(v); })) return;
  const std::string path = group + "/" + figure.name;
  file.write<double>(
      path, {predictions.models.size(), predictions.layers.size(), predictions.multipliers.size()},
      values);
  detail::set_meaning(file, path, {figure.units, figure.long_name, figure.definition});
  unsigned axis = 0;
  for (const char* scale : {"/model", "/layer", "/multiplier"})
    file.attach_scale(path, axis++, group + scale);
}

void write_channels(h5::File& file, const std::string& group, const NetworkPredictions& predictions,
                    std::size_t layer) {
  const LayerSummary& summary = predictions.layers[layer];
  const std::string folder = group + "/" + summary.name;
  file.create_group(folder);
  std::vector<std::int32_t> index(summary.out_channels);
  for (std::size_t m = 0; m < index.size(); ++m) index[m] = static_cast<std::int32_t>(m);
  file.write<std::int32_t>(folder + "/channel", {index.size()}, index);
  file.make_scale(folder + "/channel");
  std::vector<double> means, sigmas;
  const std::vector<double> none(summary.out_channels, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t k = 0; k < predictions.models.size(); ++k)
    for (std::size_t j = 0; j < predictions.multipliers.size(); ++j) {
      const Prediction& p = predictions.cell(k, layer, j);
      const auto& mean = p.channel_mean.empty() ? none : p.channel_mean;
      const auto& sigma = p.channel_sigma.empty() ? none : p.channel_sigma;
      means.insert(means.end(), mean.begin(), mean.end());
      sigmas.insert(sigmas.end(), sigma.begin(), sigma.end());
    }
  const h5::Shape shape{predictions.models.size(), predictions.multipliers.size(),
                        summary.out_channels};
  const auto write = [&](const char* name, const std::vector<double>& values,
                         const detail::Meaning& meaning) {
    const std::string path = folder + "/" + name;
    file.write<double>(path, shape, values);
    detail::set_meaning(file, path, meaning);
    file.attach_scale(path, 0, group + "/model");
    file.attach_scale(path, 1, group + "/multiplier");
    file.attach_scale(path, 2, folder + "/channel");
  };
  write("mean_channel", means,
        {"accumulator units", "mean of the accumulated error per output channel",
         "mean over receptive fields"});
  write("sigma_channel", sigmas,
        {"accumulator units", "standard deviation of the accumulated error per output channel",
         "over receptive fields, about the channel's mean"});
}

}  // namespace

std::span<const PredictionFigure> prediction_figures() { return kFigures; }

void write_predictions(const std::string& path, const NetworkPredictions& predictions,
                       const PredictionFileOptions& options) {
  const std::string network = options.network.empty() ? "network" : options.network;
  if (network.find('/') != std::string::npos)
    throw UsageError(840, "a network's name cannot hold a slash: \"" + network + "\"");
  AtomicFile target(path, options.force);
  h5::File file = h5::File::create(target.path());
  file.set_display_path(path);
  detail::write_root(file, "axmul-error-table", options.origin);
  const std::string group = "/model/" + network;
  file.create_group("/model");
  file.create_group(group);
  std::vector<std::string> models, layers, names, hashes;
  for (ErrorModel model : predictions.models) models.emplace_back(to_string(model));
  for (const LayerSummary& layer : predictions.layers) layers.push_back(layer.name);
  for (const auto& m : predictions.multipliers) {
    names.push_back(detail::utf8_text(m.name));
    hashes.push_back(m.sha256);
  }
  write_scale(file, group + "/model", models, "error model");
  write_scale(file, group + "/layer", layers, "layer of the network");
  write_scale(file, group + "/multiplier", names, "name of the multiplier");
  file.write_text(group + "/sha256", hashes);
  file.attach_scale(group + "/sha256", 0, group + "/multiplier");
  write_layer_figures(file, group, predictions);
  for (const PredictionFigure& figure : kFigures) write_figure(file, group, predictions, figure);
  for (std::size_t l = 0; options.channels && l < predictions.layers.size(); ++l)
    write_channels(file, group, predictions, l);
  file.set_attribute("/", "complete", std::int64_t{1});
  file.close();
  target.commit();
}

}  // namespace axmul
