// Runs an error model over layers and multipliers.
#include "axmul/model/error_model.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"
#include "model/arithmetic.hpp"
#include "model/prepared_layer.hpp"

namespace axmul {

std::string_view to_string(ErrorModel model) {
  switch (model) {
    case ErrorModel::global:
      return "global";
    case ErrorModel::monte_carlo:
      return "monte-carlo";
    case ErrorModel::multi_population:
      return "multi-population";
    case ErrorModel::permutation:
      return "permutation";
    case ErrorModel::stratified:
      return "stratified";
    case ErrorModel::sampled:
      return "sampled";
  }
  throw InternalError("error model out of range");
}

std::optional<ErrorModel> parse_error_model(std::string_view text) {
  for (const ErrorModel model : kErrorModels)
    if (to_string(model) == text) return model;
  return std::nullopt;
}

bool needs_patches(ErrorModel model) {
  return model == ErrorModel::stratified || model == ErrorModel::sampled;
}

std::vector<std::size_t> select_patch_rows(std::size_t available, const PredictOptions& options) {
  const std::size_t count = options.patches == 0 ? available : std::min(options.patches, available);
  std::vector<std::size_t> rows(count);
  if (!options.random_patches) {
    for (std::size_t i = 0; i < count; ++i) rows[i] = i * available / count;
    return rows;
  }
  std::vector<std::size_t> all(available);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Philox random(options.seed, ~std::uint64_t{0});  // a stream of its own: monte-carlo uses 0, 1 …
  for (std::size_t i = 0; i < count; ++i) {        // Fisher and Yates, the first `count` places
    std::swap(all[i], all[i + random.next_below(available - i)]);
    rows[i] = all[i];
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Lut encoded_for(const Lut& lut, OperandType layer_type) {
  require_8x8(lut, "error models take");
  if (lut.type() == layer_type) return lut;
  if (lut.type() == OperandType::u8u8) return sign_magnitude(lut, layer_type);
  throw UsageError(705, "a multiplier of type " + std::string(to_string(lut.type())) +
                            " does not fit a layer of type " + std::string(to_string(layer_type)) +
                            "; recode the trace (--encoding) or choose other multipliers");
}

using detail::EncodedMultiplier;
using detail::PreparedLayer;

struct ErrorPredictor::State {
  PredictOptions options;
  std::vector<PreparedLayer> layers;
  double preparation_ns = 0;
};

namespace {

double ns_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

// The multipliers as each operand type among the layers sees them.
std::map<OperandType, std::vector<EncodedMultiplier>> encode(std::span<const PreparedLayer> layers,
                                                             std::span<const Lut> multipliers) {
  std::map<OperandType, std::vector<EncodedMultiplier>> encoded;
  for (const PreparedLayer& layer : layers) {
    std::vector<EncodedMultiplier>& list = encoded[layer.type];
    if (!list.empty()) continue;
    list.reserve(multipliers.size());
    for (const Lut& lut : multipliers) {
      Lut form = encoded_for(lut, layer.type);
      ErrorMap errors(form);
      list.push_back({std::move(form), std::move(errors)});
    }
  }
  return encoded;
}

// One unit of work: the multipliers of [first, first + cells) on one layer.
void run_model(const PreparedLayer& layer, std::size_t layer_number, const PredictOptions& options,
               std::span<const EncodedMultiplier* const> batch, std::span<Prediction> cells) {
  switch (options.model) {
    case ErrorModel::global:
      return detail::predict_global(layer, batch, cells);
    case ErrorModel::monte_carlo:
      return detail::predict_monte_carlo(layer, layer_number, options, batch, cells);
    case ErrorModel::multi_population:
      return detail::predict_multi_population(layer, options, batch, cells);
    case ErrorModel::permutation:
      for (std::size_t j = 0; j < batch.size(); ++j)
        detail::predict_permutation(layer, options, *batch[j], cells[j]);
      return;
    case ErrorModel::stratified:
      for (std::size_t j = 0; j < batch.size(); ++j)
        detail::predict_stratified(layer, options, *batch[j], cells[j]);
      return;
    case ErrorModel::sampled:
      for (std::size_t j = 0; j < batch.size(); ++j)
        detail::predict_sampled(layer, options, *batch[j], cells[j]);
      return;
  }
}

// Multipliers per unit of work: as many as share something, one where nothing is shared.
std::size_t batch_size(ErrorModel model) {
  switch (model) {
    case ErrorModel::global:
    case ErrorModel::multi_population:
      return detail::kLanes;
    case ErrorModel::monte_carlo:
      return 64;  // they share the draws
    default:
      return 1;
  }
}

}  // namespace

ErrorPredictor::ErrorPredictor(std::span<const LayerOperands> layers, const PredictOptions& options)
    : state_(std::make_unique<State>()) {
  if (options.model == ErrorModel::monte_carlo && options.monte_carlo_draws == 0)
    throw UsageError(704, "monte_carlo_draws is 0, it must be at least 1");
  const auto start = std::chrono::steady_clock::now();
  state_->options = options;
  state_->layers.resize(layers.size());
  parallel_for(layers.size(), options.threads, [&](std::size_t l) {
    state_->layers[l] = detail::prepare_layer(layers[l], options);
  });
  state_->preparation_ns = ns_since(start);
}

ErrorPredictor::~ErrorPredictor() = default;
ErrorPredictor::ErrorPredictor(ErrorPredictor&&) noexcept = default;
ErrorPredictor& ErrorPredictor::operator=(ErrorPredictor&&) noexcept = default;

PredictionMatrix ErrorPredictor::predict(std::span<const Lut> multipliers) const {
  const auto start = std::chrono::steady_clock::now();
  PredictionMatrix matrix;
  matrix.model = state_->options.model;
  matrix.layers = state_->layers.size();
  matrix.multipliers = multipliers.size();
  matrix.cells.resize(matrix.layers * matrix.multipliers);
  for (const PreparedLayer& layer : state_->layers) matrix.evidence.push_back(layer.evidence);
  if (matrix.cells.empty()) return matrix;
  const auto encoded = encode(state_->layers, multipliers);
  const std::size_t size = batch_size(matrix.model);
  const std::size_t batches = (multipliers.size() + size - 1) / size;
  parallel_for(matrix.layers * batches, state_->options.threads, [&](std::size_t task) {
    const std::size_t l = task / batches, first = task % batches * size;
    const std::size_t count = std::min(size, multipliers.size() - first);
    const PreparedLayer& layer = state_->layers[l];
    const std::vector<EncodedMultiplier>& list = encoded.at(layer.type);
    std::vector<const EncodedMultiplier*> batch;
    for (std::size_t j = 0; j < count; ++j) batch.push_back(&list[first + j]);
    run_model(layer, l, state_->options, batch,
              {matrix.cells.data() + l * matrix.multipliers + first, count});
  });
  matrix.ns_per_prediction = ns_since(start) / static_cast<double>(matrix.cells.size());
  return matrix;
}

const std::vector<std::size_t>& ErrorPredictor::patch_rows(std::size_t layer) const {
  return state_->layers.at(layer).rows;
}

double ErrorPredictor::preparation_ns() const { return state_->preparation_ns; }

void set_bounds(Prediction& sampled, const Prediction& permutation) {
  sampled.sigma_bound = std::max(sampled.sigma_acc, permutation.sigma_acc);
  sampled.sigma_corrected_bound = std::max(sampled.sigma_corrected, permutation.sigma_corrected);
}

void add_bounds(PredictionMatrix& sampled, const PredictionMatrix& permutation) {
  if (sampled.model != ErrorModel::sampled || permutation.model != ErrorModel::permutation)
    throw UsageError(704, "the upper bound is of the models sampled and permutation, not of " +
                              std::string(to_string(sampled.model)) + " and " +
                              std::string(to_string(permutation.model)));
  if (sampled.layers != permutation.layers || sampled.multipliers != permutation.multipliers)
    throw UsageError(704, "the upper bound needs predictions of the same layers and multipliers");
  for (std::size_t i = 0; i < sampled.cells.size(); ++i)
    set_bounds(sampled.cells[i], permutation.cells[i]);
}

PredictionMatrix predict(std::span<const LayerOperands> layers, std::span<const Lut> multipliers,
                         const PredictOptions& options) {
  return ErrorPredictor(layers, options).predict(multipliers);
}

}  // namespace axmul
