// Every stage file of a run, damaged in every way: never a wrong number, never a fault of axmul's.
#include "train/stage_support.hpp"

using namespace axmul;

TEST_CASE("every way to damage every stage file ends in an error that names it") {
  const test::StageBench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  REQUIRE(test::run(bench.resume()) == 0);
  for (const std::string& file : bench.stage_files()) {
    const bool binary = !file.ends_with(".json");
    for (const test::Damage& damage : test::byte_damages())
      bench.check_refused(file, damage, binary && damage.name == "doubled");
    if (binary) {
      const auto size = test::read_text(bench.folder / bench.name / file).size();
      for (std::size_t i = 1; i < 12; ++i)  // one byte each, all over the file
        bench.check_refused(file,
                            {"byte " + std::to_string(i * size / 12),
                             [&](const std::string& text) {
                               std::string changed = text;
                               changed[i * size / 12] = static_cast<char>(~changed[i * size / 12]);
                               return changed;
                             }},
                            true);
      continue;
    }
    for (const test::Damage& damage : test::json_damages()) bench.check_refused(file, damage);
  }
  CHECK(test::run(bench.resume()) == 0);
}
