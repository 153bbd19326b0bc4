// State dicts in HDF5 and safetensors files.
#include "axmul/train/state_dict.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "axmul/core/errors.hpp"
#include "axmul/core/sha256.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/train/data.hpp"
#include "train/data/float_formats.hpp"
#include "train/data/number_text.hpp"
#include "train/data/torch_file.hpp"

namespace axmul {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxHeader = std::size_t{100} << 20;  // safetensors' own limit
constexpr int kMostDepth = 32;
constexpr std::size_t kMostTensors = 100'000;
constexpr std::uintmax_t kFreeBytes = std::uintmax_t{4} << 30;

template <class T>
StateTensor pack(ElementType type, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  StateTensor tensor{type, std::move(shape), {}};
  if (tensor.elements() != values.size()) throw InternalError("StateTensor: shape and size differ");
  const auto bytes = std::as_bytes(std::span(values));
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

template <class T>
std::vector<T> unpack(const StateTensor& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

void strip_module_prefix(StateDict& state) {
  for (const auto& [name, tensor] : state.tensors)
    if (!name.starts_with("module.")) return;
  std::map<std::string, StateTensor> stripped;
  for (auto& [name, tensor] : state.tensors) stripped[name.substr(7)] = std::move(tensor);
  state.tensors = std::move(stripped);
}

// --- HDF5 ----------------------------------------------------------------------------------------

// What one file may unpack to: weights are not compressed much, and one dataset may be linked
// twice.
class H5Reader {
 public:
  explicit H5Reader(const std::string& path)
      : file_(h5::File::open(path)),
        left_(std::max(kFreeBytes, 16 * std::filesystem::file_size(path))) {}

  const h5::File& file() const { return file_; }

  // A group may contain itself, also in two ways at once.
  void read_group(const std::string& group, const std::string& prefix, int depth,
                  StateDict& state) {
    if (depth == kMostDepth)
      throw InputError(921, {file_.path()},
                       "has groups nested deeper than " + std::to_string(kMostDepth) + " (" +
                           group.substr(0, 100) + "); does one contain itself?");
    for (const h5::Entry& entry : file_.list(group)) {
      const std::string path = (group == "/" ? "" : group) + "/" + entry.name;
      if (entry.kind == h5::Kind::group)
        read_group(path, prefix + entry.name + ".", depth + 1, state);
      else if (entry.kind == h5::Kind::dataset)
        state.tensors[prefix + entry.name] = read_dataset(path);
      if (++entries_ > kMostTensors)
        throw InputError(921, {file_.path()},
                         "holds more than " + std::to_string(kMostTensors) + " objects");
    }
  }

 private:
  StateTensor read_dataset(const std::string& path) {
    const h5::Dataset dataset = file_.dataset(path);
    std::vector<std::int64_t> shape(dataset.shape().begin(), dataset.shape().end());
    const std::uint64_t size = dataset.size();
    if (size > left_ / 8)
      throw InputError(921, {file_.path()},
                       "unpacks to more than 16 times its size and more than " +
                           std::to_string(kFreeBytes >> 30) + " GiB");
    left_ -= 8 * size;
    switch (dataset.type()) {
      case h5::Type::float32:
        return StateTensor::from(std::move(shape), dataset.read<float>());
      case h5::Type::float64:
        return StateTensor::from(std::move(shape), dataset.read<double>());
      default:
        return StateTensor::from(std::move(shape), dataset.read<std::int64_t>());
    }
  }

  h5::File file_;
  std::uint64_t left_;
  std::size_t entries_ = 0;
};

StateDict read_h5(const std::string& path) {
  H5Reader reader(path);
  const h5::File& file = reader.file();
  StateDict state;
  reader.read_group("/", "", 0, state);
  for (const std::string& name : file.attributes("/")) {
    try {
      if (const auto text = file.attribute_text("/", name)) state.metadata[name] = *text;
    } catch (const InputError&) {
      try {
        if (const auto values = file.attribute_doubles("/", name))
          state.metadata[name] = detail::join_numbers(*values);
      } catch (const InputError&) {  // an attribute of another kind says nothing to us
      }
    }
  }
  return state;
}

void write_h5(const StateDict& state, const std::string& path) {
  AtomicFile target(path, true);
  h5::File file = h5::File::create(target.path());
  file.set_display_path(path);
  for (const auto& [name, tensor] : state.tensors) {
    const h5::Shape shape(tensor.shape.begin(), tensor.shape.end());
    const std::string object = "/" + name;
    if (tensor.type == ElementType::f32)
      file.write<float>(object, shape, unpack<float>(tensor));
    else if (tensor.type == ElementType::f64)
      file.write<double>(object, shape, unpack<double>(tensor));
    else
      file.write<std::int64_t>(object, shape, unpack<std::int64_t>(tensor));
  }
  for (const auto& [name, text] : state.metadata) file.set_attribute("/", name, text);
  file.close();
  target.commit();
}

// --- safetensors ---------------------------------------------------------------------------------

StateTensor tensor_from_bytes(const std::string& dtype, std::vector<std::int64_t> shape,
                              std::span<const std::byte> bytes, const Place& place,
                              const std::string& name) {
  StateTensor tensor{ElementType::f32, std::move(shape), {}};
  const std::size_t stored = dtype == "F32" ? 4 : dtype == "F16" || dtype == "BF16" ? 2 : 8;
  if (dtype == "F64") tensor.type = ElementType::f64;
  if (dtype == "I64") tensor.type = ElementType::i64;
  if (dtype != "F32" && dtype != "F64" && dtype != "I64" && stored != 2)
    throw InputError(
        921, place,
        "tensor " + name + " has dtype " + dtype + "; F16, BF16, F32, F64, I64 are read");
  if (bytes.size() != tensor.elements() * stored)
    throw InputError(921, place, "tensor " + name + ": offsets and shape do not agree");
  if (stored != 2) {
    tensor.bytes.assign(bytes.begin(), bytes.end());
    return tensor;
  }
  std::vector<float> values(tensor.elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, bytes.data() + 2 * i, 2);
    values[i] = dtype == "F16" ? detail::half_to_float(half) : detail::bfloat16_to_float(half);
  }
  return StateTensor::from(std::move(tensor.shape), values);
}

}  // namespace

std::string checksum_of(const StateDict& state) {
  Sha256 sum;
  const auto text = [&](const std::string& t) {
    sum.update(std::to_string(t.size()) + ":");
    sum.update(std::string_view(t));
  };
  for (const auto& [name, tensor] : state.tensors) {
    text(name);
    text(std::to_string(static_cast<int>(tensor.type)));
    for (const std::int64_t size : tensor.shape) text(std::to_string(size));
    sum.update(std::span<const std::byte>(tensor.bytes));
  }
  for (const auto& [key, value] : state.metadata) {
    if (key == kChecksum) continue;
    text(key);
    text(value);
  }
  return sum.hex();
}

std::size_t StateTensor::elements() const {
  std::size_t n = 1;
  for (const std::int64_t size : shape) n *= static_cast<std::size_t>(size);
  return n;
}

StateTensor StateTensor::from(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  return pack(ElementType::f32, std::move(shape), values);
}
StateTensor StateTensor::from(std::vector<std::int64_t> shape, const std::vector<double>& values) {
  return pack(ElementType::f64, std::move(shape), values);
}
StateTensor StateTensor::from(std::vector<std::int64_t> shape,
                              const std::vector<std::int64_t>& values) {
  return pack(ElementType::i64, std::move(shape), values);
}

std::vector<double> StateTensor::doubles() const {
  if (type == ElementType::f64) return unpack<double>(*this);
  std::vector<double> values;
  values.reserve(elements());
  if (type == ElementType::f32)
    for (const float v : unpack<float>(*this)) values.push_back(static_cast<double>(v));
  else
    for (const std::int64_t v : unpack<std::int64_t>(*this))
      values.push_back(static_cast<double>(v));
  return values;
}

std::vector<std::byte> to_safetensors(const StateDict& state) {
  json header = json::object();
  if (!state.metadata.empty()) header["__metadata__"] = state.metadata;
  std::size_t offset = 0;
  for (const auto& [name, tensor] : state.tensors) {
    const char* const dtypes[] = {"F32", "F64", "I64"};
    header[name] = {{"dtype", dtypes[static_cast<std::size_t>(tensor.type)]},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  std::vector<std::byte> bytes(8);
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::byte>(static_cast<std::uint64_t>(text.size()) >> (8 * i) & 255);
  bytes.reserve(8 + text.size() + offset);
  const auto words = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), words.begin(), words.end());
  for (const auto& [name, tensor] : state.tensors)
    bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
  return bytes;
}

StateDict from_safetensors(const std::vector<std::byte>& bytes, const std::string& path) {
  const Place place{path};
  std::uint64_t length = 0;
  if (bytes.size() >= 8)
    for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  if (bytes.size() < 8 || length > bytes.size() - 8 || length > kMaxHeader)
    throw InputError(921, place, "is not a safetensors file, or it is cut short");
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + 8;
  const std::span<const std::byte> data(bytes.data() + 8 + length, bytes.size() - 8 - length);
  StateDict state;
  std::uint64_t taken = 0;
  try {
    const json header = json::parse(text, text + length);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        state.metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
      const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
      std::int64_t count = 1;
      for (const std::int64_t size : shape)
        if (size < 0 || __builtin_mul_overflow(count, size, &count))
          throw InputError(921, place, "tensor " + name + " has an absurd shape");
      if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size())
        throw InputError(921, place, "tensor " + name + " lies outside the file");
      taken += offsets[1] - offsets[0];
      if (taken > data.size()) throw InputError(921, place, "has tensors that overlap");
      state.tensors[name] =
          tensor_from_bytes(entry.at("dtype").get<std::string>(), shape,
                            data.subspan(offsets[0], offsets[1] - offsets[0]), place, name);
    }
  } catch (const json::exception& error) {
    throw InputError(921, place, std::string("has a broken safetensors header: ") + error.what());
  }
  return state;
}

