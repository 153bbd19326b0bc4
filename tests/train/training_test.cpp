// Training loop on made-up images: it learns, and an interrupted run ends in the same bits.
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "train/train_support.hpp"

using namespace axmul;

namespace {

// Four classes told apart by which quarter of a 28 x 28 image is bright.
ImageSet quarters(std::size_t count, std::uint64_t seed) {
  ImageSet set;
  set.channels = 1;
  set.height = set.width = 28;
  set.class_names = {"a", "b", "c", "d"};
  Philox random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<int>(random.next_below(4));
    set.labels.push_back(label);
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const bool bright = (y >= 14) == (label >= 2) && (x >= 14) == (label % 2 == 1);
        set.pixels.push_back(
            static_cast<std::uint8_t>(random.next_below(128) + (bright ? 100 : 0)));
      }
  }
  return set;
}

const Normalisation kNorm{{0.5}, {0.25}};

Network small_network() { return make_network("lenet5", {4, 1, 28, 28}, 3); }

TrainOptions options_for(int epochs) {
  TrainOptions options;
  options.schedule = {epochs, 0.01, {1}, 0.5, 0.9, 1e-4};
  options.batch = 20;
  options.augmentation = {true, 2};
  options.seed = 11;
  return options;
}

bool same_weights(const Network& x, const Network& y) {
  const StateDict a = state_of(x), b = state_of(y);
  for (const auto& [name, tensor] : a.tensors)
    if (!b.tensors.contains(name) || b.tensors.at(name).bytes != tensor.bytes) return false;
  return a.tensors.size() == b.tensors.size();
}

}  // namespace

TEST_CASE("a network learns, in float and on a coarse multiplier") {
  set_training_threads(2);
  const ImageSet images = quarters(300, 1), others = quarters(200, 2);
  Network net = small_network();
  TrainOptions options = options_for(3);
  options.augmentation = {};
  const TrainReport report = train_network(net, images, &others, kNorm, options);
  REQUIRE(report.epochs.size() == 3);
  CHECK(report.epochs[0].learning_rate == 0.01);
  CHECK(report.epochs[1].learning_rate == 0.005);
  CHECK(report.epochs.back().validation_accuracy >= 0.95);
  calibrate(net, images, kNorm, {200, 50});
  const auto coarse = std::make_shared<const Multiplier>(Multiplier{
      "coarse", Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b & ~255; })});
  for (const auto& layer : net.layers)
    set_multiplier(*layer, coarse, TableEncoding::sign_magnitude);
  options.schedule.epochs = 1;
  train_network(net, images, nullptr, kNorm, options);
  CHECK(evaluate(net, others, kNorm).top1 >= 0.95);
}

TEST_CASE("an interrupted run continues to the same bits, inside an epoch and between epochs") {
  set_training_threads(2);
  const ImageSet images = quarters(130, 4);
  Network undisturbed = small_network();
  train_network(undisturbed, images, nullptr, kNorm, options_for(2));
  for (const std::size_t stop : {std::size_t{1}, std::size_t{4}, std::size_t{7}, std::size_t{10}}) {
    CAPTURE(stop);
    const test::ScratchDir folder;
    TrainOptions options = options_for(2);
    options.checkpoint = (folder / "checkpoint.safetensors").string();
    options.settings = "x";
    std::size_t steps = 0;
    options.on_step = [&](const StepRecord&) {
      if (++steps == stop) request_interrupt();
    };
    Network first = small_network();
    CHECK_THROWS_AS(train_network(first, images, nullptr, kNorm, options), InterruptedError);
    clear_interrupt();
    options.on_step = {};
    options.resume = true;
    Network second = make_network("lenet5", {4, 1, 28, 28}, 99);  // other initial weights
    const TrainReport report = train_network(second, images, nullptr, kNorm, options);
    CHECK(report.resumed);
    CHECK(report.epochs.size() == 2);
    CHECK(same_weights(undisturbed, second));
    options.settings = "y";
    CHECK_THROWS_AS(train_network(second, images, nullptr, kNorm, options), InputError);
  }
}

TEST_CASE("a loss that is not finite ends the run and leaves the checkpoint alone") {
  const ImageSet images = quarters(100, 5);
  const test::ScratchDir folder;
  TrainOptions options = options_for(1);
  options.checkpoint = (folder / "checkpoint.safetensors").string();
  Network net = small_network();
  train_network(net, images, nullptr, kNorm, options);
  const std::string before = test::read_text(options.checkpoint);
  options.schedule.learning_rate = 1e30;
  options.schedule.epochs = 3;
  bool thrown = false;
  try {
    train_network(net, images, nullptr, kNorm, options);
  } catch (const InputError& error) {
    thrown = error.id() == 942;
  }
  CHECK(thrown);
  CHECK(test::read_text(options.checkpoint) == before);
}

