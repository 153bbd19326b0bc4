// Edit distance on pairs whose distance is known.
#include "axmul/core/text.hpp"

#include "support/support.hpp"

using namespace axmul;

TEST_CASE("edit distance: textbook pairs, empty texts, symmetry") {
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("saturday", "sunday") == 3);
  CHECK(edit_distance("drun", "drum") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("flaw", "lawn") == edit_distance("lawn", "flaw"));
}
