// PNG (ISO/IEC 15948): signature, header, palette, one zlib stream, end.
#include "plot/png.hpp"

#include <zlib.h>

#include <vector>

#include "axmul/core/errors.hpp"

namespace axmul::plot {

namespace {

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string chunk(const char* type, const std::string& data) {
  const std::string body = type + data;
  const uLong check =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(static_cast<std::uint32_t>(check));
}

}  // namespace

std::string palette_png(std::size_t width, std::size_t height, std::span<const std::uint8_t> pixels,
                        std::span<const Rgb> palette) {
  if (pixels.size() != width * height || palette.empty() || palette.size() > 256)
    throw InternalError("an image's sizes do not agree");
  std::string lines;
  for (std::size_t y = 0; y < height; ++y) {
    lines += '\0';  // no filter
    for (const std::uint8_t index : pixels.subspan(y * width, width))
      lines += static_cast<char>(index);
  }
  std::string packed(compressBound(static_cast<uLong>(lines.size())), '\0');
  uLongf length = static_cast<uLongf>(packed.size());
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
                reinterpret_cast<const Bytef*>(lines.data()), static_cast<uLong>(lines.size()),
                9) != Z_OK)
    throw InternalError("zlib cannot compress an image");
  packed.resize(length);
  std::string colours;
  for (const Rgb& rgb : palette)
    for (const std::uint8_t part : rgb) colours += static_cast<char>(part);
  const std::string header = big_endian(static_cast<std::uint32_t>(width)) +
                             big_endian(static_cast<std::uint32_t>(height)) +
                             std::string("\x08\x03\0\0\0", 5);  // 8 bits, palette
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("PLTE", colours) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace axmul::plot
