// Names beside points, none over another; where they do not fit, numbers with a key below.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plot/canvas.hpp"

namespace axmul::plot {

struct LabelledPoint {
  Point at;
  std::string name;
};

/// Writes the names inside `bounds`, away from the points (`marks`, px around them kept free).
/// Where one finds no place all become numbers, and the key is written below `key_y` over the
/// picture's width. Returns the y below what was written there, key_y where nothing was.
double draw_labels(Canvas& canvas, std::span<const LabelledPoint> points,
                   std::span<const Point> marks, const Box& bounds, double width, double key_y);

}  // namespace axmul::plot
