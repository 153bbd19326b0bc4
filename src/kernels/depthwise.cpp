// Depthwise convolutions: positions lie in lanes. Each channel's padded image is a plane, in which
// a tap of all outputs is the same bytes from some offset on, so nothing is packed for each tap.
#include "kernels/depthwise.hpp"

#include <algorithm>
#include <cstring>

#include "axmul/core/parallel.hpp"
#include "kernels/permute.hpp"
#include "kernels/registry.hpp"
#include "kernels/workspace.hpp"

namespace axmul::detail {

#if defined(__x86_64__)
extern const PermuteKernel kPermuteAvx512;
#endif

namespace {

constexpr std::size_t kChannels = 16;  // computed together

/// Planes of some images of one channel: [phases][images][rows, pitch]. A phase holds every
/// stride-th row and column, so that an output's tap is at one offset whatever the stride.
class Planes {
 public:
  explicit Planes(const Conv2dShape& s, std::size_t images)
      : s_(s),
        images_(images),
        pitch_((s.in_width + s.pad_left + s.pad_right + s.stride_width - 1) / s.stride_width),
        rows_((s.in_height + s.pad_top + s.pad_bottom + s.stride_height - 1) / s.stride_height) {
    for (std::size_t ky = 0; ky < s.kernel_height; ++ky)
      for (std::size_t kx = 0; kx < s.kernel_width; ++kx)
        offsets_.push_back(place(0, ky * s.dilation_height, kx * s.dilation_width));
  }

  /// Where a pixel of the padded image is.
  std::size_t place(std::size_t image, std::size_t y, std::size_t x) const {
    const std::size_t phase = y % s_.stride_height * s_.stride_width + x % s_.stride_width;
    return (phase * images_ + image) * rows_ * pitch_ + y / s_.stride_height * pitch_ +
           x / s_.stride_width;
  }
  /// Bytes of one channel, and as many behind them as a tile's taps may reach.
  std::size_t size() const {
    const std::size_t all = s_.stride_height * s_.stride_width * images_ * rows_ * pitch_;
    return (all + kPermuteRows + 63) / 64 * 64;
  }
  /// Positions from the first output to the last, those between rows and images included.
  std::size_t positions(std::size_t images) const {
    return (images - 1) * rows_ * pitch_ + (s_.out_height() - 1) * pitch_ + s_.out_width();
  }
  std::size_t pitch() const { return pitch_; }
  std::size_t image_size() const { return rows_ * pitch_; }
  std::span<const std::size_t> offsets() const { return offsets_; }

 private:
  const Conv2dShape& s_;
  std::size_t images_, pitch_, rows_;
  std::vector<std::size_t> offsets_;
};

/// Some channels of some images.
struct Unit {
  std::size_t image = 0, images = 0, channel = 0, channels = 0;
};

class Depthwise {
 public:
  Depthwise(const Weights& weights, const Conv2dShape& shape, const std::uint8_t* x,
            std::int32_t* y, std::size_t images)
      : weights_(weights), s_(shape), x_(x), y_(y), planes_(shape, images) {}
  void run(const Unit& unit) const;

 private:
  void fill(const Unit& unit, std::uint8_t* planes) const;
  void fill_row(const std::uint8_t* from, std::span<const std::size_t> places,
                std::uint8_t* plane) const;
  void part_channels(const Unit& unit, std::size_t image, std::uint8_t* apart) const;
  void store(const Unit& unit, std::size_t first, std::size_t rows, const std::int32_t* sums) const;

