// Colour maps whose steps look equally large: straight or evenly paced ways through OKLab.
#pragma once

#include <string>
#include <vector>

#include "plot/png.hpp"

namespace axmul::plot {

/// For signed figures: −1 blue, 0 near white, 1 red; lightness falls evenly to both sides.
Rgb diverging_color(double t);
/// For positive figures: 0 light yellow … 1 dark violet, evenly paced.
Rgb sequential_color(double t);
/// "#rrggbb"
std::string hex(const Rgb& color);

/// Distance of two colours in OKLab (Ottosson 2020), what evenness is measured by.
double oklab_distance(const Rgb& x, const Rgb& y);

}  // namespace axmul::plot
