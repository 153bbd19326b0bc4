// cheader: declarations, literals and braces that are refused.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// A table whose row r starts in line r + 2 (r from 0); cell `at` of row 9 is replaced.
std::string header(const std::string& declaration, const std::string& cell = "7",
                   std::size_t cells = 256, std::size_t rows = 256,
                   const std::string& end = "};\n") {
  std::string text = declaration + " = {\n";
  for (std::size_t r = 0; r < rows; ++r) {
    text += '{';
    for (std::size_t c = 0; c < (r == 9 ? cells : 256); ++c)
      text += (r == 9 && c == 5 ? cell : "7") + ", ";
    text += "},\n";
  }
  return text + end;
}

constexpr const char* kInt16 = "const int16_t lut[256][256]";

void fails(const std::string& text, const char* message) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(parse_table(text, "x.h", {.type = OperandType::s8s8}),
                       doctest::Contains(message), InputError);
}

std::int32_t cell(const std::string& declaration, const std::string& literal) {
  return parse_table(header(declaration, literal), "x.h", {.type = OperandType::s8s8}).lut(9, 5);
}

}  // namespace

TEST_CASE("element types and literals") {
  CHECK(cell(kInt16, "-32768") == -32768);
  CHECK(cell(kInt16, "0xff9c") == -100);
  CHECK(cell(kInt16, "+010") == 8);
  CHECK(cell("static const unsigned short t[0x100][ 256 ]", "65535u") == 65535);
  CHECK(cell("int x[][256]", "-100000L") == -100000);
  CHECK(cell("constexpr std::uint16_t lut[256][256]", "0xFFFF") == 65535);
  CHECK(cell("my_product_t lut[256][256]", "123456") == 123456);
}

TEST_CASE("literals that do not fit or are none") {
  fails(header(kInt16, "32768"),
        "AX321 x.h:11: product 32768 does not fit the element type const int16_t");
  fails(header(kInt16, "-32769"), "AX321 x.h:11");
  fails(header(kInt16, "0x1ffff"), "AX321 x.h:11");
  fails(header("uint16_t lut[256][256]", "-1"), "AX321 x.h:11");
  fails(header("int lut[256][256]", "16777216"),
        "AX321 x.h:11: literal: product 16777216 reaches 2^24");
  fails(header("long lut[256][256]", "99999999999"), "AX322 x.h:11");
  fails(header(kInt16, "1.5"), "AX322 x.h:11");
  fails(header(kInt16, "A*B"), "AX322 x.h:11: expected a product (an integer), found \"A\"");
  fails(header(kInt16, "'a'"), "AX322 x.h:11");
  fails(header(kInt16, "089"), "AX322 x.h:11");
  fails(header(kInt16, "(3)"), "AX322 x.h:11");
  fails(header(kInt16, "{3}"), "AX322 x.h:11");
  fails(header(kInt16, "3 4"), "AX322 x.h:11: expected ',' or '}' after a product, found \"4\"");
}

TEST_CASE("shapes, braces and declarations") {
  // C would fill a short row with zeros in silence.
  fails(header(kInt16, "7", 255), "AX320 x.h:11: row 9 has 255 products, it needs 256");
  fails(header(kInt16, "7", 257), "AX320 x.h:11: row 9 has 257");
  fails(header(kInt16, "7", 256, 255), "ends with 65280 products");
  fails(header(kInt16, "7", 256, 257), "more than 65536");
  fails(header(kInt16, "7", 256, 256, ""), "found the end of the file");
  fails(header(kInt16).substr(0, 100000), "the end of the file");
  fails(header(kInt16) + header("static const int other[256][256]"),
        "AX326 x.h:259: \"other\" is a second table");
  fails("/* open [256] {\n", "AX322 x.h:1: a comment does not end");
  fails("int x;\n", "AX326 x.h: declares no table");
  fails(header("const int16_t lut[256][100]"), "AX326");
  fails(header("const int16_t lut[256][128]"), "AX320 x.h:2: row 0 has 256 products, it needs 128");
  fails("", "is empty");
}
