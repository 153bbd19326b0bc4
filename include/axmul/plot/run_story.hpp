// What a run of axmul train run left: its record (JSON, schema axmul.run/1), for pictures and
// reports.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/plot/picture.hpp"

namespace axmul::plot {

inline constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

/// Share of right answers; the difference is to exact 8-bit arithmetic on the same images.
struct AXMUL_API StoryAccuracy {
  double images = 0, top1 = kNotKnown, difference = kNotKnown, standard_error = kNotKnown;
};

struct AXMUL_API StoryLayer {
  std::string layer, multiplier;
  double ops = kNotKnown, power_rel = kNotKnown, sigma_l = kNotKnown, sigma_rel = kNotKnown,
         sigma_compared = kNotKnown, predicted_sigma = kNotKnown, measured_sigma = kNotKnown;
};

struct AXMUL_API StoryEpoch {
  std::string stage;  ///< "baseline", "quantize", "control" or of a point: "search", "retrain"
  double epoch = 0, loss = kNotKnown, accuracy = kNotKnown;
};

/// One assignment: of the search, of one multiplier throughout, of a baseline.
struct AXMUL_API StoryPoint {
  std::string method, name, model, rule;
  bool chosen = false;
  double lambda = kNotKnown, relative_energy = kNotKnown;
  StoryAccuracy selection, report;
  std::vector<StoryLayer> layers;
  std::vector<StoryEpoch> epochs;
};

struct AXMUL_API RunStory {
  std::string path;  ///< of the record
  std::string source, command, network, data, schedule, encoding, cost_source, technology,
      energy_counts;
  double seed = kNotKnown;
  double ops_covered = kNotKnown, ops_not_covered = kNotKnown, calls_not_counted = kNotKnown;
  StoryAccuracy float_report, quantized_report;
  std::vector<StoryPoint> points;
  std::vector<StoryEpoch> epochs;  ///< before the points
};

/// Reads a run's folder (its run.json) or record. Throws InputError AX1133 where there is none or
/// it is no record of a run, naming the file.
AXMUL_API RunStory read_run_story(const std::string& path);
/// Whether a path is such a folder or file.
AXMUL_API bool is_run(const std::string& path);
/// The point that the run chose, else the search's with the least energy, else none.
AXMUL_API const StoryPoint* chosen_point(const RunStory& run);

/// Accuracy against energy of all points, error bars of one standard error of the difference, the
/// exact 8-bit network as a line.
AXMUL_API Picture run_energy(const RunStory& run, const PictureOptions& options = {});
/// Training accuracy over the epochs of the stages and of the chosen point.
AXMUL_API Picture run_curves(const RunStory& run, const PictureOptions& options = {});
/// Learned σ_l and the chosen multiplier's σ, by layer, of the chosen point.
AXMUL_API Picture run_layers(const RunStory& run, const PictureOptions& options = {});

}  // namespace axmul::plot
