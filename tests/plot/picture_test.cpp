// What pictures are made of: colours, PNG, base64, axes, text that fits.
#include <zlib.h>

#include <cmath>
#include <doctest/doctest.h>
#include <vector>

#include "axmul/plot/picture.hpp"
#include "plot/axes.hpp"
#include "plot/colors.hpp"
#include "plot/labels.hpp"
#include "plot/png.hpp"

using namespace axmul::plot;

TEST_CASE("base64 gives the examples of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("colour maps are even in OKLab, and neutral at 0") {
  const Rgb white = diverging_color(0);
  CHECK(white[0] == white[1]);
  CHECK(white[1] == white[2]);
  constexpr int kSteps = 32;
  for (const bool diverging : {true, false}) {
    const auto color = [&](int i) {
      const double t = static_cast<double>(i) / kSteps;
      return diverging ? diverging_color(t) : sequential_color(t);
    };
    double whole = 0;
    for (int i = 0; i < kSteps; ++i) whole += oklab_distance(color(i), color(i + 1));
    for (int i = 0; i < kSteps; ++i) {
      CAPTURE(i);  // rounding to bytes moves a colour by up to some 0.004
      CHECK(std::abs(oklab_distance(color(i), color(i + 1)) - whole / kSteps) < 0.008);
    }
  }
  // Both sides of the diverging map are equally strong.
  CHECK(oklab_distance(white, diverging_color(1)) ==
        doctest::Approx(oklab_distance(white, diverging_color(-1))).epsilon(0.05));
}

TEST_CASE("a palette PNG inflates to its rows") {
  const std::vector<std::uint8_t> pixels{0, 1, 2, 2, 1, 0};
  const std::vector<Rgb> palette{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}};
  const std::string png = palette_png(3, 2, pixels, palette);
  CHECK(png.starts_with("\x89PNG\r\n\x1a\n"));
  const std::size_t at = png.find("IDAT");
  REQUIRE(at != std::string::npos);
  std::vector<unsigned char> rows(100);
  uLongf size = rows.size();
  REQUIRE(uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(png.data() + at + 4),
                     static_cast<uLong>(png.size() - at - 4)) == Z_OK);
  rows.resize(size);
  CHECK(rows == std::vector<unsigned char>{0, 0, 1, 2, 0, 2, 1, 0});
}

TEST_CASE("axes place values and label them without repeating") {
  const Axis linear = Axis::linear(0, 100, 10, 210);
  CHECK(linear.at(0) == 10);
  CHECK(linear.at(50) == 110);
  const Axis downwards = Axis::linear(0, 10, 200, 0);
  CHECK(downwards.at(10) == 0);

  const std::vector<double> values{0, 1e-4, 1, 1e5};
  const Axis log = Axis::fitting(values, 0, 300);
  CHECK(log.is_log());
  CHECK(log.at(0) < log.at(1e-4));
  CHECK(log.at(1) - log.at(0.1) == doctest::Approx(log.at(10) - log.at(1)));
  double last = -100;
  for (const Tick& tick : log.ticks(6)) {
    CAPTURE(tick.label);
    CHECK(log.at(tick.value) - last > text_width(tick.label, kTickSize) / 2 + 4);
    last = log.at(tick.value) + text_width(tick.label, kTickSize) / 2;
  }
  const std::vector<double> near{90.1, 91.2};
  CHECK_FALSE(Axis::fitting(near, 0, 1).is_log());
}

TEST_CASE("figures read as people write them") {
  CHECK(figure_text(14850) == "14850");
  CHECK(figure_text(0.00312) == "0.00312");
  CHECK(figure_text(-2.5) == "−2.5");
  CHECK(figure_text(1.2e-7) == "1.2·10⁻⁷");
  CHECK(figure_text(1e6) == "10⁶");
  CHECK(figure_text(0) == "0");
  CHECK(figure_text(std::nan("")) == "–");
}

TEST_CASE("texts are cut to whole characters and fit") {
  const std::string name = "operand_truncation(ka=2,kb=2)";
  for (double width = 20; width < 220; width += 7) {
    CHECK(text_width(fitted(name, width, 9), 9) <= width);
    CHECK(text_width(fitted_middle("σσσσσσσσσσσσσσσσσσ", width, 9), 9) <= width);
  }
  CHECK(fitted(name, 500, 9) == name);
  CHECK(fitted_middle(name, 100, 9).ends_with("=2)"));
}

TEST_CASE("names do not lie over one another or over points") {
  std::vector<LabelledPoint> points;
  std::vector<Point> marks;
  for (int i = 0; i < 12; ++i) {
    const Point at{40.0 + 20 * i, 200.0 - 12 * i};
    points.push_back({at, "name" + std::to_string(i)});
    marks.push_back(at);
  }
  Canvas canvas;
  const double below = draw_labels(canvas, points, marks, {0, 0, 340, 240}, 340, 260);
  CHECK(below == 260);  // all fit beside their points
  const std::string text = canvas.take();
  for (const LabelledPoint& point : points)
    CHECK(text.find(">" + point.name + "<") != std::string::npos);

  // Where they do not, the key below has all of them.
  std::vector<LabelledPoint> crowd;
  for (int i = 0; i < 40; ++i) crowd.push_back({{150, 100}, "crowded" + std::to_string(i)});
  Canvas other;
  CHECK(draw_labels(other, crowd, marks, {0, 0, 340, 240}, 340, 260) > 260);
  const std::string key = other.take();
  for (const LabelledPoint& point : crowd) CHECK(key.find(point.name + "<") != std::string::npos);
}

TEST_CASE("data go out as CSV and JSON with NaN as each has it") {
  const Picture picture{"kind", "t <i>", 10, 10, "", {{"x", {{"a,b", "1", {1, NAN}, {}},
                                                           {"name", "", {}, {"p", "q\"r"}}}}}};
  CHECK(data_csv(picture.data.front()) == "\"a,b\",name\n1,p\nNaN,\"q\"\"r\"\n");
  CHECK(data_json(picture).find("\"values\":[1.0,null]") != std::string::npos);
  CHECK(standalone_svg(picture).find("t &lt;i&gt;") != std::string::npos);
}
