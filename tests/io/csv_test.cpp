// Text tables: separators, comments, headers, errors with line and column, numbers that read back.
#include "axmul/io/csv.hpp"

#include <cmath>
#include <limits>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("separators, comments, blank lines, CRLF, byte order mark") {
  for (const char* text :
       {"1,2.5,-3\n4,5,6\n", "1;2.5;-3\r\n4;5;6", "\xEF\xBB\xBF 1\t2.5 -3\n\n4 5   6\n",
        "# c\n1, 2.5 ,-3, # tail\n\n 4,5,+6,\n", "\"1\",\"2.5\",\"-3\"\n4,5,6"}) {
    CAPTURE(text);
    const CsvMatrix matrix = parse_csv(text, "f.csv");
    REQUIRE(matrix.values.rows() == 2);
    REQUIRE(matrix.values.cols() == 3);
    CHECK(matrix.values(0, 1) == 2.5);
    CHECK(matrix.values(0, 2) == -3);
    CHECK(matrix.values(1, 2) == 6);
  }
  const CsvMatrix matrix = parse_csv("# one\n1 2 #two\n\n3 4", "f");
  CHECK(matrix.comments == std::vector<std::string>{"one", "two"});
  CHECK(matrix.lines == std::vector<std::size_t>{2, 4});
}

TEST_CASE("a header line is words only, and only when allowed") {
  const CsvOptions options{.allow_header = true};
  CHECK(parse_csv("value,count\n1,2", "f", options).header ==
        std::vector<std::string>{"value", "count"});
  CHECK(parse_csv("value count\n1,2", "f", options).values.cols() == 2);
  CHECK_THROWS_WITH_AS(parse_csv("value,count\n1,2", "f"), doctest::Contains("f:1: column 1"),
                       InputError);
  CHECK_THROWS_WITH_AS(parse_csv("1,count\n1,2", "f", options), doctest::Contains("column 2"),
                       InputError);
  CHECK_THROWS_WITH_AS(parse_csv("a,b\nc,d\n1,2", "f", options), doctest::Contains("f:2"),
                       InputError);
}

TEST_CASE("errors name line and column") {
  const auto fails = [](const char* text, const char* part, const CsvOptions& options = {}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_csv(text, "f", options), doctest::Contains(part), InputError);
  };
  fails("1,2\n3,x\n", "AX110 f:2: column 2: \"x\" is not a number");
  fails("1,2\n3,,4\n", "AX110 f:2: column 2: the field is empty");
  fails("1,2\n\n# c\n3\n", "AX111 f:4: the row has 1 columns, the first one (line 1) has 2");
  fails("1,2\n3,nan\n", "AX112 f:2: column 2");
  fails("1,inf\n", "AX112");
  fails("1,1e999\n", "AX110");
  fails("1;2,5\n", "AX110");
  fails("1,0x10\n", "AX110");
  fails("", "AX113");
  fails("# only\n\n", "AX113");
  fails("1 2\n3 4\n", "AX114", {.max_values = 3});
  CHECK(std::isnan(parse_csv("nan", "f", {.allow_non_finite = true}).values(0, 0)));
}

TEST_CASE("numbers are written so that they read back as the same double") {
  for (const double value :
       {0.1, 1.0 / 3, 22286.0361328125, 5e-324, 1.7976931348623157e308, -2.0}) {
    std::string text;
    append_number(text, value);
    CHECK(parse_csv(text, "f").values(0, 0) == value);
  }
  std::string text;
  append_number(text, -std::numeric_limits<double>::quiet_NaN());
  append_number(text, std::int64_t{-9223372036854775807 - 1});
  append_field(text, "a,\"b\"");
  append_field(text, "plain");
  CHECK(text == "nan-9223372036854775808\"a,\"\"b\"\"\"plain");
}
