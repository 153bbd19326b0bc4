// Layers whose channels have scales of their own: layer figures are those of real outputs. Held
// against layers that are simulated in full in real units, groups or not.
#include <algorithm>
#include <array>
#include <numeric>

#include "axmul/core/philox.hpp"
#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

// A quantised layer with zero points and scales that differ by a factor of 15 between channels.
LayerOperands scaled_layer(const LayerShape& shape, std::uint64_t seed) {
  LayerOperands layer = random_layer(shape, seed);
  layer.a_zero_point = 3;
  layer.a_scale = 0.0173;
  layer.b_zero_point.clear();
  layer.b_scale.clear();
  for (std::size_t m = 0; m < layer.out_channels; ++m) {
    layer.b_zero_point.push_back(static_cast<std::int32_t>(120 + m));
    layer.b_scale.push_back(0.002 * (1 + 14.0 * static_cast<double>(m * m % 7) / 6));
  }
  return layer;
}

struct Real {
  long double output_std = 0, error_std = 0, corrected_std = 0, error_mean = 0;
};

long double deviation(const std::vector<long double>& x) {
  const long double n = static_cast<long double>(x.size());
  const long double mean = std::accumulate(x.begin(), x.end(), 0.0L) / n;
  long double square = 0;
  for (const long double v : x) square += (v - mean) * (v - mean);
  return std::sqrt(square / n);
}

// Real outputs y = a_scale·b_scale[m]·Σ(lut(a,b) − z_b·a − z_a·b + z_a·z_b) with the table and
// exactly, for every patch, channel and given pairing of taps; then statistics of the difference.
Real simulate(const LayerOperands& layer, const Lut& lut,
              const std::vector<std::vector<std::size_t>>& pairings) {
  const std::size_t k = layer.fan_in, width = layer.channels_per_group();
  std::vector<long double> exact, error, corrected;
  for (std::size_t m = 0; m < layer.out_channels; ++m) {
    const long double scale = static_cast<long double>(layer.a_scale) * layer.b_scale[m];
    const int z_a = layer.a_zero_point, z_b = layer.b_zero_point[m];
    std::vector<long double> of_channel;
    for (std::size_t s = 0; s < layer.patch_count; ++s)
      for (const auto& order : pairings) {
        long double y = 0, approximate = 0;
        for (std::size_t i = 0; i < k; ++i) {
          const std::size_t g = m / width;
          const int a =
              value_of(layer.patches[(g * layer.patch_count + s) * k + i], a_is_signed(layer.type));
          const int b = value_of(layer.weights[(g * k + order[i]) * width + m % width],
                                 b_is_signed(layer.type));
          y += scale * ((a - z_a) * (b - z_b));
          approximate += scale * (lut(a, b) - z_b * a - z_a * b + z_a * z_b);
        }
        exact.push_back(y);
        of_channel.push_back(approximate - y);
      }
    const long double mean = std::accumulate(of_channel.begin(), of_channel.end(), 0.0L) /
                             static_cast<long double>(of_channel.size());
    for (const long double e : of_channel) {
      error.push_back(e);
      corrected.push_back(e - mean);
    }
  }
  return {
      deviation(exact), deviation(error), deviation(corrected),
      std::accumulate(error.begin(), error.end(), 0.0L) / static_cast<long double>(error.size())};
}

std::vector<std::size_t> in_order(std::size_t k) {
  std::vector<std::size_t> order(k);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

// The layer knows the spread of its real outputs, in units of its figures.
void know_output_std(LayerOperands& layer, const Real& real) {
  layer.output_std = static_cast<double>(real.output_std / acc_scale(layer));
}

void check_real(const LayerOperands& layer, const Prediction& p, const Real& real) {
  CHECK(near(p.sigma_rel, real.error_std / real.output_std, 1e-9L));
  CHECK(near(p.sigma_corrected_rel, real.corrected_std / real.output_std, 1e-9L));
  CHECK(near(p.sigma_acc * acc_scale(layer), real.error_std, 1e-9L));
  CHECK(near(p.mean_acc * acc_scale(layer), real.error_mean, 1e-9L, real.error_std));
}

}  // namespace

