// .bin: 65536 little-endian 16- or 32-bit products, nothing else.
#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kSize16 = 2 * kLutSize, kSize32 = 4 * kLutSize;

bool sniff(std::string_view content, std::string_view extension) {
  return (content.size() == kSize16 || content.size() == kSize32) &&
         (extension == ".bin" || !looks_like_text(content));
}

std::uint32_t load(std::string_view content, std::size_t at, std::size_t size) {
  std::uint32_t word = 0;
  for (std::size_t i = size; i-- > 0;)
    word = word << 8 | static_cast<unsigned char>(content[at + i]);
  return word;
}

RawTable decode(const Input& input) {
  const std::size_t size = input.content.size();
  if (size != kSize16 && size != kSize32)
    throw InputError(
        320, Place{input.path},
        "a .bin table has 131072 bytes (16-bit products) or 262144 (32-bit), this has " +
            std::to_string(size));
  RawTable raw;
  raw.words.reserve(kLutSize);
  const std::size_t item = size / kLutSize;
  raw.wrap_bits = item == 2 ? 16 : 0;
  for (std::size_t at = 0; at < size; at += item) {
    const std::uint32_t word = load(input.content, at, item);
    const auto value = static_cast<std::int32_t>(word);
    if (!is_product(value)) refuse_product(value, {input.path}, "byte " + std::to_string(at));
    raw.words.push_back(value);
  }
  return raw;
}

std::string encode(const Output& output) {
  const int item = output.dtype == "int32" ? 4 : 2;
  std::string bytes;
  bytes.reserve(kSize32);
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
                   .layout = "65536 uint16, int16 or int32, index first*256 + second",
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
