// The training loop with its checkpoints, and the passes that measure: evaluate, calibrate, fold.
#include "axmul/train/training.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "axmul/core/interrupt.hpp"
#include "train/nn/checkpoint.hpp"
#include "train/script/module.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

using train::Position;
using train::Restored;
using train::Sgd;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::uint32_t> range_indices(std::size_t begin, std::size_t end) {
  std::vector<std::uint32_t> indices(end - begin);
  std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(begin));
  return indices;
}

constexpr std::uint64_t kNormStream = std::uint64_t{1} << 62;  // of shuffled_indices()

// Batches of nearly equal size: a few left-over images as a batch of their own would make a step,
// and a tenth of the batch-norm statistics, out of noise.
std::size_t batch_count(std::size_t images, std::size_t batch) {
  return (images + batch - 1) / batch;
}

std::size_t count_equal(const at::Tensor& predicted, const at::Tensor& labels) {
  return static_cast<std::size_t>(predicted.eq(labels).sum().item<std::int64_t>());
}

void add_noise_levels(const Network& network, std::vector<double>& sums) {
  std::size_t i = 0;
  for (const auto& layer : network.layers) {
    if (layer->mode != LayerMode::noise || !layer->sigma_l.defined()) continue;
    if (i == sums.size()) sums.push_back(0);
    sums[i++] += std::fabs(layer->sigma_l.item<double>());
  }
}

// A noise level moves to and fro with each batch; its mean over the last epoch is what was learned.
void settle_noise_levels(Network& network, const std::vector<EpochRecord>& epochs) {
  if (epochs.empty()) return;
  std::size_t i = 0;
  for (const auto& layer : network.layers)
    if (layer->mode == LayerMode::noise && i < epochs.back().sigma_l.size())
      set_noise_level(*layer, epochs.back().sigma_l[i++]);
}

// An interrupted step is finished and saved: as long as steps take is waited for.
class StepPatience {
 public:
  StepPatience() = default;
  ~StepPatience() { set_interrupt_patience(kInterruptPatience); }
  StepPatience(const StepPatience&) = delete;
  StepPatience& operator=(const StepPatience&) = delete;

  void step_took(double seconds) {
    longest_ = std::max(longest_, seconds);
    set_interrupt_patience(kInterruptPatience + static_cast<unsigned>(std::min(3 * longest_, 3e3)));
  }

 private:
  double longest_ = 0;
};

// One optimiser step; returns the batch's mean loss.
double train_step(Network& network, Sgd& sgd, const at::Tensor& x, const at::Tensor& labels,
                  const TrainOptions& options, double rate, std::size_t& correct) {
  ++network.step;
  sgd.zero_gradients();
  const at::Tensor logits = forward(network, x);
  const at::Tensor loss = at::cross_entropy_loss(logits, labels);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) return value;
  train::backward(network, options.extra_loss ? loss + options.extra_loss(network) : loss);
  sgd.step(options.schedule, rate);
  correct += count_equal(logits.argmax(1), labels);
  return value;
}

void check_training_input(const ImageSet& images, const TrainOptions& options) {
  if (images.size() == 0) throw InputError(944, "there are no training images");
  if (options.batch == 0) throw UsageError(944, "--batch must be at least 1");
}

}  // namespace

void set_training_threads(int threads) {
  set_threads(threads);
  at::set_num_threads(default_threads());
}

