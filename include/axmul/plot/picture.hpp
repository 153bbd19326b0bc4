// Picture: a drawing as SVG together with the numbers behind it, and its way into files.
#pragma once

#include <string>
#include <vector>

#include "axmul/core/api.hpp"

namespace axmul::plot {

/// One column of the numbers behind a picture: texts or numbers, all rows.
struct AXMUL_API DataColumn {
  std::string name;
  std::string units;  ///< "1" where it has none, "" for texts
  std::vector<double> numbers{};
  std::vector<std::string> texts{};
};

struct AXMUL_API DataTable {
  std::string name;  ///< "error", "pmf" …
  std::vector<DataColumn> columns;
};

/// What all pictures have in common. A column of a paper is 90 mm wide, 340 px; letters keep their
/// size at any width.
struct AXMUL_API PictureOptions {
  double width = 340;  ///< px, at least 300
  bool title = true;   ///< draw the title; papers have captions instead
};
inline constexpr double kColumnWidth = 340, kFullWidth = 700, kLeastWidth = 300;

/// A drawing. Colours are those of classes: standalone_svg() defines them for paper, a page that
/// holds inline_svg() defines them itself (light and dark).
struct AXMUL_API Picture {
  std::string kind;   ///< "heatmap" …
  std::string title;  ///< one line, what is seen; also the text for readers that see no pictures
  double width = 0, height = 0;  ///< px of 1/96 inch
  std::string body;              ///< SVG elements
  std::vector<DataTable> data;   ///< the first is the main one
};

/// A whole SVG file, on white.
AXMUL_API std::string standalone_svg(const Picture& picture);
/// The <svg> element for a page: no colours of its own, scales with what holds it.
AXMUL_API std::string inline_svg(const Picture& picture);

/// The picture as PNG (dpi) or PDF, by the program rsvg-convert. Throws UnavailableError AX1130
/// where that is missing, AX1131 with what it says where it fails.
AXMUL_API std::string converted_svg(const std::string& svg, const std::string& format,
                                    double dpi = 300);

/// {"schema": "axmul.plot/1", "kind", "title", "tables": {name: {column: [values]}}}; NaN is null.
AXMUL_API std::string data_json(const Picture& picture);
/// One table, header first; NaN is "NaN".
AXMUL_API std::string data_csv(const DataTable& table);

}  // namespace axmul::plot
