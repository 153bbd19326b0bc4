// HDF5 files: opening, groups, dimension scales and attributes (datasets are in h5_dataset.cpp).
#include "axmul/io/h5.hpp"

#include <hdf5.h>
#include <hdf5_hl.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "axmul/core/errors.hpp"
#include "io/h5_call.hpp"
#include "io/h5_probe.hpp"

namespace axmul::h5 {

using detail::Call;
using detail::FileState;
using detail::Handle;

namespace {

constexpr unsigned kDeflateLevel = 4;

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Handle access_list(FileState& state) {
  Handle list = state.handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "", "cannot set up access");
  state.check(detail::use_checked_driver(list, &state.failure), "", "cannot set up the driver");
  // Close every object with the file, so that close() is the end of all writing.
  state.check(H5Pset_fclose_degree(list, H5F_CLOSE_STRONG), "", "cannot set up closing");
  state.check(H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18), "",
              "cannot set the version bounds");
  return list;
}

// Reads every component of a path, so that a missing one and a link out of the file are told.
void require_path(const FileState& state, const std::string& object) {
  if (object == "/") return;
  for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string part = object.substr(0, end);
    if (H5Lexists(state.id, part.c_str(), H5P_DEFAULT) <= 0)
      throw InputError(151, Place{state.display_path}, part + ": no such object in the file");
    H5L_info_t info;
    state.check(H5Lget_info(state.id, part.c_str(), &info, H5P_DEFAULT), part, "cannot read");
    if (info.type != H5L_TYPE_HARD && info.type != H5L_TYPE_SOFT)
      throw InputError(155, Place{state.display_path}, part + ": leads out of the file");
    if (end == std::string::npos) return;
  }
}

Handle open_object(const FileState& state, const std::string& object) {
  if (!state.writing) require_path(state, object);
  return state.handle(H5Oopen(state.id, object.c_str(), H5P_DEFAULT), H5Oclose, object,
                      "cannot open");
}

bool path_exists(const FileState& state, const std::string& object) {
  if (object == "/") return true;
  for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string part = object.substr(0, end);
    if (H5Lexists(state.id, part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

Kind kind_of(hid_t place, const char* name) {
  H5L_info_t info;
  if (H5Lget_info(place, name, &info, H5P_DEFAULT) < 0) return Kind::other;
  if (info.type != H5L_TYPE_HARD && info.type != H5L_TYPE_SOFT) return Kind::other;
  const Handle object(H5Oopen(place, name, H5P_DEFAULT), H5Oclose);
  if (object < 0) return Kind::other;
  const H5I_type_t type = H5Iget_type(object);
  return type == H5I_GROUP ? Kind::group : type == H5I_DATASET ? Kind::dataset : Kind::other;
}

}  // namespace

File::File(std::shared_ptr<FileState> state) : state_(std::move(state)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

File File::create(const std::string& path) {
  const Call call;
  auto state = std::make_shared<FileState>();
  state->path = state->display_path = path;
  state->writing = true;
  const Handle access = access_list(*state);
  const Handle creation =
      state->handle(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "", "cannot set up creation");
  state->check(H5Pset_obj_track_times(creation, false), "", "cannot turn off time tracking");
  state->check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
               "", "cannot keep the order of creation");
  state->id = state->check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), "",
                           "cannot create the file");
  return File(std::move(state));
}

bool File::is_hdf5(const std::string& path) {
  static constexpr char kSignature[8] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  // The superblock may follow a user block of 512 · 2^n bytes.
  for (std::streamoff at = 0; file.seekg(at); at = at == 0 ? 512 : at * 2) {
    char bytes[8];
    if (!file.read(bytes, sizeof bytes)) return false;
    if (std::equal(std::begin(bytes), std::end(bytes), kSignature)) return true;
  }
  return false;
}

std::vector<std::string> take_unrehearsed_files() { return detail::take_unrehearsed(); }

