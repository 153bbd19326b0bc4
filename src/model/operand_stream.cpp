// Samples of the operand pairs of a layer, and of what follows them.
#include "axmul/model/operand_stream.hpp"

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"

namespace axmul {

namespace {

constexpr std::uint64_t kSeed = 0x656e65726779;  // one seed for all: the same layer, the same pairs

// What a multiplier is given instead of each byte of the layer.
using Recoding = std::array<std::uint8_t, 256>;

Recoding recoding(bool layer_signed, bool multiplier_signed) {
  Recoding result{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const int value =
        layer_signed && byte >= 128 ? static_cast<int>(byte) - 256 : static_cast<int>(byte);
    result[byte] = operand_byte(multiplier_signed || value >= 0 ? value : -value);
  }
  return result;
}

// The layer's operands as a multiplier of one type sees them.
struct Operands {
  const LayerOperands& layer;
  Recoding of_a, of_b;

  std::size_t groups() const { return layer.groups; }
  std::size_t fields() const { return layer.patch_count; }
  std::size_t taps() const { return layer.fan_in; }
  std::size_t channels() const { return layer.channels_per_group(); }
  std::uint8_t a(std::size_t g, std::size_t s, std::size_t k) const {
    return of_a[layer.patches[(g * fields() + s) * taps() + k]];
  }
  std::uint8_t b(std::size_t g, std::size_t k, std::size_t m) const {
    return of_b[layer.weights[(g * taps() + k) * channels() + m]];
  }
};

Operands operands(const LayerOperands& layer, OperandType type) {
  const std::string what =
      "layer \"" + layer.name + "\" of type " + std::string(to_string(layer.type));
  if (!can_use(layer.type, type))
    throw InputError(721, what + " cannot use multipliers of type " + std::string(to_string(type)));
  return {layer, recoding(a_is_signed(layer.type), a_is_signed(type)),
          recoding(b_is_signed(layer.type), b_is_signed(type))};
}

// Of `cells` in the order of a sort by value, every (cells/n)-th, some several times where n is
// more: which of the n draws fall on a cell, found without sorting.
class Strata {
 public:
  Strata(const std::array<std::uint64_t, 256>& count, std::size_t n) : n_(n) {
    for (std::size_t v = 0; v < 256; ++v) {
      rank_[v] = cells_;
      cells_ += count[v];
    }
  }
  /// How often the next cell of that value is drawn.
  std::size_t draws(std::uint8_t value) {
    const std::uint64_t rank = rank_[value]++;
    return static_cast<std::size_t>(first(rank + 1) - first(rank));
  }

 private:
  std::uint64_t first(std::uint64_t rank) const { return (rank * n_ + cells_ - 1) / cells_; }
  std::uint64_t n_, cells_ = 0;
  std::array<std::uint64_t, 256> rank_{};
};

void add(OperandPairs& to, std::uint8_t a, std::uint8_t b) {
  to.a.push_back(a);
  to.b.push_back(b);
}

void add_next(OperandPairs& to, std::uint8_t a, std::uint8_t b) {
  to.next_a.push_back(a);
  to.next_b.push_back(b);
}

void shuffle(std::vector<std::uint8_t>& values, Philox& random) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[static_cast<std::size_t>(random.next_below(i))]);
}

// Any part of the pairs is then a sample of them, and the next in the list is independent.
OperandPairs shuffled(const OperandPairs& pairs) {
  std::vector<std::uint32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  Philox random(kSeed, 1);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.next_below(i))]);
  OperandPairs result;
  for (const std::uint32_t i : order) {
    add(result, pairs.a[i], pairs.b[i]);
    if (pairs.are_ordered()) add_next(result, pairs.next_a[i], pairs.next_b[i]);
  }
  return result;
}

// Weights stratified; a receptive field drawn, and with `follow` the one after it.
OperandPairs pairs_by_weight(const Operands& o, std::size_t n, bool follow) {
  std::array<std::uint64_t, 256> count{};
  for (const std::uint8_t byte : o.layer.weights) ++count[o.of_b[byte]];
  Strata strata(count, n);
  Philox random(kSeed);
  OperandPairs result;
  for (std::size_t g = 0; g < o.groups(); ++g)
    for (std::size_t k = 0; k < o.taps(); ++k)
      for (std::size_t m = 0; m < o.channels(); ++m) {
        const std::uint8_t b = o.b(g, k, m);
        for (std::size_t draw = strata.draws(b); draw > 0; --draw) {
          const auto s = static_cast<std::size_t>(random.next_below(o.fields() - (follow ? 1 : 0)));
          add(result, o.a(g, s, k), b);
          if (follow) add_next(result, o.a(g, s + 1, k), b);
        }
      }
  return result;
}

