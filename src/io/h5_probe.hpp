// A rehearsal of reading in a child process, because the HDF5 library may crash on a damaged file.
#pragma once

#include <string>
#include <vector>

namespace axmul::h5::detail {

/// Throws InputError AX150 when reading the file's structure crashes the HDF5 library or does not
/// end. A file that has passed is not tried again while its size and time stay the same. Call with
/// the HDF5 lock held.
void probe_file(const std::string& path);

/// Remembers a file that could not be tried, since there was no process for it.
void note_unrehearsed(const std::string& path);
/// Those files, once. Neither needs the HDF5 lock.
std::vector<std::string> take_unrehearsed();

}  // namespace axmul::h5::detail
