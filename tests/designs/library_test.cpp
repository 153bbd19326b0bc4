// The list of the shipped library: size, no function twice, both operand types, every family.
#include <map>
#include <set>

#include "axmul/designs/designs.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("the library lists at least 60 designs, each function once, every family at least once") {
  const auto texts = library_designs();
  CHECK(texts.size() >= 60);
  std::map<std::string, std::string> seen;
  std::set<std::string> families;
  std::set<OperandType> types;
  for (const std::string& text : texts) {
    CAPTURE(text);
    const Multiplier m = generate(text);
    CHECK(m.name == text);  // canonical
    const auto [other, fresh] = seen.emplace(m.lut.sha256(), text);
    CAPTURE(other->second);
    CHECK(fresh);
    families.insert(parse_design(text).family().name);
    types.insert(m.lut.type());
  }
  families.insert("operand_rounding");  // exact arithmetic on fewer bits: no design of the library
  CHECK(families.size() == design_families().size());
  CHECK(types.count(OperandType::u8u8) == 1);
  CHECK(types.count(OperandType::s8s8) == 1);
  CHECK(design_families().size() >= 18);
}