TEST_CASE("sampled equals a full simulation in real units, groups or not") {
  std::uint64_t seed = 900;
  for (const OperandType type : kOperandTypes)
    for (const std::size_t groups : {1u, 3u}) {
      LayerOperands layer =
          scaled_layer({.s = 31, .k = 9, .m = 7, .groups = groups, .type = type}, ++seed);
      CAPTURE(seed);
      for (const Lut& lut : {random_lut(type, seed), asymmetric_lut(type)}) {
        const Real real = simulate(layer, lut, {in_order(layer.fan_in)});
        know_output_std(layer, real);
        check_real(layer, predict_one(layer, lut, ErrorModel::sampled), real);
      }
      // Unequal scales matter: with errors that the weights decide, the same sums weighed alike
      // give another ratio.
      LayerOperands alike = layer;
      alike.b_scale = {layer.b_scale.front()};
      const Lut lut = asymmetric_lut(type);
      CHECK_FALSE(near(predict_one(alike, lut, ErrorModel::sampled).sigma_acc,
                       predict_one(layer, lut, ErrorModel::sampled).sigma_acc, 0.001L));
    }
}

TEST_CASE("permutation equals the simulation of all pairings in real units, groups or not") {
  std::uint64_t seed = 920;
  for (const std::size_t groups : {1u, 3u}) {
    LayerOperands layer = scaled_layer({.s = 6, .k = 5, .m = 3, .groups = groups}, ++seed);
    const Lut lut = random_lut(layer.type, seed);
    std::vector<std::vector<std::size_t>> pairings;
    std::vector<std::size_t> order = in_order(layer.fan_in);
    do pairings.push_back(order);
    while (std::next_permutation(order.begin(), order.end()));
    REQUIRE(pairings.size() == 120);
    const Real real = simulate(layer, lut, pairings);
    know_output_std(layer, real);
    check_real(layer, predict_one(layer, lut, ErrorModel::permutation), real);
    check_real(layer, predict_one(histograms_only(layer), lut, ErrorModel::permutation), real);
    // All taps in one group are a permutation, groups of one tap are the sum as it is.
    PredictOptions options;
    options.strata = Strata::given;
    options.tap_group.assign(layer.fan_in, 0);
    check_real(layer, predict_one(layer, lut, ErrorModel::stratified, options), real);
    std::iota(options.tap_group.begin(), options.tap_group.end(), 0u);
    const Real as_it_is = simulate(layer, lut, {in_order(layer.fan_in)});
    know_output_std(layer, as_it_is);
    check_real(layer, predict_one(layer, lut, ErrorModel::stratified, options), as_it_is);
  }
}

namespace {

// p of each patch and q of each group, by operand index, as fractions.
std::vector<long double> fractions(const std::uint8_t* bytes, std::size_t count, bool is_signed) {
  std::vector<long double> p(256, 0);
  for (std::size_t i = 0; i < count; ++i)
    p[operand_index(bytes[i], is_signed)] += 1 / static_cast<long double>(count);
  return p;
}

struct Sums {
  long double mean = 0, variance = 0;
};

// K independent errors of a pair drawn from p and q, summed.
Sums independent_sum(const LayerOperands& layer, const Lut& lut, const std::vector<long double>& p,
                     const std::vector<long double>& q) {
  long double first = 0, second = 0;
  const int a0 = a_min(layer.type), b0 = b_min(layer.type);
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const long double weight = p[static_cast<std::size_t>(a)] * q[static_cast<std::size_t>(b)];
      if (weight == 0) continue;
      const long double e = lut.error(a0 + a, b0 + b);
      first += weight * e;
      second += weight * e * e;
    }
  const long double k = static_cast<long double>(layer.fan_in);
  return {k * first, k * (second - first * first)};
}

}  // namespace

