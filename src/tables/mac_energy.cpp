// Accumulator, sign logic and rounding as gates, priced under a layer's own operands.
#include "tables/mac_energy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "axmul/netlist/energy_model.hpp"
#include "axmul/tables/energy.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kSamples = 4096;
constexpr std::uint64_t kSeed = 0x6d6163;

int bit_count(std::uint64_t most) { return static_cast<int>(std::bit_width(most)); }

int value_of(std::uint8_t byte, bool is_signed) {
  return is_signed && byte >= 128 ? static_cast<int>(byte) - 256 : static_cast<int>(byte);
}

// Operands of one layer as signed numbers on the multiplier's grid.
class Grid {
 public:
  Grid(const LayerOperands& layer, const AccumulatorSpec& spec) : layer_(layer) {
    const bool a_signed = a_is_signed(layer.type), b_signed = b_is_signed(layer.type);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto one = static_cast<std::uint8_t>(byte);
      a_[byte] = on_grid(value_of(one, a_signed), operand_bits(a_signed, a_is_signed(spec.type)),
                         spec.a_bits);
      b_[byte] = on_grid(value_of(one, b_signed), operand_bits(b_signed, b_is_signed(spec.type)),
                         spec.b_bits);
    }
  }
  int a(std::size_t g, std::size_t s, std::size_t k) const {
    return a_[layer_.patches[(g * layer_.patch_count + s) * layer_.fan_in + k]];
  }
  int b(std::size_t g, std::size_t k, std::size_t m) const {
    return b_[layer_.weights[(g * layer_.fan_in + k) * layer_.channels_per_group() + m]];
  }
  std::int64_t partial_sum(std::size_t g, std::size_t s, std::size_t taps, std::size_t m) const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < taps; ++k) sum += std::int64_t{a(g, s, k)} * b(g, k, m);
    return sum;
  }

 private:
  static int on_grid(int value, int range, int bits) {
    if (bits >= range) return value;
    const int magnitude =
        rounded(static_cast<std::uint8_t>(std::min(std::abs(value), 255)), range, bits);
    return value < 0 ? -magnitude : magnitude;
  }
  const LayerOperands& layer_;
  int a_[256], b_[256];
};

struct Shape {
  int width = 0, product_bits = 0, signs = 0;
  bool extend = false;
};

Shape shape_of(const LayerOperands& layer, const AccumulatorSpec& spec) {
  Shape shape;
  shape.width = accumulator_bits(layer, spec);
  const bool by_magnitude = layer.type != OperandType::u8u8 && spec.type == OperandType::u8u8;
  shape.signs = by_magnitude ? (a_is_signed(layer.type) ? 2 : 1) : 0;
  shape.extend = b_is_signed(spec.type);
  const auto most = static_cast<std::uint64_t>(std::ldexp(spec.max_product, -spec.zero_bits));
  shape.product_bits = std::min(shape.width, bit_count(most) + (shape.extend ? 1 : 0));
  shape.product_bits = std::max(shape.product_bits, 1);
  return shape;
}

// Low product bits that the multiplier never sets, beyond those that its operands' grid leaves out.
int bits_below(const LayerOperands& layer, const AccumulatorSpec& spec) {
  const auto left_out = [](int range, int bits) { return std::max(0, range - bits); };
  const int of_grid =
      left_out(operand_bits(a_is_signed(layer.type), a_is_signed(spec.type)), spec.a_bits) +
      left_out(operand_bits(b_is_signed(layer.type), b_is_signed(spec.type)), spec.b_bits);
  return std::max(0, spec.zero_bits - of_grid);
}

// One accumulation: what A and B of the netlist get.
struct Step {
  std::uint32_t a, b;
};

Step step_of(const Grid& grid, const Shape& shape, int below, bool a_signed, std::size_t g,
             std::size_t s, std::size_t k, std::size_t m) {
  const int a = grid.a(g, s, k), b = grid.b(g, k, m);
  const std::int64_t sum = grid.partial_sum(g, s, k, m) >> below;
  const std::uint64_t mask = (std::uint64_t{1} << shape.width) - 1;
  std::int64_t product = std::int64_t{a} * b;
  std::uint64_t word = 0;
  if (shape.signs > 0) {
    word = static_cast<std::uint64_t>(std::abs(product)) >> below;
    const std::uint64_t signs = (b < 0 ? 1u : 0u) | (a_signed && a < 0 ? 2u : 0u);
    word = (word & ((std::uint64_t{1} << shape.product_bits) - 1)) | signs << shape.product_bits;
  } else {
    word = static_cast<std::uint64_t>(product >> below) &
           ((std::uint64_t{1} << shape.product_bits) - 1);
  }
  return {static_cast<std::uint32_t>(word),
          static_cast<std::uint32_t>(static_cast<std::uint64_t>(sum) & mask)};
}

}  // namespace

SwitchingEnergy uniform_energy(const EnergyModel& model) {
  const int a = model.a_bits(), b = model.b_bits();
  return model.energy(PairPlanes(uniform_pairs(a, b), a, b));
}