File File::open(const std::string& path, const Limits& limits) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw InputError(150, Place{path}, "no such file");
  if (!std::filesystem::is_regular_file(status))
    throw InputError(150, Place{path}, "is not a regular file, so not HDF5");
  const Call call;
  if (limits.probe) detail::probe_file(path);
  auto state = std::make_shared<FileState>();
  state->path = state->display_path = path;
  state->limits = limits;
  state->file_bytes = std::filesystem::file_size(path, error);
  const Handle access = access_list(*state);
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access);
  if (id < 0 && state->failure.error_number == 0 && !is_hdf5(path))
    throw InputError(150, Place{path}, "is not an HDF5 file");
  state->id = state->check(id, "", "cannot be opened as HDF5; truncated or damaged?");
  return File(std::move(state));
}

void File::close() {
  state_->check_open();
  const Call call;
  const hid_t id = std::exchange(state_->id, -1);
  const herr_t result = H5Fclose(id);
  state_->check(result, "", "cannot finish the file");
  if (state_->writing) state_->check_writes();
}

void File::flush() {
  state_->check_open();
  const Call call;
  state_->check(H5Fflush(state_->id, H5F_SCOPE_GLOBAL), "", "cannot write");
  state_->check_writes();
}

const std::string& File::path() const { return state_->path; }
void File::set_display_path(const std::string& path) { state_->display_path = path; }

bool File::exists(const std::string& object) const {
  state_->check_open();
  const Call call;
  return path_exists(*state_, object);
}

bool File::is_group(const std::string& object) const {
  state_->check_open();
  const Call call;
  return path_exists(*state_, object) && kind_of(state_->id, object.c_str()) == Kind::group;
}

bool File::is_dataset(const std::string& object) const {
  state_->check_open();
  const Call call;
  return path_exists(*state_, object) && kind_of(state_->id, object.c_str()) == Kind::dataset;
}

std::vector<Entry> File::list(const std::string& group) const {
  state_->check_open();
  const Call call;
  const Handle object = open_object(*state_, group);
  if (H5Iget_type(object) != H5I_GROUP)
    throw InputError(152, Place{state_->display_path}, group + ": is not a group");
  const Handle creation =
      state_->handle(H5Gget_create_plist(object), H5Pclose, group, "cannot read the group");
  unsigned order = 0;
  state_->check(H5Pget_link_creation_order(creation, &order), group, "cannot read the group");
  const H5_index_t index =
      (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  state_->check(H5Literate(object, index, H5_ITER_INC, nullptr, collect, &names), group,
                "cannot list the group");
  std::vector<Entry> entries;
  entries.reserve(names.size());
  for (std::string& name : names) {
    const Kind kind = kind_of(object, name.c_str());
    entries.push_back({std::move(name), kind});
  }
  return entries;
}

void File::create_group(const std::string& group) {
  state_->check_open();
  const Call call;
  const Handle creation =
      state_->handle(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, group, "cannot set up the group");
  state_->check(H5Pset_obj_track_times(creation, false), group, "cannot turn off time tracking");
  state_->check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
                group, "cannot keep the order of creation");
  const Handle made =
      state_->handle(H5Gcreate2(state_->id, group.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT),
                     H5Gclose, group, "cannot create the group");
}

void File::make_scale(const std::string& dataset, const std::string& name) {
  state_->check_open();
  const Call call;
  const Handle object = open_object(*state_, dataset);
  const std::string label = name.empty() ? last_part(dataset) : name;
  state_->check(H5DSset_scale(object, label.c_str()), dataset, "cannot make a dimension scale");
}

namespace {

// The text by which netCDF-4 marks a dimension that has no coordinate variable, "%10d" after it.
std::string plain_dimension_mark(std::uint64_t length) {
  std::string digits = std::to_string(length);
  digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), ' ');
  return "This is a netCDF dimension but not a netCDF variable." + digits;
}

}  // namespace

Dataset File::create_plain_dimension(const std::string& dataset, std::uint64_t length,
                                     bool extendible) {
  DatasetOptions options;
  options.extendible = extendible;
  if (extendible) options.chunk = {1024};
  Dataset made = create_dataset(dataset, Type::float32, {length}, options);
  make_scale(dataset, plain_dimension_mark(length));
  return made;
}

void File::resize_plain_dimension(Dataset& dimension, std::uint64_t length) {
  dimension.resize(length);
  const Call call;
  const std::string& path = dimension.path();
  state_->check(H5LTset_attribute_string(state_->id, path.c_str(), "NAME",
                                         plain_dimension_mark(length).c_str()),
                path, "cannot name a dimension");
}

