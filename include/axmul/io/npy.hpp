// NumPy's .npy files: one- and two-dimensional numeric arrays.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"

namespace axmul {

enum class NpyKind : std::uint8_t { unsigned_integer, signed_integer, floating };

/// An array as read: C order whatever the file's order was, native byte order.
struct AXMUL_API NpyArray {
  std::string dtype;                   ///< as the file says it, e.g. "<i4"
  NpyKind kind = NpyKind::floating;    ///< bool counts as unsigned
  std::size_t item_size = 0;           ///< bytes per element in the file
  std::vector<std::size_t> shape;      ///< one or two extents
  std::vector<std::int64_t> integers;  ///< the elements, when kind is an integer kind
  std::vector<double> reals;           ///< the elements, when kind is floating

  bool is_integer() const { return kind != NpyKind::floating; }
  std::size_t size() const { return is_integer() ? integers.size() : reals.size(); }
  double real(std::size_t i) const {
    return is_integer() ? static_cast<double>(integers[i]) : reals[i];
  }
};

/// True when the bytes start with NPY's magic string.
AXMUL_API bool is_npy(std::string_view bytes);

/// Decodes format versions 1, 2 and 3; bool, (u)int 8…64, float 16…64, either byte order, C or
/// Fortran order, one or two dimensions (of more, those of length 1 are left out). `name` stands for the path in messages. Throws InputError
/// AX120 (not NPY or malformed header), AX121 (dtype or dimensions that are not supported: objects,
/// text, complex, records, long double, 0-d, 3-d …), AX122 (data shorter or longer than the shape
/// says), AX123 (an unsigned 64-bit value above 2^63−1).
AXMUL_API NpyArray parse_npy(std::string_view bytes, const std::string& name);
AXMUL_API NpyArray read_npy(const std::string& path);

/// The bytes of a version 1.0 file, C order, little-endian. shape has one or two extents whose
/// product is data.size() (InternalError otherwise).
AXMUL_API std::string npy_bytes(std::span<const std::uint8_t> data,
                                std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const std::int16_t> data,
                                std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const std::uint16_t> data,
                                std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const std::int32_t> data,
                                std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const std::int64_t> data,
                                std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const float> data, std::span<const std::size_t> shape);
AXMUL_API std::string npy_bytes(std::span<const double> data, std::span<const std::size_t> shape);

}  // namespace axmul
