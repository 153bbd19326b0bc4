// What reading a member of a family without its name must give.
#pragma once

#include <algorithm>
#include <string>

#include "axmul/designs/designs.hpp"
#include "axmul/formats/table_file.hpp"
#include "support/support.hpp"

namespace axmul::test {

/// Members of which the products alone cannot tell what they are.
struct Untold {
  bool zeros = false;    ///< no product
  bool gate = false;     ///< one AND gate of the top bits: the same circuit in every type
  bool foreign = false;  ///< perforated to the low bits of b, Booth broken to nothing but signs
};

inline Untold untold(const DesignInstance& design, const Lut& lut) {
  const auto& values = design.parameters();
  const std::string& name = design.family().name;
  const int sign = lut.type() == OperandType::u8s8 ? -1 : 1;
  Untold result;
  result.zeros = std::ranges::all_of(lut.products(), [](std::int32_t p) { return p == 0; });
  result.gate = lut == Lut::from_function(
                           lut.type(), [&](int a, int b) { return sign * (a & 128) * (b & 128); });
  result.foreign = (name == "perforated" && values[0] + values[1] == 8 && values[1] > 1) ||
                   (name == "broken_booth" && values[0] >= 13);
  return result;
}

/// As a file without a name or statement, in both orders of its index.
inline void check_tables(const DesignInstance& design) {
  CAPTURE(design.text());
  const Multiplier m{"x", Lut::from_function(design.type(), design)};
  const Untold cannot = untold(design, m.lut);
  for (const OperandIndex index : {OperandIndex::value, OperandIndex::bits}) {
    if (design.type() == OperandType::u8u8 && index == OperandIndex::bits) continue;
    CAPTURE(static_cast<int>(index));
    const Multiplier read =
        parse_table(encode_table(m, {.format = "npy", .index = index, .dtype = "int32"}), "x.npy");
    const bool doubted =
        cannot.zeros || cannot.foreign ||
        (cannot.gate && design.type() == OperandType::s8s8 && index == OperandIndex::value);
    CHECK(read.provenance.warning.empty() != doubted);
    if (cannot.zeros || cannot.foreign) continue;
    if (cannot.gate && index == OperandIndex::bits && design.type() == OperandType::s8s8) {
      CHECK(read.lut.type() == OperandType::u8u8);
      continue;
    }
    CHECK(read.lut == m.lut);
    CHECK(read.provenance.type_from == "values");
  }
}

}  // namespace axmul::test
