// What the root of every HDF5 file of axmul says, and the check of it on reading.
#pragma once

#include <string>

#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"

namespace axmul::detail {

inline constexpr const char* kFormatVersion = "1.0";

void write_root(h5::File& file, const std::string& format, const FileOrigin& origin);

/// Throws InputError AX820 unless format is one of `formats` (given as "x or y" for the message by
/// `wanted`) and the major version is known; returns the format.
std::string check_root(const h5::File& file, std::initializer_list<const char*> formats);

}  // namespace axmul::detail
