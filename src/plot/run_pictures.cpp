// Pictures of a run: accuracy against energy, curves, noise levels and multipliers by layer.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/plot/run_story.hpp"
#include "plot/axes.hpp"
#include "plot/labels.hpp"
#include "plot/words.hpp"

namespace axmul::plot {

namespace {

/// Marks by method: the search's are the accent.
const std::vector<std::string>& methods(const RunStory& run, std::vector<std::string>& found) {
  for (const StoryPoint& p : run.points)
    if (std::ranges::find(found, p.method) == found.end()) found.push_back(p.method);
  const auto search = std::ranges::find(found, "search");
  if (search != found.end()) std::rotate(found.begin(), search, search + 1);
  return found;
}

std::string point_tip(const StoryPoint& p) {
  return fmt::format("{} ({}): relative energy {}, accuracy {} %, {} ± {} points of 8-bit", p.name,
                     p.method, figure_text(p.relative_energy), figure_text(100 * p.report.top1),
                     figure_text(100 * p.report.difference),
                     figure_text(100 * p.report.standard_error));
}

DataTable energy_data(const RunStory& run) {
  std::vector<std::string> names, method;
  std::vector<double> energy, top1, difference, error, chosen;
  for (const StoryPoint& p : run.points) {
    names.push_back(p.name);
    method.push_back(p.method);
    energy.push_back(p.relative_energy);
    top1.push_back(p.report.top1);
    difference.push_back(p.report.difference);
    error.push_back(p.report.standard_error);
    chosen.push_back(p.chosen);
  }
  return {"points",
          {texts_column("point", names), texts_column("method", method),
           numbers_column("relative_energy", energy), numbers_column("top1", top1),
           numbers_column("difference", difference), numbers_column("standard_error", error),
           numbers_column("chosen", chosen)}};
}

/// Vertical range of the points with their bars; what lies far below is left to the tips.
Axis accuracy_axis(const RunStory& run, double from, double to) {
  double low = 100 * run.quantized_report.top1, high = low;
  for (const StoryPoint& p : run.points) {
    if (!std::isfinite(p.report.top1)) continue;
    const double bar = std::isfinite(p.report.standard_error) ? p.report.standard_error : 0;
    low = std::min(std::isnan(low) ? HUGE_VAL : low, 100 * (p.report.top1 - bar));
    high = std::max(std::isnan(high) ? -HUGE_VAL : high, 100 * (p.report.top1 + bar));
  }
  return Axis::linear(low, high, from, to);
}

void draw_points(Canvas& canvas, const Frame& frame, const RunStory& run,
                 const std::vector<std::string>& kinds) {
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    open_series(canvas, frame, kinds[k]);
    const std::string stroke = fmt::format("s{} solid", k % 6), fill = fmt::format("f{}", k % 6);
    for (const StoryPoint& p : run.points) {
      if (p.method != kinds[k] || !std::isfinite(p.relative_energy) ||
          !std::isfinite(p.report.top1))
        continue;
      const double x = frame.x.at(p.relative_energy), y = frame.y.at(100 * p.report.top1);
      if (const double bar = p.report.standard_error; std::isfinite(bar)) {
        const double up = frame.y.at(100 * (p.report.top1 + bar));
        const double down = frame.y.at(100 * (p.report.top1 - bar));
        canvas.line({x, up}, {x, down}, "bars");
        canvas.line({x - 2, up}, {x + 2, up}, "bars");
        canvas.line({x - 2, down}, {x + 2, down}, "bars");
      }
      canvas.circle({x, y}, p.chosen ? 4 : 2.6, fill, point_tip(p),
                    fmt::format("data-name=\"{}\"", xml_text(p.name)));
      if (p.chosen) canvas.circle({x, y}, 6, stroke);
    }
    canvas.close();
  }
}

double draw_key(Canvas& canvas, const std::vector<std::string>& kinds, double left, double y,
                double width) {
  double x = left;
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const double needed = text_width(kinds[k], kTickSize) + 22;
    if (x > left && x + needed > width) {
      x = left;
      y += 13;
    }
    canvas.circle({x + 4, y - 3}, 3, fmt::format("f{}", k % 6));
    canvas.text({x + 11, y}, kinds[k], {"tick"});
    x += needed;
  }
  return y + 6;
}

}  // namespace

