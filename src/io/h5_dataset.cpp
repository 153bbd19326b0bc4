// HDF5 datasets: checked shapes, types and sizes around reading, writing and growing.
#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "axmul/core/errors.hpp"
#include "axmul/io/h5.hpp"
#include "io/h5_call.hpp"

namespace axmul::h5 {

using detail::Call;
using detail::FileState;
using detail::Handle;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// deflate cannot expand by more than about 1032; a file cannot honestly hold more than that.
constexpr std::uint64_t kMaxExpansion = 1100;
constexpr std::uint64_t kFreeBytes = 64 * kMiB;  // may be claimed without being stored
constexpr unsigned kDeflateLevel = 4;
constexpr int kMaxRank = 8;

std::uint64_t saturating_multiply(std::uint64_t x, std::uint64_t y) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(x, y, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                : product;
}

std::uint64_t element_count(const Shape& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count = saturating_multiply(count, extent);
  return count;
}

[[noreturn]] void too_large(const FileState& state, const std::string& dataset,
                            const std::string& what, std::uint64_t bytes) {
  throw InputError(154, Place{state.display_path},
                   dataset + ": " + what + " claims " + std::to_string(bytes / kMiB) +
                       " MiB, more than the file can hold or may be read at once");
}

// Refuses what would read another file, or take memory far beyond what the file holds.
void check_storage(const FileState& state, hid_t dataset, const std::string& path) {
  const Handle creation =
      state.handle(H5Dget_create_plist(dataset), H5Pclose, path, "cannot read how it is stored");
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL || H5Pget_external_count(creation) > 0)
    throw InputError(155, Place{state.display_path}, path + ": keeps its data in other files");
  if (layout != H5D_CHUNKED) return;
  hsize_t chunk[H5S_MAX_RANK];
  const int rank =
      state.check(H5Pget_chunk(creation, H5S_MAX_RANK, chunk), path, "cannot read the chunk shape");
  const Handle type = state.handle(H5Dget_type(dataset), H5Tclose, path, "cannot read the type");
  const std::uint64_t bytes = saturating_multiply(element_count(Shape(chunk, chunk + rank)),
                                                  static_cast<std::uint64_t>(H5Tget_size(type)));
  if (bytes > kFreeBytes && bytes / kMaxExpansion > state.file_bytes)
    too_large(state, path, "one chunk", bytes);
}

Handle memory_space(const FileState& state, const Shape& count, const std::string& path) {
  if (count.empty())
    return state.handle(H5Screate(H5S_SCALAR), H5Sclose, path, "cannot set up a block");
  const std::vector<hsize_t> extents(count.begin(), count.end());
  return state.handle(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                      H5Sclose, path, "cannot set up a block");
}

Handle file_block(const FileState& state, hid_t dataset, const Shape& offset, const Shape& count,
                  const std::string& path) {
  Handle space = state.handle(H5Dget_space(dataset), H5Sclose, path, "cannot read the shape");
  if (count.empty()) return space;
  const std::vector<hsize_t> start(offset.begin(), offset.end());
  const std::vector<hsize_t> extents(count.begin(), count.end());
  state.check(
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr),
      path, "cannot select a block");
  return space;
}

std::string printable(const FileState& state, const char* text) {
  return text == nullptr ? std::string() : std::string(text, strnlen(text, state.limits.max_text));
}

}  // namespace

Dataset::Dataset(std::shared_ptr<FileState> state, std::int64_t id, std::string path)
    : state_(std::move(state)), id_(id), path_(std::move(path)) {
  refresh();
}

Dataset::~Dataset() {
  if (state_ == nullptr || id_ < 0 || state_->id < 0) return;
  const Call call;
  H5Dclose(id_);
}

Dataset::Dataset(Dataset&& other) noexcept
    : state_(std::move(other.state_)),
      id_(std::exchange(other.id_, -1)),
      path_(std::move(other.path_)),
      type_(other.type_),
      shape_(std::move(other.shape_)) {}

Dataset& Dataset::operator=(Dataset&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(id_, other.id_);
  std::swap(path_, other.path_);
  std::swap(type_, other.type_);
  std::swap(shape_, other.shape_);
  return *this;
}

void Dataset::refresh() {
  const Handle type = state_->handle(H5Dget_type(id_), H5Tclose, path_, "cannot read the type");
  type_ = detail::stored_type(type);
  const Handle space = state_->handle(H5Dget_space(id_), H5Sclose, path_, "cannot read the shape");
  if (H5Sget_simple_extent_type(space) == H5S_NULL)
    throw InputError(153, Place{state_->display_path}, path_ + ": is empty");
  const int rank = state_->check(H5Sget_simple_extent_ndims(space), path_, "cannot read the rank");
  if (rank > kMaxRank)
    throw InputError(153, Place{state_->display_path},
                     path_ + ": has " + std::to_string(rank) + " axes");
  hsize_t extents[kMaxRank] = {};
  state_->check(H5Sget_simple_extent_dims(space, extents, nullptr), path_, "cannot read the shape");
  shape_.assign(extents, extents + rank);
}

