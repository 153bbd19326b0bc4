// The stages of `axmul train run`, each leaving files in the run's folder from which a later call
// goes on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/train/search.hpp"
#include "cli_train/job.hpp"
#include "train/flow/run_record.hpp"
#include "train/flow/schedules.hpp"
#include "train/flow/stage_file.hpp"

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
  bool pessimistic = false;  ///< matching compares the larger σ of sampled and permutation
  std::size_t most = 0;      ///< distinct multipliers; 0: any number
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

/// What files of that stage of the run are sealed with.
StageId stage_id(const Run& run, const std::string& stage);

/// Trains the baseline where no weights were given, then quantises; evaluates both.
void prepare_network(Run& run);

/// Where the run stands, for the user; nothing with --quiet.
void say(const Run& run, const std::string& text);

/// FOLDER/name, made where it is missing. Throws OutputError AX961.
std::string make_folder(const Run& run, const std::string& name);

/// As the network was when `state` was taken, in 8-bit arithmetic; counters of noise and dropout
/// start anew, so a stage does not depend on how many ran before it.
void reset_network(Run& run, const StateDict& state);

/// Trains in the present mode and writes weights.h5 and epochs.json into the stage's folder; a
/// finished stage is read back instead (InputError AX946 where its files are not whole). extra:
/// added to the loss of every step.
std::vector<EpochRecord> train_stage(Run& run, const std::string& name, const Schedule& schedule,
                                     const std::function<at::Tensor(const Network&)>& extra = {});

/// All test images, or what an earlier call of the same run stored for the same state of the
/// network (InputError AX946 where that file is not whole).
EvaluationReport evaluate_all(Run& run, const std::string& name);

/// Of the images that choose (selection) or of the others; `compared`: with the difference to the
/// 8-bit network.
Accuracy accuracy_on(const Run& run, const EvaluationReport& all, bool selection,
                     bool compared = true);

/// Evaluates the network as it is on the images that choose.
Accuracy selection_accuracy(Run& run);

/// run.json and run.h5
void write_record(const Run& run);

}  // namespace axmul::train
