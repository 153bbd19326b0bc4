// A name is a label: two functions under one name are told apart.
#include "axmul/core/multiplier.hpp"

#include "support/support.hpp"

using namespace axmul;

TEST_CASE("two functions of one name get their hash, equal functions keep the name") {
  const Lut x = test::asymmetric_lut(OperandType::u8u8);
  const Lut y = Lut::exact(OperandType::u8u8);
  std::vector<Multiplier> list{{"m", x}, {"m", y}, {"n", x}, {"k", y}, {"k", y}};
  const auto warnings = make_names_unique(list);
  CHECK(warnings.size() == 2);
  CHECK(list[0].name == "m@" + x.sha256().substr(0, 8));
  CHECK(list[1].name == "m@" + y.sha256().substr(0, 8));
  CHECK(list[2].name == "n");
  CHECK(list[3].name == "k");
  CHECK(list[4].name == "k");
}
