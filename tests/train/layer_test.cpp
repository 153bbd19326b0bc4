// Layers against brute-force integers, the exact table against quantised mode, gradients.
#include "axmul/train/layer.hpp"

#include <cmath>
#include <tuple>

#include "axmul/core/philox.hpp"
#include "train/brute_force.hpp"
#include "train/train_support.hpp"

using namespace axmul;

namespace {

struct Case {
  const char* name;
  LayerGeometry geometry;
  std::int64_t height, width;
};

LayerGeometry conv(std::int64_t in, std::int64_t out, std::int64_t kh, std::int64_t kw,
                   std::int64_t stride, std::int64_t padding, std::int64_t dilation,
                   std::int64_t groups) {
  LayerGeometry g;
  g.in_channels = in;
  g.out_channels = out;
  g.kernel = {kh, kw};
  g.stride = {stride, stride};
  g.padding = {padding, padding};
  g.dilation = {dilation, dilation};
  g.groups = groups;
  return g;
}

LayerGeometry with_strides(LayerGeometry g, std::int64_t height, std::int64_t width) {
  g.stride = {height, width};
  return g;
}

LayerGeometry linear(std::int64_t in, std::int64_t out) {
  LayerGeometry g;
  g.linear = true;
  g.in_channels = in;
  g.out_channels = out;
  return g;
}

const Case kCases[] = {{"plain", conv(3, 8, 3, 3, 1, 1, 1, 1), 7, 6},
                       {"stride 2", conv(5, 7, 3, 3, 2, 1, 1, 1), 9, 8},
                       {"oblong, dilated", conv(4, 6, 3, 2, 1, 2, 2, 1), 9, 10},
                       {"grouped", conv(6, 4, 3, 3, 1, 1, 1, 2), 6, 5},
                       {"depthwise", conv(6, 6, 3, 3, 2, 1, 1, 6), 7, 7},
                       {"1 x 1", conv(9, 5, 1, 1, 1, 0, 1, 1), 4, 3},
                       {"1 x 1, strides", with_strides(conv(6, 12, 1, 1, 1, 0, 1, 1), 1, 2), 9, 8},
                       {"1 x 1, padded", with_strides(conv(6, 4, 1, 1, 1, 1, 1, 2), 3, 1), 8, 5},
                       {"linear", linear(37, 11), 1, 1}};

at::Tensor random_tensor(at::IntArrayRef sizes, std::uint64_t seed, bool non_negative) {
  at::Tensor x = at::empty(sizes);
  fill_normal({x.data_ptr<float>(), static_cast<std::size_t>(x.numel())}, seed, 1);
  return non_negative ? at::relu(x) : x;
}

MultiplyLayer make_layer(const Case& c, TableEncoding encoding, bool per_channel, bool bias) {
  MultiplyLayer layer;
  layer.name = c.name;
  layer.geometry = c.geometry;
  const LayerGeometry& g = c.geometry;
  std::vector<std::int64_t> sizes = {g.out_channels, g.in_channels / g.groups};
  if (!g.linear) sizes.insert(sizes.end(), {g.kernel[0], g.kernel[1]});
  layer.weight = random_tensor(sizes, 7, false).set_requires_grad(true);
  if (bias) layer.bias = random_tensor({g.out_channels}, 8, false).set_requires_grad(true);
  layer.encoding = encoding;
  layer.per_channel = per_channel;
  return layer;
}

at::Tensor make_input(const Case& c, bool non_negative) {
  const std::int64_t n = 3;
  return c.geometry.linear
             ? random_tensor({n, c.geometry.in_channels}, 9, non_negative)
             : random_tensor({n, c.geometry.in_channels, c.height, c.width}, 9, non_negative);
}

void observe(MultiplyLayer& layer, const at::Tensor& x) {
  layer.observer.update(x.min().item<double>(), x.max().item<double>());
}

std::size_t count_different(const at::Tensor& y, const std::vector<double>& expected) {
  const at::Tensor dense = y.detach().contiguous();
  std::size_t different = static_cast<std::size_t>(dense.numel()) != expected.size();
  for (std::size_t i = 0; i < expected.size() && different == 0; ++i)
    different += static_cast<double>(dense.data_ptr<float>()[i]) != expected[i];
  return different;
}

std::shared_ptr<const Multiplier> as_multiplier(Lut lut) {
  return std::make_shared<const Multiplier>(Multiplier{"test", std::move(lut)});
}

struct Variant {
  OperandType type;
  TableEncoding encoding;
  bool non_negative;
};
const Variant kVariants[] = {{OperandType::u8u8, TableEncoding::affine, false},
                             {OperandType::u8u8, TableEncoding::affine, true},
                             {OperandType::u8u8, TableEncoding::sign_magnitude, true},
                             {OperandType::u8u8, TableEncoding::sign_magnitude, false},
                             {OperandType::s8s8, TableEncoding::sign_magnitude, false},
                             {OperandType::u8s8, TableEncoding::sign_magnitude, true}};

}  // namespace

