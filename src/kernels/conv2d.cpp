// Convolution as a LUT GEMM over patches that are read in place from a padded copy of each image.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "kernels/depthwise.hpp"
#include "kernels/engine.hpp"
#include "kernels/permute.hpp"
#include "kernels/registry.hpp"
#include "kernels/workspace.hpp"

namespace axmul {

namespace {

std::size_t out_size(std::size_t in, std::size_t pads, std::size_t kernel, std::size_t stride,
                     std::size_t dilation) {
  if (kernel == 0 || stride == 0) return 0;
  const std::size_t reach = dilation * (kernel - 1) + 1;
  return in + pads < reach ? 0 : (in + pads - reach) / stride + 1;
}

}  // namespace

std::size_t Conv2dShape::out_height() const {
  return out_size(in_height, pad_top + pad_bottom, kernel_height, stride_height, dilation_height);
}
std::size_t Conv2dShape::out_width() const {
  return out_size(in_width, pad_left + pad_right, kernel_width, stride_width, dilation_width);
}
std::size_t Conv2dShape::fan_in() const {
  return groups == 0 ? 0 : in_channels / groups * kernel_height * kernel_width;
}
std::size_t Conv2dShape::input_size() const { return batch * in_height * in_width * in_channels; }
std::size_t Conv2dShape::weight_size() const { return groups == 0 ? 0 : fan_in() * out_channels; }
std::size_t Conv2dShape::output_size() const {
  return batch * out_height() * out_width() * out_channels;
}

namespace {

void check(const Conv2dShape& s, std::size_t x, std::size_t w, std::size_t y) {
  const auto require = [](bool good, const std::string& message) {
    if (!good) throw UsageError(600, message);
  };
  require(s.stride_height > 0 && s.stride_width > 0, "the stride of a convolution is at least 1");
  require(s.dilation_height > 0 && s.dilation_width > 0, "the dilation is at least 1");
  require(s.kernel_height > 0 && s.kernel_width > 0, "the kernel is at least 1x1");
  require(s.groups > 0 && s.in_channels % s.groups == 0 && s.out_channels % s.groups == 0,
          std::to_string(s.groups) + " groups do not divide " + std::to_string(s.in_channels) +
              " input and " + std::to_string(s.out_channels) + " output channels");
  const auto require_size = [&](const char* name, std::size_t size, std::size_t expected) {
    require(size == expected, std::string(name) + " has " + std::to_string(size) +
                                  " elements, the shape says " + std::to_string(expected));
  };
  require_size("x", x, s.input_size());
  require_size("w", w, s.weight_size());
  require_size("y", y, s.output_size());
}

/// Padded copies, NHWC whatever the layout: [batch, height, width, in_channels].
struct PaddedImages {
  std::size_t height = 0, width = 0;
  std::uint8_t* bytes = nullptr;
};

/// Memory of this thread that is kept from call to call: fresh pages would cost more than many a
/// layer's products.
unsigned char* kept_images(std::size_t size) {
  thread_local detail::Workspace workspace;
  return workspace.at_least(size);
}
unsigned char* kept_sums(std::size_t size) {
  thread_local detail::Workspace workspace;
  return workspace.at_least(size);
}

/// to[j, i] = from[i, j], in blocks that the cache holds; strides in elements.
template <class T>
void transpose(const T* from, std::size_t from_stride, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_stride) {
  constexpr std::size_t kBlock = 16;
  for (std::size_t i0 = 0; i0 < rows; i0 += kBlock)
    for (std::size_t j0 = 0; j0 < columns; j0 += kBlock)
      for (std::size_t j = j0; j < std::min(columns, j0 + kBlock); ++j)
        for (std::size_t i = i0; i < std::min(rows, i0 + kBlock); ++i)
          to[j * to_stride + i] = from[i * from_stride + j];
}

void pad_image(const Conv2dShape& s, const std::uint8_t* in, std::uint8_t* out, std::size_t width) {
  const std::size_t c = s.in_channels, pixels = s.in_height * s.in_width;
  for (std::size_t y = 0; y < s.in_height; ++y) {
    std::uint8_t* row = out + ((y + s.pad_top) * width + s.pad_left) * c;
    if (s.layout == TensorLayout::nhwc) {
      std::memcpy(row, in + y * s.in_width * c, s.in_width * c);
      continue;
    }
    transpose(in + y * s.in_width, pixels, c, s.in_width, row, c);
  }
}

PaddedImages pad(const Conv2dShape& s, const std::uint8_t* x, int threads) {
  PaddedImages padded{s.in_height + s.pad_top + s.pad_bottom, s.in_width + s.pad_left + s.pad_right,
                      nullptr};
  const std::size_t size = padded.height * padded.width * s.in_channels;
  padded.bytes = kept_images(s.batch * size);
  parallel_for(s.batch, threads, [&](std::size_t image) {
    std::uint8_t* out = padded.bytes + image * size;
    std::fill_n(out, size, s.padding_value);
    pad_image(s, x + image * s.in_height * s.in_width * s.in_channels, out, padded.width);
  });
  return padded;
}

/// Weights of `count` groups with taps in the order of the padded image: kernel row, column,
/// channel. Where a tap and an output channel belong to different groups they are 0.
std::vector<std::uint8_t> reorder(const Conv2dShape& s, const std::uint8_t* w, std::size_t count) {
  const std::size_t c = s.in_channels / s.groups, m = s.out_channels / s.groups;
  const std::size_t taps = s.kernel_height * s.kernel_width;
  std::vector<std::uint8_t> out(s.fan_in() * m * count * count);
  for (std::size_t g = 0; g < count; ++g, w += s.fan_in() * m)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t tap = 0; tap < taps; ++tap)
        std::copy_n(w + (channel * taps + tap) * m, m,
                    out.data() + ((tap * count + g) * c + channel) * (count * m) + g * m);
  return out;
}

std::vector<detail::Segment> segments(const Conv2dShape& s, std::size_t width, std::size_t count) {
  const std::size_t c = s.in_channels / s.groups * count;
  const bool joined = s.dilation_width == 1 && c == s.in_channels;
  std::vector<detail::Segment> out;
  for (std::size_t ky = 0; ky < s.kernel_height; ++ky)
    for (std::size_t kx = 0; kx < (joined ? 1 : s.kernel_width); ++kx)
      out.push_back(
          {(ky * s.kernel_width + kx) * c, joined ? s.kernel_width * c : c,
           static_cast<std::ptrdiff_t>((ky * s.dilation_height * width + kx * s.dilation_width) *
                                       s.in_channels)});
  return out;
}

std::vector<std::ptrdiff_t> row_offsets(const Conv2dShape& s, const PaddedImages& padded) {
  std::vector<std::ptrdiff_t> offsets;
  offsets.reserve(s.batch * s.out_height() * s.out_width());
  for (std::size_t image = 0; image < s.batch; ++image)
    for (std::size_t oy = 0; oy < s.out_height(); ++oy)
      for (std::size_t ox = 0; ox < s.out_width(); ++ox)
        offsets.push_back(static_cast<std::ptrdiff_t>(
            ((image * padded.height + oy * s.stride_height) * padded.width + ox * s.stride_width) *
            s.in_channels));
  return offsets;
}

/// [batch, pixels, channels] -> [batch, channels, pixels].
template <class T>
void to_nchw(const Conv2dShape& s, const T* in, std::span<T> out, int threads) {
  const std::size_t pixels = s.out_height() * s.out_width(), m = s.out_channels;
  parallel_for(s.batch, threads, [&](std::size_t image) {
    transpose(in + image * pixels * m, m, pixels, m, out.data() + image * pixels * m, pixels);
  });
}

std::string forced_kernel(const LutGemmOptions& options) {
  if (!options.kernel.empty()) return options.kernel;
  const char* forced = std::getenv("AXMUL_KERNEL");
  return forced == nullptr ? std::string() : std::string(forced);
}

/// Weights of neighbouring groups, prepared once for all images.
struct GroupWeights {
  std::size_t first = 0, count = 0;  // groups
  std::unique_ptr<detail::Weights> weights;
};

std::vector<GroupWeights> prepare(const Lut& lut, const Conv2dShape& s,
                                  std::span<const std::uint8_t> w, std::size_t together) {
  const auto facts = detail::facts_of(lut);
  const std::size_t m = s.out_channels / s.groups, c = s.in_channels / s.groups;
  std::vector<GroupWeights> out;
  for (std::size_t g = 0; g < s.groups; g += together) {
    const std::size_t count = std::min(together, s.groups - g);
    out.push_back(
        {g, count,
         std::make_unique<detail::Weights>(facts, s.fan_in() * count, m * count,
                                           reorder(s, w.data() + g * s.fan_in() * m, count),
                                           m * count, detail::Groups{count, c, m})});
  }
  return out;
}

/// Groups with few output channels, as depthwise layers have, share vectors where the byte-permute
/// kernel takes them; others are products of their own.
std::vector<GroupWeights> prepare(const Lut& lut, const Conv2dShape& s,
                                  std::span<const std::uint8_t> w, const std::string& kernel) {
  constexpr std::size_t kChannels = 16;
  const std::size_t together =
      std::min(s.groups, kChannels / std::max<std::size_t>(1, s.out_channels / s.groups));
  if (together > 1 && detail::permute_is_wanted(kernel)) {
    auto merged = prepare(lut, s, w, together);
    if (std::all_of(merged.begin(), merged.end(),
                    [](const GroupWeights& g) { return detail::permute_fits(*g.weights); }))
      return merged;
  }
  return prepare(lut, s, w, std::size_t{1});
}

/// Some images at once: many enough for long tiles, few enough for bounded memory.
std::size_t images_together(const Conv2dShape& s, std::size_t bytes_of_sum) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  const std::size_t in = (s.in_height + s.pad_top + s.pad_bottom) *
                         (s.in_width + s.pad_left + s.pad_right) * s.in_channels;
  const std::size_t pixels = s.out_height() * s.out_width();
  const std::size_t out =
      s.layout == TensorLayout::nchw ? pixels * s.out_channels * bytes_of_sum : 0;
  return std::clamp<std::size_t>(kBytes / std::max<std::size_t>(1, in + out + 8 * pixels), 1,
                                 s.batch);
}

