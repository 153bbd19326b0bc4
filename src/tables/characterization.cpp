// Characterises designs on several threads and hands the results on in order.
#include "axmul/tables/characterization.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/traces.hpp"

namespace axmul {

std::vector<DistributionTexts> pair_distributions(std::span<const std::string> a,
                                                  std::span<const std::string> b,
                                                  std::span<const std::string> joint) {
  if (!joint.empty() && (!a.empty() || !b.empty()))
    throw UsageError(810, "a joint pmf gives both operands; leave out --a and --b");
  std::vector<DistributionTexts> pairs;
  for (const std::string& file : joint) pairs.push_back({"", "", file});
  if (!pairs.empty()) return pairs;
  const std::size_t count = std::max({a.size(), b.size(), std::size_t{1}});
  for (const auto& texts : {a, b})
    if (texts.size() > 1 && texts.size() != count)
      throw UsageError(810, std::to_string(a.size()) + " distributions of a and " +
                                std::to_string(b.size()) +
                                " of b; give equally many, or one that repeats");
  for (std::size_t i = 0; i < count; ++i) {
    DistributionTexts pair;
    if (!a.empty()) pair.a = a[a.size() == 1 ? 0 : i];
    if (!b.empty()) pair.b = b[b.size() == 1 ? 0 : i];
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

struct DistributionSet::State {
  std::vector<DistributionTexts> texts;
  DistributionContext context;
  struct Resolved {
    std::once_flag once;
    std::vector<ResolvedDistribution> list;
  };
  mutable std::mutex mutex;
  mutable std::map<SizedType, Resolved> resolved;
};

DistributionSet::DistributionSet(const CharacterizationOptions& options)
    : state_(std::make_unique<State>()) {
  state_->texts = options.distributions;
  state_->context = options.context;
  if (!state_->context.trace_reader) state_->context = trace_context();
}

DistributionSet::~DistributionSet() = default;

const std::vector<ResolvedDistribution>& DistributionSet::of(const SizedType& type) const {
  State::Resolved* resolved = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    resolved = &state_->resolved[type];
  }
  std::call_once(resolved->once, [&] {
    std::vector<ResolvedDistribution> list;
    for (const DistributionTexts& texts : state_->texts) {
      ResolvedDistribution& entry = list.emplace_back();
      if (texts.joint) {
        entry.joint = read_joint_distribution(*texts.joint, type);
        entry.text_a = entry.text_b = entry.joint->text;
      } else {
        entry.a = parse_distribution(texts.a, a_is_signed(type), state_->context, type.bits.a);
        entry.b = parse_distribution(texts.b, b_is_signed(type), state_->context, type.bits.b);
        entry.text_a = entry.a->text;
        entry.text_b = entry.b->text;
      }
    }
    resolved->list = std::move(list);
  });
  return resolved->list;
}

double output_figure(const MetricField& field, const ErrorMetrics& metrics) {
  const double value = field.get(metrics);
  if ((field.name.starts_with("rank_") || field.name == "zero_violations") && value < 0)
    return std::numeric_limits<double>::quiet_NaN();
  return value;
}

namespace {

Characterization characterize_one(const DesignRef& design, Multiplier multiplier,
                                  const CharacterizationOptions& options,
                                  const DistributionSet& distributions,
                                  CharacterizeWorkspace& workspace) {
  Characterization result{std::move(multiplier), {}, {}, {}};
  result.multiplier.name = design.name;
  const Lut& lut = result.multiplier.lut;
  result.sha256 = lut.sha256();
  result.sha256_swapped = lut.sha256_swapped();
  for (const ResolvedDistribution& d : distributions.of(lut.sized_type()))
    result.reports.push_back(d.joint ? characterize(lut, *d.joint, options.metrics, workspace)
                                     : characterize(lut, *d.a, *d.b, options.metrics, workspace));
  if (options.prepare) options.prepare(result);
  return result;
}

// Work goes out in order and comes back in order; a result that is ready too early waits, and a
// thread that would run too far ahead waits too, so memory stays bounded.
class OrderedRun {
 public:
  OrderedRun(std::span<const DesignRef> designs, const CharacterizationOptions& options,
             const DistributionSet& distributions,
             const std::function<void(const Characterization&)>& sink, const Progress& progress,
             std::size_t window)
      : designs_(designs),
        options_(options),
        distributions_(distributions),
        sink_(sink),
        progress_(progress),
        window_(window) {}

  void work() {
    CharacterizeWorkspace workspace;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || next_start_ < next_write_ + window_; });
      if (!stop_ && interrupt_requested()) stop_ = interrupted_ = true;
      if (stop_ || next_start_ >= designs_.size()) break;
      const std::size_t i = next_start_++;
      lock.unlock();
      std::optional<Result> result;
      std::exception_ptr failure;
      try {
        result = load_and_characterize(designs_[i], workspace);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      if (failure)
        fail(i, failure);
      else
        ready_.emplace(i, std::move(*result));
      drain(lock);
    }
    changed_.notify_all();
  }

  void finish() {
    if (failure_) std::rethrow_exception(failure_);
    if (interrupted_ && next_write_ < designs_.size()) throw InterruptedError();
  }

 private:
  /// A characterisation, or why the design cannot be loaded.
  using Result = std::variant<Characterization, std::shared_ptr<const InputError>>;

  Result load_and_characterize(const DesignRef& design, CharacterizeWorkspace& workspace) const {
    std::optional<Multiplier> loaded;
    try {
      loaded = design.load();
    } catch (const NotMultiplierError& error) {
      if (!options_.failed) throw;
      return std::make_shared<const NotMultiplierError>(error);
    } catch (const InputError& error) {
      if (!options_.failed) throw;
      return std::make_shared<const InputError>(error);
    }
    return characterize_one(design, std::move(*loaded), options_, distributions_, workspace);
  }

  void hand_on(std::size_t i, const Result& result) const {
    if (const auto* why = std::get_if<std::shared_ptr<const InputError>>(&result))
      options_.failed(designs_[i], **why);
    else
      sink_(std::get<Characterization>(result));
    if (progress_) progress_(i + 1, designs_.size());
  }

  void fail(std::size_t i, std::exception_ptr failure) {
    if (i < failed_) {
      failed_ = i;
      failure_ = std::move(failure);
    }
    stop_ = true;
    changed_.notify_all();
  }

  // Gives on what is next in order; the lock is open while the sink runs, one thread at a time.
  void drain(std::unique_lock<std::mutex>& lock) {
    if (draining_) return;
    draining_ = true;
    for (auto it = ready_.find(next_write_); it != ready_.end() && next_write_ < failed_;
         it = ready_.find(next_write_)) {
      const Result result = std::move(it->second);
      ready_.erase(it);
      lock.unlock();
      std::exception_ptr failure;
      try {
        hand_on(next_write_, result);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      if (failure)
        fail(next_write_, failure);
      else
        ++next_write_;
      changed_.notify_all();
    }
    draining_ = false;
  }

  std::span<const DesignRef> designs_;
  const CharacterizationOptions& options_;
  const DistributionSet& distributions_;
  const std::function<void(const Characterization&)>& sink_;
  const Progress& progress_;
  const std::size_t window_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, Result> ready_;
  std::size_t next_start_ = 0, next_write_ = 0;
  std::size_t failed_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr failure_;
  bool stop_ = false, interrupted_ = false, draining_ = false;
};

}  // namespace

void characterize_designs(std::span<const DesignRef> designs,
                          const CharacterizationOptions& options,
                          const DistributionSet& distributions,
                          const std::function<void(const Characterization&)>& sink,
                          const Progress& progress) {
  const auto wanted =
      static_cast<std::size_t>(options.threads > 0 ? options.threads : default_threads());
  const std::size_t threads = std::max<std::size_t>(1, std::min(wanted, designs.size()));
  OrderedRun run(designs, options, distributions, sink, progress, 4 * threads);
#pragma omp parallel num_threads(static_cast <int>(threads))
  run.work();
  run.finish();
}

CharacterizationRow characterize_wide_design(const WideMultiplier& multiplier,
                                             const CharacterizationOptions& options,
                                             const Progress& progress) {
  const SizedType type = multiplier.type();
  CharacterizationRow row;
  row.name = multiplier.name;
  row.type = type;
  row.cost = multiplier.cost;
  row.provenance = multiplier.provenance;
  for (const DistributionTexts& texts : options.distributions) {
    if (texts.joint)
      throw UsageError(852, multiplier.name + " is " + to_string(type) +
                                "; joint pmfs are for operands of at most 8 bits");
    const WideDistribution a = parse_wide_distribution(texts.a, a_is_signed(type), type.bits.a);
    const WideDistribution b = parse_wide_distribution(texts.b, b_is_signed(type), type.bits.b);
    auto report = std::make_shared<WideReport>(characterize_wide(
        *multiplier.products, a, b, options.metrics.convention, options.threads, progress));
    row.distributions.push_back({a.text, b.text, report->metrics, {}, report});
  }
  return row;
}

CharacterizationRow characterization_row(const Characterization& result,
                                         const DistributionSet& distributions) {
  const Multiplier& m = result.multiplier;
  CharacterizationRow row{m.name, result.sha256, m.lut.sized_type(), m.cost, m.provenance, {}};
  const auto& resolved = distributions.of(m.lut.sized_type());
  for (std::size_t d = 0; d < result.reports.size(); ++d)
    row.distributions.push_back({resolved[d].text_a, resolved[d].text_b, result.reports[d].metrics,
                                 result.reports[d].quantiles, nullptr});
  row.published = m.published;
  return row;
}

}  // namespace axmul
