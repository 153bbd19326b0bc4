// A report: one HTML page that needs no other file, no network and no script.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/plot/plots.hpp"
#include "axmul/plot/run_story.hpp"

namespace axmul::plot {

struct AXMUL_API ReportDesign {
  Multiplier multiplier;
  std::vector<DesignFigures> figures;  ///< one per pair of distributions
};

/// A traced layer as the report lists it.
struct AXMUL_API ReportLayer {
  std::string name;
  std::string type;
  double fan_in = 0, out_channels = 0, receptive_fields = 0, ops = 0, output_std = 0;
};

struct AXMUL_API ReportTraces {
  std::string path;
  std::vector<ReportLayer> layers;
  double ops_covered = 0, ops_not_covered = 0;
  LayerMatrix predictions;  ///< empty where no multiplier was given
};

struct AXMUL_API ReportInput {
  std::string title, command, date;
  std::vector<ReportDesign> designs;
  std::vector<FrontPoint> front;  ///< empty: no picture of one
  std::string front_x, front_y;   ///< titles of its axes
  std::vector<ReportTraces> traces;
  std::vector<RunStory> runs;
};

/// Up to that many designs have all pictures; of more there is a table, the front and a small error
/// map each.
inline constexpr std::size_t kMostInFull = 8;

/// The page. Colours follow the reader's light or dark setting and paper is A4; the error maps and
/// the front can be zoomed where scripts run.
AXMUL_API std::string report_page(const ReportInput& input);

}  // namespace axmul::plot
