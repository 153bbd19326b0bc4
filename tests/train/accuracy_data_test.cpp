// ResNet-20 with published weights on lossless CIFAR-10 test images: float, quantised, approximate.
#include "axmul/formats/table_file.hpp"
#include "train/train_support.hpp"

using namespace axmul;

TEST_CASE("ResNet-20 reaches its published accuracy in float and in 8 bits") {
  const auto weights = test::data_path("networks/resnet20.h5");
  const auto folder = test::data_path("cifar10");
  if (!weights || !folder) AXMUL_SKIP("needs AXMUL_DATA/networks and cifar10");
  set_training_threads(2);
  const DataSpec spec = parse_data_spec("cifar10:" + folder->string());
  const ImageSet images = load_images(spec, DataPart::test);
  const Normalisation norm = default_normalisation("cifar10", 3);
  REQUIRE(images.size() == 1017);
  Network net = make_network("resnet20", {}, 1);
  load_state(net, read_state_dict(weights->string()), weights->string());
  const EvaluationReport real = evaluate(net, images, norm);
  MESSAGE("float top-1 " << real.top1);
  CHECK(std::abs(real.top1 - 0.916) <= 0.002);
  const ImageSet calibration = load_images(spec, DataPart::train);
  calibrate(net, calibration, norm);
  for (const TableEncoding encoding : {TableEncoding::sign_magnitude, TableEncoding::affine}) {
    for (const auto& layer : net.layers) layer->encoding = encoding;
    set_mode(net, LayerMode::quantized);
    const EvaluationReport quantized = evaluate(net, images, norm);
    MESSAGE(to_string(encoding) << " top-1 " << quantized.top1);
    CHECK(std::abs(quantized.top1 - real.top1) <= 0.005);
  }
}
