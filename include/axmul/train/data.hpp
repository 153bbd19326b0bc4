// Labelled images: where they come from, and how batches are drawn from them. No libtorch here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace axmul {

/// Images of one size with their class labels.
struct ImageSet {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< size() · channels · height · width, CHW
  std::vector<std::int32_t> labels;  ///< 0 … classes()−1
  std::vector<std::string> class_names;

  std::size_t size() const { return labels.size(); }
  int classes() const { return static_cast<int>(class_names.size()); }
  std::size_t image_bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  std::span<const std::uint8_t> image(std::size_t i) const {
    return {pixels.data() + i * image_bytes(), image_bytes()};
  }
};

/// The parsed form of `--data`: KIND[:PATH][,train=FILE[+FILE…]][,test=FILE[+FILE…]].
/// KIND: cifar10, cifar100, mnist, fashion-mnist, folder. PATH: a folder with the standard file
/// names (plain, .gz or .xz), or one file; relative FILE names are taken from PATH. For `folder`,
/// FILE names a sub-folder of class folders.
struct DataSpec {
  std::string text, kind, path;
  std::vector<std::string> train_files, test_files;
};

enum class DataPart : std::uint8_t { train, test };

/// Throws UsageError AX900 for an unknown kind or malformed text.
DataSpec parse_data_spec(std::string_view text);

/// Reads one part. Throws InputError AX901 (no such file, folder or part: says what was looked for
/// and how to name it), AX902 (broken or inconsistent file: names it), AX904 (too large). Class
/// folders have one channel where all their files are grey, else three.
ImageSet load_images(const DataSpec& spec, DataPart part);

/// The subset with these indices, in that order.
ImageSet select_images(const ImageSet& images, std::span<const std::uint32_t> indices);

/// 0 … n−1 in an order that depends on (seed, stream) only (Fisher–Yates over Philox).
std::vector<std::uint32_t> shuffled_indices(std::size_t n, std::uint64_t seed,
                                            std::uint64_t stream);

struct TrainValidation {
  ImageSet train, validation;
};
/// Moves ⌊fraction·size⌋ images, drawn by the seed, into a validation set; both keep the order of
/// the file. Throws UsageError AX903 unless 0 ≤ fraction < 1.
TrainValidation split_validation(const ImageSet& images, double fraction, std::uint64_t seed);

/// x ← (x/255 − mean[c]) / std[c]
struct Normalisation {
  std::vector<double> mean, std;  ///< one per channel
};
/// What is customary for that kind of data with that many channels.
Normalisation default_normalisation(const std::string& kind, int channels);

struct Augmentation {
  bool flip = false;  ///< mirror left–right with probability ½
  /// Shift by −crop … crop in both directions. What comes in is black (byte 0), as in torchvision's
  /// RandomCrop(padding): batch-norm statistics of networks trained there contain it.
  int crop = 0;
};

/// Which images, drawn how, make one batch; the random choices depend on (seed, epoch, position in
/// the epoch) only, so that a resumed run draws the same.
struct BatchRequest {
  std::span<const std::uint32_t> indices;  ///< into the image set
  std::size_t first_position = 0;          ///< position of indices[0] in the epoch
  std::uint64_t seed = 0, epoch = 0;
  Augmentation augmentation{};
};
/// Writes the normalised batch, [n, height, width, channels] (channels last), into `out`.
void fill_batch(const ImageSet& images, const Normalisation& normalisation,
                const BatchRequest& request, std::span<float> out);

/// What data files may hold; beyond it they are refused (AX904) before the memory is taken.
inline constexpr std::size_t kMostUnpacked = std::size_t{1} << 30;  ///< bytes out of a .gz or .xz
inline constexpr std::size_t kMostPlain = std::size_t{8} << 30;     ///< bytes of a plain file
inline constexpr std::size_t kMostPixels = std::size_t{1} << 25;    ///< of one image
inline constexpr std::size_t kMostImageBytes = std::size_t{16} << 30;  ///< of one part of the data

/// The whole content of a file, decompressed when its name ends in .gz or .xz. `wanted` is asked
/// with the first bytes (up to 1 MiB) how many there should be; a compressed file that unpacks to
/// more is damaged. Throws InputError AX901, AX902, AX904.
std::vector<std::uint8_t> read_maybe_compressed(
    const std::string& path,
    const std::function<std::size_t(std::span<const std::uint8_t>)>& wanted = {});

/// One decoded 8-bit image, CHW, 1 or 3 channels as stored (palette, alpha and 16 bit are
/// converted).
struct DecodedImage {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};
/// Decodes JPEG or PNG by content. Throws InputError AX902, AX904 naming the file.
DecodedImage decode_image(const std::string& path);

}  // namespace axmul
