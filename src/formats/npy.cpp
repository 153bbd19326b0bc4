// .npy: a 256x256 (or 65536) NumPy array of products.
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
  if (array.shape.size() == 1) return "element [" + std::to_string(i) + "]";
  return "element [" + std::to_string(i / 256) + ", " + std::to_string(i % 256) + "]";
}

RawTable decode(const Input& input) {
  const std::string unpacked = is_npz(input.content) ? npz_array(input) : std::string();
  const NpyArray array =
      parse_npy(unpacked.empty() ? input.content : std::string_view(unpacked), input.path);
  if (array.dtype.find('b') != std::string::npos)
    throw InputError(321, Place{input.path},
                     "the array has dtype bool ('" + array.dtype +
                         "'), products are whole numbers; write it with array.astype('<i4')");
  const bool square = array.shape.size() == 2 && array.shape[0] == 256 && array.shape[1] == 256;
  const bool flat = std::ranges::max(array.shape) == kLutSize && array.size() == kLutSize;
  if (!square && !flat) {
    std::string shape = std::to_string(array.shape[0]);
    if (array.shape.size() == 2) shape += ", " + std::to_string(array.shape[1]);
    throw InputError(
        320, Place{input.path},
        "the array has shape (" + shape + "), a product table has (256, 256) or (65536,)");
  }
  RawTable raw;
  raw.unsigned_dtype = array.kind == NpyKind::unsigned_integer;
  raw.words.reserve(kLutSize);
  for (std::size_t i = 0; i < kLutSize; ++i) {
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
std::string encode_as(std::span<const std::int32_t> products) {
  const std::size_t shape[] = {256, 256};
  std::vector<T> values;
  values.reserve(products.size());
  for (const std::int32_t product : products) values.push_back(static_cast<T>(product));
  return npy_bytes(std::span<const T>(values), shape);
}

std::string encode(const Output& output) {
  if (output.dtype == "uint16") return encode_as<std::uint16_t>(output.products);
  if (output.dtype == "int16") return encode_as<std::int16_t>(output.products);
  if (output.dtype == "int64") return encode_as<std::int64_t>(output.products);
  return encode_as<std::int32_t>(output.products);
}

}  // namespace

FormatEntry npy_format() {
  return {
      .info = {.name = "npy",
               .extensions = {".npy", ".npz"},
               .description = "NumPy array of products",
               .layout = "shape (256, 256) or (65536,), also with axes of length 1, any integer "
                         "or whole float dtype, either byte and memory order; .npz with one",
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
