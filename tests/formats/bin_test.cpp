// bin: sizes, signedness by type, and what is refused.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

TEST_CASE("size decides the width, the type the signedness of 16 bits") {
  std::string bytes(131072, '\0');
  bytes[2 * (5 * 256 + 9)] = '\xfe';
  bytes[2 * (5 * 256 + 9) + 1] = '\xff';
  CHECK(parse_table(bytes, "x.bin", {.type = OperandType::u8u8}).lut(5, 9) == 65534);
  CHECK(parse_table(bytes, "x.bin", {.type = OperandType::u8s8}).lut(5, 9 - 128) == -2);
  CHECK(parse_table(bytes, "x.bin", {.type = OperandType::s8s8}).lut(5 - 128, 9 - 128) == -2);
  CHECK(parse_table(bytes, "x.bin", {.type = OperandType::s8s8, .index = OperandIndex::bits})
            .lut(5, 9) == -2);
  std::string wide(262144, '\0');
  wide[4 * (5 * 256 + 9)] = '\xfe';
  for (int i = 1; i < 4; ++i) wide[4 * (5 * 256 + 9) + static_cast<std::size_t>(i)] = '\xff';
  CHECK(parse_table(wide, "x.bin", {.type = OperandType::u8u8}).lut(5, 9) == -2);
}

TEST_CASE("any other size is refused with both sizes named") {
  for (const std::size_t size : {1u, 65536u, 131070u, 131071u, 131073u, 262143u, 262148u}) {
    CAPTURE(size);
    CHECK_THROWS_WITH_AS(parse_table(std::string(size, '\0'), "x.bin"),
                         doctest::Contains(("x.bin: a .bin table has 131072 bytes (16-bit "
                                            "products), 262144 (32-bit) or 524288 (64-bit), this "
                                            "has " +
                                            std::to_string(size))
                                               .c_str()),
                         InputError);
  }
}

TEST_CASE("a 32-bit product that cannot be one is named with its byte") {
  std::string bytes(262144, '\0');
  bytes[4 * 77 + 3] = '\x01';
  CHECK_THROWS_WITH_AS(parse_table(bytes, "x.bin"),
                       doctest::Contains("AX321 x.bin: byte 308: product 16777216"), InputError);
  // A big-endian table, seen through little-endian eyes.
  bytes[4 * 77 + 3] = '\x80';
  CHECK_THROWS_WITH_AS(parse_table(bytes, "x.bin"), doctest::Contains("byte order"), InputError);
}
