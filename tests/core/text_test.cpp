// Edit distance on pairs whose distance is known; first lines; natural order.
#include "axmul/core/text.hpp"

#include <string>
#include <vector>

#include "support/support.hpp"

using namespace axmul;

TEST_CASE("the first line is the first that says something") {
  CHECK(first_line("\n \t\r\n  what it was \r\nmore\n") == "what it was");
  CHECK(first_line("one") == "one");
  CHECK(first_line("one\n\ntwo") == "one");
  CHECK(first_line("\n\n") == "");
  CHECK(first_line("") == "");
}

TEST_CASE("edit distance: textbook pairs, empty texts, symmetry") {
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("saturday", "sunday") == 3);
  CHECK(edit_distance("drun", "drum") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("flaw", "lawn") == edit_distance("lawn", "flaw"));
}

TEST_CASE("natural order: numbers by value, else bytes, and never two texts alike") {
  const std::vector<std::string> sorted{"", "m", "m2", "m10", "m10a", "m11", "n1"};
  for (std::size_t i = 0; i < sorted.size(); ++i)
    for (std::size_t j = 0; j < sorted.size(); ++j)
      CHECK_MESSAGE(natural_less(sorted[i], sorted[j]) == (i < j), sorted[i], " ", sorted[j]);
  CHECK(natural_less("m2", "m02") != natural_less("m02", "m2"));
}
