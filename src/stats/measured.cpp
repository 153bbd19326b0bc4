// Measured distributions from files: operand histograms and joint pmfs in CSV, NPY or HDF5.
//
// Whole numbers are counts and are normalised; anything else is probabilities, which must sum to
// 1 ± 1e-9 (what remains of the difference is normalised away).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/csv.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/io/npy.hpp"
#include "axmul/io/read_file.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/error_ids.hpp"
#include "stats/workspace.hpp"

namespace axmul {
namespace detail::stats {
namespace {

constexpr std::size_t kMostSampleBytes = std::size_t{1} << 30;

/// Numbers of a file, row-major, and where they stand.
struct Numbers {
  std::string path;
  std::size_t rows = 0, cols = 0;
  std::vector<double> values;
  std::vector<std::size_t> lines;  // of each row; empty for binary files

  [[noreturn]] void fail(int id, std::size_t row, const std::string& message) const {
    throw InputError(id, Place{path, row < lines.size() ? lines[row] : 0}, message);
  }
};

std::string shape_text(const Numbers& n) {
  return std::to_string(n.rows) + " x " + std::to_string(n.cols);
}

Numbers from_extents(std::string path, const std::vector<std::size_t>& shape) {
  Numbers out;
  out.path = std::move(path);
  if (shape.empty() || shape.size() > 2)
    throw InputError(kMeasuredShape, Place{out.path, 0},
                     "has " + std::to_string(shape.size()) +
                         " dimensions; distributions have one, joint distributions two");
  out.rows = shape[0];
  out.cols = shape.size() == 2 ? shape[1] : 1;
  return out;
}

Numbers from_npy(const std::string& path, const std::string& bytes) {
  const NpyArray array = parse_npy(bytes, path);
  Numbers out = from_extents(path, array.shape);
  for (std::size_t i = 0; i < array.size(); ++i) out.values.push_back(array.real(i));
  return out;
}

Numbers from_csv(const std::string& path, const std::string& text) {
  CsvOptions options;
  options.allow_header = true;
  CsvMatrix matrix = parse_csv(text, path, options);
  Numbers out;
  out.path = path;
  out.rows = matrix.values.rows();
  out.cols = matrix.values.cols();
  out.values.assign(matrix.values.flat().begin(), matrix.values.flat().end());
  out.lines = std::move(matrix.lines);
  return out;
}

template <class T>
void read_as(const h5::Dataset& dataset, std::vector<double>& values) {
  for (T x : dataset.read<T>()) values.push_back(static_cast<double>(x));
}

/// The only dataset at the root, for a path that names none.
std::string only_dataset(const h5::File& file, const std::string& path) {
  std::vector<std::string> names;
  for (const h5::Entry& entry : file.list("/"))
    if (entry.kind == h5::Kind::dataset) names.push_back(entry.name);
  if (names.size() == 1) return names[0];
  std::string message = "which dataset? write " + path + ":NAME";
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 8); ++i)
    message.append(i == 0 ? "; the file has " : ", ").append(names[i]);
  throw InputError(kMeasuredFile, Place{path, 0}, message);
}

Numbers from_hdf5(const std::string& path, std::string name) {
  const h5::File file = h5::File::open(path);
  if (name.empty()) name = only_dataset(file, path);
  const h5::Dataset dataset = file.dataset(name.starts_with('/') ? name : "/" + name);
  std::vector<std::size_t> shape;
  for (std::uint64_t extent : dataset.shape()) shape.push_back(static_cast<std::size_t>(extent));
  std::string place = path;
  place.append(":").append(name);
  Numbers out = from_extents(place, shape);
  if (dataset.size() > kLutSize)
    out.fail(kMeasuredShape, 0,
             "has " + shape_text(out) + " values; 256 or 256 x 256 are expected");
  if (dataset.type() == h5::Type::int64)
    read_as<std::int64_t>(dataset, out.values);
  else if (dataset.type() == h5::Type::uint64)
    read_as<std::uint64_t>(dataset, out.values);
  else
    read_as<double>(dataset, out.values);
  return out;
}

struct Source {
  std::string file, dataset;
};

/// "FILE:DATASET" where no file of the whole name exists.
Source split_source(const std::string& path) {
  std::error_code ignored;
  const std::size_t colon = path.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(path, ignored)) return {path, ""};
  return {path.substr(0, colon), path.substr(colon + 1)};
}

/// Reads by content: HDF5 and NPY carry signatures, all else is text.
Numbers read_numbers(const std::string& path) {
  const auto& [file, dataset] = split_source(path);
  if (h5::File::is_hdf5(file)) return from_hdf5(file, dataset);
  const std::string bytes = read_file(dataset.empty() ? path : file);
  if (!dataset.empty())
    throw InputError(kMeasuredFile, Place{file, 0},
                     "\":" + dataset + "\" names a dataset, but this is not an HDF5 file");
  return is_npy(bytes) ? from_npy(file, bytes) : from_csv(file, bytes);
}

/// Checks each value and normalises. row_of tells messages the row of element i; what(i) names it.
template <class F>
void normalise(const Numbers& source, std::span<double> values, std::span<const std::size_t> row_of,
               F&& what) {
  CompensatedSum total;
  bool counts = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= 0) || std::isinf(values[i]))
      source.fail(kMeasuredValue, row_of[i],
                  what(i) + " is " + number_text(values[i]) +
                      "; counts and probabilities are finite and not negative");
    counts = counts && values[i] == std::floor(values[i]);
    total.add(values[i]);
  }
  const double sum = total.value();
  const std::size_t nowhere = source.lines.size();
  if (!(sum > 0) || std::isinf(sum))
    source.fail(kMeasuredSum, nowhere, sum > 0 ? "the sum overflows" : "every value is 0");
  if (!counts && !(std::abs(total.minus_one()) <= 1e-9))
    source.fail(kMeasuredSum, nowhere,
                "probabilities sum to " + number_text(sum) +
                    ", not to 1 ± 1e-9; give whole numbers (counts) or normalise in double "
                    "precision");
  if (!counts && std::abs(total.minus_one()) <= 1e-14) return;  // 1 up to rounding: keep the bits
  for (double& x : values) x /= sum;
}