  const Weights& weights_;
  const Conv2dShape& s_;
  const std::uint8_t* x_;
  std::int32_t* y_;
  Planes planes_;
};

/// Copies every stride-th byte of `size`.
void copy_strided(const std::uint8_t* from, std::size_t size, std::size_t stride,
                  std::uint8_t* to) {
  const std::size_t count = (size + stride - 1) / stride;
  if (stride == 2)  // which compilers make vectors of
    for (std::size_t i = 0; i < count; ++i) to[i] = from[2 * i];
  else
    for (std::size_t i = 0; i < count; ++i) to[i] = from[stride * i];
}

void Depthwise::fill_row(const std::uint8_t* from, std::span<const std::size_t> places,
                         std::uint8_t* plane) const {
  const std::size_t width = s_.in_width, phases = places.size();
  if (phases == 1) {
    std::memcpy(plane + places[0], from, width);
    return;
  }
  for (std::size_t phase = 0; phase < phases; ++phase)
    if (phase < width) copy_strided(from + phase, width - phase, phases, plane + places[phase]);
}

/// [channels, pixels] of an image whose pixels have all channels side by side.
void Depthwise::part_channels(const Unit& unit, std::size_t image, std::uint8_t* apart) const {
#if defined(__x86_64__)
  const std::size_t pixels = s_.in_height * s_.in_width, c = s_.in_channels;
  const std::uint8_t* from = x_ + image * pixels * c + unit.channel;
  alignas(64) std::uint8_t tile[kChannels * kPermuteRows];
  std::ptrdiff_t offsets[kPermuteRows];
  for (std::size_t first = 0; first < pixels; first += kPermuteRows) {
    const std::size_t some = std::min(kPermuteRows, pixels - first);
    for (std::size_t r = 0; r < kPermuteRows; ++r)
      offsets[r] = static_cast<std::ptrdiff_t>((first + std::min(r, some - 1)) * c);
    kPermuteAvx512.pack({from, offsets, (some + 63) / 64, unit.channels, tile});
    for (std::size_t i = 0; i < unit.channels; ++i)
      std::memcpy(apart + i * pixels + first, tile + i * kPermuteRows, some);
  }
#else
  static_cast<void>(unit), static_cast<void>(image), static_cast<void>(apart);
#endif
}

void Depthwise::fill(const Unit& unit, std::uint8_t* planes) const {
  thread_local Workspace workspace;
  const std::size_t pixels = s_.in_height * s_.in_width, size = planes_.size();
  std::memset(planes, s_.padding_value, unit.channels * size);
  std::vector<std::size_t> places(s_.stride_width);
  for (std::size_t i = 0; i < unit.images; ++i) {
    const std::uint8_t* apart = x_ + ((unit.image + i) * s_.in_channels + unit.channel) * pixels;
    if (s_.layout == TensorLayout::nhwc) {
      std::uint8_t* parted = workspace.at_least(kChannels * pixels);
      part_channels(unit, unit.image + i, parted);
      apart = parted;
    }
    for (std::size_t y = 0; y < s_.in_height; ++y) {
      // Where the row's first pixel of each phase goes.
      for (std::size_t phase = 0; phase < places.size(); ++phase)
        places[phase] = planes_.place(i, y + s_.pad_top, s_.pad_left + phase);
      for (std::size_t c = 0; c < unit.channels; ++c)
        fill_row(apart + c * pixels + y * s_.in_width, places, planes + c * size);
    }
  }
}

/// Writes the outputs among the positions first … first + rows − 1; sums: [rows, kChannels].
void Depthwise::store(const Unit& unit, std::size_t first, std::size_t rows,
                      const std::int32_t* sums) const {
  const std::size_t oh = s_.out_height(), ow = s_.out_width(), pitch = planes_.pitch();
  for (std::size_t at = first; at < first + rows;) {
    const std::size_t image = at / planes_.image_size(), place = at % planes_.image_size();
    const std::size_t oy = place / pitch, ox = place % pitch;
    const std::size_t next = at - ox + pitch;  // the next row of positions
    if (oy < oh && ox < ow) {
      const std::size_t count = std::min(ow - ox, first + rows - at);
      const std::int32_t* from = sums + (at - first) * kChannels;
      const std::size_t n = unit.image + image, c0 = unit.channel;
      if (s_.layout == TensorLayout::nhwc) {
        std::int32_t* to = y_ + ((n * oh + oy) * ow + ox) * s_.out_channels + c0;
        for (std::size_t i = 0; i < count; ++i, to += s_.out_channels, from += kChannels)
          if (unit.channels == kChannels)
            std::memcpy(to, from, 4 * kChannels);
          else
            std::copy_n(from, unit.channels, to);
      } else {
        for (std::size_t c = 0; c < unit.channels; ++c) {
          std::int32_t* to = y_ + ((n * s_.out_channels + c0 + c) * oh + oy) * ow + ox;
          for (std::size_t i = 0; i < count; ++i) to[i] = from[i * kChannels + c];
        }
      }
    }
    at = next;
  }
}

void Depthwise::run(const Unit& unit) const {
#if defined(__x86_64__)
  thread_local Workspace workspace;
  std::uint8_t* planes = workspace.at_least(unit.channels * planes_.size());
  fill(unit, planes);
  alignas(64) std::int32_t sums[kPermuteRows * kChannels];
  const std::size_t positions = planes_.positions(unit.images);
  const ApartChannels channels{planes, planes_.size(), planes_.offsets(), unit.channel,
                               unit.channels};
  for (std::size_t first = 0; first < positions; first += kPermuteRows) {
    const std::size_t rows = std::min(kPermuteRows, positions - first);
    run_permute_apart(weights_, kPermuteAvx512, channels, first, rows, sums);
    store(unit, first, rows, sums);
  }
#else
  static_cast<void>(unit);
#endif
}

}  // namespace

bool depthwise_fits(const Conv2dShape& s, const std::string& kernel) {
  // Taps that a tile of the kernel has room for.
  constexpr std::size_t kMostTaps = 121;
  // Large images whose pixels have all channels side by side are faster read in place, as are
  // strides over them (bench/README.md#depthwise).
  constexpr std::size_t kMostPixels = 512;
  if (s.layout == TensorLayout::nhwc &&
      (s.stride_width > 1 || s.in_height * s.in_width > kMostPixels))
    return false;
  return s.groups > 1 && s.groups == s.in_channels && s.groups == s.out_channels &&
         s.fan_in() <= kMostTaps && permute_is_wanted(kernel);
}

std::unique_ptr<Weights> depthwise_weights(const Lut& lut, const Conv2dShape& s,
                                           std::span<const std::uint8_t> w) {
  const std::size_t taps = s.fan_in();
  std::vector<std::uint8_t> by_tap(w.size());
  for (std::size_t c = 0; c < s.out_channels; ++c)
    for (std::size_t t = 0; t < taps; ++t) by_tap[t * s.out_channels + c] = w[c * taps + t];
  Groups apart;
  apart.apart = true;
  return std::make_unique<Weights>(facts_of(lut), taps, s.out_channels, by_tap, s.out_channels,
                                   apart);
}

void convolve_depthwise(const Weights& weights, const Conv2dShape& s, const std::uint8_t* x,
                        std::int32_t* y, int threads) {
  constexpr std::size_t kBytes = 192 * 1024;  // of planes, which stay in the second-level cache
  set_last_kernel("permute_avx512");
  const std::size_t one = Planes(s, 1).size();
  const std::size_t blocks = (s.in_channels + kChannels - 1) / kChannels;
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : default_threads());
  // As many images as the cache holds, but something to do for every thread.
  const std::size_t share = std::max<std::size_t>(1, s.batch * blocks / wanted);
  const std::size_t images =
      std::clamp<std::size_t>(kBytes / (kChannels * one), 1, std::min(s.batch, share));
  const Depthwise run(weights, s, x, y, images);
  const std::size_t parts = (s.batch + images - 1) / images;
  parallel_for(parts * blocks, threads, [&](std::size_t i) {
    Unit unit;
    unit.image = i / blocks * images;
    unit.images = std::min(images, s.batch - unit.image);
    unit.channel = i % blocks * kChannels;
    unit.channels = std::min(kChannels, s.in_channels - unit.channel);
    run.run(unit);
  });
}

}  // namespace axmul::detail