int operand_bits(bool layer_signed, bool multiplier_signed) {
  return layer_signed && !multiplier_signed ? 7 : 8;
}

std::uint8_t rounded(std::uint8_t value, int range, int bits) {
  if (bits >= range) return value;
  const int shift = range - bits;
  return static_cast<std::uint8_t>(
      std::min((value + (1 << (shift - 1))) >> shift, (1 << bits) - 1));
}

int accumulator_bits(const LayerOperands& layer, const AccumulatorSpec& spec) {
  const double most =
      std::ldexp(spec.max_product, -spec.zero_bits) * static_cast<double>(layer.fan_in);
  const bool negative = layer.type != OperandType::u8u8 || spec.type != OperandType::u8u8;
  const int bits = bit_count(static_cast<std::uint64_t>(most)) + (negative ? 1 : 0);
  return std::clamp(bits, 1, 32);
}

Netlist accumulator_netlist(int width, int product_bits, int signs, bool extend) {
  NetlistBuilder builder("accumulator");
  const auto in = builder.input("A", product_bits + signs), sum = builder.input("B", width);
  NetId sign = kNetZero;
  for (int i = 0; i < signs; ++i) {
    const NetId bit = in[static_cast<std::size_t>(product_bits + i)];
    sign = i == 0 ? bit : builder.xor2(sign, bit);
  }
  NetId carry = sign;
  std::vector<NetId> out;
  for (int i = 0; i < width; ++i) {
    const auto at = static_cast<std::size_t>(std::min(i, product_bits - 1));
    NetId bit = i < product_bits || extend ? in[at] : kNetZero;
    if (signs > 0) bit = i < product_bits ? builder.xor2(bit, sign) : sign;
    const auto next = builder.full_adder(sum[static_cast<std::size_t>(i)], bit, carry);
    out.push_back(next.sum);
    carry = next.carry;
  }
  builder.output("O", out);
  return builder.take();
}

double accumulator_energy(const LayerOperands& layer, const AccumulatorSpec& spec, Held held) {
  if (!layer.has_patches() || !layer.has_weights())
    throw InputError(722, "layer \"" + layer.name +
                              "\" has no patches and weights, which the accumulator's partial sums "
                              "are made of; take --scope multiplier");
  const Shape shape = shape_of(layer, spec);
  const int below = bits_below(layer, spec);
  const Grid grid(layer, spec);
  const bool a_signed = a_is_signed(layer.type);
  Philox random(kSeed);
  WordPairs pairs;
  const std::size_t s_count = layer.patch_count - (held == Held::b ? 1 : 0);
  const std::size_t m_count = layer.channels_per_group() - (held == Held::a ? 1 : 0);
  for (std::size_t i = 0; i < kSamples; ++i) {
    // Taps in turn: the partial sum grows along them.
    const std::size_t k = i * layer.fan_in / kSamples;
    const auto g = static_cast<std::size_t>(random.next_below(layer.groups));
    const auto s = static_cast<std::size_t>(random.next_below(s_count));
    const auto m = static_cast<std::size_t>(random.next_below(m_count));
    const Step now = step_of(grid, shape, below, a_signed, g, s, k, m);
    const Step next = held == Held::b   ? step_of(grid, shape, below, a_signed, g, s + 1, k, m)
                      : held == Held::a ? step_of(grid, shape, below, a_signed, g, s, k, m + 1)
                                        : now;
    pairs.a.push_back(now.a);
    pairs.b.push_back(now.b);
    if (held == Held::none) continue;
    pairs.next_a.push_back(next.a);
    pairs.next_b.push_back(next.b);
  }
  const EnergyModel model(
      accumulator_netlist(shape.width, shape.product_bits, shape.signs, shape.extend));
  return model.energy(PairPlanes(pairs, shape.product_bits + shape.signs, shape.width)).all;
}

double rounding_energy(const LayerOperands& layer, const AccumulatorSpec& spec) {
  const int range = operand_bits(a_is_signed(layer.type), a_is_signed(spec.type));
  if (spec.a_bits >= range) return 0;
  NetlistBuilder builder("rounding");
  const auto a = builder.input("A", range);
  builder.input("B", 1);
  const auto low = static_cast<std::size_t>(range - spec.a_bits);
  NetId carry = a[low - 1];
  std::vector<NetId> out;
  for (std::size_t i = low; i < a.size(); ++i) {
    const auto next = builder.half_adder(a[i], carry);
    out.push_back(next.sum);
    carry = next.carry;
  }
  for (NetId& bit : out) bit = builder.or2(bit, carry);  // at most all ones
  builder.output("O", out);
  OperandPairs pairs = layer_pairs(layer, OperandType::u8u8, {Held::none, kSamples});
  std::ranges::fill(pairs.b, std::uint8_t{0});
  const double uses =
      static_cast<double>(layer.channels_per_group() * layer.kernel_h * layer.kernel_w);
  return EnergyModel(builder.take()).energy(PairPlanes(pairs, range, 1)).all / uses;
}

}  // namespace axmul::detail
