// HDF5 files, thin and checked: every call of the C library is made here, under one lock, and a
// failure is an exception that names the file and the object.
//
// Reading: the size, type and rank of a dataset are looked at before memory is taken, so a hostile
// file is an InputError. Writing: time tracking is off and the library version bounds are fixed, so
// equal calls give equal bytes. The HDF5 library's own error printing is off within each call and
// as the caller left it afterwards.
//
// InputError ids: AX150 cannot open or read, AX151 object missing, AX152 wrong type, AX153 wrong
// shape, AX154 too large, AX155 data kept outside the file. OutputError: AX160.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "axmul/core/api.hpp"

namespace axmul::h5 {

using Shape = std::vector<std::uint64_t>;

/// Files that were read without a rehearsal in a process of its own, because the system gave none
/// (fork or pipe failed): there a damaged file may crash the HDF5 library. Each is told once.
AXMUL_API std::vector<std::string> take_unrehearsed_files();

/// Element types, as stored (little-endian on every machine) and in memory.
enum class Type : std::uint8_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
  text,  ///< variable-length UTF-8
  other
};

/// "int32", "text" …
AXMUL_API std::string to_string(Type type);
/// "[3, 256]", "scalar" for a rank of 0.
AXMUL_API std::string to_string(const Shape& shape);

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, std::int8_t>) return Type::int8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Type::uint8;
  if constexpr (std::is_same_v<T, std::int16_t>) return Type::int16;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Type::uint16;
  if constexpr (std::is_same_v<T, std::int32_t>) return Type::int32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Type::uint32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Type::int64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Type::uint64;
  if constexpr (std::is_same_v<T, float>) return Type::float32;
  if constexpr (std::is_same_v<T, double>) return Type::float64;
  return Type::other;
}

/// What may be read into memory at once.
struct AXMUL_API Limits {
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< of one read
  std::uint64_t max_text = std::uint64_t{1} << 20;   ///< bytes of one text
  /// Rehearse reading in a child process first, since the HDF5 library may crash on damaged files;
  /// costs some milliseconds once per file.
  bool probe = true;
};

struct AXMUL_API DatasetOptions {
  Shape chunk;              ///< empty: contiguous (not with extendible or deflate)
  bool extendible = false;  ///< the first axis can grow without bound
  bool deflate = false;     ///< shuffle + deflate, level 4
};

enum class Kind : std::uint8_t { group, dataset, other };
struct AXMUL_API Entry {
  std::string name;
  Kind kind;
};

namespace detail {
struct FileState;
}

/// An open dataset. It may outlive neither use nor close() of its File; then calls throw.
class AXMUL_API Dataset {
 public:
  Dataset() = default;
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  const std::string& path() const { return path_; }
  Type type() const { return type_; }
  /// Current extents, slowest axis first.
  const Shape& shape() const { return shape_; }
  std::uint64_t size() const;  ///< number of elements

  /// Throws InputError AX153 unless the shape is the expected one; 0 stands for any extent.
  void expect_shape(const Shape& expected) const;

  /// All elements, row-major. The stored type must fit T without loss: integers into a wider or
  /// equal integer, integers of up to 32 bits and floats into double; else InputError AX152.
  template <class T>
  std::vector<T> read() const {
    check_readable(type_of<T>(), shape_);
    std::vector<T> values(static_cast<std::size_t>(size()));
    read_raw(type_of<T>(), Shape(shape_.size(), 0), shape_, values.data());
    return values;
  }
  /// The block of `count` elements per axis at `offset`; out is row-major and exactly that large.
  template <class T>
  void read(const Shape& offset, const Shape& count, std::span<T> out) const {
    check_block(offset, count, out.size());
    check_readable(type_of<T>(), count);
    read_raw(type_of<T>(), offset, count, out.data());
  }
  /// All texts of a 1-D (or scalar) text dataset.
  std::vector<std::string> read_text() const;

  template <class T>
  void write(const Shape& offset, const Shape& count, std::span<const T> values) {
    check_block(offset, count, values.size());
    write_raw(type_of<T>(), offset, count, values.data());
  }
  /// Grows the first axis by as many rows as `values` has, and writes them. Rows must be whole.
  template <class T>
  void append(std::span<const T> values) {
    const Shape at = grow(values.size());
    if (values.empty()) return;
    Shape count = shape_;
    count[0] -= at[0];
    write_raw(type_of<T>(), at, count, values.data());
  }
  void append_text(std::span<const std::string> texts);
  /// Sets the extent of the first axis (extendible datasets), leaving new rows unwritten.
  void resize(std::uint64_t rows);
  /// Writes one whole chunk that is already filtered (see deflate_chunk) at an offset that is a
  /// multiple of the chunk.
  void write_filtered_chunk(const Shape& offset, std::span<const std::byte> bytes);

