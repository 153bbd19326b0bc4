// Writing checkpoints, and reading them as a stranger's.
#include "train/nn/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "axmul/core/errors.hpp"

namespace axmul::train {
namespace {

constexpr std::size_t kEpochFigures = 7;

// [epochs, figures and noise levels]
StateTensor history_tensor(const std::vector<EpochRecord>& epochs) {
  std::vector<double> values;
  for (const EpochRecord& e : epochs) {
    values.insert(values.end(), {static_cast<double>(e.epoch), e.learning_rate, e.loss, e.accuracy,
                                 e.validation_loss, e.validation_accuracy, e.seconds});
    values.insert(values.end(), e.sigma_l.begin(), e.sigma_l.end());
  }
  const std::size_t width = kEpochFigures + (epochs.empty() ? 0 : epochs.front().sigma_l.size());
  return StateTensor::from(
      {static_cast<std::int64_t>(epochs.size()), static_cast<std::int64_t>(width)}, values);
}

// Throws InputError AX943 unless the history is that of `count` epochs.
std::vector<EpochRecord> history_from(const StateTensor& tensor, std::int64_t count,
                                      const std::string& path) {
  const std::vector<double> v = tensor.doubles();
  if (tensor.shape.size() != 2 || tensor.shape[0] != count ||
      (count > 0 && tensor.shape[1] < static_cast<std::int64_t>(kEpochFigures)))
    throw InputError(943, {path}, "has a history of other epochs than it says are done");
  std::vector<EpochRecord> epochs;
  const auto width = static_cast<std::size_t>(tensor.shape[1]);
  for (std::size_t i = 0; i + width <= v.size() && width > 0; i += width) {
    EpochRecord record{static_cast<int>(i / width) + 1,
                       v[i + 1],
                       v[i + 2],
                       v[i + 3],
                       v[i + 4],
                       v[i + 5],
                       v[i + 6],
                       {}};
    for (std::size_t j = kEpochFigures; j < width; ++j) record.sigma_l.push_back(v[i + j]);
    const bool finite = std::isfinite(record.loss) && std::isfinite(record.accuracy) &&
                        std::isfinite(record.seconds) && std::isfinite(record.learning_rate) &&
                        std::all_of(record.sigma_l.begin(), record.sigma_l.end(),
                                    [](double s) { return std::isfinite(s) && s >= 0; });
    if (v[i] != record.epoch || !finite)
      throw InputError(943, {path}, "has a history whose figures make no sense");
    epochs.push_back(std::move(record));
  }
  return epochs;
}

constexpr const char* kOptimizer = "optimizer.";
constexpr const char* kRun = "run.";

// The checkpoint's entries; its checksum was looked at where the file was read.
StateDict open_checkpoint(const TrainOptions& options) {
  const std::string& path = options.checkpoint;
  constexpr const char* kNext = "; delete it and start this training from its beginning";
  StateDict state;
  try {
    state = read_state_dict(path);
  } catch (const InputError& error) {
    throw InputError(943, {path}, "cannot be gone on from: " + std::string(error.what()) + kNext);
  }
  if (state.metadata["format"] != "axmul-checkpoint/1")
    throw InputError(943, {path}, std::string("is not a checkpoint of axmul-train") + kNext);
  if (!state.metadata.contains(kChecksum))
    throw InputError(943, {path}, std::string("carries no checksum") + kNext);
  if (state.metadata["settings"] != options.settings)
    throw InputError(943, {path},
                     "was made with other options, so resuming would not continue it; it has " +
                         state.metadata["settings"] + ", this run " + options.settings);
  return state;
}

// Entries that the network does not know, by name.
class CheckpointParts {
 public:
  CheckpointParts(StateDict& state, std::string path) : path_(std::move(path)) {
    for (auto it = state.tensors.begin(); it != state.tensors.end();) {
      const bool own = it->first.starts_with(kOptimizer) || it->first.starts_with(kRun);
      if (own) parts_.insert(*it);
      it = own ? state.tensors.erase(it) : std::next(it);
    }
  }

