// A short run of damaged HDF5; fuzz_slow_test.cpp has the long one.
#include "tables/fuzz_corpus.hpp"

using namespace axmul;

TEST_CASE("damaged error tables, libraries and traces end in an error or are read") {
  test::fuzz_tables(1);
}
