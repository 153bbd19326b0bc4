// Exact ranks: constructed tables, ranks that a single prime would get wrong, published ranks.
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

using Table = std::vector<std::int32_t>;

int rank(const Table& table) {
  return exact_rank(std::span<const std::int32_t, kLutSize>(table.data(), kLutSize));
}

/// Sum of r outer products with entries in −limit … limit: rank r but for bad luck with limit
/// small.
Table outer_products(int r, int limit, std::uint64_t seed) {
  Philox random(seed);
  Table table(kLutSize, 0);
  for (int k = 0; k < r; ++k) {
    std::vector<int> u(256), v(256);
    for (auto* x : {&u, &v})
      for (int& value : *x)
        value =
            static_cast<int>(random.next_below(static_cast<std::uint64_t>(2 * limit + 1))) - limit;
    for (std::size_t i = 0; i < kLutSize; ++i) table[i] += u[i / 256] * v[i % 256];
  }
  return table;
}

/// Unimodular mixing: adds multiples of rows to others, which no rank notices.
void mix_rows(Table& table, std::uint64_t seed) {
  Philox random(seed);
  for (int step = 0; step < 2000; ++step) {
    const std::size_t from = random.next_below(256), to = random.next_below(256);
    if (from == to) continue;
    const int factor = random.next_below(2) == 0 ? 1 : -1;
    bool fits = true;
    for (std::size_t j = 0; j < 256; ++j)
      fits = fits && std::abs(table[to * 256 + j] + factor * table[from * 256 + j]) < (1 << 24);
    for (std::size_t j = 0; fits && j < 256; ++j)
      table[to * 256 + j] += factor * table[from * 256 + j];
  }
}

}  // namespace

TEST_CASE("rank of constructed tables") {
  CHECK(rank(Table(kLutSize, 0)) == 0);
  CHECK(rank(Table(kLutSize, -5)) == 1);
  for (OperandType type : kOperandTypes) {
    const Lut exact = Lut::exact(type);
    CHECK(rank({exact.products().begin(), exact.products().end()}) == 1);
    // 3ab + 7a − 5b + 11 = (3b + 7)a + (11 − 5b): two independent products.
    const Lut lut = test::asymmetric_lut(type);
    CHECK(rank({lut.products().begin(), lut.products().end()}) == 2);
  }
  for (int r : {1, 2, 3, 17, 100, 128, 200, 255, 256}) {
    CAPTURE(r);
    CHECK(rank(outer_products(r, 100, static_cast<std::uint64_t>(r))) == r);
  }
}

TEST_CASE("rank survives row mixing of large entries and transposition") {
  for (int r : {5, 40, 254}) {
    CAPTURE(r);
    Table table = outer_products(r, 20, static_cast<std::uint64_t>(900 + r));
    mix_rows(table, 3);
    Table swapped(kLutSize);
    for (std::size_t i = 0; i < kLutSize; ++i) swapped[i % 256 * 256 + i / 256] = table[i];
    CHECK(rank(table) == r);
    CHECK(rank(swapped) == r);
  }
}

TEST_CASE("a determinant that the first primes divide does not lower the rank") {
  // x·y − z·w = p for the largest primes below 2^31, so the 2x2 block is singular modulo p.
  for (const std::int64_t p : {2147483647LL, 2147483629LL, 2147483587LL, 2147483579LL}) {
    CAPTURE(p);
    const std::int64_t x = 46341;  // x·y = p + z with z = x·y − p, w = 1
    const std::int64_t y = p / x + 1, z = x * y - p;
    REQUIRE(x * y - z == p);
    Table table(kLutSize, 0);
    table[0] = static_cast<std::int32_t>(x);
    table[1] = static_cast<std::int32_t>(z);
    table[256] = 1;
    table[257] = static_cast<std::int32_t>(y);
    CHECK(rank(table) == 2);
  }
  // Many such blocks on the diagonal, for four primes at once: modulo the first prime 32 blocks
  // lose a rank each, modulo each of the others as many.
  Table table(kLutSize, 0);
  const std::int64_t primes[] = {2147483647LL, 2147483629LL, 2147483587LL, 2147483579LL};
  for (std::size_t block = 0; block < 128; ++block) {
    const std::int64_t p = primes[block % 4], x = 46341 + static_cast<std::int64_t>(block);
    const std::int64_t y = p / x + 1;
    const std::size_t at = 2 * block * 257;
    table[at] = static_cast<std::int32_t>(x);
    table[at + 1] = static_cast<std::int32_t>(x * y - p);
    table[at + 256] = 1;
    table[at + 257] = static_cast<std::int32_t>(y);
  }
  CHECK(rank(table) == 256);
}

TEST_CASE("entries that are multiples of each other or share a factor") {
  Table table = outer_products(7, 30, 77);
  for (std::size_t i = 0; i < kLutSize; ++i) table[i] *= static_cast<int>(i / 256 % 5 + 1) * 4;
  for (std::size_t j = 0; j < 256; ++j) table[9 * 256 + j] = -3 * table[8 * 256 + j];
  CHECK(rank(table) == 7);
  Table one(kLutSize, 0);
  one[12345] = -(1 << 24) + 1;
  CHECK(rank(one) == 1);
}

TEST_CASE("ranks appear in reports on request only") {
  const Lut lut = test::asymmetric_lut(OperandType::s8s8);
  CHECK(characterize(lut).metrics.rank_lut == -1);
  CharacterizeOptions options;
  options.rank = true;
  const ErrorMetrics m = characterize(lut, options).metrics;
  CHECK(m.rank_lut == 2);
  CHECK(m.rank_error == 2);  // 2ab + 7a − 5b + 11
}
