// Reading a whole file, or standard input, with a size limit.
//
// ids of layer io: 100-109 reading, 110-119 text tables, 120-129 NPY, 130-139 writing, 150-199
// HDF5.
#pragma once

#include <cstddef>
#include <string>

#include "axmul/core/api.hpp"

namespace axmul {

/// Largest input that the readers of tables and netlists take unless told otherwise: 256 MiB.
inline constexpr std::size_t kReadLimit = std::size_t{256} << 20;

/// All bytes of a file (or pipe, or device). Throws InputError AX100 (cannot be opened or read; the
/// message carries the system's reason), AX101 (more than `limit` bytes) or AX102 (a folder).
AXMUL_API std::string read_file(const std::string& path, std::size_t limit = kReadLimit);

/// All bytes of standard input; errors as above under the path "<stdin>".
AXMUL_API std::string read_standard_input(std::size_t limit = kReadLimit);

}  // namespace axmul