at::Tensor batch_tensor(const ImageSet& images, const Normalisation& normalisation,
                        const BatchRequest& request) {
  const auto n = static_cast<std::int64_t>(request.indices.size());
  at::Tensor x =
      at::empty({n, images.channels, images.height, images.width},
                at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  fill_batch(images, normalisation, request,
             {x.data_ptr<float>(), static_cast<std::size_t>(x.numel())});
  return x;
}

at::Tensor label_tensor(const ImageSet& images, std::span<const std::uint32_t> indices) {
  at::Tensor labels = at::empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  for (std::size_t i = 0; i < indices.size(); ++i)
    labels.data_ptr<std::int64_t>()[i] = images.labels[indices[i]];
  return labels;
}

void for_each_batch(const ImageSet& images, std::size_t count, std::size_t batch,
                    const Normalisation& normalisation,
                    const std::function<void(const at::Tensor&, std::size_t)>& body) {
  count = std::min(count, images.size());
  for (std::size_t begin = 0; begin < count; begin += batch) {
    poll_interrupt();
    const auto indices = range_indices(begin, std::min(count, begin + batch));
    body(batch_tensor(images, normalisation, {indices}), begin);
  }
}

EvaluationReport evaluate(Network& network, const ImageSet& images,
                          const Normalisation& normalisation, std::size_t batch,
                          const Progress& progress) {
  const at::NoGradGuard guard;
  network.training = false;
  const auto classes = static_cast<std::size_t>(network.options.classes);
  EvaluationReport report;
  report.images = images.size();
  report.labels = images.labels;
  report.confusion = Array2<std::int64_t>(classes, classes);
  for (const std::int32_t label : images.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= classes)
      throw InputError(945, "the data has class " + std::to_string(label) + ", the network only " +
                                std::to_string(classes) + " classes");
  double loss_sum = 0;
  std::size_t top5 = 0;
  for_each_batch(
      images, images.size(), batch, normalisation, [&](const at::Tensor& x, std::size_t begin) {
        const auto indices = range_indices(begin, begin + static_cast<std::size_t>(x.size(0)));
        const at::Tensor labels = label_tensor(images, indices);
        const at::Tensor logits = forward(network, x).contiguous();
        loss_sum += at::cross_entropy_loss(logits, labels).item<double>() *
                    static_cast<double>(indices.size());
        const at::Tensor predicted = logits.argmax(1);
        for (std::size_t i = 0; i < indices.size(); ++i)
          report.predicted.push_back(
              static_cast<std::int32_t>(predicted.data_ptr<std::int64_t>()[i]));
        if (classes > 5)
          top5 += static_cast<std::size_t>(
              std::get<1>(logits.topk(5, 1)).eq(labels.unsqueeze(1)).sum().item<std::int64_t>());
        else
          top5 += indices.size();
        if (progress) progress(begin + indices.size(), images.size());
      });
  if (!std::isfinite(loss_sum))
    throw InputError(940,
                     "the network's output is not finite: the weights are damaged or belong "
                     "to other data");
  std::size_t correct = 0;
  for (std::size_t i = 0; i < report.images; ++i) {
    correct += report.predicted[i] == report.labels[i];
    ++report.confusion(static_cast<std::size_t>(report.labels[i]),
                       static_cast<std::size_t>(report.predicted[i]));
  }
  const double n = std::max(1.0, static_cast<double>(report.images));
  report.loss = loss_sum / n;
  report.top1 = static_cast<double>(correct) / n;
  report.top5 = static_cast<double>(top5) / n;
  return report;
}

PairedComparison compare_predictions(const EvaluationReport& first,
                                     const EvaluationReport& second) {
  if (first.labels != second.labels)
    throw InputError(941, "the two evaluations are not of the same images in the same order");
  PairedComparison result;
  result.images = first.labels.size();
  for (std::size_t i = 0; i < result.images; ++i) {
    const bool a = first.predicted[i] == first.labels[i];
    const bool b = second.predicted[i] == second.labels[i];
    result.only_first += a && !b;
    result.only_second += b && !a;
  }
  const double n = std::max(1.0, static_cast<double>(result.images));
  const auto b = static_cast<double>(result.only_first),
             c = static_cast<double>(result.only_second);
  result.difference = (b - c) / n;
  result.standard_error = std::sqrt(std::max(0.0, b + c - (b - c) * (b - c) / n)) / n;
  // Two-sided binomial test of min(b, c) among b + c at ½, in logarithms.
  const double trials = b + c;
  double tail = 0;
  for (double k = 0; k <= std::min(b, c); ++k)
    tail += std::exp(std::lgamma(trials + 1) - std::lgamma(k + 1) - std::lgamma(trials - k + 1) -
                     trials * std::log(2.0));
  result.p_value = std::min(1.0, 2 * tail);
  return result;
}

void calibrate(Network& network, const ImageSet& images, const Normalisation& normalisation,
               const CalibrationOptions& options) {
  const at::NoGradGuard guard;
  network.training = false;
  std::size_t batches = 0;
  for (const auto& layer : network.layers) layer->observer = {};
  for_each_batch(images, options.images, options.batch, normalisation,
                 [&](const at::Tensor& x, std::size_t) {
                   ++batches;
                   for (const auto& layer : network.layers) {
                     layer->observe = true;
                     layer->observer.momentum = 1.0 / static_cast<double>(batches);
                   }
                   forward(network, x);
                 });
  for (const auto& layer : network.layers) {
    layer->observe = false;
    layer->observer.momentum = RangeObserver{}.momentum;
  }
}

std::vector<ErrorTally> fold_bias(Network& network, const ImageSet& images,
                                  const Normalisation& normalisation,
                                  const CalibrationOptions& options, FoldOperands operands) {
  const at::NoGradGuard guard;
  network.training = false;
  std::vector<ErrorTally> tallies(network.layers.size());
  Measuring measuring;
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    tallies[i].hands_on_corrected = operands == FoldOperands::approximate;
    measuring.errors(*network.layers[i], tallies[i]);
  }
  for_each_batch(images, options.images, options.batch, normalisation,
                 [&](const at::Tensor& x, std::size_t) { forward(network, x); });
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    MultiplyLayer& layer = *network.layers[i];
    layer.mean_acc = tallies[i].mean();
    layer.mean_acc_of = layer.mean_acc.empty() ? std::string() : layer.table->sha256();
  }
  return tallies;
}

