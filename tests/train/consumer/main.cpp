// Puts an approximate multiplier into LeNet-5 and trains it for a step, from installed headers.
#include <axmul/train/training.hpp>
#include <cstdio>

int main() {
  axmul::ImageSet images;
  images.channels = 1;
  images.height = images.width = 28;
  images.class_names = {"a", "b"};
  for (int i = 0; i < 8; ++i) {
    images.labels.push_back(i % 2);
    images.pixels.insert(images.pixels.end(), 784, static_cast<std::uint8_t>(i % 2 * 200));
  }
  const axmul::Normalisation norm{{0.5}, {0.25}};
  axmul::Network net = axmul::make_network("lenet5", {2, 1, 28, 28}, 1);
  axmul::calibrate(net, images, norm);
  const auto coarse = std::make_shared<const axmul::Multiplier>(axmul::Multiplier{
      "coarse", axmul::Lut::from_function(axmul::OperandType::u8u8,
                                          [](int a, int b) { return a * b & ~63; })});
  for (const auto& layer : net.layers)
    axmul::set_multiplier(*layer, coarse, axmul::TableEncoding::sign_magnitude);
  axmul::TrainOptions options;
  options.schedule.epochs = 20;
  axmul::train_network(net, images, nullptr, norm, options);
  std::printf("%.2f\n", axmul::evaluate(net, images, norm).top1);
}
