// Canvas: SVG elements with numbers of two decimals, so that the same picture is the same bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace axmul::plot {

struct Point {
  double x = 0, y = 0;
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
  bool overlaps(const Box& other) const {
    return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
  }
};

/// Text with the characters that XML keeps for itself written as entities.
std::string xml_text(std::string_view text);
/// Two decimals at most, no trailing zeros, no "-0".
std::string coordinate(double value);
/// Width of a text in px, from above: that of DejaVu Sans, the widest of the fonts that are asked
/// for.
double text_width(std::string_view text, double size);

inline constexpr double kTickSize = 9, kLabelSize = 10, kTitleSize = 11;

enum class Anchor { start, middle, end };

struct TextStyle {
  std::string_view cls = "tick";  ///< tick, label, title, name: sizes of the style sheet
  Anchor anchor = Anchor::start;
  bool upwards = false;  ///< turned by 90° to the left
};

class Canvas {
 public:
  void line(Point from, Point to, std::string_view cls);
  /// tip: what is told while the pointer rests on the element; empty: nothing.
  void rect(const Box& box, std::string_view cls, std::string_view tip = {},
            std::string_view more = {});
  void circle(Point centre, double radius, std::string_view cls, std::string_view tip = {},
              std::string_view more = {});
  void polyline(std::span<const Point> points, std::string_view cls, std::string_view more = {});
  /// Closed, filled.
  void polygon(std::span<const Point> points, std::string_view cls, std::string_view tip = {});
  void text(Point at, std::string_view text, const TextStyle& style = {});
  /// A PNG, its pixels kept sharp.
  void image(const Box& box, const std::string& png, std::string_view cls);
  /// A group; attributes as written.
  void open(std::string_view attributes);
  void close();
  /// Anything else, as written.
  void raw(std::string_view element);
  std::string take() { return std::move(out_); }

 private:
  void end_tag(std::string_view name, std::string_view tip);
  std::string out_;
};

}  // namespace axmul::plot