std::uint64_t Dataset::size() const { return element_count(shape_); }

void Dataset::expect_shape(const Shape& expected) const {
  bool same = shape_.size() == expected.size();
  for (std::size_t i = 0; same && i < expected.size(); ++i)
    same = expected[i] == 0 || expected[i] == shape_[i];
  if (same) return;
  std::string wanted = to_string(expected);
  for (std::size_t at; (at = wanted.find("[0")) != std::string::npos;) wanted.replace(at, 2, "[N");
  for (std::size_t at; (at = wanted.find(" 0")) != std::string::npos;) wanted.replace(at, 2, " N");
  throw InputError(153, Place{state_->display_path},
                   path_ + ": has shape " + to_string(shape_) + ", not " + wanted);
}

void Dataset::check_block(const Shape& offset, const Shape& count, std::size_t elements) const {
  bool inside = offset.size() == shape_.size() && count.size() == shape_.size();
  for (std::size_t i = 0; inside && i < count.size(); ++i)
    inside = offset[i] <= shape_[i] && count[i] <= shape_[i] - offset[i];
  if (!inside || element_count(count) != elements)
    throw InternalError("block " + to_string(offset) + "+" + to_string(count) + " of " + path_ +
                        " with shape " + to_string(shape_));
}

void Dataset::check_readable(Type memory, const Shape& count) const {
  state_->check_open();
  if (!detail::fits(type_, memory))
    throw InputError(
        152, Place{state_->display_path},
        path_ + ": has type " + to_string(type_) + ", which does not fit " + to_string(memory));
  const std::uint64_t bytes = saturating_multiply(element_count(count), detail::type_size(memory));
  if (bytes > state_->limits.max_bytes) too_large(*state_, path_, "it", bytes);
  if (bytes <= kFreeBytes) return;
  const Call call;
  const std::uint64_t stored =
      std::min<std::uint64_t>(H5Dget_storage_size(id_), state_->file_bytes);
  const std::uint64_t widening = 8;  // a stored byte may become a double
  if (bytes / kMaxExpansion / widening > stored) too_large(*state_, path_, "it", bytes);
}

void Dataset::read_raw(Type memory, const Shape& offset, const Shape& count, void* out) const {
  state_->check_open();
  if (element_count(count) == 0) return;
  const Call call;
  const Handle block = file_block(*state_, id_, offset, count, path_);
  const Handle target = memory_space(*state_, count, path_);
  state_->check(H5Dread(id_, detail::memory_type(memory), target, block, H5P_DEFAULT, out), path_,
                "cannot read");
}

void Dataset::write_raw(Type memory, const Shape& offset, const Shape& count, const void* values) {
  state_->check_open();
  if (element_count(count) == 0) return;
  const Call call;
  const Handle block = file_block(*state_, id_, offset, count, path_);
  const Handle source = memory_space(*state_, count, path_);
  state_->check(H5Dwrite(id_, detail::memory_type(memory), source, block, H5P_DEFAULT, values),
                path_, "cannot write");
  state_->check_writes();
}

std::vector<std::string> Dataset::read_text() const {
  state_->check_open();
  if (type_ != Type::text || shape_.size() > 1)
    throw InputError(152, Place{state_->display_path}, path_ + ": is not a list of texts");
  const Call call;
  const std::uint64_t n = size();
  if (n > state_->file_bytes / 8 + 1)  // each text needs a reference of 16 bytes, or its own bytes
    if (n > (std::uint64_t{1} << 16)) too_large(*state_, path_, "it", saturating_multiply(n, 16));
  const Handle type = state_->handle(H5Dget_type(id_), H5Tclose, path_, "cannot read the type");
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(n));
  if (n == 0) return texts;
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory = detail::text_type();
    if (H5Tget_cset(type) == H5T_CSET_ASCII) H5Tset_cset(memory, H5T_CSET_ASCII);
    std::vector<char*> pointers(static_cast<std::size_t>(n), nullptr);
    const Handle space = memory_space(*state_, shape_, path_);
    const herr_t result = H5Dread(id_, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data());
    if (result >= 0)
      for (const char* text : pointers) texts.push_back(printable(*state_, text));
    if (result >= 0) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
    state_->check(result, path_, "cannot read");
    return texts;
  }
  const std::size_t width = H5Tget_size(type);
  const std::uint64_t bytes = saturating_multiply(n, width);
  if (width > state_->limits.max_text ||
      (bytes > kFreeBytes && bytes / kMaxExpansion > state_->file_bytes))
    too_large(*state_, path_, "it", bytes);
  std::string buffer(static_cast<std::size_t>(bytes), '\0');
  state_->check(H5Dread(id_, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()), path_,
                "cannot read");
  for (std::size_t i = 0; i < n; ++i) {
    const char* text = buffer.data() + i * width;
    texts.emplace_back(text, strnlen(text, width));
  }
  return texts;
}

