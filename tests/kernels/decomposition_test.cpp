// Tables in exact parts: ranks and digits that theory gives, and every table put together again.
#include "axmul/kernels/decomposition.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "axmul/core/errors.hpp"
#include "kernels/products.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

/// Pairs of which the parts do not give the product.
std::size_t wrong_pairs(const Lut& lut, const DigitProducts& d) {
  std::size_t wrong = 0;
  for (int a = a_min(lut.type()); a <= a_max(lut.type()); ++a)
    for (int b = b_min(lut.type()); b <= b_max(lut.type()); ++b) {
      const auto x = static_cast<std::uint8_t>(a), w = static_cast<std::uint8_t>(b);
      std::int64_t sum = d.column[w];
      for (const DigitProduct& p : d.products)
        sum += std::int64_t{p.scale} * p.u[x] * p.v[w] + std::int64_t{p.row} * p.u[x];
      wrong += sum != lut(a, b);
    }
  return wrong;
}

/// Rank and number of digit products; −1 where there are none.
struct Parts {
  int rank = -1, products = -1;
  friend bool operator==(const Parts&, const Parts&) = default;
};

Parts parts_of(const Lut& lut, std::size_t most_products = 16, std::size_t most_rank = 6) {
  const auto d = digit_products(lut, most_products, most_rank);
  if (!d) return {};
  CHECK(wrong_pairs(lut, *d) == 0);
  return {static_cast<int>(d->rank), static_cast<int>(d->products.size())};
}

Lut evoapprox(const std::filesystem::path& folder, const std::string& name) {
  std::ifstream file(folder / (name + ".bin"), std::ios::binary);
  const std::vector<unsigned char> raw{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(raw.size() == 2 * kLutSize);
  std::vector<std::int32_t> products(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i) products[i] = raw[2 * i] | raw[2 * i + 1] << 8;
  return Lut(OperandType::u8u8, products);
}

/// Pairs for which line and rest do not give the product, or the rest leaves its range.
std::size_t wrong_rests(const Lut& lut, const ProductRest& r) {
  std::size_t wrong = 0;
  for (std::size_t x = r.first; x < r.first + r.count; ++x)
    for (std::size_t w = 0; w < 256; ++w) {
      const std::int64_t above = lut.products()[x * 256 + w] - std::int64_t{r.floor[w]};
      const std::int64_t rest = above / r.factor - r.slope[w] * static_cast<std::int64_t>(x);
      wrong += above % r.factor != 0 || rest < 0 || rest > std::int64_t{r.range[w]};
    }
  return wrong;
}

}  // namespace

TEST_CASE("products of two functions are one digit product as long as a byte holds each") {
  for (const OperandType type : kOperandTypes) {
    CHECK(parts_of(Lut::exact(type)) == Parts{1, 1});
    // Truncated operands, fewer bits, a perforated operand.
    CHECK(parts_of(Lut::from_function(type, [](int a, int b) { return (a & ~3) * (b & ~7); })) ==
          Parts{1, 1});
    CHECK(parts_of(Lut::from_function(type, [](int a, int b) { return (a >> 2) * (b >> 1); })) ==
          Parts{1, 1});
    CHECK(parts_of(Lut::from_function(type, [](int a, int b) { return a * (b & 0xD7); })) ==
          Parts{1, 1});
    CHECK(parts_of(Lut::from_function(type, [](int, int) { return -77; })) == Parts{0, 0});
    CHECK(parts_of(Lut::from_function(type, [](int, int b) { return b * b - 9; })) == Parts{0, 0});
    // Rows alone are a factor of 16 bits, two digits, times 1.
    CHECK(parts_of(Lut::from_function(type, [](int a, int) {
            return a * (a & 1 ? 256 : 3);
          })).rank == 1);
    // u of 10 bits and v of 8: two digits.
    CHECK(parts_of(Lut::from_function(type, [](int a, int b) { return (a * 4 + (a & 1)) * b; })) ==
          Parts{1, 2});
  }
}

