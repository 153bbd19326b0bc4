// Image sets from disk: CIFAR binaries, IDX files, class folders; and their selection and split.
#include "axmul/train/data.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/core/philox.hpp"

namespace axmul {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKinds = "cifar10, cifar100, mnist, fashion-mnist, folder";
constexpr const char* kFashionFolder = "/usr/share/datasets/fashion-mnist";
const char* const kPackings[] = {"", ".gz", ".xz"};

const char* part_name(DataPart part) { return part == DataPart::train ? "train" : "test"; }

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end == text.npos ? text.npos : end - begin));
    if (end == text.npos) return parts;
    begin = end + 1;
  }
}

[[noreturn]] void missing(const DataSpec& spec, DataPart part, const std::string& looked_for) {
  throw InputError(901, {spec.path.empty() ? spec.text : spec.path},
                   std::string("has no ") + part_name(part) + " images for --data " + spec.text +
                       " (looked for " + looked_for + "); name them with ," + part_name(part) +
                       "=FILE");
}

// The first of name, name.gz, name.xz that exists in one of the folders.
std::optional<std::string> find_file(const std::vector<fs::path>& folders,
                                     const std::string& name) {
  for (const fs::path& folder : folders)
    for (const char* packing : kPackings)
      if (const fs::path path = folder / (name + packing); fs::is_regular_file(path))
        return path.string();
  return std::nullopt;
}

std::string stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  for (const char* packing : {".gz", ".xz"})
    if (name.ends_with(packing)) name.resize(name.size() - 3);
  return name;
}

// Files of the folder whose unpacked name begins with `prefix` and ends with `suffix`, sorted.
std::vector<std::string> find_like(const fs::path& folder, const std::string& prefix,
                                   const std::string& suffix) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = stem_of(entry.path());
    if (entry.is_regular_file() && name.starts_with(prefix) && name.ends_with(suffix))
      found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> named_files(const DataSpec& spec, DataPart part) {
  std::vector<std::string> files = part == DataPart::train ? spec.train_files : spec.test_files;
  for (std::string& file : files)
    if (!spec.path.empty() && fs::path(file).is_relative() && fs::is_directory(spec.path))
      file = (fs::path(spec.path) / file).string();
  return files;
}

// --- CIFAR ---------------------------------------------------------------------------------------

std::vector<std::string> cifar_files(const DataSpec& spec, DataPart part) {
  if (auto files = named_files(spec, part); !files.empty()) return files;
  const bool train = part == DataPart::train;
  if (fs::is_regular_file(spec.path)) {
    // One file is the part that its name says; never silently both.
    if (stem_of(spec.path).find(part_name(part)) == std::string::npos &&
        stem_of(spec.path).find(train ? "data_batch" : "test_batch") == std::string::npos)
      missing(spec, part, std::string("a file whose name contains \"") + part_name(part) + "\"");
    return {spec.path};
  }
  if (!fs::is_directory(spec.path)) missing(spec, part, "that folder or file");
  const bool ten = spec.kind == "cifar10";
  const std::vector<fs::path> folders = {
      spec.path, fs::path(spec.path) / (ten ? "cifar-10-batches-bin" : "cifar-100-binary")};
  std::vector<std::string> files;
  if (ten && train) {
    for (int i = 1; i <= 5; ++i)
      if (auto file = find_file(folders, "data_batch_" + std::to_string(i) + ".bin"))
        files.push_back(*file);
    if (!files.empty() && files.size() != 5)
      throw InputError(901, {spec.path},
                       "has " + std::to_string(files.size()) +
                           " of the five files data_batch_1.bin … data_batch_5.bin; name those to "
                           "use with ,train=FILE+FILE");
  } else if (auto file = find_file(folders, ten     ? "test_batch.bin"
                                            : train ? "train.bin"
                                                    : "test.bin")) {
    files.push_back(*file);
  }
  if (files.empty()) files = find_like(spec.path, part_name(part), ".bin");
  if (files.empty())
    missing(spec, part,
            ten ? (train ? "data_batch_1.bin …, train*.bin, each also .gz or .xz"
                         : "test_batch.bin, test*.bin, each also .gz or .xz")
                : "train.bin / test.bin, also .gz or .xz");
  return files;
}

