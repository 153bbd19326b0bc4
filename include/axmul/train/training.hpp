// Training, evaluation, calibration and bias folding of a network, with resumable checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/array2.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/train/data.hpp"
#include "axmul/train/network.hpp"

namespace axmul {

/// Sets the threads of axmul, OpenMP and libtorch together (0: all of the machine).
void set_training_threads(int threads);

/// Normalised images as [n, C, H, W] in channels-last memory.
at::Tensor batch_tensor(const ImageSet& images, const Normalisation& normalisation,
                        const BatchRequest& request);
at::Tensor label_tensor(const ImageSet& images, std::span<const std::uint32_t> indices);

/// Calls body(batch, first index) over the first `count` images in file order.
void for_each_batch(const ImageSet& images, std::size_t count, std::size_t batch,
                    const Normalisation& normalisation,
                    const std::function<void(const at::Tensor&, std::size_t)>& body);

// --- evaluation ----------------------------------------------------------------------------------

struct EvaluationReport {
  std::size_t images = 0;
  double loss = 0, top1 = 0, top5 = 0;  ///< fractions; top5 = 1 for fewer than six classes
  std::vector<std::int32_t> labels, predicted;
  Array2<std::int64_t> confusion;  ///< row = label, column = predicted
};
/// Runs the network on all images, without gradients. Throws InputError AX940 on a NaN loss.
EvaluationReport evaluate(Network& network, const ImageSet& images,
                          const Normalisation& normalisation, std::size_t batch = 128,
                          const Progress& progress = {});

/// Two classifiers on the same images (McNemar 1947).
struct PairedComparison {
  std::size_t images = 0, only_first = 0, only_second = 0;  ///< right in just one of the two
  double difference = 0;      ///< top1 of the first − that of the second
  double standard_error = 0;  ///< of the difference: √(b + c − (b − c)²/n) / n
  double p_value = 1;         ///< exact two-sided McNemar test
};
/// Throws InputError AX941 where the labels differ, so the images are not the same.
PairedComparison compare_predictions(const EvaluationReport& first, const EvaluationReport& second);

// --- quantisation --------------------------------------------------------------------------------

struct CalibrationOptions {
  std::size_t images = 512, batch = 128;
};
struct NormOptions {
  std::size_t images = 1024, batch = 128;
  /// As in training: a network's statistics contain the black borders of shifted images.
  Augmentation augmentation{};
  std::uint64_t seed = 1;
};
/// Sets every layer's activation range to the mean over batches of minimum and maximum, in the
/// layers' present mode (float for a fresh network).
void calibrate(Network& network, const ImageSet& images, const Normalisation& normalisation,
               const CalibrationOptions& options = {});

/// Whose activations the mean errors are measured on.
enum class FoldOperands : std::uint8_t {
  exact,       ///< those of the exact quantised network, as error models see them
  approximate  ///< those that the folded approximate network itself sees, layer by layer
};
/// Measures every approximate layer's mean accumulated error per output channel and stores it as
/// mean_acc, which forward() subtracts. Returns what was measured, one entry a layer; an exact
/// layer's has count 0.
std::vector<ErrorTally> fold_bias(Network& network, const ImageSet& images,
                                  const Normalisation& normalisation,
                                  const CalibrationOptions& options = {},
                                  FoldOperands operands = FoldOperands::exact);

/// Moves what fold_bias() measured into the running means of the batch norms behind the layers, so
/// that programs without mean_acc have it too; layers without a norm keep theirs. Not for weights
/// that are to run on other multipliers again: the exact network is shifted.
void fold_into_norms(Network& network);

/// Replaces all batch-norm statistics by their mean over the batches of these images, mixed in an
/// order drawn from the seed.
void reestimate_norms(Network& network, const ImageSet& images, const Normalisation& normalisation,
                      const NormOptions& options = {});

// --- training ------------------------------------------------------------------------------------

/// SGD with momentum; the learning rate is multiplied by `factor` at each epoch of `drops`.
struct Schedule {
  int epochs = 10;
  double learning_rate = 0.01;
  std::vector<int> drops;
  double factor = 0.1, momentum = 0.9, weight_decay = 1e-4;
  double sigma_rate = 1;  ///< learning rate of sigma_l (noise mode) over that of the weights
};
double learning_rate_at(const Schedule& schedule, int epoch);

struct EpochRecord {
  int epoch = 0;  ///< 1 for the first
  double learning_rate = 0, loss = 0, accuracy = 0;
  double validation_loss = 0, validation_accuracy = 0;  ///< NaN without validation images
  double seconds = 0;
  std::vector<double> sigma_l;  ///< mean over the epoch's steps of |sigma_l|, layers in noise mode
};

struct StepRecord {
  int epoch = 0;
  std::size_t step = 0, steps = 0;  ///< within the epoch
  double loss = 0;                  ///< mean of the epoch so far
};

struct TrainOptions {
  Schedule schedule;
  std::size_t batch = 128;  ///< at most; an epoch's batches differ by one image at the most
  Augmentation augmentation;
  std::uint64_t seed = 1;
  std::string checkpoint;            ///< file (.safetensors); empty: none is written
  double checkpoint_minutes = 10;    ///< between checkpoints inside an epoch
  std::size_t checkpoint_steps = 0;  ///< and after so many steps; 0: by time only
  bool resume = false;               ///< continue from the checkpoint, if there is one yet
  std::string settings;              ///< text that a resumed run must share with the checkpoint
  /// Added to the loss of every step, after the forward pass; not part of the losses reported.
  std::function<at::Tensor(const Network&)> extra_loss;
  std::function<void(const EpochRecord&)> on_epoch;
  std::function<void(const StepRecord&)> on_step;
};

struct TrainReport {
  std::vector<EpochRecord> epochs;
  bool resumed = false;
};

/// Trains all parameters, and sigma_l of layers in noise mode: without weight decay, and set to the
/// last epoch's mean of |sigma_l| in the end. A checkpoint
/// holds weights, momentum, position and history and is written after every epoch, every
/// checkpoint_minutes and on interruption (then throws InterruptedError); a resumed run ends in the
/// same bits as an undisturbed one with the same number of threads. Throws InputError AX942 (loss
/// is NaN or infinite; nothing is written), AX943 (foreign checkpoint).
TrainReport train_network(Network& network, const ImageSet& images, const ImageSet* validation,
                          const Normalisation& normalisation, const TrainOptions& options);

}  // namespace axmul
