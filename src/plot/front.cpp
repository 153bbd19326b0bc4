// Designs in a plane of two figures, with their Pareto front.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "axmul/plot/plots.hpp"
#include "plot/axes.hpp"
#include "plot/labels.hpp"
#include "plot/words.hpp"

namespace axmul::plot {

namespace {

/// The edge of what the front dominates.
std::vector<Point> staircase(std::vector<Point> front) {
  std::ranges::sort(front, [](const Point& p, const Point& q) { return p.x < q.x; });
  std::vector<Point> line;
  for (const Point& p : front) {
    if (!line.empty()) line.push_back({p.x, line.back().y});
    line.push_back(p);
  }
  return line;
}

/// Which colour is which operand type, and that a ring marks designs that stand before a library.
double draw_types(Canvas& canvas, const std::map<SizedType, std::vector<Point>>& fronts,
                  double left, double y, bool rings) {
  double x = left;
  const auto entry = [&](const std::string& cls, double radius, const std::string& text) {
    canvas.circle({x + 4, y - 3}, radius, cls);
    canvas.text({x + 12, y}, text, {"tick"});
    x += text_width(text, kTickSize) + 24;
  };
  std::size_t kind = 0;
  if (fronts.size() > 1)
    for (const auto& [type, front] : fronts)
      entry(fmt::format("f{}", kind++ % 6), 2.8, std::string(to_string(type)) + " front");
  if (rings) entry("frame", 4, "compared with the library");
  return y + 14;
}

std::string tip(const FrontPoint& p, const std::string& x_title, const std::string& y_title) {
  return fmt::format("{}: {} {}, {} {}", p.name, x_title, figure_text(p.x, 4), y_title,
                     figure_text(p.y, 4));
}

DataTable front_data(std::span<const FrontPoint> points) {
  std::vector<std::string> names;
  std::vector<double> x, y, on_front, own;
  for (const FrontPoint& p : points) {
    names.push_back(p.name);
    x.push_back(p.x);
    y.push_back(p.y);
    on_front.push_back(p.on_front);
    own.push_back(p.is_own);
  }
  return {"designs",
          {texts_column("design", names), numbers_column("x", x), numbers_column("y", y),
           numbers_column("on_front", on_front), numbers_column("is_own", own)}};
}

}  // namespace

Picture pareto_front(std::span<const FrontPoint> points, const std::string& x_title,
                     const std::string& y_title, const PictureOptions& options) {
  Canvas canvas;
  std::vector<double> xs, ys;
  std::size_t front_count = 0;
  for (const FrontPoint& p : points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
    xs.push_back(p.x);
    ys.push_back(p.y);
    front_count += p.on_front;
  }
  const std::string left_out =
      xs.size() == points.size()
          ? ""
          : fmt::format(", {} without a figure left out", points.size() - xs.size());
  const double top = draw_title(canvas, "Pareto front",
                                fmt::format("{} of {} {}{}", front_count, xs.size(),
                                            xs.size() == 1 ? "design" : "designs", left_out),
                                options.title, options.width);
  const double height = options.width < 520 ? 215 : 320;
  const Axis y = Axis::fitting(ys, top + height, top);
  const double left = left_margin(y, 6);
  Frame frame{{left, top, options.width - left - 10, height},
              Axis::fitting(xs, left, options.width - 10),
              y,
              x_title,
              y_title};
  draw_frame(canvas, frame);
  const bool all_own = std::ranges::all_of(points, &FrontPoint::is_own);
  std::vector<Point> marks;
  std::map<SizedType, std::vector<Point>> fronts;
  std::vector<LabelledPoint> names;
  for (const FrontPoint& p : points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
    const Point at{frame.x.at(p.x), frame.y.at(p.y)};
    if (p.on_front) fronts[p.type].push_back(at);
    if (p.on_front || (p.is_own && !all_own)) names.push_back({at, p.name});
    marks.push_back(at);
  }
  std::size_t kind = 0;
  for (const auto& [type, front] : fronts)
    canvas.polyline(staircase(front), fmt::format("s{} solid thin", kind++ % 6));
  open_series(canvas, frame, "designs");
  for (const bool strong : {false, true})
    for (const FrontPoint& p : points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
      if ((p.on_front || (p.is_own && !all_own)) != strong) continue;
      const auto place = std::distance(fronts.begin(), fronts.find(p.type));
      const std::string cls = strong ? fmt::format("f{}", place % 6) : "dot";
      canvas.circle({frame.x.at(p.x), frame.y.at(p.y)}, strong ? 2.8 : 2.1, cls,
                    tip(p, x_title, y_title), fmt::format("data-name=\"{}\"", xml_text(p.name)));
      if (p.is_own && !all_own) canvas.circle({frame.x.at(p.x), frame.y.at(p.y)}, 5, "frame");
    }
  canvas.close();
  std::ranges::sort(names, [](const auto& p, const auto& q) { return p.at.x < q.at.x; });
  double key = frame.box.bottom() + kBelowAxis + 10;
  if (fronts.size() > 1 || !all_own) key = draw_types(canvas, fronts, left, key, !all_own);
  const double bottom = draw_labels(canvas, names, marks, frame.box, options.width, key);
  return {"pareto",
          fmt::format("Pareto front of {} designs by {} and {}", xs.size(), x_title, y_title),
          options.width,
          bottom,
          canvas.take(),
          {front_data(points)}};
}

}  // namespace axmul::plot
