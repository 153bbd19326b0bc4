// Trained ResNet-20 on real images: the exact table is quantised mode bit for bit through the whole
// network, and layers on real operands equal nested loops over integers.
#include <map>

#include "axmul/formats/table_file.hpp"
#include "train/brute_force.hpp"
#include "train/train_support.hpp"

using namespace axmul;

namespace {

struct Trained {
  Network net = make_network("resnet20", {}, 1);
  at::Tensor images;
};

std::optional<Trained> trained(std::size_t count) {
  const auto weights = test::data_path("networks/resnet20.h5");
  const auto folder = test::data_path("cifar10");
  if (!weights || !folder) return std::nullopt;
  set_training_threads(2);
  const ImageSet test = load_images(parse_data_spec("cifar10:" + folder->string()), DataPart::test);
  const Normalisation norm = default_normalisation("cifar10", 3);
  std::vector<std::uint32_t> first(count);
  for (std::size_t i = 0; i < count; ++i) first[i] = static_cast<std::uint32_t>(i);
  const ImageSet images = select_images(test, first);
  Trained result;
  load_state(result.net, read_state_dict(weights->string()), weights->string());
  calibrate(result.net, images, norm, {count, count});
  result.images = batch_tensor(images, norm, {first});
  return result;
}

std::shared_ptr<const Multiplier> exact(OperandType type) {
  return std::make_shared<const Multiplier>(Multiplier{"exact", Lut::exact(type)});
}

const struct {
  OperandType table;
  TableEncoding encoding;
} kUses[] = {{OperandType::u8u8, TableEncoding::affine},
             {OperandType::u8u8, TableEncoding::sign_magnitude},
             {OperandType::s8s8, TableEncoding::s8s8}};

}  // namespace

TEST_CASE("whole images: approximate mode with the exact table gives quantised mode's bits") {
  auto subject = trained(24);
  if (!subject) AXMUL_SKIP("needs AXMUL_DATA/networks and cifar10");
  Network& net = subject->net;
  for (const bool per_channel : {false, true})
    for (const auto& use : kUses) {
      CAPTURE(to_string(use.encoding));
      for (const auto& layer : net.layers) {
        layer->per_channel = per_channel;
        set_multiplier(*layer, exact(use.table), use.encoding);
      }
      // With gradients, where nothing is fused, and without.
      const at::Tensor with_gradients = forward(net, subject->images).detach();
      at::Tensor fused;
      {
        const at::NoGradGuard guard;
        fused = forward(net, subject->images);
      }
      set_mode(net, LayerMode::quantized);
      CHECK(at::equal(with_gradients, forward(net, subject->images)));
      const at::NoGradGuard guard;
      CHECK(at::equal(fused, forward(net, subject->images)));
      // Another order of rounding moves an activation by a step here and there.
      CHECK((fused - with_gradients).abs().mean().item<double>() < 0.05);
      CHECK(fused.argmax(1).eq(with_gradients.argmax(1)).sum().item<std::int64_t>() >= 23);
      set_multiplier(
          *net.layers[7],
          std::make_shared<const Multiplier>(Multiplier{"random", test::random_lut(use.table, 4)}),
          use.encoding);
      CHECK_FALSE(at::equal(fused, forward(net, subject->images)));
    }
}

TEST_CASE("three layers on real operands equal integer loops bit for bit") {
  auto subject = trained(3);
  const auto table = test::data_path("evoapprox/mul8u_185Q.bin");
  if (!subject || !table) AXMUL_SKIP("needs AXMUL_DATA/networks, cifar10 and evoapprox");
  Network& net = subject->net;
  const auto multiplier =
      std::make_shared<const Multiplier>(Multiplier{"185Q", read_table(table->string()).lut});
  const at::NoGradGuard guard;
  for (const TableEncoding encoding : {TableEncoding::affine, TableEncoding::sign_magnitude}) {
    CAPTURE(to_string(encoding));
    std::map<std::string, OperandCapture> captures;
    {
      Measuring measuring;
      for (const auto& layer : net.layers) {
        layer->encoding = encoding;
        layer->mode = LayerMode::quantized;
        measuring.operands(*layer, captures[layer->name]);
      }
      forward(net, subject->images);
    }
    for (const char* name : {"conv1", "layer2.0.conv1", "layer3.2.conv2"}) {
      CAPTURE(name);
      MultiplyLayer& layer = *find_layer(net, name);
      const ActivationGrid grid = activation_grid(layer);
      // The operands that the layer saw, as real numbers; they fall on the grid again.
      const bool is_signed = grid.lowest < 0;
      const at::Tensor codes = captures[name].codes.permute({0, 3, 1, 2}).contiguous();
      const at::Tensor values =
          (is_signed ? codes.to(at::kChar).to(at::kDouble) : codes.to(at::kDouble)) -
          grid.zero_point;
      const at::Tensor x = (values * grid.scale).to(at::kFloat).contiguous();
      set_multiplier(layer, multiplier, encoding);
      const at::Tensor y = forward(layer, x).contiguous();
      const std::vector<double> expected = test::brute_force(layer, *layer.table, x);
      REQUIRE(static_cast<std::size_t>(y.numel()) == expected.size());
      std::size_t different = 0;
      for (std::size_t i = 0; i < expected.size(); ++i)
        different += static_cast<double>(y.data_ptr<float>()[i]) != expected[i];
      CHECK(different == 0);
      // The table matters: the exact one gives other outputs.
      layer.mode = LayerMode::quantized;
      CHECK_FALSE(at::equal(y, forward(layer, x).contiguous()));
      CHECK(values.ne(0).sum().item<std::int64_t>() > values.numel() / 20);
    }
  }
}
