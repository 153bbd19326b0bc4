// The stages of `axmul train run`, each leaving files in the run's folder from which a later call
// goes on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "axmul/train/run.hpp"
#include "train/flow/job.hpp"
#include "train/flow/run_record.hpp"
#include "train/flow/stage_file.hpp"

namespace axmul::train {

/// A run as it proceeds.
struct Run {
  RunPlan plan;  ///< with nothing left open: folder, schedules, lambdas, selection_images
  RunEvents& events;
  Job job;
  std::string settings;  ///< what a resumed run must share
  std::vector<Multiplier> library;
  RunReport record;
  StateDict start;             ///< the quantised network
  EvaluationReport reference;  ///< its predictions of all test images
};

/// What files of that stage of the run are sealed with.
StageId stage_id(const Run& run, const std::string& stage);

/// Trains the baseline where no weights were given, then quantises; evaluates both.
void prepare_network(Run& run);

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
