// What PyTorch's archives hold, TorchScript modules and state dicts alike: records, pickles and
// tensors, read as data and checked against the file. No code of an archive runs here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/data/pickle_data.hpp"
#include "train/data/zip_file.hpp"

namespace axmul::train {

enum class Element : std::uint8_t { f16, bf16, f32, f64, i8, u8, i16, i32, i64, boolean, other };

/// A tensor as its archive describes it: it lies within its storage, and the storage within its
/// record.
struct ArchivedTensor {
  std::string record;  ///< "data/0"; "" where there are no elements
  Element element = Element::other;
  std::size_t element_size = 0;
  std::int64_t offset = 0;  ///< in elements
  std::vector<std::int64_t> sizes, strides;
  std::int64_t storage_elements = 0;

  std::int64_t elements() const;  ///< product of the sizes
};

class TorchArchive {
 public:
  static constexpr std::uint64_t kLargestPickle = std::uint64_t{64} << 20;
  static constexpr std::uint64_t kLargestCode = std::uint64_t{16} << 20;  ///< of one record
  static constexpr std::uint64_t kMostCode = std::uint64_t{128} << 20;    ///< of all records
  static constexpr std::size_t kMostDimensions = 64;

  /// Throws BadArchive, as all members do.
  explicit TorchArchive(const std::string& path) : zip_(path) {}

  const ZipFile& zip() const { return zip_; }
  /// Whether it is a TorchScript archive and no torch.save() of something else.
  bool is_script() const { return zip_.has("constants.pkl"); }
  /// "data" or "constants".
  Pickle pickle(const std::string& name) const;
  /// The text of a record of code.
  std::string code(const std::string& record);

  /// The tensor that a call of PyTorch's rebuilding functions describes, or nothing for other
  /// values. `folder`: where its storages lie, "data" or "constants".
  std::optional<ArchivedTensor> tensor(const Pickle& pickle, PickleRef ref,
                                       const std::string& folder) const;
  /// The elements, row-major without gaps.
  std::vector<std::byte> elements(const ArchivedTensor& tensor);

 private:
  ArchivedTensor from_storage(const Pickle& pickle, const PickleValue& arguments,
                              const std::string& folder) const;
  ZipFile zip_;
  std::uint64_t code_read_ = 0;
  std::map<std::string, std::vector<std::byte>> storages_;
};

}  // namespace axmul::train
