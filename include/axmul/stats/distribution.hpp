// Operand distributions: with which probability each operand value occurs.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/array2.hpp"
#include "axmul/core/operand.hpp"

namespace axmul {

/// p(a) or p(b): 256 probabilities by ascending operand value of 8 bits, sum 1; 0 for the values
/// that an operand of fewer bits does not take.
struct AXMUL_API OperandDistribution {
  std::string text;  ///< canonical text, e.g. "normal(mean=0,std=20)"; stored in every output
  bool is_signed = false;
  std::array<double, kOperandCount> p{};
  int bits = 8;
};

/// Joint pmf, 256x256, row = a, ascending values, sum 1.
struct AXMUL_API JointDistribution {
  std::string text;
  SizedType type{};
  Array2<double> p;
};

AXMUL_API OperandDistribution uniform_distribution(bool is_signed, int bits = 8);

/// 256 non-negative counts (normalised) as a distribution. Throws InputError on a negative or
/// all-zero.
AXMUL_API OperandDistribution distribution_from_counts(std::string text, bool is_signed,
                                                       std::array<double, kOperandCount> counts);

/// What parsing may need from above: reads "trace(FILE,layer=NAME,operand=a|b)" when set (tables
/// sets it).
struct AXMUL_API DistributionContext {
  std::function<OperandDistribution(std::string_view arguments, bool is_signed)> trace_reader;
};

/// Reads the text syntax (src/README.md#distributions): "uniform", "point(0)",
/// "0.4*point(0)+0.6*halfnormal(std=30)", "file(acts.csv)", tails=fold|renormalise … Throws
/// UsageError (bad syntax or parameter; names the offending part) or InputError (bad file contents;
/// names file, line, value). bits: 1 … 8, of the operand.
AXMUL_API OperandDistribution parse_distribution(std::string_view text, bool is_signed,
                                                 const DistributionContext& context = {},
                                                 int bits = 8);

/// Reads a 256x256 (2^a x 2^b) joint pmf or counts, row = a, from CSV, NPY or HDF5
/// ("file.h5:dataset"). Whole numbers are counts and are normalised, else the sum must be 1 ± 1e-9.
/// Throws InputError: AX410 shape, AX411 a value that is negative, NaN or infinite, AX412 the sum,
/// AX413 no such dataset, and those of the readers in layer io.
AXMUL_API JointDistribution read_joint_distribution(const std::string& path, const SizedType& type);

/// Text for help: one line per family with its parameters and defaults.
struct AXMUL_API DistributionFamily {
  std::string name, parameters, description;
};
AXMUL_API const std::vector<DistributionFamily>& distribution_families();

}  // namespace axmul
