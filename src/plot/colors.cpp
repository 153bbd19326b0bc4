// OKLab as in B. Ottosson, "A perceptual color space for image processing" (2020).
#include "plot/colors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace axmul::plot {

namespace {

struct Lab {
  double l, a, b;
};

Lab polar(double l, double chroma, double hue_degrees) {
  const double hue = hue_degrees * std::numbers::pi / 180;
  return {l, chroma * std::cos(hue), chroma * std::sin(hue)};
}

Lab between(const Lab& x, const Lab& y, double t) {
  return {std::lerp(x.l, y.l, t), std::lerp(x.a, y.a, t), std::lerp(x.b, y.b, t)};
}

double distance(const Lab& x, const Lab& y) { return std::hypot(x.l - y.l, x.a - y.a, x.b - y.b); }

std::uint8_t to_byte(double linear) {
  const double c = std::clamp(linear, 0.0, 1.0);
  const double encoded = c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * encoded));
}

double to_linear(std::uint8_t byte) {
  const double c = byte / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

Rgb to_rgb(const Lab& lab) {
  const double l = std::pow(lab.l + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
  const double m = std::pow(lab.l - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
  const double s = std::pow(lab.l - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
  return {to_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

Lab to_lab(const Rgb& rgb) {
  const double r = to_linear(rgb[0]), g = to_linear(rgb[1]), b = to_linear(rgb[2]);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

const Lab kNeutral = polar(0.97, 0, 0);
const std::array<Lab, 4> kSequential{polar(0.97, 0.05, 105), polar(0.76, 0.1, 170),
                                     polar(0.5, 0.1, 240), polar(0.27, 0.11, 300)};

}  // namespace

Rgb diverging_color(double t) {
  const double strength = std::min(1.0, std::abs(t));
  return to_rgb(
      between(kNeutral, t < 0 ? polar(0.42, 0.13, 255) : polar(0.42, 0.15, 28), strength));
}

Rgb sequential_color(double t) {
  std::array<double, kSequential.size() - 1> length{};
  double whole = 0;
  for (std::size_t i = 0; i < length.size(); ++i)
    whole += length[i] = distance(kSequential[i], kSequential[i + 1]);
  double rest = std::clamp(t, 0.0, 1.0) * whole;
  for (std::size_t i = 0; i < length.size(); ++i) {
    if (rest <= length[i] || i + 1 == length.size())
      return to_rgb(between(kSequential[i], kSequential[i + 1], std::min(1.0, rest / length[i])));
    rest -= length[i];
  }
  return to_rgb(kSequential.back());
}

std::string hex(const Rgb& c) { return fmt::format("#{:02x}{:02x}{:02x}", c[0], c[1], c[2]); }

double oklab_distance(const Rgb& x, const Rgb& y) { return distance(to_lab(x), to_lab(y)); }

}  // namespace axmul::plot
