// What predict, validate and match share: traces, the library, encoding and model options.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/tables/open_design.hpp"
#include "cli/command.hpp"

namespace axmul::cli {

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

PredictOptions predict_options(Session& session);
std::vector<ErrorModel> session_models(Session& session, std::span<const LayerOperands> layers,
                                       const char* fallback);

}  // namespace axmul::cli
