// Addressing by value, identity, limits, operand swap and sign-magnitude use.
#include "axmul/core/lut.hpp"

#include <vector>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a table is addressed by operand value, a slow and b fast") {
  const Lut s = test::asymmetric_lut(OperandType::s8s8);
  CHECK(s(3, -100) == 3 * 3 * -100 + 7 * 3 + 500 + 11);
  CHECK(s(-100, 3) == 3 * 3 * -100 - 700 - 15 + 11);
  CHECK(s.products()[0] == s(-128, -128));
  CHECK(s.products()[1] == s(-128, -127));
  CHECK(s.products()[256] == s(-127, -128));
  const Lut m = test::asymmetric_lut(OperandType::u8s8);
  CHECK(m.products()[0] == m(0, -128));
  CHECK(m.products()[65535] == m(255, 127));
  CHECK(m.error(200, -3) == m(200, -3) + 600);
}

TEST_CASE("identity is the SHA-256 of type tag and little-endian products") {
  // Values of: python3 -c "import hashlib,struct; print(hashlib.sha256(b'u8u8'+b''.join(
  //   struct.pack('<i',a*b) for a in range(256) for b in range(256))).hexdigest())" and its kin.
  CHECK(Lut::exact(OperandType::u8u8).sha256() ==
        "db7ff2ede975661484675dc2edb35dd9fa43808fce98ffdf742633308084c7df");
  CHECK(Lut::exact(OperandType::s8s8).sha256() ==
        "0e7564d4eb8cdaa07b7bd3257befb918e75f72443df38a691a51530a4ba38ba5");
  CHECK(test::asymmetric_lut(OperandType::u8u8).sha256() ==
        "5fd459d04ddaf30067ba5254423c4ea39c70aaaa2b4bbb10e48b4ceb3389f536");
  CHECK(test::asymmetric_lut(OperandType::u8u8).sha256_swapped() ==
        "428b8c177918ab3857005c129b1ab30fc6900d647442a64844d1edbfe369499a");
}

TEST_CASE("transposition swaps operands and the two identities") {
  for (OperandType type : {OperandType::u8u8, OperandType::s8s8}) {
    const Lut lut = test::asymmetric_lut(type);
    const Lut swapped = transposed(lut);
    CHECK(swapped(5, 9) == lut(9, 5));
    CHECK(swapped.sha256() == lut.sha256_swapped());
    CHECK(swapped.sha256() != lut.sha256());
    CHECK(transposed(swapped) == lut);
  }
  CHECK_THROWS_AS(transposed(Lut::exact(OperandType::u8s8)), UsageError);
}

TEST_CASE("products must stay below 2^24 and number 65536") {
  std::vector<std::int32_t> products(kLutSize, 0);
  products[256 * 7 + 9] = (1 << 24) - 1;
  CHECK_NOTHROW(Lut(OperandType::u8u8, products));
  CHECK(Lut(OperandType::u8u8, products).largest() == (1 << 24) - 1);
  products[3] = products[256 * 7 + 9] = 1 - (1 << 24);
  CHECK(Lut(OperandType::u8u8, products).largest() == (1 << 24) - 1);
  CHECK(Lut(OperandType::u8u8, std::vector<std::int32_t>(kLutSize, -7)).largest() == 7);
  CHECK(Lut(OperandType::u8u8, std::vector<std::int32_t>(kLutSize, 0)).largest() == 0);
  products[256 * 7 + 9] = -(1 << 24);
  CHECK_THROWS_WITH_AS(Lut(OperandType::s8s8, products), doctest::Contains("a = -121, b = -119"),
                       InputError);
  CHECK_THROWS_AS(Lut(OperandType::u8u8, std::span(products).first(65535)), InputError);
}

TEST_CASE("sign-magnitude use XORs the signs and lets f(0,x) be seen") {
  const Lut f = test::asymmetric_lut(OperandType::u8u8);
  const Lut u8s8 = sign_magnitude(f, OperandType::u8s8);
  CHECK(u8s8(200, -3) == -f(200, 3));
  CHECK(u8s8(0, 5) == f(0, 5));
  CHECK(u8s8(0, -5) == -f(0, 5));
  const Lut s8s8 = sign_magnitude(f, OperandType::s8s8);
  CHECK(s8s8(-7, -128) == f(7, 128));
  CHECK(s8s8(-7, 0) == -f(7, 0));
  CHECK_THROWS_AS(sign_magnitude(s8s8, OperandType::s8s8), UsageError);
}

TEST_CASE("the error map is approximate minus exact") {
  const Lut lut = test::random_lut(OperandType::u8s8, 5);
  const ErrorMap errors(lut);
  for (int a = 0; a < 256; a += 17)
    for (int b = -128; b < 128; b += 13) CHECK(errors(a, b) == lut(a, b) - a * b);
}
