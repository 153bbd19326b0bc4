// Image sets: every format from files written by Python, specs, splits, batches, damaged files.
#include "axmul/train/data.hpp"

#include <cstdlib>
#include <set>

#include "axmul/core/errors.hpp"
#include "support/error_id.hpp"
#include "support/support.hpp"

using namespace axmul;
using axmul::test::error_id;

namespace {

// Writes all formats below a folder with Python's own gzip, lzma and zlib.
void write_samples(const test::ScratchDir& folder) {
  test::write_text(folder / "make.py", R"(
import gzip, lzma, os, struct, sys, zlib
root = sys.argv[1]
def save(path, data):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'wb').write(data)
def record(label, seed):
    return bytes([label]) + bytes((seed * 31 + i * 7) % 256 for i in range(3072))
train = [record(i % 10, i) for i in range(10)]
for k in range(5):
    save(f'cifar/cifar-10-batches-bin/data_batch_{k+1}.bin', b''.join(train[2*k:2*k+2]))
save('cifar/cifar-10-batches-bin/test_batch.bin', record(3, 100))
save('packed/train-part.bin.xz', lzma.compress(b''.join(train)))
save('packed/test-part.bin.gz', gzip.compress(record(3, 100) + record(9, 101)))
save('c100/train.bin', b''.join(bytes([7]) + record(i, i) for i in (0, 99)))
idx = lambda dims, data: struct.pack('>BBBB', 0, 0, 8, len(dims)) + b''.join(struct.pack('>I', d) for d in dims) + data
save('idx/train-images-idx3-ubyte.gz', gzip.compress(idx((2, 3, 4), bytes(range(24)))))
save('idx/train-labels-idx1-ubyte.gz', gzip.compress(idx((2,), bytes([5, 9]))))
def png(w, h, rgb):
    chunk = lambda t, d: struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    raw = b''.join(b'\0' + bytes(rgb) * w for _ in range(h))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2 if len(rgb) == 3 else 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b'')
save('folder/train/cat/1.png', png(5, 4, (10, 20, 30)))
save('folder/train/ant/images/1.PNG', png(5, 4, (40,)))
save('folder/train/ant/images/2.png', png(5, 4, (41, 42, 43)))
save('folder/val/images/a.png', png(5, 4, (1, 2, 3)))
save('folder/val/val_annotations.txt', b'a.png\tcat\t0\t0\t1\t1\n')
save('grey/train/x/1.png', png(5, 4, (7,)))
save('grey/train/y/2.png', png(5, 4, (8,)))
save('bomb/train-images-idx3-ubyte.gz', gzip.compress(idx((2, 3, 4), bytes(1 << 22))))
save('bomb/train-labels-idx1-ubyte.gz', gzip.compress(idx((2,), bytes([5, 9]))))
save('uneven/train/x/1.png', png(5, 4, (1, 2, 3)))
save('uneven/train/x/2.png', png(6, 4, (1, 2, 3)))
)");
  const std::string command =
      "/usr/bin/python3 " + (folder / "make.py").string() + " " + folder.path().string();
  REQUIRE(std::system(command.c_str()) == 0);
}

ImageSet load(const std::string& text, DataPart part) {
  return load_images(parse_data_spec(text), part);
}

}  // namespace

TEST_CASE("every format reads, plain and packed") {
  const test::ScratchDir folder;
  write_samples(folder);
  const std::string root = folder.path().string();
  const ImageSet cifar = load("cifar10:" + root + "/cifar", DataPart::train);
  REQUIRE(cifar.size() == 10);
  CHECK(cifar.labels[7] == 7);
  CHECK(cifar.image(7)[1024 * 2 + 5] == (7 * 31 + (2048 + 5) * 7) % 256);
  CHECK(load("cifar10:" + root + "/cifar", DataPart::test).labels == std::vector<int>{3});
  const ImageSet packed = load("cifar10:" + root + "/packed", DataPart::train);
  CHECK(packed.pixels == cifar.pixels);
  CHECK(load("cifar10:" + root + "/packed", DataPart::test).labels == std::vector<int>{3, 9});
  const std::string named = "cifar10:" + root + "/packed,train=test-part.bin.gz";
  CHECK(load(named, DataPart::train).labels == std::vector<int>{3, 9});
  CHECK(load("cifar10:" + root + "/packed/test-part.bin.gz", DataPart::test).size() == 2);
  CHECK(load("cifar100:" + root + "/c100", DataPart::train).labels == std::vector<int>{0, 99});
  const ImageSet idx = load("mnist:" + root + "/idx", DataPart::train);
  CHECK(idx.height == 3);
  CHECK(idx.width == 4);
  CHECK(idx.labels == std::vector<int>{5, 9});
  CHECK(idx.image(1)[7] == 19);
  const ImageSet images = load("folder:" + root + "/folder", DataPart::train);
  CHECK(images.class_names == std::vector<std::string>{"ant", "cat"});
  CHECK(images.labels == std::vector<int>{0, 0, 1});
  CHECK(images.image(0)[20 * 2 + 3] == 40);  // grey became three equal channels
  CHECK(images.image(2)[20 + 3] == 20);
  CHECK(load("folder:" + root + "/folder", DataPart::test).labels == std::vector<int>{1});
  const ImageSet grey = load("folder:" + root + "/grey", DataPart::train);
  CHECK(grey.channels == 1);
  CHECK(grey.pixels.size() == 2 * 20);
  CHECK(grey.image(0)[3] == 7);
  CHECK(grey.image(1)[19] == 8);
}