TEST_CASE("approximate layers equal brute-force integers bit for bit") {
  for (const Case& c : kCases)
    for (const Variant& v : kVariants)
      for (const bool per_channel : {false, true}) {
        CAPTURE(c.name);
        CAPTURE(to_string(v.encoding));
        CAPTURE(to_string(v.type));
        const at::Tensor x = make_input(c, v.non_negative);
        MultiplyLayer layer = make_layer(c, v.encoding, per_channel, per_channel);
        observe(layer, x);
        set_multiplier(layer, as_multiplier(test::random_lut(v.type, 42)), v.encoding);
        const at::Tensor y = forward(layer, x);
        CHECK(count_different(y, test::brute_force(layer, *layer.table, x)) == 0);
        // A difference is seen: another table gives other outputs.
        set_multiplier(layer, as_multiplier(test::asymmetric_lut(v.type)), v.encoding);
        CHECK(count_different(forward(layer, x), test::brute_force(layer, *layer.table, x)) == 0);
        CHECK_FALSE(at::equal(forward(layer, x), y));
      }
}

TEST_CASE("the exact table gives the bits of quantised mode, values and gradients") {
  for (const Case& c : kCases)
    for (const Variant& v : kVariants) {
      CAPTURE(c.name);
      CAPTURE(to_string(v.encoding));
      const at::Tensor x = make_input(c, v.non_negative).set_requires_grad(true);
      MultiplyLayer layer = make_layer(c, v.encoding, true, true);
      observe(layer, x.detach());
      set_multiplier(layer, as_multiplier(Lut::exact(v.type)), v.encoding);
      const at::Tensor approximate = forward(layer, x);
      layer.mode = LayerMode::quantized;
      const at::Tensor quantized = forward(layer, x);
      CHECK(at::equal(approximate, quantized));
      const at::Tensor direction = random_tensor(quantized.sizes(), 11, false);
      layer.mode = LayerMode::approximate;
      set_multiplier(layer, as_multiplier(test::random_lut(v.type, 3)), v.encoding);
      (forward(layer, x) * direction).sum().backward();
      const at::Tensor dx = x.grad().clone(), dw = layer.weight.grad().clone(),
                       db = layer.bias.grad().clone();
      x.mutable_grad() = layer.weight.mutable_grad() = layer.bias.mutable_grad() = at::Tensor();
      layer.mode = LayerMode::quantized;
      (forward(layer, x) * direction).sum().backward();
      CHECK((dx - x.grad()).abs().max().item<double>() <= 1e-5);
      CHECK((dw - layer.weight.grad()).abs().max().item<double>() <= 1e-5);
      CHECK((db - layer.bias.grad()).abs().max().item<double>() <= 1e-5);
    }
}

TEST_CASE("gradients in float are those of PyTorch in double precision") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    MultiplyLayer layer = make_layer(c, TableEncoding::sign_magnitude, false, true);
    const LayerGeometry& g = layer.geometry;
    const at::Tensor x = make_input(c, false).set_requires_grad(true);
    const at::Tensor y = forward(layer, x);
    const at::Tensor direction = random_tensor(y.sizes(), 12, false);
    (y * direction).sum().backward();
    const auto wide = [](const at::Tensor& t) {
      return t.detach().to(at::kDouble).contiguous().set_requires_grad(true);
    };
    const at::Tensor x_wide = wide(x), w = wide(layer.weight), b = wide(layer.bias);
    const at::Tensor wanted =
        g.linear ? at::linear(x_wide, w, b)
                 : at::conv2d(x_wide, w, b, g.stride, g.padding, g.dilation, g.groups);
    (wanted * direction.to(at::kDouble)).sum().backward();
    CHECK((y - wanted).abs().max().item<double>() <= 1e-4);
    CHECK((x.grad() - x_wide.grad()).abs().max().item<double>() <= 1e-4);
    CHECK((layer.weight.grad() - w.grad()).abs().max().item<double>() <= 1e-4);
    CHECK((layer.bias.grad() - b.grad()).abs().max().item<double>() <= 1e-4);
  }
}

