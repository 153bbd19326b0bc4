// Greedy placement: the points in order, each at the first free place around it.
#include "plot/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "plot/axes.hpp"

namespace axmul::plot {

namespace {

constexpr double kNameSize = 8.5, kRadius = 3.5;

struct Placed {
  Box box;
  Point at;     ///< of the text
  Point point;  ///< what it names
  double distance;
};

bool is_free(const Box& box, const std::vector<Placed>& placed, std::span<const Point> marks,
             const Box& bounds) {
  if (box.x < bounds.x || box.right() > bounds.right() || box.y < bounds.y ||
      box.bottom() > bounds.bottom())
    return false;
  if (std::ranges::any_of(placed, [&](const Placed& p) { return p.box.overlaps(box); }))
    return false;
  return std::ranges::none_of(marks, [&](const Point& p) {
    return box.overlaps({p.x - kRadius, p.y - kRadius, 2 * kRadius, 2 * kRadius});
  });
}

std::optional<Placed> place(const Point& point, const std::string& name,
                            const std::vector<Placed>& placed, std::span<const Point> marks,
                            const Box& bounds) {
  const double width = text_width(name, kNameSize) + 2, height = kNameSize + 1.5;
  for (const double distance : {5.0, 11.0, 19.0, 28.0, 38.0})
    for (const double degrees :
         {-30.0, 30.0, -90.0, 90.0, -60.0, 60.0, 150.0, -150.0, 180.0, 0.0}) {
      const double angle = degrees * 3.14159265358979 / 180;
      const double x = point.x + distance * std::cos(angle);
      const double y = point.y + distance * std::sin(angle);
      const double left = std::abs(degrees) == 90  ? x - width / 2
                          : std::abs(degrees) > 90 ? x - width
                                                   : x;
      const Box box{left, y - height / 2, width, height};
      if (is_free(box, placed, marks, bounds))
        return Placed{box, {box.x + 1, box.bottom() - 2.5}, point, distance};
    }
  return std::nullopt;
}

std::optional<std::vector<Placed>> place_all(std::span<const LabelledPoint> points,
                                             const std::vector<std::string>& names,
                                             std::span<const Point> marks, const Box& bounds) {
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto label = place(points[i].at, names[i], placed, marks, bounds);
    if (!label) return std::nullopt;
    placed.push_back(*label);
  }
  return placed;
}

void draw_placed(Canvas& canvas, const std::vector<Placed>& placed,
                 const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const Placed& p = placed[i];
    if (p.distance > 12) {
      const Point end{std::clamp(p.point.x, p.box.x, p.box.right()),
                      std::clamp(p.point.y, p.box.y, p.box.bottom())};
      canvas.line(p.point, end, "lead");
    }
    canvas.text(p.at, names[i], {"name"});
  }
}

}  // namespace

double draw_labels(Canvas& canvas, std::span<const LabelledPoint> points,
                   std::span<const Point> marks, const Box& bounds, double width, double key_y) {
  std::vector<std::string> names, numbers;
  for (const LabelledPoint& point : points) {
    names.push_back(point.name);
    numbers.push_back(std::to_string(numbers.size() + 1));
  }
  if (const auto placed = place_all(points, names, marks, bounds)) {
    draw_placed(canvas, *placed, names);
    return key_y;
  }
  std::vector<Placed> placed;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (const auto label = place(points[i].at, numbers[i], placed, marks, bounds)) {
      placed.push_back(*label);
      shown.push_back(numbers[i]);
    }
  draw_placed(canvas, placed, shown);
  double widest = 0;
  for (std::size_t i = 0; i < names.size(); ++i)
    widest = std::max(widest, text_width(numbers[i] + "  " + names[i], kNameSize) + 10);
  const double room = width - 8;
  const auto columns = static_cast<std::size_t>(std::clamp(std::floor(room / widest), 1.0, 6.0));
  const std::size_t rows = (names.size() + columns - 1) / columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double cell = room / static_cast<double>(columns);
    const double x = 4 + cell * static_cast<double>(i / rows);
    const double y = key_y + 11 * static_cast<double>(i % rows);
    canvas.text({x, y}, fitted(numbers[i] + "  " + names[i], cell - 4, kNameSize), {"name"});
  }
  return key_y + 11 * static_cast<double>(rows);
}

}  // namespace axmul::plot
