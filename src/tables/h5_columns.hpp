// Columns of an HDF5 group that grow row by row: buffered up to a chunk, then appended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/io/h5.hpp"

namespace axmul::detail {

/// What every dataset says about itself.
struct Meaning {
  std::string_view units, long_name, definition;
};

/// Rows of a chunk: about a mebibyte, at most `most`.
std::uint64_t chunk_rows(std::uint64_t row_bytes, std::uint64_t most);

void set_meaning(h5::File& file, const std::string& dataset, const Meaning& meaning);

/// A float64, int32 or int64 dataset [N, …row]; rows are appended chunk by chunk.
template <class T>
class Column {
 public:
  Column() = default;
  Column(h5::File& file, const std::string& path, const h5::Shape& row, std::uint64_t most_rows,
         const Meaning& meaning)
      : elements_(1) {
    for (const std::uint64_t extent : row) elements_ *= extent;
    rows_ = chunk_rows(elements_ * sizeof(T), most_rows);
    h5::Shape shape{0}, chunk{rows_};
    shape.insert(shape.end(), row.begin(), row.end());
    chunk.insert(chunk.end(), row.begin(), row.end());
    h5::DatasetOptions options;
    options.chunk = chunk;
    options.extendible = options.deflate = true;
    dataset_ = file.create_dataset(path, h5::type_of<T>(), shape, options);
    set_meaning(file, path, meaning);
  }

  void push(T value) {
    buffer_.push_back(value);
    if (buffer_.size() == rows_ * elements_) flush();
  }
  template <class Range>
  void push_all(const Range& values) {
    for (const T value : values) push(value);
  }
  void flush() {
    dataset_.template append<T>(buffer_);
    buffer_.clear();
  }

 private:
  h5::Dataset dataset_;
  std::uint64_t elements_ = 1, rows_ = 1;
  std::vector<T> buffer_;
};

/// A text dataset [N].
class TextColumn {
 public:
  TextColumn() = default;
  TextColumn(h5::File& file, const std::string& path, std::uint64_t most_rows,
             const Meaning& meaning);
  void push(const std::string& text);
  void flush();

 private:
  h5::Dataset dataset_;
  std::uint64_t rows_ = 1;
  std::vector<std::string> buffer_;
};

/// The text as UTF-8: bytes that are not become "?" and so does NUL, which would end it.
std::string utf8_text(const std::string& text);

}  // namespace axmul::detail