template <class T>
void convolve_images(const Conv2dShape& s, const std::uint8_t* x,
                     const std::vector<GroupWeights>& weights, std::span<T> y,
                     const LutGemmOptions& options) {
  const PaddedImages padded = pad(s, x, options.threads);
  const auto offsets = row_offsets(s, padded);
  const std::size_t m = s.out_channels / s.groups, c = s.in_channels / s.groups;
  const bool planes = s.layout == TensorLayout::nchw;
  T* out = planes ? reinterpret_cast<T*>(kept_sums(y.size() * sizeof(T))) : y.data();
  for (const GroupWeights& g : weights) {
    const auto taps = segments(s, padded.width, g.count);
    const detail::Activations a{padded.bytes + g.first * c, offsets.size(), 0, offsets, taps};
    run_product(*g.weights, a, out + g.first * m, s.out_channels, options.threads,
                forced_kernel(options));
  }
  if (planes) to_nchw(s, out, y, options.threads);
}

template <class T>
void conv2d(const Lut& lut, const Conv2dShape& s, std::span<const std::uint8_t> x,
            std::span<const std::uint8_t> w, std::span<T> y, const LutGemmOptions& options) {
  check(s, x.size(), w.size(), y.size());
  if (y.empty()) return;
  if constexpr (sizeof(T) == 4)
    if (detail::depthwise_fits(s, forced_kernel(options))) {
      const auto apart = detail::depthwise_weights(lut, s, w);
      detail::require_int32(*apart);
      if (detail::permute_fits(*apart))
        return detail::convolve_depthwise(*apart, s, x.data(), y.data(), options.threads);
    }
  const auto weights = prepare(lut, s, w, forced_kernel(options));
  if constexpr (sizeof(T) == 4)
    for (const GroupWeights& g : weights) require_int32(*g.weights);
  const std::size_t in_size = s.in_height * s.in_width * s.in_channels;
  const std::size_t out_size_of_one = s.out_height() * s.out_width() * s.out_channels;
  const std::size_t together = images_together(s, sizeof(T));
  for (std::size_t first = 0; first < s.batch; first += together) {
    Conv2dShape some = s;
    some.batch = std::min(together, s.batch - first);
    convolve_images(some, x.data() + first * in_size, weights,
                    y.subspan(first * out_size_of_one, some.batch * out_size_of_one), options);
  }
}

}  // namespace

void lut_conv2d(const Lut& lut, const Conv2dShape& shape, std::span<const std::uint8_t> x,
                std::span<const std::uint8_t> w, std::span<std::int32_t> y,
                const LutGemmOptions& options) {
  conv2d(lut, shape, x, w, y, options);
}
void lut_conv2d(const Lut& lut, const Conv2dShape& shape, std::span<const std::uint8_t> x,
                std::span<const std::uint8_t> w, std::span<std::int64_t> y,
                const LutGemmOptions& options) {
  conv2d(lut, shape, x, w, y, options);
}

}  // namespace axmul
