// Where pictures and their numbers go.
#include "cli/plot_options.hpp"

#include <filesystem>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "cli/characterize_options.hpp"
#include "cli/design_options.hpp"
#include "command/output.hpp"

namespace axmul::cli {

namespace {

std::filesystem::path with_name(const std::filesystem::path& path, const std::string& name) {
  return path.parent_path() / (path.stem().string() + "." + name + path.extension().string());
}

void write_data(Session& session, const plot::Picture& picture, const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  const bool force = session.args.has("force");
  const auto said = [&](const std::string& file) {
    if (!session.quiet) session.io.err << "wrote " << file << '\n';
  };
  if (extension == ".json") {
    write_file(path, plot::data_json(picture), force);
    return said(path);
  }
  if (extension != ".csv")
    throw UsageError(1026, "--data writes .csv or .json, not \"" + path + "\"");
  for (std::size_t i = 0; i < picture.data.size(); ++i) {
    const std::string file = i == 0 ? path : with_name(path, picture.data[i].name).string();
    write_file(file, plot::data_csv(picture.data[i]), force);
    said(file);
  }
}

}  // namespace

std::vector<OptionSpec> picture_option_specs() {
  std::vector<OptionSpec> specs = output_options({"svg", "png", "pdf"});
  specs.push_back({"data", "FILE",
                   "Also write the numbers behind the picture, as .csv (more tables beside it as "
                   "FILE.TABLE.csv) or .json."});
  specs.push_back({"size", "WIDTH",
                   "Of the picture: column (90 mm), full (185 mm) or a number of millimetres from "
                   "80 to 400; letters keep their size.",
                   "column"});
  specs.push_back({"dpi", "N", "Dots per inch of a PNG.", "300"});
  specs.push_back({"no-title", "", "Leave the title out, as papers do."});
  return specs;
}

plot::PictureOptions picture_options(const Session& session) {
  plot::PictureOptions options;
  options.title = !session.args.has("no-title");
  const std::string width = session.args.text_or("size", "column");
  if (width == "full")
    options.width = plot::kFullWidth;
  else if (width != "column")
    options.width = session.args.number("size", 80, 400).value_or(90) / 25.4 * 96;
  return options;
}

void write_picture(Session& session, const plot::Picture& picture) {
  const OutputTarget target = output_target(session);
  const double dpi = session.args.number("dpi", 30, 1200).value_or(300);
  const std::string svg = plot::standalone_svg(picture);
  write_output(session, target,
               target.format == "svg" ? svg : plot::converted_svg(svg, target.format, dpi));
  if (const auto data = session.args.text("data")) write_data(session, picture, *data);
}

std::vector<plot::DesignFigures> design_figures(Session& session,
                                                const std::vector<std::string>& texts,
                                                std::vector<ErrorMap>* errors) {
  const CharacterizationOptions options = characterization_options(session);
  if (options.distributions.size() > 1)
    throw UsageError(1025, "a picture shows one distribution; give one --a and one --b");
  const DesignList list = session_designs(session, texts);
  const DistributionSet distributions(options);
  std::vector<plot::DesignFigures> figures;
  characterize_designs(list.designs, options, distributions, [&](const Characterization& c) {
    require_8x8(c.multiplier.lut, "pictures of errors take");
    const OperandType type = c.multiplier.lut.type();
    const ResolvedDistribution& d = distributions.of(type).front();
    figures.push_back({c.multiplier.name, type, d.text_a, d.text_b, c.reports.front()});
    if (errors != nullptr) errors->emplace_back(c.multiplier.lut);
  });
  return figures;
}

}  // namespace axmul::cli
