// Edit distance on pairs whose distance is known; first lines.
#include "axmul/core/text.hpp"

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