  const StateTensor& operator[](const std::string& name) const {
    const auto it = parts_.find(name);
    if (it == parts_.end()) throw InputError(943, {path_}, "has no entry " + name);
    return it->second;
  }
  // Finite numbers, `count` of them.
  std::vector<double> numbers(const std::string& name, std::size_t count) const {
    const auto values = (*this)[name].doubles();
    if (values.size() != count ||
        !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
      throw InputError(943, {path_}, "has an entry " + name + " that makes no sense");
    return values;
  }

 private:
  std::string path_;
  std::map<std::string, StateTensor> parts_;
};

}  // namespace

void write_checkpoint(const Network& network, const Sgd& sgd, const Position& at,
                      const std::vector<EpochRecord>& epochs, const TrainOptions& options) {
  StateDict state = state_of(network);
  for (std::size_t i = 0; i < sgd.parameters.size(); ++i) {
    const at::Tensor dense = sgd.momentum[i].to(at::kCPU).contiguous();
    const float* from = dense.data_ptr<float>();
    state.tensors[kOptimizer + sgd.parameters[i].name] =
        StateTensor::from(dense.sizes().vec(), std::vector<float>(from, from + dense.numel()));
  }
  std::vector<std::int64_t> counters = {
      at.epoch, static_cast<std::int64_t>(at.step), static_cast<std::int64_t>(at.correct),
      static_cast<std::int64_t>(at.seen), static_cast<std::int64_t>(network.step)};
  for (const auto& layer : network.layers)
    counters.push_back(static_cast<std::int64_t>(layer->noise_stream));
  const auto counter_count = static_cast<std::int64_t>(counters.size());
  state.tensors[std::string(kRun) + "counters"] = StateTensor::from({counter_count}, counters);
  state.tensors[std::string(kRun) + "sums"] =
      StateTensor::from({2}, std::vector<double>{at.loss_sum, at.seconds});
  state.tensors[std::string(kRun) + "noise"] =
      StateTensor::from({static_cast<std::int64_t>(at.noise.size())}, at.noise);
  state.tensors[std::string(kRun) + "history"] = history_tensor(epochs);
  state.metadata["settings"] = options.settings;
  state.metadata["format"] = "axmul-checkpoint/1";
  state.metadata[kChecksum] = checksum_of(state);
  write_state_dict(state, options.checkpoint);
}

// Splits a checkpoint into what load_state knows and the rest. An epoch has `steps` steps.
Restored read_checkpoint(Network& network, Sgd& sgd, std::size_t steps, std::size_t images,
                         const TrainOptions& options) {
  const std::string& path = options.checkpoint;
  StateDict state = open_checkpoint(options);
  const CheckpointParts part(state, path);
  load_state(network, state, path);
  for (std::size_t i = 0; i < sgd.parameters.size(); ++i) {
    const std::string name = kOptimizer + sgd.parameters[i].name;
    if (part[name].shape != sgd.momentum[i].sizes().vec())
      throw InputError(943, {path}, "momentum of " + sgd.parameters[i].name + " has another shape");
    const auto values = part.numbers(name, static_cast<std::size_t>(sgd.momentum[i].numel()));
    sgd.momentum[i].copy_(at::tensor(values, at::kDouble).view(sgd.momentum[i].sizes()));
  }
  const auto counters = part.numbers(std::string(kRun) + "counters", 5 + network.layers.size());
  const auto sums = part.numbers(std::string(kRun) + "sums", 2);
  const std::size_t noisy = sgd.parameters.size() - sgd.weights;
  const bool fresh = part[std::string(kRun) + "noise"].elements() == 0;
  const auto noise = part.numbers(std::string(kRun) + "noise", fresh ? 0 : noisy);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  for (const double c : counters)
    if (!(c >= 0 && c <= kExact) || c != std::floor(c))
      throw InputError(943, {path}, "has counters that make no sense");
  const auto natural = [&](std::size_t i) { return static_cast<std::size_t>(counters[i]); };
  if (natural(0) > static_cast<std::size_t>(options.schedule.epochs) || natural(1) > steps ||
      natural(2) > natural(3) || natural(3) > images || (natural(1) > 0 && natural(3) == 0))
    throw InputError(943, {path}, "says that more is done than there is to do");
  network.step = natural(4);
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    network.layers[i]->noise_stream = natural(5 + i);
  return {
      {static_cast<int>(natural(0)), natural(1), sums[0], natural(2), natural(3), sums[1], noise},
      history_from(part[std::string(kRun) + "history"], static_cast<std::int64_t>(natural(0)),
                   path)};
}

}  // namespace axmul::train