void File::attach_scale(const std::string& dataset, unsigned axis, const std::string& scale) {
  state_->check_open();
  const Call call;
  const Handle object = open_object(*state_, dataset);
  const Handle scale_object = open_object(*state_, scale);
  state_->check(H5DSattach_scale(object, scale_object, axis), dataset, "cannot attach a scale");
  state_->check(H5DSset_label(object, axis, last_part(scale).c_str()), dataset,
                "cannot label an axis");
}

namespace {

Handle new_attribute(const FileState& state, const std::string& object, const std::string& name,
                     hid_t type, hid_t space) {
  const Handle owner = open_object(state, object);
  if (H5Aexists(owner, name.c_str()) > 0)
    state.check(H5Adelete(owner, name.c_str()), object, "cannot replace an attribute");
  return state.handle(H5Acreate2(owner, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose, object + "@" + name, "cannot create the attribute");
}

void write_attribute(const FileState& state, const std::string& object, const std::string& name,
                     hid_t file_type, hid_t memory_type, const hsize_t* length,
                     const void* values) {
  state.check_open();
  const Handle space =
      state.handle(length == nullptr ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, length, nullptr),
                   H5Sclose, object, "cannot set up an attribute");
  const Handle attribute = new_attribute(state, object, name, file_type, space);
  state.check(H5Awrite(attribute, memory_type, values), object + "@" + name, "cannot write");
  state.check_writes();
}

struct OpenAttribute {
  Handle attribute, type, space;
  hssize_t count = 0;
};

// Nothing (count −1) where it is missing; refuses more than `most` values before reading any.
OpenAttribute open_attribute(const FileState& state, const std::string& object,
                             const std::string& name, hssize_t most) {
  state.check_open();
  const Handle owner = open_object(state, object);
  OpenAttribute open;
  open.count = -1;
  const std::string label = object + "@" + name;
  if (state.check(H5Aexists(owner, name.c_str()), label, "cannot read") == 0) return open;
  open.attribute =
      state.handle(H5Aopen(owner, name.c_str(), H5P_DEFAULT), H5Aclose, label, "cannot read");
  open.type = state.handle(H5Aget_type(open.attribute), H5Tclose, label, "cannot read the type");
  open.space = state.handle(H5Aget_space(open.attribute), H5Sclose, label, "cannot read the shape");
  open.count = state.check(H5Sget_simple_extent_npoints(open.space), label, "cannot read");
  if (open.count < 1 || open.count > most)
    throw InputError(153, Place{state.display_path},
                     label + ": has " + std::to_string(open.count) + " values, not " +
                         (most == 1 ? "one" : "1 to " + std::to_string(most)));
  return open;
}

[[noreturn]] void wrong_attribute_type(const FileState& state, const std::string& object,
                                       const std::string& name, hid_t type, const char* wanted) {
  throw InputError(
      152, Place{state.display_path},
      object + "@" + name + ": is " + to_string(detail::stored_type(type)) + ", not " + wanted);
}

// The one text of an attribute of fixed or variable length.
std::string read_attribute_text(const FileState& state, const OpenAttribute& open,
                                const std::string& label) {
  if (H5Tis_variable_str(open.type) > 0) {
    const Handle memory = detail::text_type();
    if (H5Tget_cset(open.type) == H5T_CSET_ASCII) H5Tset_cset(memory, H5T_CSET_ASCII);
    char* text = nullptr;
    state.check(H5Aread(open.attribute, memory, &text), label, "cannot read");
    const std::string result =
        text == nullptr ? "" : std::string(text, strnlen(text, state.limits.max_text));
    H5free_memory(text);
    return result;
  }
  const std::size_t bytes = H5Tget_size(open.type);
  if (bytes > state.limits.max_text)
    throw InputError(154, Place{state.display_path},
                     label + ": a text of " + std::to_string(bytes) + " bytes is too long");
  std::string text(bytes, '\0');
  state.check(H5Aread(open.attribute, open.type, text.data()), label, "cannot read");
  text.resize(strnlen(text.data(), bytes));
  if (H5Tget_strpad(open.type) == H5T_STR_SPACEPAD)
    while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

void File::set_attribute(const std::string& object, const std::string& name,
                         const std::string& text) {
  const Call call;
  const Handle type = detail::text_type();
  const char* pointer = text.c_str();
  write_attribute(*state_, object, name, type, type, nullptr, &pointer);
}

void File::set_attribute(const std::string& object, const std::string& name, std::int64_t value) {
  const Call call;
  write_attribute(*state_, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, nullptr, &value);
}

void File::set_attribute(const std::string& object, const std::string& name, double value) {
  const Call call;
  write_attribute(*state_, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, nullptr, &value);
}

void File::set_attribute(const std::string& object, const std::string& name,
                         std::span<const double> values) {
  const Call call;
  const hsize_t length = values.size();
  write_attribute(*state_, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &length, values.data());
}

bool File::has_attribute(const std::string& object, const std::string& name) const {
  state_->check_open();
  const Call call;
  const Handle owner = open_object(*state_, object);
  return H5Aexists(owner, name.c_str()) > 0;
}

std::vector<std::string> File::attributes(const std::string& object) const {
  state_->check_open();
  const Call call;
  const Handle owner = open_object(*state_, object);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  hsize_t at = 0;
  state_->check(H5Aiterate2(owner, H5_INDEX_NAME, H5_ITER_INC, &at, collect, &names), object,
                "cannot list attributes");
  return names;
}

std::optional<std::string> File::attribute_text(const std::string& object,
                                                const std::string& name) const {
  const Call call;
  const OpenAttribute open = open_attribute(*state_, object, name, 1);
  if (open.count < 0) return std::nullopt;
  if (H5Tget_class(open.type) != H5T_STRING)
    wrong_attribute_type(*state_, object, name, open.type, "text");
  return read_attribute_text(*state_, open, object + "@" + name);
}

std::optional<std::int64_t> File::attribute_int(const std::string& object,
                                                const std::string& name) const {
  const Call call;
  const OpenAttribute open = open_attribute(*state_, object, name, 1);
  if (open.count < 0) return std::nullopt;
  if (!detail::fits(detail::stored_type(open.type), Type::int64))
    wrong_attribute_type(*state_, object, name, open.type, "an integer");
  std::int64_t value = 0;
  state_->check(H5Aread(open.attribute, H5T_NATIVE_INT64, &value), object + "@" + name,
                "cannot read");
  return value;
}

std::optional<std::vector<double>> File::attribute_doubles(const std::string& object,
                                                           const std::string& name) const {
  const Call call;
  const OpenAttribute open = open_attribute(*state_, object, name, 1 << 20);
  if (open.count < 0) return std::nullopt;
  const Type stored = detail::stored_type(open.type);
  if (stored == Type::text || stored == Type::other)
    wrong_attribute_type(*state_, object, name, open.type, "a number");
  std::vector<double> values(static_cast<std::size_t>(open.count));
  state_->check(H5Aread(open.attribute, H5T_NATIVE_DOUBLE, values.data()), object + "@" + name,
                "cannot read");
  return values;
}

std::optional<double> File::attribute_double(const std::string& object,
                                             const std::string& name) const {
  const auto values = attribute_doubles(object, name);
  if (!values) return std::nullopt;
  if (values->size() != 1)
    throw InputError(
        153, Place{state_->display_path},
        object + "@" + name + ": has " + std::to_string(values->size()) + " values, not one");
  return values->front();
}

std::vector<std::byte> deflate_chunk(std::span<const std::int32_t> chunk) {
  // HDF5's shuffle filter: all first bytes of the elements, then all second bytes, ….
  const std::size_t n = chunk.size();
  std::vector<unsigned char> shuffled(4 * n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::uint32_t>(chunk[i]);
    for (std::size_t byte = 0; byte < 4; ++byte)
      shuffled[byte * n + i] = static_cast<unsigned char>(value >> (8 * byte));
  }
  uLongf length = compressBound(static_cast<uLong>(shuffled.size()));
  std::vector<std::byte> packed(length);
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &length, shuffled.data(),
                static_cast<uLong>(shuffled.size()), kDeflateLevel) != Z_OK)
    throw InternalError("zlib cannot compress a chunk");
  packed.resize(length);
  return packed;
}

}  // namespace axmul::h5
