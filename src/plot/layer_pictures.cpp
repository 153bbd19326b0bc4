// Pictures of error models: layers × multipliers, and predictions beside measurements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "axmul/plot/plots.hpp"
#include "plot/axes.hpp"
#include "plot/colors.hpp"
#include "plot/words.hpp"

namespace axmul::plot {

namespace {

/// Decades that the values span, whole ones at both ends.
struct Decades {
  int low = 0, high = 1;
  double place(double value) const {
    return (std::log10(value) - low) / static_cast<double>(high - low);
  }
};

Decades decades_of(std::span<const double> values) {
  double low = HUGE_VAL, high = 0;
  for (const double value : values)
    if (value > 0 && std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (high == 0) return {};
  Decades d{static_cast<int>(std::floor(std::log10(low))),
            static_cast<int>(std::ceil(std::log10(high)))};
  // Multipliers that are all but exact would take the colours from all others.
  d.low = std::max(d.low, d.high - 6);
  if (d.high == d.low) ++d.high;
  return d;
}

/// Rows by rising median, as a reader looks for the good ones.
std::vector<std::size_t> by_median(const LayerMatrix& m) {
  std::vector<double> medians;
  for (std::size_t j = 0; j < m.multipliers.size(); ++j) {
    std::vector<double> values;
    for (std::size_t l = 0; l < m.layers.size(); ++l)
      if (const double v = m.values[l * m.multipliers.size() + j]; std::isfinite(v))
        values.push_back(v);
    std::ranges::sort(values);
    medians.push_back(values.empty() ? HUGE_VAL : values[values.size() / 2]);
  }
  std::vector<std::size_t> order(m.multipliers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t j) { return medians[j]; });
  return order;
}

void draw_scale(Canvas& canvas, const Box& box, const Decades& decades, const std::string& title,
                double width) {
  constexpr int kSteps = 64;
  const double step = box.width / kSteps;
  for (int i = 0; i < kSteps; ++i)
    canvas.rect({box.x + i * step, box.y, step + 0.3, box.height}, "cell", {},
                fmt::format("fill=\"{}\"", hex(sequential_color((i + 0.5) / kSteps))));
  for (int e = decades.low; e <= decades.high; ++e) {
    const double x = box.x + box.width * (e - decades.low) / (decades.high - decades.low);
    canvas.line({x, box.bottom()}, {x, box.bottom() + 3}, "axis");
    canvas.text({x, box.bottom() + kTickSize + 3}, figure_text(std::pow(10, e)),
                {"tick", Anchor::middle});
  }
  canvas.text({width / 2, box.bottom() + 26}, title, {"label", Anchor::middle});
}

std::string title_of(const LayerMatrix& m) {
  return m.figure == "sigma_rel" ? "sigma_rel = σ of the error / σ of the outputs" : m.figure;
}

DataTable matrix_data(const LayerMatrix& m) {
  std::vector<std::string> layers, multipliers;
  for (const std::string& layer : m.layers)
    for (const std::string& multiplier : m.multipliers) {
      layers.push_back(layer);
      multipliers.push_back(multiplier);
    }
  return {"layers",
          {texts_column("layer", layers), texts_column("multiplier", multipliers),
           numbers_column(m.figure, m.values)}};
}

}  // namespace

Picture layer_heatmap(const LayerMatrix& m, const PictureOptions& options) {
  Canvas canvas;
  const double top = draw_title(canvas, "Predicted error of each layer",
                                fmt::format("model {}; multipliers by rising median", m.model),
                                options.title, options.width);
  const std::size_t rows = m.multipliers.size(), columns = m.layers.size();
  const double row = rows > 60 ? std::max(3.0, 640.0 / static_cast<double>(rows)) : 11;
  double left = 0;
  for (const std::string& name : m.multipliers)
    left = std::max(left, text_width(name, kTickSize) + 8);
  left = std::min(left, options.width * 0.46);
  double header = 0;
  for (const std::string& name : m.layers)
    header = std::max(header, text_width(name, kTickSize) + 6);
  header = std::min(header, 110.0);
  const double cell = (options.width - left - 8) / static_cast<double>(columns);
  const Decades decades = decades_of(m.values);
  const double y0 = top + header;
  const auto every = static_cast<std::size_t>(std::ceil(8.6 / cell));
  for (std::size_t l = 0; l < columns; l += every)
    canvas.text({left + cell * (static_cast<double>(l) + 0.5) + 3, y0 - 4},
                fitted_middle(m.layers[l], header - 4, kTickSize), {"tick", Anchor::start, true});
  const auto order = by_median(m);
  const auto name_every = static_cast<std::size_t>(std::ceil(10.0 / row));
  canvas.open(fmt::format("data-series=\"{}\"", m.figure));
  for (std::size_t i = 0; i < rows; ++i) {
    const double y = y0 + row * static_cast<double>(i);
    const std::string& name = m.multipliers[order[i]];
    if (i % name_every == 0)
      canvas.text({left - 4, y + row / 2 + 3}, fitted_middle(name, left - 6, kTickSize),
                  {"tick", Anchor::end});
    for (std::size_t l = 0; l < columns; ++l) {
      const double value = m.values[l * rows + order[i]];
      const std::string fill = std::isnan(value) ? "none"
                               : value > 0       ? hex(sequential_color(decades.place(value)))
                                                 : "#ffffff";
      canvas.rect({left + cell * static_cast<double>(l), y, cell, row}, "cell",
                  fmt::format("{}, {}: {}", m.layers[l], name, figure_text(value)),
                  fmt::format("fill=\"{}\"", fill));
    }
  }
  canvas.close();
  const Box all{left, y0, options.width - left - 8, row * static_cast<double>(rows)};
  canvas.rect(all, "frame");
  const Box scale{left, all.bottom() + 10, all.width, 9};
  draw_scale(canvas, scale, decades, title_of(m), options.width);
  return {"layers",
          fmt::format("{} of {} layers with {} multipliers, model {}", m.figure, columns, rows,
                      m.model),
          options.width,
          scale.bottom() + 32,
          canvas.take(),
          {matrix_data(m)}};
}

Picture model_scatter(std::span<const SigmaPair> pairs, const std::string& model,
                      const PictureOptions& options) {
  Canvas canvas;
  std::vector<double> values, errors;
  for (const SigmaPair& pair : pairs)
    if (pair.predicted > 0 && pair.measured > 0) {
      values.insert(values.end(), {pair.predicted, pair.measured});
      errors.push_back(std::abs(pair.predicted - pair.measured) / pair.measured);
    }
  std::ranges::sort(errors);
  const std::string summary =
      errors.empty()
          ? "no pair with an error"
          : fmt::format(
                "{}: {} pairs, median off by {} %", model, errors.size(),
                figure_text(100 * (errors[(errors.size() - 1) / 2] + errors[errors.size() / 2]) / 2,
                            2));
  const double top =
      draw_title(canvas, "Predicted and measured σ", summary, options.title, options.width);
  Axis y = Axis::logarithmic(values, top + 100, top);
  const double left = left_margin(y, 6);
  const double side = std::min(options.width - left - 10, 420.0);
  y = y.moved(top + side, top);
  Frame frame{{left, top, side, side},
              y.moved(left, left + side),
              y,
              "measured σ, accumulator units",
              "predicted σ, accumulator units"};
  draw_frame(canvas, frame);
  canvas.line({frame.x.at(y.low()), y.at(y.low())}, {frame.x.at(y.high()), y.at(y.high())}, "soft");
  open_series(canvas, frame, "pairs");
  for (const SigmaPair& pair : pairs)
    if (pair.predicted > 0 && pair.measured > 0)
      canvas.circle(
          {frame.x.at(pair.measured), y.at(pair.predicted)}, 1.7, "accent-fill faint",
          pairs.size() > 3000
              ? std::string()
              : fmt::format("{}, {}: predicted {}, measured {}", pair.layer, pair.multiplier,
                            figure_text(pair.predicted), figure_text(pair.measured)));
  canvas.close();
  Picture picture{"model",
                  "Predicted against measured σ of the accumulated error, " + summary,
                  std::max(options.width, left + side + 10),
                  frame.box.bottom() + kBelowAxis + 2,
                  canvas.take(),
                  {}};
  std::vector<std::string> layers, multipliers;
  std::vector<double> predicted, measured;
  for (const SigmaPair& pair : pairs) {
    layers.push_back(pair.layer);
    multipliers.push_back(pair.multiplier);
    predicted.push_back(pair.predicted);
    measured.push_back(pair.measured);
  }
  picture.data = {{"pairs",
                   {texts_column("layer", layers), texts_column("multiplier", multipliers),
                    numbers_column("predicted_sigma", predicted, "accumulator units"),
                    numbers_column("measured_sigma", measured, "accumulator units")}}};
  return picture;
}

}  // namespace axmul::plot
