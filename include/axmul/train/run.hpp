// The whole way as one call: from a network to assignments of multipliers, with what each saves and
// what it costs in accuracy (the method of the paper, src/README.md; stages in
// src/train/SEARCH.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/model/coverage.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/matching.hpp"
#include "axmul/train/data.hpp"
#include "axmul/train/network.hpp"
#include "axmul/train/script.hpp"
#include "axmul/train/search.hpp"
#include "axmul/train/training.hpp"

namespace axmul {

// --- what is to be done --------------------------------------------------------------------------

/// Training images that mean errors are measured on, and those that are traced, unless said
/// otherwise.
inline constexpr std::size_t kFoldImages = 128, kTraceImages = 128;

/// What is trained, on which images, in which arithmetic.
struct JobOptions {
  std::string network;               ///< one of network_names(), or FILE.pt, a TorchScript module
  std::optional<std::string> model;  ///< instead: a TorchScript module in a file of any name
  ScriptTrust trust = ScriptTrust::allow_list;
  /// Instead of both: makes the caller's own network, built-in, TorchScript or other, for that many
  /// classes and images of that size. Called once a run.
  std::function<Network(const NetworkOptions& options, std::uint64_t seed)> make;
  std::string data = "fashion-mnist";  ///< as `--data` (DataSpec); Debian's dataset-fashion-mnist
  /// Start from these (read_state_dict()); without them a TorchScript module starts from its own,
  /// any other network from random ones.
  std::optional<std::string> weights;
  /// Of each channel, or one for all, pixels in 0 … 1; without them the weights' or the data's own.
  std::optional<std::vector<double>> mean, std;
  std::size_t limit = 0, test_limit = 0;  ///< use only so many images, evenly spaced; 0: all
  std::size_t batch = TrainOptions{}.batch;
  std::uint64_t seed = 1;                    ///< of initial weights, shuffling, augmentation, noise
  std::optional<Augmentation> augmentation;  ///< without: what is usual for the data
  std::optional<TableEncoding> encoding;     ///< without: the weights' own, else sign-magnitude
  bool per_channel = false;                  ///< weight scales per output channel
  std::size_t calibration_images = CalibrationOptions{}.images;
  bool recalibrate = false;  ///< set activation ranges anew even where the weights have them
};

/// The trainings that a run is made of.
enum class TrainingKind : std::uint8_t { baseline, quantize, search, retrain };
std::string_view to_string(TrainingKind kind);
/// Epochs and learning rates of the reference schedule (src/README.md#networks) for that network,
/// or, `brief`, of a few epochs.
Schedule usual_schedule(TrainingKind kind, const std::string& network, bool brief = false);

struct RunPlan {
  JobOptions job;
  std::string folder;   ///< made where it is missing; empty: runs/<date>-<network>
  bool resume = false;  ///< go on with the run that the folder holds: finished stages are read back
  bool force = false;   ///< replace the run that the folder holds

  std::vector<std::string> libraries;   ///< HDF5 libraries, folders, tables or generator texts
  std::vector<Multiplier> multipliers;  ///< and these; both empty: the library shipped with axmul
  std::optional<std::string> costs;     ///< CSV, joined by name or sha256 (join_costs())

  std::string schedule = "reference";  ///< or "short", usual_schedule()'s brief one
  std::optional<Schedule> baseline, quantize, search, retrain;  ///< instead of the schedule's
  SearchOptions noise;          ///< sigma_max and sigma_init; lambda is that of each point
  std::vector<double> lambdas;  ///< a search each; empty: 0.1, 0.2, 0.4, short 0.1, 0.3
  bool only_baselines = false;  ///< no search at all
  std::vector<ErrorModel> models = {ErrorModel::sampled};  ///< of the matching, a point each
  std::vector<MatchRule> rules = {MatchRule::budget};      ///< likewise
  bool pessimistic = false;  ///< matching compares the larger σ of sampled and permutation
  std::size_t most = 0;      ///< distinct multipliers of a point; 0: any number
  std::vector<std::string> exact_layers;

