// Convolutions equal seven nested loops over both layouts, strides, dilations, groups and padding.
#include <vector>

#include "axmul/core/errors.hpp"
#include "kernels/products.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

std::size_t index_of(const Conv2dShape& s, std::size_t channels, std::size_t height,
                     std::size_t width, std::size_t n, std::size_t c, std::size_t y,
                     std::size_t x) {
  return s.layout == TensorLayout::nhwc ? ((n * height + y) * width + x) * channels + c
                                        : ((n * channels + c) * height + y) * width + x;
}

std::int64_t output_by_definition(const Lut& lut, const Conv2dShape& s,
                                  const std::vector<std::uint8_t>& x,
                                  const std::vector<std::uint8_t>& w, std::size_t n, std::size_t m,
                                  std::size_t oy, std::size_t ox) {
  const std::size_t c_group = s.in_channels / s.groups, m_group = s.out_channels / s.groups;
  const std::size_t g = m / m_group;
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < c_group; ++c)
    for (std::size_t ky = 0; ky < s.kernel_height; ++ky)
      for (std::size_t kx = 0; kx < s.kernel_width; ++kx) {
        const auto iy = static_cast<std::ptrdiff_t>(oy * s.stride_height + ky * s.dilation_height) -
                        static_cast<std::ptrdiff_t>(s.pad_top);
        const auto ix = static_cast<std::ptrdiff_t>(ox * s.stride_width + kx * s.dilation_width) -
                        static_cast<std::ptrdiff_t>(s.pad_left);
        const bool inside = iy >= 0 && ix >= 0 && iy < static_cast<std::ptrdiff_t>(s.in_height) &&
                            ix < static_cast<std::ptrdiff_t>(s.in_width);
        const std::uint8_t a =
            inside ? x[index_of(s, s.in_channels, s.in_height, s.in_width, n, g * c_group + c,
                                static_cast<std::size_t>(iy), static_cast<std::size_t>(ix))]
                   : s.padding_value;
        const std::size_t k = (c * s.kernel_height + ky) * s.kernel_width + kx;
        sum += lut(operand_value(a, a_is_signed(lut.type())),
                   operand_value(w[(g * s.fan_in() + k) * m_group + m % m_group],
                                 b_is_signed(lut.type())));
      }
  return sum;
}

void check_convolution(Conv2dShape s, OperandType type, const std::string& kernel) {
  const Lut lut = asymmetric_lut(type);
  for (TensorLayout layout : {TensorLayout::nhwc, TensorLayout::nchw}) {
    s.layout = layout;
    const auto x = draw_bytes(s.input_size(), 3, Draw::any);
    const auto w = draw_bytes(s.weight_size(), 4, Draw::any);
    std::vector<std::int32_t> y(s.output_size(), -1);
    std::vector<std::int64_t> y64(s.output_size(), -1);
    LutGemmOptions o;
    o.kernel = kernel;
    lut_conv2d(lut, s, x, w, y, o);
    o.threads = 3;
    lut_conv2d(lut, s, x, w, y64, o);
    CHECK(std::equal(y.begin(), y.end(), y64.begin(), y64.end()));
    std::size_t wrong = 0;
    for (std::size_t n = 0; n < s.batch; ++n)
      for (std::size_t m = 0; m < s.out_channels; ++m)
        for (std::size_t oy = 0; oy < s.out_height(); ++oy)
          for (std::size_t ox = 0; ox < s.out_width(); ++ox)
            wrong +=
                y64[index_of(s, s.out_channels, s.out_height(), s.out_width(), n, m, oy, ox)] !=
                output_by_definition(lut, s, x, w, n, m, oy, ox);
    CHECK(wrong == 0);
  }
}

Conv2dShape shape_3x3(std::size_t channels, std::size_t out) {
  Conv2dShape s;
  s.batch = 3;
  s.in_height = 9;
  s.in_width = 8;
  s.in_channels = channels;
  s.out_channels = out;
  s.kernel_height = s.kernel_width = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
  s.padding_value = 114;
  return s;
}

}  // namespace

TEST_CASE("convolutions equal the definition") {
  for (OperandType type : kOperandTypes)
    for (const char* kernel : {"", "scalar", "column_vector"}) {
      Conv2dShape plain = shape_3x3(5, 16);
      check_convolution(plain, type, kernel);
      Conv2dShape strided = shape_3x3(16, 33);
      strided.stride_height = 2;
      strided.stride_width = 3;
      strided.pad_bottom = 0;
      strided.pad_left = 2;
      check_convolution(strided, type, kernel);
      Conv2dShape dilated = shape_3x3(4, 7);
      dilated.dilation_height = 2;
      dilated.dilation_width = 3;
      check_convolution(dilated, type, kernel);
      Conv2dShape pointwise = shape_3x3(24, 10);
      pointwise.kernel_height = pointwise.kernel_width = 1;
      check_convolution(pointwise, type, kernel);
    }
}

