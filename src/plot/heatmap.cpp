// The error map with its marginals and a colour bar.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "axmul/plot/plots.hpp"
#include "plot/axes.hpp"
#include "plot/colors.hpp"
#include "plot/words.hpp"

namespace axmul::plot {

namespace {

constexpr int kLevels = 127;  // colours on each side of 0
constexpr double kMargin = 46, kGap = 9;

std::vector<Rgb> palette() {
  std::vector<Rgb> colors;
  for (int i = -kLevels; i <= kLevels; ++i)
    colors.push_back(diverging_color(static_cast<double>(i) / kLevels));
  return colors;
}

/// 0 has a colour of its own: errors of one unit look different from none.
int level(double error, double limit) {
  if (error == 0) return 0;
  const int step = static_cast<int>(std::lround(kLevels * std::min(1.0, std::abs(error) / limit)));
  return (error < 0 ? -1 : 1) * std::max(step, 3);
}

/// Row 0 of the image is the largest a.
std::string map_png(const ErrorMap& errors, double limit) {
  std::vector<std::uint8_t> pixels(kLutSize);
  const auto values = errors.values();
  for (std::size_t a = 0; a < kOperandCount; ++a)
    for (std::size_t b = 0; b < kOperandCount; ++b)
      pixels[(kOperandCount - 1 - a) * kOperandCount + b] =
          static_cast<std::uint8_t>(level(values[a * kOperandCount + b], limit) + kLevels);
  return palette_png(kOperandCount, kOperandCount, pixels, palette());
}

void draw_color_bar(Canvas& canvas, const Box& box, double limit, bool is_clipped) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i <= 2 * kLevels; ++i) pixels.push_back(static_cast<std::uint8_t>(i));
  canvas.image(box, palette_png(pixels.size(), 1, pixels, palette()), "bar-image");
  canvas.rect(box, "frame");
  const Axis axis = Axis::linear(-limit, limit, box.x, box.right(), false);
  for (const Tick& tick : axis.ticks(5)) {
    canvas.line({axis.at(tick.value), box.bottom()}, {axis.at(tick.value), box.bottom() + 3},
                "axis");
    canvas.text({axis.at(tick.value), box.bottom() + kTickSize + 3}, tick.label,
                {"tick", Anchor::middle});
  }
  canvas.text({box.x + box.width / 2, box.bottom() + 26},
              is_clipped ? "error e = approximate − exact (beyond the ends: the end's colour)"
                         : "error e = approximate − exact",
              {"label", Anchor::middle});
}

std::vector<Tick> operand_ticks(int least) {
  std::vector<Tick> ticks;
  for (int value = least; value <= least + 256; value += 64) {
    const int shown = value == least + 256 ? value - 1 : value;
    ticks.push_back(
        {static_cast<double>(shown), (shown < 0 ? "−" : "") + std::to_string(std::abs(shown))});
  }
  return ticks;
}

/// Mean error given one operand, beside the map: above it (given b) or to its right (given a).
void draw_marginal(Canvas& canvas, const Box& box, const std::array<double, kOperandCount>& bias,
                   double limit, bool above) {
  canvas.open(fmt::format("data-series=\"bias_given_{}\"", above ? "b" : "a"));
  const Axis axis = above ? Axis::linear(-limit, limit, box.bottom(), box.y, false)
                          : Axis::linear(-limit, limit, box.x, box.right(), false);
  const double zero = axis.at(0);
  if (above)
    canvas.line({box.x, zero}, {box.right(), zero}, "zero");
  else
    canvas.line({zero, box.y}, {zero, box.bottom()}, "zero");
  std::vector<Point> line;
  const auto draw = [&] {
    canvas.polyline(line, "accent thin");
    line.clear();
  };
  for (std::size_t i = 0; i < kOperandCount; ++i) {
    const double along = (static_cast<double>(i) + 0.5) / kOperandCount;
    if (std::isnan(bias[i]))
      draw();
    else if (above)
      line.push_back({box.x + along * box.width, axis.at(bias[i])});
    else
      line.push_back({axis.at(bias[i]), box.bottom() - along * box.height});
  }
  draw();
  canvas.close();
}

double largest(const std::array<double, kOperandCount>& x,
               const std::array<double, kOperandCount>& y) {
  double most = 0;
  for (const auto* values : {&x, &y})
    for (const double value : *values)
      if (std::isfinite(value)) most = std::max(most, std::abs(value));
  return most > 0 ? most : 1;
}

