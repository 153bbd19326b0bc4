// axmul plot …: pictures of designs, fronts and networks.
#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/plot/plots.hpp"
#include "axmul/plot/run_story.hpp"
#include "axmul/tables/predictions.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "cli/model_options.hpp"
#include "cli/plot_data.hpp"
#include "cli/plot_options.hpp"
#include "cli/program.hpp"
#include "cli/standing.hpp"

namespace axmul::cli {

namespace {

void append(std::vector<OptionSpec>& to, std::vector<OptionSpec> more) {
  for (OptionSpec& option : more) to.push_back(std::move(option));
}

/// The distribution options that matter to a picture: no ranks, no quantiles.
std::vector<OptionSpec> one_distribution_specs() {
  std::vector<OptionSpec> specs;
  for (OptionSpec& option : distribution_option_specs())
    if (option.name == "a" || option.name == "b" || option.name == "joint") {
      option.repeats = false;
      specs.push_back(std::move(option));
    }
  return specs;
}

CommandSpec picture_command(std::string kind, std::string purpose) {
  CommandSpec spec;
  spec.name = "plot " + kind;
  spec.purpose = std::move(purpose);
  spec.options = picture_option_specs();
  spec.notes =
      "SVG needs no other program; PNG and PDF are made by rsvg-convert (Debian package "
      "librsvg2-bin).";
  return spec;
}

CommandSpec design_picture(std::string kind, std::string purpose, std::vector<Example> examples,
                           std::function<plot::Picture(Session&)> draw, std::size_t most = 1) {
  CommandSpec spec = picture_command(std::move(kind), std::move(purpose));
  spec.examples = std::move(examples);
  spec.positionals = {designs_positional(1, most)};
  append(spec.options, one_distribution_specs());
  append(spec.options, open_option_specs());
  spec.run = [draw = std::move(draw)](Session& session) {
    write_picture(session, draw(session));
    return 0;
  };
  return spec;
}

/// The one design that a picture of one shows.
plot::DesignFigures one_design(Session& session, std::vector<ErrorMap>* errors = nullptr) {
  const std::vector<std::string>& texts = session.args.positional(0);
  auto designs = design_figures(session, texts, errors);
  if (designs.size() != 1)
    throw InputError(
        1027, Place{texts.front()},
        "holds several designs; name one of them as FILE:NAME (axmul list shows them)");
  return designs.front();
}

plot::Picture draw_heatmap(Session& session) {
  std::vector<ErrorMap> errors;
  const plot::DesignFigures design = one_design(session, &errors);
  plot::HeatmapOptions options;
  options.limit = session.args.number("limit", 1e-9, 1e9).value_or(0);
  return plot::heatmap(design, errors.front(), options, picture_options(session));
}

plot::Picture draw_layers(Session& session) {
  const std::vector<LayerOperands> layers = session_layers(session);
  return plot::layer_heatmap(predicted_matrix(session, layers, library_of(session, layers)),
                             picture_options(session));
}

plot::Picture draw_model(Session& session) {
  const std::vector<LayerOperands> layers = session_layers(session);
  const auto models = session_models(session, layers, "permutation");
  if (models.size() != 1) throw UsageError(1028, "a picture shows one --model");
  return plot::model_scatter(sigma_pairs(session, layers, models.front()),
                             std::string(to_string(models.front())), picture_options(session));
}

plot::Picture draw_run(Session& session) {
  const plot::RunStory run = plot::read_run_story(session.args.positional(0).front());
  const std::string show = session.args.text_or("show", "energy");
  const plot::PictureOptions options = picture_options(session);
  return show == "curves"   ? plot::run_curves(run, options)
         : show == "layers" ? plot::run_layers(run, options)
                            : plot::run_energy(run, options);
}

int run_pareto_picture(Session& session) {
  const Axis x = axis(session, "x", "power_rel"), y = axis(session, "y", "mae");
  write_picture(session, plot::pareto_front(front_points(session, x, y, session.args.positional(0)),
                                            axis_title(x.name), axis_title(y.name),
                                            picture_options(session)));
  return 0;
}

CommandSpec pareto_picture() {
  CommandSpec spec = picture_command(
      "pareto",
      "Draw designs in a plane of two figures with their Pareto front, a library behind.");
  spec.examples = {
      {"axmul plot pareto luts/axmul-library.h5 -o front.svg", "the front of a library"},
      {"axmul plot pareto new.npy 'drum(k=6)' --against luts/axmul-library.h5 --y mred -o "
       "front.png",
       "where new designs stand"}};
  spec.positionals = {designs_positional()};
  append(spec.options, standing_option_specs());
  spec.options.push_back({"against", "LIBRARY", "Draw the designs of that library behind."});
  append(spec.options, one_distribution_specs());
  append(spec.options, open_option_specs());
  spec.run = run_pareto_picture;
  return spec;
}

CommandSpec model_picture(std::string kind, std::string purpose, std::vector<Example> examples,
                          std::function<plot::Picture(Session&)> draw) {
  CommandSpec spec = picture_command(std::move(kind), std::move(purpose));
  spec.examples = std::move(examples);
  append(spec.options, model_option_specs());
  spec.run = [draw = std::move(draw)](Session& session) {
    write_picture(session, draw(session));
    return 0;
  };
  return spec;
}

CommandSpec run_picture() {
  CommandSpec spec = picture_command(
      "run", "Draw a run of axmul train run: accuracy against energy, training, or its layers.");
  spec.examples = {{"axmul plot run runs/lenet5 -o energy.svg", "accuracy against energy"},
                   {"axmul plot run runs/lenet5 --show layers -o layers.pdf",
                    "learned noise and multipliers by layer"}};
  spec.positionals = {{"RUN", "folder of a run, or its run.json", 1, 1}};
  spec.options.push_back({"show",
                          "WHAT",
                          "energy, curves (training accuracy) or layers (σ_l and multipliers).",
                          "energy",
                          false,
                          {"energy", "curves", "layers"}});
  spec.run = [](Session& session) {
    write_picture(session, draw_run(session));
    return 0;
  };
  return spec;
}

}  // namespace

std::vector<CommandSpec> plot_commands() {
  CommandSpec heatmap = design_picture(
      "heatmap", "Draw the errors of a design over both operands, with the mean given each.",
      {{"axmul plot heatmap 'drum(k=6)' -o drum.svg", "for a web page or a paper"},
       {"axmul plot heatmap mul8u_2AC.bin --size full -o map.png", "as wide as a page"}},
      draw_heatmap);
  heatmap.options.push_back(
      {"limit", "ERROR", "Errors from there on have the end's colour.", "the largest error"});
  return {
      heatmap,
      design_picture("pmf", "Draw how probable each error of a design is.",
                     {{"axmul plot pmf mitchell --a 'halfnormal(std=40)' -o pmf.svg",
                       "under the activations of a network"}},
                     [](Session& session) {
                       return plot::pmf(one_design(session), picture_options(session));
                     }),
      design_picture("conditional", "Draw the mean error ± σ given a, and given b.",
                     {{"axmul plot conditional 'drum(k=6)' -o given.svg", "uniform operands"}},
                     [](Session& session) {
                       return plot::conditional(one_design(session), picture_options(session));
                     }),
      design_picture("bits", "Draw how often each output bit of a design is wrong.",
                     {{"axmul plot bits 'truncated(k=4)' -o bits.svg", "uniform operands"}},
                     [](Session& session) {
                       return plot::bits(one_design(session), picture_options(session));
                     }),
      design_picture(
          "compare", "Draw how often the errors of several designs are how large.",
          {{"axmul plot compare 'drum(k=6)' mitchell 'truncated(k=4)' -o compare.svg",
            "three designs"}},
          [](Session& session) {
            return plot::compare(design_figures(session, session.args.positional(0)),
                                 picture_options(session));
          },
          kMany),
      pareto_picture(),
      model_picture("layers", "Draw the predicted error of each layer with each multiplier.",
                    {{"axmul plot layers --traces resnet20.h5 --library luts/axmul-library.h5 -o "
                      "layers.svg",
                      "σ of the error over that of the outputs"}},
                    draw_layers),
      model_picture("model", "Draw predicted against measured σ, from one half of the images each.",
                    {{"axmul plot model --traces resnet20.h5 --library luts/axmul-library.h5 "
                      "--model multi-population -o model.svg",
                      "how good a model is"}},
                    draw_model),
      run_picture()};
}

}  // namespace axmul::cli
