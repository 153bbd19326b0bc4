// What resembles an exact product and what does not, held against plain loops over the definition.
#include "axmul/core/resemblance.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/product_sums.hpp"
#include "support/support.hpp"

using namespace axmul;
using detail::IndexKind;

namespace {

using Words = std::vector<std::int32_t>;

double operand_value(int index, IndexKind kind) {
  if (kind == IndexKind::plain) return index;
  if (kind == IndexKind::value) return index - 128;
  return index < 128 ? index : index - 256;
}

/// Less its row and column means.
std::vector<double> interaction_of(const std::vector<double>& table) {
  std::vector<double> row(256), column(256), result(65536);
  double mean = 0;
  for (std::size_t i = 0; i < 65536; ++i) {
    row[i / 256] += table[i] / 256;
    column[i % 256] += table[i] / 256;
    mean += table[i] / 65536;
  }
  for (std::size_t i = 0; i < 65536; ++i)
    result[i] = table[i] - row[i / 256] - column[i % 256] + mean;
  return result;
}

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
  return total;
}

/// The header's definitions, word by word.
Resemblance by_definition(const Words& words, IndexKind first, IndexKind second) {
  const std::vector<double> table(words.begin(), words.end());
  std::vector<double> exact(65536), difference(65536);
  for (std::size_t i = 0; i < 65536; ++i) {
    exact[i] = operand_value(static_cast<int>(i / 256), first) *
               operand_value(static_cast<int>(i % 256), second);
    difference[i] = table[i] - exact[i];
  }
  const std::vector<double> t = interaction_of(table), e = interaction_of(exact);
  return {.cosine = dot(table, exact) / std::sqrt(dot(table, table) * dot(exact, exact)),
          .interaction = dot(t, e) / std::sqrt(dot(t, t) * dot(e, e)),
          .gain = dot(t, e) / dot(e, e),
          .squared_error = dot(difference, difference) / dot(exact, exact)};
}

std::span<const std::int32_t, kLutSize> span_of(const Words& words) {
  return std::span<const std::int32_t, kLutSize>(words.data(), kLutSize);
}

template <class F>
Resemblance unsigned_resemblance(F&& f) {
  return resemblance(Lut::from_function(OperandType::u8u8, f));
}

}  // namespace

TEST_CASE("every reading's figures are those of the definition") {
  std::mt19937 random(7);
  for (const std::uint32_t limit : {65536U, 1U << 25}) {  // sums of 32 and of 64 bits
    Words words(65536);
    for (std::size_t i = 0; i < words.size(); ++i)
      words[i] = static_cast<std::int32_t>(random() % limit) -
                 static_cast<std::int32_t>(limit / 3) +
                 static_cast<std::int32_t>((i / 256) * (i % 256));
    const detail::ProductSums sums(span_of(words));
    for (const IndexKind first : {IndexKind::plain, IndexKind::value, IndexKind::bits})
      for (const IndexKind second : {IndexKind::plain, IndexKind::value, IndexKind::bits}) {
        const Resemblance fast = sums.with(first, second),
                          slow = by_definition(words, first, second);
        CHECK(fast.cosine == doctest::Approx(slow.cosine).epsilon(1e-9));
        CHECK(fast.interaction == doctest::Approx(slow.interaction).epsilon(1e-9));
        CHECK(fast.gain == doctest::Approx(slow.gain).epsilon(1e-9));
        CHECK(fast.squared_error == doctest::Approx(slow.squared_error).epsilon(1e-9));
      }
  }
}

TEST_CASE("extreme words overflow no sum") {
  for (const std::int32_t extreme : {65535, -65535, 65536, (1 << 25) - 1, 1 - (1 << 25)}) {
    CAPTURE(extreme);
    Words words(65536, extreme);
    for (std::size_t i = 0; i < words.size(); i += 3) words[i] = -extreme;
    const Resemblance fast =
        detail::ProductSums(span_of(words)).with(IndexKind::plain, IndexKind::bits);
    const Resemblance slow = by_definition(words, IndexKind::plain, IndexKind::bits);
    CHECK(fast.cosine == doctest::Approx(slow.cosine).epsilon(1e-9));
    CHECK(fast.interaction == doctest::Approx(slow.interaction).epsilon(1e-9));
    const Words constant(65536, extreme);
    CHECK(detail::ProductSums(span_of(constant))
              .with(IndexKind::plain, IndexKind::plain)
              .interaction == 0);
  }
}

