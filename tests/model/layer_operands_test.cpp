// Layer operands: refusals that name layer and dataset, exact recoding, subsets of patches.
#include "axmul/model/layer_operands.hpp"

#include <string>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

LayerOperands small_layer() {
  LayerOperands layer;
  layer.name = "conv7";
  layer.fan_in = 3;
  layer.in_channels = 4;
  layer.out_channels = 4;
  layer.groups = 2;
  layer.b_zero_point = {128};
  layer.patch_count = 2;
  layer.patches = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
  layer.weights = {0, 1, 128, 129, 255, 127, 7, 8, 9, 10, 11, 12};
  layer.image = {4, 9};
  return layer;
}

std::string message_of(const LayerOperands& layer) {
  try {
    check_layer(layer, "t.h5");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("inconsistent layers are refused with the layer and the dataset") {
  CHECK(message_of(small_layer()) == "");
  LayerOperands layer = small_layer();
  layer.patches.pop_back();
  CHECK(mentions(message_of(layer), "t.h5: layer \"conv7\": dataset \"patches\" has 11 entries"));
  layer = small_layer();
  layer.patches.clear();
  layer.patch_count = 0;
  CHECK(mentions(message_of(layer), "\"patches\""));
  layer = small_layer();
  layer.weights.clear();
  CHECK(mentions(message_of(layer), "\"weights\""));
  layer = small_layer();
  layer.weights.push_back(1);
  CHECK(mentions(message_of(layer), "dataset \"weights\" has 13 entries"));
  layer = small_layer();
  layer.groups = 3;
  CHECK(mentions(message_of(layer), "\"groups\" is 3"));
  layer = small_layer();
  layer.b_scale = {1, 2};
  CHECK(mentions(message_of(layer), "\"b_scale\" has 2 values"));
  layer.b_scale = {1, 2, 0, 1};
  CHECK(mentions(message_of(layer), "must be positive"));
  layer = small_layer();
  layer.image.pop_back();
  CHECK(mentions(message_of(layer), "\"image\""));
  layer = small_layer();
  layer.hist_b.assign(4 * 256, 0);
  CHECK(mentions(message_of(layer), "dataset \"hist_b\" row 0 sums to 0"));
}

TEST_CASE("affine and sign-magnitude recode exactly, there and back") {
  const LayerOperands layer = small_layer();
  const LayerOperands signed_layer = recode(layer, Encoding::sign_magnitude);
  CHECK(signed_layer.type == OperandType::u8s8);
  CHECK(signed_layer.b_zero_point == std::vector<std::int32_t>{0});
  CHECK(signed_layer.patches == layer.patches);
  for (std::size_t i = 0; i < layer.weights.size(); ++i)
    CHECK(static_cast<int>(static_cast<std::int8_t>(signed_layer.weights[i])) ==
          layer.weights[i] - 128);
  const LayerOperands back = recode(signed_layer, Encoding::affine);
  CHECK(back.weights == layer.weights);
  CHECK(back.type == OperandType::u8u8);
  CHECK(back.b_zero_point == layer.b_zero_point);
  LayerOperands off = layer;
  off.b_zero_point = {127};
  CHECK_THROWS_AS(recode(off, Encoding::sign_magnitude), InputError);
}

TEST_CASE("a signed layer moves its activations too") {
  LayerOperands layer = small_layer();
  layer.type = OperandType::s8s8;
  layer.b_zero_point = {0};
  const LayerOperands affine = recode(layer, Encoding::affine);
  CHECK(affine.type == OperandType::u8u8);
  CHECK(affine.a_zero_point == 128);
  CHECK(affine.patches[0] == 128);   // value 0
  CHECK(affine.patches[11] == 127);  // value -1
}

TEST_CASE("patches are selected in every group") {
  const LayerOperands one = select_patches(small_layer(), {1});
  CHECK(one.patch_count == 1);
  CHECK(one.patches == std::vector<std::uint8_t>{3, 4, 5, 9, 10, 255});
  CHECK(one.image == std::vector<std::int32_t>{9});
  CHECK_THROWS_AS(select_patches(small_layer(), {2}), UsageError);
  CHECK_THROWS_AS(select_patches(small_layer(), {}), UsageError);
}

TEST_CASE("a layer uses tables of its own type, and unsigned ones by sign and magnitude") {
  using enum OperandType;
  for (const OperandType layer : kOperandTypes)
    for (const OperandType table : kOperandTypes) {
      CAPTURE(to_string(layer));
      CAPTURE(to_string(table));
      CHECK(can_use(layer, table) == (layer == table || table == u8u8));
      CHECK(can_use(layer, table, false) == (layer == table));
    }
}