TEST_CASE("gradients are those of the linear map on quantised operands, numerically") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    // The map is linear in x: finite differences of a float layer on the quantised operands.
    const at::Tensor x = make_input(c, false).set_requires_grad(true);
    MultiplyLayer layer = make_layer(c, TableEncoding::sign_magnitude, true, true);
    observe(layer, x.detach());
    layer.mode = LayerMode::quantized;
    const at::Tensor y = forward(layer, x);
    const at::Tensor direction = random_tensor(y.sizes(), 12, false);
    (y * direction).sum().backward();
    const ActivationGrid grid = activation_grid(layer);
    const QuantizedWeight q = quantize_weight(layer);
    const auto value = [&](const at::Tensor& a, const at::Tensor& w) {
      MultiplyLayer reference = make_layer(c, TableEncoding::sign_magnitude, true, true);
      const at::NoGradGuard guard;
      reference.weight = w;
      reference.bias = layer.bias.detach();
      return (forward(reference, a).to(at::kDouble) * direction).sum().item<double>();
    };
    const at::Tensor a =
        (x.detach() / grid.scale).round().clamp(-127, 127).mul(grid.scale).to(at::kFloat);
    const at::Tensor w =
        (q.integers * at::tensor(q.scales, at::kDouble).to(at::kFloat).view({-1, 1, 1, 1}))
            .view(layer.weight.sizes())
            .contiguous();
    Philox random(5);
    for (int trial = 0; trial < 5; ++trial) {
      const auto i =
          static_cast<std::int64_t>(random.next_below(static_cast<std::uint64_t>(a.numel())));
      at::Tensor up = a.clone().contiguous(), down = a.clone().contiguous();
      up.data_ptr<float>()[i] += 0.5f;
      down.data_ptr<float>()[i] -= 0.5f;
      const double dx = x.grad().contiguous().data_ptr<float>()[i];
      CHECK(value(up, w) - value(down, w) == doctest::Approx(dx).epsilon(1e-3).scale(1.0));
      const auto j =
          static_cast<std::int64_t>(random.next_below(static_cast<std::uint64_t>(w.numel())));
      at::Tensor w_up = w.clone(), w_down = w.clone();
      w_up.data_ptr<float>()[j] += 0.5f;
      w_down.data_ptr<float>()[j] -= 0.5f;
      const double dw = layer.weight.grad().contiguous().data_ptr<float>()[j];
      CHECK(value(a, w_up) - value(a, w_down) == doctest::Approx(dw).epsilon(1e-3).scale(1.0));
    }
  }
}

TEST_CASE("sums beyond 2^24 stay exact") {
  const Case wide{"wide", linear(20011, 3), 1, 1};
  MultiplyLayer layer = make_layer(wide, TableEncoding::affine, false, false);
  const at::Tensor x = at::rand({2, 20011});
  layer.weight = at::full({3, 20011}, 1.0f) - 0.001f * at::rand({3, 20011});
  observe(layer, x);
  set_multiplier(layer, as_multiplier(Lut::exact(OperandType::u8u8)), TableEncoding::affine);
  const at::Tensor approximate = forward(layer, x);
  layer.mode = LayerMode::quantized;
  CHECK(at::equal(approximate, forward(layer, x)));
  CHECK(count_different(approximate, test::brute_force(layer, Lut::exact(OperandType::u8u8), x)) ==
        0);
}

TEST_CASE("sums and their zero points together may pass 2^31") {
  // Inputs of at most 0 have the zero point 255, weights near their largest are 255: either sum
  // takes 255·255 a tap off the products.
  const auto layer_of = [](std::int64_t fan_in, const Lut& lut) {
    MultiplyLayer layer =
        make_layer({"long", linear(fan_in, 2), 1, 1}, TableEncoding::affine, false, false);
    layer.weight = at::full({2, fan_in}, 1.0f) - 0.001f * at::rand({2, fan_in});
    layer.observer.update(-1.0, 0.0);
    set_multiplier(layer, as_multiplier(lut), TableEncoding::affine);
    return layer;
  };
  const Lut exact = Lut::exact(OperandType::u8u8);
  MultiplyLayer longest = layer_of(40009, exact);
  const at::Tensor x = -at::rand({2, 40009});
  CHECK(count_different(forward(longest, x), test::brute_force(longest, exact, x)) == 0);
  // 20,101 products of −42,000 fit; less 255·255 each they do not.
  const Lut far =
      Lut::from_function(OperandType::u8u8, [](int a, int) { return -42000 * (a / 255); });
  MultiplyLayer sinking = layer_of(20101, far);
  const at::Tensor zeros = at::zeros({1, 20101});
  const std::vector<double> sunk = test::brute_force(sinking, far, zeros);
  CHECK(count_different(forward(sinking, zeros), sunk) == 0);
  const double unit = activation_grid(sinking).scale * quantize_weight(sinking).scale(0);
  CHECK(sunk[0] / unit < -2147483648.0);
}