TEST_CASE("what is missing, damaged or of another size is said with the file's name") {
  const test::ScratchDir folder;
  write_samples(folder);
  const std::string root = folder.path().string();
  CHECK(error_id([] { parse_data_spec("imagenet:x"); }) == 900);
  CHECK(error_id([] { parse_data_spec("cifar10"); }) == 900);
  CHECK(error_id([] { parse_data_spec("cifar10:x,tset=y"); }) == 900);
  CHECK(error_id([&] { load("cifar10:" + root + "/none", DataPart::test); }) == 901);
  CHECK(error_id([&] { load("mnist:" + root + "/idx", DataPart::test); }) == 901);
  CHECK(error_id([&] { load("cifar10:" + root + "/packed/test-part.bin.gz", DataPart::train); }) ==
        901);
  std::filesystem::remove(folder / "cifar/cifar-10-batches-bin/data_batch_3.bin");
  CHECK(error_id([&] { load("cifar10:" + root + "/cifar", DataPart::train); }) == 901);
  CHECK(error_id([&] { load("folder:" + root + "/uneven", DataPart::train); }) == 902);
  CHECK(error_id([&] { load("mnist:" + root + "/bomb", DataPart::train); }) == 902);
  const auto cut = [&](const std::string& name) {
    const std::string text = test::read_text(folder / name);
    test::write_text(folder / name, text.substr(0, text.size() - 9));
  };
  for (const char* name : {"packed/train-part.bin.xz", "packed/test-part.bin.gz",
                           "idx/train-images-idx3-ubyte.gz", "c100/train.bin"})
    cut(name);
  CHECK(error_id([&] { load("cifar10:" + root + "/packed", DataPart::train); }) == 902);
  CHECK(error_id([&] { load("cifar10:" + root + "/packed", DataPart::test); }) == 902);
  CHECK(error_id([&] { load("mnist:" + root + "/idx", DataPart::train); }) == 902);
  CHECK(error_id([&] { load("cifar100:" + root + "/c100", DataPart::train); }) == 902);
  test::write_text(folder / "folder/train/cat/2.jpg", "\xff\xd8\xff rubbish");
  CHECK(error_id([&] { load("folder:" + root + "/folder", DataPart::train); }) == 902);
}

TEST_CASE("shuffling is a permutation of its seed and stream") {
  const auto order = shuffled_indices(1000, 5, 2);
  CHECK(std::set<std::uint32_t>(order.begin(), order.end()).size() == 1000);
  CHECK(order == shuffled_indices(1000, 5, 2));
  CHECK(order != shuffled_indices(1000, 5, 3));
  CHECK(order != shuffled_indices(1000, 6, 2));
}

TEST_CASE("a split keeps every image once") {
  const test::ScratchDir folder;
  write_samples(folder);
  const ImageSet all = load("cifar10:" + folder.path().string() + "/cifar", DataPart::train);
  const TrainValidation split = split_validation(all, 0.35, 1);
  CHECK(split.validation.size() == 3);
  CHECK(split.train.size() == 7);
  std::multiset<int> labels(split.train.labels.begin(), split.train.labels.end());
  labels.insert(split.validation.labels.begin(), split.validation.labels.end());
  CHECK(labels == std::multiset<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(error_id([&] { split_validation(all, 1.0, 1); }) == 903);
}

TEST_CASE("batches are normalised, channels last, and augmented by position only") {
  ImageSet set;
  set.channels = 2;
  set.height = set.width = 3;
  set.class_names = {"x"};
  for (int i = 0; i < 2 * 18; ++i) set.pixels.push_back(static_cast<std::uint8_t>(5 * i));
  set.labels = {0, 0};
  const Normalisation norm{{0.0, 0.5}, {1.0, 0.25}};
  const std::vector<std::uint32_t> indices = {1, 0};
  std::vector<float> out(36);
  fill_batch(set, norm, {indices}, out);
  // image 1, channel 1, row 2, column 0: byte 5·(18 + 9 + 6)
  CHECK(out[(2 * 3 + 0) * 2 + 1] == doctest::Approx((165 / 255.0 - 0.5) / 0.25));
  BatchRequest request{indices, 40, 9, 3, {true, 1}};
  std::vector<float> augmented(36), single(18);
  fill_batch(set, norm, request, augmented);
  request.indices = std::span(indices).subspan(1);
  request.first_position = 41;
  fill_batch(set, norm, request, single);
  CHECK(std::equal(single.begin(), single.end(), augmented.begin() + 18));
  // Over many positions both mirror images and all nine shifts occur.
  std::set<std::vector<float>> seen;
  for (std::size_t position = 0; position < 400; ++position) {
    request.first_position = position;
    fill_batch(set, norm, request, single);
    seen.insert(single);
  }
  CHECK(seen.size() == 18);
  // What a shift brings in is black, the normalised byte 0, and not the mean.
  std::fill(set.pixels.begin(), set.pixels.end(), std::uint8_t{255});
  request.augmentation = {false, 1};
  std::set<float> values[2];
  for (std::size_t position = 0; position < 50; ++position) {
    request.first_position = position;
    fill_batch(set, norm, request, single);
    for (std::size_t i = 0; i < single.size(); ++i) values[i % 2].insert(single[i]);
  }
  CHECK(values[0] == std::set<float>{0.0f, 1.0f});
  CHECK(values[1] == std::set<float>{-2.0f, 2.0f});
}