ImageSet load_cifar(const DataSpec& spec, DataPart part) {
  const bool ten = spec.kind == "cifar10";
  const std::size_t labels = ten ? 1 : 2, record = labels + 3072;
  ImageSet set;
  set.channels = 3;
  set.height = set.width = 32;
  if (ten)
    set.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                       "dog",      "frog",       "horse", "ship", "truck"};
  else
    for (int i = 0; i < 100; ++i) set.class_names.push_back(std::to_string(i));
  for (const std::string& path : cifar_files(spec, part)) {
    const std::vector<std::uint8_t> bytes = read_maybe_compressed(path);
    if (bytes.empty() || bytes.size() % record != 0)
      throw InputError(902, {path},
                       "holds " + std::to_string(bytes.size()) + " bytes, not a multiple of the " +
                           std::to_string(record) + " of a " + spec.kind + " record");
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      const int label = bytes[at + labels - 1];
      if (label >= set.classes())
        throw InputError(902, {path},
                         "record " + std::to_string(at / record) + " has label " +
                             std::to_string(label) + "; " + spec.kind + " has " +
                             std::to_string(set.classes()) + " classes");
      set.labels.push_back(label);
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at + labels);
      set.pixels.insert(set.pixels.end(), begin, begin + 3072);
    }
  }
  return set;
}

// --- IDX -----------------------------------------------------------------------------------------

struct Idx {
  std::vector<std::uint32_t> dims;
  std::vector<std::uint8_t> bytes;
  std::size_t begin = 0;
};

// The dimensions in the header; empty where it is no header of that rank.
std::vector<std::uint32_t> idx_header(std::span<const std::uint8_t> bytes, std::size_t rank) {
  std::vector<std::uint32_t> dims;
  if (bytes.size() < 4 + 4 * rank || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 ||
      bytes[3] != rank)
    return dims;
  for (std::size_t d = 0; d < rank; ++d) {
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | bytes[4 + 4 * d + i];
    dims.push_back(size);
  }
  return dims;
}

// Their product, at most kMostPlain.
std::size_t idx_values(const std::vector<std::uint32_t>& dims) {
  std::size_t total = 1;
  for (const std::uint32_t size : dims)
    if (__builtin_mul_overflow(total, std::size_t{size}, &total) || total > kMostPlain)
      return kMostPlain;
  return total;
}

Idx read_idx(const std::string& path, std::size_t rank) {
  const auto dims_of = [&](std::span<const std::uint8_t> bytes) {
    const auto dims = idx_header(bytes, rank);
    if (dims.empty())
      throw InputError(902, {path},
                       "is not an IDX file of unsigned bytes with " + std::to_string(rank) +
                           " dimension(s) (magic 0 0 8 " + std::to_string(rank) + ")");
    return dims;
  };
  Idx idx;
  idx.bytes = read_maybe_compressed(path, [&](std::span<const std::uint8_t> start) {
    return 4 + 4 * rank + idx_values(dims_of(start));
  });
  idx.dims = dims_of(idx.bytes);
  const std::size_t total = idx_values(idx.dims);
  idx.begin = 4 + 4 * rank;
  if (idx.bytes.size() - idx.begin != total)
    throw InputError(902, {path},
                     "declares " + std::to_string(total) + " values but holds " +
                         std::to_string(idx.bytes.size() - idx.begin));
  return idx;
}

std::string idx_file(const DataSpec& spec, DataPart part, const std::string& what) {
  const std::string name = (part == DataPart::train ? "train-" : "t10k-") + what;
  for (const std::string& file : named_files(spec, part))
    if (file.find(what.substr(0, 6)) != std::string::npos) return file;
  if (!fs::is_directory(spec.path)) {
    if (spec.kind == "fashion-mnist" && spec.path == kFashionFolder)
      throw InputError(901, {spec.path},
                       "is missing; install Debian's dataset-fashion-mnist or give the folder with "
                       "--data fashion-mnist:DIR");
    missing(spec, part, "the folder");
  }
  const std::vector<fs::path> folders = {spec.path, fs::path(spec.path) / "raw"};
  if (auto file = find_file(folders, name)) return *file;
  missing(spec, part, name + ", also .gz or .xz");
}

