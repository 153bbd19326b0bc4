// Axes: values to pixels, ticks with labels, and the frame around a drawing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plot/canvas.hpp"

namespace axmul::plot {

struct Tick {
  double value;
  std::string label;
};

/// A figure for labels: 14850, 0.0031, 1.2·10⁻⁷; "–" for NaN.
std::string figure_text(double value, int digits = 3);

/// Values along one direction. Logarithmic axes have a place of their own for 0, before their
/// start.
class Axis {
 public:
  /// Linear over [low, high], pixels from..to; both ends widened to ticks where `round`.
  static Axis linear(double low, double high, double from, double to, bool round = true);
  /// Logarithmic over the positive finite values (and a place for 0 where there is one).
  static Axis logarithmic(std::span<const double> values, double from, double to);
  /// Logarithmic where values are from 0 up and spread over more than a factor of 100, else linear
  /// with 0 in it where that is near.
  static Axis fitting(std::span<const double> values, double from, double to);

  double at(double value) const;
  bool is_log() const { return log_; }
  double low() const { return low_; }
  double high() const { return high_; }
  double from() const { return from_; }
  double to() const { return to_; }
  std::vector<Tick> ticks(std::size_t most) const;
  /// Ticks at every `step` that lies within.
  std::vector<Tick> ticks_every(double step) const;
  /// Moves the axis to other pixels.
  Axis moved(double from, double to) const;
  /// How to get from pixels back to values, as attributes: data-x="log 0.1 100 44 320".
  std::string attribute(const char* name) const;

 private:
  bool log_ = false, has_zero_ = false;
  double low_ = 0, high_ = 1, from_ = 0, to_ = 1;
  bool is_clear_of_zero(double value, const std::string& label) const;
  double start() const;  ///< pixel of low_
};

/// What stands around a drawing. Titles name the figure and its unit.
struct Frame {
  Box box;
  Axis x, y;
  std::string x_title, y_title;
  std::size_t x_ticks = 6, y_ticks = 6;
  std::vector<Tick> own_x_ticks{};  ///< instead of the axis's
  bool x_labels = true;
};

/// Pixels that the labels and the title of a y axis need to its left.
double left_margin(const Axis& y, std::size_t ticks, bool titled = true);
/// Grid, ticks, labels, titles; then draw into it.
void draw_frame(Canvas& canvas, const Frame& frame);
/// Opens a group that tells both axes; close it after the marks of a series.
void open_series(Canvas& canvas, const Frame& frame, const std::string& name);

inline constexpr double kBelowAxis = 30;  ///< labels and title below a frame

/// The title of a picture, cut where it is too long for the width; returns the y where the drawing
/// starts.
double draw_title(Canvas& canvas, const std::string& title, const std::string& more, bool shown,
                  double width);
/// A text cut in its middle with "…" so that head and end stay; names differ at their end.
std::string fitted_middle(const std::string& text, double width, double size);
/// A text cut at the end with "…" so that it fits.
std::string fitted(const std::string& text, double width, double size);

}  // namespace axmul::plot
