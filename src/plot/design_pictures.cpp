// Pictures of a design's error distribution: pmf, conditional figures, bits, several designs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "axmul/core/errors.hpp"
#include "axmul/plot/plots.hpp"
#include "plot/axes.hpp"
#include "plot/words.hpp"

namespace axmul::plot {

namespace {

std::string percent_text(double fraction) { return figure_text(100 * fraction) + " %"; }

struct Bin {
  double low, high, probability;
};

/// The smallest of 1, 2, 5, 10 … that makes at most `most` bins of the errors' span.
double bin_width(double span, double most) {
  double width = 1;
  for (double decade = 1;; decade *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if (width = factor * decade; span / width <= most) return width;
}

/// Bins of errors but 0: [k·w, (k+1)·w) above 0, mirrored below, so that none spans 0.
std::vector<Bin> bins(const ErrorPmf& pmf, double width) {
  std::map<double, double> sums;
  for (std::size_t i = 0; i < pmf.value.size(); ++i) {
    if (pmf.value[i] == 0) continue;
    const double size = std::abs(static_cast<double>(pmf.value[i]));
    const double index = std::floor((width == 1 ? size : size - 1) / width);
    sums[pmf.value[i] < 0 ? -index - (width == 1 ? 0 : 1) : index] += pmf.probability[i];
  }
  std::vector<Bin> result;
  for (const auto& [index, probability] : sums)
    result.push_back(width == 1 ? Bin{index - 0.5, index + 0.5, probability}
                                : Bin{index * width, (index + 1) * width, probability});
  return result;
}

double probability_of_zero(const ErrorPmf& pmf) {
  const auto zero = std::ranges::lower_bound(pmf.value, 0);
  return zero != pmf.value.end() && *zero == 0
             ? pmf.probability[static_cast<std::size_t>(zero - pmf.value.begin())]
             : 0;
}

}  // namespace

Picture pmf(const DesignFigures& design, const PictureOptions& options) {
  Canvas canvas;
  const ErrorPmf& errors = design.report.pmf;
  const ErrorMetrics& m = design.report.metrics;
  const double low = std::min(errors.value.front(), 0), high = std::max(errors.value.back(), 0);
  const double width = bin_width(std::max(high - low, 1.0), options.width / 3.2);
  const std::vector<Bin> shown = bins(errors, width);
  const double zero = probability_of_zero(errors);
  std::vector<double> heights{1};
  for (const Bin& bin : shown)
    if (bin.probability > 0) heights.push_back(bin.probability);
  if (zero > 0) heights.push_back(zero);

  const double top =
      draw_title(canvas, "Errors of " + design.name,
                 fmt::format("{}; P(e = 0) = {}", operands_text(design), percent_text(zero)),
                 options.title, options.width);
  const Axis y = Axis::logarithmic(heights, top + 170, top);
  const double left = left_margin(y, 6);
  const double margin = 0.02 * std::max(high - low, 1.0) + 0.5;
  const Axis x = Axis::linear(low - margin, high + margin, left, options.width - 8, false);
  Frame frame{{left, top, options.width - 8 - left, 170},
              x,
              y,
              "error e = approximate − exact",
              width == 1 ? "probability" : fmt::format("probability per {:g} values", width)};
  draw_frame(canvas, frame);
  const double base = frame.box.bottom();
  const double band_low = std::max(x.at(m.bias - m.error_std), frame.box.x);
  const double band_high = std::min(x.at(m.bias + m.error_std), frame.box.right());
  canvas.rect({band_low, top, band_high - band_low, frame.box.height}, "band",
              "mean ± standard deviation");
  open_series(canvas, frame, "probability");
  for (const Bin& bin : shown) {
    if (!(bin.probability > 0)) continue;
    const double from = x.at(bin.low), to = x.at(bin.high);
    const double thickness = std::max(to - from - (to - from > 3 ? 0.6 : 0), 0.8);
    canvas.rect({(from + to - thickness) / 2, y.at(bin.probability), thickness,
                 base - y.at(bin.probability)},
                "bar");
  }
  canvas.close();
  if (zero > 0) canvas.line({x.at(0), base}, {x.at(0), y.at(zero)}, "accent");
  canvas.line({x.at(m.bias), top}, {x.at(m.bias), base}, "zero");
  const std::string bias =
      fmt::format("mean {}, σ {}", figure_text(m.bias), figure_text(m.error_std));
  const bool right = x.at(m.bias) < frame.box.x + frame.box.width / 2;
  canvas.text({right ? frame.box.right() : frame.box.x + 5, top + kTickSize}, bias,
              {"accent-text", right ? Anchor::end : Anchor::start});

  Picture picture{
      "pmf",
      fmt::format("Probabilities of the errors of {}, {}", design.name, operands_text(design)),
      options.width,
      base + kBelowAxis + 2,
      canvas.take(),
      {}};
  picture.data = {{"pmf",
                   {numbers_column("error", {errors.value.begin(), errors.value.end()}),
                    numbers_column("probability", errors.probability)}}};
  return picture;
}

namespace {

using PerValue = std::array<double, kOperandCount>;

/// Mean and band over one operand's values; gaps where a value has no probability.
void draw_conditional(Canvas& canvas, const Frame& frame, int least, const PerValue& bias,
                      const PerValue& deviation, const std::string& name) {
  canvas.line({frame.box.x, frame.y.at(0)}, {frame.box.right(), frame.y.at(0)}, "zero");
  open_series(canvas, frame, name);
  std::vector<Point> line, upper, lower;
  const auto draw = [&] {
    std::vector<Point> band = upper;
    band.insert(band.end(), lower.rbegin(), lower.rend());
    canvas.polygon(band, "band");
    canvas.polyline(line, "accent");
    line.clear(), upper.clear(), lower.clear();
  };
  for (std::size_t i = 0; i < kOperandCount; ++i) {
    if (std::isnan(bias[i])) {
      draw();
      continue;
    }
    const double x = frame.x.at(least + static_cast<double>(i));
    line.push_back({x, frame.y.at(bias[i])});
    upper.push_back({x, frame.y.at(bias[i] + deviation[i])});
    lower.push_back({x, frame.y.at(bias[i] - deviation[i])});
  }
  draw();
  canvas.close();
}

void spread(double& low, double& high, const PerValue& bias, const PerValue& deviation) {
  for (std::size_t i = 0; i < kOperandCount; ++i) {
    if (std::isnan(bias[i])) continue;
    low = std::min(low, bias[i] - deviation[i]);
    high = std::max(high, bias[i] + deviation[i]);
  }
}

std::vector<Tick> operand_axis_ticks(int least) {
  std::vector<Tick> ticks;
  for (int value = least; value <= least + 255; value += 64)
    ticks.push_back(
        {static_cast<double>(value), (value < 0 ? "−" : "") + std::to_string(std::abs(value))});
  ticks.push_back({least + 255.0, std::to_string(least + 255)});
  return ticks;
}

std::vector<double> as_vector(const PerValue& values) { return {values.begin(), values.end()}; }

}  // namespace

Picture conditional(const DesignFigures& design, const PictureOptions& options) {
  Canvas canvas;
  const ConditionalErrors& c = design.report.conditional;
  double low = 0, high = 0;
  spread(low, high, c.bias_given_a, c.std_given_a);
  spread(low, high, c.bias_given_b, c.std_given_b);
  const double top = draw_title(canvas, "Mean error of " + design.name + " ± σ, given one operand",
                                operands_text(design), options.title, options.width);
  constexpr double kHeight = 105;
  const bool stacked = options.width < 520;
  const Axis y0 = Axis::linear(low, high, top + kHeight, top);
  const double left = left_margin(y0, 5);
  const double width = stacked ? options.width - left - 12 : (options.width - 2 * left - 24) / 2;
  double bottom = top;
  for (const bool is_a : {true, false}) {
    const int least = is_a ? a_min(design.type) : b_min(design.type);
    const double x0 = is_a || stacked ? left : 2 * left + width + 12;
    const double y = is_a || !stacked ? top : top + kHeight + kBelowAxis + 10;
    Frame frame{{x0, y, width, kHeight},
                Axis::linear(least, least + 255, x0, x0 + width, false),
                y0.moved(y + kHeight, y),
                is_a ? "operand a (activation)" : "operand b (weight)",
                is_a || stacked ? "mean error ± σ" : ""};
    frame.y_ticks = 5;
    frame.own_x_ticks = operand_axis_ticks(least);
    draw_frame(canvas, frame);
    draw_conditional(canvas, frame, least, is_a ? c.bias_given_a : c.bias_given_b,
                     is_a ? c.std_given_a : c.std_given_b, is_a ? "bias_given_a" : "bias_given_b");
    bottom = frame.box.bottom() + kBelowAxis + 2;
  }
  Picture picture{"conditional",
                  fmt::format("Mean error of {} with its standard deviation given a, given b; {}",
                              design.name, operands_text(design)),
                  options.width,
                  bottom,
                  canvas.take(),
                  {}};
  std::vector<double> values_a, values_b;
  for (int i = 0; i < kOperandCount; ++i) {
    values_a.push_back(a_min(design.type) + i);
    values_b.push_back(b_min(design.type) + i);
  }
  picture.data = {{"conditional",
                   {numbers_column("operand_a", values_a),
                    numbers_column("bias_given_a", as_vector(c.bias_given_a)),
                    numbers_column("std_given_a", as_vector(c.std_given_a)),
                    numbers_column("operand_b", values_b),
                    numbers_column("bias_given_b", as_vector(c.bias_given_b)),
                    numbers_column("std_given_b", as_vector(c.std_given_b))}}};
  return picture;
}

Picture bits(const DesignFigures& design, const PictureOptions& options) {
  Canvas canvas;
  const auto& rates = design.report.metrics.bit_flip_rate;
  const double most = std::max(100 * std::ranges::max(rates), 1.0);
  const double top = draw_title(canvas, "Wrong output bits of " + design.name,
                                fmt::format("{}; {} of 16 differ on average", operands_text(design),
                                            figure_text(design.report.metrics.hamming_mean)),
                                options.title, options.width);
  const Axis y = Axis::linear(0, most, top + 150, top);
  const double left = left_margin(y, 6);
  Frame frame{{left, top, options.width - left - 8, 150},
              Axis::linear(-0.5, 15.5, left, options.width - 8, false),
              y,
              "output bit (0 = least significant)",
              "wrong in % of pairs"};
  for (int bit = 0; bit < 16; ++bit)
    frame.own_x_ticks.push_back({static_cast<double>(bit), std::to_string(bit)});
  draw_frame(canvas, frame);
  open_series(canvas, frame, "bit_flip_rate");
  std::vector<double> bit_numbers;
  for (std::size_t bit = 0; bit < 16; ++bit) {
    const auto number = static_cast<double>(bit);
    bit_numbers.push_back(number);
    const double from = frame.x.at(number - 0.36), to = frame.x.at(number + 0.36);
    const double height = frame.box.bottom() - y.at(100 * rates[bit]);
    canvas.rect({from, y.at(100 * rates[bit]), to - from, height}, "bar",
                fmt::format("bit {}: {}", bit, percent_text(rates[bit])));
  }
  canvas.close();
  Picture picture{"bits",
                  fmt::format("How often each output bit of {} is wrong, {}", design.name,
                              operands_text(design)),
                  options.width,
                  frame.box.bottom() + kBelowAxis + 2,
                  canvas.take(),
                  {}};
  picture.data = {{"bits",
                   {numbers_column("bit", bit_numbers),
                    numbers_column("bit_flip_rate", {rates.begin(), rates.end()})}}};
  return picture;
}

namespace {

struct Tail {
  std::vector<double> size, probability;  ///< |e| ascending, P(|e| ≥ that)
};

Tail tail(const ErrorPmf& pmf) {
  std::map<double, double> by_size;
  for (std::size_t i = 0; i < pmf.value.size(); ++i)
    if (pmf.value[i] != 0 && pmf.probability[i] > 0)
      by_size[std::abs(static_cast<double>(pmf.value[i]))] += pmf.probability[i];
  Tail result;
  double sum = 0;
  for (auto it = by_size.rbegin(); it != by_size.rend(); ++it) {
    sum += it->second;
    result.size.push_back(it->first);
    result.probability.push_back(sum);
  }
  std::ranges::reverse(result.size);
  std::ranges::reverse(result.probability);
  return result;
}

/// Steps of P(|e| ≥ x), thinned to what pixels can tell apart.
std::vector<Point> steps(const Tail& tail, const Frame& frame) {
  std::vector<Point> line;
  for (std::size_t i = 0; i < tail.size.size(); ++i) {
    const Point p{frame.x.at(tail.size[i]), frame.y.at(tail.probability[i])};
    if (line.empty()) line.push_back({frame.box.x, p.y});
    const bool last = i + 1 == tail.size.size();
    if (!last && p.x - line.back().x < 0.4 && line.back().y != frame.y.at(tail.probability[0]))
      if (std::abs(p.y - line.back().y) < 0.4) continue;
    if (p.y != line.back().y) line.push_back({line.back().x, p.y});
    line.push_back(p);
    if (last) line.push_back({p.x, frame.box.bottom()});
  }
  return line;
}

}  // namespace

Picture compare(std::span<const DesignFigures> designs, const PictureOptions& options) {
  if (designs.empty() || designs.size() > kMostCompared)
    throw UsageError(1132, fmt::format("a comparison draws 1 to {} designs, not {}; axmul plot "
                                       "pareto takes more",
                                       kMostCompared, designs.size()));
  Canvas canvas;
  std::vector<Tail> tails;
  std::vector<double> sizes{1}, probabilities{1};
  for (const DesignFigures& design : designs) {
    tails.push_back(tail(design.report.pmf));
    sizes.insert(sizes.end(), tails.back().size.begin(), tails.back().size.end());
    probabilities.insert(probabilities.end(), tails.back().probability.begin(),
                         tails.back().probability.end());
  }
  const double top = draw_title(canvas, "How often errors are how large",
                                operands_text(designs.front()), options.title, options.width);
  const Axis y = Axis::logarithmic(probabilities, top + 180, top);
  const double left = left_margin(y, 6);
  Frame frame{{left, top, options.width - left - 8, 180},
              Axis::logarithmic(sizes, left, options.width - 8),
              y,
              "size of the error |e|",
              "P(|e| ≥ x)"};
  draw_frame(canvas, frame);
  double key = frame.box.bottom() + kBelowAxis + 10;
  Picture picture{"compare", "Sizes of the errors of", options.width, 0, "", {}};
  for (std::size_t i = 0; i < designs.size(); ++i) {
    const std::string cls = fmt::format("s{}", i);
    open_series(canvas, frame, designs[i].name);
    canvas.polyline(steps(tails[i], frame), cls);
    canvas.close();
    canvas.line({left, key - 3}, {left + 22, key - 3}, cls);
    const ErrorMetrics& m = designs[i].report.metrics;
    const std::string figures =
        fmt::format("EP {}, MAE {}, WCE {}", percent_text(m.error_rate), figure_text(m.mae), m.wce);
    const double figures_width = text_width(figures, kTickSize);
    canvas.text({left + 28, key},
                fitted(designs[i].name, options.width - left - 44 - figures_width, kTickSize),
                {"tick"});
    canvas.text({options.width - 8, key}, figures, {"tick", Anchor::end});
    key += 13;
    picture.title += (i == 0 ? " " : ", ") + designs[i].name;
    picture.data.push_back({designs[i].name,
                            {numbers_column("abs_error", tails[i].size),
                             numbers_column("probability_at_least", tails[i].probability)}});
  }
  picture.height = key - 2;
  picture.body = canvas.take();
  return picture;
}

}  // namespace axmul::plot