// Activations stratified; a channel drawn, and the one after it.
OperandPairs pairs_by_activation(const Operands& o, std::size_t n) {
  std::array<std::uint64_t, 256> count{};
  for (const std::uint8_t byte : o.layer.patches) ++count[o.of_a[byte]];
  Strata strata(count, n);
  Philox random(kSeed);
  OperandPairs result;
  for (std::size_t g = 0; g < o.groups(); ++g)
    for (std::size_t s = 0; s < o.fields(); ++s)
      for (std::size_t k = 0; k < o.taps(); ++k) {
        const std::uint8_t a = o.a(g, s, k);
        for (std::size_t draw = strata.draws(a); draw > 0; --draw) {
          const auto m = static_cast<std::size_t>(random.next_below(o.channels() - 1));
          add(result, a, o.b(g, k, m));
          add_next(result, a, o.b(g, k, m + 1));
        }
      }
  return result;
}

// Counts of what the multiplier is given, from histograms by value or from bytes.
std::array<std::uint64_t, 256> pooled(const std::vector<std::uint8_t>& bytes,
                                      const std::vector<std::uint32_t>& histogram, bool is_signed,
                                      const Recoding& recode) {
  std::array<std::uint64_t, 256> count{};
  for (const std::uint8_t byte : bytes) ++count[recode[byte]];
  if (bytes.empty())
    for (std::size_t i = 0; i < histogram.size(); ++i)
      count[recode[(i % 256) ^ (is_signed ? 0x80u : 0u)]] += histogram[i];
  return count;
}

std::vector<std::uint8_t> by_quantile(const std::array<std::uint64_t, 256>& count, std::size_t n) {
  Strata strata(count, n);
  std::vector<std::uint8_t> result;
  for (std::size_t v = 0; v < 256; ++v) {
    std::size_t draws = 0;
    for (std::uint64_t i = 0; i < count[v]; ++i)
      draws += strata.draws(static_cast<std::uint8_t>(v));
    result.insert(result.end(), draws, static_cast<std::uint8_t>(v));
  }
  return result;
}

OperandPairs pairs_of_histograms(const Operands& o, const StreamOptions& options) {
  const LayerOperands& layer = o.layer;
  const auto count_a = pooled(layer.patches, layer.hist_a, a_is_signed(layer.type), o.of_a);
  const auto count_b = pooled(layer.weights, layer.hist_b, b_is_signed(layer.type), o.of_b);
  Philox random(kSeed);
  OperandPairs result{
      by_quantile(count_a, options.pairs), by_quantile(count_b, options.pairs), {}, {}};
  shuffle(result.a, random);
  if (options.held == Held::none) return result;
  result.next_a = result.a;
  result.next_b = result.b;
  if (options.held == Held::a) shuffle(result.b, random);
  shuffle(options.held == Held::a ? result.next_b : result.next_a, random);
  return result;
}

}  // namespace

std::string_view to_string(Held held) {
  return held == Held::none ? "none" : held == Held::a ? "a" : "b";
}

OperandPairs layer_pairs(const LayerOperands& layer, OperandType type,
                         const StreamOptions& options) {
  check_layer(layer);
  if (options.pairs == 0) throw UsageError(720, "no operand pairs are asked for");
  const Operands o = operands(layer, type);
  if (!layer.has_patches() || !layer.has_weights()) return pairs_of_histograms(o, options);
  const std::size_t moving = options.held == Held::a   ? o.channels()
                             : options.held == Held::b ? o.fields()
                                                       : 2;
  if (moving < 2)
    throw InputError(
        721, "layer \"" + layer.name + "\" has one " +
                 (options.held == Held::a ? "output channel a group" : "receptive field") +
                 ", so nothing changes while operand " + std::string(to_string(options.held)) +
                 " is held");
  return shuffled(options.held == Held::a
                      ? pairs_by_activation(o, options.pairs)
                      : pairs_by_weight(o, options.pairs, options.held == Held::b));
}

}  // namespace axmul