TEST_CASE("exact products score 1, zeros 0") {
  for (const OperandType type : kOperandTypes) {
    const Resemblance exact = resemblance(Lut::exact(type));
    CHECK(exact.score() == doctest::Approx(1));
    CHECK(exact.gain == doctest::Approx(1));
    CHECK(exact.squared_error == doctest::Approx(0));
    CHECK(exact.is_product());
    const Resemblance zero = resemblance(Lut::from_function(type, [](int, int) { return 0; }));
    CHECK(zero.score() == 0);
    CHECK(zero.squared_error == 1);
    CHECK_FALSE(zero.is_product());
  }
}

TEST_CASE("the coarsest multipliers are products") {
  // 16384 a7 b7, one AND gate: interaction 3/4, gain 9/16 by hand.
  const Resemblance gate = unsigned_resemblance([](int a, int b) { return (a & 128) * (b & 128); });
  CHECK(gate.interaction == doctest::Approx(0.75).epsilon(1e-4));
  CHECK(gate.gain == doctest::Approx(0.5625).epsilon(1e-4));
  CHECK(gate.is_product());
  CHECK(resemblance(Lut::from_function(OperandType::s8s8, [](int a, int b) {
          return (a & 128) * (b & 128);
        })).is_product());
  CHECK(unsigned_resemblance([](int a, int b) { return (a & ~127) * b; }).is_product());
  CHECK(unsigned_resemblance([](int a, int b) { return a * (b & 127); }).is_product());
}

TEST_CASE("sums of functions of one operand have no interaction") {
  for (const Resemblance& r : {unsigned_resemblance([](int a, int b) { return a + b; }),
                               unsigned_resemblance([](int a, int b) { return 128 * (a + b); }),
                               unsigned_resemblance([](int a, int) { return a * a; }),
                               unsigned_resemblance([](int, int) { return 1234; }),
                               unsigned_resemblance([](int a, int b) { return 256 * a + b; })}) {
    CHECK(r.interaction == 0);
    CHECK(r.score() == 0);
    CHECK_FALSE(r.is_product());
  }
}

TEST_CASE("the interaction's sign, its scale and what is added to it") {
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return std::max(a, b); }).is_product());
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return 256 * (a | b); }).is_product());
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return 255 * a - a * b; }).is_product());
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return a * b / 2; }).is_product());
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return a * b / 256; }).is_product());
  CHECK_FALSE(unsigned_resemblance([](int a, int b) { return 2 * a * b; }).is_product());
  CHECK(unsigned_resemblance([](int a, int b) { return a * b * 5 / 8; }).is_product());
  CHECK(unsigned_resemblance([](int a, int b) { return a * b * 3 / 2; }).is_product());
  // Both indexes reversed: the interaction is that of the product, nothing else is.
  CHECK_FALSE(
      unsigned_resemblance([](int a, int b) { return (255 - a) * (255 - b); }).is_product());
  // (b + 128)·a with b's bytes in offset binary, the right interaction on a foreign base.
  const Resemblance offset = resemblance(
      Lut::from_function(OperandType::u8s8, [](int a, int b) { return a * (b + 128); }));
  CHECK(offset.interaction == doctest::Approx(1));
  CHECK_FALSE(offset.is_product());
}

TEST_CASE("each limit decides alone, on both sides") {
  const Resemblance fair{.cosine = 0.8, .interaction = 0.6, .gain = 0.5, .squared_error = 1};
  CHECK(fair.is_product());
  const auto with = [&](auto member, double value) {
    Resemblance r = fair;
    r.*member = value;
    return r.is_product();
  };
  CHECK_FALSE(with(&Resemblance::cosine, -0.01));
  CHECK(with(&Resemblance::cosine, 0.261 / 0.6));
  CHECK_FALSE(with(&Resemblance::cosine, 0.259 / 0.6));
  CHECK(with(&Resemblance::interaction, 0.421));
  CHECK_FALSE(with(&Resemblance::interaction, 0.419));
  CHECK(with(&Resemblance::gain, 1.69));
  CHECK_FALSE(with(&Resemblance::gain, 1.71));
  CHECK(with(&Resemblance::gain, 0.36 / 1.69));
  CHECK_FALSE(with(&Resemblance::gain, 0.36 / 1.71));
  CHECK(with(&Resemblance::squared_error, 2.49));
  CHECK_FALSE(with(&Resemblance::squared_error, 2.51));
}

TEST_CASE("a score needs both parts") {
  CHECK(Resemblance{.cosine = 0.5, .interaction = 0.5}.score() == 0.25);
  CHECK(Resemblance{.cosine = -0.5, .interaction = -0.5}.score() == 0);
  CHECK(Resemblance{.cosine = 0.9, .interaction = -0.1}.score() == 0);
}
