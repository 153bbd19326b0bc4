// Builds libraries: enumerates files, reads them in parallel, folds equal functions.
#include "axmul/tables/library_build.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>

#include "axmul/core/errors.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/tables/error_table.hpp"

namespace axmul {

namespace {

struct Outcome {
  std::vector<Multiplier> multipliers;
  std::string failure;
};

/// Reads all designs of one source; what goes wrong is its failure, not an exception.
Outcome read_source(const std::string& text, const OpenOptions& options) {
  Outcome outcome;
  try {
    for (const DesignRef& ref : find_designs(std::span(&text, 1), options).designs)
      outcome.multipliers.push_back(ref.load());
  } catch (const InterruptedError&) {
    throw;
  } catch (const Error& e) {
    outcome.failure = e.what();
  }
  return outcome;
}

/// The files that texts name, folders opened up; texts that are no paths stay as they are.
std::vector<std::string> enumerate(std::span<const std::string> texts, const OpenOptions& options,
                                   LibraryBuildReport& report) {
  std::vector<std::string> sources;
  for (const std::string& text : texts) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(text, ignored)) {
      if (!std::filesystem::exists(text, ignored) && !looks_like_design(text) &&
          text.find(".h5:") == std::string::npos)
        throw InputError(800, Place{text}, "no such file or folder");
      sources.push_back(text);
      continue;
    }
    DesignFiles files = design_files(text, options);
    report.native_skipped += files.native_skipped;
    report.warnings.insert(report.warnings.end(), files.warnings.begin(), files.warnings.end());
    report.other_skipped += files.skipped - files.native_skipped;
    sources.insert(sources.end(), files.paths.begin(), files.paths.end());
  }
  return sources;
}

}  // namespace

LibraryBuildReport build_library(std::span<const std::string> texts,
                                 const LibraryBuildOptions& options) {
  LibraryBuildReport report;
  std::vector<CostRow> costs;
  if (options.costs) costs = read_costs(*options.costs);  // before the long part
  OpenOptions open;
  open.read = options.tables;
  accept_circuits(open, options.circuits);
  const std::vector<std::string> sources = enumerate(texts, open, report);
  std::vector<Outcome> outcomes(sources.size());
  std::atomic<std::size_t> done{0};
  std::mutex mutex;
  parallel_for(sources.size(), options.threads, [&](std::size_t i) {
    outcomes[i] = read_source(sources[i], open);
    const std::size_t count = ++done;
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress(count, sources.size());
  });
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!outcomes[i].failure.empty()) report.failures.push_back({sources[i], outcomes[i].failure});
    report.files += outcomes[i].failure.empty();
    for (Multiplier& m : outcomes[i].multipliers) report.entries.push_back(std::move(m));
  }
  if (report.entries.empty())
    throw InputError(851, Place{texts.empty() ? "" : texts.front()},
                     "no design could be read" +
                         (report.failures.empty() ? "" : "; " + report.failures.front().message));
  const std::vector<std::string> folded = fold_library(report.entries);
  report.warnings.insert(report.warnings.end(), folded.begin(), folded.end());
  for (const std::string& key : join_costs(costs, report.entries))
    report.warnings.push_back(*options.costs + ": no multiplier is called " + key);
  fill_power_rel(report.entries);
  return report;
}

}  // namespace axmul
