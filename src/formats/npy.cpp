// .npy: a 256x256 (2^a x 2^b, or flat) NumPy array of products.
#include "axmul/io/npy.hpp"

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

bool sniff(std::string_view content, std::string_view) {
  return is_npy(content) || is_npz(content);
}

std::string element(const NpyArray& array, std::size_t i) {
  const std::size_t cols = array.shape.back();
  if (array.shape.size() == 1) return "element [" + std::to_string(i) + "]";
  return "element [" + std::to_string(i / cols) + ", " + std::to_string(i % cols) + "]";
}

RawTable decode(const Input& input) {
  const std::string unpacked = is_npz(input.content) ? npz_array(input) : std::string();
  const NpyArray array =
      parse_npy(unpacked.empty() ? input.content : std::string_view(unpacked), input.path);
  if (array.dtype.find('b') != std::string::npos)
    throw InputError(321, Place{input.path},
                     "the array has dtype bool ('" + array.dtype +
                         "'), products are whole numbers; write it with array.astype('<i4')");
  std::vector<std::size_t> shape = array.shape;
  if (shape.size() > 2 || (shape.size() == 2 && array.size() == input.words()))
    std::erase(shape, std::size_t{1});  // (1, 256, 256), (65536, 1)
  std::optional<OperandWidths> bits;
  if (shape.size() == 2) bits = bits_of_shape(shape[0], shape[1]);
  if (shape.size() == 1 && shape[0] == input.words()) bits = input.bits_or_8x8();
  if (!bits) {
    std::string axes;
    for (const std::size_t n : array.shape) axes += (axes.empty() ? "" : ", ") + std::to_string(n);
    throw InputError(
        320, Place{input.path},
        "the array has shape (" + axes +
            "), a product table has (256, 256) or (65536,), of other widths (2^a, 2^b), or "
            "(2^(a+b),) with --width");
  }
  RawTable raw;
  raw.unsigned_dtype = array.kind == NpyKind::unsigned_integer;
  raw.bits = *bits;
  raw.words.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    std::int64_t value = 0;
    if (array.is_integer()) {
      value = array.integers[i];
    } else {
      const double real = array.reals[i];
      if (!(std::abs(real) < 0x1p53) || real != std::trunc(real))
        throw InputError(
            321, Place{input.path},
            element(array, i) + " is " + std::to_string(real) + ", products are whole numbers");
      value = static_cast<std::int64_t>(real);
    }
    if (!is_product(value)) refuse_product(value, {input.path}, element(array, i));
    raw.words.push_back(static_cast<std::int32_t>(value));
  }
  return raw;
}

template <class T>
std::string encode_as(const Output& output) {
  const std::size_t shape[] = {static_cast<std::size_t>(output.rows()),
                               static_cast<std::size_t>(output.cols())};
  std::vector<T> values;
  values.reserve(output.products.size());
  for (const std::int32_t product : output.products) values.push_back(static_cast<T>(product));
  return npy_bytes(std::span<const T>(values), shape);
}

std::string encode(const Output& output) {
  if (output.dtype == "uint16") return encode_as<std::uint16_t>(output);
  if (output.dtype == "int16") return encode_as<std::int16_t>(output);
  if (output.dtype == "int64") return encode_as<std::int64_t>(output);
  return encode_as<std::int32_t>(output);
}

}  // namespace

FormatEntry npy_format() {
  return {
      .info = {.name = "npy",
               .extensions = {".npy", ".npz"},
               .description = "NumPy array of products",
               .layout = "shape (256, 256) or (65536,), (2^a, 2^b) of other widths, also with axes of "
                         "length 1, any integer or whole float dtype, either byte and memory order; "
                         ".npz with one",
               .order = OperandOrder::ab,
               .index = OperandIndex::value,
               .type = OperandType::u8u8,
               .text = false,
               .dtypes = {"int32", "int16", "uint16", "int64"}},
      .sniff = sniff,
      .decode = decode,
      .encode = encode};
}

}  // namespace axmul::detail
