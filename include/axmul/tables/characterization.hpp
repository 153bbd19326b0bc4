// Characterising many designs under many distributions, in order and in bounded memory.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/errors.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/netlist/wide.hpp"
#include "axmul/stats/metrics.hpp"
#include "axmul/tables/open_design.hpp"

namespace axmul {

/// Distribution texts of the two operands, or the file of a joint pmf.
struct AXMUL_API DistributionTexts {
  std::string a = "uniform";
  std::string b = "uniform";
  std::optional<std::string> joint;  ///< path for read_joint_distribution; a and b are then unused
};

/// Pairs the i-th text for a with the i-th for b (src/README.md#distributions): one text repeats,
/// none is uniform. Throws UsageError AX810 for other counts, or when joint comes with a or b.
AXMUL_API std::vector<DistributionTexts> pair_distributions(
    std::span<const std::string> a, std::span<const std::string> b,
    std::span<const std::string> joint = {});

/// The distributions of one pair for one operand type, as used and stored.
struct AXMUL_API ResolvedDistribution {
  std::string text_a, text_b;  ///< canonical; for a joint pmf both are its text
  std::optional<OperandDistribution> a, b;
  std::optional<JointDistribution> joint;
};

struct Characterization;

struct AXMUL_API CharacterizationOptions {
  std::vector<DistributionTexts> distributions = {{}};
  CharacterizeOptions metrics;
  DistributionContext context;  ///< empty: trace(…) is read by trace_context()
  int threads = 0;
  /// What the worker threads do with a result before it goes to the sink, as pack_products() for an
  /// ErrorTableWriter. Called from several threads at once. Empty: nothing.
  std::function<void(Characterization&)> prepare;
  /// What becomes of a design that cannot be loaded: told here, in the order of the designs and one
  /// at a time like results, and passed over. Empty: the first such design ends the run.
  std::function<void(const DesignRef&, const Error&)> failed;
};

/// One design with a report per distribution.
struct AXMUL_API Characterization {
  Multiplier multiplier;
  std::string sha256, sha256_swapped;
  std::vector<ErrorReport> reports;
  /// Its chunks of the datasets product and error, of pack_products(); else empty.
  std::vector<std::byte> packed_product{}, packed_error{};
};

/// Resolves distribution texts per operand type, each text once. Thread-safe after construction.
class AXMUL_API DistributionSet {
 public:
  explicit DistributionSet(const CharacterizationOptions& options);
  ~DistributionSet();
  /// One entry per pair of options.distributions; throws what parsing throws.
  const std::vector<ResolvedDistribution>& of(const SizedType& type) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Loads and characterises the designs on `threads` threads and hands each result to sink, in the
/// order of the designs, one at a time (on whichever thread); at most a few per thread are held.
/// The results do not depend on the thread count. Throws what loading and parsing throw for the
/// first design that fails (with options.failed: an InputError of loading is told there), and what
/// sink throws; after request_interrupt() the designs that were begun are finished and
/// InterruptedError is thrown. sink has seen every design before.
AXMUL_API void characterize_designs(std::span<const DesignRef> designs,
                                    const CharacterizationOptions& options,
                                    const DistributionSet& distributions,
                                    const std::function<void(const Characterization&)>& sink,
                                    const Progress& progress = {});

/// Value of a metric for outputs: NaN also for a rank that was not computed.
AXMUL_API double output_figure(const MetricField& field, const ErrorMetrics& metrics);

/// What the text outputs keep of a design: scalars and quantiles, not the pmf.
struct AXMUL_API CharacterizationRow {
  std::string name, sha256;
  SizedType type{};
  Cost cost;
  Provenance provenance;
  struct Figures {
    std::string a, b;
    ErrorMetrics metrics;
    std::vector<Quantile> quantiles;
    std::shared_ptr<const WideReport> wide{};  ///< of a multiplier of more than 8x8 bits
  };
  std::vector<Figures> distributions;
  std::map<std::string, double> published{};  ///< of the multiplier: columns of one's own, too
};

/// The row of a multiplier of more than 8x8 bits under the distribution pairs of the options, which
/// runs on options.threads threads; sha256 is empty. Throws UsageError AX852 for a joint pmf.
AXMUL_API CharacterizationRow characterize_wide_design(const WideMultiplier& multiplier,
                                                       const CharacterizationOptions& options,
                                                       const Progress& progress = {});
AXMUL_API CharacterizationRow characterization_row(const Characterization& result,
                                                   const DistributionSet& distributions);

/// A design that was not read.
struct AXMUL_API UnreadDesign {
  std::string source, message;
  std::string kind;  ///< what it is if no 8x8 multiplier (NotMultiplierError); empty: it failed
};

/// {"schema":"axmul.characterization/1","convention",…,"multipliers":[…],"left_out":[…],
/// "failed":[…]}; NaN is null.
AXMUL_API std::string characterization_json(std::span<const CharacterizationRow> rows,
                                            Convention convention,
                                            std::span<const UnreadDesign> unread = {});
/// One line per multiplier and distribution, header first; NaN is "NaN".
AXMUL_API std::string characterization_csv(std::span<const CharacterizationRow> rows);

}  // namespace axmul
