// 60 s of fuzzing for every format (AXMUL_FUZZ_SECONDS overrides); run it under ASan and UBSan.
#include "formats/fuzz_corpus.hpp"

using namespace axmul;

TEST_CASE("mutated tables end in a table or an axmul::Error, for a minute each") {
  for (const TableFormat& format : table_formats()) {
    const test::FuzzReport report = test::fuzz_format(format, 60);
    CHECK(report.accepted > 0);
    CHECK(report.refused > 0);
  }
}
