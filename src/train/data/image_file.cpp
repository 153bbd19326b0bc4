// Decodes JPEG and PNG files (libjpeg, libpng).
#include <png.h>

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs stdio's FILE and size_t before it.
#include <jpeglib.h>

#include <cstring>

#include "axmul/core/errors.hpp"
#include "axmul/train/data.hpp"

namespace axmul {
namespace {

// Guards against a header that asks for gigabytes.
bool is_too_large(std::uint64_t width, std::uint64_t height) {
  return width > kMostPixels || height > kMostPixels || width * height > kMostPixels;
}
constexpr const char* kTooLarge = "has more than 33 million pixels, the most that is read";

std::vector<std::uint8_t> to_planes(const std::vector<std::uint8_t>& interleaved, int channels,
                                    std::size_t pixels) {
  std::vector<std::uint8_t> planes(interleaved.size());
  const auto count = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < count; ++c) planes[c * pixels + i] = interleaved[i * count + c];
  return planes;
}

struct JpegErrors {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  bool too_large;
  char message[JMSG_LENGTH_MAX];
};

void jpeg_failed(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

void jpeg_silent(j_common_ptr) {}

// Decodes into out/size; no object with a destructor lives across the setjmp.
bool decode_jpeg(const std::vector<std::uint8_t>& bytes, JpegErrors& errors, DecodedImage& image,
                 std::vector<std::uint8_t>& interleaved) {
  jpeg_decompress_struct info;
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = jpeg_failed;
  errors.manager.output_message = jpeg_silent;
  if (setjmp(errors.jump) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes.data(), bytes.size());
  jpeg_read_header(&info, TRUE);
  if (info.jpeg_color_space != JCS_GRAYSCALE) info.out_color_space = JCS_RGB;
  if (is_too_large(info.image_width, info.image_height)) {
    errors.too_large = true;
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_start_decompress(&info);
  image.channels = info.output_components;
  image.height = static_cast<int>(info.output_height);
  image.width = static_cast<int>(info.output_width);
  const std::size_t stride =
      static_cast<std::size_t>(info.output_width) * static_cast<std::size_t>(image.channels);
  interleaved.resize(stride * info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = interleaved.data() + stride * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  const bool damaged = errors.manager.num_warnings > 0;
  jpeg_destroy_decompress(&info);
  if (damaged) std::strcpy(errors.message, "damaged or cut short");
  return !damaged;
}

DecodedImage read_png(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  png_image png;
  std::memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  DecodedImage image;
  std::vector<std::uint8_t> interleaved;
  bool good = png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) != 0;
  if (good && is_too_large(png.width, png.height)) {
    png_image_free(&png);
    throw InputError(904, {path}, kTooLarge);
  }
  if (good) {
    const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
    png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    image.channels = colour ? 3 : 1;
    image.height = static_cast<int>(png.height);
    image.width = static_cast<int>(png.width);
    interleaved.resize(PNG_IMAGE_SIZE(png));
    const png_color black{0, 0, 0};
    good = png_image_finish_read(&png, &black, interleaved.data(), 0, nullptr) != 0;
  }
  if (!good) {
    const std::string reason = png.message;
    png_image_free(&png);
    throw InputError(902, {path}, "is not a usable PNG image: " + reason);
  }
  image.pixels =
      to_planes(interleaved, image.channels,
                static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width));
  return image;
}

}  // namespace

DecodedImage decode_image(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_maybe_compressed(path);
  if (bytes.size() >= 8 && bytes[0] == 0x89 && bytes[1] == 'P' && bytes[2] == 'N')
    return read_png(path, bytes);
  if (bytes.size() < 3 || bytes[0] != 0xFF || bytes[1] != 0xD8)
    throw InputError(902, {path}, "is neither a JPEG nor a PNG image");
  DecodedImage image;
  std::vector<std::uint8_t> interleaved;
  JpegErrors errors{};
  if (!decode_jpeg(bytes, errors, image, interleaved)) {
    if (errors.too_large) throw InputError(904, {path}, kTooLarge);
    throw InputError(902, {path}, std::string("is not a usable JPEG image: ") + errors.message);
  }
  image.pixels =
      to_planes(interleaved, image.channels,
                static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width));
  return image;
}

}  // namespace axmul
