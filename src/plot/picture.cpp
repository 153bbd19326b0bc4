// A picture as a file: style sheet, converters, the numbers behind it.
#include "axmul/plot/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/csv.hpp"
#include "io/json.hpp"
#include "netlist/process.hpp"
#include "plot/canvas.hpp"

namespace axmul::plot {

namespace {

// One accent; s0 … s5 are told apart by lightness and dashes too. Pages have the same classes with
// variables (src/plot/page_style.cpp).
constexpr const char* kPaperStyle =
    "text{font-family:Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif;fill:#1c2126}"
    ".tick{font-size:9px;fill:#4a5158}.label{font-size:10px}.name{font-size:8.5px}"
    ".title{font-size:11px;font-weight:bold}"
    ".axis{stroke:#1c2126;stroke-width:.8;fill:none}.grid{stroke:#e3e6e9;stroke-width:.6}"
    ".frame{stroke:#1c2126;stroke-width:.8;fill:none}"
    ".zero{stroke:#8a929a;stroke-width:.7;stroke-dasharray:2 2;fill:none}"
    ".accent{stroke:#c2410c;stroke-width:1.4;fill:none}.accent-fill{fill:#c2410c}"
    ".accent-text{fill:#9a3412;font-size:9px}"
    ".band{fill:#c2410c;fill-opacity:.18}.bar{fill:#44617b}.soft{stroke:#44617b;stroke-width:1;"
    "fill:none}.dot{fill:#9aa4ad;fill-opacity:.75}.lead{stroke:#8a929a;stroke-width:.5}"
    ".bars{stroke:#44617b;stroke-width:.8}"
    ".s0,.s1,.s2,.s3,.s4,.s5{fill:none;stroke-width:1.4}"
    ".s0{stroke:#c2410c}.s1{stroke:#1d4e89;stroke-dasharray:5 2}.s2{stroke:#3f8f6b}"
    ".s3{stroke:#8e4a9e;stroke-dasharray:2 2}.s4{stroke:#b08900;stroke-dasharray:7 2 2 2}"
    ".s5{stroke:#5a6470}"
    ".thin{stroke-width:.7}.solid{stroke-dasharray:none}.faint{fill-opacity:.45}"
    ".f0{fill:#c2410c}.f1{fill:#1d4e89}.f2{fill:#3f8f6b}.f3{fill:#8e4a9e}.f4{fill:#b08900}"
    ".f5{fill:#5a6470}";

std::string svg_start(const Picture& p) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "class=\"plot\" data-kind=\"{}\" aria-label=\"{}\"",
      coordinate(p.width), coordinate(p.height), p.kind, xml_text(p.title));
}

Json column_json(const DataColumn& column) {
  Json values = Json::array();
  for (const double value : column.numbers) values.push_back(number(value));
  for (const std::string& text : column.texts) values.push_back(text);
  return {{"units", column.units}, {"values", std::move(values)}};
}

}  // namespace

std::string standalone_svg(const Picture& p) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + svg_start(p) +
         fmt::format(
             " width=\"{}\" height=\"{}\">\n<title>{}</title>\n<style>{}</style>\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
             coordinate(p.width), coordinate(p.height), xml_text(p.title), kPaperStyle) +
         p.body + "</svg>\n";
}

std::string inline_svg(const Picture& p) { return svg_start(p) + ">\n" + p.body + "</svg>\n"; }

std::string converted_svg(const std::string& svg, const std::string& format, double dpi) {
  if (!detail::program_exists("rsvg-convert"))
    throw UnavailableError(1130,
                           "PNG and PDF are made by rsvg-convert, which is not in PATH (Debian "
                           "package librsvg2-bin); SVG needs no program: -o FILE.svg");
  const detail::TemporaryFolder folder;
  const std::string source = folder.file("picture.svg");
  write_file(source, svg);
  detail::ProcessOptions options;
  options.timeout_s = 120;
  options.max_output = std::size_t{256} << 20;
  options.join_stderr = false;
  std::vector<std::string> words{"rsvg-convert", "--format", format};
  // A px is 1/96 inch; PDF is drawn at that size.
  if (format == "png") words.insert(words.end(), {"--zoom", fmt::format("{:.6g}", dpi / 96)});
  words.push_back(source);
  const detail::ProcessResult result = detail::run_process(words, options);
  if (!result.started || result.exit_code != 0 || result.output.empty())
    throw UnavailableError(1131, "rsvg-convert could not make " + format +
                                     " of the picture: " + std::string(first_line(result.output)));
  return result.output;
}

std::string data_json(const Picture& picture) {
  Json json{{"schema", "axmul.plot/1"},
            {"kind", picture.kind},
            {"title", picture.title},
            {"tables", Json::object()}};
  for (const DataTable& table : picture.data) {
    Json& columns = json["tables"][table.name] = Json::object();
    for (const DataColumn& column : table.columns) columns[column.name] = column_json(column);
  }
  return json.dump() + "\n";
}

std::string data_csv(const DataTable& table) {
  std::string out;
  std::size_t rows = 0;
  for (const DataColumn& column : table.columns) {
    if (!out.empty()) out += ',';
    append_field(out, column.name);
    rows = std::max({rows, column.numbers.size(), column.texts.size()});
  }
  out += '\n';
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const DataColumn& column = table.columns[c];
      if (c > 0) out += ',';
      if (i < column.texts.size())
        append_field(out, column.texts[i]);
      else if (i < column.numbers.size() && std::isfinite(column.numbers[i]))
        append_number(out, column.numbers[i]);
      else
        out += "NaN";
    }
    out += '\n';
  }
  return out;
}

}  // namespace axmul::plot
