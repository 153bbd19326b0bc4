// The stages of `axmul train run`, each leaving files in the run's folder from which a later call
// goes on.
#pragma once

#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/train/search.hpp"
#include "train/job.hpp"
#include "train/run_record.hpp"
#include "train/schedules.hpp"

namespace axmul::train {

/// What a run does, from its options.
struct RunPlan {
  std::string folder;
  bool resume = false;
  Schedule baseline, quantize, search, retrain;
  SearchOptions noise;  ///< lambda is that of each point
  std::vector<double> lambdas;
  std::vector<ErrorModel> models;
  std::vector<MatchRule> rules;
  std::size_t patches = 512, trace_images = 128, fold_images = 128, norm_images = 1024;
  bool fold = true;
  std::size_t most = 0;  ///< distinct multipliers; 0: any number
  bool uniform = false, greedy = false;
  std::vector<std::string> uniform_names;
  std::vector<double> energies;  ///< of the baselines; empty: those of the search points
  std::size_t greedy_images = 256;
  std::vector<std::string> exact_layers;
  std::size_t selection_images = 0;
  double checkpoint_minutes = 10;
  std::string settings;  ///< what a resumed run must share
};

struct Run {
  cli::Session& session;
  Job& job;
  RunPlan plan;
  std::vector<Multiplier> library;
  RunRecord record;
  StateDict start;             ///< the quantised network
  EvaluationReport reference;  ///< its predictions of all test images
};

/// Trains the baseline where no weights were given, then quantises; evaluates both.
void prepare_network(Run& run);

/// Search, trace, predict, match, fold, retrain, evaluate for one lambda: a point per error model
/// and rule.
void search_points(Run& run, double lambda);

/// The baselines asked for, near the energies of the search points: further training as long as the
/// search's in 8-bit arithmetic, then the same as for them.
void baseline_points(Run& run);

/// run.json and run.h5
void write_record(const Run& run);

}  // namespace axmul::train
