// The lines that tell how a training or a whole run proceeds.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "axmul/train/run.hpp"
#include "command/command.hpp"

namespace axmul::train {

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

/// What happens in a run, on the error stream.
class RunPrinter : public RunEvents {
 public:
  explicit RunPrinter(cli::Session& session) : session_(session) {}
  void warning(const std::string& text) override;
  void status(const std::string& text) override;
  void built(const Network& network) override;
  void started(const std::string& folder) override;
  void training(const std::string& stage, const Schedule& schedule) override;
  void step(const StepRecord& record) override { epochs_->step(record); }
  void epoch(const EpochRecord& record) override { epochs_->epoch(record); }
  Progress progress(const std::string& what) override;

  /// Of the run once there is something to go on from; empty before.
  const std::string& folder() const { return folder_; }

 private:
  cli::Session& session_;
  std::string folder_;
  std::optional<EpochPrinter> epochs_;
};

}  // namespace axmul::train