Picture run_energy(const RunStory& run, const PictureOptions& options) {
  Canvas canvas;
  std::vector<std::string> found;
  const auto& kinds = methods(run, found);
  const std::string images = run.quantized_report.images > 0
                                 ? fmt::format("{} images, ", run.quantized_report.images)
                                 : "";
  const double top = draw_title(canvas, "Accuracy and energy of " + run.network,
                                images + "bars: ± one standard error of the difference to 8 bits",
                                options.title, options.width);
  const double height = options.width < 520 ? 200 : 290;
  const Axis y = accuracy_axis(run, top + height, top);
  const double left = left_margin(y, 6);
  std::vector<double> energies;
  for (const StoryPoint& p : run.points)
    if (std::isfinite(p.relative_energy)) energies.push_back(p.relative_energy);
  const double most = energies.empty() ? 1 : std::max(1.0, std::ranges::max(energies));
  Frame frame{{left, top, options.width - left - 10, height},
              Axis::linear(0, most, left, options.width - 10),
              y,
              "relative energy of the multiplications",
              "accuracy (top 1), %"};
  frame.y_ticks = 8;
  draw_frame(canvas, frame);
  std::vector<Point> marks;
  std::vector<LabelledPoint> names;
  for (const StoryPoint& p : run.points) {
    if (!std::isfinite(p.relative_energy) || !std::isfinite(p.report.top1)) continue;
    marks.push_back({frame.x.at(p.relative_energy), y.at(100 * p.report.top1)});
    const double bar = std::isfinite(p.report.standard_error) ? 100 * p.report.standard_error : 0;
    for (const double part : {-1.0, -0.5, 0.5, 1.0})
      marks.push_back({marks.back().x, y.at(100 * p.report.top1 + part * bar)});
    names.push_back({{frame.x.at(p.relative_energy), y.at(100 * p.report.top1)}, p.name});
  }
  if (const double exact = 100 * run.quantized_report.top1; std::isfinite(exact)) {
    canvas.line({frame.box.x, y.at(exact)}, {frame.box.right(), y.at(exact)}, "zero");
    canvas.text({frame.box.right(), y.at(exact) - 3},
                "exact 8 bits " + figure_text(exact, 4) + " %", {"name", Anchor::end});
    for (double x = frame.box.right() - 105; x < frame.box.right(); x += 6)
      marks.push_back({x, y.at(exact) - 6});
  }
  draw_points(canvas, frame, run, kinds);
  double bottom =
      draw_key(canvas, kinds, left, frame.box.bottom() + kBelowAxis + 10, options.width - 8);
  std::ranges::sort(names, [](const auto& p, const auto& q) { return p.at.x < q.at.x; });
  bottom = draw_labels(canvas, names, marks, frame.box, options.width, bottom + 8);
  return {"run",
          fmt::format("Accuracy of {} against the energy of its multiplications, {} points",
                      run.network, run.points.size()),
          options.width,
          bottom,
          canvas.take(),
          {energy_data(run)}};
}

Picture run_curves(const RunStory& run, const PictureOptions& options) {
  Canvas canvas;
  std::vector<StoryEpoch> epochs = run.epochs;
  const StoryPoint* chosen = chosen_point(run);
  if (chosen != nullptr) epochs.insert(epochs.end(), chosen->epochs.begin(), chosen->epochs.end());
  std::map<std::string, std::vector<StoryEpoch>> stages;
  double longest = 1, low = HUGE_VAL, high = 0;
  for (const StoryEpoch& e : epochs) {
    if (!std::isfinite(e.accuracy) || !std::isfinite(e.epoch)) continue;
    stages[e.stage].push_back(e);
    longest = std::max(longest, e.epoch);
    low = std::min(low, 100 * e.accuracy);
    high = std::max(high, 100 * e.accuracy);
  }
  const double top =
      draw_title(canvas, "Training of " + run.network,
                 chosen == nullptr ? "" : fmt::format("search and retraining of {}", chosen->name),
                 options.title, options.width);
  const double height = 160;
  const Axis y = stages.empty() ? Axis::linear(0, 100, top + height, top)
                                : Axis::linear(low, high, top + height, top);
  const double left = left_margin(y, 6);
  Frame frame{{left, top, options.width - left - 10, height},
              Axis::linear(1, longest, left, options.width - 10, false),
              y,
              "epoch of its stage",
              "training accuracy, %"};
  for (const Tick& tick : frame.x.ticks(8))
    if (tick.value == std::floor(tick.value))
      frame.own_x_ticks.push_back({tick.value, fmt::format("{:.0f}", tick.value)});
  draw_frame(canvas, frame);
  std::vector<std::string> names;
  DataTable data{"epochs",
                 {texts_column("stage", {}), numbers_column("epoch", {}),
                  numbers_column("loss", {}), numbers_column("accuracy", {})}};
  for (const char* stage : {"baseline", "quantize", "control", "search", "retrain"}) {
    const auto it = stages.find(stage);
    if (it == stages.end()) continue;
    std::vector<Point> line;
    for (const StoryEpoch& e : it->second) {
      line.push_back({frame.x.at(e.epoch), y.at(100 * e.accuracy)});
      data.columns[0].texts.push_back(e.stage);
      data.columns[1].numbers.push_back(e.epoch);
      data.columns[2].numbers.push_back(e.loss);
      data.columns[3].numbers.push_back(e.accuracy);
    }
    open_series(canvas, frame, stage);
    canvas.polyline(line, fmt::format("s{}", names.size()));
    for (const Point& p : line) canvas.circle(p, 2, fmt::format("f{}", names.size()));
    canvas.close();
    names.emplace_back(stage);
  }
  const double bottom =
      draw_key(canvas, names, left, frame.box.bottom() + kBelowAxis + 10, options.width - 8);
  return {"run-curves",  "Training accuracy of " + run.network + " over the epochs",
          options.width, bottom,
          canvas.take(), {data}};
}

