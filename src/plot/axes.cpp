// Ticks at 1, 2 and 5 times a power of ten; decades where logarithmic.
#include "plot/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace axmul::plot {

namespace {

constexpr double kZeroPixels = 20;  // what a logarithmic axis keeps for 0

std::string superscript(int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char c : std::to_string(std::abs(exponent))) text += kDigits[c - '0'];
  return text;
}

/// Minus signs as they are typeset.
std::string typeset(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

double nice_step(double span, std::size_t most) {
  const double least = span / static_cast<double>(std::max<std::size_t>(most, 2) - 1);
  const double decade = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * decade >= least * (1 - 1e-9)) return factor * decade;
  return 10 * decade;
}

std::string tick_text(double value, double step) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || size < 1e-4) return figure_text(value);
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return typeset(fmt::format("{:.{}f}", value, decimals));
}

std::string decade_text(int exponent) {
  if (exponent >= -3 && exponent <= 4) return fmt::format("{:g}", std::pow(10, exponent));
  return "10" + superscript(exponent);
}

}  // namespace

std::string figure_text(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-12));
    std::string mantissa = fmt::format("{:.{}g}", value / std::pow(10, exponent), digits);
    const std::string power = "10" + superscript(exponent);
    return mantissa == "1" ? power : typeset(mantissa) + "·" + power;
  }
  if (size >= std::pow(10, digits)) return typeset(fmt::format("{:.0f}", value));
  return typeset(fmt::format("{:.{}g}", value, digits));
}

Axis Axis::linear(double low, double high, double from, double to, bool round) {
  Axis axis;
  if (!(high > low)) {
    const double margin = low == 0 ? 1 : std::abs(low) * 0.1;
    high = low + margin;
    low -= margin;
  }
  if (round) {
    const double step = nice_step(high - low, 7);
    low = std::floor(low / step + 1e-9) * step;
    high = std::ceil(high / step - 1e-9) * step;
  }
  axis.low_ = low;
  axis.high_ = high;
  return axis.moved(from, to);
}

Axis Axis::logarithmic(std::span<const double> values, double from, double to) {
  Axis axis;
  axis.log_ = true;
  double low = HUGE_VAL, high = 0;
  for (const double value : values) {
    if (value == 0) axis.has_zero_ = true;
    if (!(value > 0) || !std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (high == 0) low = 0.1, high = 1;
  const double span = std::max(std::log10(high / low), 0.3);
  axis.low_ = low * std::pow(10, -0.06 * span);
  axis.high_ = high * std::pow(10, 0.06 * span);
  return axis.moved(from, to);
}

Axis Axis::fitting(std::span<const double> values, double from, double to) {
  double low = HUGE_VAL, high = -HUGE_VAL, positive = HUGE_VAL;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    if (value > 0) positive = std::min(positive, value);
  }
  if (low > high) return linear(0, 1, from, to);
  if (low >= 0 && high > 0 && high / positive > 100) return logarithmic(values, from, to);
  if (low > 0 && low < 0.6 * high) low = 0;
  return linear(low, high, from, to);
}

Axis Axis::moved(double from, double to) const {
  Axis axis = *this;
  axis.from_ = from;
  axis.to_ = to;
  return axis;
}

double Axis::start() const {
  return has_zero_ ? from_ + (to_ > from_ ? kZeroPixels : -kZeroPixels) : from_;
}

double Axis::at(double value) const {
  if (!log_) return from_ + (to_ - from_) * (value - low_) / (high_ - low_);
  if (value <= 0) return from_ + (to_ > from_ ? 4 : -4);
  return start() + (to_ - start()) * std::log(value / low_) / std::log(high_ / low_);
}

bool Axis::is_clear_of_zero(double value, const std::string& label) const {
  return !has_zero_ || std::abs(at(value) - at(0)) > text_width(label, kTickSize) / 2 + 6;
}

std::vector<Tick> Axis::ticks_every(double step) const {
  std::vector<Tick> ticks;
  const double slack = 1e-9 * (high_ - low_);
  for (double i = std::ceil((low_ - slack) / step); i * step <= high_ + slack; ++i)
    ticks.push_back({i * step, tick_text(i * step, step)});
  return ticks;
}

std::vector<Tick> Axis::ticks(std::size_t most) const {
  if (!log_) return ticks_every(nice_step(high_ - low_, most));
  std::vector<Tick> ticks;
  if (has_zero_) ticks.push_back({0, "0"});
  const double decades = std::log10(high_ / low_);
  if (decades < 1.3) {
    const int first = static_cast<int>(std::floor(std::log10(low_)));
    for (int e = first; e <= first + 3; ++e)
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double value = factor * std::pow(10, e);
        if (value >= low_ && value <= high_ && is_clear_of_zero(value, figure_text(value)))
          ticks.push_back({value, figure_text(value)});
      }
    return ticks;
  }
  const int step = std::max(1, static_cast<int>(std::ceil(decades / static_cast<double>(most))));
  const int first = static_cast<int>(std::ceil(std::log10(low_) - 1e-9));
  for (int e = first; std::pow(10, e) <= high_; ++e)
    if ((e % step + step) % step == 0 && is_clear_of_zero(std::pow(10, e), decade_text(e)))
      ticks.push_back({std::pow(10, e), decade_text(e)});
  return ticks;
}