TEST_CASE(
    "multi-population and global mix what one histogram says over channels and their scales") {
  std::uint64_t seed = 940;
  for (const std::size_t groups : {1u, 3u}) {
    const LayerOperands layer = scaled_layer({.s = 23, .k = 6, .m = 5, .groups = groups}, ++seed);
    const Lut lut = random_lut(layer.type, seed);
    const std::size_t per_group = layer.fan_in * layer.channels_per_group();
    std::vector<Sums> sums(groups * layer.patch_count);
    for (std::size_t g = 0; g < groups; ++g) {
      const auto q = fractions(layer.weights.data() + g * per_group, per_group, false);
      for (std::size_t s = 0; s < layer.patch_count; ++s) {
        const std::size_t row = g * layer.patch_count + s;
        sums[row] = independent_sum(
            layer, lut, fractions(layer.patches.data() + row * layer.fan_in, layer.fan_in, false),
            q);
      }
    }
    const auto of = [&](std::size_t s, std::size_t m) {
      return sums[m / layer.channels_per_group() * layer.patch_count + s];
    };
    const Brute brute = layer_figures(
        layer, [&](std::size_t s, std::size_t m) { return of(s, m).mean; },
        [&](std::size_t s, std::size_t m) { return of(s, m).variance; });
    const Prediction p = predict_one(layer, lut, ErrorModel::multi_population);
    CHECK(near(p.mean_acc, brute.mean, 1e-11L, brute.sigma));
    CHECK(near(p.sigma_acc, brute.sigma, 1e-11L));

    const Sums one =
        independent_sum(layer, lut, fractions(layer.patches.data(), layer.patches.size(), false),
                        fractions(layer.weights.data(), layer.weights.size(), false));
    const Brute global = layer_figures(
        layer, [&](std::size_t, std::size_t) { return one.mean; },
        [&](std::size_t, std::size_t) { return one.variance; });
    const Prediction pooled = predict_one(layer, lut, ErrorModel::global);
    CHECK(near(pooled.mean_acc, global.mean, 1e-11L, global.sigma));
    CHECK(near(pooled.sigma_acc, global.sigma, 1e-11L));
  }
}

TEST_CASE("multi-population with groups and unequal scales is what drawing sums gives") {
  const LayerOperands layer = scaled_layer({.s = 12, .k = 6, .m = 4, .groups = 3}, 950);
  const Lut lut = random_lut(layer.type, 951);
  const std::size_t width = layer.channels_per_group(), k = layer.fan_in;
  Philox random(952);
  constexpr std::size_t kDraws = 200000;  // the standard error of σ is 0.2 to 0.3 %
  std::vector<long double> real(kDraws);
  for (long double& x : real) {
    const std::size_t m = random.next_below(layer.out_channels), g = m / width;
    const std::size_t s = random.next_below(layer.patch_count);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < k; ++i) {
      const std::uint8_t a = layer.patches[(g * layer.patch_count + s) * k + random.next_below(k)];
      const std::uint8_t b = layer.weights[g * k * width + random.next_below(k * width)];
      sum += lut.error(a, b);
    }
    x = relative_scale(layer, m) * static_cast<long double>(sum);
  }
  const Prediction p = predict_one(layer, lut, ErrorModel::multi_population);
  CHECK(near(p.sigma_acc, deviation(real), 0.012L));
}

TEST_CASE("monte-carlo meets global with unequal scales, within its intervals") {
  const LayerOperands layer = scaled_layer({.s = 30, .k = 12, .m = 6, .groups = 2}, 960);
  const Lut biased = Lut::from_function(
      OperandType::u8u8, [](int a, int b) { return a * b + (a * 31 + b * 17) % 97 - 20; });
  const Prediction truth = predict_one(layer, biased, ErrorModel::global);
  PredictOptions options;
  options.monte_carlo_draws = 400;
  constexpr int kTrials = 200;
  int inside = 0;
  for (options.seed = 0; options.seed < kTrials; ++options.seed) {
    const Prediction p = predict_one(layer, biased, ErrorModel::monte_carlo, options);
    inside +=
        p.sigma_interval.lower <= truth.sigma_acc && truth.sigma_acc <= p.sigma_interval.upper;
    CHECK(p.mean_interval.lower <= p.mean_acc);
  }
  // 95 % of 200 are 190 ± 3.1: the bounds are 3.2 standard deviations away.
  CHECK(inside >= 180);
  options.monte_carlo_draws = 100000;
  CHECK(near(predict_one(layer, biased, ErrorModel::monte_carlo, options).sigma_acc,
             truth.sigma_acc, 0.02L));
}