/// A table of operand value and weight; values that are not listed have weight 0.
void from_pairs(const Numbers& source, int first_value, int last_value, Values& p,
                std::vector<std::size_t>& row_of) {
  std::vector<bool> seen(p.size(), false);
  for (std::size_t i = 0; i < source.rows; ++i) {
    const double value = source.values[2 * i];
    if (value != std::floor(value) || value < first_value || value > last_value)
      source.fail(kMeasuredValue, i,
                  "operand value " + number_text(value) + "; the operand takes integers " +
                      std::to_string(first_value) + " … " + std::to_string(last_value));
    const auto index = static_cast<std::size_t>(value - first_value);
    if (seen[index])
      source.fail(kMeasuredValue, i, "operand value " + number_text(value) + " is listed twice");
    seen[index] = true;
    p[index] = source.values[2 * i + 1];
    row_of[index] = i;
  }
}

}  // namespace

std::string stored_source(const std::string& source) {
  const auto& [file, dataset] = split_source(source);
  std::string text = stored_path(file);
  if (!dataset.empty()) text.append(":").append(dataset);
  return text;
}

Values read_measured(const std::string& path, bool is_signed, int bits) {
  const Numbers source = read_numbers(path);
  const std::size_t count = std::size_t{1} << bits;
  const int first_value = is_signed ? -static_cast<int>(count / 2) : 0;
  const int last_value = first_value + static_cast<int>(count) - 1;
  Values p(count, 0.0);
  std::vector<std::size_t> row_of(count, source.lines.size());
  const bool is_list = source.rows * source.cols == count && (source.rows == 1 || source.cols == 1);
  if (source.cols == 2 && source.rows <= count && !(is_list && count == 2)) {
    from_pairs(source, first_value, last_value, p, row_of);
  } else if (is_list) {
    std::copy(source.values.begin(), source.values.end(), p.begin());
    for (std::size_t i = 0; i < count; ++i) row_of[i] = i / source.cols;
  } else {
    source.fail(kMeasuredShape, source.lines.size(),
                "has " + shape_text(source) + " values; expected are " + std::to_string(count) +
                    " by ascending operand value, or rows of operand "
                    "value and count");
  }
  normalise(source, p, row_of, [&](std::size_t i) {
    return "the value for operand " + std::to_string(first_value + static_cast<int>(i));
  });
  return p;
}

Values read_samples(const std::string& path, bool is_signed, int bits) {
  const std::string bytes = read_file(path, kMostSampleBytes);
  Numbers source;
  source.path = path;
  if (is_npy(bytes)) {
    const NpyArray array = parse_npy(bytes, path);
    for (std::size_t i = 0; i < array.size(); ++i) source.values.push_back(array.real(i));
  } else {
    source = from_csv(path, bytes);
  }
  const int first_value = is_signed ? -(1 << (bits - 1)) : 0, last_value = first_value + (1 << bits) - 1;
  Values p(std::size_t{1} << bits);
  for (std::size_t i = 0; i < source.values.size(); ++i) {
    const double value = source.values[i];
    if (value != std::floor(value) || value < first_value || value > last_value)
      source.fail(kMeasuredValue, source.cols > 0 ? i / source.cols : 0,
                  "sample " + std::to_string(i) + " is " + number_text(value) +
                      "; the operand takes integers " + std::to_string(first_value) + " … " +
                      std::to_string(last_value));
    p[static_cast<std::size_t>(value - first_value)] += 1;
  }
  if (source.values.empty()) source.fail(kMeasuredShape, 0, "holds no sample");
  for (double& x : p) x /= static_cast<double>(source.values.size());
  return p;
}

}  // namespace detail::stats

JointDistribution read_joint_distribution(const std::string& path, const SizedType& type) {
  using namespace detail::stats;
  const Numbers source = read_numbers(path);
  const std::size_t rows = std::size_t{1} << type.bits.a, cols = std::size_t{1} << type.bits.b;
  if (source.rows != rows || source.cols != cols)
    source.fail(kMeasuredShape, source.lines.size(),
                "has " + shape_text(source) + " values; a joint distribution is " +
                    std::to_string(rows) + " x " + std::to_string(cols) + ", row = operand a");
  JointDistribution out;
  out.text = "joint(" + stored_source(path) + ")";
  out.type = type;
  out.p = Array2<double>(kOperandCount, kOperandCount);
  std::vector<double> values = source.values;
  std::vector<std::size_t> row_of(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) row_of[i] = i / cols;
  normalise(source, values, row_of, [&](std::size_t i) {
    return "the value for a = " + std::to_string(a_min(type) + static_cast<int>(i / cols)) +
           ", b = " + std::to_string(b_min(type) + static_cast<int>(i % cols));
  });
  const auto first_row = static_cast<std::size_t>(a_min(type) - a_min(type.kind));
  const auto first_col = static_cast<std::size_t>(b_min(type) - b_min(type.kind));
  for (std::size_t i = 0; i < values.size(); ++i)
    out.p(first_row + i / cols, first_col + i % cols) = values[i];
  return out;
}

}  // namespace axmul