TEST_CASE("sums of two and three products have their rank; a table without structure has none") {
  const auto two = [](int a, int b) { return a * b + (a & 1) * ((b >> 2) & 1); };
  const auto three = [](int a, int b) {
    return a * b - (a & 3) * (b & 5) + (a & 16) * ((b * b) & 31);
  };
  for (const OperandType type : kOperandTypes) {
    CHECK(parts_of(Lut::from_function(type, two)).rank == 2);
    CHECK(parts_of(Lut::from_function(type, three)).rank == 3);
    CHECK(parts_of(Lut::from_function(type, three), 16, 2) == Parts{});
    CHECK(parts_of(Lut::from_function(type, three), 1, 3) == Parts{});
    CHECK(parts_of(random_lut(type, 5)) == Parts{});
    CHECK(parts_of(wild_lut(type, 6)) == Parts{});
  }
}

TEST_CASE("digits of published tables") {
  const auto folder = data_path("evoapprox");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  CHECK(parts_of(evoapprox(*folder, "mul8u_1JFF")) == Parts{1, 1});
  CHECK(parts_of(evoapprox(*folder, "mul8u_Y48")).rank == 2);
  CHECK(parts_of(evoapprox(*folder, "mul8u_1446")).rank == 2);
  CHECK(parts_of(evoapprox(*folder, "mul8u_17C8")).rank == 3);
  CHECK(parts_of(evoapprox(*folder, "mul8u_JQQ")).rank == 4);
  CHECK(parts_of(evoapprox(*folder, "mul8u_199Z")) == Parts{0, 0});
  CHECK(parts_of(evoapprox(*folder, "mul8u_185Q")) == Parts{});
}

TEST_CASE("a line for each column leaves rests that give the table again") {
  for (const OperandType type : kOperandTypes)
    for (const auto& [name, lut] : kernel_luts(type)) {
      CAPTURE(name);
      for (const auto& [first, count] :
           {std::pair{std::size_t{0}, std::size_t{256}}, {128, 128}, {255, 1}, {7, 9}}) {
        const ProductRest r = product_and_rest(lut, first, count);
        CHECK(wrong_rests(lut, r) == 0);
        const auto [least, most] = std::minmax_element(r.slope.begin(), r.slope.end());
        CHECK(*most - *least <= 255);
      }
    }
  CHECK(product_and_rest(Lut::exact(OperandType::s8s8)).largest_range() == 0);
  CHECK_THROWS_AS(product_and_rest(Lut::exact(OperandType::s8s8), 200, 57), UsageError);
  CHECK_THROWS_AS(product_and_rest(Lut::exact(OperandType::s8s8), 0, 0), UsageError);
}

TEST_CASE("published tables whose rests fit a byte, for activations below 128 and for all") {
  const auto folder = data_path("evoapprox");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  const auto fits = [&](const char* name, std::size_t levels) {
    const Lut lut = evoapprox(*folder, std::string("mul8u_") + name);
    const ProductRest r = product_and_rest(lut, 0, levels);
    CHECK(wrong_rests(lut, r) == 0);
    return r.largest_range() < 256;
  };
  for (const char* name : {"1JFF", "Y48", "125K", "2P7", "EXZ", "KEM", "150Q", "CK5", "14VP", "QJD",
                           "2AC", "1446", "2HH"}) {
    CAPTURE(name);
    CHECK(fits(name, 256));
    CHECK(fits(name, 128));
  }
  for (const char* name : {"185Q", "18DU", "FTA", "13QR", "JQQ"}) {
    CAPTURE(name);
    CHECK(fits(name, 128));
    CHECK_FALSE(fits(name, 256));
  }
  CHECK(product_and_rest(evoapprox(*folder, "mul8u_185Q"), 0, 128).factor == 32);
  for (const char* name : {"12N4", "YX7", "L40"}) CHECK_FALSE(fits(name, 128));
}
