// Progress of trainings and runs, for people.
#include "cli_train/progress.hpp"

#include <cmath>
#include <cstdio>
#include <ostream>

#include "cli_train/job.hpp"
#include "command/output.hpp"

namespace axmul::train {
namespace {

// "1h05m", "2m03s", "4.5s"
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

}  // namespace

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

void RunPrinter::warning(const std::string& text) { cli::warn(session_, text); }

void RunPrinter::status(const std::string& text) {
  if (!session_.quiet) session_.io.err << text << '\n' << std::flush;
}

void RunPrinter::built(const Network& network) { say_uncovered(session_, network); }

void RunPrinter::started(const std::string& folder) { folder_ = folder; }

void RunPrinter::training(const std::string&, const Schedule& schedule) {
  epochs_.emplace(session_, schedule.epochs);
}

Progress RunPrinter::progress(const std::string& what) {
  const auto bar = std::make_shared<cli::ProgressBar>(session_, what);
  const Progress draw = bar->callback();
  if (!draw) return {};
  return [bar, draw](std::size_t done, std::size_t total) { draw(done, total); };
}

}  // namespace axmul::train
