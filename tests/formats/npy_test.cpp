// npy tables: shapes and values that are refused (headers: tests/io/npy_test.cpp).
#include "axmul/io/npy.hpp"

#include <limits>

#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

TEST_CASE("shapes other than 256x256 and 65536") {
  const std::vector<std::int32_t> data(65536, 0);
  for (const std::vector<std::size_t>& shape :
       {std::vector<std::size_t>{128, 512}, {512, 128}, {2, 32768}})
    CHECK_THROWS_WITH_AS(parse_table(npy_bytes(data, shape), "x.npy"), doctest::Contains("AX320"),
                         InputError);
  for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{65536, 1}, {1, 65536}})
    CHECK_NOTHROW(parse_table(npy_bytes(data, shape), "x.npy"));
  const std::size_t small[] = {255, 257};
  CHECK_THROWS_WITH_AS(parse_table(npy_bytes(std::span(data).first(255 * 257), small), "x.npy"),
                       doctest::Contains("shape (255, 257)"), InputError);
  CHECK_THROWS_WITH_AS(
      parse_table(npy_bytes(std::span(data).first(0), std::vector<std::size_t>{0}), "x.npy"),
      doctest::Contains("AX320"), InputError);
}

TEST_CASE("values that are no products are named with their place") {
  const std::size_t shape[] = {256, 256};
  std::vector<double> data(65536, 1.0);
  const auto fails = [&](double value, const char* text) {
    data[3 * 256 + 200] = value;
    CAPTURE(value);
    CHECK_THROWS_WITH_AS(parse_table(npy_bytes(data, shape), "x.npy"), doctest::Contains(text),
                         InputError);
  };
  fails(std::numeric_limits<double>::quiet_NaN(), "AX321 x.npy: element [3, 200] is");
  fails(std::numeric_limits<double>::infinity(), "element [3, 200]");
  fails(0.5, "whole numbers");
  fails(16777216, "reaches 2^24");
  fails(-16777216, "reaches 2^24");
  fails(1e300, "element [3, 200]");
  std::vector<std::int64_t> wide(65536, 1);
  wide[9] = std::int64_t{1} << 40;
  CHECK_THROWS_WITH_AS(parse_table(npy_bytes(wide, std::vector<std::size_t>{65536}), "x.npy"),
                       doctest::Contains("element [9]: product 1099511627776"), InputError);
}

TEST_CASE("an array of bool is no product table") {
  const std::size_t shape[] = {256, 256};
  std::string bytes = npy_bytes(std::vector<std::uint8_t>(65536, 1), shape);
  CHECK_NOTHROW(parse_table(bytes, "x.npy"));
  const std::size_t at = bytes.find("|u1");
  REQUIRE(at != std::string::npos);
  bytes[at + 1] = 'b';
  CHECK_THROWS_WITH_AS(parse_table(bytes, "x.npy"), doctest::Contains("dtype bool ('|b1')"),
                       InputError);
}

TEST_CASE("a truncated file, and a file whose extension lies") {
  const std::string bytes = encode_table(
      {.name = "x", .lut = test::asymmetric_lut(OperandType::u8u8)}, {.format = "npy"});
  for (const std::size_t size : {0u, 5u, 9u, 50u, 128u, 100000u}) {
    CAPTURE(size);
    CHECK_THROWS_AS(parse_table(bytes.substr(0, size), "x.npy"), InputError);
  }
  CHECK(parse_table(bytes, "x.csv", {.type = OperandType::u8u8}).provenance.format == "npy");
}