  std::size_t patches = PredictOptions{}.patches;  ///< receptive fields traced per layer
  std::size_t trace_images = kTraceImages, fold_images = kFoldImages;
  std::size_t norm_images = NormOptions{}.images;  ///< batch norms are re-estimated on; 0: not
  bool fold = true;                                ///< mean errors into the biases

  bool uniform = false, greedy = false;    ///< baselines to compare with
  std::vector<std::string> uniform_names;  ///< multipliers of `uniform`, which they imply
  std::vector<double> energies;            ///< of the baselines, 0 … 1; empty: the search's
  std::size_t greedy_images = 256;         ///< training images that measure sensitivities

  std::size_t selection_images = 0;  ///< test images that choose, the others report; 0: a fifth
  double max_loss = 0.01;            ///< of top-1 there that the chosen point may lose, a fraction
  double checkpoint_minutes = TrainOptions{}.checkpoint_minutes;

  std::string command = "axmul::run";  ///< for the history of the files
  /// Options as somebody typed them, by the names of run_setting_names(): settings.json holds these
  /// texts instead of the values above.
  std::map<std::string, std::vector<std::string>> typed;
};

// --- what comes of it ----------------------------------------------------------------------------

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Top-1 of a network on some images, and its paired difference to the 8-bit network's.
struct Accuracy {
  std::size_t images = 0;
  double top1 = kUnknown;
  double difference = kUnknown;      ///< top1 − that of the 8-bit network, same images
  double standard_error = kUnknown;  ///< of the difference
  double p_value = kUnknown;         ///< McNemar's exact test
};

/// One layer of a point: what it tolerates, what it got, predicted and measured errors.
struct PointLayer {
  std::string layer, multiplier = "exact", sha256;
  std::string type;                  ///< operand type that the layer needs, "u8s8"
  bool none_fits = false;            ///< as LayerMatch has it; not in the record
  double ops = 0, power_rel = 1;     ///< multiplications per image; power over the exact one's
  double output_std = kUnknown;      ///< accumulator units, as predicted_… and measured_…
  double sigma_l = kUnknown;         ///< learned; NaN for the baselines
  double loss_curvature = kUnknown;  ///< measured there; NaN for the baselines
  /// Of the chosen multiplier, over output_std: σ_acc, σ_corrected, and what the matching compared
  /// with sigma_l.
  double sigma_rel = kUnknown, sigma_corrected_rel = kUnknown, sigma_compared = kUnknown;
  double effective_fields = kUnknown, fields_90 = kUnknown;  ///< of the prediction
  double predicted_mean = kUnknown, predicted_sigma = kUnknown, predicted_corrected = kUnknown;
  double interval_lower = kUnknown, interval_upper = kUnknown;  ///< of predicted_sigma, 95 %
  double measured_mean = kUnknown, measured_sigma = kUnknown, measured_corrected = kUnknown;
  bool is_exact() const { return sha256.empty(); }
};

/// One assignment with what came of it.
struct RunPoint {
  std::string method;  ///< "search", "uniform", "greedy"
  std::string name;    ///< unique in the run, also its folder
  std::string model;   ///< error model of the matching; empty for uniform
  std::string rule;    ///< of the matching; search points only
  double lambda = kUnknown;
  double energy = kUnknown;  ///< Σ ops·power_rel / Σ ops
  /// Predicted by the curvatures of the search, before retraining; search points only.
  double loss_rise = kUnknown, loss_budget = kUnknown;
  std::vector<PointLayer> layers;
  std::vector<EpochRecord> search_epochs, retrain_epochs;
  Accuracy selection_untrained;  ///< on the selection images, before retraining
  Accuracy selection, report;    ///< after it
  bool chosen = false;
};

/// What run.json and run.h5 in the folder hold too.
struct RunReport {
  std::string folder;  ///< where the run's files are; empty where the record was read from a file
  std::string network, data, weights;  ///< architecture, DataSpec::text, file or empty
  std::string schedule, command, encoding;
  std::string options_json;             ///< the content of settings.json
  std::string cost_source, technology;  ///< of the costs that were compared
  std::vector<std::string> libraries;   ///< as named; empty where all multipliers were in memory
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t without_cost = 0;  ///< multipliers that were no candidates
  Coverage coverage;             ///< whose multiplications the energies speak of
  double sigma_max = kUnknown, max_loss = kUnknown;
  Accuracy float_report, quantized_selection, quantized_report;  ///< of the start; no difference
  std::vector<EpochRecord> baseline_epochs, quantize_epochs, control_epochs;
  std::vector<std::string> layer_names;  ///< in order of execution, as in every point
  std::vector<RunPoint> points;          ///< by λ, error model, rule; then uniform, greedy
};

/// The search point of least energy whose loss on the selection images is at most max_loss; null
/// where there is none.
const RunPoint* chosen_point(const RunReport& report);

/// What happens meanwhile. Every function does nothing unless it is overridden; all are called from
/// the thread that called run(), and what they throw ends the run.
class RunEvents {
 public:
  RunEvents() = default;
  virtual ~RunEvents() = default;
  RunEvents(const RunEvents&) = delete;
  RunEvents& operator=(const RunEvents&) = delete;

