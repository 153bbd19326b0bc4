// Costs from CSV: units, rows in any order, names of several functions.
#include <algorithm>

#include "axmul/core/errors.hpp"
#include "axmul/tables/library_build.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

std::vector<CostRow> rows_of(const std::string& csv) {
  const test::ScratchDir dir;
  test::write_text(dir / "c.csv", csv);
  return read_costs((dir / "c.csv").string());
}

std::string refusal(const std::string& csv) {
  try {
    rows_of(csv);
  } catch (const InputError& error) {
    CHECK(error.id() == 850);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the unit of a column is in its name") {
  CHECK(rows_of("name,power_uw,delay_ps\nm,428.7,1190\n")[0].cost.power_mw ==
        doctest::Approx(0.4287));
  CHECK(rows_of("name,power_nw\nm,428700\n")[0].cost.power_mw == doctest::Approx(0.4287));
  CHECK(rows_of("name,power_uw,delay_ps\nm,428.7,1190\n")[0].cost.delay_ns ==
        doctest::Approx(1.19));
  CHECK(rows_of("name,PDK45_PWR_mW\nm,0.4\n")[0].cost.power_mw == 0.4);
  CHECK(refusal("name,power_mw,power_uw\nm,1,2\n").find("columns power_mw and power_uw") !=
        std::string::npos);
  CHECK(refusal("name,power\nm,1\n").find("column power has no unit; name it power_mw") !=
        std::string::npos);
}

TEST_CASE("rows join by hash, name, alias, whatever their order, and set power_rel") {
  const Lut exact = Lut::exact(OperandType::u8u8), odd = test::asymmetric_lut(OperandType::u8u8);
  std::vector<CostRow> rows =
      rows_of("name,sha256,power_mw,MAE\nexact,,0.5,\nodd,,0.3,\nalias,,0.2,7\n," + exact.sha256() +
              ",0.4,\ngone,,1,\n");
  std::ranges::sort(rows, {}, &CostRow::key);
  do {
    std::vector<Multiplier> list{{"exact", exact}, {"odd", odd}};
    list[1].aliases = {"alias"};
    const CostJoin join = join_costs(rows, list);
    CHECK(join.missing == std::vector<std::string>{"gone"});
    CHECK(join.notes.size() == 2);  // two powers each
    CHECK(list[0].cost.power_mw == 0.4);
    CHECK(list[0].cost.power_rel == 1);
    CHECK(list[1].cost.power_mw == 0.3);
    CHECK(list[1].cost.power_rel == doctest::Approx(0.75));
    CHECK(list[1].published_text.empty());
    CHECK(list[1].alias_published.at("alias").at("MAE") == "7");
  } while (std::ranges::next_permutation(rows, {}, &CostRow::key).found);
}

TEST_CASE("a row by a name of two functions is not used, and that is told") {
  std::vector<Multiplier> list{{"m", Lut::exact(OperandType::u8u8)},
                               {"m", test::asymmetric_lut(OperandType::u8u8)}};
  const CostJoin join = join_costs(rows_of("name,power_mw\nm,0.5\n"), list);
  CHECK(join.missing.empty());
  REQUIRE(join.notes.size() == 1);
  CHECK(join.notes[0].find("2 functions are called m") != std::string::npos);
  for (const Multiplier& m : list) CHECK(std::isnan(m.cost.power_mw));
}