namespace {

DataTable layer_data(const StoryPoint& point) {
  DataTable data{"layers",
                 {texts_column("layer", {}), texts_column("multiplier", {}),
                  numbers_column("power_rel", {}), numbers_column("sigma_l", {}),
                  numbers_column("sigma_compared", {}), numbers_column("ops", {})}};
  for (const StoryLayer& l : point.layers) {
    data.columns[0].texts.push_back(l.layer);
    data.columns[1].texts.push_back(l.multiplier);
    data.columns[2].numbers.push_back(l.power_rel);
    data.columns[3].numbers.push_back(l.sigma_l);
    data.columns[4].numbers.push_back(l.sigma_compared);
    data.columns[5].numbers.push_back(l.ops);
  }
  return data;
}

}  // namespace

Picture run_layers(const RunStory& run, const PictureOptions& options) {
  const StoryPoint* point = chosen_point(run);
  if (point == nullptr || point->layers.empty())
    throw InputError(1134, Place{run.path}, "has no point of a search, so no layers to show");
  Canvas canvas;
  const double top =
      draw_title(canvas, "Layers of " + point->name,
                 fmt::format("{}: noise that a layer tolerates, and its multiplier's", run.network),
                 options.title, options.width);
  std::vector<double> values;
  double layer_width = 0, multiplier_width = 0;
  for (const StoryLayer& l : point->layers) {
    values.insert(values.end(), {l.sigma_l, l.sigma_compared});
    layer_width = std::max(layer_width, text_width(l.layer, kTickSize) + 8);
    multiplier_width = std::max(multiplier_width, text_width(l.multiplier, kTickSize) + 8);
  }
  layer_width = std::min(layer_width, options.width * 0.3);
  multiplier_width = std::min(multiplier_width, options.width * 0.27);
  const double row = 13, height = row * static_cast<double>(point->layers.size()) + 6;
  const double right = options.width - multiplier_width - 36;
  Frame frame{{layer_width, top + 14, right - layer_width, height},
              Axis::logarithmic(values, layer_width, right),
              Axis::linear(0, 1, top + height, top, false),
              "σ of the error / σ of the outputs",
              ""};
  const Box& box = frame.box;
  for (const Tick& tick : frame.x.ticks(5)) {
    canvas.line({frame.x.at(tick.value), box.y}, {frame.x.at(tick.value), box.bottom()}, "grid");
    canvas.text({frame.x.at(tick.value), box.bottom() + kTickSize + 3}, tick.label,
                {"tick", Anchor::middle});
  }
  canvas.line({box.x, box.bottom()}, {box.right(), box.bottom()}, "axis");
  canvas.text({box.x + box.width / 2, box.bottom() + kBelowAxis - 4}, frame.x_title,
              {"label", Anchor::middle});
  canvas.text({right + 8, box.y - 4}, "multiplier", {"name"});
  canvas.text({options.width - 4, box.y - 4}, "power", {"name", Anchor::end});
  open_series(canvas, frame, "layers");
  for (std::size_t i = 0; i < point->layers.size(); ++i) {
    const StoryLayer& l = point->layers[i];
    const double y = box.y + row * (static_cast<double>(i) + 0.5) + 3;
    canvas.text({layer_width - 4, y + 3}, fitted_middle(l.layer, layer_width - 6, kTickSize),
                {"tick", Anchor::end});
    if (std::isfinite(l.sigma_l))
      canvas.line({frame.x.at(l.sigma_l), y - 5}, {frame.x.at(l.sigma_l), y + 5}, "s1 solid");
    if (std::isfinite(l.sigma_l) && std::isfinite(l.sigma_compared))
      canvas.line({frame.x.at(l.sigma_l), y}, {frame.x.at(l.sigma_compared), y}, "lead");
    if (std::isfinite(l.sigma_compared))
      canvas.circle({frame.x.at(l.sigma_compared), y}, 2.6, "accent-fill",
                    fmt::format("{}: tolerates {}, {} gives {}", l.layer, figure_text(l.sigma_l),
                                l.multiplier, figure_text(l.sigma_compared)));
    canvas.text({right + 8, y + 3}, fitted_middle(l.multiplier, multiplier_width, kTickSize),
                {"tick"});
    canvas.text({options.width - 4, y + 3}, figure_text(l.power_rel, 2), {"tick", Anchor::end});
  }
  canvas.close();
  const double key = box.bottom() + kBelowAxis + 10;
  canvas.line({box.x + 4, key - 8}, {box.x + 4, key + 1}, "s1 solid");
  canvas.text({box.x + 11, key}, "learned σ_l", {"tick"});
  canvas.circle({box.x + 84, key - 3}, 2.6, "accent-fill");
  canvas.text({box.x + 91, key}, "σ of the multiplier, as matched", {"tick"});
  return {"run-layers",
          fmt::format("Tolerated and given noise of the layers of {}, point {}", run.network,
                      point->name),
          options.width,
          key + 8,
          canvas.take(),
          {layer_data(*point)}};
}

}  // namespace axmul::plot