ImageSet load_idx(const DataSpec& spec, DataPart part) {
  const std::string image_path = idx_file(spec, part, "images-idx3-ubyte");
  const std::string label_path = idx_file(spec, part, "labels-idx1-ubyte");
  const Idx images = read_idx(image_path, 3), labels = read_idx(label_path, 1);
  if (images.dims[0] != labels.dims[0] || images.dims[0] == 0)
    throw InputError(902, {label_path},
                     "has " + std::to_string(labels.dims[0]) + " labels for " +
                         std::to_string(images.dims[0]) + " images");
  ImageSet set;
  set.channels = 1;
  set.height = static_cast<int>(images.dims[1]);
  set.width = static_cast<int>(images.dims[2]);
  set.pixels.assign(images.bytes.begin() + static_cast<std::ptrdiff_t>(images.begin),
                    images.bytes.end());
  if (spec.kind == "fashion-mnist")
    set.class_names = {"T-shirt/top", "trouser", "pullover", "dress", "coat",
                       "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot"};
  else
    for (int i = 0; i < 10; ++i) set.class_names.push_back(std::to_string(i));
  for (std::size_t i = labels.begin; i < labels.bytes.size(); ++i) {
    if (labels.bytes[i] >= 10)
      throw InputError(902, {label_path},
                       "label " + std::to_string(labels.bytes[i]) + " of image " +
                           std::to_string(i - labels.begin) + " is not 0 … 9");
    set.labels.push_back(labels.bytes[i]);
  }
  return set;
}

// --- class folders -------------------------------------------------------------------------------

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (folders ? entry.is_directory() : entry.is_regular_file() && is_image_name(entry.path()))
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

struct FolderFiles {
  std::vector<std::string> files, class_names;
  std::vector<std::int32_t> labels;
};

// Classes are the sub-folders in alphabetical order; Tiny ImageNet has one more level, "images".
FolderFiles list_classes(const fs::path& root) {
  FolderFiles list;
  for (const fs::path& folder : sorted_entries(root, true)) {
    const fs::path inner = fs::is_directory(folder / "images") ? folder / "images" : folder;
    for (const fs::path& file : sorted_entries(inner, false)) {
      list.files.push_back(file.string());
      list.labels.push_back(static_cast<std::int32_t>(list.class_names.size()));
    }
    list.class_names.push_back(folder.filename().string());
  }
  return list;
}

// Tiny ImageNet's validation part: val/images/*.JPEG and "file<TAB>class…" in val_annotations.txt.
FolderFiles list_annotated(const fs::path& root, const std::vector<std::string>& class_names) {
  const std::string path = (root / "val_annotations.txt").string();
  std::map<std::string, std::int32_t> index;
  for (std::size_t i = 0; i < class_names.size(); ++i)
    index[class_names[i]] = static_cast<std::int32_t>(i);
  FolderFiles list;
  list.class_names = class_names;
  std::ifstream file(path);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const auto fields = split(line, '\t');
    if (fields.size() < 2 || !index.contains(fields[1]))
      throw InputError(
          902, {path, number},
          "expected \"file<TAB>class\" with a class that train/ has, not \"" + line + "\"");
    list.files.push_back((root / "images" / fields[0]).string());
    list.labels.push_back(index[fields[1]]);
  }
  return list;
}

FolderFiles list_part(const DataSpec& spec, DataPart part) {
  const auto named = named_files(spec, part);
  if (named.size() > 1)
    throw UsageError(
        900, "--data " + spec.text + ": folder data takes one folder for " + part_name(part));
  const fs::path base(spec.path);
  if (!fs::is_directory(base)) missing(spec, part, "that folder");
  std::vector<fs::path> candidates;
  if (!named.empty())
    candidates = {named[0]};
  else if (part == DataPart::train)
    candidates = {base / "train"};
  else
    candidates = {base / "val", base / "test"};
  for (const fs::path& folder : candidates) {
    if (fs::is_regular_file(folder / "val_annotations.txt"))
      return list_annotated(folder, list_classes(base / "train").class_names);
    if (!fs::is_directory(folder)) continue;
    FolderFiles list = list_classes(folder);
    if (!list.files.empty()) return list;
  }
  missing(spec, part,
          part == DataPart::train ? "train/CLASS/*.jpg|jpeg|png"
                                  : "val/ or test/ with CLASS/*.jpg|jpeg|png");
}

