// csv matrices: what is refused, with line and column (fields: tests/io/csv_test.cpp).
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// A matrix of ones in which cell (row, column), counted from 1, is something else.
std::string matrix(std::size_t row, std::size_t column, const std::string& cell,
                   std::size_t rows = 256, std::size_t columns = 256) {
  std::string text = "# comment\n";
  for (std::size_t r = 1; r <= rows; ++r)
    for (std::size_t c = 1; c <= columns; ++c)
      text += (r == row && c == column ? cell : "1") + (c == columns ? "\n" : ",");
  return text;
}

void fails(const std::string& text, const char* message) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(parse_table(text, "x.csv"), doctest::Contains(message), InputError);
}

}  // namespace

TEST_CASE("bad cells are named with line and column") {
  CHECK_NOTHROW(parse_table(matrix(5, 7, "2"), "x.csv"));
  fails(matrix(5, 7, "nan"), "AX112 x.csv:6: column 7");
  fails(matrix(5, 7, "1.5"), "AX321 x.csv:6: column 7: 1.5 is not a whole number");
  fails(matrix(5, 7, "16777216"), "AX321 x.csv:6: column 7: product 16777216 reaches 2^24");
  fails(matrix(5, 7, "-1e300"), "AX321 x.csv:6: column 7");
  fails(matrix(5, 7, " 99999999999999999999 "),
        "AX321 x.csv:6: column 7: 99999999999999999999 is not a whole number");
  fails(matrix(5, 256, "1e20"), "AX321 x.csv:6: column 256: 1e20 is not");
  fails(matrix(1, 1, "1e20"), "AX321 x.csv:2: column 1: 1e20 is not");
  fails(matrix(5, 7, "seven"), "AX110 x.csv:6: column 7: \"seven\"");
  fails(matrix(5, 7, ""), "AX110 x.csv:6: column 7: the field is empty");
  fails(matrix(5, 7, "0x10"), "AX110 x.csv:6: column 7");
}

TEST_CASE("wrong sizes") {
  fails(matrix(0, 0, "", 255), "AX320 x.csv:256: the file ends with 255 rows of 256 columns");
  fails(matrix(0, 0, "", 257), "257 rows");
  fails(matrix(0, 0, "", 256, 255), "256 rows of 255 columns");
  fails(matrix(0, 0, "", 10, 3), "triplets");
  fails(matrix(256, 256, "1,1"), "AX111 x.csv:257: the row has 257 columns");
  fails("", "is empty");
  fails("# nothing\n", "AX113");
  std::string truncated = encode_table(
      {.name = "x", .lut = test::asymmetric_lut(OperandType::s8s8)}, {.format = "csv"});
  truncated.resize(truncated.size() / 2);
  CHECK_THROWS_AS(parse_table(truncated, "x.csv"), InputError);
}
