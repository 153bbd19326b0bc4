// Traces, libraries and model options of predict, validate and match.
#include "cli/model_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/design_options.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

std::vector<std::string> split_list(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    std::istringstream stream(value);
    std::string part;
    while (std::getline(stream, part, ','))
      if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::string required(const Session& session, const char* option) {
  const auto value = session.args.text(option);
  if (!value)
    throw UsageError(1070, "--" + std::string(option) + " is missing; see " + session.program.name +
                               " " + session.command.name + " --help");
  return *value;
}

}  // namespace

std::vector<OptionSpec> layer_option_specs() {
  return {
      {"traces", "FILE", "Traced operands of a network (src/tables/TRACES.md tells the format)."},
      {"network", "NAME", "Which network, where the file holds several."},
      {"layers", "NAMES", "Only these layers, comma-separated.", "all", true},
      {"encoding",
       "NAME",
       "How unsigned tables meet signed weights: around zero point 128, or by sign and magnitude.",
       "sign-magnitude",
       false,
       {"affine", "sign-magnitude"}}};
}

std::vector<OptionSpec> model_option_specs() {
  std::vector<OptionSpec> specs = layer_option_specs();
  specs.insert(specs.begin() + 3,
               {"library", "LIBRARY", "Multipliers: library, folder, table file or generator text.",
                "", true});
  const std::vector<OptionSpec> more{
      {"model", "NAME", "Error model, comma-separated; all = every one the traces allow.", "",
       true},
      {"patches", "N", "Receptive fields to use, evenly spaced; 0 = all.",
       std::to_string(PredictOptions{}.patches)},
      {"random-patches", "", "Draw the receptive fields with --seed instead."},
      {"seed", "N", "Seed of what is drawn.", "0"},
      {"strata",
       "NAME",
       "Groups of taps of the stratified model.",
       "input-channel",
       false,
       {"input-channel", "kernel-position"}},
      {"draws", "N", "Sums that the monte-carlo model draws.",
       std::to_string(PredictOptions{}.monte_carlo_draws)}};
  specs.insert(specs.end(), more.begin(), more.end());
  for (OptionSpec& option : open_option_specs()) specs.push_back(std::move(option));
  return specs;
}

std::vector<LayerOperands> session_layers(Session& session) {
  const std::string path = required(session, "traces");
  std::vector<LayerOperands> layers = read_traces(path, session.args.text_or("network", ""));
  const std::vector<std::string> wanted = split_list(session.args.values("layers"));
  for (const std::string& name : wanted)
    if (std::ranges::none_of(layers, [&](const auto& layer) { return layer.name == name; })) {
      std::string names;
      for (const LayerOperands& layer : layers) names += (names.empty() ? "" : ", ") + layer.name;
      throw InputError(1071, Place{path}, "has no layer \"" + name + "\"; it has " + names);
    }
  if (!wanted.empty())
    std::erase_if(layers, [&](const LayerOperands& layer) {
      return std::ranges::find(wanted, layer.name) == wanted.end();
    });
  const bool affine = session.args.text_or("encoding", "sign-magnitude") == "affine";
  for (LayerOperands& layer : layers)
    layer = recode(layer, affine ? Encoding::affine : Encoding::sign_magnitude);
  return layers;
}

DesignList session_library(Session& session) {
  required(session, "library");
  return session_designs(session, session.args.values("library"));
}

std::vector<Multiplier> load(std::span<const DesignRef> designs) {
  std::vector<std::optional<Multiplier>> loaded(designs.size());
  parallel_for(designs.size(), 0, [&](std::size_t i) {
    loaded[i] = designs[i].load();
    loaded[i]->name = designs[i].name;
  });
  std::vector<Multiplier> multipliers;
  for (auto& multiplier : loaded) multipliers.push_back(std::move(*multiplier));
  return multipliers;
}

void say_left_out(Session& session, std::size_t left_out, bool none_left) {
  if (none_left)
    throw InputError(1080,
                     "no design of the library has an operand type that the layers can use "
                     "(see --encoding)");
  if (left_out > 0)
    warn(session, std::to_string(left_out) +
                      " designs of an operand type that these layers cannot use are left out");
}

std::vector<Multiplier> usable(std::span<const LayerOperands> layers,
                               std::vector<Multiplier> multipliers, std::size_t& left_out) {
  const std::size_t before = multipliers.size();
  const auto is_8x8 = [](const Multiplier& m) { return m.lut.is_8x8(); };
  if (!multipliers.empty() && std::ranges::none_of(multipliers, is_8x8))
    require_8x8(multipliers.front().lut, "error models take");
  std::erase_if(multipliers, [&](const Multiplier& m) {
    return !std::ranges::all_of(layers, [&](const LayerOperands& layer) {
      return m.lut.is_8x8() && can_use(layer.type, m.lut.type());
    });
  });
  left_out += before - multipliers.size();
  return multipliers;
}

