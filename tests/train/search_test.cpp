// Noise and what is learned of it: the generator against an independent one, gradients against
// finite differences, layers whose noise matters and layers whose noise does not.
#include "axmul/train/search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"
#include "train/layer/noise.hpp"
#include "train/train_support.hpp"

using namespace axmul;

namespace {

std::vector<float> draws(std::size_t n, std::uint64_t seed, std::uint64_t stream) {
  std::vector<float> values(n);
  fill_normal(values, seed, stream);
  return values;
}

// Draw i in double precision, from the generator's definition: counters in pieces of 64, the first
// pair of words of counter c gives draws c and 64 + c of its piece, the second 128 + c and 192 + c.
double expected_draw(std::size_t i, std::uint64_t seed, std::uint64_t stream) {
  const std::uint64_t counter = i / 256 * 64 + i % 64;
  const std::size_t part = i % 256 / 64;
  const auto words =
      philox4x32({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                  static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  const double u = ((words[part / 2 * 2] >> 8) + 1) * 0x1.0p-24;
  const double angle = 2 * 3.14159265358979323846 * ((words[part / 2 * 2 + 1] >> 8) * 0x1.0p-24);
  const double radius = std::sqrt(-2 * std::log(u));
  return radius * (part % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

MultiplyLayer linear_layer(const std::string& name, std::int64_t in, std::int64_t out) {
  MultiplyLayer layer;
  layer.name = name;
  layer.geometry.linear = true;
  layer.geometry.in_channels = in;
  layer.geometry.out_channels = out;
  layer.weight = at::empty({out, in});
  fill_normal({layer.weight.data_ptr<float>(), static_cast<std::size_t>(layer.weight.numel())}, 7,
              static_cast<std::uint64_t>(in * 100 + out));
  layer.weight.set_requires_grad(true);
  layer.observer.update(-4.0, 4.0);
  return layer;
}

at::Tensor normal_tensor(at::IntArrayRef sizes, std::uint64_t stream) {
  at::Tensor x = at::empty(sizes);
  fill_normal({x.data_ptr<float>(), static_cast<std::size_t>(x.numel())}, 3, stream);
  return x;
}

}  // namespace

TEST_CASE("normal draws equal their definition and are the same for all threads and lengths") {
  const std::uint64_t seed = 0x123456789abcdef, stream = 0xfedcba987654321;
  const auto values = draws(20011, seed, stream);
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    worst = std::max(worst, std::fabs(values[i] - expected_draw(i, seed, stream)));
  CHECK(worst < 2e-6);
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    CHECK(draws(20011, seed, stream) == values);
    const auto fewer = draws(5000, seed, stream);
    CHECK(std::equal(fewer.begin(), fewer.end(), values.begin()));
  }
  set_threads(0);
  CHECK(draws(20011, seed, stream + 1) != values);
  CHECK(draws(20011, seed + 1, stream) != values);
}

TEST_CASE("normal draws are normal") {
  constexpr std::size_t n = 1 << 20;
  auto values = draws(n, 5, 6);
  double moments[5] = {};
  for (const float v : values)
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(v, k) / n;
  // Five standard errors of each moment: √(1, 2, 15, 96)/√n.
  CHECK(std::fabs(moments[1]) < 5.0 / 1024);
  CHECK(std::fabs(moments[2] - 1) < 5 * std::sqrt(2.0) / 1024);
  CHECK(std::fabs(moments[3]) < 5 * std::sqrt(15.0) / 1024);
  CHECK(std::fabs(moments[4] - 3) < 5 * std::sqrt(96.0) / 1024);
  double neighbours = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) neighbours += double(values[i]) * values[i + 1] / n;
  CHECK(std::fabs(neighbours) < 5.0 / 1024);
  std::sort(values.begin(), values.end());
  double distance = 0;  // Kolmogorov–Smirnov; 2.2/√n is passed with probability 1 − 1e-4
  for (std::size_t i = 0; i < n; ++i) {
    const double cdf = 0.5 * std::erfc(-values[i] / std::sqrt(2.0));
    distance =
        std::max({distance, std::fabs(cdf - double(i) / n), std::fabs(cdf - double(i + 1) / n)});
  }
  CHECK(distance < 2.2 / 1024);
}

TEST_CASE("gradients through the noise equal finite differences, in y and in sigma") {
  at::Tensor y = normal_tensor({3, 5, 7, 4}, 1).contiguous(at::MemoryFormat::ChannelsLast);
  y = (y * 2 + 0.7).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const at::Tensor direction = normal_tensor({3, 5, 7, 4}, 2);
  const at::Tensor sigma = at::scalar_tensor(0.3).set_requires_grad(true);
  // Bent, so that the derivative depends on the noise itself.
  const auto value = [&](const at::Tensor& at_y, const at::Tensor& at_sigma) {
    const at::Tensor z = axmul::detail::add_noise(at_y, at_sigma, 9, 11).to(at::kDouble);
    return (direction * (z + 0.1 * z * z)).sum();
  };
  value(y, sigma).backward();
  const at::NoGradGuard guard;
  const double step = 1e-2;
  const double up = value(y, at::scalar_tensor(0.3 + step)).item<double>();
  const double down = value(y, at::scalar_tensor(0.3 - step)).item<double>();
  CHECK(sigma.grad().item<double>() == doctest::Approx((up - down) / (2 * step)).epsilon(1e-4));
  Philox random(4);
  for (int trial = 0; trial < 20; ++trial) {
    const auto i = static_cast<std::int64_t>(random.next_below(420));
    at::Tensor plus = y.detach().clone(), minus = y.detach().clone();
    plus.data_ptr<float>()[i] += 0.05f;
    minus.data_ptr<float>()[i] -= 0.05f;
    const double slope = (value(plus, sigma) - value(minus, sigma)).item<double>() / 0.1;
    const double gradient =
        y.grad().contiguous(at::MemoryFormat::ChannelsLast).data_ptr<float>()[i];
    CHECK(gradient == doctest::Approx(slope).epsilon(2e-3).scale(1.0));
  }
}

TEST_CASE("dL/dsigma_l of a layer inside a network equals finite differences") {
  // The noisy layer feeds float layers, so the loss is smooth in sigma_l.
  Network net = make_network("lenet5", {10, 1, 28, 28}, 3);
  const at::Tensor x = normal_tensor({32, 1, 28, 28}, 5);
  at::Tensor labels = at::empty({32}, at::kLong);
  for (int i = 0; i < 32; ++i) labels.data_ptr<std::int64_t>()[i] = i % 10;
  for (const char* name : {"conv1", "conv2", "fc2"}) {
    CAPTURE(name);
    MultiplyLayer& layer = *find_layer(net, name);
    layer.observer.update(-3.0, 3.0);
    layer.mode = LayerMode::noise;
    const std::uint64_t stream = layer.noise_stream;
    const auto loss = [&](double sigma) {
      set_noise_level(layer, sigma);
      layer.noise_stream = stream;  // the same noise
      layer.sigma_l.mutable_grad() = at::Tensor();
      return at::cross_entropy_loss(forward(net, x).to(at::kDouble), labels);
    };
    loss(0.4).backward();
    const double gradient = layer.sigma_l.grad().item<double>();
    const double slope = (loss(0.42) - loss(0.38)).item<double>() / 0.04;
    CHECK(std::fabs(gradient) > 1e-5);
    CHECK(gradient == doctest::Approx(slope).epsilon(0.02));
    layer.mode = LayerMode::float32;
  }
}

TEST_CASE("noise earns lambda times the share of operations, up to sigma_max") {
  Network net;
  for (const auto& [name, sigma] : {std::pair{"a", 0.2}, {"b", -0.3}, {"c", 0.9}}) {
    net.layers.push_back(std::make_unique<MultiplyLayer>(linear_layer(name, 4, 4)));
    set_noise_level(*net.layers.back(), sigma);
  }
  net.layers[0]->ops = 100;
  net.layers[1]->ops = 300;
  net.layers[2]->ops = 600;
  const SearchOptions options{0.4, 0.5, 0.1};
  const at::Tensor reward = noise_reward(net, options);
  CHECK(reward.item<double>() == doctest::Approx(-0.4 * (0.1 * 0.2 + 0.3 * 0.3 + 0.6 * 0.5)));
  reward.backward();
  CHECK(net.layers[0]->sigma_l.grad().item<double>() == doctest::Approx(-0.4 * 0.1));
  CHECK(net.layers[1]->sigma_l.grad().item<double>() == doctest::Approx(0.4 * 0.3));
  CHECK(net.layers[2]->sigma_l.grad().item<double>() == 0.0);
  const auto sigmas = learned_sigmas(net, options);
  CHECK(sigmas[1].sigma_l == doctest::Approx(0.3));
  CHECK(sigmas[2].sigma_l == 0.5);
}

TEST_CASE("figures of the search out of their range are refused") {
  const double nan = std::nan("");
  for (const SearchOptions& bad :
       {SearchOptions{-0.1, 0.5, 0.1}, SearchOptions{nan, 0.5, 0.1}, SearchOptions{0.1, 0, 0.1},
        SearchOptions{0.1, -1, 0.1}, SearchOptions{0.1, 0.5, 0}, SearchOptions{0.1, 0.5, 0.6},
        SearchOptions{0.1, 0.5, nan}, SearchOptions{HUGE_VAL, 0.5, 0.1}}) {
    bool refused = false;
    try {
      check_search_options(bad);
    } catch (const UsageError& error) {
      refused = error.id() == 970;
    }
    CHECK(refused);
  }
  CHECK_NOTHROW(check_search_options({0, 0.5, 0.5}));
}

namespace {

// 16 inputs, four classes: class c has a high mean in inputs 4c … 4c+3.
ImageSet bands(std::size_t count) {
  ImageSet set;
  set.channels = 1;
  set.height = set.width = 4;
  set.class_names = {"a", "b", "c", "d"};
  Philox random(8);
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<int>(random.next_below(4));
    set.labels.push_back(label);
    for (int j = 0; j < 16; ++j)
      set.pixels.push_back(
          static_cast<std::uint8_t>(random.next_below(160) + (j / 4 == label ? 60 : 0)));
  }
  return set;
}

// Logits come from layer "matters"; what "idle" puts out is multiplied by zero.
Network two_layers() {
  Network net;
  net.architecture = "constructed";
  net.options = {4, 1, 4, 4};
  for (const char* name : {"matters", "idle"})
    net.layers.push_back(std::make_unique<MultiplyLayer>(linear_layer(name, 16, 4)));
  const at::NoGradGuard guard;
  at::Tensor& weight = net.layers[0]->weight;
  for (int m = 0; m < 4; ++m)
    for (int k = 0; k < 16; ++k) weight[m][k] = k / 4 == m ? 1.0 : -0.3;
  net.body = [](Network& n, const at::Tensor& x) {
    const at::Tensor flat = x.contiguous().flatten(1);
    return forward(*n.layers[0], flat) + 0.0 * forward(*n.layers[1], flat);
  };
  return net;
}

TrainOptions search_training(const SearchOptions& noise, int epochs) {
  TrainOptions options;
  options.schedule = {epochs, 1e-9, {epochs / 3, 2 * epochs / 3}, 0.1, 0.9, 1e-4};  // weights stay
  options.schedule.sigma_rate = 0.1 / 1e-9;
  options.batch = 50;
  options.extra_loss = [noise](const Network& n) { return noise_reward(n, noise); };
  return options;
}

}  // namespace

TEST_CASE("noise that cannot matter grows to sigma_max, noise that matters stays small") {
  const ImageSet images = bands(500);
  Network net = two_layers();
  const SearchOptions noise{0.05, 0.5, 0.1};
  start_search(net, noise);
  train_network(net, images, nullptr, {{0.5}, {0.25}}, search_training(noise, 60));
  const auto sigmas = learned_sigmas(net, noise);
  CHECK(sigmas[0].sigma_l < 0.06);
  CHECK(sigmas[1].sigma_l == 0.5);
  // Worth more, it grows; worth nothing, it dies out.
  Network greedy = two_layers();
  start_search(greedy, {5.0, 0.5, 0.1});
  train_network(greedy, images, nullptr, {{0.5}, {0.25}}, search_training({5.0, 0.5, 0.1}, 60));
  CHECK(learned_sigmas(greedy, noise)[0].sigma_l > 0.2);
  Network idle = two_layers();
  start_search(idle, {0.0, 0.5, 0.1});
  train_network(idle, images, nullptr, {{0.5}, {0.25}}, search_training({0.0, 0.5, 0.1}, 60));
  CHECK(learned_sigmas(idle, noise)[0].sigma_l < 0.03);
  CHECK(learned_sigmas(idle, noise)[1].sigma_l == doctest::Approx(0.1));  // no decay either
}

TEST_CASE("an interrupted search continues to the same bits, noise levels and history included") {
  const ImageSet images = bands(130);
  const SearchOptions noise{0.2, 0.5, 0.1};
  const auto trained = [&](Network& net, TrainOptions options) {
    start_search(net, noise);
    return train_network(net, images, nullptr, {{0.5}, {0.25}}, options);
  };
  Network undisturbed = two_layers();
  const TrainReport whole = trained(undisturbed, search_training(noise, 3));
  REQUIRE(whole.epochs.size() == 3);
  REQUIRE(whole.epochs.back().sigma_l.size() == 2);
  CHECK(undisturbed.layers[1]->sigma_l.item<double>() ==
        doctest::Approx(whole.epochs.back().sigma_l[1]).epsilon(1e-6));
  for (const std::size_t stop : {std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    CAPTURE(stop);
    const test::ScratchDir folder;
    TrainOptions options = search_training(noise, 3);
    options.checkpoint = (folder / "checkpoint.safetensors").string();
    std::size_t steps = 0;
    options.on_step = [&](const StepRecord&) {
      if (++steps == stop) request_interrupt();
    };
    Network first = two_layers();
    CHECK_THROWS_AS(trained(first, options), InterruptedError);
    clear_interrupt();
    options.on_step = {};
    options.resume = true;
    Network second = two_layers();
    const TrainReport report = trained(second, options);
    REQUIRE(report.epochs.size() == 3);
    for (std::size_t e = 0; e < 3; ++e) {
      CHECK(report.epochs[e].sigma_l == whole.epochs[e].sigma_l);
      CHECK(report.epochs[e].loss == whole.epochs[e].loss);
    }
    for (std::size_t l = 0; l < 2; ++l) {
      CHECK(at::equal(second.layers[l]->weight, undisturbed.layers[l]->weight));
      CHECK(at::equal(second.layers[l]->sigma_l, undisturbed.layers[l]->sigma_l));
    }
  }
}

TEST_CASE("the curvature of the loss is that of theory, and measuring it leaves no trace") {
  // Logits y of one layer: noise s·std(y) raises the mean cross-entropy by s²·a, for small s, with
  // a = ½ var(y)·mean Σ_c p_c(1 − p_c), the trace of the softmax's Hessian.
  const ImageSet images = bands(2000);
  const Normalisation normalisation{{0.5}, {0.25}};
  Network net = two_layers();
  start_search(net, {0.2, 0.5, 0.1});
  set_noise_level(*net.layers[0], 0.3);
  net.layers[0]->noise_stream = 77;
  const StateDict before = state_of(net);
  const auto measured = noise_curvatures(net, images, normalisation, 0.1, 50, 3);
  REQUIRE(measured.size() == 2);

  CHECK(net.step == 0);
  CHECK(net.layers[0]->noise_stream == 77);
  CHECK_FALSE(net.training);
  CHECK_FALSE(net.layers[0]->sigma_l.grad().defined());
  CHECK_FALSE(net.layers[0]->weight.grad().defined());
  const StateDict after = state_of(net);
  for (const auto& [name, tensor] : before.tensors)
    CHECK(after.tensors.at(name).doubles() == tensor.doubles());

  double theory = 0;
  for_each_batch(images, images.size(), 50, normalisation, [&](const at::Tensor& x, std::size_t) {
    const at::NoGradGuard guard;
    const at::Tensor y = forward(net, x).to(at::kDouble);  // not training: no noise
    const at::Tensor p = y.softmax(1);
    const double variance = y.var(false).item<double>();
    theory += 0.5 * variance * (p * (1 - p)).sum(1).mean().item<double>() / 40;
  });
  REQUIRE(theory > 0.01);
  CHECK(measured[0].standard_error < 0.25 * theory);
  CHECK(std::fabs(measured[0].value - theory) < 4 * measured[0].standard_error);
  CHECK(measured[1].value == 0);  // idle
  CHECK(measured[1].standard_error == 0);
  // The same seed gives the same figures, wherever the network stood; the bound is positive
  // whatever was measured.
  net.step = 9;
  net.layers[0]->noise_stream = 5;
  const auto again = noise_curvatures(net, images, normalisation, 0.1, 50, 3);
  CHECK(again[0].value == measured[0].value);
  CHECK(noise_curvatures(net, images, normalisation, 0.1, 50, 4)[0].value != measured[0].value);
  CHECK(cautious({0.3, 0.1}) == 0.3);
  CHECK(cautious({-0.3, 0.1}) == 0.1);
  CHECK(cautious({0, 0}) > 0);

  for (const double bad : {0.0, -0.1, std::nan("")})
    CHECK_THROWS_AS(noise_curvatures(net, images, normalisation, bad, 50, 3), UsageError);
  CHECK_THROWS_AS(noise_curvatures(net, images, normalisation, 0.1, 1001, 3), UsageError);
  net.layers[1]->mode = LayerMode::quantized;
  CHECK_THROWS_AS(noise_curvatures(net, images, normalisation, 0.1, 50, 3), UsageError);
}

TEST_CASE("batch norms estimated on data ordered by class are those of mixed data") {
  // Half dark, half bright: in batches of one kind the variance would be a fraction of the whole.
  ImageSet ordered;
  ordered.channels = 3;
  ordered.height = ordered.width = 16;
  ordered.class_names = {"dark", "bright"};
  Philox random(9);
  for (int i = 0; i < 512; ++i) {
    ordered.labels.push_back(i / 256);
    for (int j = 0; j < 3 * 16 * 16; ++j)
      ordered.pixels.push_back(
          static_cast<std::uint8_t>(random.next_below(100) + (i < 256 ? 0 : 120)));
  }
  std::vector<std::uint32_t> dark(256);
  std::iota(dark.begin(), dark.end(), 0u);
  const auto first_norm = [&](const ImageSet& images, std::uint64_t seed) {
    Network net = make_network("resnet8", {2, 3, 16, 16}, 2);
    set_mode(net, LayerMode::float32);
    reestimate_norms(net, images, {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}}, {512, 64, {}, seed});
    return net.norms.front()->running_var.clone();
  };
  const at::Tensor of_ordered = first_norm(ordered, 1);
  const at::Tensor of_mixed = first_norm(select_images(ordered, shuffled_indices(512, 5, 0)), 2);
  CHECK((of_ordered / of_mixed - 1).abs().max().item<double>() < 0.05);
  CHECK((first_norm(select_images(ordered, dark), 1) / of_mixed).min().item<double>() < 0.5);
}

TEST_CASE("a layer of frozen weights learns what it tolerates all the same") {
  const ImageSet images = bands(500);
  Network net = two_layers();
  net.layers[0]->weight.set_requires_grad(false);
  start_search(net, {0.2, 0.5, 0.1});
  const auto measured = noise_curvatures(net, images, {{0.5}, {0.25}}, 0.2, 50, 3);
  CHECK(measured[0].value > 4 * measured[0].standard_error);
  CHECK(measured[0].standard_error > 0);
  // Without its noise nothing would keep sigma_l from growing to sigma_max.
  const SearchOptions noise{0.05, 0.5, 0.1};
  train_network(net, images, nullptr, {{0.5}, {0.25}}, search_training(noise, 60));
  CHECK(learned_sigmas(net, noise)[0].sigma_l < 0.06);
}
