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

TEST_CASE("a name that is taken already gets more of the hash") {
  const Lut x = test::asymmetric_lut(OperandType::u8u8);
  const Lut y = Lut::exact(OperandType::u8u8);
  const Lut z = test::random_lut(OperandType::u8u8, 5);
  const auto hash = [](const Lut& lut, std::size_t digits) {
    return "@" + lut.sha256().substr(0, digits);
  };
  std::vector<Multiplier> list{
      {"m", x}, {"m", y}, {"m" + hash(x, 8), z}, {"m", x}, {"m" + hash(y, 8), y}};
  make_names_unique(list);
  CHECK(list[0].name == "m" + hash(x, 16));
  CHECK(list[1].name == "m" + hash(y, 16));
  CHECK(list[2].name == "m" + hash(x, 8));
  CHECK(list[3].name == list[0].name);
  std::vector<Multiplier> hostile{{"m", x}, {"m", y}};
  for (std::size_t digits = 8; digits <= 64; digits += 8)
    hostile.push_back({"m" + hash(x, digits), z});
  make_names_unique(hostile);
  CHECK(hostile[0].name == "m" + hash(x, 64) + "#2");
  CHECK(hostile[1].name == "m" + hash(y, 8));
}