TEST_CASE("grouped and depthwise convolutions equal the definition") {
  for (OperandType type : kOperandTypes)
    for (const char* kernel : {"", "scalar", "column_vector"}) {
      Conv2dShape grouped = shape_3x3(12, 18);
      grouped.groups = 3;
      check_convolution(grouped, type, kernel);
      Conv2dShape depthwise = shape_3x3(19, 19);
      depthwise.groups = 19;
      depthwise.stride_height = 2;
      check_convolution(depthwise, type, kernel);
      Conv2dShape multiplied = shape_3x3(6, 12);
      multiplied.groups = 6;
      multiplied.dilation_width = 2;
      check_convolution(multiplied, type, kernel);
      Conv2dShape many = shape_3x3(18, 27);
      many.groups = 9;
      many.pad_left = 0;
      check_convolution(many, type, kernel);
    }
}

TEST_CASE("padding looks up lut(zero point, w); nothing else is added") {
  Conv2dShape s;
  s.in_height = s.in_width = 1;
  s.in_channels = s.out_channels = 1;
  s.kernel_height = s.kernel_width = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
  s.padding_value = 7;
  const Lut lut = asymmetric_lut(OperandType::u8u8);
  const std::vector<std::uint8_t> x{200}, w{1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<std::int32_t> y(1);
  lut_conv2d(lut, s, x, w, y);
  std::int32_t expected = lut(200, 5);
  for (int b : {1, 2, 3, 4, 6, 7, 8, 9}) expected += lut(7, b);
  CHECK(y[0] == expected);
}

TEST_CASE("a kernel larger than the padded image gives no output") {
  Conv2dShape s = shape_3x3(2, 2);
  s.dilation_height = 9;
  CHECK(s.out_height() == 0);
  const auto x = draw_bytes(s.input_size(), 3, Draw::any);
  const auto w = draw_bytes(s.weight_size(), 4, Draw::any);
  std::vector<std::int32_t> y;
  CHECK_NOTHROW(lut_conv2d(Lut::exact(OperandType::u8u8), s, x, w, y));
}

TEST_CASE("shapes without meaning are refused") {
  const Lut lut = Lut::exact(OperandType::u8u8);
  std::vector<std::int32_t> y;
  for (auto spoil :
       {+[](Conv2dShape& s) { s.groups = 0; }, +[](Conv2dShape& s) { s.groups = 2; },
        +[](Conv2dShape& s) { s.stride_width = 0; }, +[](Conv2dShape& s) { s.dilation_height = 0; },
        +[](Conv2dShape& s) { s.kernel_height = 0; }, +[](Conv2dShape& s) { s.batch = 4; }}) {
    Conv2dShape s = shape_3x3(3, 3);
    const auto x = draw_bytes(s.input_size(), 3, Draw::any);
    const auto w = draw_bytes(s.weight_size(), 4, Draw::any);
    y.resize(s.output_size());
    spoil(s);
    CHECK_THROWS_AS(lut_conv2d(lut, s, x, w, y), UsageError);
  }
}

TEST_CASE("depthwise layers of several tiles equal the scalar kernel in every geometry") {
  for (const OperandType type : {OperandType::u8u8, OperandType::s8s8})
    for (const TensorLayout layout : {TensorLayout::nhwc, TensorLayout::nchw})
      for (const Draw draw : {Draw::any, Draw::rare})
        for (const std::size_t stride : {1u, 2u, 3u}) {
          Conv2dShape s = shape_3x3(37, 37);
          s.groups = 37;
          s.batch = 2;
          s.in_height = 17;
          s.in_width = 23;
          s.stride_width = stride;
          s.stride_height = stride == 3 ? 1 : stride;
          s.dilation_height = stride == 2 ? 2 : 1;
          s.pad_right = stride;
          s.kernel_width = 5;
          s.layout = layout;
          CAPTURE(stride);
          const auto x = draw_bytes(s.input_size(), 3, draw);
          const auto w = draw_bytes(s.weight_size(), 4, Draw::any);
          std::vector<std::int32_t> y(s.output_size(), -1), expected(s.output_size());
          LutGemmOptions o;
          o.threads = 2;
          lut_conv2d(asymmetric_lut(type), s, x, w, y, o);
          o.kernel = "scalar";
          lut_conv2d(asymmetric_lut(type), s, x, w, expected, o);
          CHECK(y == expected);
        }
}
