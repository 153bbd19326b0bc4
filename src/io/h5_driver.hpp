// The HDF5 file driver of axmul: plain POSIX I/O that survives a full disk.
//
// With HDF5's own driver a failed write makes H5Fclose fail too; the file then stays open inside
// the library, which retries at exit and prints to stderr. This driver notes the first failed
// write, lets the library believe in success, and the caller reports the note.
#pragma once

#include <hdf5.h>

#include <string>

namespace axmul::h5::detail {

struct WriteFailure {
  int error_number = 0;  ///< errno of the first failed write; 0 = none
};

/// Makes the file access list use the driver; `failure` must outlive every file opened with it.
/// Call with the HDF5 lock held, directly before H5Fcreate or H5Fopen. Negative on failure.
herr_t use_checked_driver(hid_t access_list, WriteFailure* failure);

}  // namespace axmul::h5::detail
