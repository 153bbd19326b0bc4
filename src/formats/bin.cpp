// .bin: 65536 little-endian 16- or 32-bit products, nothing else. Big-endian products and float32
// are read where only they make a multiplier of it.
#include <algorithm>
#include <bit>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kSize16 = 2 * kLutSize, kSize32 = 4 * kLutSize, kSize64 = 8 * kLutSize;

bool sniff(std::string_view content, std::string_view extension) {
  return (content.size() == kSize16 || content.size() == kSize32 || content.size() == kSize64) &&
         (extension == ".bin" || !looks_like_text(content));
}

enum class Bytes : std::uint8_t { little, big, little_float };

std::uint64_t load(std::string_view content, std::size_t at, std::size_t size, Bytes bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t from = bytes == Bytes::big ? at + i : at + size - 1 - i;
    word = word << 8 | static_cast<unsigned char>(content[from]);
  }
  return word;
}

std::int64_t product_of(std::uint64_t word, std::size_t size, Bytes bytes, const Input& input,
                        std::size_t at) {
  if (bytes != Bytes::little_float)
    return size == 8 ? static_cast<std::int64_t>(word)
                     : static_cast<std::int32_t>(static_cast<std::uint32_t>(word));
  const double value =
      size == 8 ? std::bit_cast<double>(word)
                : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)));
  if (!(std::abs(value) < 0x1p31) || value != std::trunc(value))
    throw InputError(321, Place{input.path}, "byte " + std::to_string(at) + ": no whole number");
  return static_cast<std::int64_t>(value);
}

Words decode_as(const Input& input, Bytes bytes) {
  const std::size_t item = input.content.size() / input.words();
  Words words{.wrap_bits = item == 2 ? 16U : 0U,
              .decoding = bytes == Bytes::little ? ""
                          : bytes == Bytes::big  ? "big-endian"
                          : item == 8            ? "float64"
                                                 : "float32"};
  words.bits = input.bits_or_8x8();
  words.words.reserve(input.words());
  for (std::size_t at = 0; at < input.content.size(); at += item) {
    const std::int64_t value =
        product_of(load(input.content, at, item, bytes), item, bytes, input, at);
    if (!is_product(value)) refuse_product(value, {input.path}, "byte " + std::to_string(at));
    words.words.push_back(static_cast<std::int32_t>(value));
  }
  // Small numbers in usual order, such as the upper bytes of products, would look like products.
  if (bytes == Bytes::big &&
      std::ranges::all_of(words.words, [](std::int32_t word) { return word % 256 == 0; }))
    throw InputError(321, Place{input.path}, "big-endian, every product is a multiple of 256");
  return words;
}

RawTable decode(const Input& input) {
  const std::size_t size = input.content.size();
  const std::size_t size16 = 2 * input.words(), size32 = 2 * size16, size64 = 2 * size32;
  if (size != size16 && size != size32 && size != size64)
    throw InputError(320, Place{input.path},
                     "a .bin table has " + std::to_string(size16) + " bytes (16-bit products), " +
                         std::to_string(size32) + " (32-bit) or " + std::to_string(size64) +
                         " (64-bit), this has " + std::to_string(size) +
                         (input.bits ? "" : "; give --width for other widths than 8x8"));
  RawTable raw;
  raw.bits = input.bits_or_8x8();
  for (const Bytes bytes : {Bytes::little, Bytes::big, Bytes::little_float})
    if (bytes != Bytes::little_float || size != size16)
      raw.decodings.push_back([input, bytes] { return decode_as(input, bytes); });
  return raw;
}

std::string encode(const Output& output) {
  const int item = output.dtype == "int32" ? 4 : 2;
  std::string bytes;
  bytes.reserve(4 * output.products.size());
  for (const std::int32_t product : output.products)
    for (int i = 0; i < item; ++i)
      bytes += static_cast<char>(static_cast<std::uint32_t>(product) >> (8 * i));
  return bytes;
}

}  // namespace

FormatEntry bin_format() {
  return {.info = {.name = "bin",
                   .extensions = {".bin", ".lut", ".raw"},
                   .description = "raw little-endian products",
                   .layout = "65536 uint16, int16 or int32 (read also int64, float), index "
                             "first*256 + second",
                   .order = OperandOrder::ab,
                   .index = OperandIndex::value,
                   .type = OperandType::u8u8,
                   .text = false,
                   .dtypes = {"uint16", "int16", "int32"}},
          .sign_from_type = true,
          .sniff = sniff,
          .decode = decode,
          .encode = encode};
}

}  // namespace axmul::detail
