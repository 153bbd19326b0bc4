// A row-major matrix that owns its elements, and nothing more.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace axmul {

template <class T>
class Array2 {
 public:
  Array2() = default;
  Array2(std::size_t rows, std::size_t cols, T value = T{})
      : rows_(rows), cols_(cols), data_(rows * cols, value) {}

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  bool empty() const { return data_.empty(); }

  T& operator()(std::size_t row, std::size_t col) { return data_[row * cols_ + col]; }
  const T& operator()(std::size_t row, std::size_t col) const { return data_[row * cols_ + col]; }

  std::span<T> row(std::size_t row) { return {data_.data() + row * cols_, cols_}; }
  std::span<const T> row(std::size_t row) const { return {data_.data() + row * cols_, cols_}; }
  std::span<T> flat() { return data_; }
  std::span<const T> flat() const { return data_; }

  friend bool operator==(const Array2&, const Array2&) = default;

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::vector<T> data_;
};

}  // namespace axmul