void warn_of_layers(Session& session, std::span<const LayerOperands> layers,
                    std::span<const Evidence> evidence) {
  constexpr std::size_t kEnough = 32;  // receptive fields that tell the spread well enough
  constexpr double kFactor = 3;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerOperands& layer = layers[l];
    if (std::isnan(layer.output_std) && has_unequal_scales(layer))
      warn(session, layer.name +
                        ": b_scale differs between channels and attribute output_std_real is "
                        "missing, so σ relative to the outputs is not known");
    const double seen = evidence[l].output_std, stated = layer.output_std;
    if (evidence[l].receptive_fields >= kEnough && seen > 0 && stated > 0 &&
        (stated > kFactor * seen || seen > kFactor * stated))
      warn(session, fmt::format("{}: output_std is {:.4g}, its receptive fields give {:.4g}; is it "
                                "in accumulator units (src/tables/TRACES.md)?",
                                layer.name, stated, seen));
  }
}

void add_rare_events(const std::string& layer, std::size_t fields, const std::string& multiplier,
                     const Prediction& p, std::vector<RareEvents>& to) {
  if (!p.has_rare_events()) return;
  auto found = std::ranges::find(to, multiplier, &RareEvents::multiplier);
  if (found == to.end()) {
    to.push_back({multiplier, layer, p.effective_fields, p.fields_90, fields, 0, 0});
    found = to.end() - 1;
  }
  ++found->layers;
  if (p.effective_fields > found->effective_fields) return;
  const std::size_t layers = found->layers;
  *found = {multiplier, layer,  p.effective_fields,         p.fields_90,
            fields,     layers, p.sigma_bound / p.sigma_acc};
}

void warn_of_rare_events(Session& session, std::vector<RareEvents> events) {
  constexpr std::size_t kMost = 10;
  std::ranges::stable_sort(events, {}, &RareEvents::effective_fields);
  for (std::size_t i = 0; i < std::min(events.size(), kMost); ++i) {
    const RareEvents& e = events[i];
    std::string text = fmt::format(
        "{} errs rarely in {} {}: in {} its σ rests on {:.1f} of {} receptive fields in effect (90 "
        "% "
        "of the variance on {:.0f}); on other inputs it may be a multiple",
        e.multiplier, e.layers, e.layers == 1 ? "layer" : "layers", e.layer, e.effective_fields,
        e.receptive_fields, e.fields_90);
    if (e.bound > 1.005)
      text += fmt::format("; permutation predicts {:.2f} times as much", e.bound);
    warn(session, text);
  }
  if (events.size() > kMost)
    warn(session, fmt::format("{} more multipliers err rarely", events.size() - kMost));
}

PredictOptions predict_options(Session& session) {
  PredictOptions options;
  const Arguments& args = session.args;
  const auto count = [&](const char* option, std::int64_t least, std::size_t& to) {
    if (const auto value = args.integer(option, least, 1'000'000'000))
      to = static_cast<std::size_t>(*value);
  };
  count("patches", 0, options.patches);
  options.random_patches = args.has("random-patches");
  options.seed = static_cast<std::uint64_t>(args.integer("seed", 0, INT64_MAX).value_or(0));
  if (args.text_or("strata", "input-channel") == "kernel-position")
    options.strata = Strata::kernel_position;
  count("draws", 2, options.monte_carlo_draws);
  return options;
}

std::vector<ErrorModel> session_models(Session& session, std::span<const LayerOperands> layers,
                                       const char* fallback) {
  const bool patches = std::ranges::all_of(layers, [](const LayerOperands& layer) {
    return layer.has_patches() && layer.has_weights();
  });
  std::vector<std::string> names = split_list(session.args.values("model"));
  if (names.empty()) names = {fallback};
  std::vector<ErrorModel> models;
  for (const std::string& name : names) {
    if (name == "all" || name == "best") {
      for (ErrorModel model : kErrorModels)
        if (name == "all" ? patches || !needs_patches(model)
                          : model == (patches ? ErrorModel::sampled : ErrorModel::permutation))
          models.push_back(model);
      continue;
    }
    const auto model = parse_error_model(name);
    if (!model) {
      std::string known = "all";
      for (ErrorModel m : kErrorModels) known += ", " + std::string(to_string(m));
      throw UsageError(1072, "--model \"" + name + "\" is unknown; one of " + known);
    }
    models.push_back(*model);
  }
  return models;
}

}  // namespace axmul::cli