  /// Something that may make the figures other than expected.
  virtual void warning(const std::string& /*text*/) {}
  /// A line about where the run stands: a stage begins or was done already, a point's figures.
  virtual void status(const std::string& /*text*/) {}
  /// The network is built; no weights are loaded yet.
  virtual void built(const Network& /*network*/) {}
  /// The folder is this run's; from here on `resume` continues what it holds.
  virtual void started(const std::string& /*folder*/) {}
  /// A training begins, in the folder `stage` ("baseline", "lambda-0.1/search"); then its steps and
  /// epochs.
  virtual void training(const std::string& /*stage*/, const Schedule& /*schedule*/) {}
  virtual void step(const StepRecord& /*record*/) {}
  virtual void epoch(const EpochRecord& /*record*/) {}
  /// Some other long work begins; what is returned is called as it proceeds and dropped at its end.
  virtual Progress progress(const std::string& /*what*/) { return {}; }
  /// A training's weights.h5 and epochs.json are written, or were read back.
  virtual void finished(const std::string& /*stage*/) {}
  /// A point joined the record; what `chosen` says may change with later points.
  virtual void point(const RunPoint& /*point*/) {}
};

/// Trains the network where it has no weights, quantises it, learns for each λ what noise every
/// layer tolerates, predicts the errors of all multipliers in all layers, matches, folds, retrains
/// and evaluates a point for each error model and rule, and the baselines. The same plan gives the
/// same bits with the same number of threads (set_training_threads()). Leaves every stage's files,
/// run.json and run.h5 in the folder (src/train/SEARCH.md).
///
/// Throws, before any training: UsageError AX955 (a layer that is to stay exact is unknown), AX962
/// (the folder holds a run), AX969, AX970 (λ, σ), AX973 (resumed with other options), AX977, AX978
/// (nothing to do), AX979 (no images left to report on), AX987 (no network, or two), AX990, AX991,
/// AX992 (another figure out of its range); InputError AX708 (costs of different origin), AX946 (a
/// stage's file to go on from is damaged), AX975 (no shipped library), AX976 (no costs), and those
/// of load_images(), read_state_dict(), make_network(), load_script_network(), find_designs();
/// OutputError AX961. Later: InputError AX942, AX974 (no multiplier suits all layers), AX985,
/// UsageError AX953; InterruptedError after a checkpoint, from which `resume` continues to the same
/// bits.
RunReport run(const RunPlan& plan, RunEvents& events);
/// The same, in silence.
RunReport run(const RunPlan& plan);

/// What RunPlan::typed may name: "data", "weights", "seed" …
const std::vector<std::string>& run_setting_names();

}  // namespace axmul
