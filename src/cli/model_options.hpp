// What predict, validate and match share: traces, the library, encoding and model options.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/tables/open_design.hpp"
#include "command/command.hpp"

namespace axmul::cli {

/// --traces, --network, --layers, --encoding: what session_layers() reads.
std::vector<OptionSpec> layer_option_specs();
/// --traces, --network, --layers, --library, --encoding and the models' knobs.
std::vector<OptionSpec> model_option_specs();

/// The traced layers that --layers selects, in the encoding that --encoding asks for.
std::vector<LayerOperands> session_layers(Session& session);

/// The designs of --library, and their tables under the names of the list.
DesignList session_library(Session& session);
std::vector<Multiplier> load(std::span<const DesignRef> designs);

/// Those whose operand type every layer can use; counts the others.
std::vector<Multiplier> usable(std::span<const LayerOperands> layers,
                               std::vector<Multiplier> multipliers, std::size_t& left_out);
/// Warns of designs left out; InputError AX1080 when none is left.
void say_left_out(Session& session, std::size_t left_out, bool none_left);

/// Warns of layers whose output_std is not known or cannot be meant so.
void warn_of_layers(Session& session, std::span<const LayerOperands> layers,
                    std::span<const Evidence> evidence);

/// A multiplier in layers where its σ rests on few receptive fields.
struct RareEvents {
  std::string multiplier;
  std::string layer;  ///< where they are fewest
  double effective_fields = 0, fields_90 = 0;
  std::size_t receptive_fields = 0;  ///< that were used there
  std::size_t layers = 0;
  double bound = std::numeric_limits<double>::quiet_NaN();  ///< sigma_bound / sigma_acc there
};
/// Of the cells of one layer, of which `fields` receptive fields were used: counts those with rare
/// events in, by multiplier.
void add_rare_events(const std::string& layer, std::size_t fields, const std::string& multiplier,
                     const Prediction& prediction, std::vector<RareEvents>& to);
/// A warning for each, fewest receptive fields first.
void warn_of_rare_events(Session& session, std::vector<RareEvents> events);

PredictOptions predict_options(Session& session);
std::vector<ErrorModel> session_models(Session& session, std::span<const LayerOperands> layers,
                                       const char* fallback);

}  // namespace axmul::cli
