// Operand pairs of layers: each is one of the layer's, what follows it is what the trace says, and
// the operands come as often as in the layer.
#include "axmul/model/operand_stream.hpp"

#include <array>
#include <cmath>
#include <set>
#include <tuple>

#include "model/model_support.hpp"
#include "support/error_id.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

using Change = std::tuple<int, int, int, int>;

// All changes of a layer by plain loops, bytes as they are.
std::set<Change> changes(const LayerOperands& layer, Held held) {
  std::set<Change> result;
  const std::size_t K = layer.fan_in, S = layer.patch_count, M = layer.channels_per_group();
  for (std::size_t g = 0; g < layer.groups; ++g)
    for (std::size_t k = 0; k < K; ++k)
      for (std::size_t s = 0; s < S; ++s)
        for (std::size_t m = 0; m < M; ++m) {
          const std::size_t s2 = held == Held::b ? s + 1 : s, m2 = held == Held::a ? m + 1 : m;
          if (s2 == S || m2 == M) continue;
          result.insert({layer.patches[(g * S + s) * K + k], layer.weights[(g * K + k) * M + m],
                         layer.patches[(g * S + s2) * K + k], layer.weights[(g * K + k) * M + m2]});
        }
  return result;
}

std::array<double, 256> shares(const std::vector<std::uint8_t>& bytes) {
  std::array<double, 256> share{};
  for (const std::uint8_t byte : bytes) share[byte] += 1.0 / static_cast<double>(bytes.size());
  return share;
}

}  // namespace

TEST_CASE("pairs and what follows them are the layer's own") {
  const LayerOperands layer = random_layer({.s = 20, .k = 6, .m = 7, .groups = 2}, 3);
  for (const Held held : {Held::a, Held::b}) {
    const std::set<Change> known = changes(layer, held);
    const OperandPairs pairs = layer_pairs(layer, OperandType::u8u8, {held, 3000});
    REQUIRE(pairs.size() == 3000);
    REQUIRE(pairs.next_a.size() == 3000);
    std::set<Change> seen;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Change change{pairs.a[i], pairs.b[i], pairs.next_a[i], pairs.next_b[i]};
      REQUIRE(known.contains(change));
      seen.insert(change);
      if (held == Held::b) CHECK(pairs.b[i] == pairs.next_b[i]);
      if (held == Held::a) CHECK(pairs.a[i] == pairs.next_a[i]);
    }
    CHECK(seen.size() > known.size() * 8 / 10);  // 3000 draws of some 1600 changes
  }
}

TEST_CASE("the held operand is as frequent as in the layer, to a draw for each of its values") {
  const LayerOperands layer = random_layer({.s = 30, .k = 9, .m = 8}, 4);
  const OperandPairs by_b = layer_pairs(layer, OperandType::u8u8, {Held::b, 5000});
  const OperandPairs by_a = layer_pairs(layer, OperandType::u8u8, {Held::a, 5000});
  const OperandPairs free = layer_pairs(layer, OperandType::u8u8, {Held::none, 5000});
  CHECK_FALSE(free.are_ordered());
  const auto of_a = shares(layer.patches), of_b = shares(layer.weights);
  const auto a = shares(by_a.a), b = shares(by_b.b), b_free = shares(free.b);
  for (std::size_t v = 0; v < 256; ++v) {
    CHECK(std::fabs(a[v] - of_a[v]) <= 1.0 / 5000);
    CHECK(std::fabs(b[v] - of_b[v]) <= 1.0 / 5000);
    CHECK(std::fabs(b_free[v] - of_b[v]) <= 1.0 / 5000);
  }
}

TEST_CASE("unsigned multipliers get magnitudes, signed ones the operands themselves") {
  LayerOperands layer = random_layer({.s = 10, .k = 4, .m = 3, .type = OperandType::u8s8}, 5);
  layer.weights[0] = 0x80;  // −128
  layer.weights[1] = 0xff;  // −1
  const OperandPairs magnitudes = layer_pairs(layer, OperandType::u8u8, {Held::none, 2000});
  const OperandPairs plain = layer_pairs(layer, OperandType::u8s8, {Held::none, 2000});
  std::set<int> values(magnitudes.b.begin(), magnitudes.b.end());
  CHECK(values.contains(128));
  CHECK(values.contains(1));
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const int value = static_cast<std::int8_t>(plain.b[i]);
    CHECK(magnitudes.b[i] <= 128);
    CHECK(values.contains(std::abs(value)));
  }
}

TEST_CASE("histograms give the same frequencies") {
  const LayerOperands layer = random_layer({.s = 16, .k = 8, .m = 4, .type = OperandType::u8s8}, 6);
  const OperandPairs pairs =
      layer_pairs(histograms_only(layer), OperandType::u8s8, {Held::b, 4096});
  const auto of_a = shares(layer.patches), of_b = shares(layer.weights);
  const auto a = shares(pairs.a), b = shares(pairs.b), next = shares(pairs.next_a);
  for (std::size_t v = 0; v < 256; ++v) {
    CHECK(std::fabs(a[v] - of_a[v]) <= 1.0 / 4096);
    CHECK(std::fabs(next[v] - of_a[v]) <= 1.0 / 4096);
    CHECK(std::fabs(b[v] - of_b[v]) <= 1.0 / 4096);
  }
  CHECK(pairs.next_b == pairs.b);
}

TEST_CASE("layers in which nothing follows, and types that do not suit, are refused") {
  const LayerOperands one_field = random_layer({.s = 1, .k = 4, .m = 3}, 7);
  CHECK(error_id([&] { layer_pairs(one_field, OperandType::u8u8, {Held::b}); }) == 721);
  const LayerOperands one_channel = random_layer({.s = 5, .k = 4, .m = 1}, 7);
  CHECK(error_id([&] { layer_pairs(one_channel, OperandType::u8u8, {Held::a}); }) == 721);
  CHECK(error_id([&] { layer_pairs(one_channel, OperandType::s8s8); }) == 721);
  CHECK(error_id([&] { layer_pairs(one_channel, OperandType::u8u8, {Held::none, 0}); }) == 720);
}