void fold_into_norms(Network& network) {
  const at::NoGradGuard guard;
  for (const auto& norm : network.norms) {
    MultiplyLayer* layer =
        norm->after == nullptr ? nullptr : find_layer(network, norm->after->name);
    if (layer == nullptr || layer->mode != LayerMode::approximate || layer->mean_acc.empty())
      continue;
    const QuantizedWeight weight = quantize_weight(*layer);
    std::vector<double> shift;
    for (std::size_t m = 0; m < layer->mean_acc.size(); ++m)
      shift.push_back(activation_grid(*layer).scale * weight.scale(static_cast<std::int64_t>(m)) *
                      layer->mean_acc[m]);
    norm->running_mean += at::tensor(shift, at::kDouble).to(norm->running_mean.device());
    layer->mean_acc.clear();
    layer->mean_acc_of.clear();
  }
}

void reestimate_norms(Network& network, const ImageSet& images, const Normalisation& normalisation,
                      const NormOptions& options) {
  const at::NoGradGuard guard;
  network.training = false;
  for (const auto& norm : network.norms) {
    norm->batches = 0;
    norm->estimating = true;
  }
  const std::size_t count = std::min(options.images, images.size());
  const std::size_t batches = batch_count(count, options.batch);
  // Data may be ordered by class, and the variance within a class is not that of the data.
  const auto order = shuffled_indices(count, options.seed, kNormStream);
  for (std::size_t i = 0; i < batches; ++i) {
    poll_interrupt();
    const std::size_t begin = i * count / batches, end = (i + 1) * count / batches;
    const std::span<const std::uint32_t> indices(order.data() + begin, end - begin);
    forward(network, batch_tensor(images, normalisation,
                                  {indices, begin, options.seed, 0, options.augmentation}));
  }
  for (const auto& norm : network.norms) norm->estimating = false;
}

double learning_rate_at(const Schedule& schedule, int epoch) {
  double rate = schedule.learning_rate;
  for (const int drop : schedule.drops)
    if (epoch >= drop) rate *= schedule.factor;
  return rate;
}