TEST_CASE("the paired difference and McNemar's test have textbook values") {
  // 101 right in both, 59 only in the first, 121 only in the second, 33 in neither.
  EvaluationReport first, second;
  const auto add = [&](int count, int a, int b) {
    for (int i = 0; i < count; ++i) {
      first.labels.push_back(1);
      second.labels.push_back(1);
      first.predicted.push_back(a);
      second.predicted.push_back(b);
    }
  };
  add(101, 1, 1);
  add(59, 1, 0);
  add(121, 0, 1);
  add(33, 0, 0);
  const PairedComparison result = compare_predictions(first, second);
  CHECK(result.difference == doctest::Approx((59.0 - 121.0) / 314.0));
  CHECK(result.standard_error == doctest::Approx(std::sqrt(180.0 - 62.0 * 62.0 / 314.0) / 314.0));
  // 2 · sum of binomial(180, k) / 2^180 for k up to 59, in exact fractions (Python)
  CHECK(result.p_value == doctest::Approx(4.434449263755e-06).epsilon(1e-6));
  second.labels[0] = 0;
  CHECK_THROWS_AS(compare_predictions(first, second), InputError);
}

TEST_CASE("folding removes a constant error exactly and leaves an exact network alone") {
  const ImageSet images = quarters(60, 6);
  Network net = small_network();
  calibrate(net, images, kNorm, {60, 60});
  set_mode(net, LayerMode::quantized);
  const EvaluationReport exact = evaluate(net, images, kNorm);
  const auto biased = std::make_shared<const Multiplier>(Multiplier{
      "biased", Lut::from_function(OperandType::u8s8, [](int a, int b) { return a * b + 37; })});
  const auto biased_s8 = std::make_shared<const Multiplier>(Multiplier{
      "biased", Lut::from_function(OperandType::s8s8, [](int a, int b) { return a * b + 37; })});
  set_multiplier(*net.layers[0], biased_s8, TableEncoding::sign_magnitude);
  for (std::size_t i = 1; i < net.layers.size(); ++i)
    set_multiplier(*net.layers[i], biased, TableEncoding::sign_magnitude);
  fold_bias(net, images, kNorm, {60, 30});
  REQUIRE(net.layers[1]->mean_acc.size() == 16);
  CHECK(net.layers[1]->mean_acc[3] == doctest::Approx(37.0 * 150.0));
  // The first layer is s8s8 now, so only its own grid differs from the exact network.
  net.layers[0]->encoding = TableEncoding::s8s8;
  const EvaluationReport folded = evaluate(net, images, kNorm);
  CHECK(folded.loss == doctest::Approx(exact.loss).epsilon(1e-4));
}

TEST_CASE("folding can take the activations of the approximate network") {
  const ImageSet images = quarters(60, 7);
  Network net = small_network();
  calibrate(net, images, kNorm, {60, 60});
  const auto coarse = std::make_shared<const Multiplier>(Multiplier{
      "coarse", Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b & ~127; })});
  for (const auto& layer : net.layers)
    set_multiplier(*layer, coarse, TableEncoding::sign_magnitude);
  fold_bias(net, images, kNorm, {60, 60});
  const std::vector<double> first = net.layers[0]->mean_acc, last = net.layers[4]->mean_acc;
  fold_bias(net, images, kNorm, {60, 60}, FoldOperands::approximate);
  CHECK(net.layers[0]->mean_acc == first);  // the images themselves
  CHECK(net.layers[4]->mean_acc != last);   // what four approximate layers made of them
  CHECK(net.layers[4]->mean_acc_of == net.layers[4]->table->sha256());
  for (const auto& layer : net.layers) CHECK(layer->error_tally == nullptr);
}

TEST_CASE("an epoch's batches differ by one image at the most and hold every image") {
  const ImageSet images = quarters(103, 8);
  Network net = small_network();
  TrainOptions options = options_for(1);
  std::vector<std::size_t> steps;
  options.on_step = [&](const StepRecord& r) { steps.push_back(r.steps); };
  const TrainReport report = train_network(net, images, nullptr, kNorm, options);
  CHECK(steps == std::vector<std::size_t>(6, 6));  // of 17 or 18, not five of 20 and one of 3
  CHECK(report.epochs[0].accuracy * 103 ==
        doctest::Approx(std::round(report.epochs[0].accuracy * 103)));
}

TEST_CASE("weights that are not finite are an error, not a quiet result") {
  const ImageSet images = quarters(20, 9);
  Network net = small_network();
  calibrate(net, images, kNorm, {20, 20});
  set_mode(net, LayerMode::quantized);
  const at::NoGradGuard guard;
  net.layers[1]->weight.data_ptr<float>()[7] = std::nanf("");
  try {
    evaluate(net, images, kNorm);
    FAIL("no error");
  } catch (const InputError& error) {
    CHECK(error.id() == 913);
    CHECK(std::string(error.what()).find("conv2") != std::string::npos);
  }
}