void fill_data(Picture& picture, const DesignFigures& design, const ErrorMap& errors) {
  std::vector<double> a, b, e, operand_a, operand_b, bias_a, bias_b;
  for (int i = 0; i < kOperandCount; ++i) {
    for (int j = 0; j < kOperandCount; ++j) {
      a.push_back(a_min(design.type) + i);
      b.push_back(b_min(design.type) + j);
      e.push_back(errors(a_min(design.type) + i, b_min(design.type) + j));
    }
    operand_a.push_back(a_min(design.type) + i);
    operand_b.push_back(b_min(design.type) + i);
  }
  const ConditionalErrors& c = design.report.conditional;
  bias_a.assign(c.bias_given_a.begin(), c.bias_given_a.end());
  bias_b.assign(c.bias_given_b.begin(), c.bias_given_b.end());
  picture.data = {
      {"error", {numbers_column("a", a), numbers_column("b", b), numbers_column("error", e)}},
      {"marginals",
       {numbers_column("operand_a", operand_a), numbers_column("bias_given_a", bias_a),
        numbers_column("operand_b", operand_b), numbers_column("bias_given_b", bias_b)}}};
}

}  // namespace

Picture heatmap(const DesignFigures& design, const ErrorMap& errors, const HeatmapOptions& heatmap,
                const PictureOptions& options) {
  Canvas canvas;
  double most = 0;
  for (const std::int32_t e : errors.values())
    most = std::max(most, std::abs(static_cast<double>(e)));
  const double limit = heatmap.limit > 0 ? heatmap.limit : most > 0 ? most : 1;
  const double top = draw_title(canvas, "Error of " + design.name, operands_text(design),
                                options.title, options.width);
  const Axis a_axis = Axis::linear(a_min(design.type), a_max(design.type) + 1, 1, 0, false);
  const double left = 44, side = options.width - left - kGap - kMargin - 4;
  const Box map{left, top + kMargin + kGap, side, side};
  const Box above{left, top, side, kMargin}, beside{map.right() + kGap, map.y, kMargin, side};

  canvas.image(map, map_png(errors, limit), "map");
  canvas.rect(map, "frame");
  // A pixel is a value wide: the axis ends one value behind the last.
  const Axis b_axis =
      Axis::linear(b_min(design.type), b_max(design.type) + 1, map.x, map.right(), false);
  for (const Tick& tick : operand_ticks(b_min(design.type)))
    canvas.text({b_axis.at(tick.value + 0.5), map.bottom() + kTickSize + 3}, tick.label,
                {"tick", Anchor::middle});
  const Axis upwards = a_axis.moved(map.bottom(), map.y);
  for (const Tick& tick : operand_ticks(a_min(design.type)))
    canvas.text({map.x - 4, upwards.at(tick.value + 0.5) + 3}, tick.label, {"tick", Anchor::end});
  canvas.text({map.x + side / 2, map.bottom() + kBelowAxis - 4}, "operand b (weight)",
              {"label", Anchor::middle});
  canvas.text({kLabelSize, map.y + side / 2}, "operand a (activation)",
              {"label", Anchor::middle, true});

  const ConditionalErrors& c = design.report.conditional;
  const double bias = largest(c.bias_given_a, c.bias_given_b);
  draw_marginal(canvas, above, c.bias_given_b, bias, true);
  draw_marginal(canvas, beside, c.bias_given_a, bias, false);
  canvas.text({left - 4, above.y + 7}, figure_text(bias), {"tick", Anchor::end});
  canvas.text({left - 4, above.y + kMargin / 2 + 3}, "0", {"tick", Anchor::end});
  canvas.text({left - 4, above.bottom()}, figure_text(-bias), {"tick", Anchor::end});
  canvas.text({beside.x + kMargin, above.y + 8}, "mean of e", {"tick", Anchor::end});
  canvas.text({beside.x + kMargin, above.y + 18}, "given b, a", {"tick", Anchor::end});
  canvas.text({beside.x + kMargin / 2, map.y - 3}, "0", {"tick", Anchor::middle});

  const Box bar{left, map.bottom() + kBelowAxis + 8, side, 9};
  draw_color_bar(canvas, bar, limit, most > limit);
  Picture picture{"heatmap",
                  fmt::format("Error of {}, {}: from {} to {}", design.name, operands_text(design),
                              std::ranges::min(errors.values()), std::ranges::max(errors.values())),
                  options.width,
                  bar.bottom() + 32,
                  canvas.take(),
                  {}};
  fill_data(picture, design, errors);
  return picture;
}

}  // namespace axmul::plot