std::string Axis::attribute(const char* name) const {
  return fmt::format("data-{}=\"{} {:.9g} {:.9g} {} {}\"", name, log_ ? "log" : "linear", low_,
                     high_, coordinate(start()), coordinate(to_));
}

double left_margin(const Axis& y, std::size_t ticks, bool titled) {
  double widest = 0;
  for (const Tick& tick : y.ticks(ticks))
    widest = std::max(widest, text_width(tick.label, kTickSize));
  return widest + 5 + (titled ? kLabelSize + 6 : 0);
}

void draw_frame(Canvas& canvas, const Frame& frame) {
  const Box& box = frame.box;
  const auto x_ticks = frame.own_x_ticks.empty() ? frame.x.ticks(frame.x_ticks) : frame.own_x_ticks;
  for (const Tick& tick : x_ticks) {
    const double x = frame.x.at(tick.value);
    canvas.line({x, box.y}, {x, box.bottom()}, "grid");
    if (frame.x_labels)
      canvas.text({x, box.bottom() + kTickSize + 3}, tick.label, {"tick", Anchor::middle});
  }
  for (const Tick& tick : frame.y.ticks(frame.y_ticks)) {
    const double y = frame.y.at(tick.value);
    canvas.line({box.x, y}, {box.right(), y}, "grid");
    canvas.text({box.x - 4, y + 3}, tick.label, {"tick", Anchor::end});
  }
  canvas.line({box.x, box.bottom()}, {box.right(), box.bottom()}, "axis");
  canvas.line({box.x, box.y}, {box.x, box.bottom()}, "axis");
  if (!frame.x_title.empty())
    canvas.text({box.x + box.width / 2, box.bottom() + kBelowAxis - 4}, frame.x_title,
                {"label", Anchor::middle});
  if (!frame.y_title.empty())
    canvas.text({kLabelSize, box.y + box.height / 2}, frame.y_title,
                {"label", Anchor::middle, true});
}

void open_series(Canvas& canvas, const Frame& frame, const std::string& name) {
  canvas.open(fmt::format("data-series=\"{}\" {} {}", xml_text(name), frame.x.attribute("x"),
                          frame.y.attribute("y")));
}

std::string fitted(const std::string& text, double width, double size) {
  if (text_width(text, size) <= width) return text;
  std::string cut = text;
  while (!cut.empty() && text_width(cut + "…", size) > width) {
    do cut.pop_back();
    while (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0) == 0x80);
    // What is left may end in the first byte of a character.
    if (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0) == 0xC0) cut.pop_back();
  }
  return cut + "…";
}

std::string fitted_middle(const std::string& text, double width, double size) {
  if (text_width(text, size) <= width) return text;
  for (std::size_t kept = text.size() - 1; kept > 2; --kept) {
    const std::size_t tail = kept / 2, head = kept - tail;
    std::string cut = text.substr(0, head) + "…" + text.substr(text.size() - tail);
    const bool is_whole = (static_cast<unsigned char>(text[head]) & 0xC0) != 0x80 &&
                          (static_cast<unsigned char>(text[text.size() - tail]) & 0xC0) != 0x80;
    if (is_whole && text_width(cut, size) <= width) return cut;
  }
  return "…";
}

double draw_title(Canvas& canvas, const std::string& title, const std::string& more, bool shown,
                  double width) {
  if (!shown) return 8;
  canvas.text({2, kTitleSize + 2}, fitted(title, width - 4, kTitleSize), {"title"});
  if (more.empty()) return kTitleSize + 12;
  canvas.text({2, kTitleSize + kTickSize + 7}, fitted(more, width - 4, kTickSize), {"tick"});
  return kTitleSize + kTickSize + 17;
}

}  // namespace axmul::plot