// In place: three equal planes a picture become one.
void drop_equal_planes(ImageSet& set) {
  const std::size_t plane = set.image_bytes() / 3;
  for (std::size_t i = 0; i < set.size(); ++i)
    std::copy_n(set.pixels.begin() + static_cast<std::ptrdiff_t>(3 * plane * i), plane,
                set.pixels.begin() + static_cast<std::ptrdiff_t>(plane * i));
  set.channels = 1;
  set.pixels.resize(plane * set.size());
  set.pixels.shrink_to_fit();
}

// A grey image among coloured ones becomes coloured; any other difference is an error.
void place_image(const DecodedImage& image, const std::string& path, ImageSet& set,
                 std::size_t at) {
  if (image.height != set.height || image.width != set.width)
    throw InputError(902, {path},
                     "is " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                         " pixels, the first image " + std::to_string(set.width) + "x" +
                         std::to_string(set.height) + "; bring all images to one size");
  const auto plane = static_cast<std::size_t>(set.height) * static_cast<std::size_t>(set.width);
  for (int c = 0; c < set.channels; ++c) {
    const auto from =
        image.pixels.begin() + static_cast<std::ptrdiff_t>(plane) * std::min(c, image.channels - 1);
    std::copy(
        from, from + static_cast<std::ptrdiff_t>(plane),
        set.pixels.begin() + static_cast<std::ptrdiff_t>(at * set.image_bytes() +
                                                         static_cast<std::size_t>(c) * plane));
  }
}

ImageSet load_folder(const DataSpec& spec, DataPart part) {
  const FolderFiles list = list_part(spec, part);
  const DecodedImage first = decode_image(list.files.front());
  ImageSet set;
  set.channels = 3;  // grey files among coloured ones become coloured
  set.height = first.height;
  set.width = first.width;
  set.labels = list.labels;
  set.class_names = list.class_names;
  if (list.files.size() > kMostImageBytes / set.image_bytes())
    throw InputError(904, {spec.path},
                     "holds " + std::to_string(list.files.size()) + " images of " +
                         std::to_string(first.width) + "x" + std::to_string(first.height) +
                         " pixels, more than the 16 GiB that are read; make them smaller");
  set.pixels.resize(list.files.size() * set.image_bytes());
  std::atomic<bool> coloured = false;
  constexpr std::size_t kBlock = 64;
  parallel_for((list.files.size() + kBlock - 1) / kBlock, 0, [&](std::size_t block) {
    const std::size_t end = std::min(list.files.size(), (block + 1) * kBlock);
    for (std::size_t i = block * kBlock; i < end; ++i) {
      const DecodedImage image = decode_image(list.files[i]);
      if (image.channels != 1) coloured = true;
      place_image(image, list.files[i], set, i);
    }
  });
  if (!coloured) drop_equal_planes(set);
  return set;
}

}  // namespace

DataSpec parse_data_spec(std::string_view text) {
  DataSpec spec;
  spec.text = text;
  const auto parts = split(text, ',');
  const std::size_t colon = parts[0].find(':');
  spec.kind = parts[0].substr(0, colon);
  if (colon != std::string::npos) spec.path = parts[0].substr(colon + 1);
  if (spec.kind != "cifar10" && spec.kind != "cifar100" && spec.kind != "mnist" &&
      spec.kind != "fashion-mnist" && spec.kind != "folder")
    throw UsageError(900, "--data " + spec.text + ": unknown kind \"" + spec.kind + "\"; one of " +
                              kKinds + ", e.g. cifar10:DIR");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool train = parts[i].starts_with("train="), test = parts[i].starts_with("test=");
    const std::size_t equals = parts[i].find('=');
    if ((!train && !test) || equals + 1 == parts[i].size())
      throw UsageError(
          900, "--data " + spec.text + ": \"" + parts[i] + "\" is not train=FILE or test=FILE");
    (train ? spec.train_files : spec.test_files) = split(parts[i].substr(equals + 1), '+');
  }
  if (spec.path.empty() && spec.kind == "fashion-mnist") spec.path = kFashionFolder;
  if (spec.path.empty() && spec.train_files.empty() && spec.test_files.empty())
    throw UsageError(900, "--data " + spec.text + ": give the folder, " + spec.kind + ":DIR");
  return spec;
}

