// Epochs and learning rates of each kind of training.
#include "axmul/train/run.hpp"

namespace axmul {
namespace {

// The reference schedules (src/README.md#networks) are for ResNets; LeNet-5 has no batch norm and
// takes less.
Schedule reference_schedule(TrainingKind kind, const std::string& network) {
  Schedule s;
  switch (kind) {
    case TrainingKind::baseline:
      s.epochs = network == "lenet5" ? 20 : 180;
      s.learning_rate = network == "lenet5" ? 0.02 : network.starts_with("resnet") ? 0.1 : 0.05;
      s.drops = network == "lenet5" ? std::vector<int>{10, 15} : std::vector<int>{90, 135};
      break;
    case TrainingKind::quantize:
      s.epochs = 30;
      s.learning_rate = 1e-2;
      s.drops = {10, 20};
      break;
    case TrainingKind::search:
      s.epochs = 30;
      s.learning_rate = network == "lenet5" ? 1e-2 : 1e-1;
      if (network == "lenet5") s.sigma_rate = 10;  // so that sigma_l still learns at 0.1
      s.drops = {10, 20};
      break;
    case TrainingKind::retrain:
      s.epochs = 10;
      s.learning_rate = 1e-3;
      s.drops = {4, 8};
      break;
  }
  return s;
}

// A few epochs. The search starts from good weights and must not undo them, so the weights move
// slowly while the noise levels learn at the reference's rate.
Schedule short_schedule(TrainingKind kind, const std::string& network) {
  Schedule s = reference_schedule(kind, network);
  s.epochs = kind == TrainingKind::baseline ? 4 : 2;
  s.drops = kind == TrainingKind::baseline ? std::vector<int>{2, 3} : std::vector<int>{1};
  if (kind == TrainingKind::quantize) s.learning_rate = 1e-3;
  if (kind == TrainingKind::search) {
    s.learning_rate = 1e-3;
    s.sigma_rate = 30;
    s.drops.clear();  // the mean over the last epoch does instead
  }
  return s;
}

}  // namespace

std::string_view to_string(TrainingKind kind) {
  constexpr std::string_view names[] = {"baseline", "quantize", "search", "retrain"};
  return names[static_cast<std::size_t>(kind)];
}

Schedule usual_schedule(TrainingKind kind, const std::string& network, bool brief) {
  return brief ? short_schedule(kind, network) : reference_schedule(kind, network);
}

}  // namespace axmul
