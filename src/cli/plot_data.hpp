// What pictures and reports of fronts and networks show, computed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/plot/plots.hpp"
#include "cli/standing.hpp"

namespace axmul::cli {

/// "power_rel (power over exact)": a figure with its unit.
std::string axis_title(const std::string& figure);

/// The designs of `texts`, and of --against, by two figures; the front is that of all of one
/// operand type. InputError AX1031 where none has both.
std::vector<plot::FrontPoint> front_points(Session& session, const Axis& x, const Axis& y,
                                           const std::vector<std::string>& texts);

/// The designs of --library that the layers can use.
std::vector<Multiplier> library_of(Session& session, std::span<const LayerOperands> layers);
/// sigma_rel of the layers with those multipliers that they can use.
plot::LayerMatrix predicted_matrix(Session& session, std::span<const LayerOperands> layers,
                                   std::vector<Multiplier> multipliers);

/// σ that a model predicts from the first half of the receptive fields, and that of a full
/// simulation of the second half.
std::vector<plot::SigmaPair> sigma_pairs(Session& session, std::span<const LayerOperands> layers,
                                         ErrorModel model);

}  // namespace axmul::cli
