// Schedules, augmentation and progress lines that all training commands share.
#include "train/flow/schedules.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <ostream>

namespace axmul::train {
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

Augmentation chosen_augmentation(const cli::Session& session, const Job& job) {
  const auto text = session.args.text("augment");
  if (!text) return usual_augmentation(job.spec);
  return {text->starts_with("flip"), text->ends_with("crop") ? 4 : 0};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::string duration(double seconds) {
  char text[32];
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ldh%02ldm", whole / 3600, whole / 60 % 60);
  else if (whole >= 60)
    std::snprintf(text, sizeof text, "%ldm%02lds", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  return text;
}

void EpochPrinter::step(const StepRecord& r) {
  if (!session_.io.err_is_tty || session_.quiet) return;
  const auto now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(200)) return;
  drawn_ = now;
  const std::size_t done = static_cast<std::size_t>(r.epoch - 1) * r.steps + r.step;
  if (first_ == 0) first_ = done;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left = static_cast<double>(static_cast<std::size_t>(epochs_) * r.steps - done);
  char text[160];
  std::snprintf(text, sizeof text, "\r\033[Kepoch %d/%d  step %zu/%zu  loss %.4f", r.epoch, epochs_,
                r.step, r.steps, r.loss);
  session_.io.err << text;
  if (done > first_)
    session_.io.err << "  " << duration(elapsed / static_cast<double>(done - first_ + 1) * left)
                    << " left";
  session_.io.err << std::flush;
}

void EpochPrinter::epoch(const EpochRecord& r) {
  if (session_.quiet) return;
  char text[200];
  std::snprintf(text, sizeof text, "epoch %d/%d  lr %.3g  loss %.4f  accuracy %.2f %%", r.epoch,
                epochs_, r.learning_rate, r.loss, 100 * r.accuracy);
  session_.io.err << (session_.io.err_is_tty ? "\r\033[K" : "") << text;
  if (!std::isnan(r.validation_accuracy)) {
    std::snprintf(text, sizeof text, "  validation %.2f %%", 100 * r.validation_accuracy);
    session_.io.err << text;
  }
  session_.io.err << "  " << duration(r.seconds);
  if (r.epoch < epochs_)
    session_.io.err << "  " << duration(r.seconds * (epochs_ - r.epoch)) << " left";
  session_.io.err << '\n' << std::flush;
}

}  // namespace axmul::train
