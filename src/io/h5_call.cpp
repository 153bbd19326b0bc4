// The lock, messages, types and state behind axmul/io/h5.hpp.
#include "io/h5_call.hpp"

#include <cstring>

#include "axmul/core/errors.hpp"

namespace axmul::h5 {

std::string to_string(Type type) {
  switch (type) {
    case Type::int8:
      return "int8";
    case Type::uint8:
      return "uint8";
    case Type::int16:
      return "int16";
    case Type::uint16:
      return "uint16";
    case Type::int32:
      return "int32";
    case Type::uint32:
      return "uint32";
    case Type::int64:
      return "int64";
    case Type::uint64:
      return "uint64";
    case Type::float32:
      return "float32";
    case Type::float64:
      return "float64";
    case Type::text:
      return "text";
    case Type::other:
      return "another type";
  }
  return "another type";
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

namespace detail {

std::recursive_mutex& hdf5_lock() {
  static std::recursive_mutex lock;
  return lock;
}

std::string hdf5_message() {
  std::string message;
  const auto keep_last = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr && *error->desc != '\0')
      *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  // Downward: from the API call to where it went wrong, so the last one kept is the reason.
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_last, &message);
  return message;
}

FileState::~FileState() {
  if (id < 0) return;
  const Call call;
  H5Fclose(id);
}

void FileState::fail(int error_id, const std::string& object, const std::string& what) const {
  if (writing) check_writes();
  if (failure.error_number != 0)
    throw InputError(150, Place{display_path},
                     std::string("cannot open: ") + std::strerror(failure.error_number));
  const std::string reason = hdf5_message();
  const std::string message = (object.empty() ? "" : object + ": ") + what +
                              (reason.empty() ? "" : " (HDF5: " + reason + ")");
  if (writing) throw OutputError(160, display_path + ": " + message);
  throw InputError(error_id, Place{display_path}, message);
}

void FileState::check_writes() const {
  if (failure.error_number == 0) return;
  throw OutputError(160, display_path + ": cannot write: " + std::strerror(failure.error_number));
}

void FileState::check_open() const {
  if (id < 0) throw InternalError("HDF5 file used after close(): " + display_path);
}

Type stored_type(hid_t datatype) {
  const H5T_class_t kind = H5Tget_class(datatype);
  if (kind == H5T_STRING) return Type::text;
  const std::size_t bytes = H5Tget_size(datatype);
  if (kind == H5T_FLOAT) {
    return bytes == 4 ? Type::float32 : bytes == 8 ? Type::float64 : Type::other;
  }
  if (kind != H5T_INTEGER) return Type::other;
  const bool has_sign = H5Tget_sign(datatype) == H5T_SGN_2;
  switch (bytes) {
    case 1:
      return has_sign ? Type::int8 : Type::uint8;
    case 2:
      return has_sign ? Type::int16 : Type::uint16;
    case 4:
      return has_sign ? Type::int32 : Type::uint32;
    case 8:
      return has_sign ? Type::int64 : Type::uint64;
    default:
      return Type::other;
  }
}

hid_t file_type(Type type) {
  switch (type) {
    case Type::int8:
      return H5T_STD_I8LE;
    case Type::uint8:
      return H5T_STD_U8LE;
    case Type::int16:
      return H5T_STD_I16LE;
    case Type::uint16:
      return H5T_STD_U16LE;
    case Type::int32:
      return H5T_STD_I32LE;
    case Type::uint32:
      return H5T_STD_U32LE;
    case Type::int64:
      return H5T_STD_I64LE;
    case Type::uint64:
      return H5T_STD_U64LE;
    case Type::float32:
      return H5T_IEEE_F32LE;
    case Type::float64:
      return H5T_IEEE_F64LE;
    default:
      throw InternalError("no HDF5 file type for " + to_string(type));
  }
}

hid_t memory_type(Type type) {
  switch (type) {
    case Type::int8:
      return H5T_NATIVE_INT8;
    case Type::uint8:
      return H5T_NATIVE_UINT8;
    case Type::int16:
      return H5T_NATIVE_INT16;
    case Type::uint16:
      return H5T_NATIVE_UINT16;
    case Type::int32:
      return H5T_NATIVE_INT32;
    case Type::uint32:
      return H5T_NATIVE_UINT32;
    case Type::int64:
      return H5T_NATIVE_INT64;
    case Type::uint64:
      return H5T_NATIVE_UINT64;
    case Type::float32:
      return H5T_NATIVE_FLOAT;
    case Type::float64:
      return H5T_NATIVE_DOUBLE;
    default:
      throw InternalError("no HDF5 memory type for " + to_string(type));
  }
}

std::size_t type_size(Type type) {
  switch (type) {
    case Type::int8:
    case Type::uint8:
      return 1;
    case Type::int16:
    case Type::uint16:
      return 2;
    case Type::int32:
    case Type::uint32:
    case Type::float32:
      return 4;
    default:
      return 8;
  }
}

namespace {
bool is_unsigned(Type type) {
  return type == Type::uint8 || type == Type::uint16 || type == Type::uint32 ||
         type == Type::uint64;
}
bool is_float(Type type) { return type == Type::float32 || type == Type::float64; }
}  // namespace

bool fits(Type stored, Type memory) {
  if (stored == Type::text || stored == Type::other || memory == Type::text) return false;
  if (stored == memory) return true;
  if (is_float(memory)) {
    if (is_float(stored)) return type_size(memory) >= type_size(stored);
    return type_size(stored) < type_size(memory);  // integer that the mantissa holds
  }
  if (is_float(stored)) return false;
  if (is_unsigned(stored) == is_unsigned(memory)) return type_size(stored) <= type_size(memory);
  return is_unsigned(stored) && type_size(stored) < type_size(memory);
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
      H5Tset_strpad(type, H5T_STR_NULLTERM) < 0)
    throw InternalError("cannot make the HDF5 text type");
  return type;
}

}  // namespace detail
}  // namespace axmul::h5