TEST_CASE("errors are added up for who asks, and nobody else") {
  const Case c{"measured", conv(3, 4, 3, 2, 1, 1, 1, 1), 5, 6};
  const at::Tensor x = make_input(c, false);
  MultiplyLayer layer = make_layer(c, TableEncoding::sign_magnitude, true, false);
  observe(layer, x);
  set_multiplier(layer, as_multiplier(test::random_lut(OperandType::u8u8, 6)), layer.encoding);
  const at::NoGradGuard guard;
  const at::Tensor table = forward(layer, x);
  layer.mode = LayerMode::quantized;
  const at::Tensor exact = forward(layer, x);
  layer.mode = LayerMode::approximate;
  ErrorTally tally;
  {
    Measuring measuring;
    measuring.errors(layer, tally);
    CHECK(at::equal(forward(layer, x), exact));
  }
  CHECK(layer.mean_acc.empty());
  CHECK(at::equal(forward(layer, x), table));  // and adds nothing to the tally any more
  const std::int64_t outputs = table.size(2) * table.size(3);
  CHECK(tally.count == static_cast<double>(3 * outputs));
  // By loops over the outputs, in real units.
  const QuantizedWeight weight = quantize_weight(layer);
  const at::Tensor dense = table.contiguous(), other = exact.contiguous();
  for (std::int64_t m = 0; m < 4; ++m) {
    const double unit = activation_grid(layer).scale * weight.scale(m);
    double sum = 0, squares = 0;
    for (std::int64_t n = 0; n < 3; ++n)
      for (std::int64_t i = 0; i < outputs; ++i) {
        const std::int64_t at = (n * 4 + m) * outputs + i;
        const double error = std::nearbyint(
            (static_cast<double>(dense.data_ptr<float>()[at]) - other.data_ptr<float>()[at]) /
            unit);
        sum += error;
        squares += error * error;
      }
    CHECK(sum != 0);
    CHECK(tally.sum[static_cast<std::size_t>(m)] == doctest::Approx(sum).epsilon(1e-5));
    CHECK(tally.square_sum[static_cast<std::size_t>(m)] == doctest::Approx(squares).epsilon(1e-5));
    CHECK(tally.mean()[static_cast<std::size_t>(m)] ==
          tally.sum[static_cast<std::size_t>(m)] / tally.count);
  }
  // Handing on corrected sums is what folding that mean does.
  ErrorTally corrected;
  corrected.hands_on_corrected = true;
  at::Tensor handed_on;
  {
    Measuring measuring;
    measuring.errors(layer, corrected);
    handed_on = forward(layer, x);
  }
  CHECK(corrected.sum == tally.sum);
  layer.mean_acc = tally.mean();
  CHECK(at::equal(handed_on, forward(layer, x)));
}

TEST_CASE("inputs outside the grid get no gradient") {
  const Case c{"clip", linear(3, 2), 1, 1};
  MultiplyLayer layer = make_layer(c, TableEncoding::sign_magnitude, false, false);
  layer.observer.update(0.0, 1.0);
  layer.mode = LayerMode::quantized;
  const at::Tensor x = at::tensor({0.5f, 3.0f, -1.0f}).view({1, 3}).set_requires_grad(true);
  forward(layer, x).sum().backward();
  CHECK(x.grad().data_ptr<float>()[0] != 0.0f);
  CHECK(x.grad().data_ptr<float>()[1] == 0.0f);
  CHECK(x.grad().data_ptr<float>()[2] == 0.0f);
}

TEST_CASE("noise has the asked standard deviation and an evaluation has none") {
  const Case c{"noise", conv(3, 16, 3, 3, 1, 1, 1, 1), 16, 16};
  MultiplyLayer layer = make_layer(c, TableEncoding::sign_magnitude, false, true);
  const at::Tensor x = random_tensor({16, 3, 16, 16}, 9, true);
  observe(layer, x);
  layer.mode = LayerMode::quantized;
  const at::Tensor exact = forward(layer, x).detach();
  layer.mode = LayerMode::noise;
  layer.sigma_l = at::scalar_tensor(0.25).set_requires_grad(true);
  const at::Tensor noisy = forward(layer, x);
  const at::Tensor noise = noisy.detach() - exact;
  const double y_std = (exact - layer.bias.detach().view({1, -1, 1, 1})).std(false).item<double>();
  // 65,536 draws: the standard deviation is known to 0.3 %; five of that are allowed.
  CHECK(noise.std(false).item<double>() / y_std == doctest::Approx(0.25).epsilon(0.015));
  CHECK(std::abs(noise.mean().item<double>()) < 5 * 0.25 * y_std / 256);
  noisy.sum().backward();
  CHECK(layer.sigma_l.grad().defined());
  const at::NoGradGuard guard;
  CHECK(at::equal(forward(layer, x), exact));
}
