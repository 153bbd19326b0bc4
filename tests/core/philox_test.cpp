// Philox against the known-answer vectors of the Random123 distribution.
#include "axmul/core/philox.hpp"

#include <cmath>
#include <vector>

#include "support/support.hpp"

using namespace axmul;

TEST_CASE("philox4x32-10 known answers (Random123 kat_vectors)") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("seek reaches any word of the stream") {
  Philox a(42, 7);
  std::vector<std::uint32_t> words(50);
  for (auto& w : words) w = a.next_u32();
  for (std::size_t i = 0; i < words.size(); ++i) {
    Philox b(42, 7);
    b.seek(i);
    CHECK(b.next_u32() == words[i]);
  }
}

TEST_CASE("normal draws have mean 0 and variance 1") {
  // 200,000 draws: the mean has standard error 0.0022, the variance 0.0032; bounds are 5 of these.
  Philox random(1);
  const int n = 200000;
  double sum = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.next_normal();
    sum += x;
    square += x * x;
  }
  CHECK(std::abs(sum / n) < 5 * 0.00224);
  CHECK(std::abs(square / n - 1) < 5 * 0.00316);
}

TEST_CASE("next_below stays below and reaches every value") {
  Philox random(3);
  int count[7] = {};
  for (int i = 0; i < 7000; ++i) ++count[random.next_below(7)];
  for (int c : count) CHECK((c > 800 && c < 1200));
}
