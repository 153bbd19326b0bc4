// 10,000 tables stream into HDF5 without the memory growing with their number.
#include <sys/resource.h>

#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Peak memory in KiB after `early` and after `count` tables.
std::pair<long, long> stream(std::size_t early, std::size_t count, bool products) {
  std::vector<DesignRef> designs;
  for (std::size_t i = 0; i < count; ++i)
    designs.push_back({"m" + std::to_string(i), "", [i] {
                         return Multiplier{"", test::random_lut(OperandType::u8u8, i, 200)};
                       }});
  const test::ScratchDir scratch;
  CharacterizationOptions options;
  if (products) options.prepare = pack_products;
  ErrorTableOptions table;
  table.products = products;
  const DistributionSet distributions(options);
  ErrorTableWriter writer(scratch / "t.h5", distributions, table);
  long first = 0;
  std::size_t done = 0;
  characterize_designs(designs, options, distributions, [&](const Characterization& result) {
    writer.add(result);
    if (++done == early) first = peak_kib();
  });
  writer.finish();
  return {first, peak_kib()};
}

}  // namespace

TEST_CASE("statistics of 10,000 tables") {
  const auto [early, late] = stream(1000, 10000, false);
  MESSAGE("peak MiB after 1,000 and 10,000 tables: " << early / 1024 << ", " << late / 1024);
  CHECK(late - early < 32 * 1024);
}

TEST_CASE("products, errors and statistics of 2,000 tables") {
  const auto [early, late] = stream(400, 2000, true);
  MESSAGE("peak MiB after 400 and 2,000 tables: " << early / 1024 << ", " << late / 1024);
  CHECK(late - early < 32 * 1024);
}
