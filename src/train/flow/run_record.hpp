// What a run of `axmul train run` leaves behind: one record, as JSON and as HDF5.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "axmul/model/coverage.hpp"
#include "axmul/model/matching.hpp"
#include "axmul/train/training.hpp"
#include "io/json.hpp"

namespace axmul::train {

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
  std::string type;
  double ops = 0, power_rel = 1;
  double output_std = kUnknown;
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

/// Of the approximate layers, how many measured σ lie in the stated interval.
struct IntervalShare {
  std::size_t inside = 0, of = 0;
};
IntervalShare interval_share(const RunPoint& point);

struct RunRecord {
  std::string network, data, weights, schedule, command, options_json, encoding;
  std::string cost_source, technology;
  std::vector<std::string> libraries;
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t without_cost = 0;  ///< multipliers that were no candidates
  Coverage coverage;             ///< whose multiplications the energies speak of
  double sigma_max = kUnknown, max_loss = kUnknown;
  Accuracy float_report, quantized_selection, quantized_report;  ///< of the start; no difference
  std::vector<EpochRecord> baseline_epochs, quantize_epochs, control_epochs;
  std::vector<std::string> layer_names;
  std::vector<RunPoint> points;
};

/// {"schema": "axmul.epochs/1", "epochs": […]}, the list as the record has it.
Json epochs_to_json(const std::vector<EpochRecord>& epochs);
/// Throws InputError AX972 unless the epochs count from 1 and their figures are in range.
std::vector<EpochRecord> epochs_from_json(const Json& json, const std::string& path);

std::string to_json(const RunRecord& record);
/// Throws InputError AX972 where the text is not a run record, a figure is out of its range, a
/// point's layers are not those of the network, or its checksum is wrong (records of before there
/// were checksums have none).
RunRecord run_record_from_json(const std::string& text, const std::string& path);

/// Format "axmul-run": one row a point. The layout is told in src/train/SEARCH.md.
void write_run_h5(const std::string& path, const RunRecord& record);

/// Marks, among the search points, the one of least energy whose selection accuracy lost at most
/// max_loss (a fraction); none where none did.
void choose_point(RunRecord& record);

}  // namespace axmul::train
