// The HDF5 file driver of axmul: plain POSIX I/O that survives a full disk.
#include "io/h5_driver.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace axmul::h5::detail {

namespace {

struct OpenFile {
  H5FD_t base;  // must be first: HDF5 sees only this part
  int descriptor;
  haddr_t end_of_addresses;
  haddr_t end_of_file;
  WriteFailure* failure;
};

// Handed from use_checked_driver to the open callback; both run under the HDF5 lock.
WriteFailure* g_next_failure = nullptr;

OpenFile* self(H5FD_t* file) { return reinterpret_cast<OpenFile*>(file); }
const OpenFile* self(const H5FD_t* file) { return reinterpret_cast<const OpenFile*>(file); }

void note(OpenFile& file, int error_number) {
  if (file.failure->error_number == 0) file.failure->error_number = error_number;
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t, haddr_t) {
  int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  if ((flags & H5F_ACC_CREAT) != 0) mode |= O_CREAT;
  if ((flags & H5F_ACC_TRUNC) != 0) mode |= O_TRUNC;
  if ((flags & H5F_ACC_EXCL) != 0) mode |= O_EXCL;
  const int descriptor = open(name, mode | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    g_next_failure->error_number = errno;
    return nullptr;
  }
  struct stat status {};
  OpenFile* file = fstat(descriptor, &status) == 0 ? new (std::nothrow) OpenFile{} : nullptr;
  if (file == nullptr) {
    close(descriptor);
    return nullptr;
  }
  file->descriptor = descriptor;
  file->end_of_file = static_cast<haddr_t>(status.st_size);
  file->failure = g_next_failure;
  file->failure->error_number = 0;  // H5Fcreate tries first whether the file is there
  return &file->base;
}

herr_t close_file(H5FD_t* base) {
  OpenFile* file = self(base);
  if (close(file->descriptor) != 0) note(*file, errno);
  delete file;
  return 0;
}

int compare_files(const H5FD_t* x, const H5FD_t* y) { return x < y ? -1 : x > y ? 1 : 0; }

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_eoa(const H5FD_t* file, H5FD_mem_t) { return self(file)->end_of_addresses; }

herr_t set_eoa(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  self(file)->end_of_addresses = address;
  return 0;
}

haddr_t get_eof(const H5FD_t* file, H5FD_mem_t) { return self(file)->end_of_file; }

herr_t read_bytes(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t address, size_t size, void* buffer) {
  OpenFile* file = self(base);
  char* out = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = pread(file->descriptor, out, size, static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {  // past the end: HDF5 wants zeros there
      std::memset(out, 0, size);
      return 0;
    }
    out += got;
    address += static_cast<haddr_t>(got);
    size -= static_cast<size_t>(got);
  }
  return 0;
}

herr_t write_bytes(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t address, size_t size,
                   const void* buffer) {
  OpenFile* file = self(base);
  const char* in = static_cast<const char*>(buffer);
  const haddr_t end = address + size;
  while (size > 0 && file->failure->error_number == 0) {
    const ssize_t put = pwrite(file->descriptor, in, size, static_cast<off_t>(address));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      note(*file, put < 0 ? errno : EIO);
      break;
    }
    in += put;
    address += static_cast<haddr_t>(put);
    size -= static_cast<size_t>(put);
  }
  file->end_of_file = std::max(file->end_of_file, end);
  return 0;
}

herr_t truncate_file(H5FD_t* base, hid_t, hbool_t) {
  OpenFile* file = self(base);
  if (file->end_of_addresses == file->end_of_file) return 0;
  if (file->failure->error_number == 0 &&
      ftruncate(file->descriptor, static_cast<off_t>(file->end_of_addresses)) != 0)
    note(*file, errno);
  file->end_of_file = file->end_of_addresses;
  return 0;
}

hid_t register_driver() {
  static H5FD_class_t driver = [] {
    H5FD_class_t c{};
#ifdef H5FD_CLASS_VERSION
    c.version = H5FD_CLASS_VERSION;
    c.value = static_cast<H5FD_class_value_t>(600);
#endif
    c.name = "axmul_checked";
    c.maxaddr = (haddr_t{1} << 62) - 1;
    c.fc_degree = H5F_CLOSE_STRONG;
    c.open = open_file;
    c.close = close_file;
    c.cmp = compare_files;
    c.query = query;
    c.get_eoa = get_eoa;
    c.set_eoa = set_eoa;
    c.get_eof = get_eof;
    c.read = read_bytes;
    c.write = write_bytes;
    c.truncate = truncate_file;
    const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
    std::copy(std::begin(map), std::end(map), std::begin(c.fl_map));
    return c;
  }();
  return H5FDregister(&driver);
}

}  // namespace

herr_t use_checked_driver(hid_t access_list, WriteFailure* failure) {
  static const hid_t driver = register_driver();
  g_next_failure = failure;
  return driver < 0 ? -1 : H5Pset_driver(access_list, driver, nullptr);
}

}  // namespace axmul::h5::detail
