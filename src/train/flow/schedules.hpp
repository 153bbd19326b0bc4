// Epochs and learning rates of each kind of training, and the lines that tell how one proceeds.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "axmul/train/training.hpp"
#include "cli_train/job.hpp"
#include "command/command.hpp"

namespace axmul::train {

enum class TrainingKind : std::uint8_t { baseline, quantize, search, retrain };
std::string_view to_string(TrainingKind kind);

/// The reference schedule (src/README.md#networks), or the short one.
Schedule usual_schedule(TrainingKind kind, const std::string& network, bool brief);

/// --augment, else what is usual for the data.
Augmentation chosen_augmentation(const cli::Session& session, const Job& job);

/// YYYY-MM-DD, UTC.
std::string today();

/// "1h05m", "2m03s", "4.5s"
std::string duration(double seconds);

/// A line that is redrawn on a tty, and one line an epoch that stays.
class EpochPrinter {
 public:
  EpochPrinter(cli::Session& session, int epochs) : session_(session), epochs_(epochs) {}
  void step(const StepRecord& record);
  void epoch(const EpochRecord& record);

 private:
  using Clock = std::chrono::steady_clock;
  cli::Session& session_;
  int epochs_;
  Clock::time_point start_ = Clock::now(), drawn_{};
  std::size_t first_ = 0;
};

}  // namespace axmul::train
