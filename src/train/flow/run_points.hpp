// The points of a run: what each assignment of multipliers is predicted to do, and does.
#pragma once

#include <string>
#include <vector>

#include "train/flow/run_stages.hpp"

namespace axmul::train {

/// What the error models say about the network in its present state.
struct Predicted {
  std::vector<LayerOperands> layers;
  std::vector<Multiplier> library;         ///< those that every layer can use
  std::vector<PredictionMatrix> matrices;  ///< one per model
};

/// Traces training images through the network and predicts the errors of all multipliers; leaves
/// traces.h5 and predictions.h5 in the folder `name`. Throws InputError AX974 where no multiplier
/// suits all layers.
Predicted trace_and_predict(Run& run, const std::string& name);

/// The layers of a point from indices into the library, kExact for none; layers of --exact-layers
/// stay exact whatever `chosen` says.
std::vector<PointLayer> point_layers(const Run& run, const Predicted& predicted,
                                     const PredictionMatrix& matrix,
                                     const std::vector<std::size_t>& chosen);

/// From the state given: applies the multipliers, folds (which measures their errors), re-estimates
/// batch norms, retrains, evaluates; the point joins the record.
void realise(Run& run, const StateDict& state, const Predicted& predicted,
             const std::vector<std::size_t>& chosen, RunPoint& point);

/// Search, trace, predict, match, realise for one lambda: a point per error model and rule.
void search_points(Run& run, double lambda);

/// Rise of the cross-entropy from which on a network counts as ruined: 87 % of ln(classes), what
/// guessing costs; 2.0 for ten classes.
double ruined_rise(int classes);

/// The baselines asked for, near the energies of the search points: further training as long as the
/// search's in 8-bit arithmetic, then the same as for them.
void baseline_points(Run& run);

}  // namespace axmul::train