ImageSet load_images(const DataSpec& spec, DataPart part) {
  if (spec.kind == "folder") return load_folder(spec, part);
  if (spec.kind == "mnist" || spec.kind == "fashion-mnist") return load_idx(spec, part);
  return load_cifar(spec, part);
}

ImageSet select_images(const ImageSet& images, std::span<const std::uint32_t> indices) {
  ImageSet chosen;
  chosen.channels = images.channels;
  chosen.height = images.height;
  chosen.width = images.width;
  chosen.class_names = images.class_names;
  chosen.labels.reserve(indices.size());
  chosen.pixels.reserve(indices.size() * images.image_bytes());
  for (const std::uint32_t i : indices) {
    chosen.labels.push_back(images.labels.at(i));
    const auto pixels = images.image(i);
    chosen.pixels.insert(chosen.pixels.end(), pixels.begin(), pixels.end());
  }
  return chosen;
}

std::vector<std::uint32_t> shuffled_indices(std::size_t n, std::uint64_t seed,
                                            std::uint64_t stream) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  Philox random(seed, stream);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.next_below(i)]);
  return order;
}

TrainValidation split_validation(const ImageSet& images, double fraction, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction < 1))
    throw UsageError(903, "--validation must be in [0, 1), not " + std::to_string(fraction));
  const auto count =
      static_cast<std::size_t>(std::floor(fraction * static_cast<double>(images.size())));
  // Stream 2^63 is no epoch's: the split is independent of the shuffling.
  auto order = shuffled_indices(images.size(), seed, std::uint64_t{1} << 63);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  const std::span<const std::uint32_t> all(order);
  return {select_images(images, all.subspan(count)), select_images(images, all.first(count))};
}

Normalisation default_normalisation(const std::string& kind, int channels) {
  if (kind == "mnist") return {{0.1307}, {0.3081}};
  if (kind == "fashion-mnist") return {{0.2860}, {0.3530}};
  if (channels == 3) return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  return {std::vector<double>(static_cast<std::size_t>(channels), 0.5),
          std::vector<double>(static_cast<std::size_t>(channels), 0.5)};
}

void fill_batch(const ImageSet& images, const Normalisation& normalisation,
                const BatchRequest& request, std::span<float> out) {
  const int channels = images.channels, height = images.height, width = images.width;
  const auto count = static_cast<std::size_t>(channels);
  if (out.size() != request.indices.size() * images.image_bytes() ||
      normalisation.mean.size() != count || normalisation.std.size() != count)
    throw InternalError("fill_batch: sizes do not match");
  std::vector<float> value(count * 256);  // normalised value of each byte
  for (std::size_t c = 0; c < count; ++c)
    for (std::size_t v = 0; v < 256; ++v)
      value[c * 256 + v] = static_cast<float>(
          (static_cast<double>(v) / 255.0 - normalisation.mean[c]) / normalisation.std[c]);
  const auto row = static_cast<std::size_t>(width), plane = row * static_cast<std::size_t>(height);
  const Augmentation& augmentation = request.augmentation;
  for (std::size_t i = 0; i < request.indices.size(); ++i) {
    bool flip = false;
    int dx = 0, dy = 0;
    if (augmentation.flip || augmentation.crop > 0) {
      Philox random(request.seed ^ 0x9E3779B97F4A7C15u, request.epoch);
      random.seek((request.first_position + i) * 4);
      const auto range = static_cast<std::uint32_t>(2 * augmentation.crop + 1);
      flip = augmentation.flip && (random.next_u32() & 1u) != 0;
      dx = static_cast<int>(random.next_u32() % range) - augmentation.crop;
      dy = static_cast<int>(random.next_u32() % range) - augmentation.crop;
    }
    const auto image = images.image(request.indices[i]);
    float* to = out.data() + i * images.image_bytes();
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const int from_y = y + dy, from_x = (flip ? width - 1 - x : x) + dx;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        const std::size_t place =
            inside ? static_cast<std::size_t>(from_y) * row + static_cast<std::size_t>(from_x) : 0;
        for (std::size_t c = 0; c < count; ++c)
          *to++ = value[c * 256 + (inside ? image[c * plane + place] : std::uint8_t{0})];
      }
  }
}

}  // namespace axmul