StateDict read_state_dict(const std::string& path) {
  StateDict state;
  if (path.ends_with(".pt") || path.ends_with(".pth")) {
    state = detail::read_torch_file(path);
  } else if (path.ends_with(".safetensors")) {
    const auto raw = read_maybe_compressed(path);
    const auto bytes = std::as_bytes(std::span(raw));
    state = from_safetensors({bytes.begin(), bytes.end()}, path);
  } else {
    state = read_h5(path);
  }
  if (state.tensors.empty()) throw InputError(921, {path}, "holds no tensors");
  if (const auto sum = state.metadata.find(kChecksum);
      sum != state.metadata.end() && sum->second != checksum_of(state))
    throw InputError(921, {path},
                     "was changed or damaged after axmul wrote it: its checksum is wrong. Fetch it "
                     "again; where the change was meant, delete the attribute \"checksum\"");
  strip_module_prefix(state);
  return state;
}

void write_state_dict(const StateDict& state, const std::string& path) {
  if (path.ends_with(".safetensors")) {
    AtomicFile file(path, true);
    file.write(std::span<const std::byte>(to_safetensors(state)));
    file.commit();
  } else if (path.ends_with(".h5") || path.ends_with(".hdf5")) {
    write_h5(state, path);
  } else {
    throw UsageError(923,
                     "weights are written as .h5, .hdf5 or .safetensors, not \"" + path + "\"");
  }
}

}  // namespace axmul
