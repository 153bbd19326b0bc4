// A rehearsal of reading in a child process, because the HDF5 library may crash on a damaged file.
#pragma once

#include <string>

namespace axmul::h5::detail {

/// Throws InputError AX150 when reading the file's structure crashes the HDF5 library or does not
/// end. A file that has passed is not tried again while its size and time stay the same. Call with
/// the HDF5 lock held.
void probe_file(const std::string& path);

}  // namespace axmul::h5::detail
