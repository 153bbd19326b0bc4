// Damaged HDF5 for as long as AXMUL_FUZZ_SECONDS says (a minute unless told): an error or a read.
#include "tables/fuzz_corpus.hpp"

using namespace axmul;

TEST_CASE("a minute of damaged error tables, libraries and traces") { test::fuzz_tables(60); }
