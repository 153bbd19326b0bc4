// One HDF5 call sequence: the process-wide lock, silence, handles and the library's own message.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "axmul/io/h5.hpp"
#include "io/h5_driver.hpp"

namespace axmul::h5::detail {

// HDF5 keeps global state; a build without thread safety needs all of it under one lock.
std::recursive_mutex& hdf5_lock();

// Held around every use of the library: the lock, and no error printing until it ends.
class Call {
 public:
  Call() : lock_(hdf5_lock()) {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Call() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  std::lock_guard<std::recursive_mutex> lock_;
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// Owns one HDF5 id; use inside a Call.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      closer_ = other.closer_;
    }
    return *this;
  }
  operator hid_t() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }

 private:
  void reset() {
    if (id_ >= 0) closer_(id_);
    id_ = -1;
  }
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

// The innermost reason on the library's error stack, "" when there is none.
std::string hdf5_message();

struct FileState {
  std::string path;
  std::string display_path;
  bool writing = false;
  hid_t id = -1;
  Limits limits;
  std::uint64_t file_bytes = 0;
  WriteFailure failure;

  ~FileState();

  // Throws OutputError or InputError about an object of this file, with HDF5's reason appended.
  [[noreturn]] void fail(int id, const std::string& object, const std::string& what) const;
  // Throws OutputError when the driver has noted a failed write.
  void check_writes() const;
  // Throws InternalError once the file is closed.
  void check_open() const;

  template <class T>
  T check(T result, const std::string& object, const char* what) const {
    if (result < 0) fail(150, object, what);
    return result;
  }
  Handle handle(hid_t id_value, Handle::Closer closer, const std::string& object,
                const char* what) const {
    return Handle(check(id_value, object, what), closer);
  }
};

Type stored_type(hid_t datatype);
hid_t file_type(Type type);
hid_t memory_type(Type type);
std::size_t type_size(Type type);
// Whether every value of the stored type is one of the memory type: nothing is clamped silently.
bool fits(Type stored, Type memory);
Handle text_type();

}  // namespace axmul::h5::detail
