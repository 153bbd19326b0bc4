// Designs that leave partial-product bits out, against string and operand-mask definitions.
#include <cmath>

#include "axmul/designs/designs.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {
std::string with(const std::string& head, OperandType type) {
  return head + ",type=" + std::string(to_string(type)) + ")";
}
}  // namespace

TEST_CASE("exact is the product") {
  for (OperandType type : kOperandTypes)
    CHECK(generate("exact(type=" + std::string(to_string(type)) + ")").lut == Lut::exact(type));
}

TEST_CASE("truncated: row by row, what is left of a·2^j without its bits below 2^k") {
  for (OperandType type : kOperandTypes)
    for (int k : {0, 1, 5, 8, 11, 15}) {
      CAPTURE(k);
      const Lut lut = generate(with("truncated(k=" + std::to_string(k), type)).lut;
      // Row j adds ±(a·2^j) cleared below 2^k; two's-complement a keeps its sign on clearing.
      const Lut expected = Lut::from_function(type, [&](int a, int b) {
        int sum = 0;
        for (int j = 0; j < 8; ++j) {
          if (((b >> j) & 1) == 0) continue;
          const int step = 1 << std::max(0, k - j);
          const int high =
              j + 7 < k ? 0 : static_cast<int>(std::floor(double(a) / step)) * step * (1 << j);
          sum += j == 7 && b_is_signed(type) ? -high : high;
        }
        return sum;
      });
      CHECK(lut == expected);
    }
}

TEST_CASE("broken array: h rows of b and v columns are gone, and the operands are not alike") {
  const Lut lut = generate("broken_array(h=2,v=5)").lut;
  CHECK(lut(255, 3) == 0);                             // b below row 2
  CHECK(lut(3, 255) == 3 * 252 - 3 * 4 - 3 * 8 - 16);  // rows 2, 3 gone below 2^5, row 4 loses a_0
  CHECK(lut(3, 255) != lut(255, 3));
  for (OperandType type : kOperandTypes) {
    // v = 0: b loses its h low bits. h = 0: the truncated multiplier.
    for (int h = 0; h <= 8; ++h) {
      const Lut rows = generate(with("broken_array(v=0,h=" + std::to_string(h), type)).lut;
      CHECK(rows == Lut::from_function(type, [&](int a, int b) {
              return h == 8 ? 0 : a * ((b >> h) * (1 << h));
            }));
    }
    for (int v = 0; v <= 15; ++v)
      CHECK(generate(with("broken_array(h=0,v=" + std::to_string(v), type)).lut ==
            generate(with("truncated(k=" + std::to_string(v), type)).lut);
  }
}
