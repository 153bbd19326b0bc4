// Tensors of PyTorch's archives.
#include "train/data/torch_archive.hpp"

#include <algorithm>
#include <cstring>

namespace axmul::train {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

struct StorageType {
  const char* name;
  Element element;
  std::size_t size;
};
constexpr StorageType kStorages[] = {{"torch HalfStorage", Element::f16, 2},
                                     {"torch BFloat16Storage", Element::bf16, 2},
                                     {"torch FloatStorage", Element::f32, 4},
                                     {"torch DoubleStorage", Element::f64, 8},
                                     {"torch CharStorage", Element::i8, 1},
                                     {"torch ByteStorage", Element::u8, 1},
                                     {"torch ShortStorage", Element::i16, 2},
                                     {"torch IntStorage", Element::i32, 4},
                                     {"torch LongStorage", Element::i64, 8},
                                     {"torch BoolStorage", Element::boolean, 1},
                                     {"torch QInt8Storage", Element::other, 1},
                                     {"torch QUInt8Storage", Element::other, 1},
                                     {"torch QInt32Storage", Element::other, 4},
                                     {"torch ComplexFloatStorage", Element::other, 8},
                                     {"torch ComplexDoubleStorage", Element::other, 16}};

std::int64_t integer(const Pickle& pickle, const PickleValue& tuple, std::size_t i) {
  if (i >= tuple.items.size() || pickle.item(tuple, i).kind != PickleKind::integer)
    throw BadArchive("describes a tensor in a way that PyTorch does not");
  return pickle.item(tuple, i).integer;
}

std::vector<std::int64_t> integers(const Pickle& pickle, const PickleValue& tuple, std::size_t at) {
  std::vector<std::int64_t> values;
  if (at >= tuple.items.size())
    throw BadArchive("describes a tensor in a way that PyTorch does not");
  const PickleValue& list = pickle.item(tuple, at);
  if (list.kind != PickleKind::tuple || list.items.size() > TorchArchive::kMostDimensions)
    throw BadArchive("describes a tensor in a way that PyTorch does not");
  for (std::size_t i = 0; i < list.items.size(); ++i) values.push_back(integer(pickle, list, i));
  return values;
}

// Throws unless every element lies in the storage.
void check_extent(const ArchivedTensor& t) {
  const auto refuse = [&] {
    throw BadArchive("a tensor reaches beyond its storage of " +
                     std::to_string(t.storage_elements) + " elements");
  };
  if (t.sizes.size() != t.strides.size()) refuse();
  std::int64_t count = 1;
  for (const std::int64_t size : t.sizes)
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > kMostElements)
      throw BadArchive("a tensor has an absurd shape");
  if (t.offset < 0 || t.offset > t.storage_elements) refuse();
  if (count == 0) return;
  std::int64_t last = t.offset;
  for (std::size_t d = 0; d < t.sizes.size(); ++d) {
    std::int64_t step = 0;
    if (t.strides[d] < 0 || __builtin_mul_overflow(t.sizes[d] - 1, t.strides[d], &step) ||
        __builtin_add_overflow(last, step, &last))
      refuse();
  }
  if (last >= t.storage_elements) refuse();
}

// The offsets of all rows along the last axis, in row-major order.
template <class Row>
void for_each_row(const ArchivedTensor& t, const Row& row) {
  const std::size_t axes = t.sizes.size();
  std::vector<std::int64_t> index(axes, 0);
  std::int64_t at = t.offset;
  while (true) {
    row(at);
    std::size_t d = axes < 2 ? 0 : axes - 1;
    while (d > 0) {
      --d;
      at += t.strides[d];
      if (++index[d] < t.sizes[d]) break;
      at -= t.sizes[d] * t.strides[d];
      index[d] = 0;
      if (d == 0) return;
    }
    if (axes < 2) return;
  }
}

}  // namespace

std::int64_t ArchivedTensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  return count;
}

Pickle TorchArchive::pickle(const std::string& name) const {
  return read_pickle(zip_.read(name + ".pkl", kLargestPickle));
}