 private:
  friend class File;
  Dataset(std::shared_ptr<detail::FileState> state, std::int64_t id, std::string path);
  void refresh();
  void check_block(const Shape& offset, const Shape& count, std::size_t elements) const;
  void check_readable(Type memory, const Shape& count) const;
  void read_raw(Type memory, const Shape& offset, const Shape& count, void* out) const;
  void write_raw(Type memory, const Shape& offset, const Shape& count, const void* values);
  Shape grow(std::size_t elements);

  std::shared_ptr<detail::FileState> state_;
  std::int64_t id_ = -1;
  std::string path_;
  Type type_ = Type::other;
  Shape shape_;
};

/// An open HDF5 file. Objects are addressed by absolute path ("/u8u8/product").
class AXMUL_API File {
 public:
  /// A new file at `path`, which is replaced if it exists (give a temporary path and rename it, see
  /// axmul/io/atomic_file.hpp). Throws OutputError.
  static File create(const std::string& path);
  /// Opens an existing file for reading. Throws InputError.
  static File open(const std::string& path, const Limits& limits = {});
  /// Whether the file starts with an HDF5 signature (false also where it cannot be read).
  static bool is_hdf5(const std::string& path);

  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  /// Closes; a failure while writing is only seen by close().
  ~File();

  /// Writes out and closes. Throws OutputError when anything could not be written, now or earlier.
  void close();
  /// Writes out what is buffered. Throws OutputError.
  void flush();
  const std::string& path() const;
  /// The path that messages name; a writer sets the final one where it writes a temporary file.
  void set_display_path(const std::string& path);

  bool exists(const std::string& object) const;
  bool is_group(const std::string& object) const;
  bool is_dataset(const std::string& object) const;
  /// Members of a group, in the order of creation where the file keeps it, else by name.
  std::vector<Entry> list(const std::string& group) const;

  void create_group(const std::string& group);
  Dataset create_dataset(const std::string& dataset, Type type, const Shape& shape,
                         const DatasetOptions& options = {});
  Dataset dataset(const std::string& dataset) const;

  /// Creates and fills a dataset.
  template <class T>
  void write(const std::string& dataset, const Shape& shape, std::span<const T> values,
             const DatasetOptions& options = {}) {
    create_dataset(dataset, type_of<T>(), shape, options)
        .write(Shape(shape.size(), 0), shape, values);
  }
  void write_text(const std::string& dataset, std::span<const std::string> texts);
  /// Opens and reads a whole dataset.
  template <class T>
  std::vector<T> read(const std::string& path) const {
    return dataset(path).read<T>();
  }

  /// Makes a 1-D dataset a dimension scale. `name` "" takes the last part of its path.
  void make_scale(const std::string& dataset, const std::string& name = "");
  /// A scale without values (netCDF's "dimension without variable"), for an axis that only counts.
  Dataset create_plain_dimension(const std::string& dataset, std::uint64_t length,
                                 bool extendible = false);
  /// Gives an extendible one another length; its name, which netCDF-4 reads, states the length too.
  void resize_plain_dimension(Dataset& dimension, std::uint64_t length);
  /// Attaches a scale to an axis and labels the axis with the last part of the scale's path.
  void attach_scale(const std::string& dataset, unsigned axis, const std::string& scale);
  /// Attributes of a group or dataset ("/" is the root). Setting replaces.
  void set_attribute(const std::string& object, const std::string& name, const std::string& text);
  void set_attribute(const std::string& object, const std::string& name, const char* text) {
    set_attribute(object, name, std::string(text));
  }
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name,
                     std::span<const double> values);
  bool has_attribute(const std::string& object, const std::string& name) const;
  /// Names of the attributes of an object.
  std::vector<std::string> attributes(const std::string& object) const;
  /// Nothing where the attribute is missing; InputError AX152 where it has another type or holds
  /// more than one value.
  std::optional<std::string> attribute_text(const std::string& object,
                                            const std::string& name) const;
  std::optional<std::int64_t> attribute_int(const std::string& object,
                                            const std::string& name) const;
  std::optional<double> attribute_double(const std::string& object, const std::string& name) const;
  /// One value or a 1-D array of numbers.
  std::optional<std::vector<double>> attribute_doubles(const std::string& object,
                                                       const std::string& name) const;

 private:
  explicit File(std::shared_ptr<detail::FileState> state);
  std::shared_ptr<detail::FileState> state_;
};

/// The bytes that shuffle + deflate 4 (DatasetOptions::deflate) make of one chunk, for
/// Dataset::write_filtered_chunk; needs no lock, so threads can compress side by side.
AXMUL_API std::vector<std::byte> deflate_chunk(std::span<const std::int32_t> chunk);

}  // namespace axmul::h5
