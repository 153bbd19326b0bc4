// Types of any widths, and tables of fewer than 8x8 bits.
#include "axmul/core/errors.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/core/operand.hpp"
#include "axmul/core/resemblance.hpp"
#include "core/reading.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a type text says signs and widths, and reads back") {
  for (const char* text :
       {"u8u8", "s8s8", "u8s8", "u8u3", "s7s7", "u8s4", "u16u16", "s12s12", "u1u1"}) {
    const auto type = parse_sized_type(text);
    REQUIRE(type);
    CHECK(to_string(*type) == text);
  }
  for (const char* text :
       {"", "u8", "8u8u", "s8u8", "u17u8", "u0u8", "u08u8", "u8u8x", "U8U8", "u8u"})
    CHECK_FALSE(parse_sized_type(text));
  CHECK(parse_sized_type("u8u8") == OperandType::u8u8);
  CHECK(parse_widths("8x3") == OperandWidths{8, 3});
  CHECK(parse_widths("7") == OperandWidths{7, 7});
  for (const char* text : {"", "8x", "x3", "8x17", "8 x3", "8x3x2"})
    CHECK_FALSE(parse_widths(text));
}

TEST_CASE("ranges and full scales follow the widths") {
  const SizedType u8s3 = *parse_sized_type("u8s3"), s7s5 = *parse_sized_type("s7s5");
  CHECK(a_min(u8s3) == 0);
  CHECK(a_max(u8s3) == 255);
  CHECK(b_min(u8s3) == -4);
  CHECK(b_max(u8s3) == 3);
  CHECK(u8s3.pairs() == 2048);
  CHECK(max_abs_product(u8s3) == 255 * 4);
  CHECK(max_abs_product(s7s5) == 64 * 16);
  CHECK(max_abs_product(SizedType(OperandType::u8u8)) == max_abs_product(OperandType::u8u8));
  CHECK(max_abs_product(*parse_sized_type("u16u16")) == 4294836225);
}

TEST_CASE("a narrow table keeps its products among those of 8 bits") {
  const SizedType type = *parse_sized_type("u3s2");
  std::vector<std::int32_t> products;
  for (int a = 0; a < 8; ++a)
    for (int b = -2; b < 2; ++b) products.push_back(a * b + (a == 5 && b == 1 ? 7 : 0));
  const Lut lut = Lut::of_size(type, products);
  CHECK(lut.sized_type() == type);
  CHECK_FALSE(lut.is_8x8());
  CHECK(lut(5, 1) == 12);
  CHECK(lut(7, -2) == -14);
  CHECK(lut.error(5, 1) == 7);
  CHECK(lut.used_products() == products);
  const ErrorMap errors(lut);
  CHECK(errors(5, 1) == 7);
  CHECK(errors(200, 100) == 0);
  CHECK_FALSE(lut == Lut::exact(type));
  CHECK(Lut::of_size(type, Lut::exact(type).used_products()) == Lut::exact(type));
  CHECK_THROWS_AS(Lut::of_size(type, std::span(products).first(31)), InputError);
  CHECK_THROWS_AS(Lut::exact(*parse_sized_type("u9u4")), InputError);
}

// printf 'u2u1' followed by the products 0 0 0 1 0 2 0 3 as little-endian int32, by sha256sum;
// swapped: 'u1u2' and 0 0 0 0 0 1 2 3.
TEST_CASE("the identity of a narrow table is that of its own type and products") {
  const Lut lut = Lut::exact(*parse_sized_type("u2u1"));
  CHECK(lut.sha256() == "832fc6dc68330d883fe27cc993a54201b614505079b5cd9349d5198edd2395eb");
  CHECK(lut.sha256_swapped() == "002c6715efef42cd39f1565f3730007bb845252adb542938abd119310aa0dd81");
  CHECK(lut.sha256_swapped() == transposed(lut).sha256());
  CHECK(Lut::of_size(OperandType::u8u8, Lut::exact(OperandType::u8u8).products()).sha256() ==
        Lut::exact(OperandType::u8u8).sha256());
}

TEST_CASE("what takes 8x8 bits only says so") {
  const Lut lut = Lut::exact(*parse_sized_type("u8u3"));
  CHECK_THROWS_WITH_AS(require_8x8(lut, "error models take"),
                       "AX710 error models take multipliers of 8x8 bits, not u8u3", UsageError);
  CHECK_THROWS_AS(sign_magnitude(lut, OperandType::s8s8), UsageError);
}

TEST_CASE("resemblance of a narrow table is that of its operands alone") {
  for (const char* text : {"u8u3", "s5s4", "u4s7"}) {
    const SizedType type = *parse_sized_type(text);
    const Resemblance exact = resemblance(Lut::exact(type));
    CHECK(exact.score() == doctest::Approx(1));
    CHECK(exact.gain == doctest::Approx(1));
    CHECK(exact.squared_error == doctest::Approx(0));
    const Resemblance sum =
        resemblance(Lut::from_function_of_size(type, [](int a, int b) { return a + b; }));
    CHECK(std::abs(sum.interaction) < 1e-6);
    CHECK_FALSE(sum.is_product());
  }
}

TEST_CASE("names tell widths and signs") {
  using namespace axmul::detail;
  CHECK(widths_of_name("mul8x3u_0C8") == OperandWidths{8, 3});
  CHECK(widths_of_name("mul7u_003") == OperandWidths{7, 7});
  CHECK(widths_of_name("my_u8s4_table") == OperandWidths{8, 4});
  CHECK(widths_of_name("mul16s_G80") == OperandWidths{16, 16});
  CHECK_FALSE(widths_of_name("table"));
  CHECK(type_of_name("mul8x3u_0C8") == OperandType::u8u8);
  CHECK(type_of_name("mul7s_1") == OperandType::s8s8);
  CHECK_FALSE(type_of_name("mul16s_G80"));
  CHECK(signs_of_name("mul16s_G80") == OperandType::s8s8);
  CHECK(type_of_name("mul8u_125K") == OperandType::u8u8);
}
