// luts/axmul-library.h5 is what the generators make: entries always, bytes with the same HDF5.
#include <cstdlib>

#include "axmul/designs/designs.hpp"
#include "axmul/tables/error_table.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("the shipped library is up to date (else: tools/make-library)") {
  const test::ScratchDir dir;
  const std::string fresh = (dir / "fresh.h5").string();
  setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
  const auto made = test::run_cli({"library", "make", "--output", fresh, "--force"});
  unsetenv("SOURCE_DATE_EPOCH");
  REQUIRE(made.code == 0);
  const std::string shipped = (test::source_dir() / "luts/axmul-library.h5").string();
  const ErrorTableFile ours(fresh), theirs(shipped);
  CHECK(theirs.entries().size() >= 60);
  REQUIRE(ours.entries().size() == theirs.entries().size());
  for (std::size_t i = 0; i < ours.entries().size(); ++i) {
    const TableEntry& entry = ours.entries()[i];
    CHECK(entry.name == theirs.entries()[i].name);
    CHECK(ours.sha256(entry) == theirs.sha256(theirs.entries()[i]));
    const Multiplier mine = ours.multiplier(entry);
    CHECK(mine.lut.sha256() == ours.sha256(entry));
    CHECK(mine.lut == generate(mine.provenance.generator, false).lut);
    CHECK(mine.cost.power_rel > 0);
    CHECK(mine.cost.source == "estimated");
  }
  if (std::string(AXMUL_HDF5_VERSION) == "1.10.8")
    CHECK(test::read_text(fresh) == test::read_text(shipped));
}