TrainReport train_network(Network& network, const ImageSet& images, const ImageSet* validation,
                          const Normalisation& normalisation, const TrainOptions& options) {
  check_training_input(images, options);
  Sgd sgd(network);
  TrainReport report;
  Position at;
  const std::size_t steps = batch_count(images.size(), options.batch);
  StepPatience patience;
  // A run that was killed before its first checkpoint is resumed from its beginning.
  if (options.resume && std::filesystem::exists(options.checkpoint)) {
    Restored restored = train::read_checkpoint(network, sgd, steps, images.size(), options);
    at = restored.at;
    report.epochs = std::move(restored.epochs);
    report.resumed = true;
  }
  const bool keeps = !options.checkpoint.empty();
  auto last_checkpoint = Clock::now();
  const auto checkpoint = [&] {
    if (keeps) train::write_checkpoint(network, sgd, at, report.epochs, options);
    last_checkpoint = Clock::now();
  };
  for (; at.epoch < options.schedule.epochs; ++at.epoch) {
    const auto start = Clock::now();
    const double seconds_before = at.seconds;
    const double rate = learning_rate_at(options.schedule, at.epoch);
    const auto epoch = static_cast<std::uint64_t>(at.epoch);
    const auto order = shuffled_indices(images.size(), options.seed, epoch);
    network.training = true;
    while (at.step < steps) {
      const auto step_start = Clock::now();
      const std::size_t begin = at.step * images.size() / steps;
      const std::size_t end = (at.step + 1) * images.size() / steps;
      const std::span<const std::uint32_t> indices(order.data() + begin, end - begin);
      const at::Tensor x = batch_tensor(
          images, normalisation, {indices, begin, options.seed, epoch, options.augmentation});
      const double loss =
          train_step(network, sgd, x, label_tensor(images, indices), options, rate, at.correct);
      if (!std::isfinite(loss))
        throw InputError(942, "the loss became " + std::to_string(loss) + " in epoch " +
                                  std::to_string(at.epoch + 1) + ", step " +
                                  std::to_string(at.step + 1) +
                                  "; lower --lr. Earlier checkpoints are kept as they were");
      at.loss_sum += loss * static_cast<double>(end - begin);
      at.seen += end - begin;
      ++at.step;
      add_noise_levels(network, at.noise);
      patience.step_took(seconds_since(step_start));
      at.seconds = seconds_before + seconds_since(start);
      if (options.on_step)
        options.on_step({at.epoch + 1, at.step, steps, at.loss_sum / static_cast<double>(at.seen)});
      const bool due = seconds_since(last_checkpoint) >= options.checkpoint_minutes * 60 ||
                       (options.checkpoint_steps > 0 && at.step % options.checkpoint_steps == 0);
      if (interrupt_requested() || (due && at.step < steps)) checkpoint();
      poll_interrupt();
    }
    EpochRecord record;
    record.epoch = at.epoch + 1;
    record.learning_rate = rate;
    record.loss = at.loss_sum / static_cast<double>(at.seen);
    record.accuracy = static_cast<double>(at.correct) / static_cast<double>(at.seen);
    record.validation_loss = record.validation_accuracy = std::numeric_limits<double>::quiet_NaN();
    if (validation != nullptr && validation->size() > 0) {
      EvaluationReport result;
      try {
        result = evaluate(network, *validation, normalisation, options.batch);
      } catch (const InterruptedError&) {
        checkpoint();  // all steps are done, only the validation is to be repeated
        throw;
      }
      record.validation_loss = result.loss;
      record.validation_accuracy = result.top1;
    }
    for (const double sum : at.noise) record.sigma_l.push_back(sum / static_cast<double>(at.step));
    record.seconds = seconds_before + seconds_since(start);
    report.epochs.push_back(record);
    at = {at.epoch, 0, 0, 0, 0, 0, {}};
    // The checkpoint says "epoch + 1 finished"; the loop's own increment comes after it.
    ++at.epoch;
    checkpoint();
    --at.epoch;
    if (options.on_epoch) options.on_epoch(record);
  }
  settle_noise_levels(network, report.epochs);
  network.training = false;
  return report;
}

}  // namespace axmul
