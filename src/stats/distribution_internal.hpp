// Shared by the parser of distributions, the parametric families and the readers of measured ones.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/stats/distribution.hpp"

namespace axmul::detail::stats {

using Probabilities = std::array<double, kOperandCount>;
/// Of every value of an operand, ascending.
using Values = std::vector<double>;

/// A parameter of a family. `required` ones have no default.
struct Parameter {
  std::string_view name;
  bool required = true;
  double value = 0;  // default
};

/// The range of the operand, for defaults that depend on it.
struct OperandRange {
  int min = 0, max = 255;
};

/// A family of continuous laws, discretised to the operand's integers.
struct Family {
  std::string_view name;
  std::span<const Parameter> parameters;
  std::string_view description;
  /// Probabilities of the range's values. fold: what lies outside goes to the ends. Throws
  /// std::invalid_argument with the reason where a parameter is impossible.
  Values (*make)(std::span<const double> values, OperandRange range, bool fold);
};
std::span<const Family> families();

/// The shortest text that reads back as the same number.
std::string number_text(double x);

/// PATH or PATH:DATASET as outputs keep it (stored_path()).
std::string stored_source(const std::string& source);

/// file(...): 2^bits probabilities or counts by ascending value, from CSV, NPY or HDF5.
Values read_measured(const std::string& path, bool is_signed, int bits);
/// The histogram of raw operand values: an NPY array of one or two dimensions, or numbers in text.
/// Throws as read_measured(), AX411 for a value outside the operand's range.
Values read_samples(const std::string& path, bool is_signed, int bits);

}  // namespace axmul::detail::stats
