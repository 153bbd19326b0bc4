// SVG elements.
#include "plot/canvas.hpp"

#include <fmt/format.h>

#include <cmath>

#include "plot/png.hpp"

namespace axmul::plot {

namespace {

std::string points_text(std::span<const Point> points) {
  std::string text;
  for (const Point& p : points)
    text += (text.empty() ? "" : " ") + coordinate(p.x) + "," + coordinate(p.y);
  return text;
}

std::string attribute(std::string_view name, double value) {
  return fmt::format(" {}=\"{}\"", name, coordinate(value));
}

std::string more_text(std::string_view more) { return more.empty() ? "" : " " + std::string(more); }

/// Advance of a character of DejaVu Sans, in em.
double advance(unsigned char c) {
  constexpr std::string_view kNarrow = "ijl.,:;|!'I()[]/ fr t-", kWide = "mwMW@%";
  if (c >= 0x80) return 0.66;
  if (kWide.find(static_cast<char>(c)) != std::string_view::npos) return 0.95;
  if (kNarrow.find(static_cast<char>(c)) != std::string_view::npos) return 0.4;
  if (c >= 'A' && c <= 'Z') return 0.72;
  return 0.635;
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (byte < 0x20 || byte == 0x7f)
      out += ' ';
    else
      out += c;
  }
  return out;
}

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double size) {
  double em = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) em += advance(byte);
  }
  return em * size;
}

void Canvas::end_tag(std::string_view name, std::string_view tip) {
  if (tip.empty())
    out_ += "/>\n";
  else
    out_ += fmt::format("><title>{}</title></{}>\n", xml_text(tip), name);
}

void Canvas::line(Point from, Point to, std::string_view cls) {
  out_ += fmt::format("<line class=\"{}\"", cls) + attribute("x1", from.x) +
          attribute("y1", from.y) + attribute("x2", to.x) + attribute("y2", to.y) + "/>\n";
}

void Canvas::rect(const Box& box, std::string_view cls, std::string_view tip,
                  std::string_view more) {
  out_ += fmt::format("<rect class=\"{}\"", cls) + attribute("x", box.x) + attribute("y", box.y) +
          attribute("width", box.width) + attribute("height", box.height) + more_text(more);
  end_tag("rect", tip);
}

void Canvas::circle(Point centre, double radius, std::string_view cls, std::string_view tip,
                    std::string_view more) {
  out_ += fmt::format("<circle class=\"{}\"", cls) + attribute("cx", centre.x) +
          attribute("cy", centre.y) + attribute("r", radius) + more_text(more);
  end_tag("circle", tip);
}

void Canvas::polyline(std::span<const Point> points, std::string_view cls, std::string_view more) {
  if (points.empty()) return;
  out_ += fmt::format("<polyline class=\"{}\" points=\"{}\"{}/>\n", cls, points_text(points),
                      more_text(more));
}

void Canvas::polygon(std::span<const Point> points, std::string_view cls, std::string_view tip) {
  if (points.empty()) return;
  out_ += fmt::format("<polygon class=\"{}\" points=\"{}\"", cls, points_text(points));
  end_tag("polygon", tip);
}

void Canvas::text(Point at, std::string_view text, const TextStyle& style) {
  std::string place = attribute("x", at.x) + attribute("y", at.y);
  if (style.upwards)
    place = fmt::format(" transform=\"translate({} {}) rotate(-90)\"", coordinate(at.x),
                        coordinate(at.y));
  const char* anchor = style.anchor == Anchor::start    ? ""
                       : style.anchor == Anchor::middle ? " text-anchor=\"middle\""
                                                        : " text-anchor=\"end\"";
  out_ +=
      fmt::format("<text class=\"{}\"{}{}>{}</text>\n", style.cls, place, anchor, xml_text(text));
}

void Canvas::image(const Box& box, const std::string& png, std::string_view cls) {
  out_ += fmt::format("<image class=\"{}\"", cls) + attribute("x", box.x) + attribute("y", box.y) +
          attribute("width", box.width) + attribute("height", box.height) +
          " preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\" "
          "style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
          base64(png) + "\"/>\n";
}

void Canvas::open(std::string_view attributes) { out_ += fmt::format("<g {}>\n", attributes); }
void Canvas::close() { out_ += "</g>\n"; }
void Canvas::raw(std::string_view element) { out_ += std::string(element) + "\n"; }

}  // namespace axmul::plot