TEST_CASE("a constant error spreads between channels as their scales do, in every model") {
  const Lut lut = Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b - 70; });
  const LayerOperands layer =
      scaled_layer({.s = 20, .k = 9, .m = 4, .groups = 2, .kernel_h = 3, .kernel_w = 3}, 970);
  std::vector<long double> of_channel;
  for (std::size_t m = 0; m < layer.out_channels; ++m)
    of_channel.push_back(-9.0L * 70 * relative_scale(layer, m));
  for (const ErrorModel model : kErrorModels) {
    CAPTURE(to_string(model));
    CHECK(near(predict_one(layer, lut, model).sigma_acc, deviation(of_channel), 1e-12L));
  }
}

TEST_CASE("one scale for each channel gives the bits of one for all where they are equal") {
  LayerOperands one = random_layer({.s = 20, .k = 9, .m = 3, .groups = 2}, 980);
  one.b_scale = {0.0123};
  LayerOperands each = one;
  each.b_scale.assign(6, 0.0123);
  const Lut lut = random_lut(OperandType::u8u8, 981);
  CHECK_FALSE(has_unequal_scales(each));
  CHECK(acc_scale(each) == acc_scale(one));
  for (const ErrorModel model : kErrorModels) {
    if (model == ErrorModel::stratified) continue;  // no kernel here
    const Prediction x = predict_one(one, lut, model), y = predict_one(each, lut, model);
    CHECK(x.mean_acc == y.mean_acc);
    CHECK(x.sigma_acc == y.sigma_acc);
  }
}

TEST_CASE("intervals with unequal scales cover the population's figures") {
  LayerOperands population = scaled_layer({.s = 20000, .k = 6, .m = 3, .groups = 2}, 990);
  const Lut lut = random_lut(OperandType::u8u8, 991);
  constexpr int kTrials = 200;
  for (const ErrorModel model :
       {ErrorModel::sampled, ErrorModel::permutation, ErrorModel::multi_population}) {
    CAPTURE(to_string(model));
    PredictOptions options;
    options.intervals = false;
    const Prediction truth = predict_one(population, lut, model, options);
    options.intervals = true;
    options.random_patches = true;
    options.patches = 150;
    int mean = 0, sigma = 0;
    for (options.seed = 0; options.seed < kTrials; ++options.seed) {
      const LayerOperands sample =
          select_patches(population, select_patch_rows(population.patch_count, options));
      const Prediction p = predict_one(sample, lut, model, options);
      mean += p.mean_interval.lower <= truth.mean_acc && truth.mean_acc <= p.mean_interval.upper;
      sigma +=
          p.sigma_interval.lower <= truth.sigma_acc && truth.sigma_acc <= p.sigma_interval.upper;
    }
    // 190 ± 3.1 at 95 %.
    CHECK(mean >= 180);
    CHECK(sigma >= 180);
  }
}

TEST_CASE("what the receptive fields tell about the layer itself") {
  for (const std::size_t groups : {1u, 3u}) {
    const LayerOperands layer = scaled_layer({.s = 31, .k = 9, .m = 7, .groups = groups}, 995);
    const Lut lut = random_lut(layer.type, 996);
    const Real real = simulate(layer, lut, {in_order(layer.fan_in)});
    PredictOptions options;
    options.patches = 0;
    options.model = ErrorModel::sampled;
    const auto evidence = [&](const LayerOperands& of) {
      return predict({&of, 1}, {&lut, 1}, options).evidence.at(0);
    };
    CHECK(evidence(layer).receptive_fields == 31);
    CHECK(evidence(layer).outputs_vary);
    CHECK(near(evidence(layer).output_std * acc_scale(layer), real.output_std, 1e-9L));
    // The same receptive field over and over, or weights at their zero points: nothing varies.
    CHECK_FALSE(evidence(select_patches(layer, {4, 4, 4})).outputs_vary);
    LayerOperands dead = layer;
    for (std::size_t i = 0; i < dead.weights.size(); ++i) {
      const std::size_t width = layer.channels_per_group();
      const std::size_t m = i / (layer.fan_in * width) * width + i % width;
      dead.weights[i] = static_cast<std::uint8_t>(layer.b_zero_point[m]);
    }
    CHECK_FALSE(evidence(dead).outputs_vary);
    options.model = ErrorModel::permutation;
    CHECK(evidence(histograms_only(layer)).outputs_vary);
    CHECK(std::isnan(evidence(histograms_only(layer)).output_std));
    options.model = ErrorModel::sampled;
  }
}
