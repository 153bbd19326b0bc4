// Each format has a page, the index names it, and the page's Python reader reads our file right.
#include <algorithm>

#include "formats/helpers.hpp"

using namespace axmul;

namespace {

std::string python_block(const std::string& page) {
  const std::size_t start = page.find("```python\n");
  REQUIRE(start != std::string::npos);
  const std::size_t end = page.find("```", start + 10);
  REQUIRE(end != std::string::npos);
  return page.substr(start + 10, end - start - 10);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every format has a page that states what it must") {
  const std::string index = test::read_text(test::source_dir() / "src/formats/README.md");
  for (const TableFormat& format : table_formats()) {
    CAPTURE(format.name);
    std::string extensions;
    for (const std::string& extension : format.extensions)
      extensions += (extensions.empty() ? "" : " ") + extension;
    CHECK(contains(index, "| `" + format.name + "` | `" + extensions + "` | " + format.description +
                              " | " + test::text_of(format.order) + " | " +
                              test::text_of(format.index) + " | [" + format.name + ".md](" +
                              format.name + ".md) |"));
    const std::string page =
        test::read_text(test::source_dir() / ("src/formats/" + format.name + ".md"));
    CHECK(contains(page, extensions));
    CHECK(contains(page, "| default order | `" + test::text_of(format.order) + "`"));
    CHECK(contains(page, "| default index | `" + test::text_of(format.index) + "`"));
    CHECK(contains(page, "| layout |"));
    CHECK(contains(page, "| signedness |"));
    CHECK(contains(page, "**Who uses it.**"));
  }
}

TEST_CASE("the page's reader reads what is written, entry by entry") {
  for (const TableFormat& format : table_formats()) {
    CAPTURE(format.name);
    const test::ScratchDir dir;
    const std::string page =
        test::read_text(test::source_dir() / ("src/formats/" + format.name + ".md"));
    std::string script = python_block(page);
    CHECK(std::count(script.begin(), script.end(), '\n') <= 14);
    for (const OperandType type : kOperandTypes)
      for (const bool wide : {false, true}) {
        // The wide table needs more than 16 bits.
        const Lut lut = wide ? test::asymmetric_lut(type) : test::plausible_lut(type);
        const std::string name = std::string(to_string(type)) + (wide ? "_wide" : "_narrow");
        write_table((dir / (name + format.extensions[0])).string(), {.name = name, .lut = lut});
        std::string expected;
        for (const std::int32_t product : lut.products())
          expected += std::to_string(product) + '\n';
        test::write_text(dir / (name + ".expected"), expected);
        script += "\ngot = read('" + name + format.extensions[0] + "', '" +
                  std::string(to_string(type)) + "')\nwant = [int(x) for x in open('" + name +
                  ".expected')]\nassert got.shape == (256, 256)\n"
                  "assert got.reshape(-1).tolist() == want, '" +
                  name + "'\n";
      }
    test::run_python(dir, script);
  }
}