std::string TorchArchive::code(const std::string& record) {
  const auto bytes = zip_.read(record, kLargestCode);
  code_read_ += bytes.size();
  if (code_read_ > kMostCode)
    throw BadArchive("holds more than " + std::to_string(kMostCode >> 20) + " MiB of code");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The first four arguments: storage, offset, sizes, strides.
ArchivedTensor TorchArchive::from_storage(const Pickle& pickle, const PickleValue& arguments,
                                          const std::string& folder) const {
  ArchivedTensor t;
  if (arguments.items.empty() || pickle.item(arguments, 0).kind != PickleKind::persistent)
    throw BadArchive("describes a tensor in a way that PyTorch does not");
  const PickleValue& storage = pickle.item(pickle.item(arguments, 0), 0);
  if (storage.kind != PickleKind::tuple || storage.items.size() != 5 ||
      pickle.item(storage, 0).text != "storage" ||
      pickle.item(storage, 2).kind != PickleKind::text ||
      pickle.item(storage, 3).kind != PickleKind::text)
    throw BadArchive("describes a storage in a way that PyTorch does not");
  const std::string& type = pickle.name_of(pickle.item(storage, 1));
  const auto* known = std::find_if(std::begin(kStorages), std::end(kStorages),
                                   [&](const StorageType& s) { return type == s.name; });
  if (known == std::end(kStorages))
    throw BadArchive("has a storage of unknown type \"" + type + "\"");
  t.element = known->element;
  t.element_size = known->size;
  t.storage_elements = integer(pickle, storage, 4);
  t.offset = integer(pickle, arguments, 1);
  t.sizes = integers(pickle, arguments, 2);
  t.strides = integers(pickle, arguments, 3);
  if (t.storage_elements < 0 || t.storage_elements > kMostElements)
    throw BadArchive("has a storage of absurd size");
  check_extent(t);
  if (t.storage_elements == 0) return t;
  t.record = folder + "/" + pickle.item(storage, 2).text;
  const auto record = zip_.records().find(t.record);
  if (record == zip_.records().end()) throw BadArchive("has no record " + t.record);
  if (record->second.size / t.element_size < static_cast<std::uint64_t>(t.storage_elements))
    throw BadArchive("record " + t.record + " holds " + std::to_string(record->second.size) +
                     " bytes, not the " + std::to_string(t.storage_elements) + " elements of " +
                     std::to_string(t.element_size) + " bytes that are said to be there");
  return t;
}

std::optional<ArchivedTensor> TorchArchive::tensor(const Pickle& pickle, PickleRef ref,
                                                   const std::string& folder) const {
  const PickleValue& value = pickle.at(ref);
  if (value.kind != PickleKind::call) return std::nullopt;
  const std::string& callee = pickle.name_of(value);
  const PickleValue& arguments = pickle.item(value, 1);
  if (callee == "torch._utils _rebuild_tensor_v2" || callee == "torch._utils _rebuild_qtensor")
    return from_storage(pickle, arguments, folder);
  const bool parameter = callee == "torch._utils _rebuild_parameter" ||
                         callee == "torch._utils _rebuild_parameter_with_state";
  if (parameter && !arguments.items.empty()) return tensor(pickle, arguments.items[0], folder);
  if (callee == "torch._tensor _rebuild_from_type_v2" && arguments.items.size() > 2 &&
      pickle.name_of(pickle.item(arguments, 0)) == "torch._utils _rebuild_tensor_v2" &&
      pickle.item(arguments, 2).kind == PickleKind::tuple)
    return from_storage(pickle, pickle.item(arguments, 2), folder);
  return std::nullopt;
}

std::vector<std::byte> TorchArchive::elements(const ArchivedTensor& t) {
  const auto count = static_cast<std::size_t>(t.elements());
  std::vector<std::byte> bytes(count * t.element_size);
  if (count == 0) return bytes;
  auto& storage = storages_[t.record];
  if (storage.empty()) storage = zip_.read(t.record, zip_.records().at(t.record).size);
  const std::size_t size = t.element_size;
  const bool flat = t.sizes.empty();
  const auto row_count = flat ? 1 : static_cast<std::size_t>(t.sizes.back());
  const auto step = flat ? 1 : static_cast<std::size_t>(t.strides.back());
  std::byte* to = bytes.data();
  for_each_row(t, [&](std::int64_t at) {
    const std::byte* from = storage.data() + static_cast<std::size_t>(at) * size;
    if (step == 1) {
      std::memcpy(to, from, row_count * size);
      to += row_count * size;
      return;
    }
    for (std::size_t i = 0; i < row_count; ++i, to += size)
      std::memcpy(to, from + i * step * size, size);
  });
  return bytes;
}

}  // namespace axmul::train
