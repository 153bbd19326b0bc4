// A first look of the fuzzer at every format, in the ordinary run; the long one is fuzz_slow_test.
#include "formats/fuzz_corpus.hpp"

using namespace axmul;

TEST_CASE("mutated tables end in a table or an axmul::Error") {
  for (const TableFormat& format : table_formats()) {
    const test::FuzzReport report = test::fuzz_format(format, 0.3);
    CHECK(report.runs >= 17);  // at least the seeds
    CHECK(report.accepted >= 6);
    CHECK(report.refused >= 6);
  }
}