void Dataset::resize(std::uint64_t rows) {
  state_->check_open();
  const Call call;
  std::vector<hsize_t> extents(shape_.begin(), shape_.end());
  extents.at(0) = rows;
  state_->check(H5Dset_extent(id_, extents.data()), path_, "cannot grow");
  shape_[0] = rows;
}

Shape Dataset::grow(std::size_t elements) {
  std::uint64_t row = 1;
  for (std::size_t i = 1; i < shape_.size(); ++i) row *= shape_[i];
  if (shape_.empty() || row == 0 || elements % row != 0)
    throw InternalError("append of " + std::to_string(elements) + " elements to " + path_ +
                        " with shape " + to_string(shape_));
  Shape at(shape_.size(), 0);
  at[0] = shape_[0];
  if (elements > 0) resize(shape_[0] + elements / row);
  return at;
}

void Dataset::append_text(std::span<const std::string> texts) {
  const Shape at = grow(texts.size());
  if (texts.empty()) return;
  const Call call;
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const Shape count{texts.size()};
  const Handle block = file_block(*state_, id_, at, count, path_);
  const Handle source = memory_space(*state_, count, path_);
  const Handle type = detail::text_type();
  state_->check(H5Dwrite(id_, type, source, block, H5P_DEFAULT, pointers.data()), path_,
                "cannot write");
  state_->check_writes();
}

void Dataset::write_filtered_chunk(const Shape& offset, std::span<const std::byte> bytes) {
  state_->check_open();
  const Call call;
  const std::vector<hsize_t> at(offset.begin(), offset.end());
  state_->check(H5Dwrite_chunk(id_, H5P_DEFAULT, 0, at.data(), bytes.size(), bytes.data()), path_,
                "cannot write");
  state_->check_writes();
}

namespace {

Handle creation_list(const FileState& state, const std::string& dataset, const Shape& shape,
                     const DatasetOptions& options) {
  Handle list =
      state.handle(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, dataset, "cannot set up the dataset");
  state.check(H5Pset_obj_track_times(list, false), dataset, "cannot turn off time tracking");
  if (options.chunk.empty()) return list;
  if (options.chunk.size() != shape.size())
    throw InternalError(dataset + ": chunk and shape have different ranks");
  const std::vector<hsize_t> chunk(options.chunk.begin(), options.chunk.end());
  state.check(H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data()), dataset,
              "cannot set the chunk shape");
  if (options.deflate) {
    state.check(H5Pset_shuffle(list), dataset, "cannot set up compression");
    state.check(H5Pset_deflate(list, kDeflateLevel), dataset, "cannot set up compression");
  }
  return list;
}

Handle data_space(const FileState& state, const std::string& dataset, const Shape& shape,
                  bool extendible) {
  if (shape.empty())
    return state.handle(H5Screate(H5S_SCALAR), H5Sclose, dataset, "cannot set up the shape");
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  std::vector<hsize_t> most = extents;
  if (extendible) most[0] = H5S_UNLIMITED;
  return state.handle(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), most.data()), H5Sclose,
      dataset, "cannot set up the shape");
}

}  // namespace

Dataset File::create_dataset(const std::string& dataset, Type type, const Shape& shape,
                             const DatasetOptions& options) {
  state_->check_open();
  const Call call;
  const Handle creation = creation_list(*state_, dataset, shape, options);
  const Handle space = data_space(*state_, dataset, shape, options.extendible);
  Handle text;
  if (type == Type::text) text = detail::text_type();
  const hid_t stored = type == Type::text ? static_cast<hid_t>(text) : detail::file_type(type);
  const hid_t id = state_->check(
      H5Dcreate2(state_->id, dataset.c_str(), stored, space, H5P_DEFAULT, creation, H5P_DEFAULT),
      dataset, "cannot create the dataset");
  return Dataset(state_, id, dataset);
}

void File::write_text(const std::string& dataset, std::span<const std::string> texts) {
  DatasetOptions options;
  options.chunk = {std::max<std::uint64_t>(1, texts.size())};
  options.extendible = true;
  create_dataset(dataset, Type::text, {0}, options).append_text(texts);
}

Dataset File::dataset(const std::string& path) const {
  state_->check_open();
  const Call call;
  if (!state_->writing) {
    if (!exists(path))
      throw InputError(151, Place{state_->display_path}, path + ": no such dataset in the file");
    if (!is_dataset(path))
      throw InputError(152, Place{state_->display_path}, path + ": is not a dataset of this file");
  }
  Handle id = state_->handle(H5Dopen2(state_->id, path.c_str(), H5P_DEFAULT), H5Dclose, path,
                             "cannot open");
  if (!state_->writing) check_storage(*state_, id, path);
  return Dataset(state_, id.release(), path);
}

}  // namespace axmul::h5
