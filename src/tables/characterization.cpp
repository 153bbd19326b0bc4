// The driver: windows of designs in parallel, results in order.
#include "axmul/tables/characterization.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "axmul/core/errors.hpp"

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
  mutable std::array<std::once_flag, 3> once;
  mutable std::array<std::vector<ResolvedDistribution>, 3> resolved;
};

DistributionSet::DistributionSet(const CharacterizationOptions& options)
    : state_(std::make_unique<State>()) {
  state_->texts = options.distributions;
  state_->context = options.context;
}

DistributionSet::~DistributionSet() = default;

const std::vector<ResolvedDistribution>& DistributionSet::of(OperandType type) const {
  const auto index = static_cast<std::size_t>(type);
  std::call_once(state_->once[index], [&] {
    std::vector<ResolvedDistribution> list;
    for (const DistributionTexts& texts : state_->texts) {
      ResolvedDistribution& entry = list.emplace_back();
      if (texts.joint) {
        entry.joint = read_joint_distribution(*texts.joint, type);
        entry.text_a = entry.text_b = entry.joint->text;
      } else {
        entry.a = parse_distribution(texts.a, a_is_signed(type), state_->context);
        entry.b = parse_distribution(texts.b, b_is_signed(type), state_->context);
        entry.text_a = entry.a->text;
        entry.text_b = entry.b->text;
      }
    }
    state_->resolved[index] = std::move(list);
  });
  return state_->resolved[index];
}

namespace {

Characterization characterize_one(const DesignRef& design, const CharacterizationOptions& options,
                                  const DistributionSet& distributions) {
  Characterization result{design.load(), {}, {}};
  result.multiplier.name = design.name;
  const Lut& lut = result.multiplier.lut;
  result.sha256 = lut.sha256();
  for (const ResolvedDistribution& d : distributions.of(lut.type()))
    result.reports.push_back(d.joint ? characterize(lut, *d.joint, options.metrics)
                                     : characterize(lut, *d.a, *d.b, options.metrics));
  return result;
}

}  // namespace

void characterize_designs(std::span<const DesignRef> designs,
                          const CharacterizationOptions& options,
                          const DistributionSet& distributions,
                          const std::function<void(const Characterization&)>& sink,
                          const Progress& progress) {
  const int threads = options.threads > 0 ? options.threads : default_threads();
  const std::size_t window = static_cast<std::size_t>(threads) * 4;
  for (std::size_t start = 0; start < designs.size(); start += window) {
    const std::size_t count = std::min(window, designs.size() - start);
    std::vector<std::optional<Characterization>> results(count);
    std::exception_ptr failure;
    try {
      parallel_for(count, threads, [&](std::size_t i) {
        results[i] = characterize_one(designs[start + i], options, distributions);
      });
    } catch (...) {
      failure = std::current_exception();  // what was finished before it still counts
    }
    for (std::size_t i = 0; i < count && results[i]; ++i) {
      sink(*results[i]);
      results[i].reset();
      if (progress) progress(start + i + 1, designs.size());
    }
    if (failure) std::rethrow_exception(failure);
  }
}

CharacterizationRow characterization_row(const Characterization& result,
                                         const DistributionSet& distributions) {
  const Multiplier& m = result.multiplier;
  CharacterizationRow row{m.name, result.sha256, m.lut.type(), m.cost, m.provenance, {}};
  const auto& resolved = distributions.of(m.lut.type());
  for (std::size_t d = 0; d < result.reports.size(); ++d)
    row.distributions.push_back({resolved[d].text_a, resolved[d].text_b, result.reports[d].metrics,
                                 result.reports[d].quantiles});
  return row;
}

}  // namespace axmul
